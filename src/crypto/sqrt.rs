//! Square roots modulo the prime.
//!
//! `p - 1 = 2^192 * q` with `q = 2^59 + 17`. For a number `a`, `x = a^((q + 1) / 2)` is a root but for `t = a^q`, which lies in
//! the group of order `2^192` that `g = 3^q` generates: `x^2 = a * t`. The logarithm `t = g^e` is read eight bits at a time
//! from tables; if it is even, `x / g^(e / 2)` is the root of `a`. If it is odd there is none, and `3 * a`, whose `t` is `g^(e
//! + 1)`, has one.

use std::sync::LazyLock;

use super::element::Element;
use super::lazy::Lazy;
use super::limbs::Limbs;

/// Bits of the logarithm that one look-up gives.
const DIGIT_BITS: usize = 8;
/// Values of a digit.
const DIGITS: usize = 1 << DIGIT_BITS;
/// Digits of a logarithm: 192 bits.
const LENGTH: usize = 192 / DIGIT_BITS;

/// 213 KB, made in some 0.3 ms by the first root of the process.
struct Tables {
    /// `g^-(digit * 256^place)`.
    powers: Vec<[Element; DIGITS]>,
    logarithms: Logarithms,
    /// `3^((q + 1) / 2)`.
    x_of_three: Element,
}

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let three = Element::from_limbs(&[3, 0, 0, 0]);
    let below = half_power(&three);
    let x_of_three = below.times(&three);
    let generator = x_of_three.times(&below);
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
    let logarithms = Logarithms::new(powers.last().map_or(&[], |row| row));
    Tables { powers, logarithms, x_of_three }
});

impl Tables {
    /// `g^-(digit * 256^place)`.
    #[inline]
    fn power(&self, place: usize, digit: u8) -> Element {
        self.powers.get(place).and_then(|row| row.get(usize::from(digit))).copied().unwrap_or_default()
    }
}

/// Logarithms in the group of order 256, found by a few bits of the Montgomery form that tell its elements apart.
struct Logarithms {
    factor: u64,
    digits: Vec<u8>,
}

impl Logarithms {
    /// Slots: many enough that a factor without collisions is found soon.
    const BITS: u32 = 14;

    /// From the powers of the inverse of the generator.
    fn new(inverse_powers: &[Element]) -> Self {
        let mut factor = 1_u64;
        loop {
            // The multiplier of a well-known generator of pseudo-random numbers: a walk through the odd numbers.
            factor = factor.wrapping_mul(0x5851_f42d_4c95_7f2d);
            if let Some(digits) = Self::spread(factor, inverse_powers) {
                return Self { factor, digits };
            }
        }
    }

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

    /// The logarithm of an element of the group.
    #[inline]
    fn of(&self, element: &Element) -> u8 {
        self.digits.get(Self::slot(self.factor, element)).copied().unwrap_or(0)
    }
}

/// `a^((q - 1) / 2) = a^(2^58 + 8)`.
fn half_power(a: &Element) -> Element {
    let eighth = squarings(Lazy::of(*a).below(), 3);
    squarings(eighth, 55).times::<2, 2>(eighth).reduced()
}

/// Squared so many times.
#[inline(always)]
fn squarings(number: Lazy<2>, count: usize) -> Lazy<2> {
    (0..count).fold(number, |number, _| number.squared())
}

/// A root of a number or of three times the number; one of the two has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Root {
    /// The number's.
    OfValue(Element),
    /// That of three times the number, which has none itself.
    OfTriple(Element),
}

/// The root of `a` or of `3 * a`: of the two roots the smaller number.
pub fn sqrt_or_sqrt_of_triple(a: &Element) -> Root {
    if a.is_zero() {
        return Root::OfValue(Element::ZERO);
    }
    let tables = &*TABLES;
    let below = half_power(a);
    let x = below.times(a);
    let digits = logarithm(tables, x.times(&below));
    let even = digits.first().is_none_or(|digit| digit & 1 == 0);
    // Half of e, or of e + 1: halving the digits loses the lowest bit, and e + 1 carries it into the half.
    let (mut half, mut above) = ([0_u8; LENGTH], 0_u8);
    for (half, digit) in half.iter_mut().zip(digits).rev() {
        *half = digit >> 1 | above << 7;
        above = digit & 1;
    }
    let root = half.iter().enumerate().fold(x, |root, (place, digit)| match digit {
        0 => root,
        digit => root.times(&tables.power(place, *digit)),
    });
    if even {
        Root::OfValue(smaller(root))
    } else {
        // One factor of 1 / g more for the carry.
        Root::OfTriple(smaller(root.times(&tables.x_of_three).times(&tables.power(0, 1))))
    }
}

/// The root of a number: of the two the smaller number; `None` where there is none.
pub fn sqrt(a: &Element) -> Option<Element> {
    match sqrt_or_sqrt_of_triple(a) {
        Root::OfValue(root) => Some(root),
        Root::OfTriple(_) => None,
    }
}

/// The digits of `e` for `t = g^e`, lowest first.
fn logarithm(tables: &Tables, t: Element) -> [u8; LENGTH] {
    // t^(256^i): the last lies in the group of order 256 and tells the lowest digit. Each one before tells one digit more, once
    // the digits known are divided out.
    let mut powers: [Lazy<2>; LENGTH] = [Lazy::of(t).below(); LENGTH];
    let mut power = Lazy::of(t).below();
    for place in powers.iter_mut().skip(1) {
        power = squarings(power, DIGIT_BITS);
        *place = power;
    }
    let mut digits = [0_u8; LENGTH];
    for known in 0..LENGTH {
        // The digit at place j of t stands at place j + shift of its power; those from LENGTH on do not count.
        let shift = LENGTH.wrapping_sub(known).wrapping_sub(1);
        let mut power = powers.get(shift).copied().unwrap_or(Lazy::of(t).below());
        for (digit, place) in digits.iter().take(known).zip(shift..) {
            if *digit != 0 {
                power = power.times(Lazy::of(tables.power(place, *digit)));
            }
        }
        if let Some(digit) = digits.get_mut(known) {
            *digit = tables.logarithms.of(&power.reduced());
        }
    }
    digits
}

/// The smaller one of a number and its negative.
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

    /// What the hint of Cairo 1 answers, from the library.
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
    fn edges_of_the_field() {
        edges().into_iter().for_each(check);
        (0..100_u32).map(Felt::from).for_each(check);
    }

    /// Numbers that lie in the group of order 2^192 themselves, of each order.
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
        fn it_is_the_hints(felt in felt()) {
            check(felt);
            check(felt.square());
            check(felt.square() * Felt::THREE);
        }
    }
}
