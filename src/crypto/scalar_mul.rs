//! Multiples of any point, by signed digits.

use super::curve::{JacobianPoint, Point, XyzzPoint, to_points};
use super::limbs::Limbs;

/// Bits of a scalar that count: a number of the field has 252.
pub(super) const SCALAR_BITS: usize = 252;

/// Bits of a signed digit, and the odd multiples `1, 3, .. 15` that such digits need.
const DIGIT_BITS: u32 = 5;
const ODD_MULTIPLES: usize = 1 << (DIGIT_BITS - 2);

/// `scalar * point`.
pub(super) fn scalar_mul(point: &Point, scalar: &Limbs) -> XyzzPoint {
    scalar_mul_jacobian(point, scalar).to_xyzz()
}

/// `scalar * point`, in the form that it comes in.
pub(super) fn scalar_mul_jacobian(point: &Point, scalar: &Limbs) -> JacobianPoint {
    let digits = signed_digits(scalar);
    let odd = odd_multiples(point);
    let mut sum = JacobianPoint::INFINITY;
    for digit in digits.iter().rev().skip_while(|digit| **digit == 0) {
        sum.double();
        if *digit != 0 {
            let multiple = odd.get(usize::from(digit.unsigned_abs() >> 1));
            sum.add(&multiple.copied().unwrap_or_default().negated_if(*digit < 0));
        }
    }
    sum
}

/// The point times 1, 3, 5 and so on.
fn odd_multiples(point: &Point) -> Vec<Point> {
    let twice = XyzzPoint::of(point).doubled().to_point().unwrap_or_default();
    let odd = std::iter::successors(Some(XyzzPoint::of(point)), |sum| Some(sum.plus(&twice)));
    to_points(&odd.take(ODD_MULTIPLES).collect::<Vec<_>>())
}

/// The scalar in digits, lowest first: each is 0 or odd and between -15 and 15, and at most one of five in a row is not 0.
fn signed_digits(scalar: &Limbs) -> [i8; SCALAR_BITS + 1] {
    let mut digits = [0; SCALAR_BITS + 1];
    let mut rest = *scalar;
    for digit in &mut digits {
        let [low, ..] = rest;
        if low & 1 == 1 {
            // The last bits as a signed number; where that is negative, what is too much is carried up.
            let unused = u64::BITS.wrapping_sub(DIGIT_BITS);
            let signed = low.wrapping_shl(unused).cast_signed().wrapping_shr(unused);
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
pub(super) fn shifted_right([a, b, c, d]: &Limbs, bits: u32) -> Limbs {
    let high = u64::BITS.wrapping_sub(bits);
    let join = |low: u64, next: u64| low.wrapping_shr(bits) | next.wrapping_shl(high);
    [join(*a, *b), join(*b, *c), join(*c, *d), d.wrapping_shr(bits)]
}

/// The point and its doublings, `count` in all.
pub(super) fn doublings(point: &Point, count: usize) -> impl Iterator<Item = XyzzPoint> {
    std::iter::successors(Some(XyzzPoint::of(point)), |sum| Some(sum.doubled())).take(count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use starknet_types_core::curve::ProjectivePoint;
    use starknet_types_core::felt::Felt;

    use super::super::test_values::{edges, felt};
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
                scalar_mul(&point, &scalar.to_le_digits()).to_point(),
                expected(&point, &scalar),
                "{scalar:#x}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_multiple(scalar in felt(), of in felt()) {
            let Some(point) = expected(&Point::generator(), &of) else { return Ok(()) };
            prop_assert_eq!(scalar_mul(&point, &scalar.to_le_digits()).to_point(), expected(&point, &scalar));
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
