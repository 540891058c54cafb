//! The points of secp256k1 and secp256r1 that a frame has created.
//!
//! Input: points. Output: pointers to them. Points are stored outside VM memory: a contract only holds
//! pointers into a segment whose cells are never written (C85).

use std::collections::BTreeMap;

use ark_ec::short_weierstrass::{Affine, SWCurveConfig};
use ark_ff::PrimeField;
use starknet_types_core::felt::Felt;

use super::fault::SyscallFault;
use super::memory::{Pointer, SyscallMemory};

/// The curve secp256k1.
pub(super) type K1 = ark_secp256k1::Config;
/// The curve secp256r1.
pub(super) type R1 = ark_secp256r1::Config;

/// The number of cells of a point in the layout of the OS.
const POINT_CELLS: usize = 6;

/// The points that the secp syscalls of a frame created, of both curves.
#[derive(Clone, Debug, Default)]
pub struct SecpPoints {
    /// The segment of the pointers; allocated with the first point.
    base: Option<Pointer>,
    k1: BTreeMap<Pointer, Affine<K1>>,
    r1: BTreeMap<Pointer, Affine<R1>>,
}

/// A curve whose points [`SecpPoints`] stores.
pub(super) trait Curve: SWCurveConfig<BaseField: PrimeField> {
    fn points(all: &SecpPoints) -> &BTreeMap<Pointer, Affine<Self>>;
    fn points_mut(all: &mut SecpPoints) -> &mut BTreeMap<Pointer, Affine<Self>>;
}

impl Curve for K1 {
    fn points(all: &SecpPoints) -> &BTreeMap<Pointer, Affine<Self>> {
        &all.k1
    }

    fn points_mut(all: &mut SecpPoints) -> &mut BTreeMap<Pointer, Affine<Self>> {
        &mut all.k1
    }
}

impl Curve for R1 {
    fn points(all: &SecpPoints) -> &BTreeMap<Pointer, Affine<Self>> {
        &all.r1
    }

    fn points_mut(all: &mut SecpPoints) -> &mut BTreeMap<Pointer, Affine<Self>> {
        &mut all.r1
    }
}

impl SecpPoints {
    /// Returns the point that `at` points to.
    pub(super) fn point<C: Curve>(&self, at: Pointer) -> Result<Affine<C>, SyscallFault> {
        C::points(self).get(&at).copied().ok_or_else(|| SyscallFault::InvalidInput {
            input: Felt::from(at.segment),
            info: "Invalid Secp point address".to_owned(),
        })
    }

    /// Stores a point and returns its pointer. Both curves share one count of points (C85).
    pub(super) fn insert<C: Curve>(
        &mut self,
        memory: &mut dyn SyscallMemory,
        point: Affine<C>,
    ) -> Result<Pointer, SyscallFault> {
        let base = *self.base.get_or_insert_with(|| memory.new_segment());
        let index = self.k1.len().saturating_add(self.r1.len());
        let at = memory.add(base, index.saturating_mul(POINT_CELLS))?;
        C::points_mut(self).insert(at, point);
        Ok(at)
    }
}
