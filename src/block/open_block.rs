//! A block under way: the state that it stands on, and the one place where transactions become part of it.
//!
//! In: attempts, strictly in block order, each made over the state that this block has then. Out: outcomes, and in the end the
//! block's. Whether attempts were made one after another or many at once is not known here.

use super::attempt::{Attempt, Share};
use super::capacity::{BlockFull, BlockUsage, Capacity, Usage, Weights};
use super::close::{self, close, skip_finalization};
use super::outcome::{BlockEnd, BlockError, BlockOutcome, TransactionOutcome};
use super::pre_process::{BlockHashSource, open};
use super::prefetch;
use crate::protocol::BlockEnv;
use crate::state::{BlockState, InitialReads, StateKey, StateReader, StateValue, writes};

/// How a block is opened and closed.
#[derive(Clone, Debug, Default)]
pub(super) struct BlockOptions {
    /// Where the hash of the block ten before comes from.
    pub(super) block_hash_source: BlockHashSource,
    /// How much the block holds.
    pub(super) capacity: Capacity,
    /// Whether the block stays open when its transactions are done.
    pub(super) skips_finalization: bool,
    /// Whether closing collects what a prover needs.
    pub(super) collect_prover_reads: bool,
}

/// A block whose opening is done and whose end is not.
pub(super) struct OpenBlock<R> {
    env: BlockEnv,
    options: BlockOptions,
    state: BlockState<R>,
    usage: Usage,
}

/// What became of an attempt.
pub(super) enum Commit {
    /// The transaction had its turn: it is in the block, or rejected.
    Done(Box<TransactionOutcome>),
    /// The block has no room for it, and does not show that it was tried.
    Full(Box<BlockFull>),
}

impl<R: StateReader> OpenBlock<R> {
    /// Opens a block (C202).
    pub(super) fn open(env: &BlockEnv, reader: R, options: BlockOptions) -> Result<Self, BlockError> {
        let mut state = BlockState::new(reader);
        open(env, options.block_hash_source, &mut state)?;
        let usage = Usage::new(options.capacity.clone());
        Ok(Self { env: env.clone(), options, state, usage })
    }

    /// What the next transaction sees.
    pub(super) fn state(&self) -> &BlockState<R> {
        &self.state
    }

    /// What opening the block wrote, before its first transaction.
    pub(super) fn writes(&self) -> Vec<(StateKey, StateValue)> {
        writes(&self.state.changes(), &self.state.classes(), &InitialReads::default())
    }

    /// How full it is.
    pub(super) fn weights(&self) -> Weights {
        self.usage.weights()
    }

    /// Makes the next transaction part of the block, if it is valid and there is room for it.
    pub(super) fn commit(&mut self, attempt: Attempt) -> Result<Commit, BlockError> {
        match self.weigh(attempt) {
            Ok((outcome, share)) => {
                self.absorb(*share)?;
                Ok(Commit::Done(outcome))
            }
            Err(full) => Ok(Commit::Full(full)),
        }
    }

    /// The first half of a commit: counts the next transaction in, if it is valid and there is room for it.
    pub(super) fn weigh(
        &mut self,
        attempt: Attempt,
    ) -> Result<(Box<TransactionOutcome>, Box<Share>), Box<BlockFull>> {
        let Attempt { mut outcome, share } = attempt;
        if let Some(load) = &share.load {
            outcome.weights = self.usage.try_add(load, &self.env.constants.gas)?;
        }
        Ok((outcome, share))
    }

    /// The second half: what the next transaction changed is there. The writes of a rejected one are dropped; what it read was still
    /// read (C238).
    pub(super) fn absorb(&mut self, share: Share) -> Result<(), BlockError> {
        if share.load.is_some() {
            return Ok(self.state.commit(share.parts)?);
        }
        let (_, reads, classes) = share.parts;
        self.state.absorb_reads(reads);
        self.state.absorb_classes(classes.loaded);
        Ok(())
    }

    /// Forgets what was counted in, and counts these in instead: the first so many of those that were.
    pub(super) fn count_again(&mut self, shares: &[Share]) {
        let mut usage = Usage::new(self.options.capacity.clone());
        // There is room for each: it was added before, after the same ones.
        let loads = shares.iter().filter_map(|share| share.load.as_ref());
        let _all_fit =
            loads.map(|load| usage.try_add(load, &self.env.constants.gas)).all(|added| added.is_ok());
        self.usage = usage;
    }

    /// Loads what closing will read, on many threads. Changes no result.
    pub(super) fn load_ahead(&mut self, pool: &rayon::ThreadPool)
    where
        R: Sync,
    {
        if !self.options.skips_finalization {
            let cells = close::cells(&self.state, &self.env, self.options.collect_prover_reads);
            let values = prefetch::load(&cells, self.state.reader(), pool);
            self.state.keep_ahead(values);
        }
    }

    /// Ends the block; a pool may help. Takes it: no block is closed twice.
    pub(super) fn close(
        self,
        transactions: Vec<TransactionOutcome>,
        end: BlockEnd,
        pool: Option<&rayon::ThreadPool>,
    ) -> Result<BlockOutcome, BlockError> {
        let usage: BlockUsage = self.usage.summary();
        let closing = if self.options.skips_finalization {
            skip_finalization(self.state)
        } else {
            let collects = self.options.collect_prover_reads;
            close(self.state, &self.env, self.usage.migrations(), collects, pool)?
        };
        Ok(BlockOutcome {
            transactions,
            end,
            usage,
            state_diff: closing.state_diff,
            compressed_state_diff: closing.compressed_state_diff,
            initial_reads: closing.initial_reads,
            prover_reads: closing.prover_reads,
        })
    }
}
