//! The call stack: runs a call with all its inner calls, and records the call tree.
//!
//! Input: a call, the transaction's journal, a phase. Output: the [`CallInfo`] tree, or the reason why the
//! call failed. Frames are on the heap: an inner call is a push, never a recursion. Inner calls are reverted
//! here, gas is passed to them, and the measure of each (steps or Sierra gas) is chosen. Knows the VM only as
//! frames that stop, and nothing of fees or kinds of transactions.

mod enter;
mod info;
mod leave;
mod phase;
mod revert;
mod run;
mod stack;
mod summary;
mod unwind;

pub use self::info::{CallInfo, CallTree};
pub use self::revert::{
    Cairo1RevertFrame, Cairo1RevertHeader, Cairo1RevertSummary, EntryPointFrame, ErrorSegment, ErrorStack,
    ErrorStackHeader, FailureCause, FrameKind,
};
pub use self::summary::EventSummary;
pub use crate::syscall::{
    BoundTerms, CallType, EntryPointCall, FeeTerms, OrderedEvent, OrderedMessage, StorageAccesses,
    SyscallUsages, TrackedResource, TransactionInfo,
};
pub use crate::vm::VmLocation;

pub(crate) use self::summary::ExecutionSummary;

pub(crate) use self::phase::{CallFailure, DeployFailure, ExecutionContext, Phase, RootCall};
pub(crate) use self::run::{deploy, execute};
