//! The cells that a transaction, or a block, has touched: a table per kind, and their changes, reads and
//! diff.
//!
//! Input: cells as they were read and written. Output: changes, reads, classes. Knows neither readers nor
//! undo logs.

use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::cells::{Cells, KnownClass};
use super::kind::{FeltKind, FeltValue, Tables, cell, felt_kinds, for_each_kind, plain_tables};
use super::state_value::push_declarations;
use super::undo::Undo;
use super::{InitialReads, StateChanges, StateDiff, StateKey, StateMap, StateSet, StateValue};
use crate::class::ContractClass;

felt_kinds! { [plain_tables]
    /// Cells of all kinds, and classes.
    #[derive(Clone, Default)]
    pub(crate) struct TouchedCells: Cells {
        /// Classes.
        pub(super) classes: StateMap<ClassHash, KnownClass>,
    }
}

/// A kind of cell with its table, for code that is generic over kinds.
pub(crate) trait TouchedKind: FeltKind {
    fn cells(touched: &TouchedCells) -> &Cells<Self::Key, Self::Value>;
    fn cells_mut(touched: &mut TouchedCells) -> &mut Cells<Self::Key, Self::Value>;

    /// The undo entry of a write to the cell at `position` that replaced `old`.
    fn undo(position: usize, old: Self::Value) -> Undo;

    /// Position and old value, if the entry is of this kind.
    fn undone(undo: &Undo) -> Option<(usize, Self::Value)>;
}

macro_rules! touched_kinds {
    (()
        $({ #[$doc:meta] #[$serde:meta] $kind:ident($($part:ident: $type:ty),*) = $key:tt: $key_type:ty
            => $value:ty, $field:ident, $read:ident })*
    ) => {
        $(impl TouchedKind for cell::$kind {
            fn cells(touched: &TouchedCells) -> &Cells<Self::Key, Self::Value> {
                &touched.$field
            }

            fn cells_mut(touched: &mut TouchedCells) -> &mut Cells<Self::Key, Self::Value> {
                &mut touched.$field
            }

            fn undo(position: usize, old: Self::Value) -> Undo {
                Undo::$kind(position, old)
            }

            fn undone(undo: &Undo) -> Option<(usize, Self::Value)> {
                match undo {
                    Undo::$kind(position, old) => Some((*position, *old)),
                    _ => None,
                }
            }
        })*

        impl TouchedCells {
            /// Reverts a write.
            pub(super) fn revert(&mut self, undo: Undo) {
                match undo {
                    $(Undo::$kind(position, value) => self.$field.set_at(position, value),)*
                    Undo::Class(position, declared) => {
                        if let Some((_, known)) = self.classes.get_index_mut(position) {
                            known.declared = declared;
                        }
                    }
                }
            }
        }
    };
}

felt_kinds! { [touched_kinds] }

macro_rules! table_lengths {
    (()
        $({ #[$doc:meta] #[$serde:meta] $kind:ident($($part:ident: $type:ty),*) = $key:tt: $key_type:ty
            => $value:ty, $field:ident, $read:ident })*
    ) => {
        /// The number of cells in each table.
        #[derive(Clone, Copy, Debug)]
        pub(super) struct TableLengths {
            $($field: usize,)*
            classes: usize,
        }

        impl TouchedCells {
            pub(super) fn lengths(&self) -> TableLengths {
                TableLengths { $($field: self.$field.len(),)* classes: self.classes.len() }
            }

            /// Forgets the cells after these lengths.
            pub(super) fn truncate(&mut self, lengths: &TableLengths) {
                $(self.$field.truncate(lengths.$field);)*
                self.classes.truncate(lengths.classes);
            }
        }
    };
}

felt_kinds! { [table_lengths] }

impl TouchedCells {
    /// Records values from before; of a cell that was touched earlier, the first one stays.
    pub(super) fn record_reads(&mut self, reads: &InitialReads) {
        for_each_kind!(Kind => {
            let cells = Kind::cells_mut(self);
            Tables::<Kind>::table(reads).iter().for_each(|(key, value)| cells.record_initial(*key, *value));
        });
        for (class_hash, declared) in &reads.declared {
            let known = self.classes.entry(*class_hash).or_default();
            if known.declared.is_none() {
                known.initial.get_or_insert(*declared);
            }
        }
    }

    /// Keeps loaded classes, so that they are not loaded again; those that are declared here were never
    /// loaded.
    pub(super) fn record_loaded(&mut self, loaded: StateMap<ClassHash, ContractClass>) {
        for (class_hash, class) in loaded {
            if let Some(known) = self.classes.get_mut(&class_hash)
                && known.initial == Some(true)
            {
                known.loaded.get_or_insert(class);
            }
        }
    }

    /// The class as it is now, `None` if it is not declared; the outer `None` if it was not read.
    pub(super) fn visible_class(&self, class_hash: ClassHash) -> Option<Option<&ContractClass>> {
        self.classes.get(&class_hash).and_then(|known| known.visible())
    }

    /// The cells with a new value. A cell that went A -> B -> A is not part of them (C194).
    pub(super) fn changes(&self) -> StateChanges {
        let mut changes = StateChanges { declared: self.newly_declared(), ..StateChanges::default() };
        for_each_kind!(Kind => {
            *Tables::<Kind>::table_mut(&mut changes) = Kind::cells(self).changed_to();
        });
        let from_zero = self.storage.changed().filter(|(_, initial, _)| *initial == Felt::ZERO);
        changes.allocated = from_zero.map(|(cell, ..)| cell).collect();
        changes
    }

    /// The changes as writes to cells.
    pub(super) fn writes(&self) -> Vec<(StateKey, StateValue)> {
        let mut writes = Vec::new();
        for_each_kind!(Kind => {
            let changed = Kind::cells(self).changed();
            writes.extend(
                changed.map(|(key, _, now)| (Kind::state_key(key), StateValue::Felt(now.felt()))),
            );
        });
        let declared = self.classes.iter().filter(|(_, known)| known.newly_declared());
        let declared =
            declared.filter_map(|(class_hash, known)| Some((*class_hash, known.declared.as_ref()?)));
        push_declarations(&mut writes, declared, |class_hash| {
            let (before, now) = self.compiled_class_hashes.versions_of(class_hash)?;
            (before == now).then_some(now)
        });
        writes
    }

    /// The classes that became declared.
    pub(super) fn newly_declared(&self) -> StateSet<ClassHash> {
        let declared = self.classes.iter().filter(|(_, known)| known.newly_declared());
        declared.map(|(class_hash, _)| *class_hash).collect()
    }

    /// Classifies changes against the values from before.
    pub(super) fn classified(&self, changes: &StateChanges) -> StateDiff {
        StateDiff::classify(
            changes,
            |address| self.class_hashes.initial_of(&address).unwrap_or_default(),
            |class_hash| self.compiled_class_hashes.initial_of(&class_hash).unwrap_or_default(),
        )
    }

    /// The cells that were read, with their value from before.
    pub(super) fn initial_reads(&self) -> InitialReads {
        let mut reads = InitialReads { declared: self.initially_declared(), ..InitialReads::default() };
        for_each_kind!(Kind => {
            Tables::<Kind>::table_mut(&mut reads).clone_from(Kind::cells(self).initial());
        });
        reads
    }

    /// The same, without copying.
    pub(super) fn into_initial_reads(mut self) -> InitialReads {
        let mut reads = InitialReads { declared: self.initially_declared(), ..InitialReads::default() };
        for_each_kind!(Kind => {
            *Tables::<Kind>::table_mut(&mut reads) = std::mem::take(Kind::cells_mut(&mut self)).into_initial();
        });
        reads
    }

    /// The classes that were looked up before they were declared here, with the answer.
    fn initially_declared(&self) -> StateMap<ClassHash, bool> {
        self.classes.iter().filter_map(|(class_hash, known)| Some((*class_hash, known.initial?))).collect()
    }
}
