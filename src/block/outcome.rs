//! The results of a block and of its transactions.
//!
//! Input: filled by `open_block`, `attempt` and `session`. Output: data for the host, with JSON in both
//! directions.

use std::fmt;

use serde::{Deserialize, Serialize};
use starknet_api::core::ClassHash;
use starknet_api::transaction::TransactionHash;

use super::capacity::{BlockFull, BlockUsage, TooLarge, Weights};
use crate::class::ContractClass;
use crate::protocol::TransactionKind;
use crate::state::{InitialReads, StateDiff, StateMap};
use crate::transaction::{Execution, InvalidTransaction};

/// An executed block.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct BlockOutcome {
    /// The outcomes of all transactions that were processed, in order: those of the block and the rejected
    /// ones.
    pub transactions: Vec<TransactionOutcome>,
    /// The reason why no more transactions were processed.
    pub end: BlockEnd,
    /// The weights of the block, the classes that ran in it, and those of them that migrated to the Blake
    /// hash.
    pub usage: BlockUsage,
    /// The state diff of the block against the state before it, opening ([C202](crate::rules#c202)) and
    /// closing ([C195](crate::rules#c195), [C200](crate::rules#c200)) included.
    pub state_diff: StateDiff,
    /// The state diff in terms of aliases, as it is published ([C199](crate::rules#c199)). `None` in versions
    /// without stateful compression, and without [finalization](super::ExecutionOptions::finalize).
    pub compressed_state_diff: Option<StateDiff>,
    /// Every state key that the block read, with its value before the block; reads of rejected transactions
    /// included. A state of these alone gives the same outcome again.
    pub initial_reads: InitialReads,
    /// The keys that the OS reads besides to prove the block: nonce and class hash of each contract, compiled
    /// class hash of each class; `declared` is empty. `None` unless
    /// [requested](super::ExecutionOptions::collect_prover_reads).
    pub prover_reads: Option<InitialReads>,
    /// The classes that the block declared, ascending: with the state diff what
    /// [`MemoryState::apply`](crate::state::MemoryState::apply) takes. Not part of the JSON, and empty after
    /// reading it: a compiled class has no JSON form, and the host has the class from its transaction.
    #[serde(skip)]
    pub declared_classes: StateMap<ClassHash, ContractClass>,
}

/// The block of a [session](super::BlockSession), which delivered outcomes of its transactions while it was
/// open.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct SessionOutcome {
    /// The outcomes that were not delivered before, in order.
    pub undelivered: Vec<TransactionOutcome>,
    /// See [`BlockOutcome::end`].
    pub end: BlockEnd,
    /// See [`BlockOutcome::usage`].
    pub usage: BlockUsage,
    /// See [`BlockOutcome::state_diff`].
    pub state_diff: StateDiff,
    /// See [`BlockOutcome::compressed_state_diff`].
    pub compressed_state_diff: Option<StateDiff>,
    /// See [`BlockOutcome::initial_reads`].
    pub initial_reads: InitialReads,
    /// See [`BlockOutcome::prover_reads`].
    pub prover_reads: Option<InitialReads>,
    /// See [`BlockOutcome::declared_classes`].
    #[serde(skip)]
    pub declared_classes: StateMap<ClassHash, ContractClass>,
}

impl SessionOutcome {
    /// Returns the outcome that an executor would have given, from the outcomes that the session delivered.
    pub fn into_block_outcome(self, delivered: impl IntoIterator<Item = TransactionOutcome>) -> BlockOutcome {
        BlockOutcome {
            transactions: delivered.into_iter().chain(self.undelivered).collect(),
            end: self.end,
            usage: self.usage,
            state_diff: self.state_diff,
            compressed_state_diff: self.compressed_state_diff,
            initial_reads: self.initial_reads,
            prover_reads: self.prover_reads,
            declared_classes: self.declared_classes,
        }
    }

    /// Takes an outcome whose transactions are those that were not delivered.
    pub(super) fn of_undelivered(block: BlockOutcome) -> Self {
        Self {
            undelivered: block.transactions,
            end: block.end,
            usage: block.usage,
            state_diff: block.state_diff,
            compressed_state_diff: block.compressed_state_diff,
            initial_reads: block.initial_reads,
            prover_reads: block.prover_reads,
            declared_classes: block.declared_classes,
        }
    }
}

/// The reason why a block has no more transactions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BlockEnd {
    /// All transactions were processed.
    Finished,
    /// A transaction was rejected, which ends a block with [`OnInvalid::Stop`](super::OnInvalid::Stop).
    Invalid {
        /// The transaction's index, from 0.
        index: usize,
    },
    /// A transaction did not fit in the block any more ([C215](crate::rules#c215)). Neither it nor those
    /// after it are part of the block, and nothing in the block shows that it was tried.
    Full {
        /// The transaction's index, from 0.
        index: usize,
        /// The transaction's hash.
        hash: TransactionHash,
        /// The limits that the transaction would have exceeded.
        reason: Box<BlockFull>,
    },
    /// The [deadline](super::SessionOptions::deadline) passed.
    Deadline,
    /// The host [cancelled](super::CancelHandle) the session.
    Cancelled,
}

impl fmt::Display for BlockEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("all transactions were processed"),
            Self::Invalid { index } => write!(f, "transaction {index} is invalid"),
            Self::Full { index, reason, .. } => write!(f, "transaction {index} did not fit ({reason})"),
            Self::Deadline => f.write_str("the deadline passed"),
            Self::Cancelled => f.write_str("it was cancelled"),
        }
    }
}

/// The outcome of one transaction.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TransactionOutcome {
    /// The transaction's hash.
    pub hash: TransactionHash,
    /// The transaction's kind.
    pub kind: TransactionKind,
    /// The ending of the transaction, with its execution or the reason of its rejection.
    pub disposition: TransactionDisposition,
    /// The weights that the transaction added to the block: keys and classes that earlier transactions paid
    /// for are not counted again. Zero if it was rejected.
    pub weights: Weights,
    /// The state diff of the transaction against the state before it. Empty if it was rejected.
    pub state_diff: StateDiff,
}

/// The ending of a transaction: part of the block, or rejected.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionDisposition {
    /// The transaction is part of the block; it succeeded or was reverted.
    Executed(Box<Execution>),
    /// The transaction is invalid and not part of the block.
    Invalid(Box<InvalidTransaction>),
    /// The transaction could be executed, but does not fit in any block of this capacity
    /// ([C214](crate::rules#c214)).
    TooLarge(Box<TooLarge>),
}

impl TransactionOutcome {
    /// Returns the execution, or `None` if the transaction was rejected.
    pub fn execution(&self) -> Option<&Execution> {
        match &self.disposition {
            TransactionDisposition::Executed(execution) => Some(execution),
            TransactionDisposition::Invalid(_) | TransactionDisposition::TooLarge(_) => None,
        }
    }

    /// Returns the status, without the details.
    pub fn status(&self) -> TransactionStatus {
        match &self.disposition {
            TransactionDisposition::Executed(execution) if execution.is_reverted() => {
                TransactionStatus::Reverted
            }
            TransactionDisposition::Executed(_) => TransactionStatus::Succeeded,
            TransactionDisposition::Invalid(_) | TransactionDisposition::TooLarge(_) => {
                TransactionStatus::Invalid
            }
        }
    }
}

/// The status of a processed transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionStatus {
    /// Part of the block, succeeded.
    Succeeded,
    /// Part of the block, reverted.
    Reverted,
    /// Not part of the block.
    Invalid,
}
