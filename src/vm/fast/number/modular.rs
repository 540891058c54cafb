//! Arithmetic on 384-bit integers modulo any 384-bit modulus.
//!
//! Input: six limbs, least significant first. Output: likewise. Knows nothing of memory.

use num_bigint::{BigInt, BigUint};
use num_integer::{ExtendedGcd, Integer};
use num_traits::{One, Signed, Zero};

/// A 384-bit integer.
pub(in crate::vm::fast) type U384 = [u64; 6];

/// A modulus, normalized for division.
#[derive(Clone, Debug)]
pub(in crate::vm::fast) struct Modulus {
    value: U384,
    /// The modulus shifted left until its highest bit is set: an estimate of a quotient limb from the highest
    /// limbs is then at most 2 too high.
    shifted: U384,
    /// The shift: limbs, and bits of a limb.
    shift_limbs: usize,
    shift_bits: u32,
}

impl Modulus {
    /// Normalizes a modulus; `None` for 0.
    pub(in crate::vm::fast) fn new(value: U384) -> Option<Self> {
        let limbs = value.iter().rev().take_while(|limb| **limb == 0).count();
        let bits = value.iter().rev().nth(limbs)?.leading_zeros();
        let mut shifted = [0; 6];
        let mut next_lower = 0;
        for (place, limb) in shifted.iter_mut().skip(limbs).zip(value) {
            *place = shift_in(limb, next_lower, bits);
            next_lower = limb;
        }
        Some(Self { value, shifted, shift_limbs: limbs, shift_bits: bits })
    }

    /// The modulus as a number.
    pub(in crate::vm::fast) fn value(&self) -> &U384 {
        &self.value
    }

    /// Reduces a number.
    pub(in crate::vm::fast) fn reduce(&self, number: &U384) -> U384 {
        self.reduce_limbs(number)
    }

    /// `a + b`.
    pub(in crate::vm::fast) fn add(&self, a: &U384, b: &U384) -> U384 {
        self.reduce_limbs(&wide_add(a, b))
    }

    /// `c - b`; `None` if `c` plus the modulus is below `b`.
    pub(in crate::vm::fast) fn subtract(&self, c: &U384, b: &U384) -> Option<U384> {
        let mut difference = wide_add(c, &self.value);
        let mut borrow = false;
        for (limb, b) in difference.iter_mut().zip(b.iter().chain([&0])) {
            (*limb, borrow) = limb.borrowing_sub(*b, borrow);
        }
        (!borrow).then(|| self.reduce_limbs(&difference))
    }

    /// `a * b`.
    pub(in crate::vm::fast) fn multiply(&self, a: &U384, b: &U384) -> U384 {
        let mut product = [0; 12];
        for (start, a) in a.iter().enumerate() {
            let mut carry = 0;
            for (place, b) in product.iter_mut().skip(start).zip(b.iter().chain([&0])) {
                (*place, carry) = a.carrying_mul_add(*b, *place, carry);
            }
        }
        self.reduce_limbs(&product)
    }

    /// `(true, inverse)` if the number is invertible, else `(false, x)` with a nonzero `x` such that
    /// `x * number = 0`.
    pub(in crate::vm::fast) fn invert_or_nullify(&self, number: &U384) -> Option<(bool, U384)> {
        if let Some(inverse) = self.odd_inverse(number) {
            return Some((true, inverse));
        }
        let modulus = to_biguint(&self.value);
        let ExtendedGcd { gcd, x, .. } =
            BigInt::from(to_biguint(number)).extended_gcd(&BigInt::from(modulus.clone()));
        let gcd = gcd.to_biguint().filter(|gcd| !gcd.is_zero())?;
        if !gcd.is_one() {
            return Some((false, from_biguint(&(modulus / gcd))));
        }
        let remainder = x.magnitude().mod_floor(&modulus);
        Some((true, from_biguint(&if x.is_negative() { modulus - remainder } else { remainder })))
    }

    /// The inverse modulo an odd modulus other than 1, if it exists, by the binary extended GCD.
    fn odd_inverse(&self, number: &U384) -> Option<U384> {
        let [lowest, ..] = self.value;
        if lowest & 1 == 0 || self.value == ONE {
            return None;
        }
        // Invariant: a = x * number and b = y * number modulo the modulus, and b is odd.
        let (mut a, mut b) = (self.reduce(number), self.value);
        let (mut x, mut y) = (ONE, [0; 6]);
        while a != [0; 6] {
            while a[0] & 1 == 0 {
                a = half(&a, false);
                x = self.half(&x);
            }
            if is_less(&a, &b) {
                (a, b, x, y) = (b, a, y, x);
            }
            a = wide_sub(&a, &b).0;
            x = match wide_sub(&x, &y) {
                (difference, false) => difference,
                (difference, true) => low_limbs(&wide_add(&difference, &self.value)),
            };
        }
        (b == ONE).then_some(y)
    }

    /// Half of a number modulo the modulus, which is odd.
    fn half(&self, number: &U384) -> U384 {
        let [lowest, ..] = number;
        if lowest & 1 == 0 {
            return half(number, false);
        }
        let sum = wide_add(number, &self.value);
        let [.., carry] = sum;
        half(&low_limbs(&sum), carry == 1)
    }

    /// Reduces a number of any length by long division, from the highest limb.
    fn reduce_limbs(&self, number: &[u64]) -> U384 {
        let mut remainder = [0; 6];
        let mut above = 0;
        for limb in number.iter().rev() {
            self.push_limb(&mut remainder, shift_in(above, *limb, self.shift_bits));
            above = *limb;
        }
        self.push_limb(&mut remainder, shift_in(above, 0, self.shift_bits));
        for _ in 0..self.shift_limbs {
            self.push_limb(&mut remainder, 0);
        }
        // Undo the shift.
        let mut number = [0; 6];
        let limbs = remainder.iter().skip(self.shift_limbs);
        for ((place, limb), above) in number.iter_mut().zip(limbs.clone()).zip(limbs.skip(1).chain([&0])) {
            *place = limb.wrapping_shr(self.shift_bits)
                | above.checked_shl(u64::BITS.wrapping_sub(self.shift_bits)).unwrap_or(0);
        }
        number
    }

    /// Replaces `remainder`, which is below the shifted modulus, by `remainder * 2^64 + limb` modulo the
    /// shifted modulus.
    #[inline]
    fn push_limb(&self, remainder: &mut U384, limb: u64) {
        let [r0, r1, r2, r3, r4, top] = *remainder;
        *remainder = [limb, r0, r1, r2, r3, r4];
        let [.., highest] = self.shifted;
        let estimate = if top == 0 {
            u64::from(r4 >= highest)
        } else {
            let quotient = (u128::from(top) << 64 | u128::from(r4)).checked_div(u128::from(highest));
            quotient.and_then(|quotient| u64::try_from(quotient).ok()).unwrap_or(u64::MAX)
        };
        if estimate == 0 {
            return;
        }
        let (mut borrow, mut carry) = (false, 0);
        for (place, limb) in remainder.iter_mut().zip(self.shifted) {
            let (low, high) = estimate.carrying_mul(limb, carry);
            (*place, borrow) = place.borrowing_sub(low, borrow);
            carry = high;
        }
        let (mut top, mut is_negative) = top.borrowing_sub(carry, borrow);
        while is_negative {
            let mut carry = false;
            for (place, limb) in remainder.iter_mut().zip(self.shifted) {
                (*place, carry) = place.carrying_add(limb, carry);
            }
            (top, carry) = top.carrying_add(0, carry);
            is_negative = !carry;
        }
    }
}

/// The limb shifted left, with the top `bits` bits of the next lower limb shifted in.
#[inline]
fn shift_in(limb: u64, next_lower: u64, bits: u32) -> u64 {
    limb.wrapping_shl(bits) | next_lower.checked_shr(u64::BITS.wrapping_sub(bits)).unwrap_or(0)
}

const ONE: U384 = [1, 0, 0, 0, 0, 0];

fn is_less(a: &U384, b: &U384) -> bool {
    wide_sub(a, b).1
}

/// `a - b` modulo 2^384, and the borrow.
fn wide_sub(a: &U384, b: &U384) -> (U384, bool) {
    let mut difference = [0; 6];
    let mut borrow = false;
    for ((place, a), b) in difference.iter_mut().zip(a).zip(b) {
        (*place, borrow) = a.borrowing_sub(*b, borrow);
    }
    (difference, borrow)
}

/// Half of a number with a carry bit above its limbs.
fn half([a, b, c, d, e, f]: &U384, above: bool) -> U384 {
    let join = |low: u64, next: u64| low >> 1 | next << 63;
    [join(*a, *b), join(*b, *c), join(*c, *d), join(*d, *e), join(*e, *f), join(*f, u64::from(above))]
}

fn low_limbs([a, b, c, d, e, f, _]: &[u64; 7]) -> U384 {
    [*a, *b, *c, *d, *e, *f]
}

fn wide_add(a: &U384, b: &U384) -> [u64; 7] {
    let mut sum = [0; 7];
    let mut carry = false;
    for ((place, a), b) in sum.iter_mut().zip(a.iter().chain([&0])).zip(b.iter().chain([&0])) {
        (*place, carry) = a.carrying_add(*b, carry);
    }
    sum
}

fn to_biguint(number: &U384) -> BigUint {
    number.iter().rev().fold(BigUint::zero(), |big, limb| (big << u64::BITS) + limb)
}

/// The low 384 bits of a big integer.
fn from_biguint(number: &BigUint) -> U384 {
    let mut wide = [0; 6];
    for (limb, digit) in wide.iter_mut().zip(number.iter_u64_digits()) {
        *limb = digit;
    }
    wide
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Numbers of any bit length, with long runs of ones and zeros.
    fn number() -> impl Strategy<Value = U384> {
        let limb = prop_oneof![Just(0), Just(1), Just(u64::MAX), Just(1 << 63), any::<u64>()];
        (proptest::array::uniform6(limb), 0..384_usize)
            .prop_map(|(limbs, cut)| from_biguint(&(to_biguint(&limbs) >> cut)))
    }

    fn check(a: U384, b: U384, modulus: U384) {
        let Some(own) = Modulus::new(modulus) else { return };
        let (x, y, m) = (to_biguint(&a), to_biguint(&b), to_biguint(&modulus));
        assert_eq!(to_biguint(&own.reduce(&a)), &x % &m);
        assert_eq!(to_biguint(&own.add(&a, &b)), (&x + &y) % &m);
        assert_eq!(to_biguint(&own.multiply(&a, &b)), &x * &y % &m, "{a:x?} {b:x?} {modulus:x?}");
        let difference = (&x + &m >= y).then(|| (&x + &m - &y) % &m);
        assert_eq!(own.subtract(&a, &b).as_ref().map(to_biguint), difference);
        let (is_inverse, other) = own.invert_or_nullify(&a).unwrap();
        assert_eq!(is_inverse, x.gcd(&m).is_one());
        assert_eq!(x * to_biguint(&other) % &m, BigUint::from(u8::from(is_inverse)) % &m);
        assert!(m.is_one() || other != [0; 6] && to_biguint(&other) < m);
    }

    #[test]
    fn estimates_that_are_too_high_are_corrected() {
        let top = 1 << 63;
        let ones = u64::MAX;
        for modulus in [
            [ones, ones, ones, ones, ones, top],
            [0, 0, 0, 0, 0, top],
            [1, 0, 0, 0, 0, top],
            [ones; 6],
            [0, ones, 0, ones, ones, 1],
            [5, 0, 0, 0, 0, 0],
            [1, 0, 0, 0, 0, 0],
            [0; 6],
        ] {
            let less_one = modulus.map(|limb| limb.wrapping_sub(1));
            for a in
                [modulus, less_one, [ones; 6], [0, 0, 0, 0, 0, top], [ones, ones, ones, ones, ones, top - 1]]
            {
                for b in [modulus, less_one, [ones; 6], [1, 0, 0, 0, 0, 0], [0, ones, 0, ones, 0, ones]] {
                    check(a, b, modulus);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_big_integers(a in number(), b in number(), modulus in number()) {
            check(a, b, modulus);
        }
    }
}
