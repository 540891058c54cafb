//! The call stack: runs a call with all its inner calls, and remembers the tree.
//!
//! In: a call, the transaction's journal, a phase. Out: the [`CallInfo`] tree, or why it failed. Frames lie on the heap: an
//! inner call is a push, never a recursion. Here inner calls are reverted, gas is handed over, steps and gas told apart. It knows
//! the engine only as frames that stop, and nothing of fees or of kinds of transactions.

mod enter;
mod info;
mod leave;
mod phase;
mod revert;
mod stack;
mod summary;
mod unwind;

pub use self::info::{CallInfo, CallTree};
pub(crate) use self::phase::{
    CallFailure, DeployFailure, ExecutionContext, Phase, RootCall, deploy, execute,
};
pub use self::revert::{
    Cairo1RevertFrame, Cairo1RevertHeader, Cairo1RevertSummary, EntryPointFrame, ErrorSegment, ErrorStack,
    ErrorStackHeader, FailureCause, FrameKind,
};
pub use crate::vm::VmLocation;

pub use self::summary::{EventSummary, ExecutionSummary};
