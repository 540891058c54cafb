//! Where a fee token keeps a balance.
//!
//! In: an account. Out: the storage key of the low half of its balance. Assumes the layout that the fee tokens have (C237);
//! nothing verifies it.

use starknet_api::core::ContractAddress;
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::contract_address::in_domain;
use crate::crypto::{Element, pedersen_cached};

/// The hash of the name `ERC20_balances`.
const BALANCES: Felt =
    Felt::from_hex_unchecked("0x3a4e8ec16e258a799fe707996fd5d21d42b29adc1499a370edf7f809d8c458a");

/// The cell of `ERC20_balances` that holds the low 128 bits of the account's balance (C237). The high half is in the next key.
///
/// Costs one Pedersen hash, or less for an account that was seen lately.
pub fn fee_token_balance_key(account: ContractAddress) -> StorageKey {
    let hash = pedersen_cached(&BALANCES.to_le_digits(), &account.to_le_digits());
    let key = in_domain(Element::from_limbs(&hash).to_felt());
    StorageKey::try_from(key).unwrap_or_default() // below the bound: a key
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
}
