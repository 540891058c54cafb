//! Limits that fit: just enough, just short of it, or at a point where the outcome changes, such as the gas
//! of one more syscall.
//!
//! Input: a draft, and a way to try transactions out on blockifier. Output: the same draft with one of its
//! limits found by bisection.

use serde_json::Value;

use super::draft::{Action, Bounds, Draft};
use super::random::Random;
use super::{Boxed, Era, Purpose, all};
use crate::reference::{BlockifierOutcome, Ending};

/// The fit of a draft's limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// The least with which the draft ends as it does.
    JustEnough,
    /// One less.
    JustShort,
    /// Next to a value where something about the outcome changes.
    Edge,
}

/// Something that a draft limits.
#[derive(Clone, Copy, Debug)]
enum Limit {
    L1,
    L1Data,
    L2,
    MaxFee,
}

/// Larger searches take too long.
const MOST_L2: u64 = 150_000_000;

/// Recipes of an era with limits that fit.
pub fn recipes(era: Era) -> Vec<(String, Boxed)> {
    let fits = [("just enough", Fit::JustEnough), ("just short", Fit::JustShort), ("at an edge", Fit::Edge)];
    // More than one of each, so that they are drawn more often.
    let several = fits.into_iter().flat_map(|fit| (1..=3).map(move |number| (fit, number)));
    several
        .map(|((name, fit), number)| {
            let boxed: Boxed = Box::new(move |world, random| {
                let mut plain = all(era, Purpose::Fuzz);
                plain.retain(|(name, _)| !name.starts_with("fitted"));
                let (_, recipe) = plain.swap_remove(random.below(plain.len() as u64) as usize);
                Draft { fit: Some(fit), ..recipe(world, random) }
            });
            (format!("fitted: {name}, {number}"), boxed)
        })
        .collect()
}

/// Makes a limit of the draft fit. A draft that is invalid anyway stays as it is.
pub fn fitted(
    draft: Draft,
    random: &mut Random,
    try_out: &mut dyn FnMut(&Draft) -> BlockifierOutcome,
) -> Draft {
    let Some(fit) = draft.fit else { return draft };
    let whole = try_out(&draft);
    if whole.panic.is_some() || whole.ending == Ending::Invalid || gas(&whole.view, "l2_gas") > MOST_L2 {
        return draft;
    }
    let limits = [Limit::L2, Limit::L2, Limit::L1, Limit::L1Data, Limit::MaxFee];
    let mut limits: Vec<_> = limits.into_iter().filter(|limit| draft.limit(*limit).is_some()).collect();
    if limits.is_empty() {
        return draft;
    }
    let limit = limits.swap_remove(random.below(limits.len() as u64) as usize);
    let most = draft.limit(limit).unwrap_or_default();
    let taken = match limit {
        Limit::L1 => gas(&whole.view, "l1_gas").into(),
        Limit::L1Data => gas(&whole.view, "l1_data_gas").into(),
        Limit::L2 => gas(&whole.view, "l2_gas").into(),
        Limit::MaxFee => fee(&whole.view),
    };
    match fit {
        Fit::JustEnough | Fit::JustShort => {
            let mut is_enough = |value| try_out(&draft.with_limit(limit, value)).ending == whole.ending;
            let [short, enough] = border(0, most, taken, &mut is_enough);
            draft.with_limit(limit, if fit == Fit::JustEnough { enough } else { short })
        }
        Fit::Edge => {
            // What the transaction takes is a small part of its bounds.
            let top = most.min(taken.saturating_mul(5) / 4 + 2);
            let low = u128::from(random.number()) * (top / u128::from(u64::MAX) + 1) % (top + 1);
            let first = looks(&try_out(&draft.with_limit(limit, low)));
            let mut is_other = |value| looks(&try_out(&draft.with_limit(limit, value))) != first;
            let edge = border(low, most, top, &mut is_other);
            draft.with_limit(limit, *random.pick(&edge))
        }
    }
}

/// Two neighbours, the first of which is not and the second of which is. Assumes that `high` is. The border
/// may well be at `guess`, or below.
fn border(mut low: u128, mut high: u128, guess: u128, is: &mut dyn FnMut(u128) -> bool) -> [u128; 2] {
    for value in [guess, guess.saturating_sub(1)] {
        if low < value && value < high {
            if is(value) {
                high = value;
            } else {
                low = value;
            }
        }
    }
    while low + 1 < high {
        let middle = low + (high - low) / 2;
        if is(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    [low, high]
}

/// The summary of an outcome: the ending, its reason, the numbers of calls and events.
fn looks(outcome: &BlockifierOutcome) -> String {
    let text = |name: &str| outcome.view.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut reason = text("revert_reason") + &text("error");
    if reason.contains("Insufficient") || reason.contains("Resource") {
        reason.retain(|letter| !letter.is_ascii_digit());
    }
    let execute = outcome.view.get("execute").unwrap_or(&Value::Null);
    let events = outcome.view.get("sorted_events").and_then(Value::as_array).map_or(0, Vec::len);
    format!("{:?} {reason} {} {events}", outcome.ending, super::calls(execute))
}

fn gas(view: &Value, name: &str) -> u64 {
    let gas = view.get("receipt").and_then(|receipt| receipt.get("gas"));
    gas.and_then(|gas| gas.get(name)).and_then(Value::as_u64).unwrap_or_default()
}

fn fee(view: &Value) -> u128 {
    let fee = view.get("receipt").and_then(|receipt| receipt.get("fee")).and_then(Value::as_str);
    fee.and_then(|fee| fee.parse().ok()).unwrap_or_default()
}

impl Draft {
    fn limit(&self, limit: Limit) -> Option<u128> {
        self.clone().limit_mut(limit).map(|value| value.get())
    }

    fn with_limit(&self, limit: Limit, value: u128) -> Self {
        let mut draft = self.clone();
        if let Some(mut found) = draft.limit_mut(limit) {
            found.set(value);
        }
        draft
    }

    fn limit_mut(&mut self, limit: Limit) -> Option<Found<'_>> {
        let fee = match &mut self.action {
            Action::DeclareV2(_, _, fee)
            | Action::InvokeV1(_, fee)
            | Action::InvokeV0(_, fee)
            | Action::DeployAccountV1(_, fee)
            | Action::DeclareV1(_, fee) => Some(fee),
            Action::DeclareV0(..) | Action::L1Handler(..) => return None,
            _ => None,
        };
        match (limit, fee, &mut self.bounds) {
            (Limit::MaxFee, Some(fee), _) => Some(Found::Fee(&mut fee.0)),
            (Limit::MaxFee, None, _) | (_, Some(_), _) => None,
            (Limit::L1, None, Bounds::L1 { amount, .. }) => Some(Found::Amount(amount)),
            (Limit::L1, None, Bounds::All { l1, .. }) => Some(Found::Amount(l1)),
            (Limit::L1Data, None, Bounds::All { data, .. }) => Some(Found::Amount(data)),
            (Limit::L2, None, Bounds::All { l2, .. }) => Some(Found::Amount(l2)),
            _ => None,
        }
    }
}

/// The field of a limit in a draft.
enum Found<'d> {
    Amount(&'d mut u64),
    Fee(&'d mut u128),
}

impl Found<'_> {
    fn get(&self) -> u128 {
        match self {
            Self::Amount(amount) => u128::from(**amount),
            Self::Fee(fee) => **fee,
        }
    }

    fn set(&mut self, value: u128) {
        match self {
            Self::Amount(amount) => **amount = u64::try_from(value).unwrap_or(u64::MAX),
            Self::Fee(fee) => **fee = value,
        }
    }
}
