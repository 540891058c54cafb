//! A progress bar for long work, if standard error is a terminal.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// The time before a bar appears.
const DELAY: Duration = Duration::from_secs(1);

/// The progress of one piece of work. Dropping it removes the bar.
pub(super) struct Progress {
    what: &'static str,
    start: Instant,
    is_terminal: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, start: Instant::now(), is_terminal: io::stderr().is_terminal(), bar: None }
    }

    /// Shows the progress.
    pub(super) fn show(&mut self, done: usize, total: usize) {
        if !self.is_terminal || self.start.elapsed() < DELAY {
            return;
        }
        let what = self.what;
        let bar = self.bar.get_or_insert_with(|| bar(what));
        // Lengths of memory fit in 64 bits.
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    }

    /// The time since the start of the work.
    pub(super) fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn bar(what: &'static str) -> ProgressBar {
    let style = ProgressStyle::with_template("{msg} [{bar:40}] {pos}/{len} {eta}");
    let style = style.unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style.progress_chars("=> ")).with_message(what)
}
