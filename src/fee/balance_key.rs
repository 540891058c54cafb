//! The storage cells in which a fee token keeps the balance of an account.
//!
//! Input: an account. Output: storage keys, and the balance as a journal reads it. Assumes the storage layout
//! of the deployed fee tokens (C237); nothing verifies it.

use starknet_api::core::ContractAddress;
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use crate::crypto::{Element, pedersen_cached};
use crate::state::{Journal, MemoryState, StateError, reduced_to_address_range};

/// The hash of the name `ERC20_balances`.
const BALANCES: Felt =
    Felt::from_hex_unchecked("0x3a4e8ec16e258a799fe707996fd5d21d42b29adc1499a370edf7f809d8c458a");

/// Returns the storage key of the low 128 bits of an account's balance, in any fee token
/// ([C237](crate::rules#c237)). The high 128 bits are in the next key.
///
/// Costs one Pedersen hash, or a cache hit for a recently used account.
pub fn fee_token_balance_key(account: ContractAddress) -> StorageKey {
    let hash = pedersen_cached(&BALANCES.to_le_digits(), &account.to_le_digits());
    let key = reduced_to_address_range(Element::from_limbs(&hash).to_felt());
    StorageKey::try_from(key).unwrap_or_default() // below the bound: a key
}

/// Returns [`fee_token_balance_key`] of the account that pays for the transaction: computed once per journal.
pub(crate) fn payer_balance_key(journal: &mut Journal<'_>, payer: ContractAddress) -> StorageKey {
    journal.derived_key(payer, fee_token_balance_key)
}

/// Reads the low and the high half of the payer's balance (C237).
pub(super) fn payer_balance(
    journal: &mut Journal<'_>,
    fee_token: ContractAddress,
    payer: ContractAddress,
) -> Result<(Felt, Felt), StateError> {
    let low = payer_balance_key(journal, payer);
    let high = low.next_storage_key().map_err(|_| StateError::LastStorageKey(low))?;
    Ok((journal.storage_at(fee_token, low)?, journal.storage_at(fee_token, high)?))
}

impl MemoryState {
    /// Sets an account's balance of a fee token ([C237](crate::rules#c237)).
    #[must_use]
    pub fn with_balance(self, fee_token: ContractAddress, account: ContractAddress, amount: u128) -> Self {
        self.with_storage(fee_token, fee_token_balance_key(account), Felt::from(amount))
    }
}

#[cfg(test)]
mod tests {
    use starknet_api::abi::abi_utils::get_fee_token_var_address;

    use super::*;

    #[test]
    fn key_is_the_pedersen_hash_of_name_and_account() {
        let accounts = [Felt::ONE, Felt::from(0x123), Felt::from(u128::MAX), Felt::TWO.pow(250_u32)];
        for account in accounts.map(|account| ContractAddress::try_from(account).unwrap()) {
            assert_eq!(fee_token_balance_key(account), get_fee_token_var_address(account));
        }
    }

    #[test]
    fn a_balance_is_two_cells() {
        let (token, account) = (ContractAddress::from(1_u128), ContractAddress::from(2_u128));
        let low = fee_token_balance_key(account);
        let state = MemoryState::default().with_balance(token, account, u128::MAX).with_storage(
            token,
            low.next_storage_key().unwrap(),
            Felt::TWO,
        );
        let mut journal = Journal::new(&state);
        assert_eq!(payer_balance(&mut journal, token, account), Ok((Felt::from(u128::MAX), Felt::TWO)));
        assert_eq!(journal.initial_reads().storage.len(), 2);
    }
}
