//! Conversion of text and big integers to field elements, with a range check.
//!
//! Input: `0x...` text or a big integer. Output: a felt, or an error with the place and the value. Must not
//! know: the meaning of the felt.
//!
//! A value must be below the prime. The usual conversions reduce modulo the prime, so two different files
//! would load as the same class.

use num_bigint::BigUint;
use starknet_types_core::felt::Felt;

use super::error::ClassError;
use crate::crypto::Element;

/// The prime 2^251 + 17 * 2^192 + 1, big-endian.
const PRIME: [u8; 32] =
    [0x08, 0, 0, 0, 0, 0, 0, 0x11, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];

/// The prime in limbs, the most significant first.
const PRIME_LIMBS: [u64; 4] = [0x0800_0000_0000_0011, 0, 0, 1];

/// The number of characters of a faulty value that an error repeats.
const SHOWN: usize = 80;

/// Reads `0x` and hexadecimal digits. `place` is only called for an error.
pub(super) fn felt_from_hex(text: &str, place: impl FnOnce() -> String) -> Result<Felt, ClassError> {
    let digits = text.strip_prefix("0x").map(str::as_bytes).filter(|digits| are_hexadecimal(digits));
    let Some(digits) = digits else {
        return Err(ClassError::NotHex { place: place(), value: shown(text) });
    };
    let zeros = digits.iter().take_while(|digit| **digit == b'0').count();
    let significant = digits.get(zeros..).unwrap_or_default();
    if significant.len() <= 64 {
        let mut limbs = [0_u64; 4];
        for (limb, digits) in limbs.iter_mut().zip(significant.rchunks(16)) {
            *limb = digits.iter().fold(0, |value, digit| (value << 4) | u64::from(nibble(*digit)));
        }
        let [a, b, c, d] = limbs;
        if [d, c, b, a] < PRIME_LIMBS {
            return Ok(Element::from_limbs(&limbs).to_felt());
        }
    }
    Err(ClassError::FeltOutOfRange { place: place(), value: shown(text) })
}

fn are_hexadecimal(digits: &[u8]) -> bool {
    !digits.is_empty() && digits.iter().all(u8::is_ascii_hexdigit)
}

/// Converts a big integer, which must be below the prime.
pub(super) fn felt_from_integer(value: &BigUint, place: impl FnOnce() -> String) -> Result<Felt, ClassError> {
    let mut bytes = [0_u8; 32];
    if value.bits() <= 256 {
        for (chunk, limb) in bytes.rchunks_mut(8).zip(value.iter_u64_digits()) {
            chunk.copy_from_slice(&limb.to_be_bytes());
        }
        if bytes < PRIME {
            return Ok(Felt::from_bytes_be(&bytes));
        }
    }
    Err(ClassError::FeltOutOfRange { place: place(), value: shown(&format!("{value:#x}")) })
}

/// Returns `true` if the text is the Starknet prime.
pub(super) fn is_prime_text(text: &str) -> bool {
    text.strip_prefix("0x").is_some_and(|digits| {
        let significant = digits.trim_start_matches('0').as_bytes();
        significant.len() == 63
            && PRIME.iter().rev().zip(significant.rchunks(2)).all(|(byte, pair)| {
                pair.iter().all(u8::is_ascii_hexdigit)
                    && pair.iter().fold(0, |value, digit| (value << 4) | nibble(*digit)) == *byte
            })
    })
}

/// Returns `true` if the number is the Starknet prime.
pub(super) fn is_prime(value: &BigUint) -> bool {
    value.bits() == 252 && value.to_bytes_be() == PRIME
}

/// The value of a hexadecimal digit. Letters have bit 6 set, which digits do not, and their low bits begin at
/// 1.
fn nibble(digit: u8) -> u8 {
    (digit & 0xf).wrapping_add((digit >> 6).wrapping_mul(9))
}

/// Returns the text, truncated so that an error stays small.
pub(super) fn shown(text: &str) -> String {
    if text.chars().nth(SHOWN).is_none() {
        text.to_owned()
    } else {
        text.chars().take(SHOWN).chain("...".chars()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place() -> String {
        "here".to_owned()
    }

    #[test]
    fn text_and_integer_agree_up_to_the_prime() {
        let last = Felt::MAX;
        let below = format!("{last:#x}");
        assert_eq!(felt_from_hex(&below, place), Ok(last));
        assert_eq!(felt_from_hex("0x0", place), Ok(Felt::ZERO));
        assert_eq!(felt_from_hex("0x000aBc", place), Ok(Felt::from(0xabc)));
        assert_eq!(felt_from_integer(&last.to_biguint(), place), Ok(last));
        assert_eq!(felt_from_integer(&BigUint::from(u64::MAX), place), Ok(Felt::from(u64::MAX)));
        let prime = last.to_biguint() + 1_u8;
        assert!(is_prime(&prime) && is_prime_text(&format!("{prime:#x}")));
        assert!(!is_prime(&(&prime - 1_u8)) && !is_prime_text(&below) && !is_prime_text("0x"));
        for out in [prime.clone(), BigUint::from(1_u8) << 256, BigUint::from(1_u8) << 9000] {
            let text = format!("{out:#x}");
            assert!(matches!(felt_from_hex(&text, place), Err(ClassError::FeltOutOfRange { .. })));
            assert!(matches!(felt_from_integer(&out, place), Err(ClassError::FeltOutOfRange { .. })));
        }
        for bad in ["", "0x", "12", "0xg", "0x+1", "-0x1", "0x 1", "0xé"] {
            assert!(matches!(felt_from_hex(bad, place), Err(ClassError::NotHex { .. })), "{bad}");
        }
    }
}
