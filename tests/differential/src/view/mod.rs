//! The visible part of a result, as one tree for both executors: comparing is walking two trees.
//!
//! Input: results of either executor. Output: JSON values with the same names at the same places. Sets and
//! maps are in key order; counts that are zero are left out of maps of counts.

pub mod of_blockifier;
pub mod of_starkiln;

use serde_json::{Map, Value, json};
use starknet_api::execution_resources::GasVector;
use starknet_types_core::felt::Felt;

/// A felt.
pub fn felt(felt: impl Into<Felt>) -> Value {
    Value::String(format!("{:#x}", felt.into()))
}

/// A felt as a key; padded, so that text order is number order.
pub fn key(felt: Felt) -> String {
    format!("{felt:#066x}")
}

/// A list of felts.
pub fn felts<'a>(list: impl IntoIterator<Item = &'a Felt>) -> Value {
    list.into_iter().map(|value| felt(*value)).collect()
}

/// A set of felts, ascending.
pub fn set(values: impl IntoIterator<Item = Felt>) -> Value {
    let mut values: Vec<_> = values.into_iter().collect();
    values.sort_unstable();
    felts(&values)
}

/// A map from felts to felts.
pub fn map(entries: impl IntoIterator<Item = (Felt, Felt)>) -> Value {
    entries.into_iter().map(|(name, value)| (key(name), felt(value))).collect::<Map<_, _>>().into()
}

/// Pairs of felts, ascending. Not a map: two classes with the same code have the same hashes.
pub fn pairs(pairs: impl IntoIterator<Item = (Felt, Felt)>) -> Value {
    let mut pairs: Vec<_> = pairs.into_iter().collect();
    pairs.sort_unstable();
    pairs.iter().map(|(left, right)| felts([left, right])).collect()
}

/// A map of storage cells.
pub fn storage(cells: impl IntoIterator<Item = (Felt, Felt, Felt)>) -> Value {
    let mut contracts: Map<String, Value> = Map::new();
    for (address, cell, value) in cells {
        let contract = contracts.entry(key(address)).or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(cells) = contract {
            cells.insert(key(cell), felt(value));
        }
    }
    contracts.into()
}

/// Counts by name, without the zero ones.
pub fn counts<N: Into<String>>(entries: impl IntoIterator<Item = (N, u64)>) -> Value {
    entries
        .into_iter()
        .filter(|(_, count)| *count != 0)
        .map(|(name, count)| (name.into(), Value::from(count)))
        .collect::<Map<_, _>>()
        .into()
}

/// A gas vector.
pub fn gas(gas: &GasVector) -> Value {
    json!({ "l1_gas": gas.l1_gas.0, "l1_data_gas": gas.l1_data_gas.0, "l2_gas": gas.l2_gas.0 })
}
