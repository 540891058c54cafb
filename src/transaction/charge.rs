//! The fee: a transfer from the sender to the sequencer, by the fee token's own code.

use starknet_api::contract_class::EntryPointType;
use starknet_api::transaction::fields::{Calldata, Fee};
use starknet_types_core::felt::Felt;

use super::error::{InvalidTransaction, Rejection};
use super::plan::Plan;
use super::run::failed;
use crate::call::{
    CallFailure, CallInfo, ErrorStack, ErrorStackHeader, ExecutionContext, Phase, RootCall, execute,
};
use crate::fee::{check_chargeable, max_steps};
use crate::protocol::well_known;
use crate::state::Journal;
use crate::syscall::ExecutionMode;

/// Transfers `fee`, of succeeded and reverted transactions alike (C28, C29). A token that panics keeps the money where it is,
/// and the transaction stands (C30).
pub(super) fn transfer_fee(
    plan: &Plan,
    journal: &mut Journal<'_>,
    context: ExecutionContext<'_>,
    fee: Fee,
) -> Result<CallInfo, Rejection> {
    let env = context.env;
    check_chargeable(env, &plan.info, fee)?;
    let initial_gas = env.constants.gas.default_initial_gas;
    // The limit is the sender's own bound, not what it left over (C31).
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
        failure => failed(failure),
    })
}
