//! The machine of a frame: registers, memory and the state of hints.

use std::sync::Arc;

use super::cell::VmCell;
use super::decode::Program;
use super::hint::HintState;
use super::interrupt::InterruptCheck;
use super::memory::VmMemory;

/// The machine of a frame.
#[derive(Debug)]
pub(super) struct Machine {
    /// The decoded program; `None` only while the run loop holds it.
    pub program: Option<Arc<Program>>,
    pub memory: VmMemory,
    /// Program counter, an offset in the code segment.
    pub pc: u64,
    /// Allocation pointer, an offset in the execution segment.
    pub ap: u64,
    /// Frame pointer, an offset in the execution segment.
    pub fp: u64,
    /// The initial frame pointer.
    pub first_fp: u64,
    /// `true` if the entry point has returned; `pc` has no meaning then.
    pub is_at_end: bool,
    /// The segment of the return address of the entry point: a jump to its start ends the frame.
    pub end: u64,
    /// `true` if accessed cells are marked, to count memory holes.
    pub marks_accesses: bool,
    /// Number of executed steps.
    pub steps: u64,
    /// Number of executed Blake instructions.
    pub blakes: u64,
    /// The position within a step that a syscall suspended.
    pub resume: Option<ResumePoint>,
    /// The state that hints keep.
    pub hint_state: HintState,
    /// The interrupt polls of long work within a step.
    pub interrupt_check: InterruptCheck,
    /// The required address of the next syscall's request.
    pub syscall_pointer: VmCell,
}

/// The position within a step at which execution resumes after a syscall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResumePoint {
    /// At the hint of this index.
    Hint(u32),
    /// At the instruction.
    Instruction,
}
