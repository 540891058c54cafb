//! Block capacity: the limits of a block and the tracker of what its transactions use (blockifier's bouncer).
//!
//! Input: the resource usage, state changes and accesses of transactions. Output: their [`Weights`], or the
//! limits that they exceed. A pure function computes a transaction's `TransactionUsage` on the thread that
//! executed it; the `Bouncer` adds usages in commit order.
//!
//! The weights that a transaction adds to a block are *marginal*: cells, contracts and classes that an
//! earlier transaction of the block already paid for are not counted again.

mod bouncer;
mod error;
mod limits;
mod price;
mod transaction_usage;
mod weights;

pub use self::bouncer::{BlockUsage, ClassHashGas};
pub use self::error::{BlockFull, TooLarge};
pub use self::limits::{Capacity, ProvingPrices};
pub use self::transaction_usage::Migration;
pub use self::weights::{Exceeded, Weight, Weights};

pub(super) use self::bouncer::Bouncer;
pub(super) use self::transaction_usage::{ExecutedClass, TransactionUsage, classes_of};

/// Converts a length to a count, saturating at [`u64::MAX`].
fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
