//! An element of the Stark field in Montgomery form.

use starknet_types_core::felt::Felt;

use super::inverse;
use super::lazy::Lazy;
use super::limbs::{
    Limbs, add, add_prime_if_negative, montgomery, montgomery_product, reduce_once, subtract,
};

/// A field element `n`, stored as `n * 2^256` modulo the prime, fully reduced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Element(Limbs);

impl Element {
    /// 0.
    pub const ZERO: Self = Self([0; 4]);
    /// 1.
    pub const ONE: Self = Self([0xffff_ffff_ffff_ffe1, u64::MAX, u64::MAX, 0x07ff_ffff_ffff_fdf0]);
    /// The Montgomery form of 2^256: 2^512 modulo the prime.
    const R2: Self =
        Self([0xffff_fd73_7e00_0401, 0x0000_0001_330f_ffff, 0xffff_ffff_ff6f_8000, 0x07ff_d4ab_5e00_8810]);

    /// The Montgomery form of 2^512: 2^768 modulo the prime.
    const R3: Self =
        Self([0xcc71_77d1_406d_f18e, 0x7545_7066_77ff_cc06, 0xf47d_84f8_3630_0018, 0x038e_5f79_873c_0a6d]);

    /// The element of any 256-bit number, reduced modulo the prime.
    #[inline]
    pub fn from_limbs(number: &Limbs) -> Self {
        Self(reduce_once(&montgomery_product(&Self::R2.0, number)))
    }

    /// The canonical form, below the prime.
    #[inline]
    pub fn to_limbs(self) -> Limbs {
        let [a, b, c, d] = self.0;
        reduce_once(&montgomery(&[a, b, c, d, 0, 0, 0, 0]))
    }

    /// The element of a felt, which has the same form with the limbs in reverse order.
    #[inline]
    pub fn from_felt(felt: &Felt) -> Self {
        let [d, c, b, a] = felt.to_raw();
        Self([a, b, c, d])
    }

    /// The felt.
    #[inline]
    pub fn to_felt(self) -> Felt {
        let [a, b, c, d] = self.0;
        Felt::from_raw([d, c, b, a])
    }

    /// `self + other`.
    #[inline]
    pub fn plus(&self, other: &Self) -> Self {
        Self(reduce_once(&add(&self.0, &other.0)))
    }

    /// `self - other`.
    #[inline]
    pub fn minus(&self, other: &Self) -> Self {
        Self(add_prime_if_negative(&subtract(&self.0, &other.0)))
    }

    /// `2 * self`.
    #[inline]
    pub fn double(&self) -> Self {
        self.plus(self)
    }

    /// `-self`.
    #[inline]
    pub fn negated(&self) -> Self {
        Self::ZERO.minus(self)
    }

    /// `self * other`.
    #[inline]
    pub fn times(&self, other: &Self) -> Self {
        Lazy::of(*self).times::<1, 2>(Lazy::of(*other)).reduced()
    }

    /// `self * self`.
    #[inline]
    pub fn squared(&self) -> Self {
        Lazy::of(*self).squared::<2>().reduced()
    }

    /// The element of a Montgomery form, which must be fully reduced.
    #[inline]
    pub(super) fn from_montgomery(form: Limbs) -> Self {
        Self(form)
    }

    /// The Montgomery form.
    #[inline]
    pub(super) const fn to_montgomery(self) -> Limbs {
        self.0
    }

    /// `self` or `-self`, without a branch.
    #[inline]
    pub(super) fn negated_if(&self, negate: bool) -> Self {
        let mask = u64::from(negate).wrapping_neg();
        let ([a0, a1, a2, a3], [b0, b1, b2, b3]) = (self.0, self.negated().0);
        Self([a0 ^ (a0 ^ b0) & mask, a1 ^ (a1 ^ b1) & mask, a2 ^ (a2 ^ b2) & mask, a3 ^ (a3 ^ b3) & mask])
    }

    /// `1 / self`; `None` for 0.
    pub fn inverse(&self) -> Option<Self> {
        // The inverse of the form `n * R` is `1 / (n * R)`; the Montgomery product with `R^3` is `R / n`.
        inverse::inverse(&self.0).map(|inverse| Self(inverse).times(&Self::R3))
    }

    /// Returns `true` if the element is 0.
    #[inline]
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 4]
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::super::test_values::{edges, felt};
    use super::*;

    fn check(a: Felt, b: Felt) {
        let (x, y) = (Element::from_felt(&a), Element::from_felt(&b));
        assert_eq!(x.to_felt(), a);
        assert_eq!(x.to_limbs(), a.to_le_digits());
        assert_eq!(Element::from_limbs(&a.to_le_digits()), x);
        assert_eq!(x.plus(&y).to_felt(), a + b);
        assert_eq!(x.minus(&y).to_felt(), a - b);
        assert_eq!(x.double().to_felt(), a + a);
        assert_eq!(x.negated().to_felt(), -a);
        assert_eq!(x.negated_if(true).to_felt(), -a);
        assert_eq!(x.negated_if(false).to_felt(), a);
        assert_eq!(x.times(&y).to_felt(), a * b);
        assert_eq!(x.squared().to_felt(), a * a);
        assert_eq!(x.inverse().map(Element::to_felt), a.inverse());
        assert_eq!(x.is_zero(), a == Felt::ZERO);
    }

    #[test]
    fn edges_of_the_field() {
        assert_eq!((Element::ZERO.to_felt(), Element::ONE.to_felt()), (Felt::ZERO, Felt::ONE));
        for a in edges() {
            for b in edges() {
                check(a, b);
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_felt_arithmetic(a in felt(), b in felt()) {
            check(a, b);
        }

        #[test]
        fn numbers_above_the_prime_are_reduced(number in any::<[u64; 4]>()) {
            let big = number.iter().rev().fold(BigUint::default(), |big, limb| (big << 64_u32) + limb);
            prop_assert_eq!(Element::from_limbs(&number).to_felt(), Felt::from(big));
        }
    }

    #[test]
    fn the_prime_and_the_largest_number_are_reduced() {
        let top = 0x0800_0000_0000_0011;
        assert_eq!(Element::from_limbs(&[1, 0, 0, top]), Element::ZERO);
        assert_eq!(Element::from_limbs(&[2, 0, 0, top]), Element::ONE);
        assert_eq!(Element::from_limbs(&[u64::MAX; 4]).to_felt(), Felt::from_bytes_be(&[0xff; 32]));
    }
}
