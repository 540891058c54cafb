//! Exact fractions, as the protocol publishes prices: 25/10000 gas per step.
//!
//! Input: numbers or text. Output: exact products, rounded down or up.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A fraction of two 64-bit numbers. Kept as published (`32/1000` stays so), so equality compares the two
/// numbers, not the value. Every product is exact. A denominator of 0 makes every product `None`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Ratio {
    /// The number above the fraction line.
    pub numerator: u64,
    /// The number below the fraction line.
    pub denominator: u64,
}

impl Default for Ratio {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Ratio {
    /// The value 0.
    pub const ZERO: Self = Self { numerator: 0, denominator: 1 };

    /// Returns `numerator / denominator`.
    pub const fn new(numerator: u64, denominator: NonZeroU64) -> Self {
        Self { numerator, denominator: denominator.get() }
    }

    /// Returns `true` if the value is 0.
    pub const fn is_zero(self) -> bool {
        self.numerator == 0
    }

    /// Returns `amount` times the fraction, rounded down. `None` if it does not fit in 64 bits.
    pub fn floor_mul(self, amount: u64) -> Option<u64> {
        let exact = self.exact_product(amount).checked_div(u128::from(self.denominator))?;
        u64::try_from(exact).ok()
    }

    /// Returns `amount` times the fraction, rounded up. `None` if it does not fit in 64 bits.
    pub fn ceil_mul(self, amount: u64) -> Option<u64> {
        let denominator = u128::from(self.denominator);
        let product = self.exact_product(amount);
        let floor = product.checked_div(denominator)?;
        let remainder = product.checked_rem(denominator)?;
        u64::try_from(floor).ok()?.checked_add(u64::from(remainder != 0))
    }

    /// Returns `amount` divided by the fraction, rounded down. `None` if the fraction is 0 or the
    /// result does not fit in 64 bits.
    pub fn floor_div(self, amount: u64) -> Option<u64> {
        self.inverse().floor_mul(amount)
    }

    /// Returns 1 divided by the fraction. The inverse of 0 has a denominator of 0, so that its products are
    /// `None`.
    pub const fn inverse(self) -> Self {
        Self { numerator: self.denominator, denominator: self.numerator }
    }

    /// The exact product; two 64-bit numbers always fit in 128 bits.
    fn exact_product(self, amount: u64) -> u128 {
        u128::from(self.numerator).saturating_mul(u128::from(amount))
    }
}

impl fmt::Display for Ratio {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.numerator)?;
        if self.denominator == 1 { Ok(()) } else { write!(formatter, "/{}", self.denominator) }
    }
}

/// The error of reading a fraction from a text that is not like `5` or `5/1000`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a fraction with a denominator above 0")]
pub struct NotARatio(String);

impl FromStr for Ratio {
    type Err = NotARatio;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (numerator, denominator) = text.split_once('/').unwrap_or((text, "1"));
        match (numerator.parse(), denominator.parse()) {
            (Ok(numerator), Ok(denominator)) => Ok(Self::new(numerator, denominator)),
            _ => Err(NotARatio(text.to_owned())),
        }
    }
}

impl Serialize for Ratio {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Ratio {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ratio(text: &str) -> Ratio {
        text.parse().unwrap()
    }

    #[test]
    fn products_round_down_and_up() {
        let step = ratio("25/10000");
        assert_eq!((step.floor_mul(0), step.ceil_mul(0)), (Some(0), Some(0)));
        assert_eq!((step.floor_mul(399), step.ceil_mul(399)), (Some(0), Some(1)));
        assert_eq!((step.floor_mul(400), step.ceil_mul(400)), (Some(1), Some(1)));
        assert_eq!((step.floor_mul(401), step.ceil_mul(401)), (Some(1), Some(2)));
        assert_eq!(step.floor_div(1), Some(400));
        assert_eq!(ratio("5/1000").floor_div(3), Some(600));
    }

    #[test]
    fn products_are_exact_up_to_64_bits() {
        let max = u64::MAX;
        assert_eq!(Ratio { numerator: max, denominator: max }.floor_mul(max), Some(max));
        assert_eq!(Ratio { numerator: max, denominator: max }.ceil_mul(max), Some(max));
        assert_eq!(ratio("1/3").floor_mul(max), Some(max / 3));
        assert_eq!(ratio("3/2").floor_mul(max), None);
        assert_eq!(ratio("3/2").ceil_mul(max), None);
        // 2^65 - 1 = 253921 * 145295143558111, so half of it is 2^64 - 1/2: the floor fits, the ceiling does
        // not.
        assert_eq!(ratio("253921/2").floor_mul(145_295_143_558_111), Some(max));
        assert_eq!(ratio("253921/2").ceil_mul(145_295_143_558_111), None);
        assert_eq!(Ratio { numerator: max, denominator: max - 1 }.ceil_mul(max - 1), Some(max));
        assert_eq!(Ratio { numerator: max, denominator: max - 1 }.ceil_mul(max), None);
    }

    #[test]
    fn zero_numerator_and_zero_denominator() {
        assert!(Ratio::ZERO.is_zero());
        assert!(ratio("0/7").is_zero());
        assert_eq!(Ratio::ZERO.ceil_mul(u64::MAX), Some(0));
        assert_eq!(Ratio::ZERO.floor_div(1), None);
        assert_eq!(Ratio { numerator: 1, denominator: 0 }.floor_mul(1), None);
        assert_eq!(Ratio { numerator: 1, denominator: 0 }.ceil_mul(1), None);
    }

    #[test]
    fn text_form() {
        assert_eq!(ratio("875/1000"), Ratio { numerator: 875, denominator: 1000 });
        assert_eq!(ratio("5120"), Ratio { numerator: 5120, denominator: 1 });
        for text in ["875/1000", "5120", "0"] {
            assert_eq!(ratio(text).to_string(), text);
        }
        for text in ["", "/", "1/", "/2", "1/0", "1/2/3", "-1", "1.5"] {
            assert!(text.parse::<Ratio>().is_err(), "{text:?}");
        }
    }
}
