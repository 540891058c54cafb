//! Blocks: an ordered list of transactions executed on one state.
//!
//! Input: a [`BlockEnv`](crate::protocol::BlockEnv), the host's reader, transactions. Output: a
//! [`BlockOutcome`] with the outcome of each transaction, the block's state diff and its weights. Opening the
//! block (the hash of block N-10, [C202](crate::rules#c202)) and closing it (aliases, migrations) are part of
//! its execution. Does not know how a transaction runs.
//!
//! `open_block` is the one place where a transaction becomes part of a block. [`BlockExecutor`] drives it
//! with a complete list of transactions, [`BlockSession`] with a stream of them; `attempt` executes one
//! transaction, `parallel` many at once.

mod attempt;
mod capacity;
mod commit;
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
pub use crate::parallel::ParallelStats;
pub use crate::vm::Engine;
