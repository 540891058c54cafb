//! The errors of transactions that exceed a capacity.

use serde::{Deserialize, Serialize};

use super::{Exceeded, Weights};

/// The rejection of a transaction that does not fit in any block of this capacity, though it could be
/// executed ([C214](crate::rules#c214)).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("the transaction is too large for any block: {}", list(.exceeded))]
pub struct TooLarge {
    /// The weights of the transaction in a block of its own.
    pub weights: Weights,
    /// The limits that they exceed.
    pub exceeded: Vec<Exceeded>,
}

/// The reason why a transaction does not fit in a block any more ([C215](crate::rules#c215)).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, Serialize, Deserialize)]
#[error("the block is full: {}", list(.exceeded))]
pub struct BlockFull {
    /// The weights of the block without the transaction.
    pub block: Weights,
    /// The weights that the transaction would add.
    pub transaction: Weights,
    /// The limits that the sum exceeds.
    pub exceeded: Vec<Exceeded>,
}

fn list(exceeded: &[Exceeded]) -> String {
    exceeded.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
