//! Mempool validation: the decision whether a transaction may enter a mempool.
//!
//! Input: a transaction, the state that the next block would begin with. Output: a [`Validation`]; nothing is
//! committed. Invocations are admitted and validated; declarations and deployments of accounts are executed
//! completely, since their validation cannot be separated from execution.

use std::sync::Arc;

use starknet_api::core::Nonce;
use starknet_types_core::felt::Felt;

use super::attempt::{Attempt, caught};
use super::capacity::TooLarge;
use super::error::BlockError;
use super::executor::BlockExecutor;
use super::open_block::OpenBlock;
use super::outcome::TransactionDisposition;
use crate::state::{Journal, StateReader, StopFlag};
use crate::transaction::{
    CachedValidation, FatalError, InvalidTransaction, Plan, PreValidation, Rejection, Transaction,
    validate_alone,
};

/// The decision whether a transaction may enter a mempool.
#[derive(Clone, Debug)]
pub enum Validation {
    /// The transaction may enter. For an invocation with the validation that block execution can reuse: see
    /// [`Transaction::with_validation`].
    Valid(Option<Arc<CachedValidation>>),
    /// The transaction is invalid.
    Invalid(Box<InvalidTransaction>),
    /// The transaction does not fit in any block ([C214](crate::rules#c214)).
    TooLarge(Box<TooLarge>),
}

/// The host's knowledge about a transaction beyond the state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ValidationOptions {
    /// If `true`, the deployment of the sender's account is in the mempool. Wallets send it together with the
    /// first invocation: while the account's nonce is 0, an invocation with nonce 1 is admitted without
    /// calling the account, which does not exist yet.
    pub deployment_is_pending: bool,
}

impl<R: StateReader> BlockExecutor<R> {
    /// Validates a transaction on the state before the block's transactions. Nothing is committed. The
    /// transaction's flags are respected: without `strict_nonce`, later nonces are valid
    /// ([C4](crate::rules#c4)).
    pub fn validate(&self, transaction: &Transaction) -> Result<Validation, BlockError> {
        self.validate_with(transaction, ValidationOptions::default())
    }

    /// Validates a transaction as [`validate`](Self::validate), with knowledge beyond the state.
    pub fn validate_with(
        &self,
        transaction: &Transaction,
        options: ValidationOptions,
    ) -> Result<Validation, BlockError> {
        let block = OpenBlock::open(&self.env, &self.reader, self.options.clone())?;
        let failed = |failure| BlockError::transaction(0, transaction.hash, failure);
        let plan = match Plan::new(transaction) {
            Ok(plan) => plan,
            Err(error) => return Ok(Validation::Invalid(Box::new(error))),
        };
        match plan.pre_validation() {
            PreValidation::Validate => self.validate_invocation(plan, options, &block).map_err(failed),
            PreValidation::None => Ok(Validation::Valid(None)),
            PreValidation::Execute => self.try_out(transaction, block),
        }
    }

    fn validate_invocation(
        &self,
        mut plan: Plan,
        options: ValidationOptions,
        block: &OpenBlock<&R>,
    ) -> Result<Validation, FatalError> {
        let validated = caught(|| {
            if options.deployment_is_pending && plan.info.nonce == Nonce(Felt::ONE) {
                let nonce = Journal::new(block.state()).nonce_at(plan.info.sender)?;
                if nonce == Nonce::default() {
                    plan.validation = None;
                    plan.flags.strict_nonce = false;
                }
            }
            validate_alone(&plan, block.state(), self.options.context(&self.env))
        });
        match validated {
            Ok(validated) => Ok(Validation::Valid(validated.map(Arc::new))),
            Err(Rejection::Invalid(error)) => Ok(Validation::Invalid(error)),
            Err(Rejection::Failure(failure)) => Err(failure),
        }
    }

    /// Executes a transaction on a block that is thrown away.
    fn try_out(&self, transaction: &Transaction, mut block: OpenBlock<&R>) -> Result<Validation, BlockError> {
        let failed = |failure| BlockError::transaction(0, transaction.hash, failure);
        let attempt = Attempt::run(transaction, block.state(), StopFlag::default(), &self.env, &self.options)
            .map_err(failed)?;
        let full = |_| failed(FatalError::Internal("internal error: an empty block is full".to_owned()));
        let (outcome, _) = block.reserve(attempt).map_err(full)?;
        Ok(match outcome.disposition {
            TransactionDisposition::Executed(_) => Validation::Valid(None),
            TransactionDisposition::Invalid(error) => Validation::Invalid(error),
            TransactionDisposition::TooLarge(error) => Validation::TooLarge(error),
        })
    }
}
