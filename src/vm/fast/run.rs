//! The run loop: shortcuts as long as they go, then whatever needs more: hints, and steps by the rules.

use super::Exit;
use super::decode::{Kind, Operation, Program};
use super::hint_run::Hinted;
use super::machine::{Machine, Resume};
use super::memory::VmMemory;
use super::shortcut::{Shortcuts, index};
use crate::vm::frame::Stop;

impl Machine {
    /// Runs until the next syscall or the end; `None` after `limit` steps. A step that was interrupted by a syscall is ended first,
    /// whatever the limit.
    pub(super) fn run(&mut self, limit: u64) -> Result<Option<Stop>, Exit> {
        // Taken, not cloned: threads that run the same class would all write to its count.
        let program = self.program.take().ok_or(Exit::Unsupported)?;
        let stopped = if self.marks_accesses {
            self.run_loop::<true>(&program, limit)
        } else {
            self.run_loop::<false>(&program, limit)
        };
        self.program = Some(program);
        stopped
    }

    fn run_loop<const EXACT: bool>(&mut self, program: &Program, limit: u64) -> Result<Option<Stop>, Exit> {
        let mut left = limit;
        loop {
            if self.resume.is_none() {
                if self.is_at_end {
                    return Ok(Some(Stop::Returned));
                }
                if left == 0 {
                    return Ok(None);
                }
            }
            let pc = index(self.pc).ok_or(Exit::Fault)?;
            let operation = program.operations.get(pc).ok_or(Exit::Fault)?;
            let mut kind = operation.kind;
            if kind == Kind::Hinted {
                if self.run_hints(program)? == Hinted::Syscall {
                    return Ok(Some(Stop::Syscall));
                }
                kind = operation.behind_hints;
            }
            // Where hints have run, the step is under way.
            match self.run_shortcuts::<EXACT>(program, operation, kind, left.max(1)) {
                0 => {
                    self.step()?;
                    left = left.saturating_sub(1);
                }
                steps => left = left.saturating_sub(steps),
            }
        }
    }

    /// Goes on from the operation at `pc`, which counts as one of this kind, as far as shortcuts go; how many steps that was.
    fn run_shortcuts<const EXACT: bool>(
        &mut self,
        program: &Program,
        first: &Operation,
        kind: Kind,
        limit: u64,
    ) -> u64 {
        let Self { memory: VmMemory { execution, beside, prices, .. }, pc, ap, fp, .. } = self;
        let shortcuts = Shortcuts::<EXACT> { execution, beside, code: &program.code, prices };
        let steps = shortcuts.run(&program.operations, (first, kind), (pc, ap, fp), limit);
        self.steps = self.steps.saturating_add(steps);
        steps
    }

    /// Runs the hints of the operation at `pc`, from where they were left.
    fn run_hints(&mut self, program: &Program) -> Result<Hinted, Exit> {
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
