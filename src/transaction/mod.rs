//! Transactions: one function that is only the phases in order.
//!
//! In: a [`Transaction`], the block's surroundings, a journal over the state. Out: an [`Execution`] with its receipt, or why the
//! transaction is invalid, or that the host or we failed. `input` is what the host hands in; `plan` is the door behind which
//! kinds and versions no longer exist, only what to validate, to run and to charge; then a file a phase. Knows nothing of other
//! transactions, of order and of capacity.

mod admit;
mod cached_validation;
mod charge;
mod contract_call;
mod error;
mod input;
mod outcome;
mod plan;
mod proof_facts;
mod run;
mod validate;

pub use self::cached_validation::CachedValidation;
pub use self::contract_call::{CallResult, ContractCall};
pub use self::error::{FatalError, InvalidTransaction};
pub use self::input::{ExecutionFlags, Transaction, TransactionBody};
pub use self::outcome::{Execution, RevertReason};
pub use self::proof_facts::ProofFactsError;

pub(crate) use self::cached_validation::validate_alone;
pub(crate) use self::contract_call::call_contract_entry_point;
pub(crate) use self::error::Rejection;
pub(crate) use self::plan::Plan;
pub(crate) use self::run::Admitted;
pub(crate) use crate::call::ExecutionContext;

use starknet_api::transaction::fields::Fee;

use crate::call::CallInfo;
use crate::state::Journal;

/// Executes a transaction: its changes stay in `journal`, whatever it ends in.
///
/// A rejected transaction leaves changes behind that the caller must drop with the journal (C2).
pub(crate) fn execute(
    plan: &Plan,
    journal: &mut Journal<'_>,
    context: ExecutionContext<'_>,
) -> Result<Box<Execution>, Rejection> {
    let mut admitted = admit_and_validate(plan, journal, context)?;
    let mut execution = run(plan, &mut admitted, journal, context)?;
    execution.fee_transfer_call = charge(plan, journal, context, execution.receipt.fee)?;
    Ok(execution)
}

/// The first part, which reads little besides the account: admission, and validation where that comes before everything else.
pub(crate) fn admit_and_validate(
    plan: &Plan,
    journal: &mut Journal<'_>,
    context: ExecutionContext<'_>,
) -> Result<Admitted, Rejection> {
    let mut admitted = Admitted::new(plan, context.env);
    if plan.is_bootstrap || plan.is_l1_handler() {
        return Ok(admitted);
    }
    admit::admit(plan, journal, context.env)?;
    if plan.is_revertible {
        admitted.validate(plan, journal, context)?;
    }
    Ok(admitted)
}

/// The second part: all else but the fee. Boxed: an execution is large, and goes through many hands from here on. What was admitted
/// is as before if there is no execution; else the execution has it.
pub(crate) fn run(
    plan: &Plan,
    admitted: &mut Admitted,
    journal: &mut Journal<'_>,
    context: ExecutionContext<'_>,
) -> Result<Box<Execution>, Rejection> {
    let execution = if plan.is_bootstrap {
        run::bootstrap(plan, journal, context.env)
    } else if plan.is_l1_handler() {
        run::l1_handler(plan, journal, context)
    } else if plan.is_revertible {
        run::revertible(plan, admitted, journal, context)
    } else {
        run::non_revertible(plan, admitted, journal, context)
    };
    execution.map(Box::new)
}

/// The last part: the fee.
pub(crate) fn charge(
    plan: &Plan,
    journal: &mut Journal<'_>,
    context: ExecutionContext<'_>,
    fee: Fee,
) -> Result<Option<CallInfo>, Rejection> {
    if !is_charged(plan, fee) {
        return Ok(None);
    }
    charge::transfer_fee(plan, journal, context, fee).map(Some)
}

/// Whether there is a last part.
pub(crate) fn is_charged(plan: &Plan, fee: Fee) -> bool {
    plan.flags.charge_fee && fee != Fee(0) && !plan.is_bootstrap && !plan.is_l1_handler()
}
