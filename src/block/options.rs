//! The host's choices about the execution of a block, the same for an executor and a session.
//!
//! Input: the host's configuration. Output: [`ExecutionOptions`], which every part of `block` reads.

use serde::{Deserialize, Serialize};

use super::capacity::Capacity;
use super::open_block::BlockHashSource;
use crate::protocol::BlockEnv;
use crate::transaction::ExecutionContext;
use crate::vm::{Engine, VmOptions};

/// The options of block execution.
///
/// ```
/// use starkiln::block::{Capacity, ExecutionOptions, OnInvalid};
///
/// let options = ExecutionOptions::default()
///     .capacity(Capacity::mainnet())
///     .on_invalid(OnInvalid::Stop)
///     .keep_reverted_calls();
/// assert!(options.finalize && options.keep_reverted_calls);
///
/// // All of them can stand in a configuration file; what is missing there has its default.
/// let configured: ExecutionOptions = serde_json::from_str(r#"{ "on_invalid": "stop" }"#)?;
/// assert_eq!(configured, ExecutionOptions::default().on_invalid(OnInvalid::Stop));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct ExecutionOptions {
    /// The source of the hash of block N-10. Blocks from number 10 on require one.
    pub block_hash_source: BlockHashSource,
    /// The capacity of the block. Unlimited by default: re-execution must not cut another's block.
    pub capacity: Capacity,
    /// The reaction to a transaction that is invalid, or too large for any block.
    pub on_invalid: OnInvalid,
    /// If `true`, the call trees of reverted executions are kept, for traces.
    pub keep_reverted_calls: bool,
    /// If `true`, closing the block collects
    /// [`BlockOutcome::prover_reads`](super::BlockOutcome::prover_reads), which costs reads that execution
    /// does not need.
    pub collect_prover_reads: bool,
    /// If `true`, the default, closing the block allocates aliases and migrates compiled class hashes. If
    /// `false`, neither happens, nor do migrations count towards the weights: for transactions that are
    /// simulated or traced and will not be a block.
    pub finalize: bool,
    /// The virtual machine. It changes how long execution takes, never a result.
    pub engine: Engine,
    /// The limit of the memory that the calls of a transaction may hold at a time, in bytes; 2 GiB by
    /// default. A transaction that needs more fails with
    /// [`OutOfMemory`](crate::transaction::FatalError::OutOfMemory) and is never reverted: the protocol has
    /// no such limit. Frames that run on `cairo-vm` are not limited.
    pub memory_limit: usize,
}

/// The reaction of a block to an invalid transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnInvalid {
    /// Reports the transaction and executes the following ones, as a block builder does.
    #[default]
    Continue,
    /// Reports the transaction and ends the block, as re-execution does.
    Stop,
}

impl Default for ExecutionOptions {
    fn default() -> Self {
        let VmOptions { engine, memory_limit } = VmOptions::default();
        Self {
            block_hash_source: BlockHashSource::default(),
            capacity: Capacity::default(),
            on_invalid: OnInvalid::default(),
            keep_reverted_calls: false,
            collect_prover_reads: false,
            finalize: true,
            engine,
            memory_limit,
        }
    }
}

impl ExecutionOptions {
    /// Sets the source of the hash of block N-10.
    #[must_use]
    pub fn block_hash_source(self, block_hash_source: BlockHashSource) -> Self {
        Self { block_hash_source, ..self }
    }

    /// Sets the capacity of the block.
    #[must_use]
    pub fn capacity(self, capacity: Capacity) -> Self {
        Self { capacity, ..self }
    }

    /// Sets the reaction to an invalid transaction.
    #[must_use]
    pub fn on_invalid(self, on_invalid: OnInvalid) -> Self {
        Self { on_invalid, ..self }
    }

    /// Keeps the call trees of reverted executions.
    #[must_use]
    pub fn keep_reverted_calls(self) -> Self {
        Self { keep_reverted_calls: true, ..self }
    }

    /// Collects what a prover reads.
    #[must_use]
    pub fn collect_prover_reads(self) -> Self {
        Self { collect_prover_reads: true, ..self }
    }

    /// Closes the block without aliases and migrations.
    #[must_use]
    pub fn skip_finalization(self) -> Self {
        Self { finalize: false, ..self }
    }

    /// Sets the virtual machine.
    #[must_use]
    pub fn engine(self, engine: Engine) -> Self {
        Self { engine, ..self }
    }

    /// Sets the memory limit of a transaction, in bytes.
    #[must_use]
    pub fn memory_limit(self, bytes: usize) -> Self {
        Self { memory_limit: bytes, ..self }
    }

    /// Returns the context in which the transactions of a block are executed.
    pub(super) fn context<'a>(&self, env: &'a BlockEnv) -> ExecutionContext<'a> {
        ExecutionContext { env, vm: VmOptions { engine: self.engine, memory_limit: self.memory_limit } }
    }
}
