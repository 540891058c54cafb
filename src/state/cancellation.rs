//! Cancellation of running transactions.
//!
//! Input: a deadline, a cancellation by the host, an abort by the scheduler. Output: a flag that the call
//! stack and the VM poll.

use std::time::Instant;

use crate::sync::{Arc, AtomicBool, Ordering};

/// Cancels the executions of a block: at its deadline, or by [`cancel`](Self::cancel). The default token has
/// no deadline.
#[derive(Debug, Default)]
pub(crate) struct CancellationToken {
    deadline: Option<Instant>,
    is_cancelled: AtomicBool,
}

impl CancellationToken {
    pub(crate) fn until(deadline: Option<Instant>) -> Self {
        Self { deadline, is_cancelled: AtomicBool::new(false) }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }

    /// Returns `true` if the deadline has passed.
    pub(crate) fn is_past_deadline(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Returns `true` if the token was cancelled or its deadline has passed; from then on for ever.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Acquire) || self.is_past_deadline()
    }

    pub(crate) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Release);
    }
}

/// Interrupts one execution. Shared by all clones, which the frames of the execution hold. The default flag
/// is never raised.
#[derive(Clone, Debug, Default)]
pub(crate) struct StopFlag(Option<Arc<Sources>>);

/// The sources of an interruption. One `Arc` per execution, cloned per frame: if frames cloned the token
/// itself, all threads would contend for its reference count.
#[derive(Debug)]
struct Sources {
    aborted: Arc<AtomicBool>,
    token: Arc<CancellationToken>,
}

impl StopFlag {
    /// A flag that is raised when `aborted` is set, which concerns this execution only, or when the block's
    /// token is cancelled. The execution checks the deadline itself; no timer thread does.
    pub(crate) fn new(aborted: Arc<AtomicBool>, token: Arc<CancellationToken>) -> Self {
        Self(Some(Arc::new(Sources { aborted, token })))
    }

    pub(crate) fn is_raised(&self) -> bool {
        let Some(sources) = &self.0 else { return false };
        sources.aborted.load(Ordering::Relaxed) || sources.token.is_cancelled()
    }
}
