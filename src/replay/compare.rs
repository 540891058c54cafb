//! Comparison of an outcome with the expected one.
//!
//! Input: [`Expected`] and a block's outcome. Output: the list of differences, empty if there are none. Must
//! not know: files.

use std::fmt;

use indexmap::IndexMap;
use starknet_api::execution_resources::GasVector;
use starknet_api::transaction::TransactionHash;
use starknet_types_core::felt::Felt;

use super::file::{Expected, ExpectedTransaction};
use crate::block::{BlockOutcome, TransactionDisposition, TransactionOutcome, TransactionStatus};
use crate::call::CallInfo;
use crate::state::{StateDiff, StateMap};

/// A difference between an outcome and the expected one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The part of the outcome.
    pub place: DifferencePlace,
    /// The name of the value, such as `fee` or `storage 0x1 0x2`.
    pub what: String,
    /// The expected value.
    pub expected: String,
    /// The actual value.
    pub actual: String,
}

/// The place of a [`Difference`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DifferencePlace {
    /// The number of transactions.
    Block,
    /// A transaction.
    Transaction {
        /// The index in the block, from 0.
        index: usize,
        /// The transaction hash.
        hash: TransactionHash,
    },
    /// The block's state diff.
    StateDiff,
}

impl fmt::Display for DifferencePlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Block => formatter.write_str("block"),
            Self::Transaction { index, hash } => write!(formatter, "transaction {index} ({:#x})", hash.0),
            Self::StateDiff => formatter.write_str("state diff"),
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, what, expected, actual } = self;
        write!(formatter, "{place}: {what}: expected {expected}, got {actual}")
    }
}

/// Compares an outcome with the expected one.
pub fn compare(expected: &Expected, outcome: &BlockOutcome) -> Vec<Difference> {
    let mut differences = Vec::new();
    Comparison { place: DifferencePlace::Block, differences: &mut differences }.of(
        "number of transactions",
        &expected.transactions.len(),
        &outcome.transactions.len(),
    );
    for (index, (expected, outcome)) in expected.transactions.iter().zip(&outcome.transactions).enumerate() {
        let place = DifferencePlace::Transaction { index, hash: outcome.hash };
        Comparison { place, differences: &mut differences }.transaction(expected, outcome);
    }
    if let Some(expected) = &expected.state_diff {
        Comparison { place: DifferencePlace::StateDiff, differences: &mut differences }
            .state_diff(expected, &outcome.state_diff);
    }
    differences
}

impl Expected {
    /// The expectation that this outcome fulfils.
    pub fn of(outcome: &BlockOutcome) -> Self {
        Self {
            transactions: outcome.transactions.iter().map(ExpectedTransaction::of).collect(),
            state_diff: Some(outcome.state_diff.clone()),
        }
    }
}

impl ExpectedTransaction {
    /// The expectation that this outcome fulfils.
    pub fn of(outcome: &TransactionOutcome) -> Self {
        let empty = Self {
            status: outcome.status(),
            fee: Default::default(),
            gas: GasVector::default(),
            data_gas: GasVector::default(),
            calls: 0,
            events: 0,
            messages: 0,
            reason: None,
        };
        match &outcome.disposition {
            TransactionDisposition::Executed(execution) => Self {
                fee: execution.receipt.fee,
                gas: execution.receipt.gas,
                data_gas: execution.receipt.da_gas,
                calls: execution.calls().flat_map(CallInfo::iter).count() as u64,
                events: execution.events().len() as u64,
                messages: execution.messages().len() as u64,
                reason: execution.revert_reason.as_ref().map(ToString::to_string),
                ..empty
            },
            TransactionDisposition::Invalid(error) => Self { reason: Some(error.to_string()), ..empty },
            TransactionDisposition::TooLarge(error) => Self { reason: Some(error.to_string()), ..empty },
        }
    }
}

/// Collects the differences of one place.
struct Comparison<'a> {
    place: DifferencePlace,
    differences: &'a mut Vec<Difference>,
}

impl Comparison<'_> {
    fn of<T: PartialEq + fmt::Display>(&mut self, what: &str, expected: &T, actual: &T) {
        if expected != actual {
            self.add(what, expected.to_string(), actual.to_string());
        }
    }

    fn add(&mut self, what: &str, expected: String, actual: String) {
        self.differences.push(Difference { place: self.place, what: what.to_owned(), expected, actual });
    }

    fn transaction(&mut self, expected: &ExpectedTransaction, outcome: &TransactionOutcome) {
        let actual = ExpectedTransaction::of(outcome);
        self.of("status", &word(expected.status), &word(actual.status));
        self.of("fee", &expected.fee.0, &actual.fee.0);
        self.gas("gas", &expected.gas, &actual.gas);
        self.gas("data gas", &expected.data_gas, &actual.data_gas);
        self.of("calls", &expected.calls, &actual.calls);
        self.of("events", &expected.events, &actual.events);
        self.of("messages", &expected.messages, &actual.messages);
        // The status implies whether there is a reason.
        if let Some(reason) = &expected.reason
            && actual.reason.as_ref() != Some(reason)
        {
            self.add("reason", format!("{reason:?}"), format!("{:?}", actual.reason.unwrap_or_default()));
        }
    }

    fn gas(&mut self, what: &str, expected: &GasVector, actual: &GasVector) {
        self.of(&format!("{what}: L1 gas"), &expected.l1_gas.0, &actual.l1_gas.0);
        self.of(&format!("{what}: L1 data gas"), &expected.l1_data_gas.0, &actual.l1_data_gas.0);
        self.of(&format!("{what}: L2 gas"), &expected.l2_gas.0, &actual.l2_gas.0);
    }

    fn state_diff(&mut self, expected: &StateDiff, actual: &StateDiff) {
        let cells = |diff: &StateDiff| -> IndexMap<_, Felt> {
            let cells = diff.storage.iter();
            cells
                .flat_map(|(address, cells)| cells.iter().map(|(key, value)| ((*address, *key), *value)))
                .collect()
        };
        self.entries(&cells(expected), &cells(actual), |(address, key)| {
            format!("storage {:#x} {:#x}", address.0.key(), key.0.key())
        });
        let (nonces, nonces_actual) = (&expected.nonces, &actual.nonces);
        self.entries(&felts(nonces, |nonce| nonce.0), &felts(nonces_actual, |nonce| nonce.0), |address| {
            format!("nonce {:#x}", address.0.key())
        });
        for (what, expected, actual) in [
            ("deployed", &expected.deployed, &actual.deployed),
            ("replaced", &expected.replaced, &actual.replaced),
        ] {
            self.entries(&felts(expected, |hash| hash.0), &felts(actual, |hash| hash.0), |address| {
                format!("{what} {:#x}", address.0.key())
            });
        }
        for (what, expected, actual) in [
            ("declared", &expected.declared, &actual.declared),
            ("migrated", &expected.migrated, &actual.migrated),
        ] {
            self.entries(&felts(expected, |hash| hash.0), &felts(actual, |hash| hash.0), |class_hash| {
                format!("{what} {:#x}", class_hash.0)
            });
        }
        for class_hash in expected.deprecated_declared.symmetric_difference(&actual.deprecated_declared) {
            let there = |diff: &StateDiff| diff.deprecated_declared.contains(class_hash).to_string();
            self.add(&format!("deprecated declared {:#x}", class_hash.0), there(expected), there(actual));
        }
    }

    fn entries<K: Eq + std::hash::Hash>(
        &mut self,
        expected: &IndexMap<K, Felt>,
        actual: &IndexMap<K, Felt>,
        name: impl Fn(&K) -> String,
    ) {
        let shown = |value: Option<&Felt>| value.map_or("nothing".to_owned(), |value| format!("{value:#x}"));
        let only_actual = actual.keys().filter(|key| !expected.contains_key(*key));
        for key in expected.keys().chain(only_actual) {
            let (expected, actual) = (expected.get(key), actual.get(key));
            if expected != actual {
                self.add(&name(key), shown(expected), shown(actual));
            }
        }
    }
}

fn felts<K: Copy + Eq + std::hash::Hash, V>(
    map: &StateMap<K, V>,
    felt: impl Fn(&V) -> Felt,
) -> IndexMap<K, Felt> {
    map.iter().map(|(key, value)| (*key, felt(value))).collect()
}

/// The status as block files spell it.
fn word(status: TransactionStatus) -> &'static str {
    match status {
        TransactionStatus::Succeeded => "succeeded",
        TransactionStatus::Reverted => "reverted",
        TransactionStatus::Invalid => "invalid",
    }
}
