//! The curve point that code may ask for and that it cannot choose.
//!
//! Curve arithmetic starts at it, so that no honest run ever adds two points with the same x. A point that everybody knows could be
//! attacked with a chosen key; a point drawn at each request costs time, and a run could not be repeated. So it is drawn once per
//! process and never shown: whatever point it is, results are the same.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use starknet_types_core::curve::AffinePoint;
use starknet_types_core::felt::Felt;

/// The process's point.
pub(super) fn random_point() -> (Felt, Felt) {
    static POINT: OnceLock<(Felt, Felt)> = OnceLock::new();
    *POINT.get_or_init(draw)
}

/// Draws x until it belongs to a point; every second one does.
fn draw() -> (Felt, Felt) {
    // Keyed by the operating system's random numbers, once for all draws.
    let random = RandomState::new();
    let mut draws = (0_u64..).map(|counter| {
        let mut bytes = [0_u8; 32];
        // The first byte stays 0: 31 bytes are below the prime.
        for (limb, chunk) in bytes.iter_mut().skip(1).collect::<Vec<_>>().chunks_mut(8).enumerate() {
            for (byte, value) in chunk.iter_mut().zip(random.hash_one((counter, limb)).to_le_bytes()) {
                **byte = value;
            }
        }
        Felt::from_bytes_be(&bytes)
    });
    let point = draws.find_map(|x| AffinePoint::new_from_x(&x, false).map(|point| (point.x(), point.y())));
    // An endless iterator finds one; the type system does not know.
    point.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_point_is_on_the_curve_and_does_not_change() {
        let (x, y) = random_point();
        assert!(AffinePoint::new(x, y).is_ok());
        assert_eq!(random_point(), (x, y));
        assert_ne!(draw(), draw(), "it is drawn, not fixed");
    }
}
