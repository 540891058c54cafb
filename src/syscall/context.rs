//! The context of a syscall: the environment, transaction, state and call that it works on.
//!
//! Input: filled by the call stack for each syscall. Output: read and changed by the syscall functions. Must
//! not know engines and frames.

use super::codec::Language;
use super::fault::{ExecutionMode, SyscallFault};
use super::record::{EntryPointCall, FrameRecord, GasTracker, PhaseCounters, TrackedResource};
use super::transaction_info::TransactionInfo;
use crate::protocol::BlockEnv;
use crate::state::Journal;

/// The context of a syscall, apart from the memory of its frame.
pub(crate) struct SyscallContext<'a, 'r> {
    /// The block, the chain and the constants.
    pub env: &'a BlockEnv,
    /// The running transaction, or the one that `meta_tx_v0` replaces it with.
    pub transaction: &'a TransactionInfo,
    /// Validation or execution.
    pub mode: ExecutionMode,
    /// The state of the transaction.
    pub state: &'a mut Journal<'r>,
    /// The numbers of events and messages of the phase.
    pub counters: &'a mut PhaseCounters,
    /// The calling frame's call.
    pub call: &'a EntryPointCall,
    /// The language of the frame's code.
    pub language: Language,
    /// The record of the frame.
    pub record: &'a mut FrameRecord,
    /// The resource that the frame is metered in.
    pub tracked: TrackedResource,
    /// The gas that a transaction that fails in this phase has consumed.
    pub gas_tracker: &'a mut GasTracker,
    /// The Sierra gas left to the frame after the price of the syscall. Inner calls and additional charges
    /// are paid from it.
    pub gas: u64,
}

impl SyscallContext<'_, '_> {
    /// Fails during validation, for syscalls that validation may not use (C134).
    pub(super) fn reject_in_validate(&self, name: &'static str) -> Result<(), SyscallFault> {
        match self.mode {
            ExecutionMode::Validate => Err(SyscallFault::Unauthorized { name, mode: self.mode }),
            ExecutionMode::Execute => Ok(()),
        }
    }
}
