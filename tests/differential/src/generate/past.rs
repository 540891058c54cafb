//! Recipes for transactions of the past: versions 0 and 1, Cairo 0 accounts and classes, fees in wei.
//!
//! Input: where things are, random numbers. Output: drafts. DEPLOY is not among them: blockifier does not
//! execute it.

use starkiln::transaction::ExecutionFlags;
use starknet_api::core::ClassHash;
use starknet_api::transaction::fields::Fee;
use starknet_types_core::felt::Felt;

use super::accounts::{Account, AccountKind, Newcomer};
use super::at;
use super::calls;
use super::draft::{Action, Bounds, Call, Draft, Signing, call, selector, span};
use super::library::PAST_UNDECLARED;
use super::random::Random;
use super::special::{Recipe, account};
use super::world::World;
use super::{Boxed, nested, past_calls};

/// Enough for whatever these transactions do, in wei.
const ENOUGH: Fee = Fee(10_u128.pow(18));

/// Nothing is charged.
const FREE: ExecutionFlags =
    ExecutionFlags { query: false, charge_fee: false, validate: true, strict_nonce: true };

/// Every recipe.
pub fn all() -> Vec<(String, Boxed)> {
    let whole = [("old transactions", TRANSACTIONS), ("old validation", VALIDATION)];
    let whole = whole.into_iter().flat_map(|(group, list)| {
        list.iter().map(move |&(name, recipe)| (format!("{group}: {name}"), Box::new(recipe) as Boxed))
    });
    let groups = [
        ("old syscalls", past_calls::SYSCALLS),
        ("old nested", past_calls::NESTED),
        ("old library", past_calls::LIBRARY),
        ("tokens", calls::TOKENS),
        ("nested", nested::NESTED),
    ];
    let calls = groups.into_iter().flat_map(|(group, list)| {
        list.iter().map(move |&(name, recipe)| (format!("{group}: {name}"), usual(recipe)))
    });
    whole.chain(calls).collect()
}

/// Calls by some account, as one of the versions.
pub fn usual(recipe: fn(&World, &mut Random) -> Vec<Call>) -> Boxed {
    Box::new(move |world, random| {
        let calls = recipe(world, random);
        let kinds = [
            AccountKind::Old,
            AccountKind::Old,
            AccountKind::OldOpen,
            AccountKind::Signed,
            AccountKind::Steps,
        ];
        let kind = *random.pick(&kinds);
        let account = account(world, random, kind);
        match random.below(8) {
            0 => version_0(account, &calls),
            1 => Draft::new(Action::Invoke(calls), account).bounds(Bounds::ENOUGH_L1),
            2 => Draft::new(Action::Invoke(calls), account),
            3 => directly(account, calls),
            _ => Draft::new(Action::InvokeV1(calls, ENOUGH), account),
        }
    })
}

/// Version 0 through an account.
fn version_0(account: &Account, calls: &[Call]) -> Draft {
    let to = *account.address.0.key();
    let execute = Call { to, selector: selector("__execute__"), calldata: account.execute_calldata(calls) };
    Draft::new(Action::InvokeV0(execute, ENOUGH), account)
}

/// Version 0 without any account, so that no account could pay.
fn directly(account: &Account, calls: Vec<Call>) -> Draft {
    let first = calls.into_iter().next().expect("a recipe makes at least one call");
    Draft::new(Action::InvokeV0(first, Fee(0)), account).flags(FREE)
}

fn simple() -> Vec<Call> {
    vec![call(at::OLD_SYSCALLS, "storage_write", vec![Felt::ONE, Felt::TWO])]
}

fn old<'w>(world: &'w World, random: &mut Random) -> &'w Account {
    account(world, random, AccountKind::Old)
}

fn some_fee(random: &mut Random) -> Fee {
    Fee(u128::from(random.number() >> random.below(30)))
}

fn newcomer(world: &World, random: &mut Random) -> Newcomer {
    random.pick(&world.newcomers).clone()
}

fn undeclared(world: &World, random: &mut Random) -> ClassHash {
    world.class_hashes[*random.pick(&PAST_UNDECLARED)]
}

fn message(random: &mut Random, to: u128, name: &str, calldata: Vec<Felt>) -> Action {
    Action::L1Handler(Felt::from(to), selector(name), calldata, Fee(u128::from(random.between(1, 1 << 40))))
}

/// Transactions that are no plain calls, or not right.
const TRANSACTIONS: &[Recipe] = &[
    ("version 1 for a small fee", |world, random| {
        let fee = some_fee(random);
        Draft::new(Action::InvokeV1(simple(), fee), old(world, random))
    }),
    ("version 1 for no fee", |world, random| {
        Draft::new(Action::InvokeV1(simple(), Fee(0)), old(world, random))
    }),
    ("version 1 for more than there is", |world, random| {
        Draft::new(Action::InvokeV1(simple(), Fee(u128::MAX)), old(world, random))
    }),
    ("version 1 by the poor", |world, random| {
        Draft::new(Action::InvokeV1(simple(), some_fee(random)), &world.poor)
    }),
    ("version 1 with a wrong nonce", |world, random| {
        let off = *random.pick(&[-1, 1]);
        Draft::new(Action::InvokeV1(simple(), ENOUGH), old(world, random)).nonce_off(off)
    }),
    ("version 1 with a lenient nonce", |world, random| {
        let flags = ExecutionFlags { strict_nonce: false, ..Default::default() };
        Draft::new(Action::InvokeV1(simple(), ENOUGH), old(world, random)).nonce_off(1).flags(flags)
    }),
    ("version 1 with a wrong signature", |world, random| {
        Draft::new(Action::InvokeV1(simple(), ENOUGH), old(world, random)).signing(Signing::WrongKey)
    }),
    ("version 1 with a short signature", |world, random| {
        let felts = random.felts(1);
        Draft::new(Action::InvokeV1(simple(), ENOUGH), old(world, random)).signing(Signing::Felts(felts))
    }),
    ("version 1 without validation", |world, random| {
        let flags = ExecutionFlags { validate: false, ..Default::default() };
        Draft::new(Action::InvokeV1(simple(), ENOUGH), old(world, random))
            .signing(Signing::WrongKey)
            .flags(flags)
    }),
    ("version 1 without fee", |world, random| {
        Draft::new(Action::InvokeV1(simple(), Fee(0)), old(world, random)).flags(FREE)
    }),
    ("version 1 as a query", |world, random| {
        let flags = ExecutionFlags { query: true, charge_fee: false, ..Default::default() };
        let info = vec![call(at::OLD_SYSCALLS, "store_info", vec![Felt::from(700_u64)])];
        let signing = Signing::Felts(vec![]);
        let account = account(world, random, AccountKind::OldOpen);
        Draft::new(Action::InvokeV1(info, ENOUGH), account).signing(signing).flags(flags)
    }),
    ("version 0 for a fee", |world, random| {
        let draft = version_0(old(world, random), &simple());
        let Action::InvokeV0(call, _) = draft.action.clone() else { return draft };
        Draft { action: Action::InvokeV0(call, some_fee(random)), ..draft }
    }),
    ("version 0 with a wrong signature", |world, random| {
        version_0(old(world, random), &simple()).signing(Signing::WrongKey)
    }),
    ("version 0 without fee", |world, random| version_0(old(world, random), &simple()).flags(FREE)),
    ("version 0 to an undeployed address", |world, random| {
        Draft::new(Action::InvokeV0(call(0xdead, "nothing", vec![]), Fee(0)), old(world, random)).flags(FREE)
    }),
    ("version 0 as a query", |world, random| {
        let flags = ExecutionFlags { query: true, charge_fee: false, ..Default::default() };
        let info = call(at::OLD_SYSCALLS, "store_info", vec![Felt::from(800_u64)]);
        Draft::new(Action::InvokeV0(info, Fee(0)), old(world, random)).flags(flags)
    }),
    ("deploy an account as version 1", |world, random| {
        Draft::new(Action::DeployAccountV1(newcomer(world, random), ENOUGH), &world.poor)
    }),
    ("deploy an account as version 1 for a small fee", |world, random| {
        Draft::new(Action::DeployAccountV1(newcomer(world, random), some_fee(random)), &world.poor)
    }),
    ("deploy an account as version 1 with a wrong signature", |world, random| {
        let draft = Draft::new(Action::DeployAccountV1(newcomer(world, random), ENOUGH), &world.poor);
        draft.signing(Signing::WrongKey)
    }),
    ("deploy a Cairo 0 account as version 3", |world, random| {
        Draft::new(Action::DeployAccount(newcomer(world, random)), &world.poor)
    }),
    ("deploy an account of a class that is none", |world, random| {
        let class_hash =
            world.class_hashes[*random.pick(&["cairo0/syscalls", "cairo0/constructors", "cairo0/erc20"])];
        let newcomer = Newcomer { class_hash, ..newcomer(world, random) };
        Draft::new(Action::DeployAccountV1(newcomer, ENOUGH), &world.poor).flags(FREE)
    }),
    ("declare as version 1", |world, random| {
        let class_hash = undeclared(world, random);
        Draft::new(Action::DeclareV1(class_hash, ENOUGH), old(world, random))
    }),
    ("declare as version 1 again", |world, random| {
        let class_hash = world.class_hashes["cairo0/erc20"];
        Draft::new(Action::DeclareV1(class_hash, ENOUGH), old(world, random))
    }),
    ("declare as version 1 for a small fee", |world, random| {
        let class_hash = undeclared(world, random);
        Draft::new(Action::DeclareV1(class_hash, some_fee(random)), old(world, random))
    }),
    ("declare as version 1 by a Cairo 1 account", |world, random| {
        let class_hash = undeclared(world, random);
        let kind = *random.pick(&[AccountKind::Signed, AccountKind::Open, AccountKind::Steps]);
        Draft::new(Action::DeclareV1(class_hash, ENOUGH), account(world, random, kind))
    }),
    ("declare as version 0", |world, random| {
        let class_hash = undeclared(world, random);
        Draft::new(Action::DeclareV0(class_hash, Fee(0)), old(world, random)).flags(FREE)
    }),
    ("declare as version 0 again", |world, random| {
        let class_hash = world.class_hashes["cairo0/caller"];
        Draft::new(Action::DeclareV0(class_hash, some_fee(random)), old(world, random))
    }),
    ("a message to Cairo 0", |world, random| {
        let name = *random.pick(&["handle", "handle", "handle_and_fail", "no_such_handler"]);
        let calldata = vec![Felt::from(0x11_u64), random.felt(), random.felt()];
        let to = *random.pick(&[at::OLD_SYSCALLS, at::OLD_SYSCALLS, at::OLD_PROXY, 0xdead]);
        Draft::new(message(random, to, name, calldata), &world.poor)
    }),
    ("a message that is answered", |world, random| {
        let payload = random.felts(3);
        let calldata = [vec![Felt::from(0x11_u64)], span(&payload)].concat();
        Draft::new(message(random, at::OLD_SYSCALLS, "handle_and_answer", calldata), &world.poor)
    }),
    ("a message without payment", |world, _| {
        let calldata = vec![Felt::ONE, Felt::ONE, Felt::ONE];
        let to = Felt::from(at::OLD_SYSCALLS);
        Draft::new(Action::L1Handler(to, selector("handle"), calldata, Fee(0)), &world.poor)
    }),
    ("nonsense for an old account", |world, random| {
        let to = *old(world, random).address.0.key();
        let calldata = random.felts(5);
        let execute = Call { to, selector: selector("__execute__"), calldata };
        Draft::new(Action::InvokeV0(execute, Fee(0)), &world.poor).flags(FREE)
    }),
    ("a constructor called as a function", |world, random| {
        let name = *random.pick(&["constructor", "__default__", "__validate__", "handle"]);
        let to = *random.pick(&[at::OLD_TOKEN, at::OLD_PROXY, at::OLD_SYSCALLS]);
        let calldata = random.felts(3);
        Draft::new(Action::InvokeV0(call(to, name, calldata), Fee(0)), old(world, random)).flags(FREE)
    }),
];

/// Commands for an account without a signature check.
fn ordered(world: &World, random: &mut Random, orders: Vec<Felt>) -> Draft {
    let draft = if random.once_in(4) {
        Draft::new(Action::Invoke(simple()), account(world, random, AccountKind::OldOpen))
            .bounds(Bounds::ENOUGH_L1)
    } else {
        Draft::new(Action::InvokeV1(simple(), ENOUGH), account(world, random, AccountKind::OldOpen))
    };
    draft.signing(Signing::Felts(orders))
}

fn felts(list: &[u128]) -> Vec<Felt> {
    list.iter().copied().map(Felt::from).collect()
}

/// Actions that validations of Cairo 0 accounts may or may not take.
const VALIDATION: &[Recipe] = &[
    ("old validation fails", |world, random| ordered(world, random, felts(&[1, 77]))),
    ("old validation divides by zero", |world, random| ordered(world, random, felts(&[2]))),
    ("old validation never ends", |world, random| ordered(world, random, felts(&[3]))),
    ("old validation calls", |world, random| {
        let write = [Felt::from(at::OLD_SYSCALLS), selector("storage_write"), Felt::ONE, Felt::ONE];
        ordered(world, random, [vec![Felt::from(4_u64)], write.to_vec()].concat())
    }),
    ("old validation asks for the block", |world, random| {
        let mode = *random.pick(&[5, 14, 15, 16]);
        ordered(world, random, felts(&[mode]))
    }),
    ("old validation writes", |world, random| ordered(world, random, felts(&[6, 5]))),
    ("old validation emits", |world, random| ordered(world, random, felts(&[7, 5]))),
    ("old validation deploys", |world, random| {
        let class = world.class("cairo0/forbidden_builtin");
        ordered(world, random, vec![Felt::from(8_u64), class, Felt::from(0x77_u64)])
    }),
    ("old validation sends", |world, random| ordered(world, random, felts(&[9, 5, 6]))),
    ("old validation replaces its class", |world, random| {
        ordered(world, random, vec![Felt::from(10_u64), world.class("cairo0/account_open")])
    }),
    ("old validation calls a library", |world, random| {
        let class = world.class("cairo0/syscalls");
        ordered(world, random, vec![Felt::from(11_u64), class, selector("get_caller_address")])
    }),
    ("old validation reads a cell", |world, random| {
        let value = random.below(3);
        ordered(world, random, felts(&[12, 0x99, value.into()]))
    }),
    ("old validation runs long", |world, random| {
        let times = random.between(1, 400_000);
        ordered(world, random, felts(&[13, times.into()]))
    }),
    ("old validation delegates", |world, random| {
        let target = [Felt::from(at::OLD_SYSCALLS), selector("get_caller_address")];
        ordered(world, random, [vec![Felt::from(17_u64)], target.to_vec()].concat())
    }),
];
