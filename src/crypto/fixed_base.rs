//! Fixed-base multiplication: precomputed window tables of known points.

use super::curve::{Point, XyzzPoint, batch_to_affine};
use super::limbs::Limbs;
use super::scalar_mul::{SCALAR_BITS, doublings, scalar_mul, shifted_right};

/// Scalar bits per window.
const WINDOW_BITS: u32 = 9;
/// Entries per window: the upper half of its values; the lower half are their negatives.
const WINDOW_ENTRIES: usize = 1 << (WINDOW_BITS - 1);
const _: () = assert!(SCALAR_BITS.is_multiple_of(WINDOW_BITS as usize), "windows have equal widths");

/// A table that computes `sum of bit_i * base_i` over fixed bases in 28 additions. 459 KB.
///
/// A bit `b` is recoded as `(1 + s) / 2` with a sign `s`: the sum is half the sum of all bases (the offset)
/// plus or minus each halved base. Nine signs form a window; of each pair of opposite window values the table
/// holds one.
#[derive(Debug)]
pub(super) struct FixedBaseTable {
    windows: Vec<[Point; WINDOW_ENTRIES]>,
    /// Half the sum of all bases.
    offset: Point,
}

impl FixedBaseTable {
    /// Builds the table from the halves of the 252 bases, lowest bit first. No window value may be infinity,
    /// which holds for doublings of points without a known discrete-logarithm relation.
    pub(super) fn new(halves: &[Point]) -> Self {
        let mut offset = XyzzPoint::INFINITY;
        halves.iter().for_each(|half| offset.add(half));
        let windows = halves.chunks(WINDOW_BITS as usize).map(Self::window).collect();
        Self { windows, offset: offset.to_affine().unwrap_or_default() }
    }

    /// The entries of a window: the top half-base plus or minus each of the others. Bit `i` of the index is
    /// the sign of base `i`.
    fn window(halves: &[Point]) -> [Point; WINDOW_ENTRIES] {
        let mut entries = [Point::default(); WINDOW_ENTRIES];
        let Some((top, lower)) = halves.split_last() else { return entries };
        let mut sums = vec![XyzzPoint::from_affine(top)];
        for half in lower {
            let with = |half: Point| sums.iter().map(move |sum| sum.plus(&half));
            sums = with(half.negated_if(true)).chain(with(*half)).collect();
        }
        for (entry, point) in entries.iter_mut().zip(batch_to_affine(&sums)) {
            *entry = point;
        }
        entries
    }

    /// The offset, to which [`Self::add`] adds.
    pub(super) fn offset(&self) -> &Point {
        &self.offset
    }

    /// Adds `sum of bit_i * base_i`, minus the offset, to `sum`.
    #[inline]
    pub(super) fn add(&self, scalar: &Limbs, sum: &mut XyzzPoint) {
        let mut remainder = *scalar;
        let entries = self.windows.iter().map(|window| {
            let [value, ..] = remainder;
            remainder = shifted_right(&remainder, WINDOW_BITS);
            // A value of the lower half is the negative of its complement.
            let negate = value >> (WINDOW_BITS - 1) & 1 == 0;
            let complement = u64::from(negate).wrapping_neg();
            let index = ((value ^ complement) as usize) % WINDOW_ENTRIES;
            window.get(index).copied().unwrap_or_default().negated_if(negate)
        });
        // Software pipelining: an entry is loaded one addition early, as the tables exceed the L1 cache.
        let mut loaded = None;
        for entry in entries {
            if let Some(previous) = loaded.replace(entry) {
                sum.add(&previous);
            }
        }
        if let Some(last) = loaded {
            sum.add(&last);
        }
    }
}

/// The scalar that halves a point: half the order of the group, rounded up.
const HALF: Limbs =
    [0x0f33_5120_d6e3_2698, 0xdbc0_8936_e573_d919, 0x7fff_ffff_ffff_ffff, 0x0400_0000_0000_0008];

/// The halves of the point and of its doublings, `count` points.
pub(super) fn halved_doublings(point: &Point, count: usize) -> Vec<Point> {
    let mut sums = vec![scalar_mul(point, &HALF)];
    sums.extend(doublings(point, count.saturating_sub(1)));
    batch_to_affine(&sums)
}

#[cfg(test)]
mod tests {
    use starknet_types_core::felt::Felt;

    use super::super::test_values::edges;
    use super::*;

    #[test]
    fn a_table_of_doublings_multiplies_by_a_scalar() {
        let point = scalar_mul(&Point::generator(), &[0x1234_5678_9abc_def0, 0, 0, 0]).to_affine().unwrap();
        let table = FixedBaseTable::new(&halved_doublings(&point, SCALAR_BITS));
        let powers = (0..252_u32).map(|bit| Felt::TWO.pow(bit));
        for scalar in edges().into_iter().chain(powers) {
            let mut sum = XyzzPoint::from_affine(table.offset());
            table.add(&scalar.to_le_digits(), &mut sum);
            let expected = scalar_mul(&point, &scalar.to_le_digits());
            assert_eq!(sum.to_affine(), expected.to_affine(), "{scalar:#x}");
        }
    }
}
