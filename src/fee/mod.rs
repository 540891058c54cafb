//! What a transaction costs, and whether its sender allows and can pay it.
//!
//! In: counts from the call tree and the state changes, the fee terms of the transaction, the block's prices.
//! Out: gas vectors, fees, receipts, limits, and typed refusals whose texts are part of the protocol. Reads
//! the sender's balance; never writes state.
//!
//! The path: [`TransactionResources`] (what was used) become a gas vector (`gas`), which becomes a fee
//! (`price`); both together are the [`Receipt`]. Before the run, [`minimal_gas`] and [`check_bounds_cover`]
//! decide admission; after it, [`check_after`] decides whether the execution may stand. All arithmetic is
//! exact and checked.

mod admission;
mod balance;
mod balance_key;
mod bounds;
mod error;
pub mod ethereum;
#[cfg(test)]
mod fixture;
pub mod gas;
mod limits;
mod minimal;
pub mod price;
#[cfg(test)]
mod properties;
mod receipt;
mod resources;
mod state_changes;
pub mod state_gas;

pub use admission::{check_balance, check_bounds_cover};
pub use balance_key::fee_token_balance_key;
pub use bounds::{
    PostCheck, check_after, check_chargeable, check_gas_within, check_paid_on_l1, check_within_bounds,
};
pub use error::{
    BalanceCheckError, BoundShortfall, FeeCheckError, FeeError, InsufficientBounds, PaidFeeError,
    PostCheckError, Sum,
};
pub use gas::call_gas;
pub use limits::{initial_sierra_gas, max_steps, steps_after_validation};
pub use minimal::minimal_gas;
pub use receipt::{Receipt, ReceiptInput, gas_fee};
pub use resources::{ArchivalResources, ComputationResources, MessageResources, TransactionResources};
pub use state_changes::StateChangesCount;

pub(crate) use balance_key::payer_balance_key;
