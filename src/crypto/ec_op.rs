//! The curve operation of the builtin: `P + m * Q`.
//!
//! The proof system makes it bit by bit, and fails whenever two points with the same first coordinate meet on the way, even
//! where they need not be added: with `S_i = P + (m mod 2^i) * Q`, it fails if `S_i` and `2^i * Q` share their first coordinate
//! for any `i` below the length of `m`. That is part of the behaviour: code can choose `P`, and see the failure. So each of
//! these tests is made here too, without divisions.
//!
//! **Except where `P` is this process's [secret point](super::blinding_point()).** Every curve computation of Cairo 1 starts
//! there: the compiler puts the hint that draws the point right in front of the operation and takes the point off at the end.
//! There a test fails only if `P = k * Q` for one of at most 504 numbers `k` that `m` gives. `Q` and `m` were chosen without
//! knowledge of `P`, which 128 random bits decide: the odds are below 2^-118 an operation (2^-240 on the network, which draws a
//! new point each time). So the group's own sum is as true to the network as the tests are; it takes a quarter less time, and
//! for the generator a third. No caller claims anything: who brings another `P` gets the tests. And should the sum be infinity,
//! which is no result, the tests are made after all, and one of them fails.
//!
//! The argument is about code that the Sierra compiler made, which has no way to look at the point, and the network runs no
//! other. CASM made by hand can read the point, and then say `2 * P` for `Q`: that has a sum here, where a test of the network's
//! fails. Who runs such code for others can have `cairo-vm` run it, which makes all tests.

use thiserror::Error;

use super::blinding_point::blinding_point;
use super::curve::{JacobianPoint, Point, XyzzPoint};
use super::generator::generator;
use super::limbs::Limbs;
use super::scalar_mul::scalar_mul;

/// Why the operation has no result.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum EcOpError {
    /// `P` or `Q`, the first that is wrong.
    #[error("a point is not on the curve")]
    NotOnCurve(Point),
    /// Two points with the same first coordinate met.
    #[error("the computation reached two points with the same x coordinate")]
    SameX {
        /// The sum so far.
        sum: Box<Point>,
        /// `Q`, doubled as often as it was until then.
        doubled: Box<Point>,
    },
    /// The sum is infinity. The tests leave no way there.
    #[error("the sum is infinity")]
    Infinity,
}

/// `P + m * Q`, for a number `m` below the prime.
///
/// # Errors
///
/// A point off the curve, or points with the same first coordinate, as the module says.
pub fn ec_op(p: &Point, q: &Point, m: &Limbs) -> Result<Point, EcOpError> {
    if let Some(wrong) = [p, q].into_iter().find(|point| !point.is_on_curve()) {
        return Err(EcOpError::NotOnCurve(*wrong));
    }
    if *p == blinding_point() {
        // Infinity is no result: a test must have failed before.
        if let Some(sum) = untested(p, q, m).to_point() {
            return Ok(sum);
        }
    }
    let generator = generator();
    if *q == generator.point { tested_doubled(p, &generator.doublings, m) } else { tested(p, q, m) }
}

/// The sum as the group says.
fn untested(p: &Point, q: &Point, m: &Limbs) -> XyzzPoint {
    let generator = generator();
    if *q != generator.point {
        return scalar_mul(q, m).plus(p);
    }
    generator.add_scalar_mul(XyzzPoint::of(p), m)
}

/// The bits of a number up to its highest one.
fn bits(m: &Limbs) -> impl Iterator<Item = bool> {
    let length = m.iter().zip([64_u32, 128, 192, 256]).map(|(limb, end)| match limb {
        0 => 0,
        limb => end.saturating_sub(limb.leading_zeros()),
    });
    let length = length.max().unwrap_or(0);
    m.iter().flat_map(|limb| (0..u64::BITS).map(move |bit| limb >> bit & 1 == 1)).take(length as usize)
}

/// Bit by bit, with the tests.
fn tested(p: &Point, q: &Point, m: &Limbs) -> Result<Point, EcOpError> {
    let (mut sum, mut doubled) = (XyzzPoint::of(p), JacobianPoint::of(q));
    for bit in bits(m) {
        let meeting = doubled.addition_setup(&sum);
        if meeting.has_same_x() {
            return Err(same_x(sum, doubled.to_xyzz()));
        }
        if bit {
            sum.add_jacobian(&doubled, &meeting);
        }
        doubled.double_with(&meeting);
    }
    sum.to_point().ok_or(EcOpError::Infinity)
}

/// Bit by bit, with the tests, where the doublings of `Q` are known.
fn tested_doubled(p: &Point, doublings: &[Point], m: &Limbs) -> Result<Point, EcOpError> {
    let mut sum = XyzzPoint::of(p);
    for (bit, doubled) in bits(m).zip(doublings) {
        let width = sum.width(doubled);
        if width.is_zero() {
            return Err(same_x(sum, XyzzPoint::of(doubled)));
        }
        if bit {
            sum.add_at(doubled, width);
        }
    }
    sum.to_point().ok_or(EcOpError::Infinity)
}

fn same_x(sum: XyzzPoint, doubled: XyzzPoint) -> EcOpError {
    // Neither is infinity: sums would have met their negative before, and no doubling of a point is infinity.
    let point = |sum: XyzzPoint| Box::new(sum.to_point().unwrap_or_default());
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

    fn library(point: &Point) -> ProjectivePoint {
        ProjectivePoint::from_affine(point.x.to_felt(), point.y.to_felt()).unwrap()
    }

    fn affine(point: &ProjectivePoint) -> Point {
        let point = point.to_affine().unwrap();
        Point::from_felts(&point.x(), &point.y())
    }

    /// `number * G`.
    fn point(number: &Felt) -> Point {
        affine(&(&library(&Point::generator()) * *number))
    }

    /// The builtin, bit by bit with the library's points.
    fn expected(p: &Point, q: &Point, m: &Felt) -> Result<Point, EcOpError> {
        let (mut sum, mut doubled) = (library(p), library(q));
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
    fn small_multiples_fail_where_the_builtin_fails() {
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

    /// `P` made so that the sum meets `2^i Q` or its negative at bit `i`: for each bit of a number.
    #[test]
    fn a_meeting_at_any_bit_is_seen() {
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
    fn no_test_is_missed_at_the_secret_point_where_the_sum_is_infinity() {
        let secret = blinding_point();
        let less_one = ORDER - Felt::ONE;
        assert!(matches!(ec_op(&secret, &secret, &less_one.to_le_digits()), Err(EcOpError::SameX { .. })));
    }

    #[test]
    fn points_off_the_curve_are_named() {
        let good = Point::generator();
        let (one, two) = (Point { x: good.y, y: good.x }, Point::default());
        assert_eq!(ec_op(&good, &one, &[0; 4]), Err(EcOpError::NotOnCurve(one)));
        assert_eq!(ec_op(&two, &good, &[0; 4]), Err(EcOpError::NotOnCurve(two)));
        assert_eq!(ec_op(&two, &one, &[1, 0, 0, 0]), Err(EcOpError::NotOnCurve(two)));
    }

    proptest! {
        #[test]
        fn it_is_the_builtins(p in felt(), q in felt(), m in felt()) {
            prop_assume!([p, q].iter().all(|log| *log != Felt::ZERO && *log != ORDER));
            for p in [point(&p), blinding_point()] {
                check(&p, &point(&q), &m);
                check(&p, &Point::generator(), &m);
            }
        }
    }
}
