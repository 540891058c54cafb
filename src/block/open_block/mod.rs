//! A block under way: the state that it stands on, and the one place where transactions become part of it.
//!
//! In: attempts, strictly in block order, each made over the state that this block has then. Out: outcomes,
//! and in the end the block's. Whether attempts were made one after another or many at once is not known
//! here.

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

/// A block whose opening is done and whose end is not.
pub(super) struct OpenBlock<R> {
    env: BlockEnv,
    options: ExecutionOptions,
    state: BlockState<R>,
    bouncer: Bouncer,
}

impl<R: StateReader> OpenBlock<R> {
    /// Opens a block (C202).
    pub(super) fn open(env: &BlockEnv, reader: R, options: ExecutionOptions) -> Result<Self, BlockError> {
        let mut state = BlockState::new(reader);
        pre_process(env, options.block_hash_source, &mut state)?;
        let bouncer = Bouncer::new(options.capacity.clone());
        Ok(Self { env: env.clone(), options, state, bouncer })
    }

    /// What the next transaction sees.
    pub(super) fn state(&self) -> &BlockState<R> {
        &self.state
    }

    /// What opening the block wrote, before its first transaction.
    pub(super) fn writes(&self) -> Vec<(StateKey, StateValue)> {
        self.state.writes()
    }

    /// How full it is.
    pub(super) fn weights(&self) -> Weights {
        self.bouncer.weights()
    }

    /// The first half of a commit: counts the next transaction in, if it is valid and there is room for it.
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

    /// The second half: what the next transaction changed is there. The writes of a rejected one are dropped;
    /// what it read was still read (C238).
    pub(super) fn apply(&mut self, data: CommitData) -> Result<(), BlockError> {
        if data.usage.is_some() {
            return Ok(self.state.commit(data.parts)?);
        }
        self.state.absorb_reads(data.parts.initial_reads);
        self.state.absorb_classes(data.parts.classes.loaded);
        Ok(())
    }

    /// Forgets what was counted in, and counts these in instead: the first so many of those that were.
    pub(super) fn recount(&mut self, commit_data: &[CommitData]) {
        let mut bouncer = Bouncer::new(self.options.capacity.clone());
        // There is room for each: it was added before, after the same ones.
        let usages = commit_data.iter().filter_map(|data| data.usage.as_ref());
        let _all_fit =
            usages.map(|usage| bouncer.try_add(usage, &self.env.constants.gas)).all(|added| added.is_ok());
        self.bouncer = bouncer;
    }

    /// Loads what closing will read, on many threads. Changes no result.
    pub(super) fn prefetch(&mut self, pool: &rayon::ThreadPool)
    where
        R: Sync,
    {
        if self.options.finalize {
            let cells = close::cells(&self.state, &self.env, self.options.collect_prover_reads);
            let values = prefetch::load(&cells, self.state.reader(), pool);
            self.state.insert_prefetched(values);
        }
    }

    /// Ends the block; a pool may help. Takes it: no block is closed twice.
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
