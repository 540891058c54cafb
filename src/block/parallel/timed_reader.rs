//! The host's reader with a clock: the time that its reads take.
//!
//! Input: reads by the block's own state, for transactions that execute inline. Output: the same values; the
//! number of reads and an estimate of their time. Reads through the versioned memory are timed by its views.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use crate::parallel::{LOADS_PER_SAMPLE, estimated_load_time};
use crate::state::StateReader;
use crate::state::kind::{FeltKind, reader_methods};
use crate::sync::Instant;

/// A host's reader whose reads are counted, and a sample of them timed.
pub(super) struct TimedReader<'b, R> {
    reader: &'b R,
    loads: Arc<LoadTimes>,
}

/// The number of reads and the nanoseconds of the timed ones.
#[derive(Debug, Default)]
pub(super) struct LoadTimes {
    loads: AtomicU64,
    nanoseconds: AtomicU64,
}

impl LoadTimes {
    /// Returns the number of reads so far.
    pub(super) fn loads(&self) -> u64 {
        self.loads.load(Ordering::Relaxed)
    }

    /// Estimates the nanoseconds that all reads have taken so far.
    pub(super) fn nanoseconds(&self) -> u64 {
        estimated_load_time(self.loads(), self.nanoseconds.load(Ordering::Relaxed))
    }
}

impl<'b, R> TimedReader<'b, R> {
    pub(super) fn new(reader: &'b R) -> Self {
        Self { reader, loads: Arc::default() }
    }

    pub(super) fn load_times(&self) -> Arc<LoadTimes> {
        Arc::clone(&self.loads)
    }

    fn timed<V>(&self, read: impl FnOnce(&R) -> V) -> V {
        let loads = self.loads.loads.fetch_add(1, Ordering::Relaxed);
        let start = loads.is_multiple_of(LOADS_PER_SAMPLE).then(Instant::now);
        let value = read(self.reader);
        if let Some(start) = start {
            self.loads.nanoseconds.fetch_add(start.elapsed_nanoseconds(), Ordering::Relaxed);
        }
        value
    }
}

impl<R: StateReader> StateReader for TimedReader<'_, R> {
    reader_methods! { self,
        Kind(key) => self.timed(|reader| Kind::load(reader, key)),
        Class(class_hash) => self.timed(|reader| reader.class(class_hash))
    }
}
