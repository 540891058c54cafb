//! Output to terminals: standard output that may be closed early, colours if they are supported, errors.

use std::error::Error;
use std::io::{self, BufWriter, ErrorKind, IsTerminal, StdoutLock, Write};

/// Standard output. If its reader closes it (as `head` does), the remainder is dropped silently.
pub(super) struct Output {
    out: BufWriter<StdoutLock<'static>>,
    is_closed: bool,
    is_coloured: bool,
}

/// Colours of a terminal.
#[derive(Clone, Copy, Debug)]
pub(super) enum Colour {
    Red,
    Green,
    Yellow,
    Grey,
}

impl Output {
    pub(super) fn new() -> Self {
        let stdout = io::stdout();
        let is_coloured = stdout.is_terminal() && wants_colours();
        Self { out: BufWriter::new(stdout.lock()), is_closed: false, is_coloured }
    }

    /// Prints a line.
    pub(super) fn line(&mut self, text: &str) -> io::Result<()> {
        let written = if self.is_closed { Ok(()) } else { writeln!(self.out, "{text}") };
        self.unless_closed(written)
    }

    /// Flushes the buffer.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let flushed = if self.is_closed { Ok(()) } else { self.out.flush() };
        self.unless_closed(flushed)
    }

    /// The text in a colour, if colours are supported.
    pub(super) fn coloured(&self, colour: Colour, text: &str) -> String {
        if !self.is_coloured {
            return text.to_owned();
        }
        let code = match colour {
            Colour::Red => 31,
            Colour::Green => 32,
            Colour::Yellow => 33,
            Colour::Grey => 90,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    fn unless_closed(&mut self, result: io::Result<()>) -> io::Result<()> {
        match result {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                self.is_closed = true;
                Ok(())
            }
            result => result,
        }
    }
}

/// Returns `true` unless the environment disables colours (<https://no-color.org>).
fn wants_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
        && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// Returns the texts of an error and of its sources.
pub(super) fn chain(error: &(dyn Error + 'static)) -> String {
    let levels = std::iter::successors(Some(error), |error| (*error).source());
    levels.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// Prints an error as one paragraph. If standard error cannot be written, only the exit code reports it.
pub(super) fn error(error: &dyn Error) {
    let text = error.to_string();
    let paragraph: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let _ = writeln!(io::stderr(), "error: {}", paragraph.join(" "));
}
