//! Transactions: one function that is only the phases in order.
//!
//! In: a [`Transaction`], the block's surroundings, a journal over the state. Out: an [`Execution`] with its receipt, or why the
//! transaction is invalid, or that the host or we failed. `input` is what the host hands in; `plan` is the door behind which
//! kinds and versions no longer exist, only what to validate, to run and to charge; then a file a phase. Knows nothing of other
//! transactions, of order and of capacity.

mod admit;
mod charge;
mod error;
mod input;
mod outcome;
mod outside;
mod plan;
mod proof_facts;
mod run;
mod validate;
mod validated;

pub use self::error::{ExecutionFailure, InvalidTransaction};
pub use self::input::{ExecutionFlags, Transaction, TransactionBody};
pub use self::outcome::{Execution, RevertReason};
pub use self::outside::{CallResult, ContractCall};
pub use self::validated::Validated;

pub(crate) use self::error::Rejection;
pub(crate) use self::outside::call_from_outside;
pub(crate) use self::plan::Plan;
pub(crate) use self::validated::validate_alone;

use crate::protocol::BlockEnv;
use crate::state::Journal;

/// Executes a transaction: its changes stay in `journal`, whatever it ends in.
///
/// A rejected transaction leaves changes behind that the caller must drop with the journal (C2).
pub(crate) fn execute(
    plan: &Plan,
    journal: &mut Journal<'_>,
    env: &BlockEnv,
) -> Result<Execution, Rejection> {
    if plan.is_bootstrap {
        return run::bootstrap(plan, journal, env);
    }
    if plan.is_l1_handler() {
        return run::l1_handler(plan, journal, env);
    }
    admit::admit(plan, journal, env)?;
    let ran = if plan.is_revertible {
        run::revertible(plan, journal, env)?
    } else {
        run::non_revertible(plan, journal, env)?
    };
    let fee_transfer_call = charge::transfer_fee(plan, journal, env, ran.receipt.fee)?;
    Ok(Execution { fee_transfer_call, ..ran })
}
