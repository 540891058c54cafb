//! A journal without its reader: it can be kept, moved to another thread, resumed over another reader, or
//! rolled back.

use starknet_api::core::ContractAddress;
use starknet_api::state::StorageKey;

use super::touched::{TableLengths, TouchedCells};
use super::undo::UndoLog;
use super::{Checkpoint, Journal, StateKey, StateReader, StateValue, StopFlag};

/// The reads and writes of a journal. Kept in a `Box`, because it is moved often.
#[derive(Default)]
pub(crate) struct JournalState {
    pub(super) touched: TouchedCells,
    pub(super) log: UndoLog,
    /// The address that [`Journal::derived_key`] was last called for, and its key.
    pub(super) derived_key: Option<(ContractAddress, StorageKey)>,
}

/// A point to which a journal can be rolled back with its reads. Reverting to a [`Checkpoint`] keeps the
/// reads, as the protocol demands (C101); this is for executions that are aborted and leave no trace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RollbackPoint {
    checkpoint: Checkpoint,
    lengths: TableLengths,
}

impl JournalState {
    /// A journal over `reader`, which must give the values that the former reader gave.
    pub(crate) fn resume<'r>(self: Box<Self>, reader: &'r dyn StateReader, stop: StopFlag) -> Journal<'r> {
        Journal { reader, stop, state: self }
    }

    /// The changes as writes to cells; the same as [`JournalParts::writes`](super::JournalParts::writes).
    pub(crate) fn writes(&self) -> Vec<(StateKey, StateValue)> {
        self.touched.writes()
    }
}

impl Journal<'_> {
    /// The reads and writes, without the reader.
    pub(crate) fn suspend(self) -> Box<JournalState> {
        self.state
    }

    /// The point that the journal is at.
    pub(crate) fn rollback_point(&self) -> RollbackPoint {
        RollbackPoint { checkpoint: self.checkpoint(), lengths: self.state.touched.lengths() }
    }

    /// Reverts the writes since that point and forgets the reads since. Classes that
    /// [`snapshot`](Self::snapshot) took are loaded again when they are next needed.
    pub(crate) fn rollback_to(&mut self, point: &RollbackPoint) {
        self.revert_to(point.checkpoint);
        self.state.touched.truncate(&point.lengths);
    }
}
