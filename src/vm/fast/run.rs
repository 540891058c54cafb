//! The run loop, with a shortcut for each kind of operation that compilers emit.
//!
//! A shortcut does a step when all is as usual: operands known, or the one unknown cell in the execution segment. Otherwise it
//! changes nothing that matters and leaves the step to `Machine::step`, which knows all the rules.

use std::sync::Arc;

use super::Exit;
use super::cell::Cell;
use super::decode::{Kind, Operation};
use super::hint_run::Hinted;
use super::machine::{Machine, Resume};
use super::memory::EXECUTION;
use super::step::{plain_difference, product, sum};
use crate::vm::frame::Stop;

/// The registers, in the loop's own hands.
#[derive(Clone, Copy)]
struct Registers {
    pc: u64,
    ap: u64,
    fp: u64,
}

impl Machine {
    /// Runs until the next syscall or the end; `None` after `limit` steps. A step that was interrupted by a syscall is ended first,
    /// whatever the limit.
    pub(super) fn run(&mut self, limit: u64) -> Result<Option<Stop>, Exit> {
        if self.marks_accesses { self.run_loop::<true>(limit) } else { self.run_loop::<false>(limit) }
    }

    fn run_loop<const EXACT: bool>(&mut self, limit: u64) -> Result<Option<Stop>, Exit> {
        let program = Arc::clone(&self.program);
        let (operations, code, hints) = (&*program.operations, &*program.code, &*program.hints);
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
            let mut registers = Registers { pc: self.pc, ap: self.ap, fp: self.fp };
            let mut steps = 0_u64;
            // Shortcuts, until something needs more than a shortcut.
            let operation = loop {
                let Some(operation) = index(registers.pc).and_then(|pc| operations.get(pc)) else {
                    return Err(Exit::Fault);
                };
                if operation.has_hints() || steps == left {
                    break *operation;
                }
                match self.shortcut::<EXACT>(operation, code, registers) {
                    Some(next) => registers = next,
                    None => break *operation,
                }
                steps = steps.wrapping_add(1); // not above `left`
            };
            (self.pc, self.ap, self.fp) = (registers.pc, registers.ap, registers.fp);
            self.steps = self.steps.saturating_add(steps);
            left = left.saturating_sub(steps);
            if left == 0 && self.resume.is_none() {
                continue;
            }
            if operation.has_hints() && self.run_hints(&operation, hints)? == Hinted::Syscall {
                return Ok(Some(Stop::Syscall));
            }
            match self.shortcut::<EXACT>(&operation, code, registers) {
                Some(next) => {
                    (self.pc, self.ap, self.fp) = (next.pc, next.ap, next.fp);
                    self.steps = self.steps.saturating_add(1);
                }
                None => self.step()?,
            }
            left = left.saturating_sub(1);
        }
    }

    /// Runs the hints of an operation, from where they were left.
    fn run_hints(&mut self, operation: &Operation, hints: &[super::hint::Hint]) -> Result<Hinted, Exit> {
        let mut next = match self.resume.take() {
            None => operation.hints,
            Some(Resume::Hint(next)) => next,
            Some(Resume::Instruction) => return Ok(Hinted::Ran),
        };
        while let Some(hint) = usize::try_from(next).ok().and_then(|next| hints.get(next)) {
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

    /// Does a step, or nothing that matters.
    #[inline(always)]
    fn shortcut<const EXACT: bool>(
        &mut self,
        operation: &Operation,
        code: &[Cell],
        at: Registers,
    ) -> Option<Registers> {
        let dst = place(if operation.dst_is_fp() { at.fp } else { at.ap }, operation.dst);
        let op0 = place(if operation.op0_is_fp() { at.fp } else { at.ap }, operation.op0);
        let op1 = || place(if operation.op1_is_fp() { at.fp } else { at.ap }, operation.op1);
        let immediate = || code.get(index(at.pc)?.checked_add(1)?).copied();
        let ap = at.ap.wrapping_add(operation.ap_step());
        let next = |size: u64| Registers { pc: at.pc.wrapping_add(size), ap, fp: at.fp };
        let jump = || Registers { pc: u64::from(operation.target), ap, fp: at.fp };
        match operation.kind {
            Kind::Other => None,
            Kind::AssertImmediate => {
                self.assert::<EXACT>(dst, immediate()?)?;
                Some(next(2))
            }
            Kind::AssertCell => {
                let op1 = op1();
                match self.known(op1) {
                    Some(value) => self.assert::<EXACT>(dst, value)?,
                    None => {
                        let value = self.known(dst)?;
                        self.assert::<EXACT>(op1, value)?;
                    }
                }
                self.touch::<EXACT>(dst);
                self.touch::<EXACT>(op1);
                Some(next(1))
            }
            Kind::AssertDeref => {
                let (segment, offset) = self.known(op0)?.as_pointer()?;
                let offset = offset.checked_add_signed(i64::from(operation.op1))?;
                match self.memory.read(segment, offset).value() {
                    Some(value) => self.assert::<EXACT>(dst, value)?,
                    None => {
                        // Cells of builtins may have a value of their own.
                        if self.memory.computes(segment) {
                            return None;
                        }
                        let value = self.known(dst)?;
                        self.memory.write(segment, offset, value).ok()?;
                    }
                }
                if EXACT {
                    self.memory.mark_accessed(segment, offset);
                }
                self.touch::<EXACT>(dst);
                self.touch::<EXACT>(op0);
                Some(next(1))
            }
            Kind::AddImmediate => {
                let immediate = immediate()?;
                match self.known(op0) {
                    Some(value) => self.assert::<EXACT>(dst, sum(value, immediate)?)?,
                    None => {
                        let value = plain_difference(self.known(dst)?, immediate)?;
                        self.assert::<EXACT>(op0, value)?;
                    }
                }
                self.touch::<EXACT>(dst);
                self.touch::<EXACT>(op0);
                Some(next(2))
            }
            Kind::AddCells => {
                let op1 = op1();
                match (self.known(op0), self.known(op1)) {
                    (Some(a), Some(b)) => self.assert::<EXACT>(dst, sum(a, b)?)?,
                    (None, Some(b)) => {
                        let value = plain_difference(self.known(dst)?, b)?;
                        self.assert::<EXACT>(op0, value)?;
                    }
                    (Some(a), None) => {
                        let value = plain_difference(self.known(dst)?, a)?;
                        self.assert::<EXACT>(op1, value)?;
                    }
                    (None, None) => return None,
                }
                self.touch::<EXACT>(dst);
                self.touch::<EXACT>(op0);
                self.touch::<EXACT>(op1);
                Some(next(1))
            }
            Kind::MulImmediate => {
                self.assert::<EXACT>(dst, product(self.known(op0)?, immediate()?)?)?;
                self.touch::<EXACT>(op0);
                Some(next(2))
            }
            Kind::MulCells => {
                let op1 = op1();
                self.assert::<EXACT>(dst, product(self.known(op0)?, self.known(op1)?)?)?;
                self.touch::<EXACT>(op0);
                self.touch::<EXACT>(op1);
                Some(next(1))
            }
            Kind::AdvanceAp => {
                let ap = at.ap.checked_add(u64::from(operation.target))?;
                Some(Registers { pc: at.pc.wrapping_add(2), ap, fp: at.fp })
            }
            Kind::Jump => Some(jump()),
            Kind::JumpNotZero => {
                let is_zero = self.known(dst)?.is_zero();
                self.touch::<EXACT>(dst);
                Some(if is_zero { next(2) } else { jump() })
            }
            Kind::Call => {
                self.assert::<EXACT>(at.ap, Cell::pointer(EXECUTION, at.fp))?;
                self.assert::<EXACT>(at.ap.checked_add(1)?, Cell::pointer(0, at.pc.wrapping_add(2)))?;
                let frame = at.ap.checked_add(2)?;
                Some(Registers { pc: u64::from(operation.target), ap: frame, fp: frame })
            }
            Kind::Return => {
                let (1, fp) = self.known(at.fp.checked_sub(2)?)?.as_pointer()? else { return None };
                let (0, pc) = self.known(at.fp.checked_sub(1)?)?.as_pointer()? else { return None };
                let below = self.memory.read(EXECUTION, fp.wrapping_sub(1));
                if !(if EXACT { below.is_accessed() } else { below.is_known() }) {
                    return None;
                }
                self.touch::<EXACT>(at.fp.wrapping_sub(2));
                self.touch::<EXACT>(at.fp.wrapping_sub(1));
                Some(Registers { pc, ap, fp })
            }
        }
    }

    /// The value of a cell of the execution segment.
    #[inline(always)]
    fn known(&self, place: u64) -> Option<Cell> {
        self.memory.execution.get(index(place)?)?.value()
    }

    /// Writes a cell of the execution segment, or checks that it holds the same.
    #[inline(always)]
    fn assert<const EXACT: bool>(&mut self, place: u64, value: Cell) -> Option<()> {
        let cell = self.memory.execution.get_mut(index(place)?)?;
        if !cell.is_known() {
            *cell = value;
        } else if !cell.same(&value) {
            return None;
        }
        if EXACT {
            cell.mark_accessed();
        }
        Some(())
    }

    /// Marks a cell of the execution segment.
    #[inline(always)]
    fn touch<const EXACT: bool>(&mut self, place: u64) {
        if EXACT && let Some(cell) = index(place).and_then(|place| self.memory.execution.get_mut(place)) {
            cell.mark_accessed();
        }
    }
}

#[inline(always)]
fn place(base: u64, offset: i16) -> u64 {
    // Below 0 it wraps to where no cell is.
    base.wrapping_add_signed(i64::from(offset))
}

#[inline(always)]
fn index(place: u64) -> Option<usize> {
    usize::try_from(place).ok()
}
