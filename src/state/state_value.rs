//! Cells of all kinds under one key, with their values: what the multi-version memory of parallel execution holds.
//!
//! In: a host's reader, or what a journal changed. Out: values, and the list of a transaction's writes.

use starknet_types_core::felt::Felt;

use super::{JournalParts, ReadError, StateKey, StateReader};
use crate::class::ContractClass;

/// The value of a [`StateKey`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StateValue {
    /// Of a storage cell, a nonce, a class hash or a compiled class hash.
    Felt(Felt),
    /// Of a class.
    Class(Option<ContractClass>),
}

impl StateValue {
    /// Asks the host.
    pub(crate) fn load(reader: &dyn StateReader, cell: StateKey) -> Result<Self, ReadError> {
        match cell {
            StateKey::Storage(address, key) => reader.storage_at(address, key).map(Self::Felt),
            StateKey::Nonce(address) => reader.nonce_at(address).map(|nonce| Self::Felt(nonce.0)),
            StateKey::ClassHash(address) => reader.class_hash_at(address).map(|hash| Self::Felt(hash.0)),
            StateKey::Class(class_hash) => reader.class(class_hash).map(Self::Class),
            StateKey::CompiledClassHash(class_hash) => {
                reader.compiled_class_hash(class_hash).map(|compiled| Self::Felt(compiled.0))
            }
        }
    }

    /// The felt; zero of a class, which has none.
    pub(crate) fn felt(&self) -> Felt {
        match self {
            Self::Felt(felt) => *felt,
            Self::Class(_) => Felt::ZERO,
        }
    }

    /// The class; none of a felt.
    pub(crate) fn class(self) -> Option<ContractClass> {
        match self {
            Self::Felt(_) => None,
            Self::Class(class) => class,
        }
    }
}

impl JournalParts {
    /// The changes as writes to cells.
    ///
    /// A class that was not declared has the compiled class hash 0, whatever the host says (C38). So a declaration that left that
    /// as it was wrote it all the same: who runs the class then must not ask the host.
    pub(crate) fn writes(&self) -> Vec<(StateKey, StateValue)> {
        let Self { changes, initial_reads: reads, classes } = self;
        let unchanged = classes.declared.keys().filter_map(|class_hash| {
            let compiled = reads.compiled_class_hashes.get(class_hash)?;
            let is_changed = changes.compiled_class_hashes.contains_key(class_hash);
            (!is_changed).then_some((StateKey::CompiledClassHash(*class_hash), compiled.0))
        });
        let storage =
            changes.storage.iter().map(|((address, key), value)| (StateKey::Storage(*address, *key), *value));
        let nonces = changes.nonces.iter().map(|(address, nonce)| (StateKey::Nonce(*address), nonce.0));
        let class_hashes =
            changes.class_hashes.iter().map(|(address, hash)| (StateKey::ClassHash(*address), hash.0));
        let compiled = changes
            .compiled_class_hashes
            .iter()
            .map(|(class_hash, compiled)| (StateKey::CompiledClassHash(*class_hash), compiled.0));
        let declared = classes.declared.iter().map(|(class_hash, class)| {
            (StateKey::Class(*class_hash), StateValue::Class(Some(class.clone())))
        });
        storage
            .chain(nonces)
            .chain(class_hashes)
            .chain(compiled)
            .chain(unchanged)
            .map(|(cell, felt)| (cell, StateValue::Felt(felt)))
            .chain(declared)
            .collect()
    }
}
