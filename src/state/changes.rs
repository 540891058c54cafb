//! The changes between two points of a journal.
//!
//! Input: built by [`Journal`](super::Journal) and [`BlockState`](super::BlockState). Output: counted by
//! `fee`, classified into [`StateDiff`](super::StateDiff), committed to a block. Holds new values only.

use serde::{Deserialize, Serialize};
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::kind::{Tables, felt_kinds, for_each_kind, serialized_tables};
use super::{StateMap, StateSet, ascending};

felt_kinds! { [serialized_tables]
    /// The cells that have a new value ([C189](crate::rules#c189)). A cell that was set back to its old value
    /// is not among them.
    ///
    /// Class hashes are those of deployed and of replaced contracts ([C193](crate::rules#c193)), compiled
    /// class hashes those of declared and of migrated classes.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
    pub struct StateChanges {
        /// Classes that became declared.
        #[serde(serialize_with = "ascending::set")]
        pub declared: StateSet<ClassHash>,
        /// Storage cells that changed from zero to another value ([C157](crate::rules#c157)).
        #[serde(with = "ascending::storage_set")]
        pub allocated: StateSet<(ContractAddress, StorageKey)>,
    }
}

impl StateChanges {
    /// Adds later changes, without cancelling opposite ones: a cell that went 0 -> 1 -> 0 stays, as does its
    /// allocation. Versions before comprehensive state diffs count like this ([C27](crate::rules#c27),
    /// [C158](crate::rules#c158)).
    pub fn merge(&mut self, later: StateChanges) {
        for_each_kind!(Kind => { Tables::<Kind>::table_mut(self).extend(Tables::<Kind>::table(&later)); });
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

    /// Returns `true` if no cell has a new value.
    pub fn is_empty(&self) -> bool {
        let mut is_empty = self.declared.is_empty() && self.allocated.is_empty();
        for_each_kind!(Kind => { is_empty &= Tables::<Kind>::table(self).is_empty(); });
        is_empty
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
    fn serialises_ascending_and_back() {
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
