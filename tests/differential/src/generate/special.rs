//! Recipes for whole transactions: other kinds than calls, wrong ones, and accounts that misbehave while
//! validating.
//!
//! Input: where things are, random numbers. Output: drafts.

use starkiln::class::ContractClass;
use starkiln::transaction::ExecutionFlags;
use starknet_api::core::{ClassHash, CompiledClassHash};
use starknet_api::transaction::fields::Fee;
use starknet_types_core::felt::Felt;

use super::accounts::{Account, AccountKind, Newcomer};
use super::at;
use super::draft::{Action, Bounds, Call, Draft, Signing, call, selector, span, wide};
use super::library::UNDECLARED;
use super::random::Random;
use super::world::{World, short_text};

/// A named way to make a transaction.
pub type Recipe = (&'static str, fn(&World, &mut Random) -> Draft);

fn felt(value: impl Into<Felt>) -> Felt {
    value.into()
}

/// A random account of a kind.
pub fn account<'w>(world: &'w World, random: &mut Random, kind: AccountKind) -> &'w Account {
    let range = match kind {
        // The last two signed ones are there to be emptied.
        AccountKind::Signed => 0..10,
        AccountKind::Open => 12..18,
        AccountKind::Steps => 18..22,
        AccountKind::Old => 22..28,
        AccountKind::OldOpen | AccountKind::Single => 28..32,
    };
    random.pick(&world.accounts[range])
}

fn simple() -> Vec<Call> {
    vec![call(at::NFT, "mint", vec![])]
}

fn signed(world: &World, random: &mut Random, calls: Vec<Call>) -> Draft {
    Draft::new(Action::Invoke(calls), account(world, random, AccountKind::Signed))
}

/// An account without a signature check, which reads its commands from the signature.
fn ordered(world: &World, random: &mut Random, orders: Vec<Felt>) -> Draft {
    Draft::new(Action::Invoke(simple()), account(world, random, AccountKind::Open))
        .signing(Signing::Felts(orders))
}

pub fn compiled(world: &World, class_hash: ClassHash) -> [CompiledClassHash; 2] {
    match &world.classes[&class_hash].ours.class {
        ContractClass::Cairo1(class) => [class.compiled_class_hash_v1(), class.compiled_class_hash_v2()],
        _ => unreachable!("our contracts are Cairo 1"),
    }
}

fn undeclared(world: &World, random: &mut Random) -> ClassHash {
    world.class_hashes[*random.pick(&UNDECLARED)]
}

fn newcomer(world: &World, random: &mut Random) -> Newcomer {
    random.pick(&world.newcomers).clone()
}

/// A declaration, the compiled class hash of the first or the second kind.
fn declare(world: &World, random: &mut Random, class_hash: ClassHash, second: bool) -> Draft {
    let kind =
        *random.pick(&[AccountKind::Signed, AccountKind::Signed, AccountKind::Open, AccountKind::Steps]);
    let compiled = compiled(world, class_hash)[usize::from(second)];
    Draft::new(Action::Declare(class_hash, compiled), account(world, random, kind))
}

fn message(random: &mut Random, name: &str, calldata: Vec<Felt>) -> Action {
    Action::L1Handler(
        felt(at::SYSCALLS),
        selector(name),
        calldata,
        Fee(u128::from(random.between(1, 1 << 40))),
    )
}

fn handler(world: &World, action: Action) -> Draft {
    Draft::new(action, &world.accounts[0])
}

/// Other kinds of transactions.
pub const KINDS: &[Recipe] = &[
    ("declare", |world, random| declare(world, random, world.class_hashes["upgradable_v2"], true)),
    ("declare another", |world, random| declare(world, random, world.class_hashes["circuit"], true)),
    ("declare with version 2", |world, random| {
        let class_hash = world.class_hashes["erc20_steps"];
        let action = Action::DeclareV2(class_hash, compiled(world, class_hash)[1], Fee(10_u128.pow(18)));
        Draft::new(action, account(world, random, AccountKind::Signed))
    }),
    ("declare by the older hash", |world, random| {
        let class_hash = undeclared(world, random);
        declare(world, random, class_hash, false)
    }),
    ("declare by the younger hash", |world, random| {
        let class_hash = undeclared(world, random);
        declare(world, random, class_hash, true).bounds(Bounds::ENOUGH_L1)
    }),
    ("declare again", |world, random| declare(world, random, world.class_hashes["erc20"], true)),
    ("declare with a wrong hash", |world, random| {
        let class_hash = undeclared(world, random);
        let action = Action::Declare(class_hash, CompiledClassHash(random.felt()));
        Draft::new(action, account(world, random, AccountKind::Open))
    }),
    ("declare with version 2 and a small fee", |world, random| {
        let class_hash = undeclared(world, random);
        let fee = Fee(u128::from(random.number() >> 16));
        let action = Action::DeclareV2(class_hash, compiled(world, class_hash)[1], fee);
        Draft::new(action, account(world, random, AccountKind::Signed))
    }),
    ("declare with version 2 by the older hash", |world, random| {
        let class_hash = undeclared(world, random);
        let action = Action::DeclareV2(class_hash, compiled(world, class_hash)[0], Fee(10_u128.pow(18)));
        Draft::new(action, account(world, random, AccountKind::Steps))
    }),
    ("declare, tight", |world, random| {
        let class_hash = undeclared(world, random);
        let l2 = random.between(1, 100) * 1_000_000;
        let bounds = Bounds::All { l1: 100_000, data: 60_000, l2, price: 150 };
        declare(world, random, class_hash, true).bounds(bounds)
    }),
    ("deploy an account", |world, random| {
        let newcomer = newcomer(world, random);
        Draft::new(Action::DeployAccount(newcomer), &world.poor)
    }),
    ("deploy an account for L1 gas", |world, random| {
        let newcomer = newcomer(world, random);
        Draft::new(Action::DeployAccount(newcomer), &world.poor).bounds(Bounds::ENOUGH_L1)
    }),
    ("deploy an account with a wrong signature", |world, random| {
        let newcomer = newcomer(world, random);
        Draft::new(Action::DeployAccount(newcomer), &world.poor).signing(Signing::WrongKey)
    }),
    ("deploy an account that fails", |world, _| {
        Draft::new(Action::DeployAccount(world.newcomers[4].clone()), &world.poor)
    }),
    ("deploy an account without money", |world, _| {
        let newcomer = world.newcomers[world.newcomers.len() - 1].clone();
        Draft::new(Action::DeployAccount(newcomer), &world.poor)
    }),
    ("deploy an account of an undeclared class", |world, random| {
        let newcomer = Newcomer { class_hash: ClassHash(random.felt()), ..newcomer(world, random) };
        Draft::new(Action::DeployAccount(newcomer), &world.poor)
            .flags(ExecutionFlags { charge_fee: false, ..Default::default() })
    }),
    ("deploy an account that runs out of gas", |world, random| {
        let newcomer = newcomer(world, random);
        let l2 = random.between(1, 30) * 100_000;
        let bounds = Bounds::All { l1: 10_000, data: 5_000, l2, price: 150 };
        Draft::new(Action::DeployAccount(newcomer), &world.poor).bounds(bounds)
    }),
];

/// Messages from L1.
pub const MESSAGES: &[Recipe] = &[
    ("message", |world, random| {
        let data = vec![felt(random.number()), random.felt(), random.felt()];
        handler(world, message(random, "handle", data))
    }),
    ("message that panics", |world, random| {
        let data = vec![felt(random.number()), random.felt(), random.felt()];
        handler(world, message(random, "handle_and_panic", data))
    }),
    ("message that is answered", |world, random| {
        let data = [vec![felt(random.number())], span(&random.felts(4))].concat();
        handler(world, message(random, "handle_and_answer", data))
    }),
    ("message with little calldata", |world, random| {
        let data = vec![felt(random.number())];
        handler(world, message(random, "handle", data))
    }),
    ("message to no entry point", |world, random| {
        let data = vec![felt(random.number())];
        handler(world, message(random, "no_such_handler", data))
    }),
    ("message to an external entry point", |world, random| {
        let data = vec![felt(random.number())];
        handler(world, message(random, "nothing", data))
    }),
    ("message to an undeployed address", |world, random| {
        let data = vec![felt(random.number())];
        handler(world, Action::L1Handler(felt(random.number()), selector("handle"), data, Fee(1)))
    }),
    ("message without payment", |world, random| {
        let data = vec![felt(random.number()), random.felt(), random.felt()];
        handler(world, Action::L1Handler(felt(at::SYSCALLS), selector("handle"), data, Fee(0)))
    }),
];

/// Wrong or unusual transactions.
pub const UNUSUAL: &[Recipe] =
    &[
        ("nonce too high", |world, random| signed(world, random, simple()).nonce_off(1)),
        ("nonce too low", |world, random| signed(world, random, simple()).nonce_off(-1)),
        ("later nonce allowed", |world, random| {
            signed(world, random, simple())
                .nonce_off(3)
                .flags(ExecutionFlags { strict_nonce: false, ..Default::default() })
        }),
        ("older nonce, not strict", |world, random| {
            signed(world, random, simple())
                .nonce_off(-1)
                .flags(ExecutionFlags { strict_nonce: false, ..Default::default() })
        }),
        ("wrong key", |world, random| signed(world, random, simple()).signing(Signing::WrongKey)),
        ("signature of one felt", |world, random| {
            let felts = vec![random.felt()];
            signed(world, random, simple()).signing(Signing::Felts(felts))
        }),
        ("wrong key, steps", |world, random| {
            Draft::new(Action::Invoke(simple()), account(world, random, AccountKind::Steps))
                .signing(Signing::WrongKey)
        }),
        ("not validated", |world, random| {
            signed(world, random, simple())
                .signing(Signing::WrongKey)
                .flags(ExecutionFlags { validate: false, ..Default::default() })
        }),
        ("query", |world, random| {
            let calls = vec![call(at::SYSCALLS, "store_info", vec![felt(300_u64)])];
            Draft::new(Action::Invoke(calls), account(world, random, AccountKind::Open))
                .flags(ExecutionFlags { query: true, ..Default::default() })
        }),
        ("free", |world, random| {
            signed(world, random, simple()).flags(ExecutionFlags { charge_fee: false, ..Default::default() })
        }),
        ("free without bounds", |world, random| {
            signed(world, random, simple())
                .bounds(Bounds::All { l1: 0, data: 0, l2: 100_000_000, price: 0 })
                .flags(ExecutionFlags { charge_fee: false, ..Default::default() })
        }),
        ("free with L1 bounds of zero", |world, random| {
            signed(world, random, simple())
                .bounds(Bounds::L1 { amount: 0, price: 0 })
                .flags(ExecutionFlags { charge_fee: false, ..Default::default() })
        }),
        ("charged without bounds", |world, random| {
            signed(world, random, simple()).bounds(Bounds::All { l1: 0, data: 0, l2: 0, price: 0 })
        }),
        ("L1 bounds too low", |world, random| {
            let amount = random.below(100);
            signed(world, random, simple()).bounds(Bounds::L1 { amount, price: 100 })
        }),
        ("L1 bounds just too low", |world, random| {
            let amount = random.between(600, 3000);
            signed(world, random, simple()).bounds(Bounds::L1 { amount, price: 100 })
        }),
        ("L1 price too low", |world, random| {
            signed(world, random, simple()).bounds(Bounds::L1 { amount: 90_000, price: 99 })
        }),
        ("L2 bounds too low", |world, random| {
            let bounds = Bounds::All { l1: 1000, data: 1000, l2: random.below(100_000), price: 100 };
            signed(world, random, simple()).bounds(bounds)
        }),
        ("data bounds too low", |world, random| {
            let bounds = Bounds::All { l1: 1000, data: random.below(100), l2: 90_000_000, price: 100 };
            signed(world, random, simple()).bounds(bounds)
        }),
        ("prices too low", |world, random| {
            signed(world, random, simple()).bounds(Bounds::All {
                l1: 1000,
                data: 1000,
                l2: 90_000_000,
                price: 99,
            })
        }),
        ("poor sender", |world, _| Draft::new(Action::Invoke(simple()), &world.poor)),
        ("poor sender, L1 gas", |world, _| {
            Draft::new(Action::Invoke(simple()), &world.poor).bounds(Bounds::ENOUGH_L1)
        }),
        ("sender without account", |world, random| {
            let mut sender = world.poor.clone();
            sender.address = starknet_api::core::ContractAddress::from(u128::from(random.number()));
            Draft::new(Action::Invoke(simple()), &sender)
                .flags(ExecutionFlags { charge_fee: false, ..Default::default() })
        }),
        ("tight L2 gas", |world, random| {
            let l2 = random.between(9, 40) * 100_000;
            let calls = vec![call(at::STRK, "transfer", [vec![felt(77_u64)], wide(1)].concat())];
            signed(world, random, calls).bounds(Bounds::All { l1: 10_000, data: 2_000, l2, price: 120 })
        }),
        ("tight data gas", |world, random| {
            let data = random.between(128, 900);
            let calls = vec![call(
                at::SYSCALLS,
                "storage_write_many",
                vec![felt(random.number()), felt(random.below(12)), felt(1_u64)],
            )];
            signed(world, random, calls).bounds(Bounds::All { l1: 50_000, data, l2: 90_000_000, price: 120 })
        }),
        ("tight L1 gas", |world, random| {
            let amount = random.between(2_000, 6_000);
            let calls = vec![call(
                at::SYSCALLS,
                "storage_write_many",
                vec![felt(random.number()), felt(random.below(12)), felt(1_u64)],
            )];
            signed(world, random, calls).bounds(Bounds::L1 { amount, price: 120 })
        }),
        ("messages beyond the bound of L1 gas", |world, random| {
            let calls = vec![call(
                at::SYSCALLS,
                "send_messages",
                vec![felt(3_u64), felt(9_u64), felt(1_u64), felt(2_u64)],
            )];
            signed(world, random, calls).bounds(Bounds::All {
                l1: 40_000,
                data: 2_000,
                l2: 90_000_000,
                price: 120,
            })
        }),
        ("burns all gas", |world, random| {
            let calls = vec![call(at::SYSCALLS, "loop_forever", vec![])];
            let l2 = random.between(10, 30) * 1_000_000;
            signed(world, random, calls).bounds(Bounds::All { l1: 10_000, data: 2_000, l2, price: 120 })
        }),
        ("burns all steps", |world, random| {
            let calls = vec![call(at::CALLER_STEPS, "recurse", vec![felt(1_u64), felt(2_u64)])];
            signed(world, random, calls).bounds(Bounds::L1 { amount: 4_000, price: 120 })
        }),
        ("burns all steps for L2 gas", |world, random| {
            let calls = vec![call(at::CALLER_STEPS, "recurse", vec![felt(1_u64), felt(2_u64)])];
            Draft::new(Action::Invoke(calls), account(world, random, AccountKind::Steps))
                .bounds(Bounds::All { l1: 10_000, data: 2_000, l2: 40_000_000, price: 120 })
        }),
        ("burns caught gas", |world, random| {
            let inner = [felt(at::SYSCALLS), selector("loop_forever"), felt(0_u64)].to_vec();
            let calls = vec![call(at::CALLER, "call_and_catch", inner), call(at::NFT, "mint", vec![])];
            signed(world, random, calls).bounds(Bounds::All {
                l1: 10_000,
                data: 2_000,
                l2: 20_000_000,
                price: 120,
            })
        }),
        ("burns all gas at a leaf", |world, random| {
            let calls =
                vec![call(at::CALLER, "recurse_and_catch", vec![felt(2_u64), felt(2_u64), felt(0_u64)])];
            let l2 = random.between(5, 30) * 1_000_000;
            signed(world, random, calls).bounds(Bounds::All { l1: 10_000, data: 2_000, l2, price: 120 })
        }),
        ("gives everything away", |world, random| {
            let sender = random.pick(&world.accounts[10..12]).clone();
            let amount = 10_u128.pow(24) - 10_u128.pow(15);
            let calls = vec![
                call(at::STRK, "balance_of", vec![sender.address.into()]),
                call(at::STRK, "transfer", [vec![felt(77_u64)], wide(amount)].concat()),
            ];
            Draft::new(Action::Invoke(calls), &sender)
        }),
        ("gives nearly everything away", |world, random| {
            let amount = 10_u128.pow(24) - 2 * 10_u128.pow(19);
            let calls = vec![call(at::STRK, "transfer", [vec![felt(78_u64)], wide(amount)].concat())];
            Draft::new(Action::Invoke(calls), random.pick(&world.accounts[10..12]))
        }),
        ("no calls", |world, random| signed(world, random, vec![])),
        ("nonsense for calldata", |world, random| {
            let felts = random.felts(4);
            Draft::new(Action::InvokeRaw(felts), account(world, random, AccountKind::Signed))
        }),
        ("nonsense for calldata, open", |world, random| {
            let felts = random.felts(4);
            Draft::new(Action::InvokeRaw(felts), account(world, random, AccountKind::Open))
        }),
        ("calls for an undeclared class", |world, random| {
            let parts = vec![felt(0xdead_u64), selector("nothing"), felt(0_u64)];
            signed(world, random, vec![call(at::SYSCALLS, "library_call", parts)])
        }),
    ];

/// Actions that an account may or may not take during validation.
pub const VALIDATION: &[Recipe] = &[
    ("panics", |world, random| ordered(world, random, vec![felt(1_u64), short_text("NO")])),
    ("returns another word", |world, random| ordered(world, random, vec![felt(2_u64)])),
    ("burns all gas", |world, random| {
        ordered(world, random, vec![felt(3_u64)]).bounds(Bounds::All {
            l1: 10_000,
            data: 2_000,
            l2: 20_000_000,
            price: 120,
        })
    }),
    ("burns all steps", |world, random| {
        ordered(world, random, vec![felt(3_u64)]).bounds(Bounds::L1 { amount: 3_000, price: 120 })
    }),
    ("calls another contract", |world, random| {
        ordered(world, random, vec![felt(4_u64), felt(at::NFT), selector("mint")])
    }),
    ("calls a view", |world, random| {
        ordered(world, random, vec![felt(4_u64), felt(at::STRK), selector("total_supply")])
    }),
    ("calls an undeployed address", |world, random| {
        ordered(world, random, vec![felt(4_u64), felt(0xdead_u64), selector("mint")])
    }),
    ("calls itself", |world, random| {
        let sender = account(world, random, AccountKind::Open);
        let orders = vec![felt(4_u64), sender.address.into(), selector("scratch")];
        Draft::new(Action::Invoke(simple()), sender).signing(Signing::Felts(orders))
    }),
    ("asks for an old block hash", |world, random| {
        ordered(world, random, vec![felt(5_u64), world.block_before(world.number() % 100 + 20)])
    }),
    ("asks for a young block hash", |world, random| {
        let back = random.between(5, 20);
        ordered(world, random, vec![felt(5_u64), world.block_before(back)])
    }),
    ("writes", |world, random| {
        let value = felt(random.below(3));
        ordered(world, random, vec![felt(6_u64), value])
    }),
    ("emits an event", |world, random| {
        let value = random.felt();
        ordered(world, random, vec![felt(7_u64), value])
    }),
    ("deploys", |world, random| {
        let salt = random.felt();
        ordered(world, random, vec![felt(8_u64), world.class("nft"), salt])
    }),
    ("sends a message", |world, random| ordered(world, random, vec![felt(9_u64), felt(7_u64), felt(8_u64)])),
    ("replaces its class", |world, random| {
        ordered(world, random, vec![felt(10_u64), world.class("account_open")])
    }),
    ("calls a library", |world, random| {
        ordered(world, random, vec![felt(11_u64), world.class("nft"), selector("mint")])
    }),
    ("calls an undeclared library", |world, random| {
        ordered(world, random, vec![felt(11_u64), felt(0xdead_u64), selector("mint")])
    }),
    ("expects a cell", |world, random| {
        let value = felt(random.below(2));
        ordered(world, random, vec![felt(12_u64), felt(1_u64), value])
    }),
    ("works hard", |world, random| {
        let rounds = felt(random.below(20_000));
        ordered(world, random, vec![felt(13_u64), rounds])
    }),
    ("works too hard", |world, random| {
        ordered(world, random, vec![felt(13_u64), felt(2_000_000_u64)]).bounds(Bounds::All {
            l1: 10_000,
            data: 2_000,
            l2: 400_000_000,
            price: 120,
        })
    }),
    ("looks at the block", |world, random| ordered(world, random, vec![felt(14_u64)])),
    ("panics before a declaration", |world, random| {
        let class_hash = undeclared(world, random);
        let hash = compiled(world, class_hash)[1];
        Draft::new(Action::Declare(class_hash, hash), account(world, random, AccountKind::Open))
            .signing(Signing::Felts(vec![felt(1_u64), felt(2_u64)]))
    }),
    ("writes before a panic", |world, random| {
        let calls = vec![call(at::SYSCALLS, "panic_with", span(&[short_text("AFTER")]))];
        Draft::new(Action::Invoke(calls), account(world, random, AccountKind::Open))
            .signing(Signing::Felts(vec![felt(6_u64), felt(random.below(5))]))
    }),
];
