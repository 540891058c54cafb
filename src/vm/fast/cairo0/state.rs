//! The state that Cairo 0 hints of dictionaries and lists keep in their scope.

use std::collections::{BTreeMap, HashMap};

use crate::vm::fast::cell::VmCell;
use crate::vm::fast::number::field::Limbs;

/// The current state of a dictionary.
#[derive(Debug)]
pub(super) struct DictTracker {
    pub(super) values: HashMap<Limbs, VmCell>,
    pub(super) default: Option<VmCell>,
    /// The address that the next access must have.
    pub(super) end: (u64, u64),
}

/// A dictionary manager: trackers by the segment of their dictionary.
#[derive(Debug, Default)]
pub(in crate::vm::fast) struct DictManager {
    pub(super) dicts: BTreeMap<u64, DictTracker>,
    /// Cells reserved for the manager.
    pub reserved: usize,
}

/// A squash of a Cairo 0 dictionary.
#[derive(Debug, Default)]
pub(in crate::vm::fast) struct Cairo0Squash {
    /// Keys with the indices of their accesses.
    pub(super) accesses: BTreeMap<Limbs, Vec<u64>>,
    /// The keys that follow, the next one last.
    pub(super) keys: Vec<Limbs>,
    /// The current key, most significant limb first.
    pub(super) key: Limbs,
    /// The accesses of the current key that follow, the next one last, and the current one.
    pub(super) remaining: Option<(Vec<u64>, u64)>,
    /// Cells reserved for the squash.
    pub reserved: usize,
}

/// The state of a sort until it is verified.
#[derive(Debug, Default)]
pub(in crate::vm::fast) struct SortState {
    /// The positions of each element.
    pub(super) positions: BTreeMap<Limbs, Vec<u64>>,
    /// The remaining positions of the current element, the next one last, and the origin of the next
    /// distance.
    pub(super) remaining: Option<(Vec<u64>, u64)>,
    /// Cells reserved for the sort.
    pub reserved: usize,
}
