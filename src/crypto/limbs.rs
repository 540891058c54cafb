//! Arithmetic on four limbs of 64 bits, and Montgomery reduction modulo the prime.
//!
//! The prime is `p = 2^251 + 17 * 2^192 + 1`. Since `p = 1 (mod 2^192)`, a reduction clears three limbs at
//! once and needs one multiplication per limb instead of four. This is the only reason for not using
//! `starknet-types-core`: a product takes less than two thirds of its time there, a square half, a sum a
//! quarter, an inverse a third (`cargo bench --bench crypto`).

/// A 256-bit number, least significant limb first.
pub type Limbs = [u64; 4];

/// The most significant limb of the prime; the other limbs are 1, 0, 0.
pub(super) const TOP: u64 = 0x0800_0000_0000_0011;

/// The prime.
const PRIME: Limbs = [1, 0, 0, TOP];

/// `a + b` modulo `2^256`.
#[inline(always)]
pub(super) fn add([a0, a1, a2, a3]: &Limbs, [b0, b1, b2, b3]: &Limbs) -> Limbs {
    let (c0, carry) = a0.carrying_add(*b0, false);
    let (c1, carry) = a1.carrying_add(*b1, carry);
    let (c2, carry) = a2.carrying_add(*b2, carry);
    [c0, c1, c2, a3.wrapping_add(*b3).wrapping_add(u64::from(carry))]
}

/// `a - b` modulo `2^256`.
#[inline(always)]
pub(super) fn subtract([a0, a1, a2, a3]: &Limbs, [b0, b1, b2, b3]: &Limbs) -> Limbs {
    let (c0, borrow) = a0.borrowing_sub(*b0, false);
    let (c1, borrow) = a1.borrowing_sub(*b1, borrow);
    let (c2, borrow) = a2.borrowing_sub(*b2, borrow);
    [c0, c1, c2, a3.wrapping_sub(*b3).wrapping_sub(u64::from(borrow))]
}

/// Adds the prime if the number, in two's complement, is negative.
#[inline(always)]
pub(super) fn add_prime_if_negative(number: &Limbs) -> Limbs {
    let [_, _, _, top] = number;
    let mask = (top.cast_signed() >> 63).cast_unsigned();
    add(number, &[mask & 1, 0, 0, mask & TOP])
}

/// Reduces a number below twice the prime.
#[inline(always)]
pub(super) fn reduce_once(number: &Limbs) -> Limbs {
    add_prime_if_negative(&subtract(number, &PRIME))
}

/// `number + a * factor`.
#[inline(always)]
fn add_row([t0, t1, t2, t3, t4]: [u64; 5], [a0, a1, a2, a3]: &Limbs, factor: u64) -> [u64; 5] {
    let (t0, carry) = a0.carrying_mul_add(factor, t0, 0);
    let (t1, carry) = a1.carrying_mul_add(factor, t1, carry);
    let (t2, carry) = a2.carrying_mul_add(factor, t2, carry);
    let (t3, carry) = a3.carrying_mul_add(factor, t3, carry);
    [t0, t1, t2, t3, t4.wrapping_add(carry)]
}

/// `number / 2^64` modulo the prime.
#[inline(always)]
fn reduce_row([t0, t1, t2, t3, t4]: [u64; 5]) -> [u64; 5] {
    // p = 1 (mod 2^64): adding `-t0 mod 2^64` times the prime clears the low limb, with a carry unless the
    // limb is 0.
    let (count, carry) = 0_u64.borrowing_sub(t0, false);
    let (low, high) = count.carrying_mul(TOP, 0);
    let (r0, carry) = t1.carrying_add(0, carry);
    let (r1, carry) = t2.carrying_add(0, carry);
    let (r2, carry) = t3.carrying_add(low, carry);
    let (r3, _) = t4.carrying_add(high, carry);
    [r0, r1, r2, r3, 0]
}

/// The Montgomery product `a * b / 2^256` modulo the prime, below `a * b / 2^256 + p`. `a + p` must not
/// exceed `2^256`; `b` is any number.
#[inline(always)]
pub(super) fn montgomery_product(a: &Limbs, [b0, b1, b2, b3]: &Limbs) -> Limbs {
    let row = reduce_row(add_row([0; 5], a, *b0));
    let row = reduce_row(add_row(row, a, *b1));
    let row = reduce_row(add_row(row, a, *b2));
    let [r0, r1, r2, r3, _] = reduce_row(add_row(row, a, *b3));
    [r0, r1, r2, r3]
}

/// `(a * b + c * d) / 2^256` modulo the prime, below that quotient plus `p`. `a + c + p` must not exceed
/// `2^256`; `b` and `d` are any numbers.
#[inline(always)]
pub(super) fn montgomery_products(
    a: &Limbs,
    [b0, b1, b2, b3]: &Limbs,
    c: &Limbs,
    [d0, d1, d2, d3]: &Limbs,
) -> Limbs {
    let row = reduce_row(add_row(add_row([0; 5], a, *b0), c, *d0));
    let row = reduce_row(add_row(add_row(row, a, *b1), c, *d1));
    let row = reduce_row(add_row(add_row(row, a, *b2), c, *d2));
    let [r0, r1, r2, r3, _] = reduce_row(add_row(add_row(row, a, *b3), c, *d3));
    [r0, r1, r2, r3]
}

/// The 512-bit square: cross products are computed once and doubled.
#[inline(always)]
pub(super) fn wide_square([a0, a1, a2, a3]: &Limbs) -> [u64; 8] {
    let (t1, carry) = a0.carrying_mul(*a1, 0);
    let (t2, carry) = a0.carrying_mul(*a2, carry);
    let (t3, t4) = a0.carrying_mul(*a3, carry);
    let (t3, carry) = a1.carrying_mul_add(*a2, t3, 0);
    let (t4, t5) = a1.carrying_mul_add(*a3, t4, carry);
    let (t5, t6) = a2.carrying_mul_add(*a3, t5, 0);

    let t7 = t6 >> 63;
    let t6 = t6 << 1 | t5 >> 63;
    let t5 = t5 << 1 | t4 >> 63;
    let t4 = t4 << 1 | t3 >> 63;
    let t3 = t3 << 1 | t2 >> 63;
    let t2 = t2 << 1 | t1 >> 63;
    let t1 = t1 << 1;

    let (t0, high0) = a0.carrying_mul(*a0, 0);
    let (low1, high1) = a1.carrying_mul(*a1, 0);
    let (low2, high2) = a2.carrying_mul(*a2, 0);
    let (low3, high3) = a3.carrying_mul(*a3, 0);
    let (t1, carry) = t1.carrying_add(high0, false);
    let (t2, carry) = t2.carrying_add(low1, carry);
    let (t3, carry) = t3.carrying_add(high1, carry);
    let (t4, carry) = t4.carrying_add(low2, carry);
    let (t5, carry) = t5.carrying_add(high2, carry);
    let (t6, carry) = t6.carrying_add(low3, carry);
    let (t7, _) = t7.carrying_add(high3, carry);
    [t0, t1, t2, t3, t4, t5, t6, t7]
}

/// Montgomery reduction: `number / 2^256` modulo the prime, below `number / 2^256 + p`, which must not exceed
/// `2^256`.
#[inline(always)]
pub(super) fn montgomery([t0, t1, t2, t3, t4, t5, t6, t7]: &[u64; 8]) -> Limbs {
    // p = 1 (mod 2^192): adding `-number mod 2^192` times the prime clears the low three limbs, with a carry
    // unless they are 0.
    let (m0, borrow) = 0_u64.borrowing_sub(*t0, false);
    let (m1, borrow) = 0_u64.borrowing_sub(*t1, borrow);
    let (m2, carry) = 0_u64.borrowing_sub(*t2, borrow);
    let (s3, high) = m0.carrying_mul_add(TOP, *t3, u64::from(carry));
    let (s4, high) = m1.carrying_mul_add(TOP, *t4, high);
    let (s5, high) = m2.carrying_mul_add(TOP, *t5, high);
    let (s6, carry) = t6.carrying_add(high, false);
    // The sum is below 2^512: there is no carry out.
    let (s7, _) = t7.carrying_add(0, carry);

    // The fourth limb likewise.
    let (m3, carry) = 0_u64.borrowing_sub(s3, false);
    let (low, high) = m3.carrying_mul(TOP, 0);
    let (r0, carry) = s4.carrying_add(0, carry);
    let (r1, carry) = s5.carrying_add(0, carry);
    let (r2, carry) = s6.carrying_add(low, carry);
    let (r3, _) = s7.carrying_add(high, carry);
    [r0, r1, r2, r3]
}
