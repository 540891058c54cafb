//! Runs a block through both executors and lists where they differ.
//!
//! In: an [`Input`]. Out: a [`Report`]. Prints nothing.

use std::fmt::{self, Display, Formatter};

use serde_json::{Map, Value};
use starkiln::block::BlockExecutor;

use crate::input::Input;
use crate::peer::{Peer, PeerClasses};
use crate::view::ours;

/// Longest value that is printed whole.
const SHOWN: usize = 600;

/// One place where the two differ.
#[derive(Clone, Debug)]
pub struct Difference {
    /// The transaction: its index and hash; `None` for the block as a whole.
    pub transaction: Option<(usize, String)>,
    /// The field.
    pub path: String,
    /// What starkiln says.
    pub ours: String,
    /// What blockifier says.
    pub theirs: String,
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

/// What comparing a block gave.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Transactions compared.
    pub compared: usize,
    /// Of them: succeeded, reverted, invalid, by blockifier's word.
    pub endings: [usize; 3],
    /// Where the two differ.
    pub differences: Vec<Difference>,
    /// Where blockifier panicked and starkiln did not: departures that the design lists.
    pub departures: Vec<Difference>,
}

/// Runs the block through both and compares all that a caller can see.
pub fn compare(input: &Input, classes: PeerClasses) -> Result<Report, String> {
    let executor = BlockExecutor::new(input.env.clone(), &input.state).old_block(input.old_block);
    let ours = executor.execute(&input.transactions).map_err(|error| format!("starkiln: {error}"))?;
    let mut peer = Peer::new(input, classes).map_err(|error| format!("blockifier: {error}"))?;
    let mut report = Report { compared: input.transactions.len(), ..Report::default() };
    for (index, (transaction, outcome)) in input.transactions.iter().zip(&ours.transactions).enumerate() {
        let theirs = peer.execute(transaction);
        let ending = match (theirs.included, theirs.reverted) {
            (true, false) => 0,
            (true, true) => 1,
            (false, _) => 2,
        };
        report.endings[ending] += 1;
        let mut found = Vec::new();
        differences("", &ours::outcome(outcome), &theirs.view, &mut found);
        let list = if theirs.panic.is_some() && outcome.execution().is_none() {
            &mut report.departures
        } else {
            &mut report.differences
        };
        list.extend(found.into_iter().map(|(path, ours, theirs)| Difference {
            transaction: Some((index, format!("{:#x}", transaction.hash.0))),
            path,
            ours,
            theirs,
        }));
    }
    let (their_diff, their_reads) = peer.block_view();
    let mut found = Vec::new();
    differences("state_diff", &ours::state_diff(&ours.state_diff), &their_diff, &mut found);
    differences("initial_reads", &ours::initial_reads(&ours.initial_reads), &their_reads, &mut found);
    report
        .differences
        .extend(found.into_iter().map(|(path, ours, theirs)| Difference { transaction: None, path, ours, theirs }));
    Ok(report)
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
