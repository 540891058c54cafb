//! The changes between two points of a journal.
//!
//! Input: built by [`Journal`](super::Journal) and [`BlockState`](super::BlockState). Output: counted by `fee`, classified into
//! [`StateDiff`](super::StateDiff), committed to a block. Holds new values only.

use serde::{Deserialize, Serialize};
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::{StateMap, StateSet, ascending};

/// Cells that have a new value (C189). A cell that was set back to its old value is not here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateChanges {
    /// Storage cells.
    #[serde(with = "ascending::storage")]
    pub storage: StateMap<(ContractAddress, StorageKey), Felt>,
    /// Nonces by contract.
    #[serde(serialize_with = "ascending::map")]
    pub nonces: StateMap<ContractAddress, Nonce>,
    /// Class hashes by contract: deployed and replaced ones alike (C193).
    #[serde(serialize_with = "ascending::map")]
    pub class_hashes: StateMap<ContractAddress, ClassHash>,
    /// Compiled class hashes by class: declared and migrated ones alike.
    #[serde(serialize_with = "ascending::map")]
    pub compiled_class_hashes: StateMap<ClassHash, CompiledClassHash>,
    /// Classes that became declared.
    #[serde(serialize_with = "ascending::set")]
    pub declared: StateSet<ClassHash>,
    /// Storage cells that went from zero to something (C157).
    #[serde(with = "ascending::storage_set")]
    pub allocated: StateSet<(ContractAddress, StorageKey)>,
}

impl StateChanges {
    /// Adds changes that came later, without cancelling opposite ones: a cell that went 0 -> 1 -> 0 stays, as does its
    /// allocation. This is how versions before comprehensive state diffs count (C27, C158).
    pub fn merge(&mut self, later: StateChanges) {
        self.storage.extend(later.storage);
        self.nonces.extend(later.nonces);
        self.class_hashes.extend(later.class_hashes);
        self.compiled_class_hashes.extend(later.compiled_class_hashes);
        self.declared.extend(later.declared);
        self.allocated.extend(later.allocated);
    }

    /// The contracts with a changed storage cell, nonce or class hash.
    pub fn modified_contracts(&self) -> StateSet<ContractAddress> {
        let mut modified: StateSet<_> = self.storage.keys().map(|(address, _)| *address).collect();
        modified.extend(self.nonces.keys());
        modified.extend(self.class_hashes.keys());
        modified
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.storage.is_empty()
            && self.nonces.is_empty()
            && self.class_hashes.is_empty()
            && self.compiled_class_hashes.is_empty()
            && self.declared.is_empty()
            && self.allocated.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(value: u128) -> ContractAddress {
        ContractAddress::from(value)
    }

    fn key(value: u128) -> StorageKey {
        StorageKey::from(value)
    }

    #[test]
    fn merging_does_not_cancel() {
        let cell = (address(1), key(1));
        let mut first = StateChanges::default();
        first.storage.insert(cell, Felt::ONE);
        first.allocated.insert(cell);
        let mut second = StateChanges::default();
        second.storage.insert(cell, Felt::ZERO);
        first.merge(second);
        assert_eq!(first.storage.get(&cell), Some(&Felt::ZERO));
        assert!(first.allocated.contains(&cell));
    }

    #[test]
    fn written_down_ascending_and_read_back() {
        let mut changes = StateChanges::default();
        for value in [30, 10, 20_u128] {
            changes.storage.insert((address(value), key(value)), Felt::from(value));
            changes.allocated.insert((address(value), key(value)));
            changes.nonces.insert(address(value), Nonce(Felt::from(value)));
            changes.declared.insert(ClassHash(Felt::from(value)));
        }
        let text = serde_json::to_string(&changes).unwrap();
        let position = |part: &str| text.find(part).unwrap();
        assert!(
            position("\"0xa\"") < position("\"0x14\"") && position("\"0x14\"") < position("\"0x1e\""),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<StateChanges>(&text).unwrap(), changes);
    }
}
