//! Speed of the two side by side: the same blocks, in the same process, with the same allocator, alternating.
//!
//! Input: the workloads of the crate's own benchmarks, and accounts and tokens of registry packages. Output:
//! tables on standard output. Every block is first compared in all that a caller can see; only then is it
//! timed. Classes are prepared before, and results dropped after.

mod block;
mod blockifier_run;
mod clock;
mod cold_start;
mod engine;
mod parallel;
mod transfers;

use crate::arguments::{BenchArguments, BenchTable};

/// Prints a table; returns `true` if the two agreed on every block.
pub fn bench(arguments: &BenchArguments) -> Result<bool, String> {
    match &arguments.table {
        BenchTable::Engine(arguments) => engine::bench(arguments),
        BenchTable::Parallel(arguments) => parallel::bench(arguments),
    }
}
