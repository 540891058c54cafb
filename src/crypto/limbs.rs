//! Numbers of 256 bits and the Montgomery reduction modulo the prime.
//!
//! The prime is `p = 2^251 + 17 * 2^192 + 1`. It is 1 modulo `2^192`, so that a reduction clears three limbs at once and needs
//! one product per limb instead of four. That, and nothing else, is why this is not the library's arithmetic: a product takes
//! about half its time, a sum a quarter, an inverse a fourth (`cargo bench --bench crypto`).

/// A number, least significant limb first.
pub type Limbs = [u64; 4];

/// The highest limb of the prime; the others are 1, 0, 0.
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

/// Adds the prime to a number that came out negative.
#[inline(always)]
pub(super) fn lift(number: &Limbs) -> Limbs {
    let [_, _, _, top] = number;
    let mask = (top.cast_signed() >> 63).cast_unsigned();
    add(number, &[mask & 1, 0, 0, mask & TOP])
}

/// A number below twice the prime, brought below the prime.
#[inline(always)]
pub(super) fn reduce_once(number: &Limbs) -> Limbs {
    lift(&subtract(number, &PRIME))
}

/// The product of two numbers of 256 bits.
#[inline(always)]
pub(super) fn wide_product([a0, a1, a2, a3]: &Limbs, [b0, b1, b2, b3]: &Limbs) -> [u64; 8] {
    let (t0, carry) = a0.carrying_mul(*b0, 0);
    let (t1, carry) = a1.carrying_mul(*b0, carry);
    let (t2, carry) = a2.carrying_mul(*b0, carry);
    let (t3, t4) = a3.carrying_mul(*b0, carry);

    let (t1, carry) = a0.carrying_mul_add(*b1, t1, 0);
    let (t2, carry) = a1.carrying_mul_add(*b1, t2, carry);
    let (t3, carry) = a2.carrying_mul_add(*b1, t3, carry);
    let (t4, t5) = a3.carrying_mul_add(*b1, t4, carry);

    let (t2, carry) = a0.carrying_mul_add(*b2, t2, 0);
    let (t3, carry) = a1.carrying_mul_add(*b2, t3, carry);
    let (t4, carry) = a2.carrying_mul_add(*b2, t4, carry);
    let (t5, t6) = a3.carrying_mul_add(*b2, t5, carry);

    let (t3, carry) = a0.carrying_mul_add(*b3, t3, 0);
    let (t4, carry) = a1.carrying_mul_add(*b3, t4, carry);
    let (t5, carry) = a2.carrying_mul_add(*b3, t5, carry);
    let (t6, t7) = a3.carrying_mul_add(*b3, t6, carry);
    [t0, t1, t2, t3, t4, t5, t6, t7]
}

/// The square of a number of 256 bits: the mixed products once, doubled.
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

/// The sum of two numbers of 512 bits, modulo `2^512`.
#[inline(always)]
pub(super) fn wide_sum(
    [a0, a1, a2, a3, a4, a5, a6, a7]: &[u64; 8],
    [b0, b1, b2, b3, b4, b5, b6, b7]: &[u64; 8],
) -> [u64; 8] {
    let (c0, carry) = a0.carrying_add(*b0, false);
    let (c1, carry) = a1.carrying_add(*b1, carry);
    let (c2, carry) = a2.carrying_add(*b2, carry);
    let (c3, carry) = a3.carrying_add(*b3, carry);
    let (c4, carry) = a4.carrying_add(*b4, carry);
    let (c5, carry) = a5.carrying_add(*b5, carry);
    let (c6, carry) = a6.carrying_add(*b6, carry);
    [c0, c1, c2, c3, c4, c5, c6, a7.wrapping_add(*b7).wrapping_add(u64::from(carry))]
}

/// `number / 2^256` modulo the prime, below `number / 2^256 + p`, which must not exceed `2^256`.
#[inline(always)]
pub(super) fn montgomery([t0, t1, t2, t3, t4, t5, t6, t7]: &[u64; 8]) -> Limbs {
    // The prime is 1 modulo 2^192: as many times as minus the low three limbs say, it clears them. They leave a carry unless 0.
    let (m0, borrow) = 0_u64.borrowing_sub(*t0, false);
    let (m1, borrow) = 0_u64.borrowing_sub(*t1, borrow);
    let (m2, carry) = 0_u64.borrowing_sub(*t2, borrow);
    let (s3, high) = m0.carrying_mul_add(TOP, *t3, u64::from(carry));
    let (s4, high) = m1.carrying_mul_add(TOP, *t4, high);
    let (s5, high) = m2.carrying_mul_add(TOP, *t5, high);
    let (s6, carry) = t6.carrying_add(high, false);
    // The sum stays below 2^256 * 2^256: nothing is carried out of it.
    let (s7, _) = t7.carrying_add(0, carry);

    // The fourth limb in the same way.
    let (m3, carry) = 0_u64.borrowing_sub(s3, false);
    let (low, high) = m3.carrying_mul(TOP, 0);
    let (r0, carry) = s4.carrying_add(0, carry);
    let (r1, carry) = s5.carrying_add(0, carry);
    let (r2, carry) = s6.carrying_add(low, carry);
    let (r3, _) = s7.carrying_add(high, carry);
    [r0, r1, r2, r3]
}
