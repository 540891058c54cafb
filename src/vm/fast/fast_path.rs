//! The fast path: the common case of each instruction form that compilers emit.
//!
//! Input: an operation, the registers, the memory. Output: the registers after the step. `None` in all other
//! cases: an operand is unknown and cannot be deduced here, a check fails, or the execution segment must
//! grow. `Machine::step`, which implements all the rules, repeats such a step. Therefore a step must not
//! write anything before it returns `None` that the repeated step would not write as well.

use super::builtin::deduce_cell;
use super::cell::VmCell;
use super::decode::{Operation, OperationKind};
use super::memory::EXECUTION;
use super::segments::Segments;

/// The bound of the values to which instructions set `ap`, so that `ap` plus an offset never wraps around to
/// a valid cell. Increments by one or two cannot exceed 2^63 in practice. `fp` needs no bound: there is
/// always a known cell before it.
pub(super) const AP_LIMIT: u64 = 1 << 62;

/// The registers, as local variables of the loop.
#[derive(Clone, Copy)]
struct Registers {
    pc: u64,
    ap: u64,
    fp: u64,
}

/// The memory that the fast path works on. With `MARKS_ACCESSES`, cells that instructions access are marked.
pub(super) struct FastPath<'a, const MARKS_ACCESSES: bool> {
    /// The allocated part of the execution segment.
    pub execution: &'a mut [VmCell],
    pub segments: &'a mut Segments,
    pub code: &'a [VmCell],
    /// The cell after the code.
    pub prices: &'a VmCell,
}

impl<const MARKS_ACCESSES: bool> FastPath<'_, MARKS_ACCESSES> {
    /// Executes up to `limit` steps, the first one as an operation of the given kind, until a step needs
    /// `Machine::step`. Returns the number of executed steps.
    ///
    /// Never inlined, so that this loop has all of the processor's registers. `pc`, `ap` and `fp` are passed
    /// one by one: reading them as one wide value just after separate writes would stall on store forwarding.
    #[inline(never)]
    pub(super) fn run(
        mut self,
        operations: &[Operation],
        first: (&Operation, OperationKind),
        (pc, ap, fp): (&mut u64, &mut u64, &mut u64),
        limit: u64,
    ) -> u64 {
        let (mut operation, mut kind) = first;
        let (mut at, mut remaining) = (Registers { pc: *pc, ap: *ap, fp: *fp }, limit);
        while remaining > 0
            && let Some(next) = self.step(operation, kind, at)
        {
            at = next;
            remaining = remaining.wrapping_sub(1); // above 0, see the condition
            match index(at.pc).and_then(|pc| operations.get(pc)) {
                Some(next) => (operation, kind) = (next, next.kind),
                None => break,
            }
        }
        (*pc, *ap, *fp) = (at.pc, at.ap, at.fp);
        limit.wrapping_sub(remaining)
    }

    /// Executes a step; `None` if it needs `Machine::step`. The common case is inlined. Functions of the less
    /// common cases take offsets, not cells: a cell passed to a call would have to be spilled to the stack.
    #[inline(always)]
    fn step(&mut self, operation: &Operation, kind: OperationKind, at: Registers) -> Option<Registers> {
        let dst = || offset_from(if operation.dst_is_fp() { at.fp } else { at.ap }, operation.dst);
        let op0 = || offset_from(if operation.op0_is_fp() { at.fp } else { at.ap }, operation.op0);
        let op1 = || offset_from(if operation.op1_is_fp() { at.fp } else { at.ap }, operation.op1);
        let ap = || at.ap.wrapping_add(u64::from(operation.ap_step));
        let next = |size: u64| Registers { pc: at.pc.wrapping_add(size), ap: ap(), fp: at.fp };
        let jump = || Registers { pc: u64::from(operation.target), ap: ap(), fp: at.fp };
        match kind {
            OperationKind::General | OperationKind::WithHints => None,
            OperationKind::AssertImmediate => {
                let immediate = *self.immediate(at.pc)?;
                self.assert(dst(), immediate)?;
                Some(next(2))
            }
            OperationKind::AssertCell => {
                let (dst, op1) = (dst(), op1());
                match self.known(op1) {
                    Some(value) => self.assert(dst, value)?,
                    None => self.copy(op1, dst)?,
                }
                self.mark_accessed(dst);
                self.mark_accessed(op1);
                Some(next(1))
            }
            OperationKind::AssertDeref => {
                let (dst, op0) = (dst(), op0());
                let (segment, start) = self.execution.get(index(op0)?)?.as_pointer()?;
                let offset = start.checked_add_signed(i64::from(operation.op1))?;
                if segment == EXECUTION {
                    match self.known(offset) {
                        Some(value) => self.assert(dst, value)?,
                        None => self.copy(offset, dst)?,
                    }
                    self.mark_accessed(offset);
                } else {
                    self.assert_in_segment(dst, segment, offset)?;
                }
                self.mark_accessed(dst);
                self.mark_accessed(op0);
                Some(next(1))
            }
            OperationKind::AddImmediate => {
                self.add_immediate(dst(), op0(), at.pc)?;
                Some(next(2))
            }
            OperationKind::AddSmall => {
                self.add_small(dst(), op0(), operation.target)?;
                Some(next(2))
            }
            OperationKind::SubtractSmall => {
                self.subtract_small(dst(), op0(), operation.target)?;
                Some(next(2))
            }
            OperationKind::AddCells => {
                let (dst, op0, op1) = (dst(), op0(), op1());
                let sum = match (self.known(op0), self.known(op1)) {
                    (Some(a), Some(b)) => a.plus_below_prime(&b),
                    _ => None,
                };
                match sum {
                    Some(sum) => self.assert(dst, sum)?,
                    None => self.add_cells(dst, op0, op1)?,
                }
                self.mark_accessed(dst);
                self.mark_accessed(op0);
                self.mark_accessed(op1);
                Some(next(1))
            }
            OperationKind::MulImmediate => {
                let op0 = op0();
                self.multiply(dst(), op0, *self.immediate(at.pc)?)?;
                self.mark_accessed(op0);
                Some(next(2))
            }
            OperationKind::MulCells => {
                let (op0, op1) = (op0(), op1());
                self.multiply(dst(), op0, self.known(op1)?)?;
                self.mark_accessed(op0);
                self.mark_accessed(op1);
                Some(next(1))
            }
            OperationKind::AdvanceAp => {
                let ap = at.ap.wrapping_add(u64::from(operation.target));
                (ap < AP_LIMIT).then_some(Registers { pc: at.pc.wrapping_add(2), ap, fp: at.fp })
            }
            OperationKind::Jump => Some(jump()),
            OperationKind::JumpNotZero => {
                let dst = dst();
                let is_zero = self.execution.get(index(dst)?).filter(|cell| cell.is_known())?.is_zero();
                self.mark_accessed(dst);
                Some(if is_zero { next(2) } else { jump() })
            }
            OperationKind::Call => {
                self.assert(at.ap, VmCell::pointer(EXECUTION, at.fp))?;
                self.assert(at.ap.wrapping_add(1), VmCell::pointer(0, at.pc.wrapping_add(2)))?;
                let frame = at.ap.wrapping_add(2);
                Some(Registers { pc: u64::from(operation.target), ap: frame, fp: frame })
            }
            OperationKind::Return => {
                let pointer = |offset: u64| self.execution.get(index(offset)?)?.as_pointer();
                let (EXECUTION, fp) = pointer(at.fp.wrapping_sub(2))? else { return None };
                let (0, pc) = pointer(at.fp.wrapping_sub(1))? else { return None };
                let before_fp = self.execution.get(index(fp.wrapping_sub(1))?)?;
                if !(if MARKS_ACCESSES { before_fp.is_accessed() } else { before_fp.is_known() }) {
                    return None;
                }
                self.mark_accessed(at.fp.wrapping_sub(2));
                self.mark_accessed(at.fp.wrapping_sub(1));
                Some(Registers { pc, ap: ap(), fp })
            }
        }
    }

    /// `[to] = [from]`; `from` must be known.
    #[inline(never)]
    fn copy(&mut self, to: u64, from: u64) -> Option<()> {
        let value = self.known(from)?;
        self.assert(to, value)
    }

    /// `[dst] = [segment:offset]`, for any segment other than the execution segment.
    #[inline(never)]
    fn assert_in_segment(&mut self, dst: u64, segment: u64, offset: u64) -> Option<()> {
        if segment == 0 {
            let index = index(offset)?;
            let prices = || (index == self.code.len()).then_some(self.prices);
            let value = self.code.get(index).or_else(prices)?.value()?;
            return self.assert(dst, value);
        }
        let mut value = self.segments.cell(segment, offset).and_then(VmCell::value);
        // A builtin may deduce the cell.
        if value.is_none() && self.segments.deduces_cells(segment) {
            value = deduce_cell(self.segments, segment, offset).ok()?;
        }
        match value {
            Some(value) => self.assert(dst, value)?,
            None => {
                let value = self.execution.get(index(dst)?).filter(|cell| cell.is_known())?;
                self.segments.write(segment, index(offset)?, value)?.ok()?;
            }
        }
        if MARKS_ACCESSES && let Some(cell) = self.segments.cell_mut(segment, offset) {
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
        self.mark_accessed(dst);
        self.mark_accessed(op0);
        Some(())
    }

    /// `[dst] = [op0] + number`
    #[inline(always)]
    fn add_small(&mut self, dst: u64, op0: u64, number: u32) -> Option<()> {
        match self.known(op0) {
            Some(value) => match value.plus_small(number) {
                Some(sum) => self.assert(dst, sum)?,
                None => self.offset_with_carry(dst, op0, number, true)?,
            },
            None => match self.known(dst)?.minus_small(number) {
                Some(difference) => self.assert(op0, difference)?,
                None => self.offset_with_carry(op0, dst, number, false)?,
            },
        }
        self.mark_accessed(dst);
        self.mark_accessed(op0);
        Some(())
    }

    /// `[dst] = [op0] - number`
    #[inline(always)]
    fn subtract_small(&mut self, dst: u64, op0: u64, number: u32) -> Option<()> {
        match self.known(op0) {
            Some(value) => match value.minus_small(number) {
                Some(difference) => self.assert(dst, difference)?,
                None => self.offset_with_carry(dst, op0, number, false)?,
            },
            None => match self.known(dst)?.plus_small(number) {
                Some(sum) => self.assert(op0, sum)?,
                None => self.offset_with_carry(op0, dst, number, true)?,
            },
        }
        self.mark_accessed(dst);
        self.mark_accessed(op0);
        Some(())
    }

    /// `[to] = [from] + number`, or `- number`, if more than the lowest limb changes.
    #[inline(never)]
    fn offset_with_carry(&mut self, to: u64, from: u64, number: u32, up: bool) -> Option<()> {
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

    /// The word after the instruction.
    #[inline(always)]
    fn immediate(&self, pc: u64) -> Option<&VmCell> {
        self.code.get(index(pc)?.wrapping_add(1))
    }

    /// The value of a cell of the execution segment.
    #[inline(always)]
    fn known(&self, offset: u64) -> Option<VmCell> {
        let cell = self.execution.get(index(offset)?)?;
        // Without `MARKS_ACCESSES`, cells of the execution segment have no marks.
        if MARKS_ACCESSES { cell.value() } else { cell.is_known().then_some(*cell) }
    }

    /// Writes a cell of the execution segment, or checks that it holds the same value.
    #[inline(always)]
    fn assert(&mut self, offset: u64, value: VmCell) -> Option<()> {
        let cell = self.execution.get_mut(index(offset)?)?;
        if !cell.is_known() {
            *cell = value;
        } else if !cell.same(&value) {
            return None;
        }
        if MARKS_ACCESSES {
            cell.mark_accessed();
        }
        Some(())
    }

    /// Marks a cell of the execution segment as accessed.
    #[inline(always)]
    fn mark_accessed(&mut self, offset: u64) {
        if MARKS_ACCESSES && let Some(cell) = index(offset).and_then(|index| self.execution.get_mut(index)) {
            cell.mark_accessed();
        }
    }
}

/// The offset of an operand. A negative sum wraps around to an offset at which there is no cell.
#[inline(always)]
fn offset_from(register: u64, offset: i16) -> u64 {
    register.wrapping_add_signed(i64::from(offset))
}

#[inline(always)]
pub(super) fn index(offset: u64) -> Option<usize> {
    usize::try_from(offset).ok()
}
