//! ECDSA verification on the Stark curve, as the builtin does it: a public key is given by its x coordinate
//! only.
//!
//! `(r, s)` signs a message `z` for the key `Q` if `r` is the x coordinate of `z / s * G + r / s * Q` or of
//! `z / s * G - r / s * Q`. The bounds of `starknet-crypto` are kept exactly: the message, `r`, `s` and
//! `1 / s` modulo the group order are below 2^251, and `r` and `s` are not 0.

use num_bigint::BigUint;

use super::curve::{Point, XyzzPoint};
use super::element::Element;
use super::generator::generator;
use super::inverse::inverse_modulo_order;
use super::limbs::Limbs;
use super::scalar_mul::scalar_mul_jacobian;

/// The order of the group.
const ORDER: Limbs =
    [0x1e66_a241_adc6_4d2f, 0xb781_126d_cae7_b232, 0xffff_ffff_ffff_ffff, 0x0800_0000_0000_0010];

/// Verifies that `(r, s)` signs the message for the public key with this x coordinate, all numbers below the
/// prime.
///
/// `None` means undecided, not invalid: the message is 0, or one of the two candidate sums is infinity. There
/// `starknet-crypto` panics, unless the other sum comes first and matches.
pub fn verify_signature(public_key: &Limbs, message: &Limbs, r: &Limbs, s: &Limbs) -> Option<bool> {
    if ![message, r, s].into_iter().all(is_in_bounds) || *r == [0; 4] {
        return Some(false);
    }
    let Some(public_key) = Point::from_x(&Element::from_limbs(public_key)) else { return Some(false) };
    let Some(w) = inverse_modulo_order(s).filter(is_in_bounds) else { return Some(false) };
    let order = order();
    let scaled_by_w = |number: &Limbs| limbs(&(big(number) * big(&w) % &order));
    let message_part = generator().add_scalar_mul(XyzzPoint::INFINITY, &scaled_by_w(message));
    let key_part = scalar_mul_jacobian(&public_key, &scaled_by_w(r));
    let setup = key_part.addition_setup(&message_part);
    if setup.has_same_x() {
        return None;
    }
    let r = Element::from_limbs(r);
    Some([key_part, key_part.negated()].iter().any(|key_part| {
        let mut sum = message_part;
        sum.add_jacobian(key_part, &setup);
        sum.has_x(&r)
    }))
}

/// Returns `true` if the number is below 2^251.
fn is_in_bounds([_, _, _, top]: &Limbs) -> bool {
    top >> 59 == 0
}

/// The order of the group.
pub(super) fn order() -> BigUint {
    big(&ORDER)
}

fn big(number: &Limbs) -> BigUint {
    number.iter().rev().fold(BigUint::default(), |big, limb| (big << u64::BITS) + limb)
}

/// The limbs of a number below 2^256.
fn limbs(number: &BigUint) -> Limbs {
    let mut limbs = [0; 4];
    for (limb, digit) in limbs.iter_mut().zip(number.iter_u64_digits()) {
        *limb = digit;
    }
    limbs
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use proptest::prelude::*;
    use starknet_crypto::{get_public_key, sign, verify};
    use starknet_types_core::felt::Felt;

    use super::super::test_values::{edges, felt};
    use super::*;

    /// The result of `starknet-crypto`; `None` if it panics.
    fn reference(public_key: &Felt, message: &Felt, r: &Felt, s: &Felt) -> Option<bool> {
        catch_unwind(AssertUnwindSafe(|| verify(public_key, message, r, s).unwrap_or(false))).ok()
    }

    fn check(public_key: &Felt, message: &Felt, r: &Felt, s: &Felt) -> Option<bool> {
        let [a, b, c, d] = [public_key, message, r, s].map(Felt::to_le_digits);
        let own = verify_signature(&a, &b, &c, &d);
        let reference = reference(public_key, message, r, s);
        // If one sum is infinity, `starknet-crypto` may have matched the other before.
        assert!(own == reference || own.is_none(), "{own:?} {public_key:#x} {message:#x} {r:#x} {s:#x}");
        own
    }

    fn of(number: &BigUint) -> Felt {
        Felt::from(number)
    }

    #[test]
    fn a_signature_is_valid_for_one_message_and_one_key() {
        for (key, message) in [(1_u64, 2_u64), (0x1234_5678, 0xabcd), (77, 1)] {
            let [key, message] = [Felt::from(key), Felt::from(message) * Felt::from(u128::MAX)];
            let public_key = get_public_key(&key);
            let signature = sign(&key, &message, &Felt::from(0x7331_u32)).unwrap();
            let (r, s) = (signature.r, signature.s);
            assert_eq!(check(&public_key, &message, &r, &s), Some(true));
            // A zero message makes a summand infinity: undecided.
            assert_eq!(check(&public_key, &Felt::ZERO, &r, &s), None);
            // `(r, -s)` is a signature too.
            assert_eq!(check(&public_key, &message, &r, &of(&(order() - s.to_biguint()))), Some(true));
            for (public_key, message, r, s) in [
                (public_key + Felt::ONE, message, r, s),
                (public_key, message + Felt::ONE, r, s),
                (public_key, message, r + Felt::ONE, s),
                (public_key, message, r, s + Felt::ONE),
                (public_key, message, s, r),
                (message, public_key, r, s),
            ] {
                assert_eq!(check(&public_key, &message, &r, &s), Some(false));
            }
        }
    }

    #[test]
    fn bounds_are_those_of_starknet_crypto() {
        let bound = Felt::TWO.pow(251_u32);
        let points = (0..8_u32).map(|number| get_public_key(&Felt::from(number + 1)));
        let numbers: Vec<Felt> = edges()
            .into_iter()
            .chain([bound, bound - Felt::ONE, bound + Felt::ONE, of(&order())])
            .chain(points)
            .collect();
        let mut counts = [0; 3];
        for (index, public_key) in numbers.iter().enumerate() {
            for (other, message) in numbers.iter().enumerate() {
                let [r, s] = [3, 5].map(|step| &numbers[(index * step + other) % numbers.len()]);
                let result = check(public_key, message, r, s);
                counts[result.map_or(2, usize::from)] += 1;
            }
        }
        assert!(counts[0] > 100, "{counts:?}");
        // 1 / s is above the bound: valid ECDSA, rejected by the verifier.
        let key = Felt::from(77);
        let public_key = get_public_key(&key);
        for above in 0..3_u32 {
            let w: BigUint = (BigUint::from(1_u8) << 251) + above;
            // s = 1 / w, and the message is derived from a chosen nonce k: z = s * k - r * key.
            let s = w.modinv(&order()).unwrap();
            let (k, r) = (BigUint::from(1234_u32), get_public_key(&Felt::from(1234)));
            let z = (&s * &k + (order() - r.to_biguint() % order()) * key.to_biguint()) % order();
            assert_eq!(check(&public_key, &of(&z), &r, &of(&s)), Some(false));
            // 1 / -s is within the bound.
            assert_eq!(check(&public_key, &of(&(order() - &z)), &r, &of(&(order() - &s))), Some(true));
        }
    }

    #[test]
    fn sums_at_infinity_are_undecided() {
        let key = Felt::from(77);
        let public_key = get_public_key(&key);
        // The message 0 makes the first summand infinity; a message of -r * key or r * key makes one sum
        // infinity.
        let r = get_public_key(&Felt::from(1234)).to_biguint();
        let product = &r * key.to_biguint() % order();
        for message in [BigUint::default(), product.clone(), order() - &product] {
            assert_eq!(check(&public_key, &of(&message), &of(&r), &Felt::from(3)), None);
        }
    }

    proptest! {
        #[test]
        fn agrees_with_starknet_crypto(key in felt(), message in felt(), k in felt(), other in felt()) {
            let key = of(&(key.to_biguint() % order()));
            prop_assume!(key != Felt::ZERO && of(&(k.to_biguint() % order())) != Felt::ZERO);
            let public_key = get_public_key(&key);
            let k = of(&(k.to_biguint() % order()));
            if let Ok(signature) = sign(&key, &message, &k) {
                check(&public_key, &message, &signature.r, &signature.s);
                check(&public_key, &other, &signature.r, &signature.s);
            }
            check(&other, &message, &k, &key);
        }
    }
}
