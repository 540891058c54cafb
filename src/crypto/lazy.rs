//! Arithmetic that reduces late.
//!
//! The prime has 252 bits and four limbs have 256: sums of a few numbers fit without a reduction, and a Montgomery product
//! takes them as they are. How many times the prime a number may reach is part of its type, and each operation checks when it
//! is compiled that its result keeps the bound that it is given.

use super::element::Element;
use super::limbs::{
    Limbs, TOP, add, montgomery, montgomery_product, montgomery_products, reduce_once, subtract, wide_square,
};

/// A number in Montgomery form below `BOUND` times the prime; it stands for its rest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lazy<const BOUND: u64>(Limbs);

/// 31 times the prime is below 2^256, 32 times is not.
const MOST: u64 = 31;

impl Lazy<1> {
    /// An element.
    #[inline(always)]
    pub(super) const fn of(element: Element) -> Self {
        Self(element.to_montgomery())
    }
}

impl Lazy<2> {
    /// The element.
    #[inline(always)]
    pub(super) fn reduced(self) -> Element {
        Element::from_montgomery(reduce_once(&self.0))
    }
}

impl<const A: u64> Lazy<A> {
    /// The same number with a higher bound.
    #[inline(always)]
    pub(super) const fn below<const C: u64>(self) -> Lazy<C> {
        const { assert!(A <= C) };
        Lazy(self.0)
    }

    /// `self + other`.
    #[inline(always)]
    pub(super) fn plus<const B: u64, const C: u64>(self, other: Lazy<B>) -> Lazy<C> {
        const { assert!(A + B <= C && C <= MOST) };
        Lazy(add(&self.0, &other.0))
    }

    /// `self - other`.
    #[inline(always)]
    pub(super) fn minus<const B: u64, const C: u64>(self, other: Lazy<B>) -> Lazy<C> {
        const { assert!(A + B <= C && C <= MOST) };
        Lazy(add(&self.0, &subtract(&const { multiple_of_prime(B) }, &other.0)))
    }

    /// `-self`; for 0 it is `A` times the prime itself.
    #[inline(always)]
    pub(super) fn negated<const C: u64>(self) -> Lazy<C> {
        const { assert!(A < C && C <= MOST) };
        Lazy(subtract(&const { multiple_of_prime(A) }, &self.0))
    }

    /// `2 * self`.
    #[inline(always)]
    pub(super) fn double<const C: u64>(self) -> Lazy<C> {
        self.plus(self)
    }

    /// `self * other`. The product is below `(A * B / 31 + 1) * p`, since `p` is below `2^256 / 31`.
    #[inline(always)]
    pub(super) fn times<const B: u64, const C: u64>(self, other: Lazy<B>) -> Lazy<C> {
        const { assert!(A * B <= 31 * (C - 1) && C <= MOST && A < MOST) };
        Lazy(montgomery_product(&self.0, &other.0))
    }

    /// `self * self`.
    #[inline(always)]
    pub(super) fn squared<const C: u64>(self) -> Lazy<C> {
        const { assert!(A * A <= 31 * (C - 1) && C <= MOST) };
        Lazy(montgomery(&wide_square(&self.0)))
    }

    /// `self * other + a * b` with one reduction.
    #[inline(always)]
    pub(super) fn times_plus<const B: u64, const D: u64, const E: u64, const C: u64>(
        self,
        other: Lazy<B>,
        a: Lazy<D>,
        b: Lazy<E>,
    ) -> Lazy<C> {
        const { assert!(A * B + D * E <= 31 * (C - 1) && C <= MOST && A + D < MOST) };
        Lazy(montgomery_products(&self.0, &other.0, &a.0, &b.0))
    }

    /// The same rest below twice the prime.
    #[inline(always)]
    pub(super) fn lower(self) -> Lazy<2> {
        const { assert!(A <= MOST) };
        let [_, _, _, top] = self.0;
        // The bits from 251 on count the prime once too often at most, as the prime is a little above 2^251.
        let count = (top >> 59).saturating_sub(1);
        Lazy(subtract(&self.0, &[count, 0, 0, count.wrapping_mul(TOP)]))
    }

    /// Whether the rest is 0.
    #[inline(always)]
    pub(super) fn is_zero(self) -> bool {
        let [count, middle, above, top] = self.0;
        // A multiple of the prime has nothing in the middle; little else has.
        middle | above == 0 && count < A && top == count.wrapping_mul(TOP)
    }
}

const fn multiple_of_prime(count: u64) -> Limbs {
    [count, 0, 0, count.wrapping_mul(TOP)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use starknet_types_core::felt::Felt;

    use super::super::test_values::{edges, felt};
    use super::*;

    /// The felt's form plus `count` times the prime.
    fn raised<const BOUND: u64>(felt: &Felt, count: u64) -> Lazy<BOUND> {
        assert!(count < BOUND);
        Lazy(add(&Element::from_felt(felt).to_montgomery(), &multiple_of_prime(count)))
    }

    fn value<const BOUND: u64>(lazy: Lazy<BOUND>) -> Felt {
        lazy.lower().reduced().to_felt()
    }

    /// Each operation at its bound, with the highest numbers that the bounds allow and the lowest.
    fn check(a: Felt, b: Felt) {
        assert_eq!(value(raised::<15>(&a, 14).plus::<16, 31>(raised(&b, 15))), a + b);
        assert_eq!(value(raised::<15>(&a, 14).minus::<16, 31>(raised(&b, 0))), a - b);
        assert_eq!(value(raised::<15>(&a, 0).minus::<16, 31>(raised(&b, 15))), a - b);
        assert_eq!(value(raised::<30>(&a, 29).negated::<31>()), -a);
        assert_eq!(value(raised::<30>(&a, 0).negated::<31>()), -a);
        assert_eq!(value(raised::<15>(&a, 14).double::<30>()), a + a);
        // Products under 2 p need no more than one reduction; `reduced` alone must do.
        assert_eq!(raised::<30>(&a, 29).times::<1, 2>(raised(&b, 0)).reduced().to_felt(), a * b);
        assert_eq!(raised::<1>(&a, 0).times::<31, 2>(raised(&b, 30)).reduced().to_felt(), a * b);
        assert_eq!(raised::<6>(&a, 5).times::<5, 2>(raised(&b, 4)).reduced().to_felt(), a * b);
        assert_eq!(raised::<5>(&a, 4).squared::<2>().reduced().to_felt(), a * a);
        assert_eq!(value(raised::<30>(&a, 29).times::<31, 31>(raised(&b, 30))), a * b);
        assert_eq!(value(raised::<30>(&a, 29).squared::<31>()), a * a);
        let sum = raised::<5>(&a, 4).times_plus::<5, 3, 2, 2>(raised(&b, 4), raised(&a, 2), raised(&a, 1));
        assert_eq!(sum.reduced().to_felt(), a * b + a * a);
        let wide =
            raised::<15>(&a, 14).times_plus::<31, 15, 31, 31>(raised(&b, 30), raised(&b, 14), raised(&b, 30));
        assert_eq!(value(wide), a * b + b * b);
        for count in 0..31 {
            let lazy: Lazy<31> = raised(&a, count);
            assert_eq!(lazy.lower().reduced().to_felt(), a);
            assert_eq!(lazy.is_zero(), a == Felt::ZERO);
        }
    }

    #[test]
    fn edges_of_the_field() {
        for a in edges() {
            for b in edges() {
                check(a, b);
            }
        }
    }

    proptest! {
        #[test]
        fn it_is_the_field(a in felt(), b in felt()) {
            check(a, b);
        }
    }
}
