//! The frames of a phase, and the calls for which they wait.
//!
//! Data only: `enter`, `leave` and `run` work on it.

use std::sync::Arc;

use starknet_api::core::ContractAddress;

use super::phase::Phase;
use super::{CallInfo, EntryPointFrame};
use crate::state::{Checkpoint, Journal};
use crate::syscall::{
    EntryPointCall, FrameRecord, PendingCall, PhaseCounters, TrackedResource, TransactionInfo,
};
use crate::vm::Frame;

/// A frame that runs or waits, with the record of its call.
pub(super) struct Level {
    pub call: EntryPointCall,
    pub tracked: TrackedResource,
    pub frame: Frame,
    pub record: FrameRecord,
    pub inner_calls: Vec<CallInfo>,
    /// The inner call for which the frame waits; `Some` exactly while there is a level above it.
    pub pending: Option<Pending>,
}

/// An inner call for which a frame waits.
pub(super) struct Pending {
    pub frame: EntryPointFrame,
    pub waiting: PendingCall,
    /// The state, the events and the messages before the call, restored if it fails.
    pub checkpoint: Checkpoint,
    pub counters: PhaseCounters,
    pub response: ResponseKind,
}

/// The kinds of inner calls, by the response to the caller.
pub(super) enum ResponseKind {
    /// The return data.
    Call,
    /// The address of the new contract, and the return data of its constructor.
    Deploy(ContractAddress),
    /// The return data; the transaction that contracts see becomes this one again.
    Meta(Arc<TransactionInfo>),
}

/// The call stack of a phase; the innermost frame is the last.
pub(super) struct CallStack<'a, 'p, 'r> {
    pub(super) journal: &'a mut Journal<'r>,
    pub(super) phase: &'a mut Phase<'p>,
    pub(super) frames: Vec<Level>,
}
