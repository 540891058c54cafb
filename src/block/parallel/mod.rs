//! Transactions of a block as tasks of [`parallel`](crate::parallel): on many threads, with the bytes of
//! sequential execution.
//!
//! Input: the block's environment, the host's reader, transactions, threads. Output: finished attempts,
//! committed in block order by the commit decision that sequential execution uses as well (`block::commit`).
//! Must not know: what the phases of a transaction do.
//!
//! # Definitions
//!
//! * A transaction in flight is [`Unpaid`](in_flight::Unpaid) after validation and execution,
//!   [`Charged`](in_flight::Charged) after a speculative fee transfer, and an
//!   [`Attempt`](super::attempt::Attempt) when nothing remains but the commit: one type for each state.
//! * The *execution* is admission, `__validate__` and `__execute__`; its read set is validated at the commit.
//!   The *fee phase* is the fee transfer, with a read set of its own.
//! * The *fee cells* are the sequencer's balances in the two fee tokens: see
//!   [`FeeCells`](speculative_reader::FeeCells).
//! * A [`ValidatedPrefix`](in_flight::ValidatedPrefix) is the state of an aborted incarnation after
//!   `__validate__`.
//!
//! # Invariants
//!
//! * Only the committer changes the block. An attempt that is committed has read committed values.
//! * The result of an interrupted execution is discarded, its errors included: a reader that was interrupted
//!   gives errors that the state does not have. So is the failure of a speculative incarnation, which may
//!   have read a state that never exists; the transaction runs again in commit order.
//! * A panic is caught where it occurs. State that it may have left inconsistent is dropped.
//!
//! # Operations
//!
//! A transaction of a sender waits for the fee phase of the sender's previous one, which it depends on by
//! nonce and balance. After a conflict in the execution, `__validate__` (the signature) is not run again if
//! it has read the same values. After a conflict in the fee phase, only the fee transfer is. A transaction
//! that nothing can run in parallel with executes inline on the block's own state.

mod batch;
mod in_flight;
mod speculative_reader;
mod task;
mod timed_reader;
mod transaction_list;

pub(super) use self::batch::{Order, execute};
pub(super) use self::task::BlockTask;
pub(super) use self::transaction_list::{TransactionList, TransactionRef};

use crate::parallel::ParallelConfig;

/// The number of transactions after the last commit that may be executed; bounds the results held in memory.
const WINDOW: usize = 256;

/// The number of shards of the versioned memory.
const SHARDS: usize = 64;

/// Up to this number of threads, fee transfers run at the commits: the committing thread has the time, since
/// a transfer is the smaller part of even the cheapest transaction.
const MAX_THREADS_WITH_SERIAL_FEES: usize = 4;

/// Returns the configuration for a number of helper threads, with or without a main thread.
pub(super) fn config(helpers: usize, has_main: bool) -> ParallelConfig {
    let threads = helpers.saturating_add(usize::from(has_main));
    let speculates_fees = threads > MAX_THREADS_WITH_SERIAL_FEES;
    ParallelConfig { helpers, window: WINDOW, shards: SHARDS, has_main, speculates_fees }
}
