//! Validation ahead of execution, as a gateway or a mempool does it.
//!
//! Input: a plan, a reader of some state. Output: a [`CachedValidation`] with everything that the account's
//! code read and wrote, or the reason why the transaction is invalid. Commits nothing.

use super::admit::admit;
use super::cached_validation::CachedValidation;
use super::cost::{GasBudget, RevertedResources, receipt};
use super::error::{InvalidTransaction, Rejection};
use super::plan::Plan;
use super::validate::{terms, validate};
use crate::call::ExecutionContext;
use crate::fee::{check_within_bounds, fee_token_balance_key};
use crate::state::{BlockState, Journal, StateReader};

/// Admits and validates an invocation and checks the cost of that against its bounds; not against the
/// balance, which validation cannot change. `None` if there was nothing to validate, or the result cannot be
/// used again.
pub(crate) fn validate_alone(
    plan: &Plan,
    reader: &dyn StateReader,
    context: ExecutionContext<'_>,
) -> Result<Option<CachedValidation>, Rejection> {
    let env = context.env;
    let mut admission = Journal::new(reader);
    admit(plan, &mut admission, env)?;
    let mut gas = GasBudget::new(plan, env);
    let Some(terms) = terms(plan, env, &gas) else { return Ok(None) };
    // Admission is repeated when the transaction is executed, so its reads are no part of the cached ones: a
    // layer separates them.
    let mut admitted = BlockState::new(reader);
    admitted.commit(admission.into_parts())?;
    let (call, parts) = {
        let mut journal = Journal::new(&admitted);
        let call = validate(plan, &mut journal, context, &mut gas)?;
        (call, journal.into_parts())
    };
    admitted.commit(parts.clone())?;
    let payer = fee_token_balance_key(plan.info.sender);
    let changes = admitted.changes();
    let cost = receipt(plan, env, Some(payer), &changes, call.iter(), RevertedResources::default())?;
    if plan.flags.charge_fee
        && let Some(error) = check_within_bounds(env, &plan.info, &cost)?
    {
        return Err(InvalidTransaction::Cost(error).into());
    }
    Ok(call.and_then(|call| CachedValidation::new(terms, call, parts)))
}
