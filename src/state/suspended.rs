//! A journal without its reader: it can be kept, taken to another thread, gone on with, or taken back to an earlier mark.

use starknet_api::core::ContractAddress;
use starknet_api::state::StorageKey;

use super::touched::Touched;
use super::undo::UndoLog;
use super::{Checkpoint, Journal, StateKey, StateReader, StateValue, StopFlag};

/// What a journal has read and written so far. In a box: a journal goes through many hands.
#[derive(Default)]
pub(crate) struct JournalState {
    pub(super) touched: Touched,
    pub(super) log: UndoLog,
    /// The address that [`Journal::derived_key`] was last called for, and its key.
    pub(super) derived_key: Option<(ContractAddress, StorageKey)>,
}

/// A moment in a journal's life that it can be taken back to as if nothing had been read since. A checkpoint takes back writes
/// alone, since for the protocol what was read stays read; this is for runs that never were.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RollbackPoint {
    pub(super) checkpoint: Checkpoint,
    /// How many cells of each kind were known.
    pub(super) storage: usize,
    pub(super) nonces: usize,
    pub(super) class_hashes: usize,
    pub(super) compiled_class_hashes: usize,
    pub(super) classes: usize,
}

impl JournalState {
    /// Goes on over `reader`, which must answer as the former one did.
    pub(crate) fn resume<'r>(self: Box<Self>, reader: &'r dyn StateReader, stop: StopFlag) -> Journal<'r> {
        Journal { reader, stop, state: self }
    }

    /// What is different from the beginning, as writes to cells: those that [`writes`](super::JournalParts::writes) makes of its parts.
    pub(crate) fn writes(&self) -> Vec<(StateKey, StateValue)> {
        self.touched.writes()
    }
}

impl Journal<'_> {
    /// What was read and written, without the reader.
    pub(crate) fn suspend(self) -> Box<JournalState> {
        self.state
    }

    /// This moment, to be taken back to.
    pub(crate) fn rollback_point(&self) -> RollbackPoint {
        let touched = &self.state.touched;
        RollbackPoint {
            checkpoint: self.checkpoint(),
            storage: touched.storage.len(),
            nonces: touched.nonces.len(),
            class_hashes: touched.class_hashes.len(),
            compiled_class_hashes: touched.compiled_class_hashes.len(),
            classes: touched.classes.len(),
        }
    }

    /// Goes back to that moment: what was written since is taken back, what was read since was not read. Classes that
    /// [`snapshot`](Self::snapshot) gave away are asked for again.
    pub(crate) fn rollback_to(&mut self, mark: &RollbackPoint) {
        self.revert_to(mark.checkpoint);
        let touched = &mut self.state.touched;
        touched.storage.truncate(mark.storage);
        touched.nonces.truncate(mark.nonces);
        touched.class_hashes.truncate(mark.class_hashes);
        touched.compiled_class_hashes.truncate(mark.compiled_class_hashes);
        touched.classes.truncate(mark.classes);
    }
}
