//! Addresses of cells.

/// The address of a cell, valid as long as the memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Location {
    hash: u64,
    /// The cell's number in its shard.
    number: usize,
}

impl Location {
    pub(super) fn new(hash: u64, number: usize) -> Self {
        Self { hash, number }
    }

    pub(super) fn hash(self) -> u64 {
        self.hash
    }

    pub(super) fn number(self) -> usize {
        self.number
    }
}
