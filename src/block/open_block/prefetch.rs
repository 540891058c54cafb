//! Prefetching: many reads of the host at once.
//!
//! Input: state keys that will be read one after another, threads. Output: their values. Failed reads are
//! left out: the later read fails again, at the place where its error belongs.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::super::attempt::caught;
use crate::state::{StateKey, StateReader, StateSet, StateValue};
use crate::transaction::FatalError;

/// Reads state keys on the calling thread and the threads of a pool.
pub(super) fn load<R: StateReader + Sync>(
    keys: &StateSet<StateKey>,
    reader: &R,
    pool: &rayon::ThreadPool,
) -> Vec<(StateKey, StateValue)> {
    let next = AtomicUsize::new(0);
    let values = Mutex::new(Vec::with_capacity(keys.len()));
    let work = || {
        let mut loaded = Vec::new();
        while let Some(cell) = keys.get_index(next.fetch_add(1, Ordering::Relaxed)) {
            let value = caught(|| Ok::<_, FatalError>(StateValue::load(reader, *cell)));
            if let Ok(Ok(value)) = value {
                loaded.push((*cell, value));
            }
        }
        values.lock().unwrap_or_else(PoisonError::into_inner).append(&mut loaded);
    };
    pool.in_place_scope(|scope| {
        // A fast host has answered everything before the other threads are awake.
        for _ in 0..pool.current_num_threads().min(keys.len().saturating_sub(1)) {
            scope.spawn(|_| work());
        }
        work();
    });
    values.into_inner().unwrap_or_else(PoisonError::into_inner)
}
