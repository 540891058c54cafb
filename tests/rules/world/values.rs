//! Addresses, prices and felts of the rule tests: a layer on [`crate::fixture`].

use starkiln::protocol::ProtocolVersion;
use starknet_api::block::GasPrice;
use starknet_api::core::ClassHash;
use starknet_api::execution_resources::GasAmount;
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::{AllResourceBounds, ResourceBounds, ValidResourceBounds};
use starknet_types_core::felt::Felt;

use crate::fixture::FEE_TOKEN;
pub(crate) use crate::fixture::{ACCOUNT, SEQUENCER, SYSCALLS, address, felt, selector};

/// The STRK token.
pub(crate) const STRK: u128 = FEE_TOKEN;
/// The ETH token.
pub(crate) const ETH: u128 = 0xe7;
/// The Cairo 0 account.
pub(crate) const OLD_ACCOUNT: u128 = 0x01d_acc;
/// The addresses of `caller` tracked in gas, tracked in steps, and in Cairo 0.
pub(crate) const CALLER: u128 = 0xca11;
pub(crate) const STEPS: u128 = 0x57e95;
pub(crate) const OLD_CALLER: u128 = 0x01d_ca11;
/// The addresses of `syscalls_new` and the `syscalls` of Cairo 0.
pub(crate) const SYSCALLS_NEW: u128 = 0x5ca12;
pub(crate) const OLD_SYSCALLS: u128 = 0x01d_5ca11;
/// The address of contracts written by hand.
pub(crate) const MADE: u128 = 0x3ade;

/// The prices of the block in fri; those in wei are half of them.
pub(crate) const L1_PRICE: u128 = 1_000_000;
pub(crate) const DATA_PRICE: u128 = 1_000;
pub(crate) const L2_PRICE: u128 = 100;

pub(crate) type Version = ProtocolVersion;

pub(crate) fn felts(values: &[u128]) -> Vec<Felt> {
    values.iter().map(|value| felt(*value)).collect()
}

pub(crate) fn key(value: u128) -> StorageKey {
    StorageKey::from(value)
}

/// The cell of a storage variable.
pub(crate) fn variable(name: &str) -> StorageKey {
    starknet_api::abi::abi_utils::get_storage_var_address(name, &[])
}

pub(crate) fn short(text: &str) -> Felt {
    Felt::from_bytes_be_slice(text.as_bytes())
}

/// A list in Cairo's serialisation: length, then members.
pub(crate) fn span(list: &[Felt]) -> Vec<Felt> {
    let mut out = vec![Felt::from(list.len())];
    out.extend(list);
    out
}

pub(crate) fn join(parts: &[&[Felt]]) -> Vec<Felt> {
    parts.concat()
}

/// The call of an entry point as calldata: address, selector, `[calldata]`.
pub(crate) fn target(to: u128, name: &str, calldata: &[Felt]) -> Vec<Felt> {
    join(&[&[felt(to), selector(name)], &span(calldata)])
}

/// The library call of an entry point as calldata: class hash, selector, `[calldata]`.
pub(crate) fn library(class_hash: ClassHash, name: &str, calldata: &[Felt]) -> Vec<Felt> {
    join(&[&[class_hash.0, selector(name)], &span(calldata)])
}

/// Bounds at twice the block's prices: L1 gas, L1 data gas, L2 gas.
pub(crate) fn bounds(l1: u64, data: u64, l2: u64) -> ValidResourceBounds {
    let bound = |amount, price: u128| ResourceBounds {
        max_amount: GasAmount(amount),
        max_price_per_unit: GasPrice(2 * price),
    };
    ValidResourceBounds::AllResources(AllResourceBounds {
        l1_gas: bound(l1, L1_PRICE),
        l1_data_gas: bound(data, DATA_PRICE),
        l2_gas: bound(l2, L2_PRICE),
    })
}

/// A bound on L1 gas only.
pub(crate) fn l1_bounds(amount: u64) -> ValidResourceBounds {
    ValidResourceBounds::L1Gas(ResourceBounds {
        max_amount: GasAmount(amount),
        max_price_per_unit: GasPrice(2 * L1_PRICE),
    })
}
