//! The demo block and random blocks: all kinds of transactions on our own contracts, drawn from recipes.
//!
//! In: a seed. Out: a block file whose expected outcomes are blockifier's.

mod calls;
mod draft;
mod nested;
mod past;
mod past_calls;
mod random;
mod special;
mod world;

use std::collections::BTreeMap;

use serde_json::Value;
use starkiln::block::TransactionStatus;
use starkiln::protocol::ProtocolVersion;
use starkiln::replay::{BlockFile, Expected, ExpectedTransaction};
use starkiln::state::StateDiff;
use starknet_api::execution_resources::{GasAmount, GasVector};
use starknet_api::transaction::fields::Fee;

use self::draft::{Action, Bounds, Draft, Signing};
use self::random::Random;
use self::special::account;
use self::world::{AccountKind, World};
pub use self::world::{Era, Library};
use crate::input::{Input, prepared};
use crate::peer::Peer;

/// A generated block.
pub struct Generated {
    /// The block, with what is expected of it.
    pub file: BlockFile,
    /// The recipe of each transaction.
    pub names: Vec<String>,
    /// Transactions by kind and ending.
    pub counts: BTreeMap<(String, &'static str), usize>,
}

/// What to do with transactions on which blockifier panics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Panics {
    /// Nothing can be expected of them.
    LeaveOut,
    /// See what starkiln makes of them.
    Keep,
}

/// Makes a block of `count` transactions. Every recipe is used once, as far as they fit, in random order; the rest is random,
/// and leans to what accounts do most.
pub fn generate(
    library: &Library,
    version: ProtocolVersion,
    era: Era,
    count: usize,
    seed: u64,
    panics: Panics,
) -> Result<Generated, String> {
    let mut random = Random::new(seed);
    let world = World::new(library, version, era, &mut random);
    let peer_classes = library.peer_classes.clone();
    let mut input = Input::with_classes(&world.file, world.classes.clone())?;
    let mut peer = Peer::new(&input, peer_classes.clone())?;
    let mut generated = Generated { file: world.file.clone(), names: Vec::new(), counts: BTreeMap::new() };
    let mut expected = Vec::new();
    let mut plan = plan(era, count, &mut random).into_iter();
    while generated.file.transactions.len() < count {
        let (name, recipe) = plan.next().unwrap_or_else(|| one_more(era, &mut random));
        let draft = recipe(&world, &mut random);
        let nonce = peer.nonce_at(draft.nonce_address());
        let transaction = draft.complete(&world, nonce);
        let ready = prepared(&transaction, &world.classes)?;
        let outcome = peer.execute(&ready);
        if outcome.panic.is_some() && panics == Panics::LeaveOut {
            continue;
        }
        let kind = format!("{:?}", ready.kind());
        let view = expected_transaction(&outcome.view);
        let ending = match view.status {
            TransactionStatus::Succeeded => "succeeded",
            TransactionStatus::Reverted => "reverted",
            TransactionStatus::Invalid => "invalid",
        };
        *generated.counts.entry((kind, ending)).or_default() += 1;
        generated.names.push(name);
        expected.push(view);
        input.transactions.push(ready);
        generated.file.transactions.push(transaction);
    }
    generated.file.expected =
        Some(Expected { transactions: expected, state_diff: Some(state_diff(&peer.block_view().0)) });
    Ok(generated)
}

type Boxed = Box<dyn Fn(&World, &mut Random) -> Draft>;

/// All recipes for transactions of version 3.
fn modern() -> Vec<(String, Boxed)> {
    let mut all: Vec<(String, Boxed)> = Vec::new();
    for &(name, recipe) in
        special::KINDS.iter().chain(special::MESSAGES).chain(special::UNUSUAL).chain(special::VALIDATION)
    {
        all.push((name.to_owned(), Box::new(recipe)));
    }
    let groups = [calls::TOKENS, calls::SYSCALLS, calls::SYSCALLS_NEW, nested::NESTED, nested::UPGRADES];
    for &(name, recipe) in groups.into_iter().flatten() {
        all.push((name.to_owned(), Box::new(move |world, random| usual(world, random, recipe))));
    }
    all
}

/// The recipes to use, in order.
fn plan(era: Era, count: usize, random: &mut Random) -> Vec<(String, Boxed)> {
    let mut all = match era {
        Era::Modern => modern(),
        Era::Past => past::all().into_iter().map(|(name, recipe)| (name.to_owned(), recipe)).collect(),
    };
    // Fisher and Yates, as far as needed.
    let mut chosen = Vec::new();
    while chosen.len() < count && !all.is_empty() {
        let index = random.below(all.len() as u64) as usize;
        chosen.push(all.swap_remove(index));
    }
    while chosen.len() < count {
        let index = random.below(chosen.len() as u64 + 1) as usize;
        chosen.insert(index, one_more(era, random));
    }
    chosen
}

fn one_more(era: Era, random: &mut Random) -> (String, Boxed) {
    if era == Era::Past {
        let (name, recipe) = past::one(random);
        return (name.to_owned(), recipe);
    }
    let group = match random.below(10) {
        0..5 => calls::TOKENS,
        5..6 => calls::SYSCALLS,
        6..8 => nested::NESTED,
        8 => nested::UPGRADES,
        _ => {
            let group = if random.once_in(2) { special::KINDS } else { special::MESSAGES };
            let (name, recipe) = *random.pick(group);
            return (name.to_owned(), Box::new(recipe));
        }
    };
    let (name, recipe) = *random.pick(group);
    (name.to_owned(), Box::new(move |world, random| usual(world, random, recipe)))
}

/// Calls by some account under some bounds.
fn usual(world: &World, random: &mut Random, recipe: fn(&World, &mut Random) -> Vec<draft::Call>) -> Draft {
    let calls = recipe(world, random);
    let kind = match random.below(20) {
        0..12 => AccountKind::Signed,
        12..16 => AccountKind::Open,
        _ => AccountKind::Steps,
    };
    let draft = Draft::new(Action::Invoke(calls), account(world, random, kind));
    let bounds = if random.once_in(3) { Bounds::ENOUGH_L1 } else { Bounds::ENOUGH };
    let tip = if random.once_in(4) { random.below(1_000_000_000) } else { 0 };
    let draft = draft.bounds(bounds).tip(tip);
    if kind == AccountKind::Open && random.once_in(2) { draft.signing(Signing::Felts(vec![])) } else { draft }
}

/// What a view of blockifier's outcome means as an expectation.
fn expected_transaction(view: &Value) -> ExpectedTransaction {
    let text = |name: &str| view.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let number = |value: Option<&Value>| value.and_then(Value::as_u64).unwrap_or_default();
    let gas = |name: &str| {
        let vector = view.get("receipt").and_then(|receipt| receipt.get(name));
        let part = |part: &str| GasAmount(number(vector.and_then(|vector| vector.get(part))));
        GasVector { l1_gas: part("l1_gas"), l1_data_gas: part("l1_data_gas"), l2_gas: part("l2_gas") }
    };
    let length = |name: &str| view.get(name).and_then(Value::as_array).map_or(0, Vec::len) as u64;
    let status = match view.get("ending").and_then(Value::as_str) {
        Some("succeeded") => TransactionStatus::Succeeded,
        Some("reverted") => TransactionStatus::Reverted,
        _ => TransactionStatus::Invalid,
    };
    let fee = view.get("receipt").and_then(|receipt| receipt.get("fee")).and_then(Value::as_str);
    ExpectedTransaction {
        status,
        fee: Fee(fee.map_or(0, |fee| fee.parse().expect("views write fees in decimals"))),
        gas: gas("gas"),
        data_gas: gas("da_gas"),
        calls: ["validate", "execute", "fee_transfer"]
            .iter()
            .filter_map(|name| view.get(name))
            .map(calls)
            .sum(),
        events: length("sorted_events"),
        messages: length("sorted_messages"),
        reason: text("revert_reason").or_else(|| text("error")),
    }
}

fn calls(call: &Value) -> u64 {
    let inner = call.get("inner_calls").and_then(Value::as_array);
    inner.map_or(0, |inner| 1 + inner.iter().map(calls).sum::<u64>())
}

/// A viewed state diff as starkiln writes it: the same names, sets and maps of felts.
fn state_diff(view: &Value) -> StateDiff {
    serde_json::from_value(view.clone()).expect("the view has the names of a state diff")
}
