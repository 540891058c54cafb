//! Where a fee token keeps a balance.
//!
//! In: an account. Out: the storage key of the low half of its balance. Assumes the layout that the fee tokens have (C237);
//! nothing verifies it.

use starknet_api::core::{ContractAddress, L2_ADDRESS_UPPER_BOUND, PatriciaKey};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use crate::crypto::{Element, pedersen};

/// The selector of `ERC20_balances`.
const BALANCES: Felt =
    Felt::from_hex_unchecked("0x3a4e8ec16e258a799fe707996fd5d21d42b29adc1499a370edf7f809d8c458a");

/// The cell of `ERC20_balances` that holds the low 128 bits of the account's balance (C237). The high half is in the next key.
///
/// Costs one Pedersen hash.
pub fn fee_token_balance_key(account: ContractAddress) -> StorageKey {
    let hash = pedersen(&BALANCES.to_le_digits(), &account.0.key().to_le_digits());
    let hash = Element::from_limbs(&hash).to_felt();
    let bound = Felt::from(*L2_ADDRESS_UPPER_BOUND);
    #[expect(clippy::arithmetic_side_effects, reason = "in the field; hashes are below twice the bound")]
    let key = if hash < bound { hash } else { hash - bound };
    // What is below the bound is a key.
    PatriciaKey::try_from(key).map(StorageKey).unwrap_or_default()
}

#[cfg(test)]
mod tests {

    use starknet_api::abi::abi_utils::get_fee_token_var_address;
    use starknet_types_core::hash::{Pedersen, StarkHash};

    use super::*;

    #[test]
    fn key_is_the_pedersen_hash_of_name_and_account() {
        let name =
            Felt::from_hex_unchecked("0x3a4e8ec16e258a799fe707996fd5d21d42b29adc1499a370edf7f809d8c458a");
        let account = ContractAddress::from(0x123_u128);
        assert_eq!(**fee_token_balance_key(account), Pedersen::hash(&name, &Felt::from(0x123)));
        for account in (0..200_u128).map(ContractAddress::from) {
            assert_eq!(fee_token_balance_key(account), get_fee_token_var_address(account));
        }
    }
}
