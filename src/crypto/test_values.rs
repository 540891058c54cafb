//! Field elements for tests: edge cases and a proptest strategy.

use proptest::prelude::*;
use starknet_types_core::felt::Felt;

/// Elements around 0, the prime, powers of two and limb boundaries, and those whose Montgomery form is such a
/// number.
pub(super) fn edges() -> Vec<Felt> {
    let mut edges = vec![Felt::ZERO, Felt::ONE, Felt::TWO, Felt::THREE, Felt::MAX, Felt::MAX - Felt::ONE];
    for bit in [63_u32, 64, 127, 128, 191, 192, 196, 247, 248, 250, 251] {
        let power = Felt::TWO.pow(bit);
        edges.extend([power, power - Felt::ONE, power + Felt::ONE, -power]);
    }
    // Half the prime, and the order of the group.
    edges.push(Felt::MAX.field_div(&Felt::TWO.try_into().unwrap()));
    edges.push(Felt::from_hex_unchecked("0x800000000000010ffffffffffffffffb781126dcae7b2321e66a241adc64d2f"));
    let top = 0x0800_0000_0000_0010;
    for raw in [[0, 0, 0, 1], [0, 0, 1, 0], [1, 0, 0, 0], [top, 0, 0, 0], [top, u64::MAX, u64::MAX, u64::MAX]]
    {
        edges.push(Felt::from_raw(raw));
    }
    edges
}

/// Any element, with a bias to edge cases.
pub(super) fn felt() -> impl Strategy<Value = Felt> {
    prop_oneof![
        1 => proptest::sample::select(edges()),
        1 => any::<u64>().prop_map(Felt::from),
        1 => any::<u128>().prop_map(Felt::from),
        3 => any::<[u8; 32]>().prop_map(|bytes| Felt::from_bytes_be(&bytes)),
    ]
}
