//! The random curve point that Cairo code requests by a hint (`RandomEcPoint`).
//!
//! Curve arithmetic of Cairo 1 starts at this point and subtracts it at the end, so that no honest run adds
//! two points with the same x coordinate. A fixed, public point could be attacked with a chosen key; a new
//! one per request costs time. So one is drawn per process. Results do not depend on it. Never expose it.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use super::curve::Point;
use super::element::Element;

/// Returns the blinding point of this process.
pub fn blinding_point() -> Point {
    static POINT: OnceLock<Point> = OnceLock::new();
    *POINT.get_or_init(draw)
}

/// Draws x coordinates until one belongs to a point of the curve, which half of them do.
fn draw() -> Point {
    // Keyed with randomness from the operating system.
    let random = RandomState::new();
    let mut points = (0_u64..).filter_map(|attempt| {
        let x = Element::from_limbs(&[0, 1, 2, 3].map(|limb: u64| random.hash_one((attempt, limb))));
        Point::from_x(&x)
    });
    // The iterator is infinite: the default is unreachable.
    points.next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_point_is_on_the_curve_and_does_not_change() {
        let point = blinding_point();
        assert!(point.is_on_curve());
        assert_eq!(blinding_point(), point);
        assert_ne!(draw(), draw(), "the point is random");
        assert!((0..20).all(|_| draw().is_on_curve()));
    }
}
