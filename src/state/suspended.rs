//! A journal without its reader: it can be kept, taken to another thread, gone on with, or taken back to an earlier mark.

use super::cells::{Cells, KnownClasses};
use super::undo::UndoLog;
use super::{Checkpoint, Journal, StateReader, StopFlag};
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

/// What a journal has read and written so far.
pub(crate) struct SuspendedJournal {
    pub(super) storage: Cells<(ContractAddress, StorageKey), Felt>,
    pub(super) nonces: Cells<ContractAddress, Nonce>,
    pub(super) class_hashes: Cells<ContractAddress, ClassHash>,
    pub(super) compiled_class_hashes: Cells<ClassHash, CompiledClassHash>,
    pub(super) classes: KnownClasses,
    pub(super) log: UndoLog,
    pub(super) payer: Option<(ContractAddress, StorageKey)>,
}

/// A moment in a journal's life that it can be taken back to as if nothing had been read since. A checkpoint takes back writes
/// alone, since for the protocol what was read stays read; this is for runs that never were.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    pub(super) checkpoint: Checkpoint,
    /// How many cells of each kind were known.
    pub(super) storage: usize,
    pub(super) nonces: usize,
    pub(super) class_hashes: usize,
    pub(super) compiled_class_hashes: usize,
    pub(super) classes: usize,
}

impl SuspendedJournal {
    /// Goes on over `reader`, which must answer as the former one did.
    pub(crate) fn resume<'r>(self, reader: &'r dyn StateReader, stop: StopFlag) -> Journal<'r> {
        let Self { storage, nonces, class_hashes, compiled_class_hashes, classes, log, payer } = self;
        Journal { reader, stop, storage, nonces, class_hashes, compiled_class_hashes, classes, log, payer }
    }
}

impl Journal<'_> {
    /// What was read and written, without the reader.
    pub(crate) fn suspend(self) -> SuspendedJournal {
        let Self { storage, nonces, class_hashes, compiled_class_hashes, classes, log, payer, .. } = self;
        SuspendedJournal { storage, nonces, class_hashes, compiled_class_hashes, classes, log, payer }
    }

    /// This moment, to be taken back to.
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            checkpoint: self.checkpoint(),
            storage: self.storage.len(),
            nonces: self.nonces.len(),
            class_hashes: self.class_hashes.len(),
            compiled_class_hashes: self.compiled_class_hashes.len(),
            classes: self.classes.len(),
        }
    }

    /// As it was at that moment: what was written since is taken back, what was read since was not read. Classes that
    /// [`take_parts`](Self::take_parts) gave away are asked for again.
    pub(crate) fn taken_back(mut self, mark: &Mark) -> Self {
        self.revert_to(mark.checkpoint);
        self.storage.truncate(mark.storage);
        self.nonces.truncate(mark.nonces);
        self.class_hashes.truncate(mark.class_hashes);
        self.compiled_class_hashes.truncate(mark.compiled_class_hashes);
        self.classes.truncate(mark.classes);
        self
    }
}
