//! Fees: the cost of a transaction, and the checks that its sender allows and can pay it.
//!
//! Input: counts from the call tree and the state changes, the fee terms of the transaction, the block's
//! prices. Output: gas vectors, fees, receipts, limits, and typed errors whose texts are part of the
//! protocol. Reads the sender's balance; never writes state.
//!
//! The path: [`TransactionResources`] become a gas vector (`gas`), which becomes a fee (`price`); together
//! they are the [`Receipt`]. Before execution, [`minimal_gas`] and `check_bounds_cover` decide admission;
//! after it, `check_after` decides if the execution is reverted. All arithmetic is exact and checked.

mod admission;
mod balance;
mod balance_key;
mod bounds;
mod error;
mod ethereum;
#[cfg(test)]
mod fixture;
mod gas;
mod limits;
mod minimal;
mod price;
#[cfg(test)]
mod properties;
mod receipt;
mod resources;
mod state_changes;
mod state_gas;

pub use balance_key::fee_token_balance_key;
pub use error::{
    BalanceCheckError, BoundShortfall, FeeCheckError, FeeError, InsufficientBounds, PaidFeeError, Sum,
};
pub use gas::call_gas;
pub use minimal::minimal_gas;
pub use price::fee_of;
pub use receipt::Receipt;
pub use resources::{ArchivalResources, ComputationResources, MessageResources, TransactionResources};
pub use state_changes::StateChangesCount;

pub(crate) use admission::{check_balance, check_bounds_cover};
pub(crate) use balance_key::payer_balance_key;
pub(crate) use bounds::{
    PostCheck, check_after, check_chargeable, check_gas_within, check_paid_on_l1, check_within_bounds,
};
pub(crate) use error::PostCheckError;
pub(crate) use gas::STEPS_PER_SEGMENT_ARENA;
pub(crate) use limits::{initial_sierra_gas, max_steps, steps_after_validation};
pub(crate) use receipt::ReceiptInput;
