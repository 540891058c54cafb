//! When a running transaction has to stop.
//!
//! In: raised by whoever knows that the execution is of no use any more. Out: looked at by the call stack and the engine.

use std::time::Instant;

use crate::sync::{Arc, AtomicBool, Ordering};

/// How long the executions of a block may go on: until a deadline, if there is one, or until somebody ends it. The default one
/// goes on for ever.
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

    /// Whether the deadline has passed.
    pub(crate) fn is_past_deadline(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() >= deadline)
    }

    /// Whether it was ended or the deadline has passed. Once over it stays over.
    pub(crate) fn is_cancelled(&self) -> bool {
        self.is_cancelled.load(Ordering::Acquire) || self.is_past_deadline()
    }

    pub(crate) fn cancel(&self) {
        self.is_cancelled.store(true, Ordering::Release);
    }
}

/// Raised once, seen by all clones. The default one is never raised.
#[derive(Clone, Debug, Default)]
pub(crate) struct StopFlag(Option<Arc<Reasons>>);

/// What raises it. Every frame has a clone of the flag, and of these there is one for each execution: clones of the term itself
/// would have all threads write to its count.
#[derive(Debug)]
struct Reasons {
    flag: Arc<AtomicBool>,
    term: Arc<CancellationToken>,
}

impl StopFlag {
    /// Raised when `flag` is set, for this execution alone, or when the block's term is over: nobody has to watch the clock, a
    /// running transaction does it itself.
    pub(crate) fn new(flag: Arc<AtomicBool>, term: Arc<CancellationToken>) -> Self {
        Self(Some(Arc::new(Reasons { flag, term })))
    }

    pub(crate) fn is_raised(&self) -> bool {
        let is_one_there =
            |reasons: &Arc<Reasons>| reasons.flag.load(Ordering::Relaxed) || reasons.term.is_cancelled();
        self.0.as_ref().is_some_and(is_one_there)
    }
}
