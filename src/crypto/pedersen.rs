//! The Pedersen hash.
//!
//! `h(a, b)` is the x coordinate of `S + low(a) * P1 + high(a) * P2 + low(b) * P3 + high(b) * P4`, where
//! `low` is the low 248 bits and `high` the upper four, on five points without a known discrete-logarithm
//! relation. With fixed-base tables it takes 56 additions.

use std::sync::LazyLock;

use starknet_types_core::felt::Felt;

use super::curve::{Point, XyzzPoint};
use super::element::Element;
use super::fixed_base::{FixedBaseTable, halved_doublings};
use super::limbs::Limbs;
use super::scalar_mul::SCALAR_BITS;

/// The bits of an input that multiply the first point of its pair.
const LOW_BITS: usize = 248;

/// The shift point `S`.
const SHIFT: [&str; 2] = [
    "0x49ee3eba8c1600700ee1b87eb599f16716b0b1022947733551fde4050ca6804",
    "0x3ca0cfe4b3bc6ddf346d49d06ea0ed34e621062c0e056c1d0405d266e10268a",
];
/// The points `P1` to `P4` of the low and high bits of both inputs.
const POINTS: [[&str; 2]; 4] = [
    [
        "0x234287dcbaffe7f969c748655fca9e58fa8120b6d56eb0c1080d17957ebe47b",
        "0x3b056f100f96fb21e889527d41f4e39940135dd7a6c94cc6ed0268ee89e5615",
    ],
    [
        "0x4fa56f376c83db33f9dab2656558f3399099ec1de5e3018b7a6932dba8aa378",
        "0x3fa0984c931c9e38113e0c0e47e4401562761f92a7a23b45168f4e80ff5b54d",
    ],
    [
        "0x4ba4cc166be8dec764910f75b45f74b40c690c74709e90f3aa372f0bd2d6997",
        "0x40301cf5c1751f4b971e46c4ede85fcac5c59a5ce5ae7c48151f27b24b219c",
    ],
    [
        "0x54302dcb0e6cc1c6e44cca8f61a63bb2ca65048d53fb325d36ff12c49a58202",
        "0x1b77b3e37d13504b348046268d8ae25ce98ad783c25561a879dcc77e99c2426",
    ],
];

/// The tables of both inputs and the start of the sum. 0.9 MB, built in about 6 ms by the first hash of the
/// process.
struct PedersenTables {
    start: Point,
    first: FixedBaseTable,
    second: FixedBaseTable,
}

static TABLES: LazyLock<PedersenTables> = LazyLock::new(|| {
    let point =
        |[x, y]: [&str; 2]| Point::from_felts(&Felt::from_hex_unchecked(x), &Felt::from_hex_unchecked(y));
    let table = |low: [&str; 2], high: [&str; 2]| {
        let mut halves = halved_doublings(&point(low), LOW_BITS);
        halves.extend(halved_doublings(&point(high), SCALAR_BITS.saturating_sub(LOW_BITS)));
        FixedBaseTable::new(&halves)
    };
    let [first_low, first_high, second_low, second_high] = POINTS;
    let first = table(first_low, first_high);
    let second = table(second_low, second_high);
    let start = XyzzPoint::from_affine(&point(SHIFT)).plus(first.offset()).plus(second.offset());
    PedersenTables { start: start.to_affine().unwrap_or_default(), first, second }
});

/// Computes the hash of two numbers below the prime.
///
/// Adding equal or opposite points would take inputs that reveal a discrete logarithm between the five
/// points; the sum is correct even then, where the incomplete addition of `starknet-types-core` is not.
pub fn pedersen(a: &Limbs, b: &Limbs) -> Limbs {
    let tables = &*TABLES;
    let mut sum = XyzzPoint::from_affine(&tables.start);
    tables.first.add(a, &mut sum);
    tables.second.add(b, &mut sum);
    sum.to_affine().map_or(Element::ZERO, |point| point.x).to_limbs()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use starknet_types_core::hash::{Pedersen, StarkHash};

    use super::super::test_values::{edges, felt};
    use super::*;

    fn check(a: &Felt, b: &Felt) {
        let hash = pedersen(&a.to_le_digits(), &b.to_le_digits());
        assert_eq!(hash, Pedersen::hash(a, b).to_le_digits(), "h({a:#x}, {b:#x})");
    }

    #[test]
    fn edge_inputs_are_hashed() {
        for a in edges() {
            for b in edges() {
                check(&a, &b);
            }
        }
    }

    #[test]
    fn each_bit_of_each_input_counts() {
        for bit in 0..252_u32 {
            let power = Felt::TWO.pow(bit);
            check(&power, &Felt::ZERO);
            check(&Felt::ZERO, &power);
            check(&(power - Felt::ONE), &power);
            check(&Felt::MAX, &(power - Felt::ONE));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn agrees_with_starknet_types_core(a in felt(), b in felt()) {
            check(&a, &b);
        }
    }
}
