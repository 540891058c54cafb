//! Asking the host for many cells at once.
//!
//! In: cells that somebody will read one after another, threads. Out: what the host had to say. What it would
//! not say is left out: whoever reads that cell asks again, and gets the answer in its place.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use super::super::attempt::caught;
use crate::state::{StateKey, StateReader, StateSet, StateValue};
use crate::transaction::FatalError;

/// Loads cells on the calling thread and those of a pool.
pub(super) fn load<R: StateReader + Sync>(
    cells: &StateSet<StateKey>,
    reader: &R,
    pool: &rayon::ThreadPool,
) -> Vec<(StateKey, StateValue)> {
    let next = AtomicUsize::new(0);
    let values = Mutex::new(Vec::with_capacity(cells.len()));
    let work = || {
        let mut loaded = Vec::new();
        while let Some(cell) = cells.get_index(next.fetch_add(1, Ordering::Relaxed)) {
            let value = caught(|| Ok::<_, FatalError>(StateValue::load(reader, *cell)));
            if let Ok(Ok(value)) = value {
                loaded.push((*cell, value));
            }
        }
        values.lock().unwrap_or_else(PoisonError::into_inner).append(&mut loaded);
    };
    pool.in_place_scope(|scope| {
        // A near host has answered everything before others are awake.
        for _ in 0..pool.current_num_threads().min(cells.len().saturating_sub(1)) {
            scope.spawn(|_| work());
        }
        work();
    });
    values.into_inner().unwrap_or_else(PoisonError::into_inner)
}
