//! A watchdog: a run that does not end is named, and ends the process.
//!
//! Input: what each job runs, since when. Output: nothing, or the end of the process. A run cannot be stopped
//! from outside: that it ends is the property under test.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// The longest time that a run may take. Runs have few steps; only a loop within one takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// The run of a job: the program, the engine, the start.
pub type Running = Mutex<Option<(u64, &'static str, Instant)>>;

/// Records the run of a job for as long as it takes.
pub fn noted<T>(running: &Running, program: u64, engine: &'static str, run: impl FnOnce() -> T) -> T {
    let note = |what| *running.lock().expect("no thread panics while it holds the lock") = what;
    note(Some((program, engine, Instant::now())));
    let made = run();
    note(None);
    made
}

/// Watches until the other end of the channel is dropped.
pub fn watch(jobs: &[Running], until: &Receiver<()>) {
    while until.recv_timeout(Duration::from_secs(1)) == Err(RecvTimeoutError::Timeout) {
        for job in jobs {
            let running = *job.lock().expect("no thread panics while it holds the lock");
            if let Some((program, engine, began)) = running.filter(|(.., began)| began.elapsed() > PATIENCE) {
                println!(
                    "program {program} on {engine} has not ended after {:.0?}; again with: --first {program} --programs 1",
                    began.elapsed()
                );
                std::process::exit(1);
            }
        }
    }
}
