//! The fee: a transfer from the sender to the sequencer, by the code of the fee token.

use starknet_api::contract_class::EntryPointType;
use starknet_api::transaction::fields::{Calldata, Fee};
use starknet_types_core::felt::Felt;

use super::error::{InvalidTransaction, Rejection};
use super::plan::Plan;
use super::revert::fatal;
use crate::call::{
    CallFailure, CallInfo, ErrorStack, ErrorStackHeader, ExecutionContext, Phase, RootCall, execute,
};
use crate::fee::{check_chargeable, max_steps};
use crate::protocol::well_known;
use crate::state::Journal;
use crate::syscall::ExecutionMode;

/// The last part of a transaction: transfers `fee`, if it [is charged](is_charged).
pub(crate) fn charge(
    plan: &Plan,
    journal: &mut Journal<'_>,
    context: ExecutionContext<'_>,
    fee: Fee,
) -> Result<Option<CallInfo>, Rejection> {
    if is_charged(plan, fee) { transfer_fee(plan, journal, context, fee).map(Some) } else { Ok(None) }
}

/// Returns `true` if the transaction has a fee transfer (C28).
pub(crate) fn is_charged(plan: &Plan, fee: Fee) -> bool {
    plan.flags.charge_fee && fee != Fee(0)
}

/// Transfers the fee of a succeeded or reverted transaction (C28, C29). If the token panics, the money is not
/// moved, and the transaction stands (C30).
fn transfer_fee(
    plan: &Plan,
    journal: &mut Journal<'_>,
    context: ExecutionContext<'_>,
    fee: Fee,
) -> Result<CallInfo, Rejection> {
    let env = context.env;
    check_chargeable(env, &plan.info, fee)?;
    let initial_gas = env.constants.gas.default_initial_gas;
    // The limit is the sender's own bound, not the part of it that execution did not use (C31).
    let steps = max_steps(env, &plan.info, env.constants.limits.execute_max_steps, true);
    let mut phase = Phase::new(context, &plan.info, ExecutionMode::Execute, steps, initial_gas);
    let sequencer = *env.block.sequencer.0.key();
    let call = RootCall {
        class_hash: None,
        entry_point_type: EntryPointType::External,
        selector: well_known::TRANSFER,
        calldata: Calldata(vec![sequencer, Felt::from(fee.0), Felt::ZERO].into()),
        address: env.chain.fee_token(plan.info.fee_type()),
        caller: plan.info.sender,
        initial_gas,
        failure_is_error: false,
    };
    execute(journal, &mut phase, call).map_err(|failure| match failure {
        CallFailure::Reverted { segments, .. } => {
            InvalidTransaction::FeeTransfer(ErrorStack { header: ErrorStackHeader::None, segments }).into()
        }
        failure => fatal(failure),
    })
}
