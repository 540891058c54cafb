//! The undo log of a journal: what each write replaced, in order.
//!
//! In: one entry per write. Out: the entries since a checkpoint, newest first to take them back, oldest first to see what they
//! changed. Does not know the cells themselves, only their positions.

use starknet_api::core::{ClassHash, CompiledClassHash, Nonce};
use starknet_types_core::felt::Felt;

use crate::class::ContractClass;

/// A point in a journal's life. Means nothing to another journal.
///
/// It stands for "no write made after this moment", which stays meaningful even when an older checkpoint was reverted to in the
/// meantime.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// How many writes had ever been made.
    writes: u64,
}

/// The position of a cell and the value it had before a write; of a class, as what it had been declared.
#[derive(Clone)]
pub(super) enum Undo {
    Storage(usize, Felt),
    Nonce(usize, Nonce),
    ClassHash(usize, ClassHash),
    CompiledClassHash(usize, CompiledClassHash),
    Class(usize, Option<ContractClass>),
}

/// The writes that have not been taken back.
#[derive(Clone, Default)]
pub(super) struct UndoLog {
    entries: Vec<Entry>,
    /// How many writes were ever made; never goes back, so that a checkpoint can be told from a later one at the same depth.
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

    /// Takes the newest write out of the log, if it was made after the checkpoint.
    pub(super) fn pop_since(&mut self, checkpoint: Checkpoint) -> Option<Undo> {
        self.entries.pop_if(|entry| entry.number >= checkpoint.writes).map(|entry| entry.undo)
    }

    /// The writes made after the checkpoint, oldest first.
    pub(super) fn since(&self, checkpoint: Checkpoint) -> impl Iterator<Item = &Undo> {
        let start = self.entries.partition_point(|entry| entry.number < checkpoint.writes);
        self.entries.iter().skip(start).map(|entry| &entry.undo)
    }
}
