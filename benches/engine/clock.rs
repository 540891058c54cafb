//! What work costs on each engine, and the lines of the table.
//!
//! All that a line compares takes turns, so that a busy machine slows every side of it.

use std::time::{Duration, Instant};

use starkiln::block::Engine;

use super::words;

/// How long a line is measured.
const LONG_ENOUGH: Duration = Duration::from_millis(800);

/// Turns at the least, and at the most.
const TURNS: std::ops::Range<usize> = 5..5_000;

/// Both engines, ours first.
const ENGINES: [Engine; 2] = [Engine::Fast, Engine::CairoVm];

/// A median and a shortest time, in nanoseconds.
#[derive(Clone, Copy)]
pub(crate) struct Time {
    median: f64,
    least: f64,
}

impl Time {
    fn of(times: Vec<f64>) -> Self {
        Self { median: median(times.clone()), least: least(&times) }
    }

    /// What one took beyond the other, which took turns with it: the median of what it took more in a turn.
    fn beyond(more: &[f64], less: &[f64]) -> Self {
        let differences = more.iter().zip(less).map(|(more, less)| more - less).collect();
        Self { median: median(differences), least: least(more) - least(less) }
    }

    /// The share of one of so many.
    pub(crate) fn each(self, count: u64) -> Self {
        Self { median: self.median / count as f64, least: self.least / count as f64 }
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_unstable_by(f64::total_cmp);
    times[times.len() / 2]
}

fn least(times: &[f64]) -> f64 {
    times.iter().copied().fold(f64::INFINITY, f64::min)
}

/// The engines that are measured: without `cairo-vm` if the second word is `fast`.
fn engines() -> &'static [Engine] {
    if words().get(1).is_some_and(|word| word == "fast") { &ENGINES[..1] } else { &ENGINES }
}

fn timed(work: impl FnOnce()) -> f64 {
    let start = Instant::now();
    work();
    start.elapsed().as_secs_f64() * 1e9
}

/// The times of `sides` pieces of work, which take turns.
fn in_turns(sides: usize, mut work: impl FnMut(usize) -> f64) -> Vec<Vec<f64>> {
    let mut times = vec![Vec::new(); sides];
    let start = Instant::now();
    while times[0].len() < TURNS.start || (start.elapsed() < LONG_ENOUGH && times[0].len() < TURNS.end) {
        for (side, times) in times.iter_mut().enumerate() {
            times.push(work(side));
        }
    }
    times
}

/// What `work` takes on each engine.
pub(crate) fn on_engines(mut work: impl FnMut(Engine)) -> Vec<Time> {
    on_engines_timed(|engine| timed(|| work(engine)))
}

/// The same where the work takes its time itself.
pub(crate) fn on_engines_timed(mut work: impl FnMut(Engine) -> f64) -> Vec<Time> {
    in_turns(engines().len(), |side| work(engines()[side])).into_iter().map(Time::of).collect()
}

/// What the first of two pieces of work takes beyond the second, on each engine.
pub(crate) fn beyond(mut work: [&mut dyn FnMut(Engine); 2]) -> Vec<Time> {
    let times = in_turns(2 * engines().len(), |side| timed(|| work[side % 2](engines()[side / 2])));
    times.chunks_exact(2).map(|times| Time::beyond(&times[0], &times[1])).collect()
}

/// What takes the same whatever the engine.
pub(crate) fn on_any_engine(mut work: impl FnMut()) -> Vec<Time> {
    in_turns(1, |_| timed(&mut work)).into_iter().map(Time::of).collect()
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

/// A line: ours, `cairo-vm`'s, the ratio of the medians and that of the shortest times; or the one time that there is.
pub(crate) fn line(what: &str, unit: Unit, times: &[Time]) {
    let (scale, unit) = match unit {
        Unit::Nanoseconds => (1.0, "ns"),
        Unit::Microseconds => (1e3, "us"),
    };
    match times {
        [fast, judge] => println!(
            "{what:<56} {:>12.1} {:>12.1} {unit:<4} {:>8.1}x {:>8.1}x",
            fast.median / scale,
            judge.median / scale,
            judge.median / fast.median,
            judge.least / fast.least,
        ),
        times => times.iter().for_each(|time| {
            println!("{what:<56} {:>12.1} {:>12} {unit:<4}", time.median / scale, "");
        }),
    }
}

/// A line of numbers that are the same in every run.
pub(crate) fn count(what: &str, unit: &str, of: impl Fn(Engine) -> u64) {
    let counts: Vec<String> = engines().iter().map(|engine| of(*engine).to_string()).collect();
    let judge = counts.get(1).map_or("", String::as_str);
    println!("{what:<56} {:>12} {judge:>12} {unit}", counts[0]);
}

/// So many a second.
pub(crate) fn rate(what: &str, unit: &str, times: &[Time]) {
    let rates: Vec<String> = times.iter().map(|time| format!("{:.0}", 1e9 / time.median)).collect();
    let judge = rates.get(1).map_or("", String::as_str);
    println!("{what:<56} {:>12} {judge:>12} {unit}", rates[0]);
}
