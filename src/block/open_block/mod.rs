//! The open block: its state and its weights, and the one place where transactions are committed.
//!
//! Input: attempts in commit order, each valid on the state that the block has then. Output: outcomes of
//! transactions, and the outcome of the block. Does not know whether attempts were executed serially or in
//! parallel.

mod aliases;
mod changed_contracts;
mod close;
mod pre_process;
mod prefetch;

pub use self::pre_process::BlockHashSource;

use self::close::{close, skip_finalization};
use self::pre_process::pre_process;
use super::attempt::{Attempt, CommitData};
use super::capacity::{BlockFull, BlockUsage, Bouncer, Weights};
use super::error::BlockError;
use super::options::ExecutionOptions;
use super::outcome::{BlockEnd, BlockOutcome, TransactionOutcome};
use crate::protocol::BlockEnv;
use crate::state::{BlockState, StateKey, StateReader, StateValue};

/// A block that was opened and is not closed.
pub(super) struct OpenBlock<R> {
    env: BlockEnv,
    options: ExecutionOptions,
    state: BlockState<R>,
    bouncer: Bouncer,
}

impl<R: StateReader> OpenBlock<R> {
    /// Opens a block: the hash of block N-10 becomes readable (C202).
    pub(super) fn open(env: &BlockEnv, reader: R, options: ExecutionOptions) -> Result<Self, BlockError> {
        let mut state = BlockState::new(reader);
        pre_process(env, options.block_hash_source, &mut state)?;
        let bouncer = Bouncer::new(options.capacity.clone());
        Ok(Self { env: env.clone(), options, state, bouncer })
    }

    /// Returns the state before the next transaction.
    pub(super) fn state(&self) -> &BlockState<R> {
        &self.state
    }

    /// Returns the writes of opening the block.
    pub(super) fn writes(&self) -> Vec<(StateKey, StateValue)> {
        self.state.writes()
    }

    /// Returns the weights of the block.
    pub(super) fn weights(&self) -> Weights {
        self.bouncer.weights()
    }

    /// The first step of a commit: adds the weights of the next transaction, unless it does not fit.
    pub(super) fn reserve(
        &mut self,
        attempt: Attempt,
    ) -> Result<(Box<TransactionOutcome>, Box<CommitData>), Box<BlockFull>> {
        let Attempt { mut outcome, data } = attempt;
        if let Some(usage) = &data.usage {
            outcome.weights = self.bouncer.try_add(usage, &self.env.constants.gas)?;
        }
        Ok((outcome, data))
    }

    /// The second step of a commit: applies the writes of the next transaction to the state. The writes of a
    /// rejected transaction are dropped, its reads are kept (C238).
    pub(super) fn apply(&mut self, data: CommitData) -> Result<(), BlockError> {
        if data.usage.is_some() {
            return Ok(self.state.commit(data.parts)?);
        }
        self.state.absorb_reads(data.parts.initial_reads);
        self.state.absorb_classes(data.parts.classes.loaded);
        Ok(())
    }

    /// Recomputes the weights from a prefix of the transactions that were reserved.
    pub(super) fn recount(&mut self, commit_data: &[CommitData]) {
        let mut bouncer = Bouncer::new(self.options.capacity.clone());
        // Each fits: it was added before, after the same ones.
        let usages = commit_data.iter().filter_map(|data| data.usage.as_ref());
        let _all_fit =
            usages.map(|usage| bouncer.try_add(usage, &self.env.constants.gas)).all(|added| added.is_ok());
        self.bouncer = bouncer;
    }

    /// Prefetches the state keys that closing will read, on many threads. Changes no result.
    pub(super) fn prefetch(&mut self, pool: &rayon::ThreadPool)
    where
        R: Sync,
    {
        if self.options.finalize {
            let keys = close::keys(&self.state, &self.env, self.options.collect_prover_reads);
            let values = prefetch::load(&keys, self.state.reader(), pool);
            self.state.insert_prefetched(values);
        }
    }

    /// Closes the block, with the help of a pool. Consumes it: no block is closed twice.
    pub(super) fn close(
        self,
        transactions: Vec<TransactionOutcome>,
        end: BlockEnd,
        pool: Option<&rayon::ThreadPool>,
    ) -> Result<BlockOutcome, BlockError> {
        let usage: BlockUsage = self.bouncer.summary();
        let mut declared_classes = self.state.classes().declared;
        declared_classes.sort_unstable_keys();
        let closing = if self.options.finalize {
            let collects = self.options.collect_prover_reads;
            close(self.state, &self.env, self.bouncer.migrations(), collects, pool)?
        } else {
            skip_finalization(self.state)
        };
        Ok(BlockOutcome {
            transactions,
            end,
            usage,
            state_diff: closing.state_diff,
            compressed_state_diff: closing.compressed_state_diff,
            initial_reads: closing.initial_reads,
            prover_reads: closing.prover_reads,
            declared_classes,
        })
    }
}
