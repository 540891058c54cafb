//! The host's choices about a session.

use std::time::Instant;

use super::super::options::ExecutionOptions;

/// The options of a [`BlockSession`](super::BlockSession). The default has no deadline and an unlimited
/// capacity.
///
/// ```
/// use std::time::{Duration, Instant};
///
/// use starkiln::block::{Capacity, ExecutionOptions, SessionOptions};
///
/// let execution = ExecutionOptions::default().capacity(Capacity::mainnet());
/// let options = SessionOptions::from(execution).deadline(Instant::now() + Duration::from_secs(2));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionOptions {
    /// The options of execution, the same as those of a [`BlockExecutor`](super::super::BlockExecutor).
    pub execution: ExecutionOptions,
    /// The time at which the block ends. A transaction that is running then is not part of the block.
    pub deadline: Option<Instant>,
    /// The maximum number of results that may wait to be taken from
    /// [`BlockSession::results`](super::BlockSession::results); 256 by default, and at least 1. While that
    /// many wait, nothing is committed and no thread is busy. Without effect in a session with a callback,
    /// which delays commits for as long as it runs.
    pub undelivered: usize,
    /// If `true`, threads that wait for a result or for the end of the session execute transactions
    /// meanwhile; a result may then be seen later by as long as a transaction takes. They always do if the
    /// pool has no threads of its own, or if the waiting thread is one of the pool's.
    pub waiting_threads_work: bool,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            execution: ExecutionOptions::default(),
            deadline: None,
            undelivered: 256,
            waiting_threads_work: false,
        }
    }
}

impl From<ExecutionOptions> for SessionOptions {
    fn from(execution: ExecutionOptions) -> Self {
        Self { execution, ..Self::default() }
    }
}

impl SessionOptions {
    /// Sets the time at which the block ends.
    #[must_use]
    pub fn deadline(self, deadline: Instant) -> Self {
        Self { deadline: Some(deadline), ..self }
    }

    /// Sets the maximum number of results that may wait to be taken.
    #[must_use]
    pub fn undelivered(self, undelivered: usize) -> Self {
        Self { undelivered, ..self }
    }

    /// Sets whether waiting threads execute transactions.
    #[must_use]
    pub fn waiting_threads_work(self, waiting_threads_work: bool) -> Self {
        Self { waiting_threads_work, ..self }
    }
}
