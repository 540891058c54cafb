//! Counts of how programs ended.
//!
//! Input: endings, times, panics. Output: tables on standard output, and whether all is well.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::tally::without_digits;

/// Longer than this is an outlier.
const SLOW: Duration = Duration::from_millis(500);

/// Counts.
#[derive(Default)]
pub struct Tally {
    /// Programs made.
    pub programs: u64,
    /// Of them refused when loaded.
    pub refused: u64,
    /// Programs by what they were made from.
    pub origins: BTreeMap<&'static str, u64>,
    /// Invocations by how they ended.
    pub endings: BTreeMap<&'static str, u64>,
    not_compared: BTreeMap<&'static str, u64>,
    cairo_vm_panics: BTreeMap<String, u64>,
    /// Differences between engines.
    pub differences: u64,
    /// Panics of ours.
    pub panics: u64,
    slow: Vec<(Duration, u64, &'static str)>,
    /// Transactions that were the same at blockifier, that were not, that it cannot execute.
    pub blockifier: [u64; 3],
    /// Programs with differences.
    pub saved: usize,
}

impl Tally {
    /// Notes a run that took long.
    pub fn time(&mut self, index: u64, engine: &'static str, time: Duration) {
        if time > SLOW {
            self.slow.push((time, index, engine));
        }
    }

    /// Notes something that could not be compared.
    pub fn not_compared(&mut self, because: &'static str) {
        *self.not_compared.entry(because).or_default() += 1;
    }

    /// Notes a panic inside `cairo-vm`.
    pub fn cairo_vm_panicked(&mut self, panic: &str) {
        *self.cairo_vm_panics.entry(kind(panic)).or_default() += 1;
    }

    /// Prints all counts; returns `true` if nothing differed and nothing of ours panicked.
    pub fn print(&mut self) -> bool {
        println!("\nprograms, by what they were made from");
        for (origin, count) in &self.origins {
            println!("{count:9} {origin}");
        }
        println!("{:9} refused when loaded", self.refused);
        println!("\ncalls and transactions, by how they ended");
        for (ending, count) in &self.endings {
            println!("{count:9} {ending}");
        }
        for (because, count) in &self.not_compared {
            println!("{count:9} not compared, because {because}");
        }
        if !self.cairo_vm_panics.is_empty() {
            println!("\npanics inside cairo-vm, caught");
            for (panic, count) in &self.cairo_vm_panics {
                println!("{count:9} {panic}");
            }
        }
        self.slow.sort_unstable_by(|left, right| right.cmp(left));
        if !self.slow.is_empty() {
            println!("\n{} runs took longer than {SLOW:?}, among them", self.slow.len());
            for (time, index, engine) in self.slow.iter().take(10) {
                println!("    program {index} on {engine}: {time:.1?}");
            }
        }
        let [equal, different, impossible] = self.blockifier;
        if equal + different + impossible > 0 {
            println!(
                "\n{equal} transactions were the same at blockifier, {different} were not, {impossible} it cannot execute"
            );
        }
        println!("\n{} programs, {} differences, {} panics", self.programs, self.differences, self.panics);
        self.differences == 0 && self.panics == 0 && different == 0
    }
}

/// A panic's place and text without what differs from one to the next: folders, and numbers in the text.
fn kind(panic: &str) -> String {
    let (place, text) = panic.split_once(": ").unwrap_or((panic, ""));
    let place = place.rsplit_once("/src/").map_or(place, |(package, _)| {
        let from = package.rfind('/').map_or(0, |slash| slash + 1);
        &place[from..]
    });
    let text: Vec<_> = text.split_whitespace().collect();
    format!("{place}: {}", without_digits(&text.join(" ")))
}
