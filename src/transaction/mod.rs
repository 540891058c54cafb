//! Transactions: one function that is the phases in order.
//!
//! Input: a [`Transaction`], a block's environment, a journal over the state. Output: an [`Execution`] with
//! its receipt; or the reason why the transaction is invalid; or a failure of the host's reader or of this
//! crate. `input` is what the host passes; `plan` turns every kind and version into data: what to validate,
//! to run and to charge; then one file per phase. Knows nothing of other transactions, of their order and of
//! block capacity.

mod admit;
mod admitted;
mod cached_validation;
mod charge;
mod contract_call;
mod cost;
mod error;
mod input;
mod outcome;
mod plan;
mod proof_facts;
mod revert;
mod run;
mod validate;
mod validate_alone;
mod work;

pub use self::cached_validation::CachedValidation;
pub use self::contract_call::{CallResult, ContractCall};
pub use self::error::{FatalError, InvalidTransaction, ProofFactsError};
pub use self::input::{ExecutionFlags, Transaction, TransactionBody};
pub use self::outcome::{Execution, RevertReason};

pub(crate) use self::admitted::{Admitted, admit_and_validate};
pub(crate) use self::charge::{charge, is_charged};
pub(crate) use self::contract_call::call_contract_entry_point;
pub(crate) use self::error::Rejection;
pub(crate) use self::plan::{Plan, PreValidation};
pub(crate) use self::run::run;
pub(crate) use self::validate_alone::validate_alone;
pub(crate) use crate::call::ExecutionContext;

use crate::state::Journal;

/// Executes a transaction; its changes stay in `journal`, whatever the ending.
///
/// A rejected transaction leaves changes behind that the caller must drop with the journal (C2).
pub(crate) fn execute(
    plan: &Plan,
    journal: &mut Journal<'_>,
    context: ExecutionContext<'_>,
) -> Result<Box<Execution>, Rejection> {
    let mut admitted = admit_and_validate(plan, journal, context)?;
    execute_admitted(plan, &mut admitted, journal, context)
}

/// Executes a transaction from the end of its validation on.
pub(crate) fn execute_admitted(
    plan: &Plan,
    admitted: &mut Admitted,
    journal: &mut Journal<'_>,
    context: ExecutionContext<'_>,
) -> Result<Box<Execution>, Rejection> {
    let mut execution = run(plan, admitted, journal, context)?;
    execution.fee_transfer_call = charge(plan, journal, context, execution.receipt.fee)?;
    Ok(execution)
}
