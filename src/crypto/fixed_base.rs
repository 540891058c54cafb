//! Tables of known points: sums of their multiples with a few additions.

use super::curve::{Point, XyzzPoint, to_points};
use super::limbs::Limbs;
use super::scalar_mul::{SCALAR_BITS, doublings, scalar_mul, shifted_right};

/// Bits of a window of [`FixedBaseTable`].
const WINDOW_BITS: u32 = 9;
/// Entries of a window: the upper half of its values; the lower half are their negatives.
const WINDOW_ENTRIES: usize = 1 << (WINDOW_BITS - 1);
const _: () = assert!(SCALAR_BITS.is_multiple_of(WINDOW_BITS as usize), "a window is whole");

/// Tables that turn `sum of bit_i * base_i` into 28 additions, for bases that are known beforehand. 459 KB.
///
/// A bit `b` counts as `(1 + s) / 2` with a sign `s`: so the sum is half the sum of all bases, and each halved base added or
/// subtracted. Nine of these signs make a window; of the two opposite halves of its values the table holds one.
#[derive(Debug)]
pub(super) struct FixedBaseTable {
    windows: Vec<[Point; WINDOW_ENTRIES]>,
    /// Half the sum of all bases.
    offset: Point,
}

impl FixedBaseTable {
    /// The table for the halves of the 252 bases, lowest first. No sum of a window may be infinity: bases are doublings of
    /// points without a known relation.
    pub(super) fn new(halves: &[Point]) -> Self {
        let mut offset = XyzzPoint::INFINITY;
        halves.iter().for_each(|half| offset.add(half));
        let windows = halves.chunks(WINDOW_BITS as usize).map(Self::window).collect();
        Self { windows, offset: offset.to_point().unwrap_or_default() }
    }

    /// The top base plus or minus each of the others: bit `i` of an entry's index says that base `i` is added.
    fn window(halves: &[Point]) -> [Point; WINDOW_ENTRIES] {
        let mut entries = [Point::default(); WINDOW_ENTRIES];
        let Some((top, lower)) = halves.split_last() else { return entries };
        let mut sums = vec![XyzzPoint::of(top)];
        for half in lower {
            let with = |half: Point| sums.iter().map(move |sum| sum.plus(&half));
            sums = with(half.negated_if(true)).chain(with(*half)).collect();
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
    pub(super) fn add(&self, scalar: &Limbs, sum: &mut XyzzPoint) {
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
    let mut sums = vec![scalar_mul(point, &HALF)];
    sums.extend(doublings(point, count.saturating_sub(1)));
    to_points(&sums)
}

#[cfg(test)]
mod tests {
    use starknet_types_core::felt::Felt;

    use super::super::test_values::edges;
    use super::*;

    #[test]
    fn a_table_of_doublings_multiplies() {
        let point = scalar_mul(&Point::generator(), &[0x1234_5678_9abc_def0, 0, 0, 0]).to_point().unwrap();
        let table = FixedBaseTable::new(&halved_doublings(&point, SCALAR_BITS));
        let powers = (0..252_u32).map(|bit| Felt::TWO.pow(bit));
        for scalar in edges().into_iter().chain(powers) {
            let mut sum = XyzzPoint::of(table.offset());
            table.add(&scalar.to_le_digits(), &mut sum);
            let expected = scalar_mul(&point, &scalar.to_le_digits());
            assert_eq!(sum.to_point(), expected.to_point(), "{scalar:#x}");
        }
    }
}
