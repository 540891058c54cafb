//! Validation ahead of time, as a gateway or a mempool does it, and what a block may keep of it.
//!
//! In: a plan, a reader of some state. Out: nothing is committed; whether the account accepts the transaction, and a
//! [`CachedValidation`] with all that its code read and wrote. When the transaction is executed and what the code read is still so, its
//! result is taken over and the signature not checked again. Admission is always done again: it is cheap, and prices and balances
//! change with every block.

use std::sync::Arc;

use starknet_api::block::{BlockNumber, BlockTimestamp};
use starknet_api::transaction::fields::Calldata;

use super::admit::admit;
use super::error::{InvalidTransaction, Rejection};
use super::plan::Plan;
use super::run::{Burnt, Gas, receipt};
use super::validate::{terms, validate};
use crate::call::{CallInfo, ExecutionContext};
use crate::fee::fee_token_balance_key;
use crate::fee::{check_within_bounds, initial_sierra_gas};
use crate::protocol::{BlockEnv, ChainInfo, Constants};
use crate::state::{BlockState, Journal, JournalParts, StateReader};
use crate::syscall::TransactionInfo;

/// A validation that was carried out: what the account's code answered, read and wrote. Give it to the transaction
/// ([`Transaction::with_validation`](super::Transaction::with_validation)) to spare its block the work; it is used only where
/// carrying the validation out again would give the same.
#[derive(Clone, Debug)]
pub struct CachedValidation {
    terms: Terms,
    call: CallInfo,
    parts: JournalParts,
}

/// All that a validation depends on besides the state.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    info: Arc<TransactionInfo>,
    calldata: Calldata,
    constants: Arc<Constants>,
    chain: Arc<ChainInfo>,
    /// As validation sees them (C136).
    seen_number: BlockNumber,
    seen_timestamp: BlockTimestamp,
    /// Hashes of blocks that are old enough can be read, by this number.
    number: BlockNumber,
    steps: u64,
    gas: u64,
}

impl Terms {
    pub(super) fn new(plan: &Plan, env: &BlockEnv, calldata: &Calldata, steps: u64, gas: u64) -> Self {
        let seen = env.block_for_validate();
        Self {
            info: Arc::clone(&plan.info),
            calldata: calldata.clone(),
            constants: Arc::clone(&env.constants),
            chain: Arc::clone(&env.chain),
            seen_number: seen.number,
            seen_timestamp: seen.timestamp,
            number: env.block.number,
            steps,
            gas,
        }
    }

    /// Whether a validation on these terms is one on those.
    fn cover(&self, wanted: &Self) -> bool {
        let Self { info, calldata, constants, chain, seen_number, seen_timestamp, number, steps, gas } = self;
        (Arc::ptr_eq(constants, &wanted.constants) || *constants == wanted.constants)
            && (*seen_number, *seen_timestamp) == (wanted.seen_number, wanted.seen_timestamp)
            // What was old enough then is old enough later.
            && *number <= wanted.number
            && (*steps, *gas) == (wanted.steps, wanted.gas)
            && *chain == wanted.chain
            && *calldata == wanted.calldata
            && *info == wanted.info
    }
}

impl CachedValidation {
    /// Takes the validation over into `journal`, if it would come out the same there.
    pub(super) fn take_over(
        &self,
        wanted: &Terms,
        journal: &mut Journal<'_>,
    ) -> Result<Option<CallInfo>, Rejection> {
        if !self.terms.cover(wanted) || !journal.holds(&self.parts.initial_reads)? {
            return Ok(None);
        }
        journal.adopt(&self.parts)?;
        Ok(Some(self.call.clone()))
    }
}

/// Admits and validates an invocation and checks the cost of that against its bounds; not against the balance, which validation
/// cannot change (1.12). `None` if there was nothing to validate, or nothing that could be used again.
pub(crate) fn validate_alone(
    plan: &Plan,
    reader: &dyn StateReader,
    context: ExecutionContext<'_>,
) -> Result<Option<CachedValidation>, Rejection> {
    let env = context.env;
    let mut admission = Journal::new(reader);
    admit(plan, &mut admission, env)?;
    let mut gas = Gas::new(initial_sierra_gas(env, &plan.info));
    let Some(terms) = terms(plan, env, &gas) else { return Ok(None) };
    // What admission read is none of the account's business: a layer between keeps the two apart.
    let mut admitted = BlockState::new(reader);
    admitted.commit(admission.into_parts())?;
    let (call, parts) = {
        let mut journal = Journal::new(&admitted);
        let call = validate(plan, &mut journal, context, &mut gas)?;
        (call, journal.into_parts())
    };
    admitted.commit(parts.clone())?;
    let payer = fee_token_balance_key(plan.info.sender);
    let cost = receipt(plan, env, payer, &admitted.changes(), call.iter(), Burnt::default())?;
    if plan.flags.charge_fee
        && let Some(error) = check_within_bounds(env, &plan.info, &cost)?
    {
        return Err(InvalidTransaction::Cost(error).into());
    }
    let can_be_adopted = {
        let changes = &parts.changes;
        changes.nonces.is_empty() && changes.compiled_class_hashes.is_empty() && changes.declared.is_empty()
    };
    Ok(call.filter(|_| can_be_adopted).map(|call| CachedValidation { terms, call, parts }))
}
