//! Executing a block, one transaction after another.

use super::attempt::{Attempt, AttemptOptions, caught};
use super::capacity::Capacity;
use super::open::OldBlock;
use super::outcome::{BlockEnd, BlockError, BlockOutcome, TransactionOutcome};
use super::under_way::{BlockOptions, Commit, OpenBlock};
use crate::protocol::BlockEnv;
use crate::state::{Journal, StateReader};
use crate::transaction::{CallResult, ContractCall, Transaction, call_from_outside};

/// Whether a block goes on after an invalid transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnInvalid {
    /// Report it and go on, as a block builder does.
    #[default]
    Continue,
    /// Report it and stop, as one who re-executes a block does.
    Stop,
}

/// Executes blocks over a host's state. See the crate's front page for an example.
#[derive(Clone, Debug)]
pub struct BlockExecutor<R> {
    pub(super) env: BlockEnv,
    pub(super) reader: R,
    pub(super) options: BlockOptions,
    on_invalid: OnInvalid,
    keeps_reverted_calls: bool,
}

impl<R: StateReader> BlockExecutor<R> {
    /// An executor for one block over the state before it. A reader may be lent: `&reader` is a reader too.
    pub fn new(env: BlockEnv, reader: R) -> Self {
        Self {
            env,
            reader,
            options: BlockOptions::default(),
            on_invalid: OnInvalid::default(),
            keeps_reverted_calls: false,
        }
    }

    /// Where the hash of the block ten before comes from. From block 10 on it must be said.
    pub fn old_block(mut self, old_block: OldBlock) -> Self {
        self.options.old_block = old_block;
        self
    }

    /// How much the block holds; without this there is no limit, since who executes a block again must not cut it.
    pub fn capacity(mut self, capacity: Capacity) -> Self {
        self.options.capacity = capacity;
        self
    }

    /// Do not close the block: no aliases are given, and no class moves to another compiled class hash or is weighed as if it did.
    /// For transactions that are simulated or traced and will not be a block; saves the reads that closing takes.
    pub fn leave_open(mut self) -> Self {
        self.options.stays_open = true;
        self
    }

    /// Collect what a prover needs: see [`BlockOutcome::prover_reads`]. Costs reads that execution does not need.
    pub fn collect_prover_reads(mut self) -> Self {
        self.options.collects_prover_reads = true;
        self
    }

    /// What to do after an invalid transaction, or one that is too large for any block.
    pub fn on_invalid(self, on_invalid: OnInvalid) -> Self {
        Self { on_invalid, ..self }
    }

    /// Keep the call trees of reverted executions, for traces.
    pub fn keep_reverted_calls(self) -> Self {
        Self { keeps_reverted_calls: true, ..self }
    }

    /// Executes the block.
    pub fn execute(&self, transactions: &[Transaction]) -> Result<BlockOutcome, BlockError> {
        self.execute_with(transactions, |_, _| {})
    }

    /// Executes the block and shows each transaction's outcome, with its index, as soon as it is there.
    pub fn execute_with(
        &self,
        transactions: &[Transaction],
        mut observe: impl FnMut(usize, &TransactionOutcome),
    ) -> Result<BlockOutcome, BlockError> {
        let mut block = OpenBlock::open(&self.env, &self.reader, self.options.clone())?;
        let mut outcomes = Vec::with_capacity(transactions.len());
        let options = AttemptOptions {
            keeps_reverted_calls: self.keeps_reverted_calls,
            finds_migrations: !self.options.stays_open,
        };
        for (index, transaction) in transactions.iter().enumerate() {
            let attempt =
                Attempt::run(transaction, block.state(), &self.env, options).map_err(|failure| {
                    BlockError::Transaction { index, hash: transaction.hash, failure: Box::new(failure) }
                })?;
            let outcome = match block.commit(transaction, attempt)? {
                Commit::Done(outcome) => *outcome,
                Commit::Full(reason) => {
                    let hash = transaction.hash;
                    return block.close(outcomes, BlockEnd::Full { index, hash, reason });
                }
            };
            observe(index, &outcome);
            let is_rejected = outcome.execution().is_none();
            outcomes.push(outcome);
            if is_rejected && self.on_invalid == OnInvalid::Stop {
                return block.close(outcomes, BlockEnd::Invalid { index });
            }
        }
        block.close(outcomes, BlockEnd::Finished)
    }

    /// Calls a contract on the state before the block's transactions, as `starknet_call` does. Nothing is kept.
    pub fn call(&self, call: &ContractCall) -> Result<CallResult, BlockError> {
        let block = OpenBlock::open(&self.env, &self.reader, self.options.clone())?;
        let mut journal = Journal::new(block.state());
        let result = caught(|| call_from_outside(call, &mut journal, &self.env));
        result.map_err(|failure| BlockError::Call(Box::new(failure)))
    }
}
