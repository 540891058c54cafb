//! The field in Montgomery form, for long chains of products.
//!
//! The prime is 1 modulo 2^64 and has two limbs of zeros, so that a reduction takes one product of limbs instead of four.

use std::ops::{Add, Mul, Neg, Sub};

use crate::vm::fast::field::Limbs;

/// A number times 2^256, modulo the prime; always reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element(Limbs);

/// The prime's highest limb; the lowest is 1, the others 0.
const TOP: u64 = 0x0800_0000_0000_0011;
/// 2^512 modulo the prime.
const R2: Limbs =
    [0xffff_fd73_7e00_0401, 0x0000_0001_330f_ffff, 0xffff_ffff_ff6f_8000, 0x07ff_d4ab_5e00_8810];

impl Element {
    pub(super) const ZERO: Self = Self([0; 4]);
    /// 2^256 modulo the prime.
    pub(super) const ONE: Self =
        Self([0xffff_ffff_ffff_ffe1, 0xffff_ffff_ffff_ffff, 0xffff_ffff_ffff_ffff, 0x07ff_ffff_ffff_fdf0]);

    /// From canonical form.
    pub(super) fn new(limbs: &Limbs) -> Self {
        Self(product(limbs, &R2))
    }

    /// To canonical form.
    pub(super) fn limbs(&self) -> Limbs {
        product(&self.0, &[1, 0, 0, 0])
    }

    #[inline]
    pub(super) fn square(&self) -> Self {
        *self * *self
    }

    #[inline]
    pub(super) fn double(&self) -> Self {
        *self + *self
    }

    /// The lowest limb: tells elements of a small set apart.
    pub(super) fn lowest_limb(&self) -> u64 {
        self.0[0]
    }

    /// `self^(2^count)`.
    pub(super) fn squared(&self, count: u32) -> Self {
        (0..count).fold(*self, |power, _| power.square())
    }

    /// The inverse; of zero, zero.
    pub(super) fn inverse(&self) -> Self {
        // p - 2 = 2^251 + 2^196 + 2^192 - 1, from runs of ones.
        let x = *self;
        let ones2 = x.square() * x;
        let ones3 = ones2.square() * x;
        let ones6 = ones3.squared(3) * ones3;
        let ones12 = ones6.squared(6) * ones6;
        let ones24 = ones12.squared(12) * ones12;
        let ones48 = ones24.squared(24) * ones24;
        let ones96 = ones48.squared(48) * ones48;
        let ones192 = ones96.squared(96) * ones96;
        // 2^59 + 2^4 above the lowest 192 bits.
        let top = (x.squared(55) * x).squared(4);
        top.squared(192) * ones192
    }
}

impl Add for Element {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        Self(crate::vm::fast::field::add(&self.0, &other.0))
    }
}

impl Sub for Element {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        Self(crate::vm::fast::field::sub(&self.0, &other.0))
    }
}

impl Neg for Element {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self(crate::vm::fast::field::neg(&self.0))
    }
}

impl Mul for Element {
    type Output = Self;
    #[inline]
    fn mul(self, other: Self) -> Self {
        Self(product(&self.0, &other.0))
    }
}

/// `a * b / 2^256`.
#[inline]
fn product([a0, a1, a2, a3]: &Limbs, b: &Limbs) -> Limbs {
    let (mut t0, mut t1, mut t2, mut t3) = (0_u64, 0_u64, 0_u64, 0_u64);
    for limb in b {
        let carry;
        (t0, carry) = a0.carrying_mul_add(*limb, t0, 0);
        let (s1, carry) = a1.carrying_mul_add(*limb, t1, carry);
        let (s2, carry) = a2.carrying_mul_add(*limb, t2, carry);
        let (s3, s4) = a3.carrying_mul_add(*limb, t3, carry);
        // The lowest limb becomes zero when the prime is added as often as its negative says.
        let times = t0.wrapping_neg();
        let (s1, carry) = s1.carrying_add(0, t0 != 0);
        let (s2, carry) = s2.carrying_add(0, carry);
        let (s3, high) = times.carrying_mul_add(TOP, s3, u64::from(carry));
        // The sum is below twice the prime: its highest limb does not overflow.
        (t0, t1, t2, t3) = (s1, s2, s3, s4.wrapping_add(high));
    }
    crate::vm::fast::field::add(&[t0, t1, t2, t3], &[0; 4])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use starknet_types_core::felt::Felt;

    use super::*;
    use crate::vm::fast::field::{from_felt, to_felt};

    proptest! {
        #[test]
        fn it_is_the_field(a in any::<[u8; 32]>(), b in any::<[u8; 32]>()) {
            let (a, b) = (Felt::from_bytes_be(&a), Felt::from_bytes_be(&b));
            let (x, y) = (Element::new(&from_felt(&a)), Element::new(&from_felt(&b)));
            prop_assert_eq!(to_felt(&x.limbs()), a);
            prop_assert_eq!(to_felt(&(x * y).limbs()), a * b);
            prop_assert_eq!(to_felt(&(x + y).limbs()), a + b);
            prop_assert_eq!(to_felt(&(x - y).limbs()), a - b);
            prop_assert_eq!(to_felt(&(-x).limbs()), -a);
            prop_assert_eq!(to_felt(&x.inverse().limbs()), a.inverse().unwrap_or_default());
        }
    }

    #[test]
    fn the_edges_too() {
        assert_eq!(Element::new(&[1, 0, 0, 0]), Element::ONE);
        assert_eq!(Element::ZERO.inverse(), Element::ZERO);
        for felt in [Felt::ZERO, Felt::ONE, Felt::MAX, Felt::from(u128::MAX), Felt::from(u64::MAX)] {
            let x = Element::new(&from_felt(&felt));
            assert_eq!(to_felt(&x.square().limbs()), felt * felt);
            assert_eq!(to_felt(&x.double().limbs()), felt + felt);
        }
    }
}
