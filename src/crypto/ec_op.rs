//! The EC_OP builtin: `P + m * Q`.
//!
//! The AIR of the builtin computes bit by bit and fails whenever the two points of a step have the same x
//! coordinate, even if the step adds nothing: with `S_i = P + (m mod 2^i) * Q`, it fails if `S_i` and
//! `2^i * Q` share their x coordinate for any `i` below the bit length of `m`. Code can choose `P` and
//! observe the failure, so the failure is consensus behaviour and every one of these checks is made here too,
//! without divisions.
//!
//! **The checks are skipped if `P` is this process's [blinding point](super::blinding_point()).** Every curve
//! computation of Cairo 1 starts at that point: the compiler emits the hint that draws it right before the
//! operation and subtracts the point at the end. From there a check fails only if `P = k * Q` for one of at
//! most 504 numbers `k` that `m` determines. `Q` and `m` are independent of `P`, which has 128 random bits:
//! the probability is below 2^-118 per operation (2^-240 with blockifier, which draws a new point for each).
//! Plain scalar multiplication takes a quarter less time than the checks, for the generator a third less.
//! Callers pass no flag: any other `P` gets the checks. If the sum is infinity, which is never a result, the
//! checks run after all, and one of them fails.
//!
//! This holds for code compiled from Sierra, which cannot inspect the point; a sequencer accepts no other
//! code. Hand-written CASM can read the point and pass `2 * P` as `Q`: that gives a sum here, where a check
//! of the reference implementation fails. A host that runs such code can select the cairo-vm engine, which
//! makes all checks.

use thiserror::Error;

use super::blinding_point::blinding_point;
use super::curve::{JacobianPoint, Point, XyzzPoint};
use super::generator::generator;
use super::limbs::Limbs;
use super::scalar_mul::scalar_mul;

/// The reason why the operation has no result.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EcOpError {
    /// `P` or `Q` is not on the curve; the first of the two that is not.
    #[error("a point is not on the curve")]
    NotOnCurve(Point),
    /// The two points of a step have the same x coordinate.
    #[error("the computation reached two points with the same x coordinate")]
    SameX {
        /// The partial sum.
        sum: Box<Point>,
        /// `2^i * Q` of that step.
        doubled: Box<Point>,
    },
    /// The sum is infinity. Unreachable: a check fails before.
    #[error("the sum is infinity")]
    Infinity,
}

/// Computes `P + m * Q` for a number `m` below the prime.
///
/// # Errors
///
/// Fails if a point is not on the curve or a step has two points with the same x coordinate.
pub fn ec_op(p: &Point, q: &Point, m: &Limbs) -> Result<Point, EcOpError> {
    if let Some(wrong) = [p, q].into_iter().find(|point| !point.is_on_curve()) {
        return Err(EcOpError::NotOnCurve(*wrong));
    }
    if *p == blinding_point() {
        // Infinity is never a result: a check fails before.
        if let Some(sum) = unchecked_sum(p, q, m).to_affine() {
            return Ok(sum);
        }
    }
    let generator = generator();
    if *q == generator.point {
        checked_sum_of_doublings(p, &generator.doublings, m)
    } else {
        checked_sum(p, q, m)
    }
}

/// The sum by the group law, without checks.
fn unchecked_sum(p: &Point, q: &Point, m: &Limbs) -> XyzzPoint {
    let generator = generator();
    if *q != generator.point {
        return scalar_mul(q, m).plus(p);
    }
    generator.add_scalar_mul(XyzzPoint::from_affine(p), m)
}

/// The bits of a number up to its highest set bit, lowest first.
fn bits(m: &Limbs) -> impl Iterator<Item = bool> {
    let length = m.iter().zip([64_u32, 128, 192, 256]).map(|(limb, end)| match limb {
        0 => 0,
        limb => end.saturating_sub(limb.leading_zeros()),
    });
    let length = length.max().unwrap_or(0);
    m.iter().flat_map(|limb| (0..u64::BITS).map(move |bit| limb >> bit & 1 == 1)).take(length as usize)
}

/// The sum bit by bit, with all checks.
fn checked_sum(p: &Point, q: &Point, m: &Limbs) -> Result<Point, EcOpError> {
    let (mut sum, mut doubled) = (XyzzPoint::from_affine(p), JacobianPoint::from_affine(q));
    for bit in bits(m) {
        let setup = doubled.addition_setup(&sum);
        if setup.has_same_x() {
            return Err(same_x(sum, doubled.to_xyzz()));
        }
        if bit {
            sum.add_jacobian(&doubled, &setup);
        }
        doubled.double_with(&setup);
    }
    sum.to_affine().ok_or(EcOpError::Infinity)
}

/// The sum bit by bit, with all checks, for precomputed doublings of `Q`.
fn checked_sum_of_doublings(p: &Point, doublings: &[Point], m: &Limbs) -> Result<Point, EcOpError> {
    let mut sum = XyzzPoint::from_affine(p);
    for (bit, doubled) in bits(m).zip(doublings) {
        let x_diff = sum.x_diff(doubled);
        if x_diff.is_zero() {
            return Err(same_x(sum, XyzzPoint::from_affine(doubled)));
        }
        if bit {
            sum.add_with(doubled, x_diff);
        }
    }
    sum.to_affine().ok_or(EcOpError::Infinity)
}

fn same_x(sum: XyzzPoint, doubled: XyzzPoint) -> EcOpError {
    // Neither is infinity: a partial sum would have failed a check before, and doublings of a point are never
    // infinity.
    let point = |sum: XyzzPoint| Box::new(sum.to_affine().unwrap_or_default());
    EcOpError::SameX { sum: point(sum), doubled: point(doubled) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use starknet_types_core::curve::ProjectivePoint;
    use starknet_types_core::felt::Felt;

    use super::super::test_values::{edges, felt};
    use super::*;

    /// The order of the group.
    const ORDER: Felt =
        Felt::from_hex_unchecked("0x800000000000010ffffffffffffffffb781126dcae7b2321e66a241adc64d2f");

    fn reference(point: &Point) -> ProjectivePoint {
        ProjectivePoint::from_affine(point.x.to_felt(), point.y.to_felt()).unwrap()
    }

    fn affine(point: &ProjectivePoint) -> Point {
        let point = point.to_affine().unwrap();
        Point::from_felts(&point.x(), &point.y())
    }

    /// `number * G`.
    fn point(number: &Felt) -> Point {
        affine(&(&reference(&Point::generator()) * *number))
    }

    /// The builtin, bit by bit on points of `starknet-types-core`.
    fn expected(p: &Point, q: &Point, m: &Felt) -> Result<Point, EcOpError> {
        let (mut sum, mut doubled) = (reference(p), reference(q));
        for bit in m.to_bits_le().into_iter().take(m.bits()) {
            if sum.x() * doubled.z() == sum.z() * doubled.x() {
                return Err(EcOpError::SameX { sum: affine(&sum).into(), doubled: affine(&doubled).into() });
            }
            if bit {
                sum += &doubled;
            }
            doubled = doubled.double();
        }
        Ok(affine(&sum))
    }

    fn check(p: &Point, q: &Point, m: &Felt) -> bool {
        let result = ec_op(p, q, &m.to_le_digits());
        assert_eq!(result, expected(p, q, m), "{p:?} + {m:#x} * {q:?}");
        result.is_ok()
    }

    #[test]
    fn small_multiples_fail_exactly_where_the_builtin_fails() {
        let points: Vec<Point> =
            (1..10_u32).flat_map(|n| [point(&Felt::from(n)), point(&(ORDER - Felt::from(n)))]).collect();
        let mut good = 0;
        let mut all = 0;
        for p in &points {
            for q in &points {
                for m in 0..20_u32 {
                    good += usize::from(check(p, q, &Felt::from(m)));
                    all += 1;
                }
            }
        }
        assert!(good > 500 && all - good > 500, "{good} of {all}");
    }

    /// `P` is chosen so that the partial sum equals `2^i Q` or its negative at bit `i`, for each bit of a
    /// scalar.
    #[test]
    fn equal_x_coordinates_are_found_at_any_bit() {
        let m =
            Felt::from_hex_unchecked("0x5d0f3c9a8b7e6d5c4b3a29181706f5e4d3c2b1a09f8e7d6c5b4a392817060504");
        for log in [Felt::ONE, Felt::from(0xabcd_ef01_u32)] {
            let q = point(&log);
            let mut before = num_bigint::BigUint::default();
            for bit in 0..m.bits() {
                for sign in [false, true] {
                    // p = +-2^i - (m mod 2^i), modulo the order.
                    let order = ORDER.to_biguint();
                    let power = num_bigint::BigUint::from(1_u8) << bit;
                    let start = if sign { &order * 2_u8 - &power } else { power } + &order - &before;
                    let start = start * log.to_biguint() % &order;
                    let p = point(&Felt::from(start));
                    assert!(!check(&p, &q, &m), "bit {bit}");
                }
                if m.to_bits_le()[bit] {
                    before += num_bigint::BigUint::from(1_u8) << bit;
                }
            }
        }
    }

    #[test]
    fn edges_of_the_scalar() {
        let (p, q) = (point(&Felt::from(77)), point(&Felt::from(1234)));
        for m in edges() {
            for p in [p, blinding_point()] {
                check(&p, &q, &m);
                check(&p, &Point::generator(), &m);
            }
        }
    }

    #[test]
    fn the_checks_run_if_the_sum_from_the_blinding_point_is_infinity() {
        let blinding = blinding_point();
        let less_one = ORDER - Felt::ONE;
        assert!(matches!(
            ec_op(&blinding, &blinding, &less_one.to_le_digits()),
            Err(EcOpError::SameX { .. })
        ));
    }

    #[test]
    fn points_off_the_curve_are_reported() {
        let good = Point::generator();
        let (one, two) = (Point { x: good.y, y: good.x }, Point::default());
        assert_eq!(ec_op(&good, &one, &[0; 4]), Err(EcOpError::NotOnCurve(one)));
        assert_eq!(ec_op(&two, &good, &[0; 4]), Err(EcOpError::NotOnCurve(two)));
        assert_eq!(ec_op(&two, &one, &[1, 0, 0, 0]), Err(EcOpError::NotOnCurve(two)));
    }

    proptest! {
        #[test]
        fn agrees_with_the_builtin(p in felt(), q in felt(), m in felt()) {
            prop_assume!([p, q].iter().all(|log| *log != Felt::ZERO && *log != ORDER));
            for p in [point(&p), blinding_point()] {
                check(&p, &point(&q), &m);
                check(&p, &Point::generator(), &m);
            }
        }
    }
}
