//! Shortcuts: a step of each form that compilers emit, when all is as usual.
//!
//! In: an operation, registers, memory. Out: registers after the step; or nothing, when an operand is missing that the form does not
//! fill in by itself, when a check fails, when memory must grow. Nothing that matters has changed then, and `Machine::step`, which
//! knows all the rules, does the step.

use super::builtin::read_computed;
use super::cell::Cell;
use super::decode::{Kind, Operation};
use super::memory::EXECUTION;
use super::segments::Segments;

/// The registers, in the loop's own hands.
#[derive(Clone, Copy)]
pub(super) struct Registers {
    pub pc: u64,
    pub ap: u64,
    pub fp: u64,
}

/// What shortcuts work on. With `EXACT`, cells that instructions touch are marked.
pub(super) struct Shortcuts<'a, const EXACT: bool> {
    /// The execution segment, as far as it goes.
    pub execution: &'a mut [Cell],
    pub beside: &'a mut Segments,
    pub code: &'a [Cell],
    /// The cell behind the code.
    pub prices: &'a Cell,
}

impl<const EXACT: bool> Shortcuts<'_, EXACT> {
    /// Does a step, or nothing that matters.
    #[inline(always)]
    pub(super) fn step(&mut self, operation: &Operation, at: Registers) -> Option<Registers> {
        let dst = || place(if operation.dst_is_fp() { at.fp } else { at.ap }, operation.dst);
        let op0 = || place(if operation.op0_is_fp() { at.fp } else { at.ap }, operation.op0);
        let op1 = || place(if operation.op1_is_fp() { at.fp } else { at.ap }, operation.op1);
        let ap = at.ap.checked_add(operation.ap_step())?;
        let next = |size: u64| Registers { pc: at.pc.wrapping_add(size), ap, fp: at.fp };
        let jump = || Registers { pc: u64::from(operation.target), ap, fp: at.fp };
        match operation.kind {
            Kind::Other | Kind::Hinted => None,
            Kind::AssertImmediate => {
                let dst = dst();
                let immediate = *self.immediate(at.pc)?;
                self.assert(dst, immediate)?;
                Some(next(2))
            }
            Kind::AssertCell => {
                let (dst, op1) = (dst(), op1());
                match self.known(op1) {
                    Some(value) => self.assert(dst, value)?,
                    None => {
                        let value = self.known(dst)?;
                        self.assert(op1, value)?;
                    }
                }
                self.touch(dst);
                self.touch(op1);
                Some(next(1))
            }
            Kind::AssertDeref => {
                let (dst, op0) = (dst(), op0());
                self.assert_deref(operation.op1, dst, op0)?;
                Some(next(1))
            }
            Kind::AddImmediate => {
                let (dst, op0) = (dst(), op0());
                let immediate = *self.immediate(at.pc)?;
                match self.known(op0) {
                    Some(value) => self.assert(dst, value.plus(&immediate)?)?,
                    None => {
                        let value = self.known(dst)?.minus(&immediate)?;
                        self.assert(op0, value)?;
                    }
                }
                self.touch(dst);
                self.touch(op0);
                Some(next(2))
            }
            Kind::AddSmall | Kind::SubtractSmall => {
                let (dst, op0) = (dst(), op0());
                let adds = operation.kind == Kind::AddSmall;
                let small = || Cell::small(u64::from(operation.target));
                let moved = |value: Cell, up: bool| {
                    if up {
                        value.plus_small(operation.target).or_else(|| value.plus_the_long_way(&small()))
                    } else {
                        value.minus_small(operation.target).or_else(|| value.minus(&small()))
                    }
                };
                match self.known(op0) {
                    Some(value) => self.assert(dst, moved(value, adds)?)?,
                    None => {
                        let value = moved(self.known(dst)?, !adds)?;
                        self.assert(op0, value)?;
                    }
                }
                self.touch(dst);
                self.touch(op0);
                Some(next(2))
            }
            Kind::AddCells => {
                let (dst, op0, op1) = (dst(), op0(), op1());
                match (self.known(op0), self.known(op1)) {
                    (Some(a), Some(b)) => self.assert(dst, a.plus(&b)?)?,
                    (None, Some(b)) => {
                        let value = self.known(dst)?.minus(&b)?;
                        self.assert(op0, value)?;
                    }
                    (Some(a), None) => {
                        let value = self.known(dst)?.minus(&a)?;
                        self.assert(op1, value)?;
                    }
                    (None, None) => return None,
                }
                self.touch(dst);
                self.touch(op0);
                self.touch(op1);
                Some(next(1))
            }
            Kind::MulImmediate => {
                let (dst, op0) = (dst(), op0());
                let product = self.known(op0)?.times(self.immediate(at.pc)?)?;
                self.assert(dst, product)?;
                self.touch(op0);
                Some(next(2))
            }
            Kind::MulCells => {
                let (dst, op0, op1) = (dst(), op0(), op1());
                let product = self.known(op0)?.times(&self.known(op1)?)?;
                self.assert(dst, product)?;
                self.touch(op0);
                self.touch(op1);
                Some(next(1))
            }
            Kind::AdvanceAp => {
                let ap = at.ap.checked_add(u64::from(operation.target))?;
                Some(Registers { pc: at.pc.wrapping_add(2), ap, fp: at.fp })
            }
            Kind::Jump => Some(jump()),
            Kind::JumpNotZero => {
                let dst = dst();
                let is_zero = self.execution.get(index(dst)?).filter(|cell| cell.is_known())?.is_zero();
                self.touch(dst);
                Some(if is_zero { next(2) } else { jump() })
            }
            Kind::Call => {
                self.assert(at.ap, Cell::pointer(EXECUTION, at.fp))?;
                self.assert(at.ap.checked_add(1)?, Cell::pointer(0, at.pc.wrapping_add(2)))?;
                let frame = at.ap.checked_add(2)?;
                Some(Registers { pc: u64::from(operation.target), ap: frame, fp: frame })
            }
            Kind::Return => {
                let (EXECUTION, fp) = self.known(at.fp.checked_sub(2)?)?.as_pointer()? else { return None };
                let (0, pc) = self.known(at.fp.checked_sub(1)?)?.as_pointer()? else { return None };
                let below = self.execution.get(index(fp.wrapping_sub(1))?)?;
                if !(if EXACT { below.is_accessed() } else { below.is_known() }) {
                    return None;
                }
                self.touch(at.fp.wrapping_sub(2));
                self.touch(at.fp.wrapping_sub(1));
                Some(Registers { pc, ap, fp })
            }
        }
    }

    /// `[dst] = [[op0] + offset]`
    #[inline(always)]
    fn assert_deref(&mut self, offset: i16, dst: u64, op0: u64) -> Option<()> {
        let (segment, start) = self.known(op0)?.as_pointer()?;
        let offset = start.checked_add_signed(i64::from(offset))?;
        match segment {
            EXECUTION => match self.known(offset) {
                Some(value) => self.assert(dst, value)?,
                None => {
                    let value = self.known(dst)?;
                    self.assert(offset, value)?;
                }
            },
            0 => {
                let index = index(offset)?;
                let behind = || (index == self.code.len()).then_some(self.prices);
                let value = self.code.get(index).or_else(behind)?.value()?;
                self.assert(dst, value)?;
            }
            _ => {
                let mut value = self.beside.cell(segment, offset).and_then(Cell::value);
                // Cells of builtins may have a value of their own.
                if value.is_none() && self.beside.computes(segment) {
                    value = read_computed(self.beside, segment, offset).ok()?;
                }
                match value {
                    Some(value) => self.assert(dst, value)?,
                    None => {
                        let value = self.known(dst)?;
                        self.beside.write(segment, index(offset)?, value)?.ok()?;
                    }
                }
                if EXACT && let Some(cell) = self.beside.cell_mut(segment, offset) {
                    cell.mark_accessed();
                }
            }
        }
        if segment == EXECUTION {
            self.touch(offset);
        }
        self.touch(dst);
        self.touch(op0);
        Some(())
    }

    /// The word behind the instruction.
    #[inline(always)]
    fn immediate(&self, pc: u64) -> Option<&Cell> {
        self.code.get(index(pc)?.checked_add(1)?)
    }

    /// The value of a cell of the execution segment.
    #[inline(always)]
    fn known(&self, place: u64) -> Option<Cell> {
        self.execution.get(index(place)?)?.value()
    }

    /// Writes a cell of the execution segment, or checks that it holds the same.
    #[inline(always)]
    fn assert(&mut self, place: u64, value: Cell) -> Option<()> {
        let cell = self.execution.get_mut(index(place)?)?;
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
    fn touch(&mut self, place: u64) {
        if EXACT && let Some(cell) = index(place).and_then(|place| self.execution.get_mut(place)) {
            cell.mark_accessed();
        }
    }
}

#[inline(always)]
fn place(base: u64, offset: i16) -> u64 {
    // Where there is no such place, there is no cell either.
    base.checked_add_signed(i64::from(offset)).unwrap_or(u64::MAX)
}

#[inline(always)]
pub(super) fn index(place: u64) -> Option<usize> {
    usize::try_from(place).ok()
}
