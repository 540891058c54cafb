//! Executing a block, one transaction after another.

use std::panic::{AssertUnwindSafe, catch_unwind};

use super::open::{OldBlock, open};
use super::outcome::{BlockError, BlockOutcome, TransactionOutcome, TransactionResult};
use crate::protocol::{BlockEnv, Engine};
use crate::state::{BlockState, Journal, StateDiff, StateReader};
use crate::transaction::{
    CallResult, ContractCall, Execution, ExecutionFailure, Plan, Rejection, Transaction, call_from_outside,
    execute,
};

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
    env: BlockEnv,
    reader: R,
    old_block: OldBlock,
    on_invalid: OnInvalid,
    keeps_reverted_calls: bool,
}

impl<R: StateReader> BlockExecutor<R> {
    /// An executor for one block over the state before it. A reader may be lent: `&reader` is a reader too.
    pub fn new(env: BlockEnv, reader: R) -> Self {
        Self {
            env,
            reader,
            old_block: OldBlock::default(),
            on_invalid: OnInvalid::default(),
            keeps_reverted_calls: false,
        }
    }

    /// Where the hash of the block ten before comes from. From block 10 on it must be said.
    pub fn old_block(self, old_block: OldBlock) -> Self {
        Self { old_block, ..self }
    }

    /// What to do after an invalid transaction.
    pub fn on_invalid(self, on_invalid: OnInvalid) -> Self {
        Self { on_invalid, ..self }
    }

    /// Keep the call trees of reverted executions, for traces.
    pub fn keep_reverted_calls(self) -> Self {
        Self { keeps_reverted_calls: true, ..self }
    }

    /// Which engine runs the code. It changes how long that takes, and nothing else.
    pub fn engine(mut self, engine: Engine) -> Self {
        self.env.engine = engine;
        self
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
        let mut state = BlockState::new(&self.reader);
        open(&self.env, self.old_block, &mut state)?;
        let mut outcomes = Vec::with_capacity(transactions.len());
        for (index, transaction) in transactions.iter().enumerate() {
            let outcome = self.execute_one(index, transaction, &mut state)?;
            observe(index, &outcome);
            let is_invalid = outcome.execution().is_none();
            outcomes.push(outcome);
            if is_invalid && self.on_invalid == OnInvalid::Stop {
                break;
            }
        }
        Ok(BlockOutcome {
            transactions: outcomes,
            state_diff: state.diff(),
            initial_reads: state.initial_reads(),
        })
    }

    /// Calls a contract on the state before the block's transactions, as `starknet_call` does. Nothing is kept.
    pub fn call(&self, call: &ContractCall) -> Result<CallResult, BlockError> {
        let mut state = BlockState::new(&self.reader);
        open(&self.env, self.old_block, &mut state)?;
        let mut journal = Journal::new(&state);
        let result = caught(|| call_from_outside(call, &mut journal, &self.env));
        result.map_err(|failure| BlockError::Call(Box::new(failure)))
    }

    fn execute_one(
        &self,
        index: usize,
        transaction: &Transaction,
        state: &mut BlockState<&R>,
    ) -> Result<TransactionOutcome, BlockError> {
        let outcome = |result, state_diff| TransactionOutcome {
            hash: transaction.hash,
            kind: transaction.kind(),
            result,
            state_diff,
        };
        let mut journal = Journal::new(&*state);
        match run(transaction, &mut journal, &self.env) {
            Ok(mut execution) => {
                if !self.keeps_reverted_calls {
                    execution.reverted_call = None;
                }
                let state_diff = journal.diff();
                let parts = journal.into_parts();
                state.commit(parts)?;
                Ok(outcome(TransactionResult::Executed(Box::new(execution)), state_diff))
            }
            Err(Rejection::Invalid(error)) => {
                // Its writes are dropped; what it read was still read (C238).
                let (_, reads, classes) = journal.into_parts();
                state.absorb_reads(reads);
                state.absorb_classes(classes.loaded);
                Ok(outcome(TransactionResult::Invalid(error), StateDiff::default()))
            }
            Err(Rejection::Failure(failure)) => {
                Err(BlockError::Transaction { index, hash: transaction.hash, failure: Box::new(failure) })
            }
        }
    }
}

/// Runs a transaction.
fn run(transaction: &Transaction, journal: &mut Journal<'_>, env: &BlockEnv) -> Result<Execution, Rejection> {
    let plan = Plan::new(transaction)?;
    caught(|| execute(&plan, journal, env))
}

/// Turns a panic, the reader's included, into a failure that its caller can name. The journal is dropped then, so nobody sees
/// what a panic may have left half done.
fn caught<T, E: From<ExecutionFailure>>(run: impl FnOnce() -> Result<T, E>) -> Result<T, E> {
    catch_unwind(AssertUnwindSafe(run)).unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<&str>()
            .map(|text| (*text).to_owned())
            .or_else(|| panic.downcast_ref::<String>().cloned())
            .unwrap_or_else(|| "a panic without a message".to_owned());
        Err(ExecutionFailure::Internal(message).into())
    })
}
