//! Where a fee token keeps a balance.
//!
//! In: an account. Out: the storage key of the low half of its balance. Assumes the layout that the fee tokens have (C237);
//! nothing verifies it.

use starknet_api::abi::abi_utils::get_fee_token_var_address;
use starknet_api::core::ContractAddress;
use starknet_api::state::StorageKey;

/// The cell of `ERC20_balances` that holds the low 128 bits of the account's balance (C237). The high half is in the next key.
///
/// Costs one Pedersen hash.
pub fn fee_token_balance_key(account: ContractAddress) -> StorageKey {
    get_fee_token_var_address(account)
}

#[cfg(test)]
mod tests {

    use starknet_types_core::felt::Felt;
    use starknet_types_core::hash::{Pedersen, StarkHash};

    use super::*;

    #[test]
    fn key_is_the_pedersen_hash_of_name_and_account() {
        let name =
            Felt::from_hex_unchecked("0x3a4e8ec16e258a799fe707996fd5d21d42b29adc1499a370edf7f809d8c458a");
        let account = ContractAddress::from(0x123_u128);
        assert_eq!(**fee_token_balance_key(account), Pedersen::hash(&name, &Felt::from(0x123)));
    }
}
