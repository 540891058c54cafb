//! The curve point that a program's sums of curve points begin with.
//!
//! In: nothing. Out: a point of the STARK curve, the same for as long as the process runs. Programs take it away again from
//! every sum, so any point will do and none reaches a result. It must be secret, though: who knew it could choose a point whose
//! sum with it cannot be taken. Drawing a fresh one for every sum would cost more than most of what an account does to check a
//! signature. Knows nothing of who asks.

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use starknet_types_core::curve::AffinePoint;
use starknet_types_core::felt::Felt;

/// Drawn when it is first asked for.
static POINT: LazyLock<(Felt, Felt)> = LazyLock::new(draw);

/// The point.
pub(super) fn secret_point() -> (Felt, Felt) {
    *POINT
}

/// The first of an endless row of random coordinates that a point has; every other one has.
fn draw() -> (Felt, Felt) {
    // Its keys come from the operating system.
    let secret = RandomState::new();
    let coordinate = |attempt: u64| {
        let words = [0_u8, 1, 2, 3].map(|part| secret.hash_one((attempt, part)));
        Felt::from_bytes_be_slice(words.map(u64::to_be_bytes).as_flattened())
    };
    let parity = secret.hash_one(()).is_multiple_of(2);
    let point = (0..=u64::MAX).find_map(|attempt| AffinePoint::new_from_x(&coordinate(attempt), parity));
    // 2^64 coordinates without a point: there is no such thing.
    point.map_or((Felt::ZERO, Felt::ZERO), |point| (point.x(), point.y()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_on_the_curve_and_stays() {
        let (x, y) = secret_point();
        assert!(AffinePoint::new(x, y).is_ok());
        assert_eq!(secret_point(), (x, y));
        // Another draw, as another process makes it.
        assert_ne!(draw(), (x, y));
    }
}
