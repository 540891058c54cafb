//! A journal without its reader: it can be kept, copied, taken to another thread and gone on with.

use super::cells::{Cells, KnownClasses};
use super::undo::UndoLog;
use super::{Journal, StateReader, StopFlag};
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

/// What a journal has read and written so far.
#[derive(Clone)]
pub(crate) struct SuspendedJournal {
    pub(super) storage: Cells<(ContractAddress, StorageKey), Felt>,
    pub(super) nonces: Cells<ContractAddress, Nonce>,
    pub(super) class_hashes: Cells<ContractAddress, ClassHash>,
    pub(super) compiled_class_hashes: Cells<ClassHash, CompiledClassHash>,
    pub(super) classes: KnownClasses,
    pub(super) log: UndoLog,
    pub(super) payer: Option<(ContractAddress, StorageKey)>,
}

impl SuspendedJournal {
    /// Goes on over `reader`, which must answer as the former one did.
    pub(crate) fn resume<'r>(self, reader: &'r dyn StateReader, stop: StopFlag) -> Journal<'r> {
        let Self { storage, nonces, class_hashes, compiled_class_hashes, classes, log, payer } = self;
        Journal { reader, stop, storage, nonces, class_hashes, compiled_class_hashes, classes, log, payer }
    }
}
