//! The run loop: shortcuts as long as they go, then whatever needs more: hints, and steps by the rules.

use super::Bailout;
use super::decode::{Kind, Operation, Program};
use super::fast_path::{FastPath, index};
use super::hint::Hinted;
use super::machine::{Machine, Resume};
use super::memory::VmMemory;
use crate::vm::frame::VmExit;

impl Machine {
    /// Runs until the next syscall or the end; `None` after `limit` steps. A step that was interrupted by a syscall is ended first,
    /// whatever the limit.
    pub(super) fn run(&mut self, limit: u64) -> Result<Option<VmExit>, Bailout> {
        // Taken, not cloned: threads that run the same class would all write to its count.
        let program = self.program.take().ok_or(Bailout::Unsupported)?;
        let stopped = if self.marks_accesses {
            self.run_loop::<true>(&program, limit)
        } else {
            self.run_loop::<false>(&program, limit)
        };
        self.program = Some(program);
        stopped
    }

    fn run_loop<const EXACT: bool>(
        &mut self,
        program: &Program,
        limit: u64,
    ) -> Result<Option<VmExit>, Bailout> {
        let mut left = limit;
        loop {
            if self.resume.is_none() {
                if self.is_at_end {
                    return Ok(Some(VmExit::Returned));
                }
                if left == 0 {
                    return Ok(None);
                }
            }
            let pc = index(self.pc).ok_or(Bailout::Fault)?;
            let operation = program.operations.get(pc).ok_or(Bailout::Fault)?;
            let mut kind = operation.kind;
            if kind == Kind::Hinted {
                if self.run_hints(program)? == Hinted::Syscall {
                    return Ok(Some(VmExit::Syscall));
                }
                kind = operation.behind_hints;
            }
            // Where hints have run, the step is under way.
            match self.run_fast_path::<EXACT>(program, operation, kind, left.max(1)) {
                0 => {
                    self.step()?;
                    left = left.saturating_sub(1);
                }
                steps => left = left.saturating_sub(steps),
            }
        }
    }

    /// Goes on from the operation at `pc`, which counts as one of this kind, as far as shortcuts go; how many steps that was.
    fn run_fast_path<const EXACT: bool>(
        &mut self,
        program: &Program,
        first: &Operation,
        kind: Kind,
        limit: u64,
    ) -> u64 {
        let Self { memory: VmMemory { execution, segments, prices, .. }, pc, ap, fp, .. } = self;
        let fast_path = FastPath::<EXACT> { execution, segments, code: &program.code, prices };
        let steps = fast_path.run(&program.operations, (first, kind), (pc, ap, fp), limit);
        self.steps = self.steps.saturating_add(steps);
        steps
    }

    /// Runs the hints of the operation at `pc`, from where they were left.
    fn run_hints(&mut self, program: &Program) -> Result<Hinted, Bailout> {
        let mut next = match self.resume.take() {
            None => program.first_hint(self.pc),
            Some(Resume::Hint(next)) => next,
            Some(Resume::Instruction) => return Ok(Hinted::Ran),
        };
        while let Some(hint) = usize::try_from(next).ok().and_then(|next| program.hints.get(next)) {
            next = next.saturating_add(1);
            if self.run_hint(hint)? == Hinted::Syscall {
                self.resume = Some(if hint.is_last { Resume::Instruction } else { Resume::Hint(next) });
                return Ok(Hinted::Syscall);
            }
            if hint.is_last {
                break;
            }
        }
        Ok(Hinted::Ran)
    }
}
