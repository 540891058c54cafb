//! Validation: the account accepts or refuses the transaction.

use starknet_api::contract_class::EntryPointType;
use starknet_api::core::ContractAddress;

use super::cached_validation::Terms;
use super::cost::GasBudget;
use super::error::{InvalidTransaction, Rejection};
use super::plan::Plan;
use super::revert::{error_stack, fatal};
use crate::call::{
    Cairo1RevertHeader, Cairo1RevertSummary, CallFailure, CallInfo, EntryPointFrame, ErrorStackHeader,
    ExecutionContext, FrameKind, Phase, RootCall, execute,
};
use crate::fee::max_steps;
use crate::protocol::{BlockEnv, well_known};
use crate::state::Journal;
use crate::syscall::ExecutionMode;

/// Runs the validation call, if the plan has one. The class that decides how its result is read is the one at
/// the address before the call (C17).
pub(super) fn validate(
    plan: &Plan,
    journal: &mut Journal<'_>,
    context: ExecutionContext<'_>,
    gas: &mut GasBudget,
) -> Result<Option<CallInfo>, Rejection> {
    let Some(validation) = &plan.validation else { return Ok(None) };
    let (steps, initial_gas) = limits(plan, context.env, gas);
    if let Some(cached) = &plan.cached_validation
        && let Some(terms) = terms(plan, context.env, gas)
        && let Some(info) = cached.apply(&terms, journal)?
    {
        gas.spend(info.gas_consumed)?;
        return Ok(Some(info));
    }
    let mut phase = Phase::new(context, &plan.info, ExecutionMode::Validate, steps, initial_gas);

    let address = plan.info.sender;
    let class_hash = journal.class_hash_at(address)?;
    let call = RootCall {
        class_hash: None,
        entry_point_type: EntryPointType::External,
        selector: validation.selector,
        calldata: validation.calldata.clone(),
        address,
        caller: ContractAddress::default(),
        initial_gas,
        failure_is_error: false,
    };
    let info = execute(journal, &mut phase, call).map_err(|failure| match failure {
        CallFailure::Reverted { segments, .. } => {
            let frame = EntryPointFrame {
                depth: 0,
                kind: FrameKind::CallContract,
                storage_address: address,
                class_hash,
                selector: Some(validation.selector),
            };
            let stack = error_stack(ErrorStackHeader::Validation, frame, segments);
            InvalidTransaction::Validation(stack).into()
        }
        failure => fatal(failure),
    })?;

    if journal.class(class_hash)?.is_cairo1() {
        if info.failed {
            let summary = Cairo1RevertSummary::of(&info, Cairo1RevertHeader::Validation);
            return Err(InvalidTransaction::ValidationPanic(summary).into());
        }
        if info.retdata != [well_known::VALID] {
            return Err(InvalidTransaction::ValidationAnswer(info.retdata).into());
        }
    } else if info.failed {
        return Err(InvalidTransaction::ValidationCairo0(info.retdata).into());
    }
    gas.spend(info.gas_consumed)?;
    Ok(Some(info))
}

/// The steps and the Sierra gas that validation may use.
fn limits(plan: &Plan, env: &BlockEnv, gas: &GasBudget) -> (u64, u64) {
    let limits = &env.constants.limits;
    let steps = max_steps(env, &plan.info, limits.validate_max_steps, plan.flags.charge_fee);
    (steps, gas.limited(limits.validate_max_sierra_gas))
}

/// Everything that the validation depends on besides the state; `None` if the plan has none.
pub(super) fn terms(plan: &Plan, env: &BlockEnv, gas: &GasBudget) -> Option<Terms> {
    let validation = plan.validation.as_ref()?;
    let (steps, initial_gas) = limits(plan, env, gas);
    Some(Terms::new(&plan.info, env, &validation.calldata, steps, initial_gas))
}
