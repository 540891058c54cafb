//! The Poseidon permutation (Hades) of three field elements.
//!
//! The 8 full rounds cube all three elements; the 83 partial rounds in the middle cube the last one only. The
//! round constants that the partial rounds add to the first two elements are moved through the linear layer
//! into the first full round after them, so that a partial round adds one constant.

use std::sync::LazyLock;

use sha2::{Digest, Sha256};

use super::element::Element;
use super::lazy::Lazy;
use super::limbs::Limbs;

/// Full rounds before the partial rounds, and the same number after them.
const FULL_ROUNDS: usize = 4;
/// Partial rounds.
const PARTIAL_ROUNDS: usize = 83;

type PoseidonState = [Element; 3];
type LazyPoseidonState = [Lazy<2>; 3];

/// The optimized round constants, added before each S-box. 4 KB.
struct RoundConstants {
    first: [PoseidonState; FULL_ROUNDS],
    partial: [Element; PARTIAL_ROUNDS],
    last: [PoseidonState; FULL_ROUNDS],
}

static CONSTANTS: LazyLock<RoundConstants> = LazyLock::new(|| {
    let mut indices = 0_u32..;
    let mut next = || [(); 3].map(|()| round_constant(indices.next().unwrap_or_default()));
    let first = [(); FULL_ROUNDS].map(|()| next());
    // The constants of the first two elements that are moved to a later round.
    let mut moved = [Element::ZERO; 3];
    let partial = [(); PARTIAL_ROUNDS].map(|()| {
        let [a, b, c] = plus(&moved, &next());
        moved = mix([a, b, Element::ZERO]);
        c
    });
    let mut last = [(); FULL_ROUNDS].map(|()| next());
    if let Some(first) = last.first_mut() {
        *first = plus(first, &moved);
    }
    RoundConstants { first, partial, last }
});

/// The round constant with this index: SHA-256 of "Hades" and the index, modulo the prime.
fn round_constant(index: u32) -> Element {
    let hash: [u8; 32] = Sha256::digest(format!("Hades{index}")).into();
    let mut limbs = [0; 4];
    for (limb, bytes) in limbs.iter_mut().rev().zip(hash.as_chunks().0) {
        *limb = u64::from_be_bytes(*bytes);
    }
    Element::from_limbs(&limbs)
}

fn plus([a, b, c]: &PoseidonState, [x, y, z]: &PoseidonState) -> PoseidonState {
    [a.plus(x), b.plus(y), c.plus(z)]
}

/// The linear layer (MDS matrix): `(3 a + b + c, a - b + c, a + b - 2 c)`.
fn mix([a, b, c]: PoseidonState) -> PoseidonState {
    let sum = a.plus(&b).plus(&c);
    [sum.plus(&a.double()), sum.minus(&b.double()), sum.minus(&c.double()).minus(&c)]
}

/// A full round: cubes all three elements and applies the linear layer.
#[inline(always)]
fn full_round(state: &LazyPoseidonState, constants: &PoseidonState) -> LazyPoseidonState {
    let mut cubes = [Lazy::of(Element::ZERO).widen(); 3];
    for ((cube, number), constant) in cubes.iter_mut().zip(state).zip(constants) {
        let sum: Lazy<3> = number.plus(Lazy::of(*constant));
        *cube = sum.squared::<2>().times::<3, 2>(sum);
    }
    let [a, b, c] = cubes;
    [
        plus_three(a, b.plus(c)),
        a.plus::<2, 4>(c).minus::<2, 6>(b).weak_reduce(),
        less_two(a.plus(b), c.widen()).weak_reduce(),
    ]
}

/// `3 * a + other`.
#[inline(always)]
fn plus_three(a: Lazy<2>, other: Lazy<5>) -> Lazy<2> {
    a.double::<4>().plus::<2, 6>(a).plus::<5, 11>(other).weak_reduce()
}

/// `sum - 2 * c`.
#[inline(always)]
fn less_two(sum: Lazy<4>, c: Lazy<3>) -> Lazy<10> {
    sum.minus(c.double::<6>())
}

/// A partial round: cubes the last element and applies the linear layer. That element stays unreduced between
/// rounds.
#[inline(always)]
fn partial_round([a, b]: [Lazy<2>; 2], c: Lazy<10>, constant: &Element) -> ([Lazy<2>; 2], Lazy<10>) {
    let sum: Lazy<11> = c.plus(Lazy::of(*constant));
    let cube: Lazy<3> = sum.squared::<5>().times(sum);
    (
        [plus_three(a, b.plus(cube)), a.plus::<3, 5>(cube).minus::<2, 7>(b).weak_reduce()],
        less_two(a.plus(b), cube),
    )
}

/// Permutes three field elements.
fn permute(state: &PoseidonState) -> PoseidonState {
    let constants = &*CONSTANTS;
    let state = state.map(|element| Lazy::of(element).widen());
    let [a, b, c] = constants.first.iter().fold(state, |state, constants| full_round(&state, constants));
    let start = ([a, b], c.widen());
    let ([a, b], c) =
        constants.partial.iter().fold(start, |(ab, c), constant| partial_round(ab, c, constant));
    let state =
        constants.last.iter().fold([a, b, c.weak_reduce()], |state, constants| full_round(&state, constants));
    state.map(Lazy::reduced)
}

/// Computes the permutation of three numbers below the prime.
pub fn poseidon(state: &[Limbs; 3]) -> [Limbs; 3] {
    permute(&state.map(|number| Element::from_limbs(&number))).map(Element::to_limbs)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use starknet_types_core::felt::Felt;
    use starknet_types_core::hash::Poseidon;

    use super::super::test_values::{edges, felt};
    use super::*;

    fn check(state: [Felt; 3]) {
        let mut expected = state;
        Poseidon::hades_permutation(&mut expected);
        let numbers = poseidon(&state.map(|felt| felt.to_le_digits()));
        assert_eq!(numbers, expected.map(|felt| felt.to_le_digits()), "{state:x?}");
    }

    #[test]
    fn edge_inputs_are_permuted() {
        let edges = edges();
        for a in &edges {
            for b in &edges {
                check([*a, *b, *a]);
                check([*b, *b, *a]);
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn agrees_with_starknet_types_core(a in felt(), b in felt(), c in felt()) {
            check([a, b, c]);
        }
    }
}
