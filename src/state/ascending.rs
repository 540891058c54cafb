//! Serialisation of maps of cells: keys ascending, storage nested by contract, independent of insertion
//! order.
//!
//! Input: `serde` attributes on public data. Output: the same bytes for the same content.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use starknet_api::core::ContractAddress;
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::{StateMap, StateSet};

/// Serialises a map with ascending keys; for `serialize_with`.
pub(super) fn map<K: Ord + Serialize, V: Serialize, S: Serializer>(
    cells: &StateMap<K, V>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(cells.iter().collect::<BTreeMap<_, _>>())
}

/// Serialises a set in ascending order; for `serialize_with`.
pub(crate) fn set<K: Ord + Serialize, S: Serializer>(
    cells: &StateSet<K>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(cells.iter().collect::<BTreeSet<_>>())
}

/// Storage cells as contract -> key -> value; for `with`.
pub(super) mod storage {
    use super::*;

    pub(in crate::state) fn serialize<S: Serializer>(
        cells: &StateMap<(ContractAddress, StorageKey), Felt>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut nested = BTreeMap::<_, BTreeMap<_, _>>::new();
        for ((address, key), value) in cells {
            nested.entry(address).or_default().insert(key, value);
        }
        nested.serialize(serializer)
    }

    pub(in crate::state) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<StateMap<(ContractAddress, StorageKey), Felt>, D::Error> {
        let nested = BTreeMap::<ContractAddress, BTreeMap<StorageKey, Felt>>::deserialize(deserializer)?;
        Ok(nested
            .into_iter()
            .flat_map(|(address, cells)| cells.into_iter().map(move |(key, value)| ((address, key), value)))
            .collect())
    }
}

/// A set of storage cells as contract -> keys; for `with`.
pub(super) mod storage_set {
    use super::*;

    pub(in crate::state) fn serialize<S: Serializer>(
        cells: &StateSet<(ContractAddress, StorageKey)>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut nested = BTreeMap::<_, BTreeSet<_>>::new();
        for (address, key) in cells {
            nested.entry(address).or_default().insert(key);
        }
        nested.serialize(serializer)
    }

    pub(in crate::state) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<StateSet<(ContractAddress, StorageKey)>, D::Error> {
        let nested = BTreeMap::<ContractAddress, BTreeSet<StorageKey>>::deserialize(deserializer)?;
        Ok(nested
            .into_iter()
            .flat_map(|(address, keys)| keys.into_iter().map(move |key| (address, key)))
            .collect())
    }
}
