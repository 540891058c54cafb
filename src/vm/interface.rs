//! The types that the back ends exchange with the frame boundary: exits, budgets, outputs.

use starknet_types_core::felt::Felt;

use crate::protocol::VmResources;
use crate::state::StopFlag;
use crate::syscall::Pointer;

/// The reasons why a frame stops running without a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VmExit {
    /// The frame made a syscall. Its response is to be written into the frame's memory.
    Syscall,
    /// The entry point returned.
    Returned,
    /// The execution was interrupted, at any instruction. All results of the phase are to be discarded.
    Interrupted,
}

/// The steps (C52) and the memory that the frames of a phase share.
#[derive(Clone, Debug)]
pub(crate) struct StepBudget {
    /// The remaining steps.
    pub remaining: u64,
    /// The number of memory cells that frames may still allocate.
    pub cells: usize,
    /// The interrupt flag, which running frames poll.
    pub stop: StopFlag,
}

/// The size of a memory cell, in bytes.
pub(crate) const CELL_BYTES: usize = 32;

/// Number of steps between two polls of the interrupt flag.
pub(super) const STEPS_BETWEEN_POLLS: u32 = 1_000;

/// The registers of a frame and its number of steps, for comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct RegisterSnapshot {
    /// Program counter.
    pub pc: Pointer,
    /// Allocation pointer.
    pub ap: usize,
    /// Frame pointer.
    pub fp: usize,
    /// Number of executed steps.
    pub steps: usize,
}

/// The return data and the resource usage of a frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FrameOutput {
    /// `true` if the code panicked.
    pub failed: bool,
    /// The return data, or the data of the panic.
    pub retdata: Vec<Felt>,
    /// The consumed Sierra gas, out of the initial gas; 0 in steps mode (C57).
    pub gas_consumed: u64,
    /// Steps, memory holes and builtins of this frame, without inner calls. Steps and holes are counted in
    /// steps mode only.
    pub resources: VmResources,
}
