//! Admission: nonce, bounds, balance, proof facts, in this order (C1). It precedes all contract code.

use super::error::{InvalidTransaction, Rejection};
use super::plan::Plan;
use super::proof_facts;
use crate::fee::{BalanceCheckError, check_balance, check_bounds_cover, minimal_gas};
use crate::protocol::BlockEnv;
use crate::state::Journal;

/// Admits a transaction and increments the sender's nonce (C2). Checks nothing of a transaction without an
/// account.
pub(super) fn admit(plan: &Plan, journal: &mut Journal<'_>, env: &BlockEnv) -> Result<(), Rejection> {
    if plan.has_nonce {
        advance_nonce(plan, journal)?;
    }
    if plan.flags.charge_fee {
        let minimal = minimal_gas(env, &plan.info, plan.kind, plan.extended_calldata_length)?;
        check_bounds_cover(env, &plan.info, minimal).map_err(InvalidTransaction::Bounds)?;
        check_balance(journal, env, &plan.info).map_err(|error| match error {
            BalanceCheckError::State(error) => Rejection::from(error),
            error => InvalidTransaction::Balance(error).into(),
        })?;
    }
    proof_facts::check(plan, journal, env)
}

/// Strict: the nonce is the account's next one. Otherwise it may be later; the account's nonce still
/// increases by one (C4).
fn advance_nonce(plan: &Plan, journal: &mut Journal<'_>) -> Result<(), Rejection> {
    let address = plan.info.sender;
    let nonce = plan.info.nonce;
    let account_nonce = journal.nonce_at(address)?;
    let fits = if plan.flags.strict_nonce { account_nonce == nonce } else { account_nonce <= nonce };
    if !fits {
        return Err(InvalidTransaction::Nonce { address, account_nonce, nonce }.into());
    }
    Ok(journal.increment_nonce(address)?)
}
