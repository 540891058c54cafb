//! The result of a validation that was carried out ahead of execution.
//!
//! Input: the call, its reads and writes, and everything else that it depended on. Output: the same call in
//! another journal, if the dependencies are unchanged there: the signature is not verified again. Admission
//! is not cached: it is cheap, and prices and balances change with every block.

use std::sync::Arc;

use starknet_api::block::{BlockNumber, BlockTimestamp};
use starknet_api::transaction::fields::Calldata;

use super::error::Rejection;
use crate::call::CallInfo;
use crate::protocol::{BlockEnv, ChainInfo, Constants};
use crate::state::{Journal, JournalParts};
use crate::syscall::TransactionInfo;

/// A validation that was carried out, with its reads and writes. Given to the transaction
/// ([`Transaction::with_validation`](super::Transaction::with_validation)), it spares the block the work; it
/// is used only where validating again would have the same result.
#[derive(Clone, Debug)]
pub struct CachedValidation {
    terms: Terms,
    call: CallInfo,
    parts: JournalParts,
}

/// Everything that a validation depends on besides the state.
#[derive(Clone, Debug)]
pub(super) struct Terms {
    info: Arc<TransactionInfo>,
    calldata: Calldata,
    constants: Arc<Constants>,
    chain: Arc<ChainInfo>,
    /// The block number and the timestamp as validation sees them (C136).
    seen_number: BlockNumber,
    seen_timestamp: BlockTimestamp,
    /// The true block number: it decides which block hashes can be read.
    number: BlockNumber,
    steps: u64,
    gas: u64,
}

impl Terms {
    pub(super) fn new(
        info: &Arc<TransactionInfo>,
        env: &BlockEnv,
        calldata: &Calldata,
        steps: u64,
        gas: u64,
    ) -> Self {
        let seen = env.block_for_validate();
        Self {
            info: Arc::clone(info),
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

    /// Returns `true` if a validation on these terms is also one on the wanted terms.
    fn cover(&self, wanted: &Self) -> bool {
        let Self { info, calldata, constants, chain, seen_number, seen_timestamp, number, steps, gas } = self;
        (Arc::ptr_eq(constants, &wanted.constants) || *constants == wanted.constants)
            && (*seen_number, *seen_timestamp) == (wanted.seen_number, wanted.seen_timestamp)
            // A block hash that could be read at an earlier block can be read at a later one.
            && *number <= wanted.number
            && (*steps, *gas) == (wanted.steps, wanted.gas)
            && *chain == wanted.chain
            && *calldata == wanted.calldata
            && *info == wanted.info
    }
}

impl CachedValidation {
    /// `None` if the validation changed something that [`Journal::apply`] does not carry over: only storage
    /// and class hashes can be.
    pub(super) fn new(terms: Terms, call: CallInfo, parts: JournalParts) -> Option<Self> {
        let changes = &parts.changes;
        let can_be_applied = changes.nonces.is_empty()
            && changes.compiled_class_hashes.is_empty()
            && changes.declared.is_empty();
        can_be_applied.then_some(Self { terms, call, parts })
    }

    /// Applies the validation to `journal`, if it would have the same result there.
    pub(super) fn apply(
        &self,
        wanted: &Terms,
        journal: &mut Journal<'_>,
    ) -> Result<Option<CallInfo>, Rejection> {
        if !self.terms.cover(wanted) || !journal.is_valid(&self.parts.initial_reads)? {
            return Ok(None);
        }
        journal.apply(&self.parts)?;
        Ok(Some(self.call.clone()))
    }
}
