//! Arithmetic on field elements in canonical form: below the prime, four limbs, least significant first.
//!
//! Code adds, compares and range-checks far more often than it multiplies, and offsets and keys are small
//! integers; so cells hold the canonical form, and only products of large numbers go through Montgomery form.

use starknet_types_core::felt::Felt;

pub(in crate::vm::fast) use crate::crypto::Limbs;
use crate::crypto::{Element, div_mod, mul_mod};

/// The prime, 2^251 + 17 * 2^192 + 1.
const PRIME: Limbs = [1, 0, 0, PRIME_TOP_LIMB];

/// The most significant limb of the prime.
pub(in crate::vm::fast) const PRIME_TOP_LIMB: u64 = 0x0800_0000_0000_0011;

/// The prime divided by 2^128, rounded down.
pub(in crate::vm::fast) const PRIME_DIV_2_128: Limbs = [0, PRIME_TOP_LIMB, 0, 0];

/// Converts a felt.
pub(in crate::vm::fast) fn from_felt(felt: &Felt) -> Limbs {
    Element::from_felt(felt).to_limbs()
}

/// Converts to a felt.
pub(in crate::vm::fast) fn to_felt(limbs: &Limbs) -> Felt {
    Element::from_limbs(limbs).to_felt()
}

/// Converts a `u64`.
pub(in crate::vm::fast) const fn from_u64(value: u64) -> Limbs {
    [value, 0, 0, 0]
}

/// Converts a `u128`.
pub(in crate::vm::fast) const fn from_u128(value: u128) -> Limbs {
    #[expect(clippy::cast_possible_truncation, reason = "the halves of the number")]
    {
        [value as u64, (value >> 64) as u64, 0, 0]
    }
}

/// Converts to `u64`; `None` if the number is larger.
pub(in crate::vm::fast) fn as_u64(limbs: &Limbs) -> Option<u64> {
    match limbs {
        [low, 0, 0, 0] => Some(*low),
        _ => None,
    }
}

/// Converts to `u128`; `None` if the number is larger.
pub(in crate::vm::fast) fn as_u128(limbs: &Limbs) -> Option<u128> {
    match limbs {
        [low, high, 0, 0] => Some(u128::from(*low) | u128::from(*high) << 64),
        _ => None,
    }
}

/// Returns `true` if `a < b`.
#[inline]
pub(in crate::vm::fast) fn is_less(a: &Limbs, b: &Limbs) -> bool {
    overflowing_sub(a, b).1
}

#[inline]
fn overflowing_sub([a0, a1, a2, a3]: &Limbs, [b0, b1, b2, b3]: &Limbs) -> (Limbs, bool) {
    let (c0, borrow) = a0.borrowing_sub(*b0, false);
    let (c1, borrow) = a1.borrowing_sub(*b1, borrow);
    let (c2, borrow) = a2.borrowing_sub(*b2, borrow);
    let (c3, borrow) = a3.borrowing_sub(*b3, borrow);
    ([c0, c1, c2, c3], borrow)
}

#[inline]
fn wrapping_add([a0, a1, a2, a3]: &Limbs, [b0, b1, b2, b3]: &Limbs) -> Limbs {
    let (c0, carry) = a0.carrying_add(*b0, false);
    let (c1, carry) = a1.carrying_add(*b1, carry);
    let (c2, carry) = a2.carrying_add(*b2, carry);
    let (c3, _) = a3.carrying_add(*b3, carry);
    [c0, c1, c2, c3]
}

/// `a + b`.
#[inline]
pub(in crate::vm::fast) fn add(a: &Limbs, b: &Limbs) -> Limbs {
    // The sum of two 252-bit numbers fits into 256 bits.
    let sum = wrapping_add(a, b);
    match overflowing_sub(&sum, &PRIME) {
        (reduced, false) => reduced,
        (_, true) => sum,
    }
}

/// `a + b`, if the top limb of the sum shows that it is below the prime.
#[inline(always)]
pub(in crate::vm::fast) fn add_below_prime(a: &Limbs, b: &Limbs) -> Option<Limbs> {
    let sum = wrapping_add(a, b);
    let [.., top] = sum;
    (top < PRIME_TOP_LIMB).then_some(sum)
}

/// `a - b`.
#[inline]
pub(in crate::vm::fast) fn sub(a: &Limbs, b: &Limbs) -> Limbs {
    match overflowing_sub(a, b) {
        (difference, false) => difference,
        (difference, true) => wrapping_add(&difference, &PRIME),
    }
}

/// `-a`.
#[inline]
pub(in crate::vm::fast) fn neg(a: &Limbs) -> Limbs {
    sub(&[0; 4], a)
}

/// `a * b`.
#[inline]
pub(in crate::vm::fast) fn mul(a: &Limbs, b: &Limbs) -> Limbs {
    match (a, b) {
        ([a0, 0, 0, 0], [b0, 0, 0, 0]) => {
            let (low, high) = a0.carrying_mul(*b0, 0);
            [low, high, 0, 0]
        }
        ([a0, a1, 0, 0], [b0, b1, 0, 0]) => {
            let (c0, carry) = a0.carrying_mul(*b0, 0);
            let (c1, c2) = a1.carrying_mul(*b0, carry);
            let (c1, carry) = a0.carrying_mul_add(*b1, c1, 0);
            let (c2, c3) = a1.carrying_mul_add(*b1, c2, carry);
            reduce(&[c0, c1, c2, c3])
        }
        _ => mul_mod(a, b),
    }
}

/// Reduces a 256-bit number modulo the prime.
#[inline]
pub(super) fn reduce(number: &Limbs) -> Limbs {
    // The prime is slightly above 2^251: `number >> 251` is the quotient or one more.
    let [_, _, _, top] = number;
    let quotient = top >> 59;
    // quotient * prime fits into 256 bits, as the quotient has 5 bits.
    let multiple = [quotient, 0, 0, quotient.wrapping_mul(PRIME[3])];
    match overflowing_sub(number, &multiple) {
        (remainder, false) => remainder,
        (remainder, true) => wrapping_add(&remainder, &PRIME),
    }
}

/// `a / b`; `None` if `b` is 0.
pub(in crate::vm::fast) fn div(a: &Limbs, b: &Limbs) -> Option<Limbs> {
    div_mod(a, b)
}

/// `offset + number` in the field; `None` if the sum is not a `u64`. Numbers near the prime are negative.
#[inline]
pub(in crate::vm::fast) fn offset_add(offset: u64, number: &Limbs) -> Option<u64> {
    if let [forward, 0, 0, 0] = number {
        return offset.checked_add(*forward);
    }
    match neg(number) {
        [back, 0, 0, 0] => offset.checked_sub(back),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use proptest::prelude::*;

    use super::*;

    fn felt() -> impl Strategy<Value = Felt> {
        let edges = [
            Felt::ZERO,
            Felt::ONE,
            Felt::MAX,
            Felt::from(u64::MAX),
            Felt::from(u128::MAX),
            Felt::from(u128::MAX) + Felt::ONE,
        ];
        prop_oneof![
            proptest::sample::select(edges.to_vec()),
            any::<u64>().prop_map(Felt::from),
            any::<u128>().prop_map(Felt::from),
            any::<[u8; 32]>().prop_map(|bytes| Felt::from_bytes_be(&bytes)),
        ]
    }

    proptest! {
        #[test]
        fn agrees_with_felt_arithmetic(a in felt(), b in felt()) {
            let (x, y) = (from_felt(&a), from_felt(&b));
            prop_assert_eq!(to_felt(&x), a);
            prop_assert_eq!(to_felt(&add(&x, &y)), a + b);
            prop_assert!(add_below_prime(&x, &y).is_none_or(|sum| sum == add(&x, &y)));
            prop_assert_eq!(to_felt(&sub(&x, &y)), a - b);
            prop_assert_eq!(to_felt(&neg(&x)), -a);
            prop_assert_eq!(to_felt(&mul(&x, &y)), a * b);
            prop_assert_eq!(is_less(&x, &y), a < b);
            for offset in [0, 1, 5, u64::MAX] {
                prop_assert_eq!(offset_add(offset, &x), offset + &a);
            }
            if b == Felt::ZERO {
                prop_assert_eq!(div(&x, &y), None);
            } else {
                prop_assert_eq!(div(&x, &y).map(|quotient| to_felt(&quotient) * b), Some(a));
            }
        }

        #[test]
        fn numbers_of_256_bits_are_reduced(number in any::<[u64; 4]>()) {
            let big = number.iter().rev().fold(BigUint::default(), |big, limb| (big << 64_u32) + limb);
            prop_assert_eq!(to_felt(&reduce(&number)), Felt::from(big));
        }
    }
}
