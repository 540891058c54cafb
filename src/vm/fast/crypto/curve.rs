//! Points of the curve y^2 = x^3 + x + B, and the operation of the builtin.

use std::sync::OnceLock;

use super::montgomery::Element;
use crate::vm::fast::field::Limbs;

/// A point, not the one at infinity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Affine {
    pub x: Element,
    pub y: Element,
}

/// The point (X / ZZ, Y / ZZZ), where ZZ^3 = ZZZ^2; not the one at infinity. Formulas are those of the explicit-formulas database
/// under "XYZZ".
#[derive(Clone, Copy, Debug)]
pub(super) struct Point {
    x: Element,
    y: Element,
    zz: Element,
    zzz: Element,
}

/// B of the equation.
const B: Limbs = [0xf4cd_fcb9_9cee_9e89, 0x609a_d26c_15c9_15c1, 0x150e_596d_72f7_a8c5, 0x06f2_1413_efbe_40de];

impl Affine {
    /// From coordinates in canonical form; `None` if there is no such point.
    pub(super) fn new(x: &Limbs, y: &Limbs) -> Option<Self> {
        let point = Self { x: Element::new(x), y: Element::new(y) };
        let right = point.x.square() * point.x + point.x + Element::new(&B);
        (point.y.square() == right).then_some(point)
    }

    /// Twice the point. No point has y = 0: the order of the curve is odd.
    pub(super) fn double(&self) -> Point {
        Point::from(*self).double()
    }
}

impl From<Affine> for Point {
    fn from(point: Affine) -> Self {
        Self { x: point.x, y: point.y, zz: Element::ONE, zzz: Element::ONE }
    }
}

impl Point {
    /// Twice the point.
    pub(super) fn double(&self) -> Self {
        let u = self.y.double();
        let v = u.square();
        let w = u * v;
        let s = self.x * v;
        let xx = self.x.square();
        let m = xx.double() + xx + self.zz.square();
        let x = m.square() - s.double();
        Self { x, y: m * (s - x) - w * self.y, zz: v * self.zz, zzz: w * self.zzz }
    }

    /// The sum with a point of another x; `None` if it has the same.
    #[inline]
    pub(super) fn add_affine(&self, other: &Affine) -> Option<Self> {
        let p = other.x * self.zz - self.x;
        if p == Element::ZERO {
            return None;
        }
        let r = other.y * self.zzz - self.y;
        let pp = p.square();
        let ppp = p * pp;
        let q = self.x * pp;
        let x = r.square() - ppp - q.double();
        Some(Self { x, y: r * (q - x) - self.y * ppp, zz: self.zz * pp, zzz: self.zzz * ppp })
    }

    /// Whether the point has the x of another.
    fn has_x_of(&self, other: &Affine) -> bool {
        other.x * self.zz == self.x
    }

    /// X of this point and of another over a common denominator.
    fn common(&self, other: &Self) -> (Element, Element) {
        (self.x * other.zz, other.x * self.zz)
    }

    /// The sum with a point of another x, whose `common` is given.
    fn add_common(&self, other: &Self, (own, others): (Element, Element)) -> Self {
        let (s1, s2) = (self.y * other.zzz, other.y * self.zzz);
        let (p, r) = (others - own, s2 - s1);
        let pp = p.square();
        let ppp = p * pp;
        let q = own * pp;
        let x = r.square() - ppp - q.double();
        Self { x, y: r * (q - x) - s1 * ppp, zz: self.zz * other.zz * pp, zzz: self.zzz * other.zzz * ppp }
    }

    /// The coordinates.
    pub(super) fn affine(&self) -> Affine {
        let inverse = self.zzz.inverse();
        self.with_inverse(inverse)
    }

    /// The x coordinate in canonical form.
    pub(super) fn x(&self) -> Limbs {
        (self.x * self.zz.inverse()).limbs()
    }

    fn with_inverse(&self, inverse_zzz: Element) -> Affine {
        let inverse_z = self.zz * inverse_zzz;
        Affine { x: self.x * inverse_z.square(), y: self.y * inverse_zzz }
    }
}

/// The coordinates of many points, for the price of one inversion.
pub(super) fn all_affine(points: &[Point]) -> Vec<Affine> {
    let mut products = Vec::with_capacity(points.len());
    let mut product = Element::ONE;
    for point in points {
        products.push(product);
        product = product * point.zzz;
    }
    let mut inverse = product.inverse();
    let mut affine: Vec<Affine> = points
        .iter()
        .zip(&products)
        .rev()
        .map(|(point, before)| {
            let own = inverse * *before;
            inverse = inverse * point.zzz;
            point.with_inverse(own)
        })
        .collect();
    affine.reverse();
    affine
}

/// Bits of a scalar.
const BITS: usize = 252;

/// The generator, which signatures use more than any other point.
const GENERATOR: [Limbs; 2] = [
    [0x3d72_3d8b_c943_cfca, 0xdeac_fd9b_0d18_19e0, 0x7bec_ed41_5a40_f0c7, 0x01ef_15c1_8599_971b],
    [0x2873_000c_36e8_dc1f, 0xde53_ecd1_1abe_43a3, 0xb7be_4801_df46_ec62, 0x0056_6806_0aa4_9730],
];

/// The generator, doubled again and again.
fn generator_powers() -> &'static [Affine] {
    static POWERS: OnceLock<Vec<Affine>> = OnceLock::new();
    POWERS.get_or_init(|| {
        let [x, y] = GENERATOR;
        let first = Point::from(Affine { x: Element::new(&x), y: Element::new(&y) });
        let powers: Vec<Point> =
            std::iter::successors(Some(first), |point| Some(point.double())).take(BITS).collect();
        all_affine(&powers)
    })
}

/// `P + m * Q`, bit by bit as the proof system does it: it fails whenever two points with the same x meet on the way, even where
/// they need not be added. `None` if it fails, or if a point is not on the curve.
pub(in crate::vm::fast) fn ec_op([p_x, p_y, q_x, q_y, m]: &[Limbs; 5]) -> Option<(Limbs, Limbs)> {
    let mut sum = Point::from(Affine::new(p_x, p_y)?);
    let q = Affine::new(q_x, q_y)?;
    let bits = m.iter().flat_map(|limb| (0..64).map(move |bit| limb >> bit & 1 == 1)).take(BITS);
    let bits: Vec<bool> = bits.collect();
    let used = bits.iter().rposition(|bit| *bit).map_or(0, |last| last.saturating_add(1));
    if [*q_x, *q_y] == GENERATOR {
        for (bit, power) in bits.iter().take(used).zip(generator_powers()) {
            if sum.has_x_of(power) {
                return None;
            }
            if *bit {
                sum = sum.add_affine(power)?;
            }
        }
    } else {
        let mut doubled = Point::from(q);
        for bit in bits.iter().take(used) {
            let common = sum.common(&doubled);
            if common.0 == common.1 {
                return None;
            }
            if *bit {
                sum = sum.add_common(&doubled, common);
            }
            doubled = doubled.double();
        }
    }
    let sum = sum.affine();
    Some((sum.x.limbs(), sum.y.limbs()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use starknet_types_core::curve::ProjectivePoint;
    use starknet_types_core::felt::Felt;

    use super::*;
    use crate::vm::fast::field::{from_felt, to_felt};

    /// The operation by the crate that the judge uses.
    fn judged(p: (Felt, Felt), q: (Felt, Felt), m: &Felt) -> Option<(Felt, Felt)> {
        let mut sum = ProjectivePoint::from_affine(p.0, p.1).ok()?;
        let mut doubled = ProjectivePoint::from_affine(q.0, q.1).ok()?;
        let number = m.to_biguint();
        for bit in 0..number.bits() {
            if sum.x() * doubled.z() == sum.z() * doubled.x() {
                return None;
            }
            if number.bit(bit) {
                sum += &doubled;
            }
            doubled = doubled.double();
        }
        let point = sum.to_affine().ok()?;
        Some((point.x(), point.y()))
    }

    fn own(p: (Felt, Felt), q: (Felt, Felt), m: &Felt) -> Option<(Felt, Felt)> {
        let inputs = [p.0, p.1, q.0, q.1, *m].map(|felt| from_felt(&felt));
        ec_op(&inputs).map(|(x, y)| (to_felt(&x), to_felt(&y)))
    }

    fn generator_times(scalar: u64) -> (Felt, Felt) {
        let [x, y] = GENERATOR.map(|limbs| to_felt(&limbs));
        let point = &ProjectivePoint::from_affine(x, y).unwrap() * Felt::from(scalar);
        let point = point.to_affine().unwrap();
        (point.x(), point.y())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_operation_is_the_judges(p in 1..u64::MAX, q in prop_oneof![Just(1), 1..u64::MAX], m in any::<[u8; 32]>()) {
            let (p, q, m) = (generator_times(p), generator_times(q), Felt::from_bytes_be(&m));
            prop_assert_eq!(own(p, q, &m), judged(p, q, &m));
        }
    }

    #[test]
    fn small_multiples_meet_and_fail_as_they_must() {
        let mut failures = 0;
        for p in 1..9 {
            for q in 1..4 {
                for m in 0..9 {
                    let (p, q, m) = (generator_times(p), generator_times(q), Felt::from(m));
                    for p in [p, (p.0, -p.1)] {
                        assert_eq!(own(p, q, &m), judged(p, q, &m));
                        failures += u32::from(own(p, q, &m).is_none());
                    }
                }
            }
        }
        assert!(failures > 50, "only {failures} of them failed");
        let generator = generator_times(1);
        assert_eq!(own((generator.0, generator.1 + Felt::ONE), generator, &Felt::ONE), None);
        assert_eq!(
            own(generator_times(2), generator_times(5), &Felt::MAX),
            judged(generator_times(2), generator_times(5), &Felt::MAX)
        );
    }
}
