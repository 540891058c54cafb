//! The number of state changes that a transaction pays for.
//!
//! Input: [`StateChanges`] before the fee transfer, the payer's balance cell. Output: counts, for
//! `state_gas` and the receipt.

use serde::{Deserialize, Serialize};
use starknet_api::core::ContractAddress;
use starknet_api::state::StorageKey;

use crate::state::StateChanges;

/// The number of state changes of each kind that a transaction pays for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChangesCount {
    /// Storage cells with a new value, the payer's balance included ([C155](crate::rules#c155)).
    pub storage_updates: u64,
    /// Contracts that were deployed or whose class was replaced ([C156](crate::rules#c156)).
    pub class_hash_updates: u64,
    /// Classes with a new compiled class hash ([C156](crate::rules#c156)).
    pub compiled_class_hash_updates: u64,
    /// Contracts with any change, the fee token excluded ([C155](crate::rules#c155)).
    pub modified_contracts: u64,
    /// Storage cells that changed from zero to another value ([C157](crate::rules#c157)).
    pub allocated_cells: u64,
}

impl StateChangesCount {
    /// Counts the changes that are paid for (C153-C157).
    ///
    /// `payer` is the storage key of the paying account's balance, `None` for L1 handlers. The fee transfer
    /// has not happened yet: its write to that cell is counted in advance, and the fee token itself is not
    /// counted as a modified contract (C155).
    pub(super) fn of(changes: &StateChanges, payer: Option<StorageKey>, fee_token: ContractAddress) -> Self {
        let mut modified = changes.modified_contracts();
        modified.swap_remove(&fee_token);
        let balance_write = payer.is_some_and(|payer| !changes.storage.contains_key(&(fee_token, payer)));
        Self {
            storage_updates: count(changes.storage.len()).saturating_add(u64::from(balance_write)),
            class_hash_updates: count(changes.class_hashes.len()),
            compiled_class_hash_updates: count(changes.compiled_class_hashes.len()),
            modified_contracts: count(modified.len()),
            allocated_cells: count(changes.allocated.len()),
        }
    }
}

/// A length as a count; no machine holds more than 2^64 cells.
fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use starknet_api::core::{ClassHash, Nonce};
    use starknet_types_core::felt::Felt;

    use super::super::fee_token_balance_key;
    use super::*;

    #[test]
    fn fee_token_is_no_modified_contract_and_the_balance_is_counted_once() {
        let (sender, token) = (ContractAddress::from(1_u128), ContractAddress::from(2_u128));
        let mut changes = StateChanges::default();
        changes.nonces.insert(sender, Nonce(Felt::ONE));
        changes.storage.insert((token, StorageKey::from(9_u128)), Felt::ONE);
        changes.allocated.insert((token, StorageKey::from(9_u128)));
        changes.class_hashes.insert(ContractAddress::from(3_u128), ClassHash(Felt::ONE));
        let payer = Some(fee_token_balance_key(sender));
        let count = StateChangesCount::of(&changes, payer, token);
        assert_eq!(
            count,
            StateChangesCount {
                storage_updates: 2,
                class_hash_updates: 1,
                compiled_class_hash_updates: 0,
                modified_contracts: 2,
                allocated_cells: 1,
            }
        );
        assert_eq!(StateChangesCount::of(&changes, None, token).storage_updates, 1);

        changes.storage.insert((token, fee_token_balance_key(sender)), Felt::TWO);
        assert_eq!(StateChangesCount::of(&changes, payer, token), count);
    }
}
