//! Times of runs, and their medians.
//!
//! Input: things to run. Output: medians with their spread. Knows nothing of what runs.

use std::fs;
use std::time::Instant;

/// The time of a run.
#[derive(Clone, Copy, Debug, Default)]
pub struct Time {
    /// Wall-clock time, in seconds.
    pub seconds: f64,
    /// Processor time of all threads, in seconds.
    pub processor: f64,
}

impl Time {
    /// The time of a closure. Its result is dropped afterwards.
    pub fn of<T>(run: impl FnOnce() -> T) -> (T, Self) {
        let (processor, began) = (processor_time(), Instant::now());
        let made = run();
        let seconds = began.elapsed().as_secs_f64();
        (made, Self { seconds, processor: processor_time() - processor })
    }
}

/// Processor time of all threads that live now, in seconds: pools keep theirs.
fn processor_time() -> f64 {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let nanoseconds = tasks.filter_map(|task| {
        // The thread may have ended since.
        let text = fs::read_to_string(task.path().join("schedstat")).ok()?;
        text.split_whitespace().next()?.parse::<f64>().ok()
    });
    nanoseconds.sum::<f64>() / 1e9
}

/// Several runs of the same thing.
#[derive(Clone, Debug, Default)]
pub struct Times(Vec<Time>);

impl Times {
    /// One more.
    pub fn add(&mut self, time: Time) {
        self.0.push(time);
    }

    /// The median by the clock on the wall.
    pub fn seconds(&self) -> f64 {
        median(self.0.iter().map(|time| time.seconds).collect())
    }

    /// The median of processor time.
    pub fn processor(&self) -> f64 {
        median(self.0.iter().map(|time| time.processor).collect())
    }

    /// Half of the range, in percent of the median.
    pub fn spread(&self) -> f64 {
        let seconds = || self.0.iter().map(|time| time.seconds);
        let (least, most) = (seconds().fold(f64::INFINITY, f64::min), seconds().fold(0.0, f64::max));
        50.0 * (most - least) / self.seconds()
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let (low, high) = (values.get(values.len().saturating_sub(1) / 2), values.get(values.len() / 2));
    low.zip(high).map_or(f64::NAN, |(low, high)| (low + high) / 2.0)
}

/// Runs all of them in turn, so often; the times of each.
pub fn in_turn<const N: usize>(runs: usize, mut all: [&mut dyn FnMut() -> Time; N]) -> [Times; N] {
    let mut times = [const { Times(Vec::new()) }; N];
    for _ in 0..runs {
        for (run, times) in all.iter_mut().zip(&mut times) {
            times.add(run());
        }
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_median_has_as_many_below_as_above() {
        let times = |seconds: &[f64]| {
            Times(seconds.iter().map(|seconds| Time { seconds: *seconds, processor: 0.0 }).collect())
        };
        assert_eq!(times(&[3.0, 1.0, 2.0]).seconds(), 2.0);
        assert_eq!(times(&[4.0, 1.0, 2.0, 3.0]).seconds(), 2.5);
        assert_eq!(times(&[1.0, 2.0, 3.0]).spread(), 50.0);
        assert!(Times::default().seconds().is_nan());
    }

    #[test]
    fn work_of_other_threads_counts_as_long_as_they_live() {
        let (give, take) = std::sync::mpsc::channel::<()>();
        let (done, wait) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            take.recv().expect("the start signal is sent");
            let began = Instant::now();
            while began.elapsed().as_millis() < 30 {}
            done.send(()).expect("it is waited for");
            take.recv().expect_err("it is never told again");
        });
        let ((), time) = Time::of(|| {
            give.send(()).expect("it waits");
            wait.recv().expect("it ends");
        });
        drop(give);
        thread.join().expect("it ends");
        assert!(time.processor > 0.005 && time.seconds >= 0.03, "{time:?}");
    }
}
