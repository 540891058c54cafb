//! The cost of a transaction: its Sierra gas while it is being spent, its receipt, and the check of that
//! receipt.
//!
//! Input: a plan, finished calls, state changes. Output: gas for phases, a [`Receipt`], a verdict on it.
//! Knows nothing of how the calls were run.

use starknet_api::state::StorageKey;

use super::error::{FatalError, InvalidTransaction, Rejection};
use super::plan::{Payer, Plan};
use crate::call::{CallInfo, ExecutionSummary};
use crate::fee::{
    PostCheck, Receipt, ReceiptInput, check_after, check_gas_within, check_paid_on_l1, initial_sierra_gas,
    payer_balance_key,
};
use crate::protocol::BlockEnv;
use crate::state::{Journal, StateChanges};

/// The remaining Sierra gas of a transaction: one budget for validation and execution, each with a limit of
/// its own (C9).
#[derive(Clone, Copy, Debug)]
pub(super) struct GasBudget(u64);

impl GasBudget {
    /// The gas with which a transaction begins: the sender's, or of a message from L1 the version's limit
    /// (C7, C8, C44).
    pub(super) fn new(plan: &Plan, env: &BlockEnv) -> Self {
        Self(match plan.payer {
            Payer::L1 { .. } => env.constants.limits.l1_handler_max.l2_gas.0,
            Payer::Sender | Payer::None => initial_sierra_gas(env, &plan.info),
        })
    }

    /// The gas that a phase with this limit may use.
    pub(super) fn limited(&self, limit: u64) -> u64 {
        self.0.min(limit)
    }

    /// Takes out the gas that a phase used.
    pub(super) fn spend(&mut self, used: u64) -> Result<(), FatalError> {
        let overuse =
            || FatalError::Internal("a phase used more gas than remained to the transaction".to_owned());
        self.0 = self.0.checked_sub(used).ok_or_else(overuse)?;
        Ok(())
    }
}

/// The steps and the Sierra gas that a reverted execution used; its receipt charges them (C21).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RevertedResources {
    pub(super) steps: u64,
    pub(super) sierra_gas: u64,
}

/// The storage key of the balance that the fee will change; `None` where nothing is paid on L2 (C47).
pub(super) fn payer_key(plan: &Plan, journal: &mut Journal<'_>) -> Option<StorageKey> {
    match plan.payer {
        Payer::L1 { .. } => None,
        Payer::Sender | Payer::None => Some(payer_balance_key(journal, plan.info.sender)),
    }
}

/// Returns the receipt of the given calls and state changes.
pub(super) fn receipt<'a>(
    plan: &Plan,
    env: &BlockEnv,
    payer: Option<StorageKey>,
    changes: &StateChanges,
    calls: impl IntoIterator<Item = &'a CallInfo>,
    reverted: RevertedResources,
) -> Result<Receipt, Rejection> {
    let summary = ExecutionSummary::of(calls, &env.constants)
        .ok_or_else(|| FatalError::Internal("a sum over the calls overflowed".to_owned()))?;
    Ok(Receipt::new(&ReceiptInput {
        env,
        info: &plan.info,
        gas_mode: plan.gas_mode(),
        kind: plan.kind,
        is_free: plan.payer != Payer::Sender,
        extended_calldata_length: plan.extended_calldata_length,
        signature_length: plan.signature_length(),
        code_size: plan.code_size,
        l1_handler_payload: plan.l1_handler_payload(),
        payer,
        state_changes: changes,
        summary: &summary,
        reverted_steps: reverted.steps,
        reverted_sierra_gas: reverted.sierra_gas,
        proof: plan.has_proof(),
    })?)
}

/// Compares a receipt with what its payer allows and can pay: the sender's bounds and balance (C164), or the
/// version's limits for messages from L1 (C44).
pub(super) fn check_cost(
    plan: &Plan,
    journal: &mut Journal<'_>,
    env: &BlockEnv,
    receipt: &Receipt,
) -> Result<PostCheck, Rejection> {
    match plan.payer {
        Payer::L1 { .. } => Ok(PostCheck {
            recommended_fee: receipt.fee,
            error: check_gas_within(&env.constants.limits.l1_handler_max, &receipt.gas).err(),
        }),
        Payer::Sender | Payer::None => {
            Ok(check_after(journal, env, &plan.info, receipt, plan.flags.charge_fee)?)
        }
    }
}

/// Checks that a message that was handled successfully was paid for on L1 (C46).
pub(super) fn check_paid(plan: &Plan, env: &BlockEnv, receipt: &Receipt) -> Result<(), Rejection> {
    let Payer::L1 { paid } = plan.payer else { return Ok(()) };
    Ok(check_paid_on_l1(env, &plan.info, receipt, paid).map_err(InvalidTransaction::PaidOnL1)?)
}
