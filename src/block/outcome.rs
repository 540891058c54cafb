//! What executing a block gives.

use std::fmt;

use serde::{Deserialize, Serialize};
use starknet_api::transaction::TransactionHash;

use super::capacity::{BlockFull, BlockUsage, TooLarge, Weights};
use crate::protocol::TransactionKind;
use crate::state::{InitialReads, StateDiff};
use crate::transaction::{Execution, InvalidTransaction};

/// An executed block.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockOutcome {
    /// One for each transaction that had its turn, in order. Of a [session](super::BlockSession), those that it had not delivered.
    pub transactions: Vec<TransactionOutcome>,
    /// Why no more transactions had their turn.
    pub end: BlockEnd,
    /// How full the block is, the classes that ran in it, and those of them that moved to the Blake hash.
    pub usage: BlockUsage,
    /// What the block changed against the state before it, opening (C202) and closing (C195, C200) included: the network's state
    /// diff.
    pub state_diff: StateDiff,
    /// The same in terms of aliases, as it is published (C199). `None` in versions without stateful compression, and for a block
    /// that was [left open](super::BlockExecutor::skip_finalization).
    pub compressed_state_diff: Option<StateDiff>,
    /// Every cell that the block read, with its value before the block; reads of rejected transactions included. A state of these
    /// cells alone gives the same outcome again.
    pub initial_reads: InitialReads,
    /// Beyond them what the OS reads to prove the block: nonce and class hash of each contract, compiled class hash of each
    /// class; `declared` is empty. Only [on request](super::BlockExecutor::collect_prover_reads).
    pub prover_reads: Option<InitialReads>,
}

/// Why a block has no more transactions: each reason is an answer of its own.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum BlockEnd {
    /// All had their turn.
    Finished,
    /// This one was rejected, and the block was to stop then: see [`OnInvalid`](super::OnInvalid).
    Invalid {
        /// Its place in the block, from 0.
        index: usize,
    },
    /// This one did not fit in the block any more (C215). It is not in the block, nor are those after it, and the block does not
    /// show that it was tried.
    Full {
        /// Its place among the transactions, from 0.
        index: usize,
        /// Its hash.
        hash: TransactionHash,
        /// Which limits it would have gone beyond.
        reason: Box<BlockFull>,
    },
    /// The [deadline](super::SessionOptions::deadline) came.
    Deadline,
    /// It was [cancelled](super::CancelHandle).
    Cancelled,
}

impl fmt::Display for BlockEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Finished => f.write_str("all transactions had their turn"),
            Self::Invalid { index } => write!(f, "transaction {index} is invalid"),
            Self::Full { index, reason, .. } => write!(f, "transaction {index} did not fit ({reason})"),
            Self::Deadline => f.write_str("the deadline came"),
            Self::Cancelled => f.write_str("it was cancelled"),
        }
    }
}

/// What became of one transaction.
#[derive(Clone, Debug, PartialEq)]
pub struct TransactionOutcome {
    /// Its hash.
    pub hash: TransactionHash,
    /// Its kind.
    pub kind: TransactionKind,
    /// Whether it is in the block.
    pub disposition: TransactionDisposition,
    /// What it added to the weights of the block: what earlier transactions brought is not counted again. Nothing when it is not
    /// in the block.
    pub weights: Weights,
    /// What it changed against the state before it; nothing when it is not in the block.
    pub state_diff: StateDiff,
}

/// Whether a transaction is in the block.
#[derive(Clone, Debug, PartialEq)]
pub enum TransactionDisposition {
    /// It is, succeeded or reverted.
    Executed(Box<Execution>),
    /// It is not.
    Invalid(Box<InvalidTransaction>),
    /// It is not, though it could be executed: no block of this capacity has room for it (C214).
    TooLarge(Box<TooLarge>),
}

impl TransactionOutcome {
    /// Its execution, if it is in the block.
    pub fn execution(&self) -> Option<&Execution> {
        match &self.disposition {
            TransactionDisposition::Executed(execution) => Some(execution),
            TransactionDisposition::Invalid(_) | TransactionDisposition::TooLarge(_) => None,
        }
    }

    /// How it ended.
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

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransactionStatus {
    /// In the block, succeeded.
    Succeeded,
    /// In the block, reverted.
    Reverted,
    /// Not in the block.
    Invalid,
}
