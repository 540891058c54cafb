//! Who watches that runs end: one that does not is named, and ends the whole.
//!
//! In: what each job runs, since when. Out: nothing, or the end of the process. A run cannot be stopped from outside: that it ends is
//! what is to be shown.

use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

/// Longer than this nobody waits. Runs have few steps; only a loop inside of one takes so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a job runs: the program, the engine, since when.
pub type Running = Mutex<Option<(u64, &'static str, Instant)>>;

/// Notes what a job runs while this runs.
pub fn noted<T>(running: &Running, program: u64, engine: &'static str, run: impl FnOnce() -> T) -> T {
    let note = |what| *running.lock().expect("no thread panics while it holds the lock") = what;
    note(Some((program, engine, Instant::now())));
    let made = run();
    note(None);
    made
}

/// Watches until nobody holds the other end of the channel.
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
