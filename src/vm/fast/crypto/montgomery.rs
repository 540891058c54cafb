//! The field in Montgomery form, for long chains of products.

use std::ops::{Add, Mul, Neg, Sub};

use crate::vm::fast::field::{Limbs, R2, add, neg, product, sub};

/// A number times 2^256, modulo the prime; always reduced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Element(Limbs);

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
        // p - 2 = 2^251 + 2^196 + 2^192 - 1: two bits, then 192 ones, which come in runs of 24.
        let x = *self;
        let ones2 = x.square() * x;
        let ones3 = ones2.square() * x;
        let ones6 = ones3.squared(3) * ones3;
        let ones12 = ones6.squared(6) * ones6;
        let ones24 = ones12.squared(12) * ones12;
        let top = (x.squared(55) * x).squared(4);
        (0..8).fold(top, |power, _| power.squared(24) * ones24)
    }
}

impl Add for Element {
    type Output = Self;
    #[inline]
    fn add(self, other: Self) -> Self {
        Self(add(&self.0, &other.0))
    }
}

impl Sub for Element {
    type Output = Self;
    #[inline]
    fn sub(self, other: Self) -> Self {
        Self(sub(&self.0, &other.0))
    }
}

impl Neg for Element {
    type Output = Self;
    #[inline]
    fn neg(self) -> Self {
        Self(neg(&self.0))
    }
}

impl Mul for Element {
    type Output = Self;
    #[inline]
    fn mul(self, other: Self) -> Self {
        Self(product(&self.0, &other.0))
    }
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
