//! Memory cells: 32 bytes each, a number or an address or nothing.
//!
//! A number takes 252 of the 256 bits; the other four say what the cell is. A cell of zeros is empty, so fresh memory is empty.

use starknet_types_core::felt::Felt;

use super::field::{Limbs, as_u64, from_felt, small, to_felt};
use crate::syscall::{Pointer, Value};

/// A cell. As a value in flight it carries neither of the two marks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cell([u64; 4]);

const KNOWN: u64 = 1 << 63;
const POINTER: u64 = 1 << 62;
/// Touched by an instruction: such cells are no memory holes.
const ACCESSED: u64 = 1 << 61;
/// Computed by its builtin rather than written by the program: right without a check.
const DEDUCED: u64 = 1 << 60;
const MARKS: u64 = ACCESSED | DEDUCED;
const TAGS: u64 = KNOWN | POINTER | MARKS;

impl Cell {
    /// Nothing.
    pub(super) const EMPTY: Self = Self([0; 4]);

    /// A number.
    #[inline]
    pub(super) const fn number([a, b, c, d]: Limbs) -> Self {
        Self([a, b, c, d | KNOWN])
    }

    /// A small number.
    #[inline]
    pub(super) const fn small(value: u64) -> Self {
        Self::number(small(value))
    }

    /// An address.
    #[inline]
    pub(super) const fn pointer(segment: u64, offset: u64) -> Self {
        Self([offset, segment, 0, KNOWN | POINTER])
    }

    /// Whether there is a value.
    #[inline]
    pub(super) fn is_known(&self) -> bool {
        self.0[3] & KNOWN != 0
    }

    /// The value, without marks; `None` if there is none.
    #[inline]
    pub(super) fn value(&self) -> Option<Self> {
        let [a, b, c, d] = self.0;
        self.is_known().then_some(Self([a, b, c, d & !MARKS]))
    }

    /// The number, if it is one.
    #[inline]
    pub(super) fn as_number(&self) -> Option<Limbs> {
        let [a, b, c, d] = self.0;
        (d & (KNOWN | POINTER) == KNOWN).then_some([a, b, c, d & !TAGS])
    }

    /// Segment and offset, if it is an address.
    #[inline]
    pub(super) fn as_pointer(&self) -> Option<(u64, u64)> {
        let [offset, segment, _, d] = self.0;
        (d & POINTER != 0).then_some((segment, offset))
    }

    /// Whether it is the number zero.
    #[inline]
    pub(super) fn is_zero(&self) -> bool {
        let [a, b, c, d] = self.0;
        a | b | c == 0 && d & !MARKS == KNOWN
    }

    /// Whether two cells hold the same, marks aside.
    #[inline]
    pub(super) fn same(&self, other: &Self) -> bool {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        (a0 ^ b0) | (a1 ^ b1) | (a2 ^ b2) | ((a3 ^ b3) & !MARKS) == 0
    }

    /// Marks the cell as touched by an instruction.
    #[inline]
    pub(super) fn mark_accessed(&mut self) {
        self.0[3] |= ACCESSED;
    }

    /// Whether an instruction touched the cell, and it has a value.
    #[inline]
    pub(super) fn is_accessed(&self) -> bool {
        self.0[3] & (ACCESSED | KNOWN) == ACCESSED | KNOWN
    }

    /// Marks the value as its builtin's own.
    pub(super) fn mark_deduced(&mut self) {
        self.0[3] |= DEDUCED;
    }

    /// Whether the value is its builtin's own.
    pub(super) fn is_deduced(&self) -> bool {
        self.0[3] & DEDUCED != 0
    }

    /// A felt as a cell.
    pub(super) fn of_felt(felt: &Felt) -> Self {
        Self::number(from_felt(felt))
    }

    /// The felt, if it is a number.
    pub(super) fn as_felt(&self) -> Option<Felt> {
        self.as_number().map(|limbs| to_felt(&limbs))
    }

    /// The number, if it is one of 64 bits.
    pub(super) fn as_u64(&self) -> Option<u64> {
        as_u64(&self.as_number()?)
    }

    /// A syscall's value as a cell; `None` for addresses that this engine has not (temporary segments).
    pub(super) fn of_value(value: Value) -> Option<Self> {
        Some(match value {
            Value::Felt(felt) => Self::of_felt(&felt),
            Value::Pointer(pointer) => {
                Self::pointer(u64::try_from(pointer.segment).ok()?, u64::try_from(pointer.offset).ok()?)
            }
        })
    }

    /// What a syscall sees in the cell.
    pub(super) fn to_value(self) -> Option<Value> {
        if let Some((segment, offset)) = self.as_pointer() {
            let segment = isize::try_from(segment).ok()?;
            let offset = usize::try_from(offset).ok()?;
            return Some(Value::Pointer(Pointer { segment, offset }));
        }
        self.as_felt().map(Value::Felt)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_survive_and_marks_do_not_show() {
        let pointer = Value::Pointer(Pointer { segment: 7, offset: usize::MAX });
        for value in [Value::Felt(Felt::MAX), Value::Felt(Felt::ZERO), Value::Felt(Felt::from(5)), pointer] {
            let cell = Cell::of_value(value).unwrap();
            let mut marked = cell;
            marked.mark_accessed();
            marked.mark_deduced();
            assert!(marked.is_known() && marked.is_accessed() && marked.is_deduced());
            assert!(!cell.is_accessed() && !cell.is_deduced());
            assert!(marked.same(&cell) && marked.value().unwrap().same(&cell));
            assert_eq!(marked.to_value(), Some(value));
            assert_eq!(marked.is_zero(), value == Value::Felt(Felt::ZERO));
            assert_eq!(cell.as_number().is_some(), cell.as_pointer().is_none());
        }
        assert!(!Cell::small(0).same(&Cell::EMPTY));
        assert!(!Cell::pointer(0, 5).same(&Cell::small(5)));
        assert_eq!(Cell::EMPTY.to_value(), None);
        let mut touched = Cell::EMPTY;
        touched.mark_accessed();
        assert!(!touched.is_known() && !touched.is_accessed() && touched.value().is_none());
    }
}
