//! A flag that tells a running transaction to stop.
//!
//! In: raised by whoever knows that the execution is of no use any more. Out: looked at by the call stack and the engine.

use crate::sync::{Arc, AtomicBool, Ordering};

/// Raised once, seen by all clones. The default one is never raised.
#[derive(Clone, Debug, Default)]
pub(crate) struct StopFlag(Option<Arc<AtomicBool>>);

impl StopFlag {
    /// Raised when `flag` is set.
    pub(crate) fn new(flag: Arc<AtomicBool>) -> Self {
        Self(Some(flag))
    }

    pub(crate) fn is_raised(&self) -> bool {
        self.0.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed))
    }
}
