//! Random blocks: all kinds of transactions on contracts of many kinds, drawn from recipes.
//!
//! Input: a seed. Output: a block file whose expected outcomes are blockifier's.

mod abi;
mod accounts;
mod at;
mod calls;
mod draft;
mod driven;
mod edges;
mod environment;
mod fit;
mod initial;
mod library;
mod listed;
mod nested;
mod packages;
mod past;
mod past_calls;
mod random;
mod rare;
mod raw;
mod special;
mod world;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use starkiln::block::TransactionStatus;
use starkiln::protocol::ProtocolVersion;
use starkiln::replay::{BlockFile, Expected, ExpectedTransaction};
use starkiln::state::StateDiff;
use starknet_api::execution_resources::{GasAmount, GasVector};
use starknet_api::transaction::fields::Fee;

pub use self::abi::{Abi, Names};
use self::accounts::AccountKind;
use self::draft::{Action, Bounds, Draft, Signing};
pub use self::library::{Library, MoreClasses};
pub use self::packages::PackageClass;
pub use self::random::Random;
use self::special::account;
pub use self::world::Era;
use self::world::World;
use crate::input::{Input, prepared};
use crate::reference::{Blockifier, Ending};

/// The request for a block.
#[derive(Clone, Debug)]
pub struct Request {
    /// Its version.
    pub version: ProtocolVersion,
    /// The era of its transactions.
    pub era: Era,
    /// The number of programs.
    pub transactions: usize,
    /// The seed of all random choices.
    pub seed: u64,
    /// The purpose.
    pub purpose: Purpose,
    /// Only recipes whose names begin so.
    pub recipes: String,
}

/// The purpose of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A demonstration: the usual environment, and no transaction on which blockifier panics.
    Demo,
    /// To find differences: any environment, any transactions.
    Fuzz,
}

/// A generated block.
pub struct Generated {
    /// The block, with what is expected of it.
    pub file: BlockFile,
    /// The recipe of each transaction.
    pub recipes: Vec<String>,
    /// Transactions by kind and ending.
    pub counts: BTreeMap<(String, &'static str), usize>,
}

/// Makes a block. Every recipe is used once, as far as they fit, in random order; the rest is random, and
/// leans to what accounts do most.
pub fn generate(library: &Library, request: &Request) -> Result<Generated, String> {
    let &Request { version, era, transactions: count, seed, purpose, .. } = request;
    let mut random = Random::new(seed);
    let world = World::new(library, version, era, purpose, &mut random);
    let mut input = Input::with_classes(&world.file, world.classes.clone())?;
    let mut blockifier = Blockifier::new(&input, library.blockifier_classes.clone())?;
    let mut generated = Generated { file: world.file.clone(), recipes: Vec::new(), counts: BTreeMap::new() };
    let mut expected = Vec::new();
    let mut plan = plan(request, &mut random).into_iter();
    while generated.file.transactions.len() < count {
        let (name, recipe) = plan.next().unwrap_or_else(|| one_more(request, &mut random));
        let draft = recipe(&world, &mut random);
        let nonce = blockifier.nonce_at(draft.nonce_address());
        let draft = fit::fitted(draft, &mut random, &mut |draft| {
            let transaction = draft.clone().complete(&world, nonce);
            blockifier.try_out(&prepared(&transaction, &world.classes).expect("its class is there"))
        });
        let transaction = draft.complete(&world, nonce);
        let ready = prepared(&transaction, &world.classes)?;
        let outcome = blockifier.execute(&ready);
        if outcome.panic.is_some() && purpose == Purpose::Demo {
            continue;
        }
        let kind = format!("{:?}", ready.kind());
        *generated.counts.entry((kind, outcome.ending.name())).or_default() += 1;
        generated.recipes.push(name);
        expected.push(expected_transaction(&outcome.view, outcome.ending));
        input.transactions.push(ready);
        generated.file.transactions.push(transaction);
    }
    generated.file.expected = Some(Expected {
        transactions: expected,
        state_diff: Some(state_diff(&blockifier.close().state_diff)),
    });
    Ok(generated)
}

type Boxed = Box<dyn Fn(&World, &mut Random) -> Draft>;

/// The names of all recipes of an era that begin so.
pub fn recipes(era: Era, with: &str) -> BTreeSet<String> {
    let all = all(era, Purpose::Fuzz).into_iter();
    all.map(|(name, _)| name).filter(|name| name.starts_with(with)).collect()
}

fn all(era: Era, purpose: Purpose) -> Vec<(String, Boxed)> {
    let mut all = match era {
        Era::Modern => modern(),
        Era::Past => past::all(),
    };
    if purpose == Purpose::Fuzz {
        let rare = [("proofs", rare::PROOFS), ("absurd", rare::ABSURD), ("listed", rare::LISTED)];
        for (group, list) in rare {
            all.extend(
                list.iter().map(|&(name, recipe)| (format!("{group}: {name}"), Box::new(recipe) as Boxed)),
            );
        }
        for &(name, recipe) in edges::EDGES {
            let boxed: Boxed = match era {
                Era::Modern => Box::new(move |world, random| usual(world, random, recipe)),
                Era::Past => past::usual(recipe),
            };
            all.push((format!("edges: {name}"), boxed));
        }
        all.extend(driven::recipes(era));
        all.extend(fit::recipes(era));
    }
    all
}

/// All recipes for transactions of version 3.
fn modern() -> Vec<(String, Boxed)> {
    let mut all: Vec<(String, Boxed)> = Vec::new();
    let whole = [
        ("kinds", special::KINDS),
        ("messages", special::MESSAGES),
        ("unusual", special::UNUSUAL),
        ("validation", special::VALIDATION),
    ];
    for (group, list) in whole {
        for &(name, recipe) in list {
            all.push((format!("{group}: {name}"), Box::new(recipe)));
        }
    }
    let groups = [
        ("tokens", calls::TOKENS),
        ("syscalls", calls::SYSCALLS),
        ("new syscalls", calls::SYSCALLS_NEW),
        ("nested", nested::NESTED),
        ("upgrades", nested::UPGRADES),
    ];
    for (group, list) in groups {
        for &(name, recipe) in list {
            let boxed: Boxed = Box::new(move |world, random| usual(world, random, recipe));
            all.push((format!("{group}: {name}"), boxed));
        }
    }
    all
}

/// The recipes to use, in order.
fn plan(request: &Request, random: &mut Random) -> Vec<(String, Boxed)> {
    let mut all = all(request.era, request.purpose);
    all.retain(|(name, _)| name.starts_with(&request.recipes));
    let count = request.transactions;
    // Fisher and Yates, as far as needed.
    let mut chosen = Vec::new();
    while chosen.len() < count && !all.is_empty() {
        let index = random.below(all.len() as u64) as usize;
        chosen.push(all.swap_remove(index));
    }
    while chosen.len() < count {
        let index = random.below(chosen.len() as u64 + 1) as usize;
        chosen.insert(index, one_more(request, random));
    }
    chosen
}

/// One recipe at random.
fn one_more(request: &Request, random: &mut Random) -> (String, Boxed) {
    let mut all = all(request.era, request.purpose);
    let wanted = match (request.era, random.below(10)) {
        (Era::Modern, 0..4) => "tokens",
        (Era::Modern, 4..6) => "nested",
        (Era::Modern, 6) => "upgrades",
        (Era::Past, 0..2) => "old syscalls",
        (Era::Past, 2..4) => "old nested",
        (Era::Past, 4) => "old library",
        _ => "",
    };
    let wanted = if request.recipes.is_empty() { wanted } else { &request.recipes };
    all.retain(|(name, _)| name.starts_with(wanted));
    all.swap_remove(random.below(all.len() as u64) as usize)
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

/// The expectation that a view of blockifier's outcome stands for.
fn expected_transaction(view: &Value, ending: Ending) -> ExpectedTransaction {
    let text = |name: &str| view.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
    let number = |value: Option<&Value>| value.and_then(Value::as_u64).unwrap_or_default();
    let gas = |name: &str| {
        let vector = view.get("receipt").and_then(|receipt| receipt.get(name));
        let part = |part: &str| GasAmount(number(vector.and_then(|vector| vector.get(part))));
        GasVector { l1_gas: part("l1_gas"), l1_data_gas: part("l1_data_gas"), l2_gas: part("l2_gas") }
    };
    let length = |name: &str| view.get(name).and_then(Value::as_array).map_or(0, Vec::len) as u64;
    let status = match ending {
        Ending::Succeeded => TransactionStatus::Succeeded,
        Ending::Reverted => TransactionStatus::Reverted,
        Ending::Invalid => TransactionStatus::Invalid,
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

/// A viewed state diff in starkiln's JSON: the same names, sets and maps of felts.
fn state_diff(view: &Value) -> StateDiff {
    serde_json::from_value(view.clone()).expect("the view has the names of a state diff")
}
