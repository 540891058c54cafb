//! What is known beforehand about the generator of the curve.

use std::sync::LazyLock;

use super::curve::{Point, XyzzPoint, to_points};
use super::fixed_base::{FixedBaseTable, halved_doublings};
use super::limbs::Limbs;
use super::scalar_mul::{SCALAR_BITS, doublings};

/// The generator, with its doublings and a table of its multiples. 475 KB.
pub(super) struct Generator {
    pub(super) point: Point,
    pub(super) doublings: Vec<Point>,
    table: FixedBaseTable,
}

/// The generator. What is known about it takes some 3 ms when first asked for.
pub(super) fn generator() -> &'static Generator {
    static GENERATOR: LazyLock<Generator> = LazyLock::new(|| {
        let point = Point::generator();
        let sums: Vec<XyzzPoint> = doublings(&point, SCALAR_BITS).collect();
        let table = FixedBaseTable::new(&halved_doublings(&point, SCALAR_BITS));
        Generator { point, doublings: to_points(&sums), table }
    });
    &GENERATOR
}

impl Generator {
    /// `sum + scalar * G`.
    pub(super) fn add_scalar_mul(&self, sum: XyzzPoint, scalar: &Limbs) -> XyzzPoint {
        let mut sum = sum.plus(self.table.offset());
        self.table.add(scalar, &mut sum);
        sum
    }
}
