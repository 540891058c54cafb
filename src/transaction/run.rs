//! Execution: the work of a plan, its receipt, and the revert of work that failed or cost too much.
//!
//! Input: a plan that was admitted. Output: an [`Execution`] without its fee transfer. The differences
//! between kinds of transactions are data of the plan: who pays, what comes first, whether a failure is
//! reverted.

use super::admitted::Admitted;
use super::cost::{RevertedResources, check_cost, check_paid, payer_key, receipt};
use super::error::{FatalError, Rejection};
use super::outcome::{Execution, RevertReason};
use super::plan::{Payer, Plan};
use super::revert::{Reverted, WorkFailure};
use super::validate::validate;
use super::work::{carry_out, declare};
use crate::call::{ExecutionContext, Phase};
use crate::fee::{Receipt, max_steps, steps_after_validation};
use crate::state::Journal;
use crate::syscall::ExecutionMode;

/// The second part of a transaction: everything after admission except the fee transfer. The validation call
/// moves from `admitted` into the execution; without an execution, `admitted` is unchanged.
pub(crate) fn run(
    plan: &Plan,
    admitted: &mut Admitted,
    journal: &mut Journal<'_>,
    context: ExecutionContext<'_>,
) -> Result<Box<Execution>, Rejection> {
    let env = context.env;
    if plan.is_bootstrap {
        declare(plan, journal, env)?;
        return Ok(Box::default());
    }
    // Before comprehensive state diffs, the changes of validation and of a revertible execution are counted
    // apart (C27).
    let counts_apart = plan.is_revertible && !env.constants.switches.comprehensive_state_diff;
    let validate_changes = counts_apart.then(|| journal.changes());
    let checkpoint = journal.checkpoint();
    let mut gas = admitted.gas;
    let (mode, max_steps, max_gas) = limits(plan, admitted, context)?;
    let initial_gas = gas.limited(max_gas);
    let mut phase = Phase::new(context, &plan.info, mode, max_steps, initial_gas);

    let (reverted, fee) = match carry_out(plan, journal, &mut phase, initial_gas) {
        Ok(execute_call) => {
            // Validation after the work belongs to the execution: `admitted` has none.
            let late_validation = if plan.executes_first {
                gas.spend(execute_call.as_ref().map_or(0, |call| call.gas_consumed))?;
                validate(plan, journal, context, &mut gas)?
            } else {
                None
            };
            let changes = match validate_changes {
                None => journal.changes(),
                Some(mut changes) => {
                    changes.merge(journal.changes_since(checkpoint));
                    changes
                }
            };
            let calls = [&admitted.validate_call, &late_validation, &execute_call].into_iter().flatten();
            let payer = payer_key(plan, journal);
            let receipt = receipt(plan, env, payer, &changes, calls, RevertedResources::default())?;
            let checked = check_cost(plan, journal, env, &receipt)?;
            let Some(error) = checked.error else {
                check_paid(plan, env, &receipt)?;
                return Ok(Box::new(Execution {
                    // The order of events follows the validation call; without one the order is the usual one
                    // (C13).
                    executes_first: late_validation.is_some(),
                    validate_call: admitted.validate_call.take().or(late_validation),
                    execute_call,
                    receipt,
                    ..Execution::default()
                }));
            };
            // The fee is that of the complete execution, within the bounds; all else is as of a plain revert
            // (C24).
            let reverted = Reverted { reason: RevertReason::Cost(error), tree: execute_call.map(Box::new) };
            (reverted, Some(checked.recommended_fee))
        }
        Err(WorkFailure::Reverted(reverted)) => (reverted, None),
        Err(WorkFailure::Rejected(rejection)) => return Err(rejection),
    };
    if !plan.is_revertible {
        return Err(reverted.into_invalid().into());
    }

    journal.revert_to(checkpoint);
    let used = reverted_resources(plan, &phase, max_steps)?;
    let payer = payer_key(plan, journal);
    // The remaining changes are those of admission and validation (C22, C23).
    let receipt = receipt(plan, env, payer, &journal.changes(), admitted.validate_call.iter(), used)?;
    let fee = match fee {
        Some(fee) => fee,
        // If even that costs too much, only the fee follows the check; the reason stays (C25).
        None => check_cost(plan, journal, env, &receipt)?.recommended_fee,
    };
    Ok(Box::new(Execution {
        validate_call: admitted.validate_call.take(),
        revert_reason: Some(reverted.reason),
        reverted_call: reverted.tree,
        receipt: Receipt { fee, ..receipt },
        ..Execution::default()
    }))
}

/// The mode of the phase that carries out the work, and the steps and the Sierra gas to which it is limited.
fn limits(
    plan: &Plan,
    admitted: &Admitted,
    context: ExecutionContext<'_>,
) -> Result<(ExecutionMode, u64, u64), Rejection> {
    let env = context.env;
    let limits = &env.constants.limits;
    let steps = |limit| max_steps(env, &plan.info, limit, plan.flags.charge_fee);
    if plan.executes_first {
        // The constructor of an account runs before its validation and under the rules of validation (C12).
        return Ok((
            ExecutionMode::Validate,
            steps(limits.validate_max_steps),
            limits.validate_max_sierra_gas,
        ));
    }
    let max_steps = steps(limits.execute_max_steps);
    Ok(match plan.payer {
        Payer::L1 { .. } => (ExecutionMode::Execute, max_steps, limits.l1_handler_max.l2_gas.0),
        Payer::Sender | Payer::None => {
            let max_steps = if plan.is_revertible {
                let validate_steps = admitted.validate_call.as_ref().map_or(0, |call| call.resources.steps);
                let calldata_length = plan.extended_calldata_length;
                steps_after_validation(env, max_steps, validate_steps, plan.kind, calldata_length)?
            } else {
                max_steps
            };
            (ExecutionMode::Execute, max_steps, limits.execute_max_sierra_gas)
        }
    })
}

/// The resources that the reverted phase used; none are charged for a message from L1 (C44).
fn reverted_resources(
    plan: &Plan,
    phase: &Phase<'_>,
    max_steps: u64,
) -> Result<RevertedResources, FatalError> {
    if let Payer::L1 { .. } = plan.payer {
        return Ok(RevertedResources::default());
    }
    let overuse = || FatalError::Internal("the remaining gas of a phase exceeds its initial gas".to_owned());
    Ok(RevertedResources {
        steps: max_steps.saturating_sub(phase.steps.remaining),
        sierra_gas: phase.gas_tracker.consumed().ok_or_else(overuse)?,
    })
}
