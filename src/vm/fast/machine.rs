//! The machine of a frame: registers, memory and the state of hints.

use std::sync::Arc;

use super::Bailout;
use super::cell::VmCell;
use super::decode::Program;
use super::hint::Scopes;
use super::memory::VmMemory;
use crate::state::StopFlag;

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
    pub scopes: Scopes,
    /// The interrupt polls of long work within a step.
    pub interrupt_check: InterruptCheck,
    /// The required address of the next syscall's request.
    pub syscall_pointer: VmCell,
}

/// Polls the interrupt flag during work that steps do not measure: hints and checks that iterate over memory.
#[derive(Debug, Default)]
pub(super) struct InterruptCheck {
    /// The interrupt flag; set when the frame first runs.
    pub stop: Option<StopFlag>,
    /// Number of processed items since the last poll.
    items: usize,
}

/// Number of processed items between two polls of the interrupt flag.
const ITEMS_BETWEEN_POLLS: usize = 1_000;

impl InterruptCheck {
    /// Counts processed items (elements, gates, accesses), and polls the interrupt flag after enough of them.
    #[inline]
    pub(super) fn advance(&mut self, items: usize) -> Result<(), Bailout> {
        self.items = self.items.saturating_add(items);
        if self.items < ITEMS_BETWEEN_POLLS {
            return Ok(());
        }
        self.items = 0;
        if self.stop.as_ref().is_some_and(StopFlag::is_raised) { Err(Bailout::Interrupted) } else { Ok(()) }
    }
}

/// The position within a step at which execution resumes after a syscall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ResumePoint {
    /// At the hint of this index.
    Hint(u32),
    /// At the instruction.
    Instruction,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::CancellationToken;
    use crate::sync::{Arc, AtomicBool};

    #[test]
    fn the_flag_is_polled_after_enough_items() {
        let raised = StopFlag::new(Arc::new(AtomicBool::new(true)), Arc::new(CancellationToken::default()));
        let mut check = InterruptCheck { stop: Some(raised), items: 0 };
        assert_eq!(check.advance(ITEMS_BETWEEN_POLLS - 1), Ok(()));
        assert_eq!(check.advance(1), Err(Bailout::Interrupted));
        assert_eq!(check.advance(usize::MAX), Err(Bailout::Interrupted));
        let mut check = InterruptCheck { stop: Some(StopFlag::default()), items: 0 };
        assert_eq!(check.advance(usize::MAX), Ok(()));
        assert_eq!(InterruptCheck::default().advance(usize::MAX), Ok(()));
    }
}
