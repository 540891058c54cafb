//! Runs a block through both executors and lists where they differ.
//!
//! Input: an [`Input`]. Output: a [`Report`]. Prints nothing.

use std::fmt::{self, Display, Formatter};
use std::iter::repeat;

use serde_json::{Map, Value};
use starkiln::block::{BlockEnd, BlockError, BlockExecutor, TransactionDisposition, Weight};
use starkiln::protocol::well_known;
use starkiln::replay::kind_name;
use starkiln::state::InitialReads;
use starkiln::transaction::{Transaction, TransactionBody};

use crate::fixture::error_chain;
use crate::input::Input;
use crate::reference::{Blockifier, BlockifierClasses, BlockifierOutcome, Ending};
use crate::view::of_starkiln;

/// Longest value that is printed whole.
const SHOWN: usize = 600;

/// One place where the two differ.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The transaction: its index and hash; `None` for the block as a whole.
    pub transaction: Option<(usize, String)>,
    /// The field.
    pub path: String,
    /// Starkiln's value.
    pub ours: String,
    /// Blockifier's value.
    pub theirs: String,
}

impl Difference {
    /// The field without indices and addresses: what kind of difference it is.
    pub fn shape(&self) -> String {
        let parts = self.path.split('.').map(|part| if part.starts_with("0x") { "0x" } else { part });
        let parts: Vec<_> = parts.map(|part| part.split('[').next().unwrap_or(part)).collect();
        parts.join(".")
    }
}

impl Display for Difference {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.transaction {
            Some((index, hash)) => writeln!(f, "transaction {index} ({hash}): {}", self.path)?,
            None => writeln!(f, "block: {}", self.path)?,
        }
        writeln!(f, "    starkiln:   {}", self.ours)?;
        write!(f, "    blockifier: {}", self.theirs)
    }
}

/// A transaction on which blockifier panicked and starkiln did not.
#[derive(Clone, Debug)]
pub struct Departure {
    /// The transaction: its index and hash.
    pub transaction: (usize, String),
    /// The ending at starkiln.
    pub ours: String,
    /// The panic.
    pub panic: String,
}

/// A transaction that was compared.
#[derive(Clone, Debug)]
pub struct Compared {
    /// Its index in the block.
    pub index: usize,
    /// Its kind and version.
    pub kind: String,
    /// The ending at blockifier.
    pub ending: Ending,
}

/// The result of comparing a block.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Transactions compared.
    pub compared: Vec<Compared>,
    /// The differences.
    pub differences: Vec<Difference>,
    /// Transactions that blockifier cannot execute. They were taken out of the block before the rest was
    /// compared.
    pub departures: Vec<Departure>,
    /// The reason why starkiln's block ended.
    pub end: Option<BlockEnd>,
    /// The limits that transactions were too large for.
    pub too_large: Vec<Weight>,
}

/// Runs the block through both and compares all that a caller can see.
pub fn compare(input: &Input, classes: BlockifierClasses) -> Result<Report, String> {
    compare_altered(input, classes, &|_| {})
}

/// The same with starkiln's outcomes altered first, to test the handling of a difference.
pub fn compare_altered(
    input: &Input,
    classes: BlockifierClasses,
    alter: &dyn Fn(&mut Value),
) -> Result<Report, String> {
    let mut report = Report::default();
    let mut input = input.clone();
    let mut indices: Vec<usize> = (0..input.transactions.len()).collect();
    loop {
        let mut blockifier =
            Blockifier::new(&input, classes.clone()).map_err(|error| format!("blockifier: {error}"))?;
        let theirs: Vec<BlockifierOutcome> =
            input.transactions.iter().map_while(|transaction| blockifier.try_execute(transaction)).collect();
        let is_full = theirs.len() < input.transactions.len();
        let ours = BlockExecutor::new(input.env.clone(), &input.state)
            .block_hash_source(input.block_hash_source)
            .capacity(input.limits.ours())
            .threads(input.way.threads)
            .map_err(|error| error.to_string())?
            .engine(input.way.engine)
            .collect_prover_reads()
            .execute(&input.transactions);
        let hash = |at: usize| format!("{:#x}", input.transactions[at].hash.0);
        // From the first panic on the two states need not be the same any more: again without those that
        // panicked.
        if theirs.iter().any(|outcome| outcome.panic.is_some()) {
            let panics =
                theirs.iter().enumerate().filter_map(|(at, outcome)| Some((at, outcome.panic.clone()?)));
            for (at, panic) in panics {
                let ours = match &ours {
                    Ok(ours) => ours.transactions.get(at).map_or_else(
                        || "not executed".to_owned(),
                        |outcome| ended(&of_starkiln::outcome(outcome)),
                    ),
                    Err(error) => format!("failed: {error}"),
                };
                report.departures.push(Departure { transaction: (indices[at], hash(at)), ours, panic });
            }
            // Those after a full block's last one were not executed.
            let kept = || theirs.iter().map(|outcome| outcome.panic.is_none()).chain(repeat(true));
            let mut keep = kept();
            indices.retain(|_| keep.next().unwrap_or(true));
            let mut keep = kept();
            input.transactions.retain(|_| keep.next().unwrap_or(true));
            continue;
        }
        report.compared = (indices.iter().zip(&input.transactions).zip(&theirs))
            .map(|((&index, transaction), outcome)| Compared {
                index,
                kind: kind(transaction),
                ending: outcome.ending,
            })
            .collect();
        let block = blockifier.close();
        match ours {
            Ok(ours) => {
                for (at, (ours, theirs)) in ours.transactions.iter().zip(&theirs).enumerate() {
                    let transaction = Some((indices[at], hash(at)));
                    let mut ours = of_starkiln::outcome(ours);
                    alter(&mut ours);
                    report.differences.extend(differing(transaction, "", &ours, &theirs.view));
                }
                let their_end =
                    if is_full { format!("full at {}", theirs.len()) } else { "finished".to_owned() };
                let our_end = match &ours.end {
                    BlockEnd::Finished => "finished".to_owned(),
                    BlockEnd::Full { index, .. } => format!("full at {index}"),
                    other => format!("{other:?}"),
                };
                report.differences.extend(differing(None, "end", &our_end.into(), &their_end.into()));
                let our_diff = of_starkiln::state_diff(&ours.state_diff);
                report.differences.extend(differing(None, "state_diff", &our_diff, &block.state_diff));
                report.differences.extend(differing(
                    None,
                    "initial_reads",
                    &without_aliases(&ours.initial_reads),
                    &without_surplus(block.reads, &ours.initial_reads, is_full),
                ));
                let summary = {
                    let mut summary = block.summary;
                    if let (true, Some(reads)) = (is_full, &ours.prover_reads) {
                        let theirs = summary["prover_reads"].take();
                        summary["prover_reads"] = without_surplus(theirs, reads, is_full);
                    }
                    summary
                };
                report.differences.extend(differing(None, "summary", &of_starkiln::summary(&ours), &summary));
                for outcome in &ours.transactions {
                    if let TransactionDisposition::TooLarge(error) = &outcome.disposition {
                        report.too_large.extend(error.exceeded.iter().map(|exceeded| exceeded.weight));
                    }
                }
                report.end = Some(ours.end);
            }
            Err(error) => {
                let at = match &error {
                    BlockError::Transaction { index, .. } => Some(*index),
                    _ => None,
                };
                let transaction = at.map(|at| (indices[at], hash(at)));
                let theirs = at.map_or_else(|| "executed the block".to_owned(), |at| ended(&theirs[at].view));
                let ours = error_chain(&error);
                report.differences.push(Difference { transaction, path: "failure".to_owned(), ours, theirs });
            }
        }
        return Ok(report);
    }
}

/// The reads of a block's transactions: the reads of closing are in the alias contract, which no transaction
/// reads.
fn without_aliases(reads: &InitialReads) -> Value {
    let mut reads = reads.clone();
    reads.storage.retain(|(address, _), _| *address != well_known::ALIAS_CONTRACT);
    of_starkiln::initial_reads(&reads)
}

/// Blockifier's reads. Of a full block they have those of the transaction that did not fit, which ours have
/// not: they are taken out.
fn without_surplus(mut theirs: Value, ours: &InitialReads, is_full: bool) -> Value {
    let ours = of_starkiln::initial_reads(ours);
    let Value::Object(tables) = &mut theirs else { return theirs };
    for (name, table) in tables.iter_mut().filter(|_| is_full) {
        let Value::Object(table) = table else { continue };
        for (key, cells) in table.iter_mut() {
            if let (Value::Object(cells), known) = (cells, &ours[name][key]) {
                cells.retain(|cell, _| known.get(cell).is_some());
            }
        }
        table.retain(|key, _| ours[name].get(key).is_some());
    }
    theirs
}

/// A transaction's kind and version, such as `INVOKE 3`.
fn kind(transaction: &Transaction) -> String {
    let version = match &transaction.body {
        TransactionBody::Invoke(transaction) => transaction.version(),
        TransactionBody::Declare { transaction, .. } => transaction.version(),
        TransactionBody::DeployAccount { transaction, .. } => transaction.version(),
        _ => return kind_name(transaction.kind()).to_owned(),
    };
    format!("{} {}", kind_name(transaction.kind()), version.0)
}

/// The ending of a transaction, in a line.
fn ended(view: &Value) -> String {
    let part = |name: &str| view.get(name).and_then(Value::as_str).unwrap_or_default();
    let text = format!("{} {}{}", part("ending"), part("error"), part("revert_reason"));
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn differing(
    transaction: Option<(usize, String)>,
    path: &str,
    ours: &Value,
    theirs: &Value,
) -> Vec<Difference> {
    let mut found = Vec::new();
    differences(path, ours, theirs, &mut found);
    found
        .into_iter()
        .map(|(path, ours, theirs)| Difference { transaction: transaction.clone(), path, ours, theirs })
        .collect()
}

impl Display for Departure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let (index, hash) = &self.transaction;
        writeln!(f, "departure: blockifier panics on transaction {index} ({hash}), which was left out")?;
        writeln!(f, "    starkiln:   {}", self.ours)?;
        write!(f, "    blockifier: {}", self.panic.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

/// Walks two trees; every place where they differ is (path, ours, theirs).
fn differences(path: &str, ours: &Value, theirs: &Value, found: &mut Vec<(String, String, String)>) {
    match (ours, theirs) {
        (Value::Object(left), Value::Object(right)) => {
            for name in left.keys().chain(right.keys().filter(|name| !left.contains_key(*name))) {
                let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                differences(&path, part(left, name), part(right, name), found);
            }
        }
        (Value::Array(left), Value::Array(right)) if left.len() == right.len() => {
            for (index, (left, right)) in left.iter().zip(right).enumerate() {
                differences(&format!("{path}[{index}]"), left, right, found);
            }
        }
        (left, right) if left == right => {}
        (left, right) => found.push((path.to_owned(), shown(left), shown(right))),
    }
}

fn part<'a>(tree: &'a Map<String, Value>, name: &str) -> &'a Value {
    tree.get(name).unwrap_or(&Value::Null)
}

fn shown(value: &Value) -> String {
    let text = match value {
        Value::Null => return "nothing".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.chars().count() <= SHOWN {
        return text;
    }
    text.chars().take(SHOWN).chain("... ".chars()).collect::<String>() + &format!("({} bytes)", text.len())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn every_kind_of_difference_is_found() {
        let ours = json!({ "same": 1, "count": 1, "list": [1, 2], "long": [1], "only_ours": "a", "tree": { "leaf": null } });
        let theirs = json!({ "same": 1, "count": 2, "list": [1, 3], "long": [1, 2], "only_theirs": "b", "tree": { "leaf": 0 } });
        let paths: Vec<_> = differing(None, "", &ours, &theirs).into_iter().map(|found| found.path).collect();
        assert_eq!(paths, ["count", "list[1]", "long", "only_ours", "tree.leaf", "only_theirs"]);
        assert!(differing(None, "", &ours, &ours).is_empty());
    }
}
