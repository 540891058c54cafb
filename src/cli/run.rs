//! `starkiln run`: reads a block file, executes it, reports.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;
use std::time::Duration;

use starkiln::block::{BlockError, BlockOutcome, OnInvalid, TransactionOutcome};
use starkiln::replay::{BlockFile, LoadedBlock, compare, write_outcome};

use super::arguments::Run;
use super::output::{Output, chain};
use super::progress::Progress;
use super::report::Report;
use super::timing::Timing;

/// Blocks that take longer are not executed a second time.
const SECOND_RUN_LIMIT: Duration = Duration::from_secs(10);

/// The outcome of a run, compared with the outcome that the file expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The outcome is the expected one, or the file expects none.
    Matches,
    /// The outcome differs.
    Differs,
}

pub(super) fn run(arguments: &Run) -> Result<Outcome, Box<dyn Error>> {
    let mut progress = Progress::new("loading classes");
    let file = BlockFile::read(&arguments.file)?;
    let block = file.load_beside(&arguments.file, |done, total| progress.show(done, total))?;
    let loading = progress.elapsed();
    drop(progress);
    // Created before the block is executed, so that an unwritable path is reported at once.
    let json = arguments.json.as_deref().map(|path| create(path).map(|file| (path, file))).transpose()?;

    let mut output = Output::new();
    let mut report = Report::new(&file, &block);
    report.header(&mut output)?;
    output.flush()?;
    let mut progress = Progress::new("executing");
    let mut first = Timing::start();
    let executed = execute(&block, arguments, |index, outcome| {
        first.add(outcome.status());
        report.add(index, outcome);
        progress.show(index.saturating_add(1), block.transactions.len());
    });
    first.stop();
    drop(progress);

    if !arguments.quiet {
        report.lines(&mut output)?;
    }
    let outcome = match executed {
        Ok(outcome) => outcome,
        Err(error) => {
            output.flush()?;
            return Err(format!("{}: {}", arguments.file.display(), chain(&error)).into());
        }
    };
    report.totals(&mut output)?;
    let second =
        (first.total.time < SECOND_RUN_LIMIT).then(|| execute_again(&block, arguments)).transpose()?;
    report.times(&mut output, loading, &first, second.as_ref())?;
    if let Some((path, file)) = json {
        write_outcome(BufWriter::new(file), &outcome).map_err(|error| cannot_write(path, &error))?;
    }
    let Some(expected) = &block.expected else {
        output.flush()?;
        return Ok(Outcome::Matches);
    };
    let differences = compare(expected, &outcome);
    report.differences(&mut output, expected, &differences)?;
    output.flush()?;
    Ok(if differences.is_empty() { Outcome::Matches } else { Outcome::Differs })
}

/// Executes the block once more, with its classes prepared by the first run.
fn execute_again(block: &LoadedBlock, arguments: &Run) -> Result<Timing, BlockError> {
    let mut timing = Timing::start();
    execute(block, arguments, |_, outcome| timing.add(outcome.status()))?;
    timing.stop();
    Ok(timing)
}

fn execute(
    block: &LoadedBlock,
    arguments: &Run,
    observe: impl FnMut(usize, &TransactionOutcome),
) -> Result<BlockOutcome, BlockError> {
    let on_invalid = if arguments.stop_on_invalid { OnInvalid::Stop } else { OnInvalid::Continue };
    let executor = block.executor().on_invalid(on_invalid);
    // Call trees of reverted executions are only printed to the file.
    let executor = if arguments.json.is_some() { executor.keep_reverted_calls() } else { executor };
    executor.execute_with(&block.transactions, observe)
}

fn create(path: &Path) -> Result<File, String> {
    File::create(path).map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> String {
    format!("{}: cannot be written: {error}", path.display())
}
