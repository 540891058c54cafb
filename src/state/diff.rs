//! The state diff: changes, classified as nodes serve them.
//!
//! Input: [`StateChanges`] and the values from before. Output: the state diff of a transaction or a block,
//! keys ascending.

use std::hash::Hash;

use indexmap::IndexMap;
use serde::{Deserialize, Serialize};
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::{StorageKey, ThinStateDiff};
use starknet_types_core::felt::Felt;

use super::{InitialReads, StateChanges, StateMap, StateSet};

/// A classified state diff. All keys are in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateDiff {
    /// New values of storage cells, by contract.
    pub storage: StateMap<ContractAddress, StateMap<StorageKey, Felt>>,
    /// New nonces.
    pub nonces: StateMap<ContractAddress, Nonce>,
    /// Class hashes of contracts that had none before ([C193](crate::rules#c193)).
    pub deployed: StateMap<ContractAddress, ClassHash>,
    /// Class hashes of contracts that had another one before ([C193](crate::rules#c193)).
    pub replaced: StateMap<ContractAddress, ClassHash>,
    /// Compiled class hashes of classes that had none before.
    pub declared: StateMap<ClassHash, CompiledClassHash>,
    /// Classes that were declared without a compiled class hash: Cairo 0 ([C192](crate::rules#c192)).
    pub deprecated_declared: StateSet<ClassHash>,
    /// Compiled class hashes of classes that had another one before.
    pub migrated: StateMap<ClassHash, CompiledClassHash>,
}

impl StateDiff {
    /// Classifies changes by the values from before, as a journal or a block read them. A value that `before`
    /// does not hold was zero.
    #[doc(hidden)]
    pub fn new(changes: &StateChanges, before: &InitialReads) -> Self {
        Self::classify(
            changes,
            |address| before.class_hashes.get(&address).copied().unwrap_or_default(),
            |class_hash| before.compiled_class_hashes.get(&class_hash).copied().unwrap_or_default(),
        )
    }

    /// Classifies changes by two lookups in the state before them: the class hash of a contract, the compiled
    /// class hash of a class; each is zero if there was none.
    #[doc(hidden)]
    pub fn classify(
        changes: &StateChanges,
        old_class_hash: impl Fn(ContractAddress) -> ClassHash,
        old_compiled_class_hash: impl Fn(ClassHash) -> CompiledClassHash,
    ) -> Self {
        let mut diff = Self::default();
        for (&(address, key), &value) in &changes.storage {
            diff.storage.entry(address).or_default().insert(key, value);
        }
        diff.nonces.extend(&changes.nonces);
        for (&address, &class_hash) in &changes.class_hashes {
            if old_class_hash(address) == ClassHash::default() {
                diff.deployed.insert(address, class_hash);
            } else {
                diff.replaced.insert(address, class_hash);
            }
        }
        for (&class_hash, &compiled) in &changes.compiled_class_hashes {
            if old_compiled_class_hash(class_hash) == CompiledClassHash::default() {
                diff.declared.insert(class_hash, compiled);
            } else {
                diff.migrated.insert(class_hash, compiled);
            }
        }
        let without_compiled = |class_hash: &ClassHash| {
            !changes.compiled_class_hashes.contains_key(class_hash)
                && old_compiled_class_hash(*class_hash) == CompiledClassHash::default()
        };
        let deprecated = changes.declared.iter().filter(|class_hash| without_compiled(class_hash));
        diff.deprecated_declared.extend(deprecated.copied());
        diff.sort();
        diff
    }

    /// Returns `true` if the diff has no entry.
    pub fn is_empty(&self) -> bool {
        self.storage.is_empty()
            && self.nonces.is_empty()
            && self.deployed.is_empty()
            && self.replaced.is_empty()
            && self.declared.is_empty()
            && self.deprecated_declared.is_empty()
            && self.migrated.is_empty()
    }

    pub(crate) fn sort(&mut self) {
        // By digits: a comparison of two felts computes the digits of both.
        self.storage.sort_by_cached_key(|address, _| address.0.to_be_digits());
        for cells in self.storage.values_mut() {
            cells.sort_by_cached_key(|key, _| key.0.to_be_digits());
        }
        self.nonces.sort_by_cached_key(|address, _| address.0.to_be_digits());
        self.deployed.sort_by_cached_key(|address, _| address.0.to_be_digits());
        self.replaced.sort_by_cached_key(|address, _| address.0.to_be_digits());
        self.declared.sort_unstable_keys();
        self.deprecated_declared.sort_unstable();
        self.migrated.sort_unstable_keys();
    }
}

/// The diff as `starknet_api` hashes it: without distinguishing deployed from replaced contracts, or declared
/// from migrated classes.
impl From<&StateDiff> for ThinStateDiff {
    fn from(diff: &StateDiff) -> Self {
        Self {
            deployed_contracts: merged(&diff.deployed, &diff.replaced),
            storage_diffs: diff.storage.iter().map(|(address, cells)| (*address, plain(cells))).collect(),
            class_hash_to_compiled_class_hash: merged(&diff.declared, &diff.migrated),
            deprecated_declared_classes: diff.deprecated_declared.iter().copied().collect(),
            nonces: plain(&diff.nonces),
        }
    }
}

/// The map with the hasher of the standard library.
fn plain<K: Copy + Eq + Hash, V: Copy>(map: &StateMap<K, V>) -> IndexMap<K, V> {
    map.iter().map(|(key, value)| (*key, *value)).collect()
}

fn merged<K: Copy + Ord + Hash, V: Copy>(left: &StateMap<K, V>, right: &StateMap<K, V>) -> IndexMap<K, V> {
    let mut merged: IndexMap<K, V> = left.iter().chain(right).map(|(key, value)| (*key, *value)).collect();
    merged.sort_unstable_keys();
    merged
}

#[cfg(test)]
mod tests {

    use super::*;

    #[test]
    fn changes_are_classified_by_the_values_before() {
        let address = |value: u128| ContractAddress::from(value);
        let class = |value: u64| ClassHash(Felt::from(value));
        let compiled = |value: u64| CompiledClassHash(Felt::from(value));
        let mut changes = StateChanges::default();
        for (contract, key) in [(9_u128, 2_u128), (9, 1), (3, 7)] {
            changes.storage.insert((address(contract), StorageKey::from(key)), Felt::from(key));
        }
        changes.class_hashes.insert(address(9), class(1));
        changes.class_hashes.insert(address(3), class(2));
        changes.compiled_class_hashes.insert(class(20), compiled(20));
        changes.compiled_class_hashes.insert(class(21), compiled(22));
        changes.declared.insert(class(20));
        changes.declared.insert(class(12));
        changes.declared.insert(class(11));
        let mut before = InitialReads::default();
        before.class_hashes.insert(address(9), class(0));
        before.class_hashes.insert(address(3), class(1));
        before.compiled_class_hashes.insert(class(20), compiled(0));
        before.compiled_class_hashes.insert(class(21), compiled(21));

        let diff = StateDiff::new(&changes, &before);
        assert_eq!(diff.storage.keys().copied().collect::<Vec<_>>(), [address(3), address(9)]);
        let keys: Vec<_> = diff.storage[&address(9)].keys().copied().collect();
        assert_eq!(keys, [StorageKey::from(1_u128), StorageKey::from(2_u128)]);
        assert_eq!(diff.deployed, IndexMap::from([(address(9), class(1))]));
        assert_eq!(diff.replaced, IndexMap::from([(address(3), class(2))]));
        assert_eq!(diff.declared, IndexMap::from([(class(20), compiled(20))]));
        assert_eq!(diff.migrated, IndexMap::from([(class(21), compiled(22))]));
        assert_eq!(diff.deprecated_declared.iter().copied().collect::<Vec<_>>(), [class(11), class(12)]);
        assert!(!diff.is_empty() && StateDiff::default().is_empty());

        let text = serde_json::to_string(&diff).unwrap();
        assert_eq!(serde_json::from_str::<StateDiff>(&text).unwrap(), diff);
    }
}
