//! How maps of cells are written down: keys ascending, storage nested by contract, whatever order they were filled in.
//!
//! In: `serde` attributes on public data. Out: the same bytes for the same content (design law 2).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use starknet_api::core::ContractAddress;
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::{StateMap, StateSet};

/// For `serialize_with`: a map with ascending keys.
pub(super) fn map<K: Ord + Serialize, V: Serialize, S: Serializer>(
    cells: &StateMap<K, V>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_map(cells.iter().collect::<BTreeMap<_, _>>())
}

/// For `serialize_with`: a set, ascending.
pub(crate) fn set<K: Ord + Serialize, S: Serializer>(
    cells: &StateSet<K>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(cells.iter().collect::<BTreeSet<_>>())
}

/// For `with`: storage cells as contract -> key -> value.
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

/// For `with`: a set of storage cells as contract -> keys.
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
