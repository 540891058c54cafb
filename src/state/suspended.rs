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
    /// The account whose balance was asked for last, with its cell: that is the payer, again and again.
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

impl JournalState {
    /// Goes on over `reader`, which must answer as the former one did.
    pub(crate) fn resume<'r>(self: Box<Self>, reader: &'r dyn StateReader, stop: StopFlag) -> Journal<'r> {
        Journal { reader, stop, so_far: self }
    }

    /// What is different from the beginning, as writes to cells: those that [`writes`](super::writes) makes of its parts.
    pub(crate) fn writes(&self) -> Vec<(StateKey, StateValue)> {
        let Touched { storage, nonces, class_hashes, compiled_class_hashes, classes } = &self.touched;
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
}

impl Journal<'_> {
    /// What was read and written, without the reader.
    pub(crate) fn suspend(self) -> Box<JournalState> {
        self.so_far
    }

    /// This moment, to be taken back to.
    pub(crate) fn mark(&self) -> Mark {
        let touched = &self.so_far.touched;
        Mark {
            checkpoint: self.checkpoint(),
            storage: touched.storage.len(),
            nonces: touched.nonces.len(),
            class_hashes: touched.class_hashes.len(),
            compiled_class_hashes: touched.compiled_class_hashes.len(),
            classes: touched.classes.len(),
        }
    }

    /// Goes back to that moment: what was written since is taken back, what was read since was not read. Classes that
    /// [`copy_parts`](Self::copy_parts) gave away are asked for again.
    pub(crate) fn take_back(&mut self, mark: &Mark) {
        self.revert_to(mark.checkpoint);
        let touched = &mut self.so_far.touched;
        touched.storage.truncate(mark.storage);
        touched.nonces.truncate(mark.nonces);
        touched.class_hashes.truncate(mark.class_hashes);
        touched.compiled_class_hashes.truncate(mark.compiled_class_hashes);
        touched.classes.truncate(mark.classes);
    }
}
