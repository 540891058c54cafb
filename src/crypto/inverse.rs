//! Modular inversion modulo the prime of the field or the order of the curve: safegcd (Bernstein and Yang,
//! "Fast constant-time gcd computation and modular inversion", 2019), in the variable-time form, as no input
//! is secret.
//!
//! A division step (divstep) depends on the lowest bits only. So 62 divsteps run on single words first; their
//! transition matrix is then applied to the full numbers at once.

use super::limbs::Limbs;

/// A signed number in five limbs of 62 bits, least significant first; the last limb carries the sign.
type Signed62 = [i64; 5];

/// An odd modulus of at most 252 bits.
struct SafegcdModulus {
    limbs: Signed62,
    /// The inverse of the modulus modulo 2^62.
    inverse: i64,
}

/// The prime of the field.
const PRIME: SafegcdModulus = SafegcdModulus { limbs: [1, 0, 0, 17 << 6, 1 << 3], inverse: 1 };

/// The order of the group.
const ORDER: SafegcdModulus = SafegcdModulus {
    limbs: [0x1e66_a241_adc6_4d2f, 0x1e04_49b7_2b9e_c8c8, 0x3fff_ffff_ffff_fffb, 0x43f, 1 << 3],
    inverse: 0x0494_c3b3_1742_19cf,
};

/// Bits per limb and divsteps per round.
const ROUND: u32 = 62;
const MASK: i64 = (1 << ROUND) - 1;

/// The transition matrix of a round of divsteps, times 2^62.
struct TransitionMatrix {
    u: i64,
    v: i64,
    q: i64,
    r: i64,
}

/// The inverse modulo the prime of a number below it; `None` for 0.
pub(super) fn inverse(number: &Limbs) -> Option<Limbs> {
    inverse_modulo(const { &PRIME }, number)
}

/// The inverse modulo the order of the group of a number below it; `None` for 0.
pub(super) fn inverse_modulo_order(number: &Limbs) -> Option<Limbs> {
    inverse_modulo(const { &ORDER }, number)
}

/// The inverse of a number below a prime modulus; `None` for 0.
#[inline(always)]
fn inverse_modulo(modulus: &SafegcdModulus, number: &Limbs) -> Option<Limbs> {
    if *number == [0; 4] {
        return None;
    }
    // f tends to +-1 and g to 0. Invariant: f = d * number and g = e * number modulo the modulus.
    let (mut f, mut g) = (modulus.limbs, to_signed62(number));
    let (mut d, mut e) = ([0; 5], [1, 0, 0, 0, 0]);
    let mut eta = -1;
    while g != [0; 5] {
        let matrix = divsteps(&mut eta, f[0], g[0]);
        (f, g) = update_fg(&matrix, &f, &g);
        (d, e) = update_de(modulus, &matrix, &d, &e);
    }
    let negative = f[4] < 0;
    Some(from_signed62(&normalize(modulus, &d, negative)))
}

/// A round of 62 divsteps on the lowest limbs.
fn divsteps(eta: &mut i64, f: i64, g: i64) -> TransitionMatrix {
    let (mut u, mut v, mut q, mut r) = (1_i64, 0_i64, 0_i64, 1_i64);
    let (mut f, mut g) = (f, g);
    let mut remaining = ROUND;
    loop {
        // All trailing zeros of g at once.
        let zeros = (g | (-1_i64).wrapping_shl(remaining)).trailing_zeros();
        g = g.wrapping_shr(zeros);
        u = u.wrapping_shl(zeros);
        v = v.wrapping_shl(zeros);
        *eta = eta.wrapping_sub(i64::from(zeros));
        remaining = remaining.wrapping_sub(zeros);
        if remaining == 0 {
            return TransitionMatrix { u, v, q, r };
        }
        if *eta < 0 {
            *eta = eta.wrapping_neg();
            (f, g) = (g, f.wrapping_neg());
            (u, q) = (q, u.wrapping_neg());
            (v, r) = (r, v.wrapping_neg());
        }
        // Until the next swap of f and g, each step adds f to g or not: one multiple of f clears up to 6 bits
        // of g.
        let n_steps = eta.wrapping_add(1).min(i64::from(remaining)).min(6);
        let mask = 1_i64.wrapping_shl(n_steps.unsigned_abs().try_into().unwrap_or(0)).wrapping_sub(1);
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

/// The low 62 bits, and the carry.
#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the low bits")]
fn split_limb(number: i128) -> (i64, i128) {
    (number as i64 & MASK, number >> ROUND)
}

/// Applies the matrix to `(f, g)` and divides by 2^62, exactly.
#[inline(always)]
fn update_fg(matrix: &TransitionMatrix, f: &Signed62, g: &Signed62) -> (Signed62, Signed62) {
    let row = |a: i64, b: i64| {
        let ([f0, f1, f2, f3, f4], [g0, g1, g2, g3, g4]) = (f, g);
        let (_, carry) = split_limb(combine(a, *f0, b, *g0, 0));
        let (c0, carry) = split_limb(combine(a, *f1, b, *g1, carry));
        let (c1, carry) = split_limb(combine(a, *f2, b, *g2, carry));
        let (c2, carry) = split_limb(combine(a, *f3, b, *g3, carry));
        let (c3, carry) = split_limb(combine(a, *f4, b, *g4, carry));
        [c0, c1, c2, c3, low(carry)]
    };
    (row(matrix.u, matrix.v), row(matrix.q, matrix.r))
}

/// Applies the matrix to `(d, e)` and divides by 2^62 modulo the modulus `p`. Inputs and results are between
/// `-2 p` and `p`.
#[inline(always)]
fn update_de(
    modulus: &SafegcdModulus,
    matrix: &TransitionMatrix,
    d: &Signed62,
    e: &Signed62,
) -> (Signed62, Signed62) {
    let ([d0, d1, d2, d3, d4], [e0, e1, e2, e3, e4]) = (d, e);
    let (d_sign, e_sign) = (d4 >> 63, e4 >> 63);
    let row = |a: i64, b: i64| {
        // Adds the modulus once per negative input, which keeps the bounds, then the multiple that clears the
        // low limb.
        let lift = (a & d_sign).wrapping_add(b & e_sign);
        let sum = combine(a, *d0, b, *e0, 0);
        let cleared = modulus.inverse.wrapping_mul(low(sum)).wrapping_add(lift) & MASK;
        let multiple = lift.wrapping_sub(cleared);
        let of_modulus = |limb: i64| i128::from(limb).wrapping_mul(i128::from(multiple));
        let [p0, p1, p2, p3, p4] = modulus.limbs;
        let (_, carry) = split_limb(sum.wrapping_add(of_modulus(p0)));
        let (c0, carry) = split_limb(combine(a, *d1, b, *e1, carry).wrapping_add(of_modulus(p1)));
        let (c1, carry) = split_limb(combine(a, *d2, b, *e2, carry).wrapping_add(of_modulus(p2)));
        let (c2, carry) = split_limb(combine(a, *d3, b, *e3, carry).wrapping_add(of_modulus(p3)));
        let (c3, carry) = split_limb(combine(a, *d4, b, *e4, carry).wrapping_add(of_modulus(p4)));
        [c0, c1, c2, c3, low(carry)]
    };
    (row(matrix.u, matrix.v), row(matrix.q, matrix.r))
}

#[inline(always)]
#[expect(clippy::cast_possible_truncation, reason = "the value fits, or only its low bits count")]
fn low(number: i128) -> i64 {
    number as i64
}

/// Reduces `number` or its negative from between `-2 p` and `p` to between 0 and `p`.
fn normalize(modulus: &SafegcdModulus, number: &Signed62, negate: bool) -> Signed62 {
    let lift_if_negative = |number: Signed62| {
        let mask = number[4] >> 63;
        propagate(number.into_iter().zip(modulus.limbs).map(|(limb, lift)| limb.wrapping_add(lift & mask)))
    };
    let lifted = lift_if_negative(*number);
    let signed = if negate { propagate(lifted.into_iter().map(i64::wrapping_neg)) } else { lifted };
    lift_if_negative(signed)
}

/// Propagates carries, so that every limb but the last has 62 bits.
fn propagate(limbs: impl Iterator<Item = i64>) -> Signed62 {
    let mut number = [0; 5];
    let mut carry = 0;
    for ((place, limb), index) in number.iter_mut().zip(limbs).zip(0..) {
        let sum = limb.wrapping_add(carry);
        *place = if index == 4 { sum } else { sum & MASK };
        carry = sum >> ROUND;
    }
    number
}

fn to_signed62([a, b, c, d]: &Limbs) -> Signed62 {
    let limb = |bits: u64| bits.cast_signed() & MASK;
    [limb(*a), limb(a >> 62 | b << 2), limb(b >> 60 | c << 4), limb(c >> 58 | d << 6), limb(d >> 56)]
}

fn from_signed62(number: &Signed62) -> Limbs {
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
    fn small_numbers_and_powers_of_two_are_inverted() {
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
    fn pseudorandom_elements_are_inverted() {
        let mut number = Felt::from(0x1234_5678_u32);
        for _ in 0..5000 {
            check(number);
            number = number * number + Felt::THREE;
        }
    }
}
