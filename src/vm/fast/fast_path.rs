//! Shortcuts: a step of each form that compilers emit, when all is as usual.
//!
//! In: an operation, registers, memory. Out: registers after the step; or nothing, when an operand is missing that the form does not
//! fill in by itself, when a check fails, when memory must grow. Nothing that matters has changed then, and `Machine::step`, which
//! knows all the rules, does the step.

use super::builtin::read_computed;
use super::cell::VmCell;
use super::decode::{Kind, Operation};
use super::memory::EXECUTION;
use super::segments::Segments;

/// What `ap` is set to stays below this, so that no sum with an offset wraps around to a cell: steps that move it by one or two take
/// it no further in any time. `fp` always lies behind a cell.
pub(super) const LIMIT: u64 = 1 << 62;

/// The registers, in the loop's own hands.
#[derive(Clone, Copy)]
struct Registers {
    pc: u64,
    ap: u64,
    fp: u64,
}

/// What shortcuts work on. With `EXACT`, cells that instructions touch are marked.
pub(super) struct FastPath<'a, const EXACT: bool> {
    /// The execution segment, as far as it goes.
    pub execution: &'a mut [VmCell],
    pub segments: &'a mut Segments,
    pub code: &'a [VmCell],
    /// The cell behind the code.
    pub prices: &'a VmCell,
}

impl<const EXACT: bool> FastPath<'_, EXACT> {
    /// Does steps, `first` as one of that kind and what follows, until one has no shortcut or there were as many as allowed; how many
    /// there were.
    ///
    /// Not in line, so that all of a processor's registers are this loop's. `pc`, `ap` and `fp` come and go one by one: a processor
    /// waits where it reads in one piece what was just written in several.
    #[inline(never)]
    pub(super) fn run(
        mut self,
        operations: &[Operation],
        first: (&Operation, Kind),
        (pc, ap, fp): (&mut u64, &mut u64, &mut u64),
        limit: u64,
    ) -> u64 {
        let (mut operation, mut kind) = first;
        let (mut at, mut left) = (Registers { pc: *pc, ap: *ap, fp: *fp }, limit);
        while left > 0
            && let Some(next) = self.step(operation, kind, at)
        {
            at = next;
            left = left.wrapping_sub(1); // it is above 0
            match index(at.pc).and_then(|pc| operations.get(pc)) {
                Some(next) => (operation, kind) = (next, next.kind),
                None => break,
            }
        }
        (*pc, *ap, *fp) = (at.pc, at.ap, at.fp);
        limit.wrapping_sub(left)
    }

    /// Does a step, or nothing that matters. What is usual is in line; what needs more takes places, not values: those would have to
    /// be in memory for it.
    #[inline(always)]
    fn step(&mut self, operation: &Operation, kind: Kind, at: Registers) -> Option<Registers> {
        let dst = || place(if operation.dst_is_fp() { at.fp } else { at.ap }, operation.dst);
        let op0 = || place(if operation.op0_is_fp() { at.fp } else { at.ap }, operation.op0);
        let op1 = || place(if operation.op1_is_fp() { at.fp } else { at.ap }, operation.op1);
        let ap = || at.ap.wrapping_add(u64::from(operation.ap_step));
        let next = |size: u64| Registers { pc: at.pc.wrapping_add(size), ap: ap(), fp: at.fp };
        let jump = || Registers { pc: u64::from(operation.target), ap: ap(), fp: at.fp };
        match kind {
            Kind::Other | Kind::Hinted => None,
            Kind::AssertImmediate => {
                let immediate = *self.immediate(at.pc)?;
                self.assert(dst(), immediate)?;
                Some(next(2))
            }
            Kind::AssertCell => {
                let (dst, op1) = (dst(), op1());
                match self.known(op1) {
                    Some(value) => self.assert(dst, value)?,
                    None => self.copy(op1, dst)?,
                }
                self.touch(dst);
                self.touch(op1);
                Some(next(1))
            }
            Kind::AssertDeref => {
                let (dst, op0) = (dst(), op0());
                let (segment, start) = self.execution.get(index(op0)?)?.as_pointer()?;
                let offset = start.checked_add_signed(i64::from(operation.op1))?;
                if segment == EXECUTION {
                    match self.known(offset) {
                        Some(value) => self.assert(dst, value)?,
                        None => self.copy(offset, dst)?,
                    }
                    self.touch(offset);
                } else {
                    self.assert_beside(dst, segment, offset)?;
                }
                self.touch(dst);
                self.touch(op0);
                Some(next(1))
            }
            Kind::AddImmediate => {
                self.add_immediate(dst(), op0(), at.pc)?;
                Some(next(2))
            }
            Kind::AddSmall => {
                self.add_small(dst(), op0(), operation.target)?;
                Some(next(2))
            }
            Kind::SubtractSmall => {
                self.subtract_small(dst(), op0(), operation.target)?;
                Some(next(2))
            }
            Kind::AddCells => {
                let (dst, op0, op1) = (dst(), op0(), op1());
                let sum = match (self.known(op0), self.known(op1)) {
                    (Some(a), Some(b)) => a.plus_below_prime(&b),
                    _ => None,
                };
                match sum {
                    Some(sum) => self.assert(dst, sum)?,
                    None => self.add_cells(dst, op0, op1)?,
                }
                self.touch(dst);
                self.touch(op0);
                self.touch(op1);
                Some(next(1))
            }
            Kind::MulImmediate => {
                let op0 = op0();
                self.multiply(dst(), op0, *self.immediate(at.pc)?)?;
                self.touch(op0);
                Some(next(2))
            }
            Kind::MulCells => {
                let (op0, op1) = (op0(), op1());
                self.multiply(dst(), op0, self.known(op1)?)?;
                self.touch(op0);
                self.touch(op1);
                Some(next(1))
            }
            Kind::AdvanceAp => {
                let ap = at.ap.wrapping_add(u64::from(operation.target));
                (ap < LIMIT).then_some(Registers { pc: at.pc.wrapping_add(2), ap, fp: at.fp })
            }
            Kind::Jump => Some(jump()),
            Kind::JumpNotZero => {
                let dst = dst();
                let is_zero = self.execution.get(index(dst)?).filter(|cell| cell.is_known())?.is_zero();
                self.touch(dst);
                Some(if is_zero { next(2) } else { jump() })
            }
            Kind::Call => {
                self.assert(at.ap, VmCell::pointer(EXECUTION, at.fp))?;
                self.assert(at.ap.wrapping_add(1), VmCell::pointer(0, at.pc.wrapping_add(2)))?;
                let frame = at.ap.wrapping_add(2);
                Some(Registers { pc: u64::from(operation.target), ap: frame, fp: frame })
            }
            Kind::Return => {
                let pointer = |place: u64| self.execution.get(index(place)?)?.as_pointer();
                let (EXECUTION, fp) = pointer(at.fp.wrapping_sub(2))? else { return None };
                let (0, pc) = pointer(at.fp.wrapping_sub(1))? else { return None };
                let below = self.execution.get(index(fp.wrapping_sub(1))?)?;
                if !(if EXACT { below.is_accessed() } else { below.is_known() }) {
                    return None;
                }
                self.touch(at.fp.wrapping_sub(2));
                self.touch(at.fp.wrapping_sub(1));
                Some(Registers { pc, ap: ap(), fp })
            }
        }
    }

    /// `[to] = [from]`, where `from` must be known.
    #[inline(never)]
    fn copy(&mut self, to: u64, from: u64) -> Option<()> {
        let value = self.known(from)?;
        self.assert(to, value)
    }

    /// `[dst] = [[segment] + offset]`, for any segment but the execution's.
    #[inline(never)]
    fn assert_beside(&mut self, dst: u64, segment: u64, offset: u64) -> Option<()> {
        if segment == 0 {
            let index = index(offset)?;
            let behind = || (index == self.code.len()).then_some(self.prices);
            let value = self.code.get(index).or_else(behind)?.value()?;
            return self.assert(dst, value);
        }
        let mut value = self.segments.cell(segment, offset).and_then(VmCell::value);
        // Cells of builtins may have a value of their own.
        if value.is_none() && self.segments.computes(segment) {
            value = read_computed(self.segments, segment, offset).ok()?;
        }
        match value {
            Some(value) => self.assert(dst, value)?,
            None => {
                let value = self.execution.get(index(dst)?).filter(|cell| cell.is_known())?;
                self.segments.write(segment, index(offset)?, value)?.ok()?;
            }
        }
        if EXACT && let Some(cell) = self.segments.cell_mut(segment, offset) {
            cell.mark_accessed();
        }
        Some(())
    }

    /// `[dst] = [op0] + immediate`
    #[inline(never)]
    fn add_immediate(&mut self, dst: u64, op0: u64, pc: u64) -> Option<()> {
        let immediate = *self.immediate(pc)?;
        match self.known(op0) {
            Some(value) => self.assert(dst, value.plus(&immediate)?)?,
            None => {
                let value = self.known(dst)?.minus(&immediate)?;
                self.assert(op0, value)?;
            }
        }
        self.touch(dst);
        self.touch(op0);
        Some(())
    }

    /// `[dst] = [op0] + number`
    #[inline(always)]
    fn add_small(&mut self, dst: u64, op0: u64, number: u32) -> Option<()> {
        match self.known(op0) {
            Some(value) => match value.plus_small(number) {
                Some(sum) => self.assert(dst, sum)?,
                None => self.move_far(dst, op0, number, true)?,
            },
            None => match self.known(dst)?.minus_small(number) {
                Some(rest) => self.assert(op0, rest)?,
                None => self.move_far(op0, dst, number, false)?,
            },
        }
        self.touch(dst);
        self.touch(op0);
        Some(())
    }

    /// `[dst] = [op0] - number`
    #[inline(always)]
    fn subtract_small(&mut self, dst: u64, op0: u64, number: u32) -> Option<()> {
        match self.known(op0) {
            Some(value) => match value.minus_small(number) {
                Some(rest) => self.assert(dst, rest)?,
                None => self.move_far(dst, op0, number, false)?,
            },
            None => match self.known(dst)?.plus_small(number) {
                Some(sum) => self.assert(op0, sum)?,
                None => self.move_far(op0, dst, number, true)?,
            },
        }
        self.touch(dst);
        self.touch(op0);
        Some(())
    }

    /// `[to] = [from] + number`, or `- number`, where that is not just a sum of the lowest limbs.
    #[inline(never)]
    fn move_far(&mut self, to: u64, from: u64, number: u32, up: bool) -> Option<()> {
        let (value, number) = (self.known(from)?, VmCell::small(u64::from(number)));
        let moved = if up { value.plus(&number)? } else { value.minus(&number)? };
        self.assert(to, moved)
    }

    /// `[dst] = [op0] + [op1]`
    #[inline(never)]
    fn add_cells(&mut self, dst: u64, op0: u64, op1: u64) -> Option<()> {
        match (self.known(op0), self.known(op1)) {
            (Some(a), Some(b)) => self.assert(dst, a.plus(&b)?),
            (None, Some(b)) => {
                let value = self.known(dst)?.minus(&b)?;
                self.assert(op0, value)
            }
            (Some(a), None) => {
                let value = self.known(dst)?.minus(&a)?;
                self.assert(op1, value)
            }
            (None, None) => None,
        }
    }

    /// `[dst] = [op0] * factor`
    #[inline(never)]
    fn multiply(&mut self, dst: u64, op0: u64, factor: VmCell) -> Option<()> {
        let product = self.known(op0)?.times(&factor)?;
        self.assert(dst, product)
    }

    /// The word behind the instruction.
    #[inline(always)]
    fn immediate(&self, pc: u64) -> Option<&VmCell> {
        self.code.get(index(pc)?.wrapping_add(1))
    }

    /// The value of a cell of the execution segment.
    #[inline(always)]
    fn known(&self, place: u64) -> Option<VmCell> {
        let cell = self.execution.get(index(place)?)?;
        // Only where marks are made there are any.
        if EXACT { cell.value() } else { cell.is_known().then_some(*cell) }
    }

    /// Writes a cell of the execution segment, or checks that it holds the same.
    #[inline(always)]
    fn assert(&mut self, place: u64, value: VmCell) -> Option<()> {
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

/// A place relative to a register. Below the first one there is none, and no cell at what it wraps around to.
#[inline(always)]
fn place(base: u64, offset: i16) -> u64 {
    base.wrapping_add_signed(i64::from(offset))
}

#[inline(always)]
pub(super) fn index(place: u64) -> Option<usize> {
    usize::try_from(place).ok()
}
