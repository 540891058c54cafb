//! Syscalls: the requests of contracts to the OS, and their meaning.
//!
//! Input: a frame stopped at a syscall (its memory and syscall pointer), and the context of the call. Output:
//! a response in the memory of the frame, or a call that the call stack must make first, or a fault that ends
//! the phase.
//!
//! `table` has one row per syscall; `request` the typed requests and their layout in both languages; `abi`
//! the calling conventions of the two languages, including gas; all other files the meaning, written once.
//! Must not know: types of an engine, frames, the call stack.

mod abi;
mod block;
mod calls;
mod class;
mod codec;
mod context;
mod dispatch;
mod effect;
mod emit;
mod execution_info;
mod fault;
mod keccak;
mod memory;
mod record;
mod request;
mod secp;
mod secp_points;
mod sha2;
mod storage;
mod table;
mod transaction_info;

pub use self::codec::Language;
pub use self::fault::{EventFault, ExecutionMode, SyscallFault};
pub use self::memory::{MemoryFault, Pointer, SyscallMemory, Value};
pub use self::record::{
    CallType, EntryPointCall, FrameRecord, GasTracker, OrderedEvent, OrderedMessage, PhaseCounters,
    StorageAccesses, SyscallUsages, TrackedResource,
};
pub use self::transaction_info::{BoundTerms, FeeTerms, TransactionInfo};

pub(crate) use self::abi::{Dispatched, InnerCallResult, PendingCall, resume_with};
pub(crate) use self::context::SyscallContext;
pub(crate) use self::dispatch::dispatch;
pub(crate) use self::effect::{InnerCall, UnresolvedCall};
