//! Blocks: an ordered list of transactions executed on one state.
//!
//! In: a [`BlockEnv`](crate::protocol::BlockEnv), the host's reader, transactions. Out: a [`BlockOutcome`] with an outcome for
//! each transaction, the block's state diffs and how full it is. Opening the block (the block-hash contract, C202) and closing it
//! (aliases, migrations) are part of executing it. Knows nothing of how a transaction runs.

mod attempt;
mod capacity;
mod error;
mod executor;
mod open_block;
mod options;
mod outcome;
mod parallel;
mod session;
mod validation;
mod worker_pool;

pub use self::capacity::{
    BlockFull, BlockUsage, Capacity, ClassHashGas, Exceeded, Migration, ProvingPrices, TooLarge, Weight,
    Weights,
};
pub use self::error::BlockError;
pub use self::executor::BlockExecutor;
pub use self::open_block::BlockHashSource;
pub use self::options::{ExecutionOptions, OnInvalid};
pub use self::outcome::{
    BlockEnd, BlockOutcome, SessionOutcome, TransactionDisposition, TransactionOutcome, TransactionStatus,
};
pub use self::session::{
    BlockSession, CancelHandle, CloseError, Progress, Results, SessionOptions, SubmitError, Submitter,
};
pub use self::validation::{Validation, ValidationOptions};
pub use self::worker_pool::{WorkerPool, WorkerPoolError};
pub use crate::parallel::Counters as ParallelCounters;
pub use crate::vm::Engine;
