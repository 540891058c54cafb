//! Multiples of a point: of any point by signed windows, of a known one by a table.

use super::curve::{Doubled, Point, Sum, to_points};
use super::limbs::Limbs;

/// Bits of a scalar that count: a number of the field has 252.
pub(super) const SCALAR_BITS: usize = 252;

/// Bits of a signed digit, and the odd multiples `1, 3, .. 15` that such digits need.
const DIGIT_BITS: u32 = 5;
const ODD_MULTIPLES: usize = 1 << (DIGIT_BITS - 2);

/// `scalar * point`.
pub(super) fn multiple(point: &Point, scalar: &Limbs) -> Sum {
    let digits = signed_digits(scalar);
    let odd = odd_multiples(point);
    let mut sum = Doubled::INFINITY;
    for digit in digits.iter().rev().skip_while(|digit| **digit == 0) {
        sum.double();
        if *digit != 0 {
            let multiple = odd.get(usize::from(digit.unsigned_abs() >> 1));
            sum.add(&multiple.copied().unwrap_or_default().negated_if(*digit < 0));
        }
    }
    sum.to_sum()
}

/// The point times 1, 3, 5 and so on.
fn odd_multiples(point: &Point) -> Vec<Point> {
    let mut twice = Sum::of(point);
    twice.double();
    let twice = twice.to_point().unwrap_or_default();
    let mut sums = [Sum::of(point); ODD_MULTIPLES];
    let mut sum = Sum::of(point);
    for place in sums.iter_mut().skip(1) {
        sum.add(&twice);
        *place = sum;
    }
    to_points(&sums)
}

/// The scalar in digits, lowest first: each is 0 or odd and between -15 and 15, and at most one of five in a row is not 0.
fn signed_digits(scalar: &Limbs) -> [i8; SCALAR_BITS + 1] {
    let mut digits = [0; SCALAR_BITS + 1];
    let mut rest = *scalar;
    for digit in &mut digits {
        let [low, ..] = rest;
        if low & 1 == 1 {
            let window = low & ((1 << DIGIT_BITS) - 1);
            // From 16 on the digit is negative, and what is too little here is carried up.
            let signed = window.cast_signed().wrapping_sub(if window >> (DIGIT_BITS - 1) == 1 {
                1 << DIGIT_BITS
            } else {
                0
            });
            *digit = i8::try_from(signed).unwrap_or_default();
            rest = subtract_small(&rest, signed);
        }
        rest = shifted_right(&rest, 1);
    }
    digits
}

/// `number - small`.
fn subtract_small([a, b, c, d]: &Limbs, small: i64) -> Limbs {
    let sign = (small >> 63).cast_unsigned();
    let (a, borrow) = a.borrowing_sub(small.cast_unsigned(), false);
    let (b, borrow) = b.borrowing_sub(sign, borrow);
    let (c, borrow) = c.borrowing_sub(sign, borrow);
    let (d, _) = d.borrowing_sub(sign, borrow);
    [a, b, c, d]
}

/// The number without its lowest `bits`, which are more than 0 and fewer than 64.
#[inline]
fn shifted_right([a, b, c, d]: &Limbs, bits: u32) -> Limbs {
    let high = u64::BITS.wrapping_sub(bits);
    let join = |low: u64, next: u64| low.wrapping_shr(bits) | next.wrapping_shl(high);
    [join(*a, *b), join(*b, *c), join(*c, *d), d.wrapping_shr(bits)]
}

/// Bits of a window of [`Table`].
const WINDOW_BITS: u32 = 9;
/// Entries of a window: the upper half of its values; the lower half are their negatives.
const WINDOW_ENTRIES: usize = 1 << (WINDOW_BITS - 1);
/// Windows of a scalar.
const WINDOWS: usize = SCALAR_BITS.div_ceil(WINDOW_BITS as usize);

/// Tables that turn `sum of bit_i * base_i` into 28 additions, for bases that are known beforehand. 459 KB.
///
/// A bit `b` counts as `(1 + s) / 2` with a sign `s`: so the sum is half the sum of all bases, and each halved base added or
/// subtracted. Nine of these signs make a window; of the two opposite halves of its values the table holds one.
#[derive(Debug)]
pub(super) struct Table {
    windows: Vec<[Point; WINDOW_ENTRIES]>,
    /// Half the sum of all bases.
    offset: Point,
}

impl Table {
    /// The table for the halves of the 252 bases, lowest first.
    pub(super) fn new(halves: &[Point]) -> Self {
        let mut offset = Sum::INFINITY;
        halves.iter().for_each(|half| offset.add(half));
        let windows = halves.chunks(WINDOW_BITS as usize).map(Self::window).collect();
        Self { windows, offset: offset.to_point().unwrap_or_default() }
    }

    /// The top base plus or minus each of the others: bit `i` of an entry's index says that base `i` is added.
    fn window(halves: &[Point]) -> [Point; WINDOW_ENTRIES] {
        let mut entries = [Point::default(); WINDOW_ENTRIES];
        let Some((top, lower)) = halves.split_last() else { return entries };
        let mut sums = vec![Sum::of(top)];
        for half in lower {
            let plus = |(sum, negate): (&Sum, bool)| {
                let mut sum = *sum;
                sum.add(&half.negated_if(negate));
                sum
            };
            let less = sums.iter().map(|sum| plus((sum, true)));
            let more = sums.iter().map(|sum| plus((sum, false)));
            sums = less.chain(more).collect();
        }
        for (entry, point) in entries.iter_mut().zip(to_points(&sums)) {
            *entry = point;
        }
        entries
    }

    /// What to start a sum at, so that [`Self::add`] makes it whole.
    pub(super) fn offset(&self) -> &Point {
        &self.offset
    }

    /// Adds `sum of bit_i * base_i` without the offset.
    #[inline]
    pub(super) fn add(&self, scalar: &Limbs, sum: &mut Sum) {
        let mut rest = *scalar;
        let entries = self.windows.iter().map(|window| {
            let [value, ..] = rest;
            rest = shifted_right(&rest, WINDOW_BITS);
            // Values of the lower half are the negatives of their complements.
            let negate = value >> (WINDOW_BITS - 1) & 1 == 0;
            let complement = u64::from(negate).wrapping_neg();
            let index = ((value ^ complement) as usize) % WINDOW_ENTRIES;
            window.get(index).copied().unwrap_or_default().negated_if(negate)
        });
        // Each entry is read one addition early: tables do not fit the nearest cache.
        let mut due = None;
        for entry in entries {
            if let Some(due) = due.replace(entry) {
                sum.add(&due);
            }
        }
        if let Some(last) = due {
            sum.add(&last);
        }
    }
}

/// Half the order of the group, rounded up: what halves a point.
const HALF: Limbs =
    [0x0f33_5120_d6e3_2698, 0xdbc0_8936_e573_d919, 0x7fff_ffff_ffff_ffff, 0x0400_0000_0000_0008];

/// The point, and its doublings: `count` in all, each halved.
pub(super) fn halved_doublings(point: &Point, count: usize) -> Vec<Point> {
    let mut sums = vec![multiple(point, &HALF)];
    sums.extend(doublings(point, count.saturating_sub(1)));
    to_points(&sums)
}

/// The point and its doublings, `count` in all.
pub(super) fn doublings(point: &Point, count: usize) -> impl Iterator<Item = Sum> {
    std::iter::successors(Some(Sum::of(point)), |sum| {
        let mut sum = *sum;
        sum.double();
        Some(sum)
    })
    .take(count)
}

const _: () = assert!(SCALAR_BITS == WINDOWS * WINDOW_BITS as usize);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use starknet_types_core::curve::ProjectivePoint;
    use starknet_types_core::felt::Felt;

    use super::super::samples::{edges, felt};
    use super::*;

    /// What the library says.
    fn expected(point: &Point, scalar: &Felt) -> Option<Point> {
        let point = ProjectivePoint::from_affine(point.x.to_felt(), point.y.to_felt()).unwrap();
        let product = (&point * *scalar).to_affine().ok()?;
        Some(Point::from_felts(&product.x(), &product.y()))
    }

    fn other_point() -> Point {
        expected(&Point::generator(), &Felt::from(0x1234_5678_9abc_def0_u64)).unwrap()
    }

    #[test]
    fn multiples_at_the_edges() {
        let point = other_point();
        let small = (0..70_u32).map(Felt::from);
        let powers = (0..252_u32).map(|bit| Felt::TWO.pow(bit));
        for scalar in edges().into_iter().chain(small).chain(powers) {
            assert_eq!(
                multiple(&point, &scalar.to_le_digits()).to_point(),
                expected(&point, &scalar),
                "{scalar:#x}"
            );
        }
    }

    #[test]
    fn a_table_of_doublings_multiplies() {
        let point = other_point();
        let table = Table::new(&halved_doublings(&point, SCALAR_BITS));
        let powers = (0..252_u32).map(|bit| Felt::TWO.pow(bit));
        for scalar in edges().into_iter().chain(powers) {
            let mut sum = Sum::of(table.offset());
            table.add(&scalar.to_le_digits(), &mut sum);
            assert_eq!(sum.to_point(), expected(&point, &scalar), "{scalar:#x}");
        }
    }

    proptest! {
        #[test]
        fn any_multiple(scalar in felt(), of in felt()) {
            let Some(point) = expected(&Point::generator(), &of) else { return Ok(()) };
            prop_assert_eq!(multiple(&point, &scalar.to_le_digits()).to_point(), expected(&point, &scalar));
        }

        #[test]
        fn digits_are_sparse_and_whole(scalar in felt()) {
            let digits = signed_digits(&scalar.to_le_digits());
            for run in digits.windows(DIGIT_BITS as usize) {
                prop_assert!(run.iter().filter(|digit| **digit != 0).count() <= 1);
            }
            prop_assert!(digits.iter().all(|digit| *digit == 0 || digit % 2 != 0 && digit.abs() < 16));
            let number = digits.iter().rev().fold(Felt::ZERO, |number, digit| number.double() + Felt::from(*digit));
            prop_assert_eq!(number, scalar);
        }
    }
}
