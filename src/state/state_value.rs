//! The values of state cells of all kinds, and the write set of a transaction, as the multi-version memory of
//! parallel execution holds them.
//!
//! Input: a host's reader, or the changes of a journal. Output: values and writes.

use starknet_api::core::{ClassHash, CompiledClassHash};
use starknet_types_core::felt::Felt;

use super::kind::{FeltKind, FeltValue, Tables, for_each_kind, match_kind};
use super::{JournalParts, ReadError, StateKey, StateReader};
use crate::class::ContractClass;

/// The value of a [`StateKey`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StateValue {
    /// The value of a storage cell, a nonce, a class hash or a compiled class hash.
    Felt(Felt),
    /// The class, `None` if it is not declared.
    Class(Option<ContractClass>),
}

impl StateValue {
    /// Reads a cell from `reader`.
    pub(crate) fn load(reader: &dyn StateReader, cell: StateKey) -> Result<Self, ReadError> {
        match_kind!(cell,
            Kind(key) => Kind::load(reader, key).map(|value| Self::Felt(value.felt())),
            Class(class_hash) => reader.class(class_hash).map(Self::Class)
        )
    }

    /// The felt; zero for a class.
    pub(crate) fn felt(&self) -> Felt {
        match self {
            Self::Felt(felt) => *felt,
            Self::Class(_) => Felt::ZERO,
        }
    }

    /// The class; `None` for a felt.
    pub(crate) fn class(self) -> Option<ContractClass> {
        match self {
            Self::Felt(_) => None,
            Self::Class(class) => class,
        }
    }
}

impl JournalParts {
    /// The changes as writes to cells.
    pub(crate) fn writes(&self) -> Vec<(StateKey, StateValue)> {
        let Self { changes, initial_reads, classes } = self;
        let mut writes = Vec::new();
        for_each_kind!(Kind => {
            let changes = Tables::<Kind>::table(changes).iter();
            writes.extend(
                changes.map(|(key, value)| (Kind::state_key(*key), StateValue::Felt(value.felt()))),
            );
        });
        let declared = classes.declared.iter().map(|(class_hash, class)| (*class_hash, class));
        push_declarations(&mut writes, declared, |class_hash| {
            let is_changed = changes.compiled_class_hashes.contains_key(class_hash);
            initial_reads.compiled_class_hashes.get(class_hash).copied().filter(|_| !is_changed)
        });
        writes
    }
}

/// Adds declared classes to `writes`. `unchanged` is the compiled class hash of a class, if it was read and
/// not changed.
///
/// A class that is not declared has the compiled class hash 0, whatever the host says (C38). So a declaration
/// that leaves it unchanged (Cairo 0) still writes it: later transactions must not read it from the host.
pub(super) fn push_declarations<'a>(
    writes: &mut Vec<(StateKey, StateValue)>,
    declared: impl Iterator<Item = (ClassHash, &'a ContractClass)>,
    unchanged: impl Fn(&ClassHash) -> Option<CompiledClassHash>,
) {
    for (class_hash, class) in declared {
        writes.push((StateKey::Class(class_hash), StateValue::Class(Some(class.clone()))));
        if let Some(compiled) = unchanged(&class_hash) {
            writes.push((StateKey::CompiledClassHash(class_hash), StateValue::Felt(compiled.0)));
        }
    }
}
