//! Blocks: an ordered list of transactions executed on one state.
//!
//! In: a [`BlockEnv`](crate::protocol::BlockEnv), the host's reader, transactions. Out: a [`BlockOutcome`] with an outcome for
//! each transaction and the block's state diff. Opening the block (the block-hash contract, C202) is part of executing it. Knows
//! nothing of how a transaction runs.

mod attempt;
mod executor;
mod open;
mod outcome;
mod parallel;
mod pool;
mod speculation;
mod under_way;

pub use self::executor::{BlockExecutor, OnInvalid};
pub use self::open::OldBlock;
pub use self::pool::{Pool, PoolError};
pub use crate::parallel::Counters as ParallelCounters;
pub use self::outcome::{BlockError, BlockOutcome, TransactionOutcome, TransactionResult, TransactionStatus};
