//! The measurement of work on each engine, and the lines of the table.
//!
//! The alternatives that a line compares are measured alternately, so that other load on the machine slows
//! all of them.

use std::time::{Duration, Instant};

use starkiln::block::Engine;

use super::arguments;

/// The duration for which a line is measured.
const DURATION: Duration = Duration::from_millis(800);

/// The minimum and maximum number of measurements.
const ROUNDS: std::ops::Range<usize> = 5..5_000;

/// The engines of the table, in the order of its columns.
const ENGINES: [Engine; 2] = [Engine::Fast, Engine::CairoVm];

/// The median and the minimum of measured times, in nanoseconds.
#[derive(Clone, Copy)]
pub(crate) struct Time {
    median: f64,
    minimum: f64,
}

impl Time {
    fn of(times: Vec<f64>) -> Self {
        Self { median: median(times.clone()), minimum: minimum(&times) }
    }

    /// The difference of two alternately measured times: the median of the differences, and the difference of
    /// the minima.
    fn difference(times: &[f64], baseline: &[f64]) -> Self {
        let differences = times.iter().zip(baseline).map(|(time, baseline)| time - baseline).collect();
        Self { median: median(differences), minimum: minimum(times) - minimum(baseline) }
    }

    /// The time divided by `n`.
    pub(crate) fn per(self, n: u64) -> Self {
        Self { median: self.median / n as f64, minimum: self.minimum / n as f64 }
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

fn minimum(times: &[f64]) -> f64 {
    times.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The measured engines: without `cairo-vm` if the second argument is `fast`.
fn engines() -> &'static [Engine] {
    if arguments().get(1).is_some_and(|argument| argument == "fast") { &ENGINES[..1] } else { &ENGINES }
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e9
}

/// The times of `n` alternatives, measured alternately.
fn alternately(n: usize, mut work: impl FnMut(usize) -> f64) -> Vec<Vec<f64>> {
    let mut times = vec![Vec::new(); n];
    let start = Instant::now();
    while times[0].len() < ROUNDS.start || (start.elapsed() < DURATION && times[0].len() < ROUNDS.end) {
        for (index, times) in times.iter_mut().enumerate() {
            times.push(work(index));
        }
    }
    times
}

/// The time of `work` on each engine.
pub(crate) fn on_engines(mut work: impl FnMut(Engine)) -> Vec<Time> {
    on_engines_timed(|engine| timed(|| work(engine)))
}

/// The time of `work` on each engine, as `work` reports it, in nanoseconds.
pub(crate) fn on_engines_timed(mut work: impl FnMut(Engine) -> f64) -> Vec<Time> {
    alternately(engines().len(), |index| work(engines()[index])).into_iter().map(Time::of).collect()
}

/// The time of the first work minus the time of the second, on each engine.
pub(crate) fn difference(mut work: [&mut dyn FnMut(Engine); 2]) -> Vec<Time> {
    let times = alternately(2 * engines().len(), |index| timed(|| work[index % 2](engines()[index / 2])));
    times.chunks_exact(2).map(|times| Time::difference(&times[0], &times[1])).collect()
}

/// The time of work that does not depend on the engine.
pub(crate) fn on_any_engine(mut work: impl FnMut()) -> Vec<Time> {
    alternately(1, |_| timed(&mut work)).into_iter().map(Time::of).collect()
}

/// The unit of a line.
#[derive(Clone, Copy)]
pub(crate) enum Unit {
    Nanoseconds,
    Microseconds,
}

pub(crate) fn heading() {
    println!(
        "{:<56} {:>12} {:>12} {:<4} {:>9} {:>9}",
        "medians", "fast", "cairo-vm", "", "ratio", "of minima"
    );
}

pub(crate) fn section(name: &str) {
    println!("\n{name}");
}

/// Prints a line: the medians of both engines and the ratios of medians and minima; or the only measured
/// time.
pub(crate) fn line(what: &str, unit: Unit, times: &[Time]) {
    let (scale, unit) = match unit {
        Unit::Nanoseconds => (1.0, "ns"),
        Unit::Microseconds => (1e3, "us"),
    };
    match times {
        [fast, cairo_vm] => println!(
            "{what:<56} {:>12.1} {:>12.1} {unit:<4} {:>8.1}x {:>8.1}x",
            fast.median / scale,
            cairo_vm.median / scale,
            cairo_vm.median / fast.median,
            cairo_vm.minimum / fast.minimum,
        ),
        times => times.iter().for_each(|time| {
            println!("{what:<56} {:>12.1} {:>12} {unit:<4}", time.median / scale, "");
        }),
    }
}

/// Prints a line of counts, which are the same in every run.
pub(crate) fn count(what: &str, unit: &str, of: impl Fn(Engine) -> u64) {
    let counts: Vec<String> = engines().iter().map(|engine| of(*engine).to_string()).collect();
    let cairo_vm = counts.get(1).map_or("", String::as_str);
    println!("{what:<56} {:>12} {cairo_vm:>12} {unit}", counts[0]);
}

/// Prints a line of rates per second.
pub(crate) fn rate(what: &str, unit: &str, times: &[Time]) {
    let rates: Vec<String> = times.iter().map(|time| format!("{:.0}", 1e9 / time.median)).collect();
    let cairo_vm = rates.get(1).map_or("", String::as_str);
    println!("{what:<56} {:>12} {cairo_vm:>12} {unit}", rates[0]);
}
