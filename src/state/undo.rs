//! The undo log of a journal: the values that writes replaced, in order.
//!
//! Input: one entry per write. Output: the entries since a checkpoint, newest first to revert them, oldest
//! first to see what they changed. Does not know the cells themselves, only their positions.

use starknet_api::core::{ClassHash, CompiledClassHash, Nonce};
use starknet_types_core::felt::Felt;

use super::kind::felt_kinds;
use crate::class::ContractClass;

/// A point in the life of one journal; has no meaning to another journal.
///
/// It means "no write after this point", and stays valid when an older checkpoint is reverted to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// The number of writes ever made.
    writes: u64,
}

macro_rules! undo_entries {
    (()
        $({ #[$doc:meta] #[$serde:meta] $kind:ident($($part:ident: $type:ty),*) = $key:tt: $key_type:ty
            => $value:ty, $field:ident, $read:ident })*
    ) => {
        /// The position of a cell in its table and the value before a write; of a class, its earlier
        /// declaration.
        #[derive(Clone)]
        pub(crate) enum Undo {
            $($kind(usize, $value),)*
            Class(usize, Option<ContractClass>),
        }
    };
}

felt_kinds! { [undo_entries] }

/// The writes that were not reverted.
#[derive(Clone, Default)]
pub(super) struct UndoLog {
    entries: Vec<Entry>,
    /// The number of writes ever made. Never decreases: checkpoints at the same depth stay distinct.
    writes: u64,
}

#[derive(Clone)]
struct Entry {
    /// The value of `UndoLog::writes` before the write; ascending along the log.
    number: u64,
    undo: Undo,
}

impl UndoLog {
    pub(super) fn push(&mut self, undo: Undo) {
        self.entries.push(Entry { number: self.writes, undo });
        // 2^64 writes cannot be made.
        self.writes = self.writes.saturating_add(1);
    }

    pub(super) fn checkpoint(&self) -> Checkpoint {
        Checkpoint { writes: self.writes }
    }

    /// Removes the newest write, if it was made after the checkpoint.
    pub(super) fn pop_since(&mut self, checkpoint: Checkpoint) -> Option<Undo> {
        self.entries.pop_if(|entry| entry.number >= checkpoint.writes).map(|entry| entry.undo)
    }

    /// The writes made after the checkpoint, oldest first.
    pub(super) fn since(&self, checkpoint: Checkpoint) -> impl Iterator<Item = &Undo> {
        let start = self.entries.partition_point(|entry| entry.number < checkpoint.writes);
        self.entries.iter().skip(start).map(|entry| &entry.undo)
    }
}
