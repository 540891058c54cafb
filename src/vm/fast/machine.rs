//! The machine: registers, memory, and what hints keep between them.

use std::sync::Arc;

use super::cell::Cell;
use super::decode::Program;
use super::hint_scope::Scopes;
use super::memory::Memory;

/// A frame's machine.
#[derive(Debug)]
pub(super) struct Machine {
    /// The code; in the loop's hands while that runs.
    pub program: Option<Arc<Program>>,
    pub memory: Memory,
    /// Program counter, in the code.
    pub pc: u64,
    /// Allocation pointer, in the execution segment.
    pub ap: u64,
    /// Frame pointer, in the execution segment.
    pub fp: u64,
    /// The frame pointer at the start.
    pub first_fp: u64,
    /// Whether the frame has returned; `pc` means nothing then.
    pub is_at_end: bool,
    /// The segment that stands for the end of the frame.
    pub end: u64,
    /// Whether accesses are marked, which memory holes are counted by.
    pub marks_accesses: bool,
    /// Steps made.
    pub steps: u64,
    /// Blake instructions among them.
    pub blakes: u64,
    /// Set while a step is under way that stopped at a syscall: which hint comes next.
    pub resume: Option<Resume>,
    /// What hints remember.
    pub scopes: Scopes,
    /// Where the next syscall must stand.
    pub syscall_pointer: Cell,
}

/// Where a step goes on after a syscall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resume {
    /// With this hint.
    Hint(u32),
    /// With the instruction.
    Instruction,
}
