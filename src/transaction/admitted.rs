//! The first part of a transaction, which reads little except the account: admission, and validation where it
//! precedes the work.

use super::admit::admit;
use super::cost::GasBudget;
use super::error::Rejection;
use super::outcome::Execution;
use super::plan::Plan;
use super::validate::validate;
use crate::call::{CallInfo, ExecutionContext};
use crate::state::Journal;

/// A transaction that was admitted and, if its validation precedes its work, validated.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    /// The gas that remains after validation.
    pub(super) gas: GasBudget,
    pub(super) validate_call: Option<CallInfo>,
}

impl Admitted {
    /// Restores the validation call from an execution that [`run`](super::run) made, so that the transaction
    /// can be run again.
    pub(crate) fn restore(&mut self, plan: &Plan, execution: &mut Execution) {
        if !plan.executes_first {
            self.validate_call = execution.validate_call.take();
        }
    }
}

/// Admits a transaction and validates it, unless its constructor runs first (C12).
pub(crate) fn admit_and_validate(
    plan: &Plan,
    journal: &mut Journal<'_>,
    context: ExecutionContext<'_>,
) -> Result<Admitted, Rejection> {
    let mut gas = GasBudget::new(plan, context.env);
    admit(plan, journal, context.env)?;
    let validate_call = if plan.executes_first { None } else { validate(plan, journal, context, &mut gas)? };
    Ok(Admitted { gas, validate_call })
}
