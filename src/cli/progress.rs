//! A progress bar for work that takes long, if somebody is looking.

use std::io::{self, IsTerminal};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Work that is done sooner needs no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// Progress of one piece of work. The bar vanishes with it.
pub(super) struct Progress {
    what: &'static str,
    start: Instant,
    is_watched: bool,
    bar: Option<ProgressBar>,
}

impl Progress {
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, start: Instant::now(), is_watched: io::stderr().is_terminal(), bar: None }
    }

    /// Says how much is done.
    pub(super) fn show(&mut self, done: usize, total: usize) {
        if !self.is_watched || self.start.elapsed() < PATIENCE {
            return;
        }
        let what = self.what;
        let bar = self.bar.get_or_insert_with(|| bar(what));
        // Lengths of memory fit in 64 bits.
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    }

    /// How long the work has taken.
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
