//! All that a transaction, or a block, touched: its tables, and what is made of them.
//!
//! In: cells as they were read and written. Out: what changed, what was read. Knows neither readers nor logs.

use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::cells::{Cells, KnownClasses};
use super::{InitialReads, StateChanges, StateDiff, StateKey, StateMap, StateSet, StateValue};

/// Cells of all kinds, and classes.
#[derive(Clone, Default)]
pub(super) struct Touched {
    pub(super) storage: Cells<(ContractAddress, StorageKey), Felt>,
    pub(super) nonces: Cells<ContractAddress, Nonce>,
    pub(super) class_hashes: Cells<ContractAddress, ClassHash>,
    pub(super) compiled_class_hashes: Cells<ClassHash, CompiledClassHash>,
    pub(super) classes: KnownClasses,
}

impl Touched {
    /// What is different from the beginning. A cell that went A -> B -> A is not part of it (C194).
    pub(super) fn changes(&self) -> StateChanges {
        let storage = &self.storage;
        StateChanges {
            storage: storage.changed_to(),
            nonces: self.nonces.changed_to(),
            class_hashes: self.class_hashes.changed_to(),
            compiled_class_hashes: self.compiled_class_hashes.changed_to(),
            declared: self.newly_declared(),
            allocated: storage
                .changed()
                .filter(|(_, initial, _)| *initial == Felt::ZERO)
                .map(|(cell, ..)| cell)
                .collect(),
        }
    }

    /// The changes as writes to cells; those of [`JournalParts::writes`](super::JournalParts::writes).
    pub(super) fn writes(&self) -> Vec<(StateKey, StateValue)> {
        let Touched { storage, nonces, class_hashes, compiled_class_hashes, classes } = self;
        let storage =
            storage.changed().map(|((address, key), _, now)| (StateKey::Storage(address, key), now));
        let nonces = nonces.changed().map(|(address, _, now)| (StateKey::Nonce(address), now.0));
        let class_hashes =
            class_hashes.changed().map(|(address, _, now)| (StateKey::ClassHash(address), now.0));
        let compiled = compiled_class_hashes
            .changed()
            .map(|(class_hash, _, now)| (StateKey::CompiledClassHash(class_hash), now.0));
        let felts = storage.chain(nonces).chain(class_hashes).chain(compiled);
        let mut writes: Vec<_> = felts.map(|(cell, felt)| (cell, StateValue::Felt(felt))).collect();
        for (class_hash, known) in classes {
            let Some(class) = known.declared.as_ref().filter(|_| known.newly_declared()) else { continue };
            writes.push((StateKey::Class(*class_hash), StateValue::Class(Some(class.clone()))));
            if let Some((before, now)) = compiled_class_hashes.versions_of(class_hash)
                && before == now
            {
                writes.push((StateKey::CompiledClassHash(*class_hash), StateValue::Felt(now.0)));
            }
        }
        writes
    }

    /// Classes that became declared.
    pub(super) fn newly_declared(&self) -> StateSet<ClassHash> {
        let declared = self.classes.iter().filter(|(_, known)| known.newly_declared());
        declared.map(|(class_hash, _)| *class_hash).collect()
    }

    /// Changes, classified against the beginning.
    pub(super) fn classified(&self, changes: &StateChanges) -> StateDiff {
        StateDiff::classify(
            changes,
            |address| self.class_hashes.initial_of(&address).unwrap_or_default(),
            |class_hash| self.compiled_class_hashes.initial_of(&class_hash).unwrap_or_default(),
        )
    }

    /// Every cell that was read, with its value at the beginning.
    pub(super) fn initial_reads(&self) -> InitialReads {
        InitialReads {
            storage: self.storage.initial().clone(),
            nonces: self.nonces.initial().clone(),
            class_hashes: self.class_hashes.initial().clone(),
            compiled_class_hashes: self.compiled_class_hashes.initial().clone(),
            declared: self.initially_declared(),
        }
    }

    /// As [`initial_reads`](Self::initial_reads), where nothing else is needed any more.
    pub(super) fn into_initial_reads(self) -> InitialReads {
        let declared = self.initially_declared();
        InitialReads {
            storage: self.storage.into_initial(),
            nonces: self.nonces.into_initial(),
            class_hashes: self.class_hashes.into_initial(),
            compiled_class_hashes: self.compiled_class_hashes.into_initial(),
            declared,
        }
    }

    /// The answers to "was it declared?" that were given from below.
    fn initially_declared(&self) -> StateMap<ClassHash, bool> {
        self.classes.iter().filter_map(|(class_hash, known)| Some((*class_hash, known.initial?))).collect()
    }
}
