//! Inverses modulo the prime or the order of the curve, by the divisions of Bernstein and Yang ("Fast constant-time gcd
//! computation", 2019), in the form whose time depends on the number: nothing here is secret.
//!
//! A division step looks at the lowest bits only. So 62 of them are made on single words first; the matrix that they amount to
//! is then applied to the long numbers at once.

use super::limbs::Limbs;

/// A number of five limbs of 62 bits, least significant first; the last one carries the sign.
type Signed = [i64; 5];

/// A modulus, odd and of at most 252 bits.
struct Modulus {
    limbs: Signed,
    /// Its inverse modulo 2^62.
    inverse: i64,
}

/// The prime of the field.
const PRIME: Modulus = Modulus { limbs: [1, 0, 0, 17 << 6, 1 << 3], inverse: 1 };

/// The order of the curve.
const ORDER: Modulus = Modulus {
    limbs: [0x1e66_a241_adc6_4d2f, 0x1e04_49b7_2b9e_c8c8, 0x3fff_ffff_ffff_fffb, 0x43f, 1 << 3],
    inverse: 0x0494_c3b3_1742_19cf,
};

/// Bits of a limb, and steps of a round.
const ROUND: u32 = 62;
const MASK: i64 = (1 << ROUND) - 1;

/// What a round of steps does to a pair of numbers, times 2^62.
struct Matrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// The inverse of a number below the prime; `None` for 0.
pub(super) fn inverse(number: &Limbs) -> Option<Limbs> {
    inverse_modulo(const { &PRIME }, number)
}

/// The inverse of a number modulo the order of the curve, which it is below; `None` for 0.
pub(super) fn inverse_modulo_order(number: &Limbs) -> Option<Limbs> {
    inverse_modulo(const { &ORDER }, number)
}

/// The inverse of a number below the modulus, a prime; `None` for 0.
#[inline(always)]
fn inverse_modulo(modulus: &Modulus, number: &Limbs) -> Option<Limbs> {
    if *number == [0; 4] {
        return None;
    }
    // f and g tend to +-1 and 0; all the while f = d * number and g = e * number by the modulus.
    let (mut f, mut g) = (modulus.limbs, split(number));
    let (mut d, mut e) = ([0; 5], [1, 0, 0, 0, 0]);
    let mut eta = -1;
    while g != [0; 5] {
        let matrix = steps(&mut eta, f[0], g[0]);
        (f, g) = apply(&matrix, &f, &g);
        (d, e) = apply_modulo(modulus, &matrix, &d, &e);
    }
    let negative = f[4] < 0;
    Some(join(&normalised(modulus, &d, negative)))
}

/// A round of division steps on the lowest limbs.
fn steps(eta: &mut i64, f: i64, g: i64) -> Matrix {
    let (mut u, mut v, mut q, mut r) = (1_i64, 0_i64, 0_i64, 1_i64);
    let (mut f, mut g) = (f, g);
    let mut left = ROUND;
    loop {
        // All zeros at the end of g at once.
        let zeros = (g | (-1_i64).wrapping_shl(left)).trailing_zeros();
        g = g.wrapping_shr(zeros);
        u = u.wrapping_shl(zeros);
        v = v.wrapping_shl(zeros);
        *eta = eta.wrapping_sub(i64::from(zeros));
        left = left.wrapping_sub(zeros);
        if left == 0 {
            return Matrix { u, v, q, r };
        }
        if *eta < 0 {
            *eta = eta.wrapping_neg();
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
        }
        // The next steps, until f and g change places, add f to g or not: the multiple of f that clears as many bits of g.
        let most = eta.wrapping_add(1).min(i64::from(left)).min(6);
        let mask = 1_i64.wrapping_shl(most.unsigned_abs().try_into().unwrap_or(0)).wrapping_sub(1);
        // f * (f * f - 2) is -1 / f modulo 64, for an odd f.
        let inverse = f.wrapping_mul(f.wrapping_mul(f).wrapping_sub(2));
        let multiple = inverse.wrapping_mul(g) & mask;
        g = g.wrapping_add(f.wrapping_mul(multiple));
        q = q.wrapping_add(u.wrapping_mul(multiple));
        r = r.wrapping_add(v.wrapping_mul(multiple));
    }
}

/// `a * x + b * y + carry`.
#[inline(always)]
fn combine(a: i64, x: i64, b: i64, y: i64, carry: i128) -> i128 {
    let first = i128::from(a).wrapping_mul(i128::from(x));
    let second = i128::from(b).wrapping_mul(i128::from(y));
    first.wrapping_add(second).wrapping_add(carry)
}

/// The low 62 bits and the rest.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the low bits")]
fn cut(number: i128) -> (i64, i128) {
    (number as i64 & MASK, number >> ROUND)
}

/// The matrix applied to `(f, g)` and divided by 2^62, which leaves no rest.
#[inline(always)]
fn apply(matrix: &Matrix, f: &Signed, g: &Signed) -> (Signed, Signed) {
    let row = |a: i64, b: i64| {
        let ([f0, f1, f2, f3, f4], [g0, g1, g2, g3, g4]) = (f, g);
        let (_, carry) = cut(combine(a, *f0, b, *g0, 0));
        let (c0, carry) = cut(combine(a, *f1, b, *g1, carry));
        let (c1, carry) = cut(combine(a, *f2, b, *g2, carry));
        let (c2, carry) = cut(combine(a, *f3, b, *g3, carry));
        let (c3, carry) = cut(combine(a, *f4, b, *g4, carry));
        [c0, c1, c2, c3, low(carry)]
    };
    (row(matrix.u, matrix.v), row(matrix.q, matrix.r))
}

/// The matrix applied to `(d, e)` and divided by 2^62 by the modulus `p`. All stay between `-2 p` and `p`.
#[inline(always)]
fn apply_modulo(modulus: &Modulus, matrix: &Matrix, d: &Signed, e: &Signed) -> (Signed, Signed) {
    let ([d0, d1, d2, d3, d4], [e0, e1, e2, e3, e4]) = (d, e);
    let (d_sign, e_sign) = (d4 >> 63, e4 >> 63);
    let row = |a: i64, b: i64| {
        // The modulus once for each negative number, for the bounds; then as often as clears the low limb.
        let lift = (a & d_sign).wrapping_add(b & e_sign);
        let sum = combine(a, *d0, b, *e0, 0);
        let cleared = modulus.inverse.wrapping_mul(low(sum)).wrapping_add(lift) & MASK;
        let multiple = lift.wrapping_sub(cleared);
        let of_modulus = |limb: i64| i128::from(limb).wrapping_mul(i128::from(multiple));
        let [p0, p1, p2, p3, p4] = modulus.limbs;
        let (_, carry) = cut(sum.wrapping_add(of_modulus(p0)));
        let (c0, carry) = cut(combine(a, *d1, b, *e1, carry).wrapping_add(of_modulus(p1)));
        let (c1, carry) = cut(combine(a, *d2, b, *e2, carry).wrapping_add(of_modulus(p2)));
        let (c2, carry) = cut(combine(a, *d3, b, *e3, carry).wrapping_add(of_modulus(p3)));
        let (c3, carry) = cut(combine(a, *d4, b, *e4, carry).wrapping_add(of_modulus(p4)));
        [c0, c1, c2, c3, low(carry)]
    };
    (row(matrix.u, matrix.v), row(matrix.q, matrix.r))
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "a sum that fits, or its low bits")]
fn low(number: i128) -> i64 {
    number as i64
}

/// `number` or its negative, between `-2 p` and `p`, as the rest between 0 and `p`.
fn normalised(modulus: &Modulus, number: &Signed, negate: bool) -> Signed {
    let lift_if_negative = |number: Signed| {
        let mask = number[4] >> 63;
        propagate(number.into_iter().zip(modulus.limbs).map(|(limb, lift)| limb.wrapping_add(lift & mask)))
    };
    let lifted = lift_if_negative(*number);
    let signed = if negate { propagate(lifted.into_iter().map(i64::wrapping_neg)) } else { lifted };
    lift_if_negative(signed)
}

/// Limbs back into 62 bits each, but for the last.
fn propagate(limbs: impl Iterator<Item = i64>) -> Signed {
    let mut number = [0; 5];
    let mut carry = 0;
    for ((place, limb), index) in number.iter_mut().zip(limbs).zip(0..) {
        let sum = limb.wrapping_add(carry);
        *place = if index == 4 { sum } else { sum & MASK };
        carry = sum >> ROUND;
    }
    number
}

fn split([a, b, c, d]: &Limbs) -> Signed {
    let limb = |bits: u64| bits.cast_signed() & MASK;
    [limb(*a), limb(a >> 62 | b << 2), limb(b >> 60 | c << 4), limb(c >> 58 | d << 6), limb(d >> 56)]
}

fn join(number: &Signed) -> Limbs {
    let [a, b, c, d, e] = number.map(i64::cast_unsigned);
    [a | b << 62, b >> 2 | c << 60, c >> 4 | d << 58, d >> 6 | e << 56]
}

#[cfg(test)]
mod tests {
    use num_bigint::BigUint;
    use starknet_types_core::felt::Felt;

    use super::*;

    fn check(felt: Felt) {
        let number = felt.to_le_digits();
        let felt_of = |limbs: Limbs| limbs.iter().rev().fold(Felt::ZERO, shift_in);
        assert_eq!(inverse(&number).map(felt_of), felt.inverse(), "{felt:#x}");
        let order: BigUint = super::super::signature::order();
        if felt.to_biguint() < order {
            let inverse = inverse_modulo_order(&number).map(|limbs| felt_of(limbs).to_biguint());
            assert_eq!(inverse, felt.to_biguint().modinv(&order), "{felt:#x}");
        }
    }

    fn shift_in(number: Felt, limb: &u64) -> Felt {
        number * Felt::TWO.pow(64_u32) + Felt::from(*limb)
    }

    #[test]
    fn small_numbers_their_negatives_and_powers() {
        check(Felt::ZERO);
        for number in 1..2000_u32 {
            check(Felt::from(number));
            check(-Felt::from(number));
        }
        for bit in 0..252_u32 {
            let power = Felt::TWO.pow(bit);
            for number in [power, -power, power - Felt::ONE, power + Felt::ONE] {
                check(number);
            }
        }
    }

    #[test]
    fn a_walk_through_the_field() {
        let mut number = Felt::from(0x1234_5678_u32);
        for _ in 0..5000 {
            check(number);
            number = number * number + Felt::THREE;
        }
    }
}
