//! Why a transaction is not added to a block.

use serde::{Deserialize, Serialize};

use super::{Exceeded, Weights};

/// A transaction that no block of this capacity has room for. It is rejected, though it could be executed
/// (C214).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("The transaction is too large for any block: {}.", list(.exceeded))]
pub struct TooLarge {
    /// What it weighs alone in a block.
    pub weights: Weights,
    /// Where that is too much.
    pub exceeded: Vec<Exceeded>,
}

/// A transaction that fits in a block, but not in this one any more (C215).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("The block is full: {}.", list(.exceeded))]
pub struct BlockFull {
    /// What the block weighs without it.
    pub block: Weights,
    /// What it would add.
    pub transaction: Weights,
    /// Where the sum is too much.
    pub exceeded: Vec<Exceeded>,
}

fn list(exceeded: &[Exceeded]) -> String {
    exceeded.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
