//! Selectors, short strings, addresses and numbers that are the same in all versions.

use starknet_api::core::{ClassHash, ContractAddress, EntryPointSelector, PatriciaKey};
use starknet_types_core::felt::Felt;

/// A selector from its hexadecimal text.
const fn selector(hex: &str) -> EntryPointSelector {
    EntryPointSelector(Felt::from_hex_unchecked(hex))
}

/// Selector of `__execute__`.
pub const EXECUTE: EntryPointSelector =
    selector("0x15d40a3d6ca2ac30f4031e42be28da9b056fef9bb7357ac5e85627ee876e5ad");
/// Selector of `__validate__`.
pub const VALIDATE: EntryPointSelector =
    selector("0x162da33a4585851fe8d3af3c2a9c60b557814e221e0d4f30ff0b2189d9c7775");
/// Selector of `__validate_declare__`.
pub const VALIDATE_DECLARE: EntryPointSelector =
    selector("0x289da278a8dc833409cabfdad1581e8e7d40e42dcaed693fa4008dcdb4963b3");
/// Selector of `__validate_deploy__`.
pub const VALIDATE_DEPLOY: EntryPointSelector =
    selector("0x36fcbf06cd96843058359e1a75928beacfac10727dab22a3972f0af8aa92895");
/// Selector of `transfer`, a function of the fee token.
pub const TRANSFER: EntryPointSelector =
    selector("0x83afd3f4caedc6eebf44246fe54e38c95e3179a5ec9ea81740eca5b482d12e");
/// Selector of `constructor`.
pub const CONSTRUCTOR: EntryPointSelector =
    selector("0x28ffe4ff0f226a9107253e17a904099aa4f63a02a5621de0576e5aa71bc5194");
/// Selector of the Cairo 0 default entry points `__default__` and `__l1_default__`.
pub const DEFAULT: EntryPointSelector = EntryPointSelector(Felt::ZERO);

/// `VALID`: the return value of validation ([C17](crate::rules#c17)).
pub const VALID: Felt = Felt::from_hex_unchecked("0x56414c4944");
/// `Out of gas`: the failure of a call or syscall whose price exceeds the gas left.
pub const OUT_OF_GAS: Felt = Felt::from_hex_unchecked("0x4f7574206f6620676173");
/// `ENTRYPOINT_NOT_FOUND`: the failure of a call to a selector that the class does not have.
pub const ENTRYPOINT_NOT_FOUND: Felt = Felt::from_hex_unchecked("0x454e545259504f494e545f4e4f545f464f554e44");
/// `ENTRYPOINT_FAILED`: appended by each caller that a failure propagates through.
pub const ENTRYPOINT_FAILED: Felt = Felt::from_hex_unchecked("0x454e545259504f494e545f4641494c4544");
/// `Invalid argument`: the failure of a syscall with an invalid request.
pub const INVALID_ARGUMENT: Felt = Felt::from_hex_unchecked("0x496e76616c696420617267756d656e74");
/// `Invalid input length`: the failure of Keccak over an input that is not a number of complete blocks.
pub const INVALID_INPUT_LENGTH: Felt = Felt::from_hex_unchecked("0x496e76616c696420696e707574206c656e677468");
/// `Block number out of range`: the failure of `get_block_hash` for a block that is too recent.
pub const BLOCK_NUMBER_OUT_OF_RANGE: Felt =
    Felt::from_hex_unchecked("0x426c6f636b206e756d626572206f7574206f662072616e6765");

/// `L1_GAS`: the name of the resource in the bounds that contracts see.
pub const L1_GAS: Felt = Felt::from_hex_unchecked("0x4c315f474153");
/// `L2_GAS`: the name of the resource in the bounds that contracts see.
pub const L2_GAS: Felt = Felt::from_hex_unchecked("0x4c325f474153");
/// `L1_DATA`: the name of L1 data gas in the bounds that contracts see.
pub const L1_DATA_GAS: Felt = Felt::from_hex_unchecked("0x4c315f44415441");

/// The contract whose storage holds block hashes.
pub const BLOCK_HASH_CONTRACT: ContractAddress = ContractAddress(PatriciaKey::ONE);
/// The contract whose storage holds the aliases of addresses and keys.
pub const ALIAS_CONTRACT: ContractAddress = ContractAddress(PatriciaKey::TWO);

/// The number of blocks after which contracts can read a block's hash ([C115](crate::rules#c115)).
pub const STORED_BLOCK_HASH_BUFFER: u64 = 10;
/// The class that cannot run in transactions of version 0 ([C49](crate::rules#c49)).
pub const FAULTY_CLASS_HASH: ClassHash =
    ClassHash(Felt::from_hex_unchecked("0x1a7820094feaf82d53f53f214b81292d717e7bb9a92bb2488092cd306f3993f"));

#[cfg(test)]
mod tests {
    use starknet_api::abi::abi_utils::selector_from_name;

    use super::*;

    #[test]
    fn selectors_match_their_names() {
        for (selector, name) in [
            (EXECUTE, "__execute__"),
            (VALIDATE, "__validate__"),
            (VALIDATE_DECLARE, "__validate_declare__"),
            (VALIDATE_DEPLOY, "__validate_deploy__"),
            (TRANSFER, "transfer"),
            (CONSTRUCTOR, "constructor"),
            (DEFAULT, "__default__"),
            (DEFAULT, "__l1_default__"),
        ] {
            assert_eq!(selector, selector_from_name(name), "{name}");
        }
    }

    #[test]
    fn short_strings_match_their_text() {
        for (felt, text) in [
            (VALID, "VALID"),
            (OUT_OF_GAS, "Out of gas"),
            (ENTRYPOINT_NOT_FOUND, "ENTRYPOINT_NOT_FOUND"),
            (ENTRYPOINT_FAILED, "ENTRYPOINT_FAILED"),
            (INVALID_ARGUMENT, "Invalid argument"),
            (INVALID_INPUT_LENGTH, "Invalid input length"),
            (BLOCK_NUMBER_OUT_OF_RANGE, "Block number out of range"),
            (L1_GAS, "L1_GAS"),
            (L2_GAS, "L2_GAS"),
            (L1_DATA_GAS, "L1_DATA"),
        ] {
            assert_eq!(felt, Felt::from_bytes_be_slice(text.as_bytes()), "{text}");
        }
    }
}
