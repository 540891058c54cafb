//! The run loop: shortcuts as long as they go, then whatever needs more: hints, and steps by the rules.

use super::Exit;
use super::decode::{Kind, Program};
use super::hint_run::Hinted;
use super::machine::{Machine, Resume};
use super::memory::Memory;
use super::shortcut::{Registers, Shortcuts, index};
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
        let (operations, code) = (&*program.operations, &*program.code);
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
            let mut at = Registers { pc: self.pc, ap: self.ap, fp: self.fp };
            let Memory { execution, beside, prices, .. } = &mut self.memory;
            let mut shortcuts = Shortcuts::<EXACT> { execution, beside, code, prices };
            let mut steps = 0_u64;
            let operation = loop {
                let Some(operation) = index(at.pc).and_then(|pc| operations.get(pc)) else {
                    return Err(Exit::Fault);
                };
                if steps == left {
                    break operation;
                }
                match shortcuts.step(operation, at) {
                    Some(next) => at = next,
                    None => break operation,
                }
                steps = steps.wrapping_add(1); // not above `left`
            };
            self.go_to(at, steps);
            left = left.saturating_sub(steps);
            if left == 0 && self.resume.is_none() {
                continue;
            }
            if operation.kind != Kind::Hinted {
                self.step()?;
            } else if self.run_hints(program)? == Hinted::Syscall {
                return Ok(Some(Stop::Syscall));
            } else {
                let Memory { execution, beside, prices, .. } = &mut self.memory;
                let mut shortcuts = Shortcuts::<EXACT> { execution, beside, code, prices };
                match shortcuts.step(&operation.behind_hints(), at) {
                    Some(next) => self.go_to(next, 1),
                    None => self.step()?,
                }
            }
            left = left.saturating_sub(1);
        }
    }

    fn go_to(&mut self, at: Registers, steps: u64) {
        (self.pc, self.ap, self.fp) = (at.pc, at.ap, at.fp);
        self.steps = self.steps.saturating_add(steps);
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
