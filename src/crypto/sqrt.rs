//! Square roots modulo the prime: Tonelli-Shanks with a table-based discrete logarithm, after Bernstein and
//! Sarkar.
//!
//! `p - 1 = 2^192 * q` with `q = 2^59 + 17`. For an element `a`, `x = a^((q + 1) / 2)` satisfies
//! `x^2 = a * t` with `t = a^q`, an element of the subgroup of order `2^192` that `g = 3^q` generates. The
//! discrete logarithm `t = g^e` is computed eight bits at a time from tables. If `e` is even, `x / g^(e / 2)`
//! is a square root of `a`. If `e` is odd, `a` has none, and `3 * a`, whose `t` is `g^(e + 1)`, has one.

use std::sync::LazyLock;

use super::element::Element;
use super::lazy::Lazy;
use super::limbs::Limbs;

/// Bits of the logarithm per digit, one table lookup each.
const DIGIT_BITS: usize = 8;
/// Values of a digit.
const DIGITS: usize = 1 << DIGIT_BITS;
/// Digits of a 192-bit logarithm.
const LENGTH: usize = 192 / DIGIT_BITS;

/// The precomputed tables. 213 KB, built in about 0.3 ms by the first square root of the process.
struct SqrtTables {
    /// `g^-(digit * 256^place)`.
    powers: Vec<[Element; DIGITS]>,
    log_table: LogTable,
    /// `3^((q + 1) / 2)`.
    x_of_three: Element,
}

static TABLES: LazyLock<SqrtTables> = LazyLock::new(|| {
    let three = Element::from_limbs(&[3, 0, 0, 0]);
    let power = half_q_power(&three);
    let x_of_three = power.times(&three);
    let generator = x_of_three.times(&power);
    let mut base = generator.inverse().unwrap_or_default();
    let mut powers = Vec::with_capacity(LENGTH);
    for _ in 0..LENGTH {
        let mut row = [Element::ONE; DIGITS];
        let mut power = Element::ONE;
        for entry in &mut row {
            *entry = power;
            power = power.times(&base);
        }
        powers.push(row);
        base = power;
    }
    let log_table = LogTable::new(powers.last().map_or(&[], |row| row));
    SqrtTables { powers, log_table, x_of_three }
});

impl SqrtTables {
    /// `g^-(digit * 256^place)`.
    #[inline]
    fn power(&self, place: usize, digit: u8) -> Element {
        self.powers.get(place).and_then(|row| row.get(usize::from(digit))).copied().unwrap_or_default()
    }
}

/// Discrete logarithms in the subgroup of order 256, by a perfect hash of the Montgomery form.
struct LogTable {
    factor: u64,
    digits: Vec<u8>,
}

impl LogTable {
    /// Bits of a slot index: enough that few multipliers are tried until one has no collisions.
    const BITS: u32 = 14;

    /// Builds the table from the powers of the inverse of the subgroup's generator.
    fn new(inverse_powers: &[Element]) -> Self {
        let mut factor = 1_u64;
        loop {
            // Candidate multipliers: the powers of a multiplier of a linear congruential generator, all odd.
            factor = factor.wrapping_mul(0x5851_f42d_4c95_7f2d);
            if let Some(digits) = Self::spread(factor, inverse_powers) {
                return Self { factor, digits };
            }
        }
    }

    /// The digits by slot; `None` if two powers collide.
    fn spread(factor: u64, inverse_powers: &[Element]) -> Option<Vec<u8>> {
        let mut taken = vec![None; 1 << Self::BITS];
        for (power, digit) in inverse_powers.iter().zip(0_u8..=u8::MAX) {
            let slot = taken.get_mut(Self::slot(factor, power))?;
            if slot.is_some() {
                return None;
            }
            *slot = Some(digit);
        }
        // g^-d is g^(256 - d).
        Some(taken.into_iter().map(|digit| digit.unwrap_or(0).wrapping_neg()).collect())
    }

    #[inline]
    fn slot(factor: u64, element: &Element) -> usize {
        (element.to_montgomery()[0].wrapping_mul(factor) >> u64::BITS.wrapping_sub(Self::BITS)) as usize
    }

    /// The discrete logarithm of an element of the subgroup.
    #[inline]
    fn of(&self, element: &Element) -> u8 {
        self.digits.get(Self::slot(self.factor, element)).copied().unwrap_or(0)
    }
}

/// `a^((q - 1) / 2) = a^(2^58 + 8)`.
fn half_q_power(a: &Element) -> Element {
    let eighth = squarings(Lazy::of(*a).widen(), 3);
    squarings(eighth, 55).times::<2, 2>(eighth).reduced()
}

/// Squares a value `count` times.
#[inline(always)]
fn squarings(number: Lazy<2>, count: usize) -> Lazy<2> {
    (0..count).fold(number, |number, _| number.squared())
}

/// A square root of a value or of three times the value: exactly one of the two has one, unless the value is
/// 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// The square root of the value.
    OfValue(Element),
    /// The square root of three times the value, which is not a square itself.
    OfTriple(Element),
}

/// Returns the smaller square root of `a`, or of `3 * a` if `a` is not a square.
pub fn sqrt_or_sqrt_of_triple(a: &Element) -> Root {
    if a.is_zero() {
        return Root::OfValue(Element::ZERO);
    }
    let tables = &*TABLES;
    let power = half_q_power(a);
    let x = power.times(a);
    let digits = discrete_log(tables, x.times(&power));
    let is_even = digits.first().is_none_or(|digit| digit & 1 == 0);
    // The digits of e / 2, rounded down.
    let (mut half, mut carry) = ([0_u8; LENGTH], 0_u8);
    for (half, digit) in half.iter_mut().zip(digits).rev() {
        *half = digit >> 1 | carry << 7;
        carry = digit & 1;
    }
    let root = half.iter().enumerate().fold(x, |root, (place, digit)| match digit {
        0 => root,
        digit => root.times(&tables.power(place, *digit)),
    });
    if is_even {
        Root::OfValue(smaller(root))
    } else {
        // (e + 1) / 2 is one more than e / 2 rounded down: one more factor 1 / g.
        Root::OfTriple(smaller(root.times(&tables.x_of_three).times(&tables.power(0, 1))))
    }
}

/// Returns the smaller square root of `a`; `None` if `a` is not a square.
pub fn sqrt(a: &Element) -> Option<Element> {
    match sqrt_or_sqrt_of_triple(a) {
        Root::OfValue(root) => Some(root),
        Root::OfTriple(_) => None,
    }
}

/// The base-256 digits of the discrete logarithm `e` of `t = g^e`, lowest first (Pohlig-Hellman).
fn discrete_log(tables: &SqrtTables, t: Element) -> [u8; LENGTH] {
    // The powers t^(256^i). The last is in the subgroup of order 256 and gives the lowest digit; each one
    // before gives one more digit, after division by the known ones.
    let mut powers: [Lazy<2>; LENGTH] = [Lazy::of(t).widen(); LENGTH];
    let mut power = Lazy::of(t).widen();
    for place in powers.iter_mut().skip(1) {
        power = squarings(power, DIGIT_BITS);
        *place = power;
    }
    let mut digits = [0_u8; LENGTH];
    for known in 0..LENGTH {
        // Digit j of t is digit j + shift of its power; digits from LENGTH on vanish.
        let shift = LENGTH.wrapping_sub(known).wrapping_sub(1);
        let mut power = powers.get(shift).copied().unwrap_or(Lazy::of(t).widen());
        for (digit, place) in digits.iter().take(known).zip(shift..) {
            if *digit != 0 {
                power = power.times(Lazy::of(tables.power(place, *digit)));
            }
        }
        if let Some(digit) = digits.get_mut(known) {
            *digit = tables.log_table.of(&power.reduced());
        }
    }
    digits
}

/// The smaller of an element and its negative, as canonical numbers.
fn smaller(root: Element) -> Element {
    let negated = root.negated();
    if is_less(&negated.to_limbs(), &root.to_limbs()) { negated } else { root }
}

fn is_less(a: &Limbs, b: &Limbs) -> bool {
    a.iter().rev().lt(b.iter().rev())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use starknet_types_core::felt::Felt;

    use super::super::test_values::{edges, felt};
    use super::*;

    /// Compares with the result of the Cairo 1 hint, computed by `starknet-types-core`.
    fn check(felt: Felt) {
        let smaller = |root: Felt| root.min(-root);
        let own = felt.sqrt().map(smaller);
        let root = sqrt_or_sqrt_of_triple(&Element::from_felt(&felt));
        match root {
            Root::OfValue(root) => assert_eq!(Some(root.to_felt()), own, "{felt:#x}"),
            Root::OfTriple(root) => {
                assert_eq!(own, None, "{felt:#x}");
                assert_eq!(root.to_felt(), smaller((felt * Felt::THREE).sqrt().unwrap()), "{felt:#x}");
            }
        }
        assert_eq!(sqrt(&Element::from_felt(&felt)).map(Element::to_felt), own);
    }

    #[test]
    fn edge_cases_of_the_field() {
        edges().into_iter().for_each(check);
        (0..100_u32).map(Felt::from).for_each(check);
    }

    /// Elements of the subgroup of order 2^192, of each order.
    #[test]
    fn roots_of_unity() {
        let q = (1_u128 << 59) + 17;
        let mut unity = Felt::THREE.pow(q);
        for _ in 0..=192 {
            check(unity);
            check(-unity);
            check(unity * Felt::from(4));
            unity = unity.square();
        }
        assert_eq!(unity, Felt::ONE);
    }

    proptest! {
        #[test]
        fn agrees_with_the_hint(felt in felt()) {
            check(felt);
            check(felt.square());
            check(felt.square() * Felt::THREE);
        }
    }
}
