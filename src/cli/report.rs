//! The printed report of a block: header, a line per transaction, totals, times, differences.

use std::io;
use std::time::Duration;

use starkiln::block::{TransactionDisposition, TransactionOutcome, TransactionStatus};
use starkiln::call::CallInfo;
use starkiln::replay::{BlockFile, Difference, Expected, LoadedBlock, kind_name};
use starkiln::transaction::Transaction;
use starknet_api::block::FeeType;
use starknet_api::execution_resources::GasVector;

use super::output::{Colour, Output};
use super::timing::{Share, Timing};

/// The number of differences that are printed.
const DIFFERENCES_SHOWN: usize = 50;

/// The greatest length of a printed reason, in characters.
const REASON_SHOWN: usize = 100;

/// Collects the report while the block is executed.
pub(super) struct Report<'a> {
    file: &'a BlockFile,
    block: &'a LoadedBlock,
    rows: Vec<Row>,
    statuses: Statuses,
    gas: GasVector,
    fees: Fees,
}

/// A line of the table.
struct Row {
    status: TransactionStatus,
    cells: [String; 8],
    reason: String,
}

#[derive(Default)]
struct Statuses {
    succeeded: usize,
    reverted: usize,
    invalid: usize,
}

/// Sums by token, saturating at 128 bits.
#[derive(Default)]
struct Fees {
    fri: u128,
    wei: u128,
}

/// The titles of the columns, and `true` for a column of numbers.
const COLUMNS: [(&str, bool); 8] = [
    ("#", true),
    ("hash", false),
    ("kind", false),
    ("status", false),
    ("fee", true),
    ("L2 gas", true),
    ("calls", true),
    ("events", true),
];

impl<'a> Report<'a> {
    pub(super) fn new(file: &'a BlockFile, block: &'a LoadedBlock) -> Self {
        Self {
            file,
            block,
            rows: Vec::new(),
            statuses: Statuses::default(),
            gas: GasVector::default(),
            fees: Fees::default(),
        }
    }

    /// Adds an executed transaction.
    pub(super) fn add(&mut self, index: usize, outcome: &TransactionOutcome) {
        let status = outcome.status();
        let count = match status {
            TransactionStatus::Succeeded => &mut self.statuses.succeeded,
            TransactionStatus::Reverted => &mut self.statuses.reverted,
            TransactionStatus::Invalid => &mut self.statuses.invalid,
        };
        *count = count.saturating_add(1);
        let fee_type = self.block.transactions.get(index).map_or(FeeType::Strk, Transaction::fee_type);
        let ([fee, gas, calls, events], reason) = match &outcome.disposition {
            TransactionDisposition::Executed(execution) => {
                let receipt = &execution.receipt;
                self.gas = sum(&self.gas, &receipt.gas);
                let total = match fee_type {
                    FeeType::Strk => &mut self.fees.fri,
                    FeeType::Eth => &mut self.fees.wei,
                };
                *total = total.saturating_add(receipt.fee.0);
                let calls = execution.calls().flat_map(CallInfo::iter).count();
                let cells = [
                    format!("{} {}", receipt.fee.0, unit(fee_type)),
                    receipt.gas.l2_gas.0.to_string(),
                    calls.to_string(),
                    execution.events().len().to_string(),
                ];
                (cells, execution.revert_reason.as_ref().map(ToString::to_string))
            }
            TransactionDisposition::Invalid(error) => (["-"; 4].map(str::to_owned), Some(error.to_string())),
            TransactionDisposition::TooLarge(error) => (["-"; 4].map(str::to_owned), Some(error.to_string())),
        };
        self.rows.push(Row {
            status,
            cells: [
                index.to_string(),
                short(&format!("{:#x}", outcome.hash.0)),
                kind_name(outcome.kind).to_owned(),
                word(status).to_owned(),
                fee,
                gas,
                calls,
                events,
            ],
            reason: reason.as_deref().map(innermost).unwrap_or_default(),
        });
    }

    /// Prints the block that will be executed.
    pub(super) fn header(&self, output: &mut Output) -> io::Result<()> {
        let BlockFile { chain, block, protocol_version, transactions, classes, .. } = self.file;
        output.line(&format!(
            "Block {} of {}, protocol {protocol_version}: {}, {}",
            block.number,
            chain.chain_id,
            count(transactions.len(), "transaction", "transactions"),
            count(classes.len(), "class", "classes"),
        ))
    }

    /// Prints a line per transaction.
    pub(super) fn lines(&self, output: &mut Output) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let mut widths = COLUMNS.map(|(title, _)| title.len());
        for row in &self.rows {
            for (width, cell) in widths.iter_mut().zip(&row.cells) {
                *width = (*width).max(cell.len());
            }
        }
        output.line("")?;
        let titles = COLUMNS.map(|(title, _)| title.to_owned());
        let line = format!("{}  reason", aligned(&titles, &widths, |_, cell| cell));
        output.line(&output.coloured(Colour::Grey, &line))?;
        for row in &self.rows {
            let colour = match row.status {
                TransactionStatus::Succeeded => Colour::Green,
                TransactionStatus::Reverted => Colour::Yellow,
                TransactionStatus::Invalid => Colour::Red,
            };
            let line = aligned(&row.cells, &widths, |title, cell| match title {
                "status" => output.coloured(colour, &cell),
                _ => cell,
            });
            output.line(format!("{line}  {}", row.reason).trim_end())?;
        }
        Ok(())
    }

    /// Prints the sums.
    pub(super) fn totals(&self, output: &mut Output) -> io::Result<()> {
        let Statuses { succeeded, reverted, invalid } = self.statuses;
        let gas = &self.gas;
        output.line("")?;
        output.line(&format!("{succeeded} succeeded, {reverted} reverted, {invalid} invalid"))?;
        output.line(&format!(
            "gas   {} L1, {} L1 data, {} L2",
            gas.l1_gas.0, gas.l1_data_gas.0, gas.l2_gas.0
        ))?;
        output.line(&format!("fees  {} fri, {} wei", self.fees.fri, self.fees.wei))
    }

    /// The time of loading and of each execution, with the transactions per second of each ending.
    pub(super) fn times(
        &self,
        output: &mut Output,
        loading: Duration,
        first: &Timing,
        second: Option<&Timing>,
    ) -> io::Result<()> {
        output.line("")?;
        output.line(&format!("loading (files, compiling classes): {}", seconds(loading)))?;
        run_times(output, "first run", first)?;
        let Some(second) = second else { return Ok(()) };
        run_times(output, "second run, classes prepared", second)?;
        let preparing = first.total.time.saturating_sub(second.total.time);
        output.line(&format!("first use of classes (first run less second run): {}", seconds(preparing)))
    }

    /// Prints the differences from the expected outcome.
    pub(super) fn differences(
        &self,
        output: &mut Output,
        expected: &Expected,
        differences: &[Difference],
    ) -> io::Result<()> {
        let transactions = count(expected.transactions.len(), "transaction", "transactions");
        let state_diff = if expected.state_diff.is_some() { " and the state diff" } else { "" };
        if differences.is_empty() {
            let line = format!("expected outcomes hold: {transactions}{state_diff}");
            return output.line(&output.coloured(Colour::Green, &line));
        }
        let line = format!(
            "expected outcomes do not hold: {} in {transactions}{state_diff}",
            count(differences.len(), "difference", "differences")
        );
        output.line(&output.coloured(Colour::Red, &line))?;
        for difference in differences.iter().take(DIFFERENCES_SHOWN) {
            output.line(&format!("  {difference}"))?;
        }
        match differences.len().saturating_sub(DIFFERENCES_SHOWN) {
            0 => Ok(()),
            more => output.line(&format!("  and {more} more")),
        }
    }
}

/// The unit of a fee.
fn unit(fee_type: FeeType) -> &'static str {
    match fee_type {
        FeeType::Strk => "fri",
        FeeType::Eth => "wei",
    }
}

fn aligned(cells: &[String; 8], widths: &[usize; 8], paint: impl Fn(&str, String) -> String) -> String {
    let columns = cells.iter().zip(widths).zip(COLUMNS);
    let painted: Vec<String> = columns
        .map(|((cell, width), (title, is_number))| {
            let cell = if is_number { format!("{cell:>width$}") } else { format!("{cell:<width$}") };
            paint(title, cell)
        })
        .collect();
    painted.join("  ")
}

/// The beginning and the end of a hash.
fn short(hash: &str) -> String {
    match (hash.get(..8), hash.len().checked_sub(4).and_then(|end| hash.get(end..))) {
        (Some(beginning), Some(end)) if hash.len() > 14 => format!("{beginning}..{end}"),
        _ => hash.to_owned(),
    }
}

/// The most specific line of a reason: the lines before it list the calls that the failure passed through.
/// Long numbers are cut.
fn innermost(reason: &str) -> String {
    let says_something = |line: &&str| line.contains(|letter: char| letter.is_alphanumeric());
    let line = reason.lines().map(str::trim).rfind(says_something).unwrap_or_default();
    let line = shortened(line);
    match line.char_indices().nth(REASON_SHOWN) {
        Some((end, _)) => format!("{}...", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

/// The text with its hexadecimal numbers cut, and without zeros before them.
fn shortened(text: &str) -> String {
    let mut pieces = text.split("0x");
    let mut shortened = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|letter: char| !letter.is_ascii_hexdigit()).unwrap_or(piece.len());
        let (digits, rest) = piece.split_at_checked(end).unwrap_or((piece, ""));
        let significant = digits.trim_start_matches('0');
        let number = if significant.is_empty() { digits.get(..1).unwrap_or_default() } else { significant };
        shortened.push_str(&short(&format!("0x{number}")));
        shortened.push_str(rest);
    }
    shortened
}

fn word(status: TransactionStatus) -> &'static str {
    match status {
        TransactionStatus::Succeeded => "succeeded",
        TransactionStatus::Reverted => "reverted",
        TransactionStatus::Invalid => "invalid",
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

fn sum(left: &GasVector, right: &GasVector) -> GasVector {
    GasVector {
        l1_gas: left.l1_gas.0.saturating_add(right.l1_gas.0).into(),
        l1_data_gas: left.l1_data_gas.0.saturating_add(right.l1_data_gas.0).into(),
        l2_gas: left.l2_gas.0.saturating_add(right.l2_gas.0).into(),
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.3} s", time.as_secs_f64())
}

/// Prints a run: its time, and below it a line per ending.
fn run_times(output: &mut Output, name: &str, timing: &Timing) -> io::Result<()> {
    let line = |share: &Share| {
        format!("{}, {} transactions per second", seconds(share.time), rate(share.transactions, share.time))
    };
    output.line(&format!("{name}: {}", line(&timing.total)))?;
    for (status, share) in timing.by_status().filter(|(_, share)| share.transactions > 0) {
        output.line(&format!("  {} {}: {}", share.transactions, word(status), line(&share)))?;
    }
    Ok(())
}

/// The transactions per second, with few digits.
fn rate(transactions: usize, time: Duration) -> String {
    let rate = transactions as f64 / time.as_secs_f64().max(f64::MIN_POSITIVE);
    if rate < 100.0 { format!("{rate:.1}") } else { format!("{rate:.0}") }
}
