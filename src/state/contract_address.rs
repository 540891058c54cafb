//! The address of a deployed contract.
//!
//! Input: a class, a salt, the constructor's arguments, the deployer. Output: an address (C73). Reads no
//! state.

use starknet_api::core::{ClassHash, ContractAddress, L2_ADDRESS_UPPER_BOUND};
use starknet_api::transaction::fields::{Calldata, ContractAddressSalt};
use starknet_types_core::felt::Felt;

use crate::crypto::{Element, Limbs, pedersen};

/// The text `STARKNET_CONTRACT_ADDRESS`.
const PREFIX: Felt = Felt::from_hex_unchecked("0x535441524b4e45545f434f4e54524143545f41444452455353");

/// The address of a contract that `deployer` deploys ([C73](crate::rules#c73)); the deployer is 0 for deploy
/// account transactions.
pub fn contract_address(
    salt: ContractAddressSalt,
    class_hash: ClassHash,
    calldata: &Calldata,
    deployer: ContractAddress,
) -> ContractAddress {
    let calldata = hash_of_list(calldata.0.iter().copied());
    let hash = hash_of_list([PREFIX, *deployer.0.key(), salt.0, class_hash.0, calldata]);
    ContractAddress::try_from(reduced_to_address_range(hash)).unwrap_or_default()
}

/// Reduces a hash to the range of contract addresses and storage addresses.
pub(crate) fn reduced_to_address_range(hash: Felt) -> Felt {
    let bound = Felt::from(*L2_ADDRESS_UPPER_BOUND);
    #[expect(clippy::arithmetic_side_effects, reason = "in the field; hashes are below twice the bound")]
    if hash < bound { hash } else { hash - bound }
}

/// The Pedersen hash of a list: its felts, then their number.
fn hash_of_list(felts: impl IntoIterator<Item = Felt>) -> Felt {
    let mut count = 0_u64;
    let mut hash: Limbs = [0; 4];
    for felt in felts {
        hash = pedersen(&hash, &felt.to_le_digits());
        count = count.saturating_add(1);
    }
    Element::from_limbs(&pedersen(&hash, &[count, 0, 0, 0])).to_felt()
}

#[cfg(test)]
mod tests {
    use starknet_api::core::calculate_contract_address;

    use super::*;

    #[test]
    fn addresses_are_those_of_starknet_api() {
        for count in 0..40_u64 {
            let felt = |number: u64| Felt::from(number).pow(count + 1) * Felt::TWO.pow(200_u32);
            let calldata = Calldata((0..count).map(felt).collect::<Vec<_>>().into());
            let (salt, class_hash) = (ContractAddressSalt(felt(7)), ClassHash(felt(11)));
            for deployer in [0_u64, 1, 0x1234_5678] {
                let deployer = ContractAddress::try_from(Felt::from(deployer)).unwrap();
                let expected = calculate_contract_address(salt, class_hash, &calldata, deployer).unwrap();
                assert_eq!(contract_address(salt, class_hash, &calldata, deployer), expected);
            }
        }
    }

    #[test]
    fn hashes_wrap_at_the_bound() {
        let bound = Felt::from(*L2_ADDRESS_UPPER_BOUND);
        assert_eq!(reduced_to_address_range(bound - Felt::ONE), bound - Felt::ONE);
        assert_eq!(reduced_to_address_range(bound), Felt::ZERO);
        assert_eq!(reduced_to_address_range(Felt::MAX), Felt::MAX - bound);
    }
}
