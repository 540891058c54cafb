//! Multiplication of an arbitrary point by a scalar, in width-5 non-adjacent form (wNAF).

use super::curve::{JacobianPoint, Point, XyzzPoint, batch_to_affine};
use super::limbs::Limbs;

/// Bits of a scalar: field elements have 252.
pub(super) const SCALAR_BITS: usize = 252;

/// The width of the wNAF, and the number of odd multiples `1, 3, .. 15` that its digits need.
const DIGIT_BITS: u32 = 5;
const ODD_MULTIPLES: usize = 1 << (DIGIT_BITS - 2);

/// Computes `scalar * point` in XYZZ coordinates.
pub(super) fn scalar_mul(point: &Point, scalar: &Limbs) -> XyzzPoint {
    scalar_mul_jacobian(point, scalar).to_xyzz()
}

/// Computes `scalar * point` in Jacobian coordinates.
pub(super) fn scalar_mul_jacobian(point: &Point, scalar: &Limbs) -> JacobianPoint {
    let digits = wnaf(scalar);
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

/// The multiples of the point by 1, 3, .. 15.
fn odd_multiples(point: &Point) -> Vec<Point> {
    let twice = XyzzPoint::from_affine(point).doubled().to_affine().unwrap_or_default();
    let odd = std::iter::successors(Some(XyzzPoint::from_affine(point)), |sum| Some(sum.plus(&twice)));
    batch_to_affine(&odd.take(ODD_MULTIPLES).collect::<Vec<_>>())
}

/// The wNAF digits of a scalar, lowest first: each is 0 or odd and between -15 and 15, and of five in a row
/// at most one is not 0.
fn wnaf(scalar: &Limbs) -> [i8; SCALAR_BITS + 1] {
    let mut digits = [0; SCALAR_BITS + 1];
    let mut remainder = *scalar;
    for digit in &mut digits {
        let [low, ..] = remainder;
        if low & 1 == 1 {
            // The low five bits, sign-extended; subtracting a negative digit carries into the higher bits.
            let unused = u64::BITS.wrapping_sub(DIGIT_BITS);
            let signed = low.wrapping_shl(unused).cast_signed().wrapping_shr(unused);
            *digit = i8::try_from(signed).unwrap_or_default();
            remainder = subtract_small(&remainder, signed);
        }
        remainder = shifted_right(&remainder, 1);
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

/// `number >> bits`, where `bits` is between 1 and 63.
#[inline]
pub(super) fn shifted_right([a, b, c, d]: &Limbs, bits: u32) -> Limbs {
    let high = u64::BITS.wrapping_sub(bits);
    let join = |low: u64, next: u64| low.wrapping_shr(bits) | next.wrapping_shl(high);
    [join(*a, *b), join(*b, *c), join(*c, *d), d.wrapping_shr(bits)]
}

/// The point and its doublings: `count` points, each the double of the one before.
pub(super) fn doublings(point: &Point, count: usize) -> impl Iterator<Item = XyzzPoint> {
    std::iter::successors(Some(XyzzPoint::from_affine(point)), |sum| Some(sum.doubled())).take(count)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use starknet_types_core::curve::ProjectivePoint;
    use starknet_types_core::felt::Felt;

    use super::super::test_values::{edges, felt};
    use super::*;

    /// The product, computed by `starknet-types-core`.
    fn expected(point: &Point, scalar: &Felt) -> Option<Point> {
        let point = ProjectivePoint::from_affine(point.x.to_felt(), point.y.to_felt()).unwrap();
        let product = (&point * *scalar).to_affine().ok()?;
        Some(Point::from_felts(&product.x(), &product.y()))
    }

    fn other_point() -> Point {
        expected(&Point::generator(), &Felt::from(0x1234_5678_9abc_def0_u64)).unwrap()
    }

    #[test]
    fn edge_scalars_are_multiplied() {
        let point = other_point();
        let small = (0..70_u32).map(Felt::from);
        let powers = (0..252_u32).map(|bit| Felt::TWO.pow(bit));
        for scalar in edges().into_iter().chain(small).chain(powers) {
            assert_eq!(
                scalar_mul(&point, &scalar.to_le_digits()).to_affine(),
                expected(&point, &scalar),
                "{scalar:#x}"
            );
        }
    }

    proptest! {
        #[test]
        fn any_scalar_is_multiplied(scalar in felt(), of in felt()) {
            let Some(point) = expected(&Point::generator(), &of) else { return Ok(()) };
            prop_assert_eq!(scalar_mul(&point, &scalar.to_le_digits()).to_affine(), expected(&point, &scalar));
        }

        #[test]
        fn wnaf_digits_are_sparse_and_sum_to_the_scalar(scalar in felt()) {
            let digits = wnaf(&scalar.to_le_digits());
            for run in digits.windows(DIGIT_BITS as usize) {
                prop_assert!(run.iter().filter(|digit| **digit != 0).count() <= 1);
            }
            prop_assert!(digits.iter().all(|digit| *digit == 0 || digit % 2 != 0 && digit.abs() < 16));
            let number = digits.iter().rev().fold(Felt::ZERO, |number, digit| number.double() + Felt::from(*digit));
            prop_assert_eq!(number, scalar);
        }
    }
}
