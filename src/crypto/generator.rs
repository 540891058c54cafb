//! Precomputed multiples of the generator of the curve.

use std::sync::LazyLock;

use super::curve::{Point, XyzzPoint, batch_to_affine};
use super::fixed_base::{FixedBaseTable, halved_doublings};
use super::limbs::Limbs;
use super::scalar_mul::{SCALAR_BITS, doublings};

/// The generator, its doublings and its fixed-base table. 475 KB.
pub(super) struct Generator {
    pub(super) point: Point,
    pub(super) doublings: Vec<Point>,
    table: FixedBaseTable,
}

/// Returns the generator and its tables. The first call of the process takes about 3 ms to build them.
pub(super) fn generator() -> &'static Generator {
    static GENERATOR: LazyLock<Generator> = LazyLock::new(|| {
        let point = Point::generator();
        let sums: Vec<XyzzPoint> = doublings(&point, SCALAR_BITS).collect();
        let table = FixedBaseTable::new(&halved_doublings(&point, SCALAR_BITS));
        Generator { point, doublings: batch_to_affine(&sums), table }
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
