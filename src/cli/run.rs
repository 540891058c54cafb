//! `starkiln run`: reads a block file, executes it, reports.

use std::error::Error;
use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use starkiln::block::{BlockOutcome, OnInvalid};
use starkiln::replay::{BlockFile, LoadedBlock, compare, write_outcome};

use super::arguments::Run;
use super::output::{Output, chain};
use super::progress::Progress;
use super::report::{Report, Timing};

/// What became of a run that came to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// What came out is what was expected, or nothing was.
    Well,
    /// Something else came out.
    Different,
}

pub(super) fn run(arguments: &Run) -> Result<Verdict, Box<dyn Error>> {
    let mut progress = Progress::new("loading classes");
    let file = BlockFile::read(&arguments.file)?;
    let block = file.load_beside(&arguments.file, |done, total| progress.show(done, total))?;
    let loading = progress.elapsed();
    drop(progress);
    // Before the work, not after it, turns out whether the result can be written.
    let json = arguments.json.as_deref().map(|path| create(path).map(|file| (path, file))).transpose()?;

    let mut output = Output::new();
    let mut report = Report::new(&file, &block);
    report.header(&mut output)?;
    output.flush()?;
    let mut progress = Progress::new("executing");
    let executed = execute(&block, arguments, |index, outcome| {
        report.add(index, outcome);
        progress.show(index.saturating_add(1), block.transactions.len());
    });
    let executing = progress.elapsed();
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
    report.totals(&mut output, Timing { loading, executing })?;
    if let Some((path, file)) = json {
        write_outcome(BufWriter::new(file), &outcome).map_err(|error| cannot_write(path, &error))?;
    }
    let Some(expected) = &block.expected else {
        output.flush()?;
        return Ok(Verdict::Well);
    };
    let differences = compare(expected, &outcome);
    report.differences(&mut output, expected, &differences)?;
    output.flush()?;
    Ok(if differences.is_empty() { Verdict::Well } else { Verdict::Different })
}

fn execute(
    block: &LoadedBlock,
    arguments: &Run,
    observe: impl FnMut(usize, &starkiln::block::TransactionOutcome),
) -> Result<BlockOutcome, starkiln::block::BlockError> {
    let on_invalid = if arguments.stop_on_invalid { OnInvalid::Stop } else { OnInvalid::Continue };
    let executor = block.executor().on_invalid(on_invalid);
    // Call trees of reverted executions are only for the file.
    let executor = if arguments.json.is_some() { executor.keep_reverted_calls() } else { executor };
    executor.execute_with(&block.transactions, observe)
}

fn create(path: &Path) -> Result<File, String> {
    File::create(path).map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &std::io::Error) -> String {
    format!("{}: cannot be written: {error}", path.display())
}
