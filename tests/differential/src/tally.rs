//! Counts of what was compared: by kind, by ending, by version.
//!
//! Input: reports. Output: tables on standard output, and whether anything that should occur never did.

use std::collections::{BTreeMap, BTreeSet};

use starkiln::protocol::ProtocolVersion;

use crate::compare::Report;
use crate::generate::{Era, recipes};
use crate::reference::Ending;

/// Kinds of transactions that blocks of the modern era have, with their versions.
const MODERN: [&str; 7] =
    ["DECLARE 2", "DECLARE 3", "DEPLOY_ACCOUNT 3", "INVOKE 0", "INVOKE 1", "INVOKE 3", "L1_HANDLER"];

/// The same for the past.
const PAST: [&str; 8] = [
    "DECLARE 0",
    "DECLARE 1",
    "DEPLOY_ACCOUNT 1",
    "DEPLOY_ACCOUNT 3",
    "INVOKE 0",
    "INVOKE 1",
    "INVOKE 3",
    "L1_HANDLER",
];

type Endings = [usize; Ending::ALL.len()];

/// Counts.
#[derive(Clone, Debug)]
pub struct Tally {
    by_kind: BTreeMap<String, Endings>,
    by_version: BTreeMap<ProtocolVersion, Endings>,
    /// Counts by the part before the colon in the names of recipes.
    by_group: BTreeMap<String, Endings>,
    /// Departures by the text of blockifier's panic: the count, and the endings at starkiln.
    departures: BTreeMap<String, (usize, BTreeSet<String>)>,
    unused: BTreeSet<String>,
    recipes: usize,
    /// `true` if only some recipes are used, which need not lead to every ending.
    is_chosen: bool,
    differences: usize,
}

impl Tally {
    /// Nothing yet; these versions and eras shall occur, the eras with what is made by recipes whose names
    /// begin so.
    pub fn new(versions: &[ProtocolVersion], eras: &[Era], with: &str) -> Self {
        let kinds = eras.iter().flat_map(|era| match era {
            Era::Modern => MODERN.as_slice(),
            Era::Past => PAST.as_slice(),
        });
        let kinds = kinds.filter(|_| with.is_empty());
        let unused: BTreeSet<_> = eras.iter().flat_map(|era| recipes(*era, with)).collect();
        Self {
            by_kind: kinds.map(|kind| ((*kind).to_owned(), Endings::default())).collect(),
            by_version: versions.iter().map(|version| (*version, Endings::default())).collect(),
            by_group: BTreeMap::new(),
            departures: BTreeMap::new(),
            recipes: unused.len(),
            unused,
            is_chosen: !with.is_empty(),
            differences: 0,
        }
    }

    /// Counts a block's transactions.
    pub fn add(&mut self, version: ProtocolVersion, report: &Report, recipes: &[String]) {
        for compared in &report.compared {
            let ending = compared.ending as usize;
            self.by_kind.entry(compared.kind.clone()).or_default()[ending] += 1;
            self.by_version.entry(version).or_default()[ending] += 1;
            let recipe = &recipes[compared.index];
            let group = recipe.split_once(':').map_or(recipe.as_str(), |(group, _)| group);
            self.by_group.entry(group.to_owned()).or_default()[ending] += 1;
            self.unused.remove(recipe);
        }
        for departure in &report.departures {
            let (count, ours) = self.departures.entry(without_digits(&departure.panic)).or_default();
            *count += 1;
            ours.insert(departure.ours.split(' ').next().unwrap_or_default().to_owned());
        }
        self.differences += report.differences.len();
    }

    /// The number of compared transactions.
    pub fn compared(&self) -> usize {
        self.by_version.values().flatten().sum()
    }

    /// Prints the counts; returns `true` if there was no difference and every expected kind occurred.
    pub fn print(&self) -> bool {
        let mut complete = true;
        println!();
        println!("{:18}{:>10}{:>10}{:>10}{:>10}", "", "succeeded", "reverted", "invalid", "all");
        let versions = self.by_version.iter().map(|(version, endings)| (version.to_string(), endings));
        let kinds = self.by_kind.iter().map(|(kind, endings)| (kind.clone(), endings));
        for (name, endings) in kinds.chain(versions) {
            row(&name, endings);
            if endings.iter().sum::<usize>() == 0 {
                complete = false;
                println!("    none of these: too few transactions, or something is wrong");
            }
        }
        println!();
        self.by_group.iter().for_each(|(group, endings)| row(group, endings));
        println!();
        let all =
            Ending::ALL.map(|ending| self.by_version.values().map(|endings| endings[ending as usize]).sum());
        row("all", &all);
        complete &= self.is_chosen || all.iter().all(|count| *count > 0);
        println!();
        println!("{} of {} recipes used", self.recipes - self.unused.len(), self.recipes);
        let departures: usize = self.departures.values().map(|(count, _)| count).sum();
        if departures > 0 {
            println!("{departures} transactions on which blockifier panics were left out (departures):");
        }
        for (panic, (count, ours)) in &self.departures {
            let ours: Vec<_> = ours.iter().map(String::as_str).collect();
            println!("{count:6} {panic}; at starkiln: {}", ours.join(", "));
        }
        println!("{} transactions compared, {} differences", self.compared(), self.differences);
        complete && self.differences == 0
    }
}

fn row(name: &str, endings: &Endings) {
    let [succeeded, reverted, invalid] = endings;
    println!("{name:18}{succeeded:10}{reverted:10}{invalid:10}{:10}", endings.iter().sum::<usize>());
}

/// A text with its numbers left out and not too long, so that the same panic with other values is the same.
pub fn without_digits(text: &str) -> String {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut out = String::new();
    for letter in text.chars() {
        let letter = if letter.is_ascii_digit() { '#' } else { letter };
        if letter != '#' || !out.ends_with('#') {
            out.push(letter);
        }
    }
    out.chars().take(160).collect()
}
