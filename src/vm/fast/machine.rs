//! The machine: registers, memory, and what hints keep between them.

use std::sync::Arc;

use super::Bailout;
use super::cell::VmCell;
use super::decode::Program;
use super::hint::Scopes;
use super::memory::VmMemory;
use crate::state::StopFlag;

/// A frame's machine.
#[derive(Debug)]
pub(super) struct Machine {
    /// The code; in the loop's hands while that runs.
    pub program: Option<Arc<Program>>,
    pub memory: VmMemory,
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
    /// When long work within a step looks at the flag.
    pub interrupt_check: InterruptCheck,
    /// Where the next syscall must stand.
    pub syscall_pointer: VmCell,
}

/// Work that steps do not measure: hints and checks that go through memory.
#[derive(Debug, Default)]
pub(super) struct InterruptCheck {
    /// Raised when the frame is of no use any more; known from its first run on.
    pub stop: Option<StopFlag>,
    /// Items since the last look.
    items: usize,
}

/// Items between two looks at the flag.
const ITEMS_BETWEEN_POLLS: usize = 1_000;

impl InterruptCheck {
    /// So many items (elements, gates, accesses) more: looks at the flag when there were enough of them.
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

/// Where a step goes on after a syscall.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resume {
    /// With this hint.
    Hint(u32),
    /// With the instruction.
    Instruction,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::CancellationToken;
    use crate::sync::{Arc, AtomicBool};

    #[test]
    fn the_flag_is_looked_at_after_enough_work() {
        let raised = StopFlag::new(Arc::new(AtomicBool::new(true)), Arc::new(CancellationToken::default()));
        let mut interrupt_check = InterruptCheck { stop: Some(raised), items: 0 };
        assert_eq!(interrupt_check.advance(ITEMS_BETWEEN_POLLS - 1), Ok(()));
        assert_eq!(interrupt_check.advance(1), Err(Bailout::Interrupted));
        assert_eq!(interrupt_check.advance(usize::MAX), Err(Bailout::Interrupted));
        let mut interrupt_check = InterruptCheck { stop: Some(StopFlag::default()), items: 0 };
        assert_eq!(interrupt_check.advance(usize::MAX), Ok(()));
        assert_eq!(InterruptCheck::default().advance(usize::MAX), Ok(()));
    }
}
