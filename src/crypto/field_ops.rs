//! Field multiplication and division of canonical numbers: for callers that compute too little to convert to
//! Montgomery form.

use super::element::Element;
use super::inverse::inverse;
use super::limbs::{Limbs, montgomery_product, reduce_once};

/// Returns `a * b` modulo the prime, for numbers below it.
#[inline]
pub fn mul_mod(a: &Limbs, b: &Limbs) -> Limbs {
    // The factor 2^256 of one operand's Montgomery form cancels in the Montgomery product.
    let a = Element::from_limbs(a).to_montgomery();
    reduce_once(&montgomery_product(&a, b))
}

/// Returns `a / b` modulo the prime, for numbers below it; `None` if `b` is 0.
#[inline]
pub fn div_mod(a: &Limbs, b: &Limbs) -> Option<Limbs> {
    inverse(b).map(|inverse| mul_mod(a, &inverse))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use starknet_types_core::felt::Felt;

    use super::super::test_values::{edges, felt};
    use super::*;

    fn check(a: Felt, b: Felt) {
        let (x, y) = (a.to_le_digits(), b.to_le_digits());
        assert_eq!(mul_mod(&x, &y), (a * b).to_le_digits());
        let expected = b.try_into().ok().map(|divisor| a.field_div(&divisor).to_le_digits());
        assert_eq!(div_mod(&x, &y), expected);
    }

    #[test]
    fn edges_of_the_field() {
        for a in edges() {
            edges().into_iter().for_each(|b| check(a, b));
        }
    }

    proptest! {
        #[test]
        fn agrees_with_felt_arithmetic(a in felt(), b in felt()) {
            check(a, b);
        }
    }
}
