//! Recipes for what hosts seldom see: client-side proofs, absurd bounds, classes with rules of their own,
//! reserved addresses.
//!
//! Input: where things are, random numbers. Output: drafts.

use starkiln::transaction::ExecutionFlags;
use starknet_api::block::StarknetVersion;
use starknet_api::core::{ContractAddress, OsChainInfo};
use starknet_api::transaction::fields::Fee;
use starknet_types_core::felt::Felt;

use super::accounts::AccountKind;
use super::at;
use super::draft::{Action, Bounds, Call, Draft, Signing, call, selector, span};
use super::listed::Listed;
use super::random::Random;
use super::special::{Recipe, account};
use super::world::{World, short_text};

/// Enough for whatever is done here, in wei.
const ENOUGH: Fee = Fee(10_u128.pow(18));

/// The highest tip with which accounts of the list are shown version 1.
const TIP: u64 = 8_000_000_000_000;

fn felt(value: impl Into<Felt>) -> Felt {
    value.into()
}

fn simple() -> Vec<Call> {
    vec![call(at::SYSCALLS_NEW, "emit_info", vec![])]
}

fn signed(world: &World, random: &mut Random) -> Draft {
    Draft::new(Action::Invoke(simple()), account(world, random, AccountKind::Signed))
}

/// The index of a field in proof facts.
mod fact {
    pub const VERSION: usize = 0;
    pub const MARKER: usize = 1;
    pub const PROGRAM: usize = 2;
    pub const OUTPUT: usize = 3;
    pub const NUMBER: usize = 4;
    pub const HASH: usize = 5;
    pub const CONFIG: usize = 6;
}

/// Facts as good as the version allows.
fn facts(world: &World, random: &mut Random) -> Vec<Felt> {
    let lists = &world.constants.lists;
    let pick = |list: &[Felt], otherwise: Felt, random: &mut Random| {
        if list.is_empty() { otherwise } else { *random.pick(list) }
    };
    let hashes = world.file.state.contracts.get(&ContractAddress::from(1_u128));
    let hashes: Vec<_> = hashes.into_iter().flat_map(|contract| &contract.storage).collect();
    let (number, hash) =
        if hashes.is_empty() { (felt(3_u64), felt(4_u64)) } else { random_pair(&hashes, random) };
    let chain = OsChainInfo {
        chain_id: world.file.chain.chain_id.clone(),
        strk_fee_token_address: world.file.chain.strk_fee_token,
    };
    let version = StarknetVersion::try_from(world.file.protocol_version).expect("both know it");
    let config = chain.compute_virtual_os_config_hash(version).expect("the chain's name is short");
    vec![
        pick(&lists.proof_versions, short_text("PROOF0"), random),
        short_text("VIRTUAL_SNOS"),
        pick(&lists.virtual_os_program_hashes, felt(5_u64), random),
        short_text("VIRTUAL_SNOS0"),
        number,
        hash,
        config,
    ]
}

fn random_pair(cells: &[(&starknet_api::state::StorageKey, &Felt)], random: &mut Random) -> (Felt, Felt) {
    let (number, hash) = random.pick(cells);
    (*number.0.key(), **hash)
}

/// Facts with one thing changed.
fn changed(world: &World, random: &mut Random, place: usize, value: Felt) -> Draft {
    let mut facts = facts(world, random);
    facts[place] = value;
    signed(world, random).proof_facts(facts)
}

/// Proofs made by clients.
pub const PROOFS: &[Recipe] = &[
    ("accepted", |world, random| {
        let facts = facts(world, random);
        signed(world, random).proof_facts(facts)
    }),
    ("accepted, with more felts", |world, random| {
        let facts = [facts(world, random), random.felts(6)].concat();
        signed(world, random).proof_facts(facts)
    }),
    ("accepted, free", |world, random| {
        let facts = facts(world, random);
        let flags = ExecutionFlags { charge_fee: false, ..Default::default() };
        signed(world, random).proof_facts(facts).flags(flags)
    }),
    ("for little gas", |world, random| {
        let facts = facts(world, random);
        let l2 = random.between(60_000_000, 90_000_000);
        signed(world, random).proof_facts(facts).bounds(Bounds::All { l1: 1000, data: 2000, l2, price: 150 })
    }),
    ("reverted", |world, random| {
        let facts = facts(world, random);
        let calls = vec![call(at::SYSCALLS, "panic_with", span(&[short_text("PROVEN")]))];
        Draft::new(Action::Invoke(calls), account(world, random, AccountKind::Steps)).proof_facts(facts)
    }),
    ("for L1 gas", |world, random| {
        let facts = facts(world, random);
        signed(world, random).proof_facts(facts).bounds(Bounds::ENOUGH_L1)
    }),
    ("of another version", |world, random| {
        let version = *random.pick(&["PROOF0", "PROOF1", "PROOF2", "PROOF3"]);
        changed(world, random, fact::VERSION, short_text(version))
    }),
    ("of another kind", |world, random| changed(world, random, fact::MARKER, short_text("SNOS"))),
    ("of another program", |world, random| {
        let program = random.felt();
        changed(world, random, fact::PROGRAM, program)
    }),
    ("with another output", |world, random| {
        changed(world, random, fact::OUTPUT, short_text("VIRTUAL_SNOS1"))
    }),
    ("on a young block", |world, random| {
        let number = felt(world.number().saturating_sub(random.below(12)));
        changed(world, random, fact::NUMBER, number)
    }),
    ("on a block beyond 64 bits", |world, random| {
        changed(world, random, fact::NUMBER, felt(u128::from(u64::MAX) + 1))
    }),
    ("on a block without hash", |world, random| changed(world, random, fact::HASH, Felt::ZERO)),
    ("on another block", |world, random| {
        let hash = random.felt();
        changed(world, random, fact::HASH, hash)
    }),
    ("on another chain", |world, random| {
        let config = random.felt();
        changed(world, random, fact::CONFIG, config)
    }),
    ("too short", |world, random| {
        let mut facts = facts(world, random);
        facts.truncate(random.between(1, 6) as usize);
        signed(world, random).proof_facts(facts)
    }),
    ("by the poor", |world, random| {
        let facts = facts(world, random);
        Draft::new(Action::Invoke(simple()), &world.poor).proof_facts(facts)
    }),
];

/// Absurd bounds.
pub const ABSURD: &[Recipe] = &[
    ("all amounts", |world, random| {
        signed(world, random).bounds(Bounds::All { l1: u64::MAX, data: u64::MAX, l2: u64::MAX, price: 100 })
    }),
    ("all prices", |world, random| {
        signed(world, random).bounds(Bounds::Exactly([
            (1000, u128::MAX),
            (1000, u128::MAX),
            (100_000_000, u128::MAX),
        ]))
    }),
    ("the largest of one", |world, random| {
        let mut bounds = [(10_000, 1_u128 << 70), (2000, 1 << 70), (100_000_000, 1 << 40)];
        bounds[random.below(3) as usize].0 = u64::MAX;
        signed(world, random).bounds(Bounds::Exactly(bounds))
    }),
    ("a price of zero", |world, random| {
        let mut bounds = [(10_000, 1_u128 << 50), (2000, 1 << 50), (100_000_000, 1 << 40)];
        bounds[random.below(3) as usize].1 = 0;
        signed(world, random).bounds(Bounds::Exactly(bounds))
    }),
    ("much gas", |world, random| {
        let l2 = random.between(900_000_000, 2_500_000_000);
        let flags = ExecutionFlags { charge_fee: false, ..Default::default() };
        signed(world, random).bounds(Bounds::All { l1: 1000, data: 1000, l2, price: 100 }).flags(flags)
    }),
    ("unlimited, free", |world, random| {
        let flags = ExecutionFlags { charge_fee: false, ..Default::default() };
        let most = (u64::MAX, u128::MAX);
        signed(world, random).bounds(Bounds::Exactly([most, most, most])).flags(flags)
    }),
    ("L1 gas without end", |world, random| {
        signed(world, random).bounds(Bounds::L1 { amount: u64::MAX, price: 100 })
    }),
    ("L1 gas without end, free", |world, random| {
        let flags = ExecutionFlags { charge_fee: false, ..Default::default() };
        signed(world, random).bounds(Bounds::L1 { amount: u64::MAX, price: u128::MAX }).flags(flags)
    }),
    ("a tip", |world, random| {
        let tip = *random.pick(&[1, 1_000_000_000_000, 1 << 62, u64::MAX]);
        signed(world, random).tip(tip)
    }),
    ("a tip, reverted", |world, random| {
        let calls = vec![call(at::SYSCALLS, "panic_with", span(&[short_text("TIPPED")]))];
        Draft::new(Action::Invoke(calls), account(world, random, AccountKind::Signed))
            .tip(random.below(1 << 40))
            .bounds(Bounds::All { l1: 1000, data: 2000, l2: 30_000_000, price: 120 })
    }),
    ("a tip, L1 gas", |world, random| {
        signed(world, random).tip(random.below(1 << 40)).bounds(Bounds::ENOUGH_L1)
    }),
    ("tight, with a tip", |world, random| {
        let l2 = random.between(10, 60) * 100_000;
        let bounds = Bounds::All { l1: 1000, data: 1000, l2, price: 120 };
        signed(world, random).tip(random.below(1 << 40)).bounds(bounds)
    }),
];

fn info(listed: &Listed, random: &mut Random) -> (Felt, Vec<Felt>) {
    match listed.code {
        "syscalls_new" => (selector(random.pick::<&str>(&["emit_info", "execution_info_v3"])), vec![]),
        "cairo0/syscalls" => {
            if random.once_in(2) {
                (selector("store_info"), vec![felt(900_u64)])
            } else {
                (selector(random.pick::<&str>(&["get_tx_info", "same_tx_info"])), vec![])
            }
        }
        _ => match random.below(3) {
            0 => (selector("execution_info"), vec![]),
            1 => (selector("execution_info_v2"), vec![]),
            _ => (selector("store_info"), vec![felt(800_u64)]),
        },
    }
}

fn some_tip(random: &mut Random) -> u64 {
    *random.pick(&[0, 1, TIP, TIP + 1])
}

/// Bounds that can pay large tips.
fn bounds(random: &mut Random) -> Bounds {
    if random.once_in(3) {
        return Bounds::ENOUGH_L1;
    }
    Bounds::All { l1: 100_000, data: 40_000, l2: 100_000_000, price: 200 }
}

/// A contract that reports its execution info, under a listed class hash.
fn asker<'w>(world: &'w World, random: &mut Random) -> &'w Listed {
    let askers: Vec<_> = world.listed.iter().filter(|listed| !listed.is_account()).collect();
    random.pick::<&Listed>(&askers)
}

/// Classes that see a different execution info than others, or must not be called.
pub const LISTED: &[Recipe] = &[
    ("called", |world, random| {
        let listed = asker(world, random);
        let (selector, calldata) = info(listed, random);
        let calls = vec![Call { to: listed.address.into(), selector, calldata }];
        let kind = *random.pick(&[AccountKind::Signed, AccountKind::Open, AccountKind::Steps]);
        Draft::new(Action::Invoke(calls), account(world, random, kind))
            .tip(some_tip(random))
            .bounds(bounds(random))
            .flags(ExecutionFlags { query: random.once_in(4), ..Default::default() })
    }),
    ("called as a library", |world, random| {
        let listed = asker(world, random);
        let (selector, calldata) = info(listed, random);
        let calldata = [vec![listed.class_hash.0, selector], span(&calldata)].concat();
        let calls = vec![call(at::SYSCALLS, "library_call", calldata)];
        Draft::new(Action::Invoke(calls), account(world, random, AccountKind::Signed))
            .tip(some_tip(random))
            .bounds(bounds(random))
    }),
    ("account", |world, random| {
        let accounts: Vec<_> = world.listed.iter().filter(|listed| listed.is_account()).collect();
        let account = random.pick::<&Listed>(&accounts).account();
        let orders = match random.below(3) {
            0 => vec![],
            1 => vec![felt(14_u64)],
            _ => vec![felt(13_u64), felt(random.below(1000))],
        };
        Draft::new(Action::Invoke(simple()), &account)
            .signing(Signing::Felts(orders))
            .tip(some_tip(random))
            .bounds(bounds(random))
    }),
    ("account, version 1", |world, random| {
        let accounts: Vec<_> = world.listed.iter().filter(|listed| listed.is_account()).collect();
        let account = random.pick::<&Listed>(&accounts).account();
        let orders = vec![felt(14_u64)];
        Draft::new(Action::InvokeV1(simple(), ENOUGH), &account).signing(Signing::Felts(orders))
    }),
    ("called as version 0", |world, random| {
        let listed = asker(world, random);
        let (selector, calldata) = info(listed, random);
        let call = Call { to: listed.address.into(), selector, calldata };
        let flags = ExecutionFlags { charge_fee: false, query: random.once_in(4), ..Default::default() };
        Draft::new(Action::InvokeV0(call, Fee(0)), account(world, random, AccountKind::Signed)).flags(flags)
    }),
    ("version 0 through an account", |world, random| {
        let listed = world.listed.iter().find(|listed| listed.is_faulty()).expect("it is always there");
        let calldata = match random.below(2) {
            0 => vec![Call { to: listed.address.into(), selector: selector("nothing"), calldata: vec![] }],
            _ => {
                let parts = vec![listed.class_hash.0, selector("nothing"), felt(0_u64)];
                vec![call(at::SYSCALLS, "library_call", parts)]
            }
        };
        let sender = account(world, random, AccountKind::Signed);
        let to = *sender.address.0.key();
        let execute =
            Call { to, selector: selector("__execute__"), calldata: sender.execute_calldata(&calldata) };
        Draft::new(Action::InvokeV0(execute, ENOUGH), sender)
    }),
    ("reserved address", |world, random| {
        let to = felt(random.below(20));
        let calldata = random.felts(2);
        let name = *random.pick(&["__execute__", "nothing", "constructor"]);
        let calls = vec![Call { to, selector: selector(name), calldata }];
        Draft::new(Action::Invoke(calls), account(world, random, AccountKind::Signed))
    }),
    ("message to a listed class", |world, random| {
        let listed = asker(world, random);
        let data = vec![felt(random.number()), random.felt(), random.felt()];
        let handle = selector("handle");
        Draft::new(Action::L1Handler(listed.address.into(), handle, data, Fee(77)), &world.poor)
    }),
];
