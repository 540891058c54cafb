//! The types of the state that tasks read and write.

use std::hash::Hash;

/// The keys, values and deltas of a family of tasks.
pub(crate) trait StateModel: Sized {
    /// The name of a state cell.
    type Key: Clone + Eq + Hash + Send + Sync;
    /// The value of a state cell.
    type Value: Clone + PartialEq + Send + Sync;
    /// The amount that a fee phase will add to a cell that the fee phases of many tasks add to.
    type Delta: Clone + Send;
    /// The error of a failed load.
    type Error;
}
