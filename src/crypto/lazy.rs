//! Field arithmetic with lazy reduction.
//!
//! The prime has 252 bits and four limbs have 256: sums of a few elements fit without a reduction, and a
//! Montgomery product accepts them unreduced. The type of a value carries its bound as a multiple of the
//! prime, and each operation asserts at compile time that its result fits the bound of its result type.

use super::element::Element;
use super::limbs::{
    Limbs, TOP, add, montgomery, montgomery_product, montgomery_products, reduce_once, subtract, wide_square,
};

/// A number in Montgomery form below `BOUND` times the prime; its value is its residue modulo the prime.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lazy<const BOUND: u64>(Limbs);

/// The largest bound: 31 times the prime is below 2^256, 32 times is not.
const MAX_BOUND: u64 = 31;

impl Lazy<1> {
    /// The value of an element.
    #[inline(always)]
    pub(super) const fn of(element: Element) -> Self {
        Self(element.to_montgomery())
    }
}

impl Lazy<2> {
    /// The fully reduced element.
    #[inline(always)]
    pub(super) fn reduced(self) -> Element {
        Element::from_montgomery(reduce_once(&self.0))
    }
}

impl<const A: u64> Lazy<A> {
    /// The same number under a larger bound.
    #[inline(always)]
    pub(super) const fn widen<const C: u64>(self) -> Lazy<C> {
        const { assert!(A <= C) };
        Lazy(self.0)
    }

    /// `self + other`.
    #[inline(always)]
    pub(super) fn plus<const B: u64, const C: u64>(self, other: Lazy<B>) -> Lazy<C> {
        const { assert!(A + B <= C && C <= MAX_BOUND) };
        Lazy(add(&self.0, &other.0))
    }

    /// `self - other`.
    #[inline(always)]
    pub(super) fn minus<const B: u64, const C: u64>(self, other: Lazy<B>) -> Lazy<C> {
        const { assert!(A + B <= C && C <= MAX_BOUND) };
        Lazy(add(&self.0, &subtract(&const { multiple_of_prime(B) }, &other.0)))
    }

    /// `-self`, computed as `A` times the prime minus `self`.
    #[inline(always)]
    pub(super) fn negated<const C: u64>(self) -> Lazy<C> {
        const { assert!(A < C && C <= MAX_BOUND) };
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
        const { assert!(A * B <= 31 * (C - 1) && C <= MAX_BOUND && A < MAX_BOUND) };
        Lazy(montgomery_product(&self.0, &other.0))
    }

    /// `self * self`.
    #[inline(always)]
    pub(super) fn squared<const C: u64>(self) -> Lazy<C> {
        const { assert!(A * A <= 31 * (C - 1) && C <= MAX_BOUND) };
        Lazy(montgomery(&wide_square(&self.0)))
    }

    /// `self * other + a * b` with a single reduction.
    #[inline(always)]
    pub(super) fn times_plus<const B: u64, const D: u64, const E: u64, const C: u64>(
        self,
        other: Lazy<B>,
        a: Lazy<D>,
        b: Lazy<E>,
    ) -> Lazy<C> {
        const { assert!(A * B + D * E <= 31 * (C - 1) && C <= MAX_BOUND && A + D < MAX_BOUND) };
        Lazy(montgomery_products(&self.0, &other.0, &a.0, &b.0))
    }

    /// The same residue, below twice the prime.
    #[inline(always)]
    pub(super) fn weak_reduce(self) -> Lazy<2> {
        const { assert!(A <= MAX_BOUND) };
        let [_, _, _, top] = self.0;
        // The prime is slightly above 2^251: `number >> 251` is the quotient or one more, so one less never
        // underflows.
        let count = (top >> 59).saturating_sub(1);
        Lazy(subtract(&self.0, &[count, 0, 0, count.wrapping_mul(TOP)]))
    }

    /// Returns `true` if the residue is 0.
    #[inline(always)]
    pub(super) fn is_zero(self) -> bool {
        let [count, middle, above, top] = self.0;
        // The middle limbs of a small multiple of the prime are 0, which is unlikely otherwise: the cheap
        // test comes first.
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

    /// The Montgomery form of a felt plus `count` times the prime.
    fn raised<const BOUND: u64>(felt: &Felt, count: u64) -> Lazy<BOUND> {
        assert!(count < BOUND);
        Lazy(add(&Element::from_felt(felt).to_montgomery(), &multiple_of_prime(count)))
    }

    fn value<const BOUND: u64>(lazy: Lazy<BOUND>) -> Felt {
        lazy.weak_reduce().reduced().to_felt()
    }

    /// Each operation at the largest and smallest numbers that its bounds allow.
    fn check(a: Felt, b: Felt) {
        assert_eq!(value(raised::<15>(&a, 14).plus::<16, 31>(raised(&b, 15))), a + b);
        assert_eq!(value(raised::<15>(&a, 14).minus::<16, 31>(raised(&b, 0))), a - b);
        assert_eq!(value(raised::<15>(&a, 0).minus::<16, 31>(raised(&b, 15))), a - b);
        assert_eq!(value(raised::<30>(&a, 29).negated::<31>()), -a);
        assert_eq!(value(raised::<30>(&a, 0).negated::<31>()), -a);
        assert_eq!(value(raised::<15>(&a, 14).double::<30>()), a + a);
        // Products below 2 p: `reduced` alone must suffice.
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
            assert_eq!(lazy.weak_reduce().reduced().to_felt(), a);
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
        fn agrees_with_felt_arithmetic(a in felt(), b in felt()) {
            check(a, b);
        }
    }
}
