//! Integer arithmetic of hints.
//!
//! Operands are canonical field elements, which may exceed the 128 bits that well-behaved code passes;
//! results are reduced into the field. Most operands are small and are computed in machine words.

use num_bigint::{BigInt, BigUint};
use num_integer::{ExtendedGcd, Integer};
use num_traits::{One, Signed, Zero};
use starknet_types_core::felt::Felt;

use super::field::{Limbs, as_u128, from_felt, from_u64, from_u128, reduce};

/// Converts to a big integer.
fn to_biguint(limbs: &Limbs) -> BigUint {
    limbs.iter().rev().fold(BigUint::zero(), |number, limb| (number << 64_u32) + limb)
}

/// Reduces a big integer into the field.
pub(super) fn from_biguint(number: &BigUint) -> Limbs {
    let mut digits = number.iter_u64_digits();
    let mut next = || digits.next().unwrap_or(0);
    let limbs = [next(), next(), next(), next()];
    if digits.next().is_none() { reduce(&limbs) } else { from_felt(&Felt::from(number)) }
}

/// `high * 2^128 + low`.
fn join_halves(low: &Limbs, high: &Limbs) -> BigUint {
    (to_biguint(high) << 128_u32) + to_biguint(low)
}

/// The low 128 bits, and the number divided by 2^128.
fn split_halves(number: &BigUint) -> [Limbs; 2] {
    let (high, low) = number.div_rem(&(BigUint::one() << 128_u32));
    [from_biguint(&low), from_biguint(&high)]
}

/// The product, as `(high, low)` with 128 low bits.
pub(in crate::vm::fast) fn wide_mul(a: &Limbs, b: &Limbs) -> (Limbs, Limbs) {
    if let ([a0, a1, 0, 0], [b0, b1, 0, 0]) = (a, b) {
        let (c0, carry) = a0.carrying_mul(*b0, 0);
        let (c1, c2) = a1.carrying_mul(*b0, carry);
        let (c1, carry) = a0.carrying_mul_add(*b1, c1, 0);
        let (c2, c3) = a1.carrying_mul_add(*b1, c2, carry);
        return ([c2, c3, 0, 0], [c0, c1, 0, 0]);
    }
    let [low, high] = split_halves(&(to_biguint(a) * to_biguint(b)));
    (high, low)
}

/// Quotient and remainder; `None` if the divisor is 0.
pub(in crate::vm::fast) fn div_rem(a: &Limbs, b: &Limbs) -> Option<(Limbs, Limbs)> {
    if let ([a0, a1, a2, a3], [0, 0, 1, 0]) = (a, b) {
        return Some(([*a2, *a3, 0, 0], [*a0, *a1, 0, 0]));
    }
    match (as_u128(a), as_u128(b), b) {
        (_, Some(0), _) => None,
        (Some(a), Some(b), _) => Some((from_u128(a.checked_div(b)?), from_u128(a.checked_rem(b)?))),
        (_, _, [divisor, 0, 0, 0]) => {
            let divisor = u128::from(*divisor);
            let mut quotient = *a;
            let mut remainder = 0_u128;
            for limb in quotient.iter_mut().rev() {
                // The remainder is below the divisor, so the digit fits into 64 bits.
                let part = remainder << 64 | u128::from(*limb);
                *limb = u64::try_from(part.checked_div(divisor)?).ok()?;
                remainder = part.checked_rem(divisor)?;
            }
            Some((quotient, from_u128(remainder)))
        }
        (_, Some(divisor), _) => Some(div_rem_by_two_limbs(a, divisor)),
        _ => {
            let (quotient, remainder) = to_biguint(a).div_rem(&to_biguint(b));
            Some((from_biguint(&quotient), from_biguint(&remainder)))
        }
    }
}

/// [`div_rem`] by a divisor of 65 to 128 bits: long division (Knuth's algorithm D), one limb of the quotient
/// at a time.
fn div_rem_by_two_limbs(a: &Limbs, divisor: u128) -> (Limbs, Limbs) {
    // With a normalized divisor, the estimate of a digit from the upper limb is at most 2 too high.
    let shift = divisor.leading_zeros();
    let divisor = divisor.wrapping_shl(shift);
    let [low, high, ..] = from_u128(divisor);
    let [a0, a1, a2, a3] = *a;
    let shifted = |limb: u64, next_lower: u64| {
        limb.wrapping_shl(shift) | next_lower.checked_shr(u64::BITS.wrapping_sub(shift)).unwrap_or(0)
    };
    let limbs = [shifted(a2, a1), shifted(a1, a0), shifted(a0, 0)];
    // The top bits and the next limb: below 2^127, hence below the divisor.
    let mut remainder = u128::from(shifted(0, a3)) << 64 | u128::from(shifted(a3, a2));
    let mut quotient = [0_u64; 3];
    for (digit, limb) in quotient.iter_mut().rev().zip(limbs) {
        let mut estimate = remainder.checked_div(u128::from(high)).unwrap_or(0);
        let mut estimate_remainder = remainder.wrapping_sub(estimate.wrapping_mul(u128::from(high)));
        while estimate > u128::from(u64::MAX)
            || (estimate_remainder <= u128::from(u64::MAX)
                && estimate.wrapping_mul(u128::from(low)) > (estimate_remainder << 64 | u128::from(limb)))
        {
            estimate = estimate.wrapping_sub(1);
            estimate_remainder = estimate_remainder.wrapping_add(u128::from(high));
        }
        *digit = u64::try_from(estimate).unwrap_or(u64::MAX); // fits, once corrected
        remainder = (remainder << 64 | u128::from(limb)).wrapping_sub(estimate.wrapping_mul(divisor));
    }
    let [q0, q1, q2] = quotient;
    ([q0, q1, q2, 0], from_u128(remainder >> shift))
}

/// Quotient and remainder of `a0 + 2^128 a1` by `b0 + 2^128 b1`, split likewise; `None` if the divisor is 0.
pub(in crate::vm::fast) fn div_rem_256([a0, a1, b0, b1]: &[Limbs; 4]) -> Option<[Limbs; 4]> {
    if let (Some(a), Some(b), [0, 0, 0, 0], [0, 0, 0, 0]) = (as_u128(a0), as_u128(b0), a1, b1) {
        return Some([from_u128(a.checked_div(b)?), from_u64(0), from_u128(a.checked_rem(b)?), from_u64(0)]);
    }
    let divisor = join_halves(b0, b1);
    if divisor.is_zero() {
        return None;
    }
    let (quotient, remainder) = join_halves(a0, a1).div_rem(&divisor);
    let ([q0, q1], [r0, r1]) = (split_halves(&quotient), split_halves(&remainder));
    Some([q0, q1, r0, r1])
}

/// [`div_rem_256`] with a dividend and a quotient of four parts.
pub(in crate::vm::fast) fn div_rem_512([a0, a1, a2, a3, b0, b1]: &[Limbs; 6]) -> Option<[Limbs; 6]> {
    let divisor = join_halves(b0, b1);
    if divisor.is_zero() {
        return None;
    }
    let (quotient, remainder) = (join_halves(a0, a1) + (join_halves(a2, a3) << 256_u32)).div_rem(&divisor);
    let part = BigUint::one() << 128_u32;
    let (quotient, q0) = quotient.div_rem(&part);
    let (quotient, q1) = quotient.div_rem(&part);
    let ([q2, q3], [r0, r1]) = (split_halves(&quotient), split_halves(&remainder));
    Some([from_biguint(&q0), from_biguint(&q1), q2, q3, r0, r1])
}

/// The integer square root.
pub(in crate::vm::fast) fn isqrt(a: &Limbs) -> Limbs {
    match as_u128(a) {
        Some(a) => from_u128(a.isqrt()),
        None => from_biguint(&to_biguint(a).sqrt()),
    }
}

/// The integer square root in two parts of 64 bits, the remainder in two parts of 128 bits, and 1 if twice
/// the root exceeds the remainder by 2^128 or more.
pub(in crate::vm::fast) fn sqrt_rem_256([low, high]: &[Limbs; 2]) -> [Limbs; 5] {
    let value = join_halves(low, high);
    let root = value.sqrt();
    let remainder = value - &root * &root;
    let twice = BigInt::from(&root * 2_u32) - BigInt::from(remainder.clone());
    let exceeds = twice >= BigInt::one() << 128_u32;
    let (root_high, root_low) = root.div_rem(&(BigUint::one() << 64_u32));
    let [remainder_low, remainder_high] = split_halves(&remainder);
    [
        from_biguint(&root_low),
        from_biguint(&root_high),
        remainder_low,
        remainder_high,
        from_u64(u64::from(exceeds)),
    ]
}

/// The integer square root of `low + 2^128 high`.
pub(in crate::vm::fast) fn isqrt_256([low, high]: &[Limbs; 2]) -> Limbs {
    from_biguint(&join_halves(low, high).sqrt())
}

/// `a * b / divisor` of integers in two parts of 128 bits: the lowest four parts of the quotient, and the
/// remainder in two.
pub(in crate::vm::fast) fn mul_div_rem_256(
    [a0, a1]: &[Limbs; 2],
    [b0, b1]: &[Limbs; 2],
    [d0, d1]: &[Limbs; 2],
) -> Option<[Limbs; 6]> {
    let divisor = join_halves(d0, d1);
    if divisor.is_zero() {
        return None;
    }
    let (quotient, remainder) = (join_halves(a0, a1) * join_halves(b0, b1)).div_rem(&divisor);
    let part = BigUint::one() << 128_u32;
    let (quotient, q0) = quotient.div_rem(&part);
    let (quotient, q1) = quotient.div_rem(&part);
    let (quotient, q2) = quotient.div_rem(&part);
    let q3 = quotient % part;
    let [r0, r1] = split_halves(&remainder);
    Some([from_biguint(&q0), from_biguint(&q1), from_biguint(&q2), from_biguint(&q3), r0, r1])
}

/// The results of `U256InvModN`: the inverse of `b` modulo `n` (`g0` is 0, `g1` is `None`), or a common
/// divisor `g` with `b / g` and `n / g`.
pub(in crate::vm::fast) fn inv_mod([b0, b1, n0, n1]: &[Limbs; 4]) -> Option<[Option<Limbs>; 6]> {
    let (b, n) = (BigInt::from(join_halves(b0, b1)), BigInt::from(join_halves(n0, n1)));
    let ExtendedGcd { gcd: mut g, y: mut r, .. } = n.extended_gcd(&b);
    if n.is_one() {
        return Some([from_u64(1), from_u64(0), *b0, *b1, from_u64(1), from_u64(0)].map(Some));
    }
    let parts = |number: &BigInt| Some(split_halves(&number.to_biguint()?));
    if !g.is_one() {
        if g.is_even() {
            g = BigInt::from(2_u32);
        }
        if g.is_zero() {
            return None;
        }
        let [s0, s1] = parts(&(&b / &g))?;
        let [t0, t1] = parts(&(&n / &g))?;
        let [g0, g1] = parts(&g)?;
        return Some([g0, g1, s0, s1, t0, t1].map(Some));
    }
    if n.is_zero() {
        return None;
    }
    r %= &n;
    if r.is_negative() {
        r += &n;
    }
    let k: BigInt = (&r * b - 1_u32) / n;
    let [s0, s1] = parts(&r)?;
    let [t0, t1] = parts(&k)?;
    Some([Some(from_u64(0)), None, Some(s0), Some(s1), Some(t0), Some(t1)])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn number() -> impl Strategy<Value = Limbs> {
        prop_oneof![
            any::<u64>().prop_map(from_u64),
            any::<u128>().prop_map(from_u128),
            Just([0, 0, 1, 0]),
            any::<[u64; 4]>().prop_map(|number| reduce(&number)),
        ]
    }

    proptest! {
        #[test]
        fn fast_paths_agree_with_big_integers(a in number(), b in number()) {
            let (high, low) = wide_mul(&a, &b);
            let [long_low, long_high] = split_halves(&(to_biguint(&a) * to_biguint(&b)));
            prop_assert_eq!((high, low), (long_high, long_low));
            if b == from_u64(0) {
                prop_assert_eq!(div_rem(&a, &b), None);
            } else {
                let (quotient, remainder) = to_biguint(&a).div_rem(&to_biguint(&b));
                prop_assert_eq!(div_rem(&a, &b), Some((from_biguint(&quotient), from_biguint(&remainder))));
                let [q0, q1, r0, r1] = div_rem_256(&[a, from_u64(0), b, from_u64(0)]).unwrap();
                prop_assert_eq!(join_halves(&q0, &q1), quotient);
                prop_assert_eq!(join_halves(&r0, &r1), remainder);
            }
            prop_assert_eq!(isqrt(&a), from_biguint(&to_biguint(&a).sqrt()));
        }
    }
}
