//! Memory cells: 32 bytes, which hold a number, an address or nothing.
//!
//! A number takes 252 of the 256 bits; the other four are tags. A cell of zeros is empty, so zeroed memory is
//! empty.

use starknet_types_core::felt::Felt;

use super::number::field::{
    Limbs, PRIME_TOP_LIMB, add, add_below_prime, as_u64, from_felt, from_u64, mul, neg, offset_add, sub,
    to_felt,
};
use crate::syscall::{Pointer, Value};

/// A cell of memory, or the value of one. A value carries neither of the two marks (accessed, deduced).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct VmCell([u64; 4]);

const KNOWN: u64 = 1 << 63;
const POINTER: u64 = 1 << 62;
/// The mark of cells that an instruction accessed: they are not memory holes.
const ACCESSED: u64 = 1 << 61;
/// The mark of cells that the builtin deduced: they need no verification at the end.
const DEDUCED: u64 = 1 << 60;
const MARKS: u64 = ACCESSED | DEDUCED;
const TAGS: u64 = KNOWN | POINTER | MARKS;

impl VmCell {
    /// The empty cell.
    pub(super) const EMPTY: Self = Self([0; 4]);

    /// A cell that holds a number.
    #[inline]
    pub(super) const fn number([a, b, c, d]: Limbs) -> Self {
        Self([a, b, c, d | KNOWN])
    }

    /// A cell that holds a number of 64 bits.
    #[inline]
    pub(super) const fn small(value: u64) -> Self {
        Self::number(from_u64(value))
    }

    /// A cell that holds an address.
    #[inline]
    pub(super) const fn pointer(segment: u64, offset: u64) -> Self {
        Self([offset, segment, 0, KNOWN | POINTER])
    }

    /// Returns `true` if the cell holds a value.
    #[inline]
    pub(super) fn is_known(&self) -> bool {
        self.0[3] & KNOWN != 0
    }

    /// The value, without marks; `None` if the cell is empty.
    #[inline(always)]
    pub(super) fn value(&self) -> Option<Self> {
        self.is_known().then_some(self.unmarked())
    }

    /// The cell without marks.
    #[inline(always)]
    pub(super) fn unmarked(&self) -> Self {
        let [a, b, c, d] = self.0;
        Self([a, b, c, d & !MARKS])
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

    /// Returns `true` if the value is the number zero.
    #[inline]
    pub(super) fn is_zero(&self) -> bool {
        let [a, b, c, d] = self.0;
        a | b | c == 0 && d & !MARKS == KNOWN
    }

    /// The bits of the value, for use as a map key.
    pub(super) fn bits(&self) -> [u64; 4] {
        let [a, b, c, d] = self.0;
        [a, b, c, d & !MARKS]
    }

    /// Returns `true` if two cells hold the same value or both are empty. Marks are ignored.
    #[inline(always)]
    pub(super) fn same(&self, other: &Self) -> bool {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        (a0 ^ b0) | (a1 ^ b1) | (a2 ^ b2) | ((a3 ^ b3) & !MARKS) == 0
    }

    /// `self + other` of two numbers. `None` unless a cheap check shows that the sum is below the prime.
    #[inline(always)]
    pub(super) fn plus_below_prime(&self, other: &Self) -> Option<Self> {
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, other.0);
        ((a3 | b3) & POINTER == 0).then_some(())?;
        add_below_prime(&[a0, a1, a2, a3 & !TAGS], &[b0, b1, b2, b3 & !TAGS]).map(Self::number)
    }

    /// `self + other`. `None` for the sum of two addresses, and for an offset below 0 or above 64 bits.
    #[inline(never)]
    pub(super) fn plus(&self, other: &Self) -> Option<Self> {
        match (self.as_pointer(), other.as_pointer()) {
            (None, None) => Some(Self::number(add(&self.as_number()?, &other.as_number()?))),
            (Some((segment, offset)), None) => {
                Some(Self::pointer(segment, offset_add(offset, &other.as_number()?)?))
            }
            (None, Some((segment, offset))) => {
                Some(Self::pointer(segment, offset_add(offset, &self.as_number()?)?))
            }
            (Some(_), Some(_)) => None,
        }
    }

    /// `self + number`, of a number or an address. `None` if the sum changes more than the lowest limb.
    #[inline(always)]
    pub(super) fn plus_small(&self, number: u32) -> Option<Self> {
        let [a0, a1, a2, a3] = self.0;
        // With the highest limb below `PRIME_TOP_LIMB`, the number and the sum are below the prime.
        (a3 & !TAGS != PRIME_TOP_LIMB).then_some(())?;
        Some(Self([a0.checked_add(u64::from(number))?, a1, a2, a3]))
    }

    /// `self - number`, of a number or an address. `None` if the difference changes more than the lowest
    /// limb.
    #[inline(always)]
    pub(super) fn minus_small(&self, number: u32) -> Option<Self> {
        let [a0, a1, a2, a3] = self.0;
        Some(Self([a0.checked_sub(u64::from(number))?, a1, a2, a3]))
    }

    /// `self - other`. `None` for addresses of different segments, and for an offset below 0 or above 64
    /// bits.
    #[inline(never)]
    pub(super) fn minus(&self, other: &Self) -> Option<Self> {
        match (self.as_pointer(), other.as_pointer()) {
            (None, None) => Some(Self::number(sub(&self.as_number()?, &other.as_number()?))),
            (Some((segment, offset)), None) => {
                Some(Self::pointer(segment, offset_add(offset, &neg(&other.as_number()?))?))
            }
            (Some((segment, offset)), Some((of, start))) if segment == of => {
                Some(match offset.checked_sub(start) {
                    Some(distance) => Self::small(distance),
                    None => Self::number(neg(&from_u64(start.wrapping_sub(offset)))),
                })
            }
            _ => None,
        }
    }

    /// `self * other`. `None` unless both are numbers.
    #[inline]
    pub(super) fn times(&self, other: &Self) -> Option<Self> {
        Some(Self::number(mul(&self.as_number()?, &other.as_number()?)))
    }

    /// Marks the cell as accessed by an instruction.
    #[inline]
    pub(super) fn mark_accessed(&mut self) {
        self.0[3] |= ACCESSED;
    }

    /// Returns `true` if the cell holds a value and an instruction accessed it.
    #[inline]
    pub(super) fn is_accessed(&self) -> bool {
        self.0[3] & (ACCESSED | KNOWN) == ACCESSED | KNOWN
    }

    /// Marks the value as deduced by the builtin.
    pub(super) fn mark_deduced(&mut self) {
        self.0[3] |= DEDUCED;
    }

    /// Returns `true` if the builtin deduced the value.
    pub(super) fn is_deduced(&self) -> bool {
        self.0[3] & DEDUCED != 0
    }

    /// A cell that holds a felt.
    pub(super) fn of_felt(felt: &Felt) -> Self {
        Self::number(from_felt(felt))
    }

    /// The felt, if it is a number.
    pub(super) fn as_felt(&self) -> Option<Felt> {
        self.as_number().map(|limbs| to_felt(&limbs))
    }

    /// The number, if it fits in 64 bits.
    pub(super) fn as_u64(&self) -> Option<u64> {
        as_u64(&self.as_number()?)
    }

    /// A cell that holds a value of a syscall. `None` for addresses in temporary segments, which `fast` does
    /// not support.
    pub(super) fn of_value(value: Value) -> Option<Self> {
        Some(match value {
            Value::Felt(felt) => Self::of_felt(&felt),
            Value::Pointer(pointer) => {
                Self::pointer(u64::try_from(pointer.segment).ok()?, u64::try_from(pointer.offset).ok()?)
            }
        })
    }

    /// The value of the cell as syscalls see it.
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
    fn arithmetic_matches_the_field() {
        let numbers = [0, 1, 2, 7, u128::from(u64::MAX), 1 << 64, u128::MAX].map(Felt::from);
        let numbers: Vec<Felt> = numbers.into_iter().chain(numbers.map(|number| -number)).collect();
        for a in &numbers {
            for small in [0_u32, 1, 2, 7, u32::MAX >> 1] {
                let sum = VmCell::of_felt(a).plus_small(small);
                assert!(sum.is_none_or(|sum| sum.as_felt() == Some(a + Felt::from(small))), "{a} + {small}");
                let difference = VmCell::of_felt(a).minus_small(small);
                assert!(
                    difference.is_none_or(|cell| cell.as_felt() == Some(a - Felt::from(small))),
                    "{a} - {small}"
                );
            }
            for b in &numbers {
                let (x, y) = (VmCell::of_felt(a), VmCell::of_felt(b));
                assert_eq!(x.plus(&y).unwrap().as_felt(), Some(a + b), "{a} + {b}");
                assert_eq!(x.minus(&y).unwrap().as_felt(), Some(a - b), "{a} - {b}");
                assert_eq!(x.times(&y).unwrap().as_felt(), Some(a * b), "{a} * {b}");
            }
        }
        let at = |offset| VmCell::pointer(3, offset);
        let number = |felt: i64| VmCell::of_felt(&Felt::from(felt));
        for (sum, expected) in [
            (at(5).plus(&number(2)), Some(at(7))),
            (number(2).plus(&at(5)), Some(at(7))),
            (at(5).plus(&number(-2)), Some(at(3))),
            (at(5).plus(&number(-6)), None),
            (at(5).plus(&at(5)), None),
            (at(5).plus_small(2), Some(at(7))),
            (at(u64::MAX).plus_small(2), None),
            (at(5).minus_small(5), Some(at(0))),
            (at(5).minus_small(6), None),
            (at(5).minus(&number(6)), None),
            (at(5).minus(&at(2)), Some(number(3))),
            (at(2).minus(&at(5)), Some(number(-3))),
            (at(2).minus(&VmCell::pointer(4, 1)), None),
            (at(2).times(&number(1)), None),
        ] {
            assert_eq!(sum.map(|sum| sum.0), expected.map(|expected| expected.0));
        }
    }

    #[test]
    fn values_round_trip_and_ignore_marks() {
        let pointer = Value::Pointer(Pointer { segment: 7, offset: usize::MAX });
        for value in [Value::Felt(Felt::MAX), Value::Felt(Felt::ZERO), Value::Felt(Felt::from(5)), pointer] {
            let cell = VmCell::of_value(value).unwrap();
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
        assert!(!VmCell::small(0).same(&VmCell::EMPTY));
        assert!(!VmCell::pointer(0, 5).same(&VmCell::small(5)));
        assert_eq!(VmCell::EMPTY.to_value(), None);
        let mut accessed = VmCell::EMPTY;
        accessed.mark_accessed();
        assert!(!accessed.is_known() && !accessed.is_accessed() && accessed.value().is_none());
    }
}
