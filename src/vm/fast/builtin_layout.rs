//! The layout of builtin segments: cells and instances.

use crate::protocol::Builtin;

/// The number of cells of an instance, and the number of its input cells.
#[inline]
pub(super) fn instance_cells(builtin: Builtin) -> (u64, u64) {
    match builtin {
        Builtin::Pedersen => (3, 2),
        Builtin::Bitwise => (5, 2),
        Builtin::EcOp => (7, 5),
        Builtin::Poseidon => (6, 3),
        Builtin::SegmentArena => (3, 3),
        Builtin::AddMod | Builtin::MulMod => (7, 7),
        Builtin::Ecdsa => (2, 2),
        // Range checks. No frame has another builtin.
        _ => (1, 1),
    }
}

/// The number of instances of a builtin in a segment of `used` cells.
pub(super) fn used_instances(builtin: Builtin, used: u64) -> u64 {
    let used = if builtin == Builtin::SegmentArena { used.saturating_sub(3) } else { used };
    used.div_ceil(instance_cells(builtin).0)
}

/// The number of cells of these instances, including the unused cells of the last one.
pub(super) fn used_instance_cells(builtin: Builtin, used: u64) -> u64 {
    used_instances(builtin, used).saturating_mul(instance_cells(builtin).0)
}
