//! The curve point that code may ask for and cannot choose.
//!
//! Curve arithmetic of Cairo 1 starts at it, so that no honest run ever adds two points with the same first coordinate, and
//! takes it off at the end. A point that everybody knows could be attacked with a chosen key; one drawn at each request costs
//! time. So it is drawn once per process and must not be shown: whatever point it is, results are the same.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;

use super::curve::Point;
use super::element::Element;

/// The process's secret point.
pub fn blinding_point() -> Point {
    static POINT: OnceLock<Point> = OnceLock::new();
    *POINT.get_or_init(draw)
}

/// Draws first coordinates until one belongs to a point; every second one does.
fn draw() -> Point {
    // Keyed by the operating system's random numbers, once for all draws.
    let random = RandomState::new();
    let mut points = (0_u64..).filter_map(|attempt| {
        let x = Element::from_limbs(&[0, 1, 2, 3].map(|limb: u64| random.hash_one((attempt, limb))));
        Point::from_x(&x)
    });
    // An endless iterator has a first element; the type system does not know.
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
        assert_ne!(draw(), draw(), "it is drawn, not fixed");
        assert!((0..20).all(|_| draw().is_on_curve()));
    }
}
