//! The run loop: the fast path as far as it goes; between its runs, hints and general steps.

use super::Bailout;
use super::decode::{Operation, OperationKind, Program};
use super::fast_path::{FastPath, index};
use super::hint::HintOutcome;
use super::machine::{Machine, ResumePoint};
use super::memory::VmMemory;
use crate::vm::interface::VmExit;

impl Machine {
    /// Runs until the next syscall or the end; returns `None` after `limit` steps. A step that a syscall
    /// suspended is completed first, even with a limit of 0.
    pub(super) fn run(&mut self, limit: u64) -> Result<Option<VmExit>, Bailout> {
        // Moved, not cloned: all threads that run the class would contend for its reference count.
        let program = self.program.take().ok_or(Bailout::Unsupported)?;
        let exit = if self.marks_accesses {
            self.run_loop::<true>(&program, limit)
        } else {
            self.run_loop::<false>(&program, limit)
        };
        self.program = Some(program);
        exit
    }

    fn run_loop<const MARKS_ACCESSES: bool>(
        &mut self,
        program: &Program,
        limit: u64,
    ) -> Result<Option<VmExit>, Bailout> {
        let mut remaining = limit;
        loop {
            if self.resume.is_none() {
                if self.is_at_end {
                    return Ok(Some(VmExit::Returned));
                }
                if remaining == 0 {
                    return Ok(None);
                }
            }
            let pc = index(self.pc).ok_or(Bailout::Fault)?;
            let operation = program.operations.get(pc).ok_or(Bailout::Fault)?;
            let mut kind = operation.kind;
            if kind == OperationKind::WithHints {
                if self.run_hints(program)? == HintOutcome::Syscall {
                    return Ok(Some(VmExit::Syscall));
                }
                kind = operation.kind_after_hints;
            }
            // At least one step: after its hints, a step must be completed even if no step remains.
            match self.run_fast_path::<MARKS_ACCESSES>(program, operation, kind, remaining.max(1)) {
                0 => {
                    self.step()?;
                    remaining = remaining.saturating_sub(1);
                }
                steps => remaining = remaining.saturating_sub(steps),
            }
        }
    }

    /// Runs the fast path from the operation at `pc`, executed as one of this kind. Returns the number of
    /// executed steps.
    fn run_fast_path<const MARKS_ACCESSES: bool>(
        &mut self,
        program: &Program,
        first: &Operation,
        kind: OperationKind,
        limit: u64,
    ) -> u64 {
        let Self { memory: VmMemory { execution, segments, prices, .. }, pc, ap, fp, .. } = self;
        let fast_path = FastPath::<MARKS_ACCESSES> { execution, segments, code: &program.code, prices };
        let steps = fast_path.run(&program.operations, (first, kind), (pc, ap, fp), limit);
        self.steps = self.steps.saturating_add(steps);
        steps
    }

    /// Runs the hints of the operation at `pc`, from the one at which it was suspended.
    fn run_hints(&mut self, program: &Program) -> Result<HintOutcome, Bailout> {
        let mut next = match self.resume.take() {
            None => program.first_hint(self.pc),
            Some(ResumePoint::Hint(next)) => next,
            Some(ResumePoint::Instruction) => return Ok(HintOutcome::Done),
        };
        while let Some(hint) = usize::try_from(next).ok().and_then(|next| program.hints.get(next)) {
            next = next.saturating_add(1);
            if self.run_hint(hint)? == HintOutcome::Syscall {
                self.resume =
                    Some(if hint.is_last { ResumePoint::Instruction } else { ResumePoint::Hint(next) });
                return Ok(HintOutcome::Syscall);
            }
            if hint.is_last {
                break;
            }
        }
        Ok(HintOutcome::Done)
    }
}
