//! Capacity: how much fits in a block, and how full it is. Block builders know it as the bouncer.
//!
//! In: what a transaction used, changed and accessed. Out: its [`Weights`], or by which limit it does not fit. A pure function
//! makes a transaction's `Load` where it ran; adding loads up happens in block order.
//!
//! What a transaction adds to a block is *marginal*: cells, contracts and classes that an earlier transaction brought are paid
//! for.

mod error;
mod limits;
mod load;
mod price;
mod usage;
mod weights;

pub use self::error::{BlockFull, TooLarge};
pub use self::limits::{Capacity, ProvingPrices};
pub use self::load::Migration;
pub use self::usage::{BlockUsage, ClassHashGas};
pub use self::weights::{Exceeded, Weight, Weights};

pub(super) use self::load::{ExecutedClass, Load, classes_of};
pub(super) use self::usage::Usage;

/// A length as a count; no machine holds more than 2^64 things.
fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
