//! Recipes for calls that nest, fail and are caught, and for contracts that replace their class.
//!
//! Input: where things are, random numbers. Output: calls.

use starknet_types_core::felt::Felt;

use super::at;
use super::calls::CallRecipe;
use super::draft::{Call, call, selector, span, wide};
use super::random::Random;
use super::world::{World, short_text};

fn felt(value: impl Into<Felt>) -> Felt {
    value.into()
}

fn join(parts: &[&[Felt]]) -> Vec<Felt> {
    parts.concat()
}

fn caller(random: &mut Random) -> u128 {
    *random.pick(&[at::CALLER, at::CALLER, at::CALLER_STEPS])
}

fn caller_class(world: &World, random: &mut Random) -> Felt {
    world.class(random.pick::<&str>(&["caller", "caller", "caller_steps"]))
}

fn on(random: &mut Random, name: &str, calldata: Vec<Felt>) -> Vec<Call> {
    vec![call(caller(random), name, calldata)]
}

/// A target, a selector and its calldata as a span: something that may fail.
fn target(world: &World, random: &mut Random) -> Vec<Felt> {
    let (to, name, calldata): (u128, &str, Vec<Felt>) = match random.below(16) {
        0 => (at::NFT, "mint", vec![]),
        1 => (at::SYSCALLS, "storage_add", vec![felt(7_u64), felt(1_u64)]),
        2 => (at::SYSCALLS, "panic_with", span(&random.felts(3))),
        3 => (caller(random), "noisy_panic", vec![felt(3_u64)]),
        4 => (caller(random), "write_and_panic", vec![felt(9_u64), felt(4_u64)]),
        5 => (at::SYSCALLS, "no_such_entry_point", vec![]),
        6 => (0xdead, "nothing", vec![]),
        7 => (at::SYSCALLS, "emit_event", join(&[&span(&[felt(1_u64)]), &span(&[felt(2_u64)])])),
        8 => (at::TOKEN, "transfer", join(&[&[felt(at::NFT)], &wide(random.below(2).into())])),
        9 => (at::SYSCALLS, "replace_class", vec![felt(0xdead_u64)]),
        10 => (at::SYSCALLS, "keccak", span(&[felt(1_u64)])),
        11 => (at::SYSCALLS, "block_hash", vec![felt(u64::MAX)]),
        12 => (at::SYSCALLS, "secp256k1_get_xy", [wide(1), wide(1)].concat()),
        13 => (caller(random), "noisy_call", join(&[&[felt(at::NFT), selector("mint")], &span(&[])])),
        14 => (at::SYSCALLS, "store_info", vec![felt(200_u64)]),
        _ => (*random.pick(&at::UPGRADABLE), "upgrade_and_panic", vec![world.class("upgradable")]),
    };
    join(&[&[felt(to), selector(name)], &span(&calldata)])
}

/// Calls that nest.
pub const NESTED: &[CallRecipe] = &[
    ("call", |world, random| {
        let target = target(world, random);
        on(random, "call", target)
    }),
    ("call_and_catch", |world, random| {
        let target = target(world, random);
        on(random, "call_and_catch", target)
    }),
    ("library_call", |world, random| {
        let class = caller_class(world, random);
        on(random, "library_call", join(&[&[class, selector("write")], &span(&[felt(5_u64), felt(6_u64)])]))
    }),
    ("library_call_and_catch", |world, random| {
        let class = caller_class(world, random);
        let name = *random.pick(&["write", "write_and_panic", "nonsense"]);
        on(
            random,
            "library_call_and_catch",
            join(&[&[class, selector(name)], &span(&[felt(5_u64), felt(3_u64)])]),
        )
    }),
    ("deploy_and_catch", |world, random| {
        let class = *random.pick(&["upgradable", "upgradable_v2", "nft"]);
        let class = world.class(class);
        let parts =
            vec![class, felt(random.below(5)), felt(1_u64), felt(random.below(3)), felt(random.below(2))];
        on(random, "deploy_and_catch", parts)
    }),
    ("deploy_and_call", |world, random| {
        let name = *random.pick(&["increase", "upgrade_and_panic", "nothing_like_it"]);
        let parts =
            [world.class("upgradable"), felt(random.below(9)), felt(1_u64), felt(5_u64), selector(name)];
        let calldata = if name == "increase" { vec![] } else { vec![world.class("upgradable")] };
        on(random, "deploy_and_call", join(&[&parts, &span(&calldata)]))
    }),
    ("call_twice", |world, random| {
        let target = target(world, random);
        on(random, "call_twice", target)
    }),
    ("call_twice_and_catch", |world, random| {
        let target = target(world, random);
        on(random, "call_twice_and_catch", target)
    }),
    ("call_n", |world, random| {
        let target = join(&[&[felt(random.below(5))], &target(world, random)]);
        on(random, "call_n", target)
    }),
    ("call_then_panic", |_, random| {
        let parts = join(&[&[felt(at::NFT), selector("mint")], &span(&[]), &[short_text("BECAUSE")]]);
        on(random, "call_then_panic", parts)
    }),
    ("write_call_write", |world, random| {
        let (key, before, after) = (felt(random.below(4)), felt(random.below(3)), felt(random.below(3)));
        let parts = join(&[&[key, before, after], &target(world, random)]);
        on(random, "write_call_write", parts)
    }),
    ("write_library_call_write", |world, random| {
        let name = *random.pick(&["write", "write_and_panic"]);
        let class = caller_class(world, random);
        let parts = [felt(2_u64), felt(1_u64), felt(random.below(2)), class, selector(name)];
        let parts = join(&[&parts, &span(&[felt(2_u64), felt(9_u64)])]);
        on(random, "write_library_call_write", parts)
    }),
    ("noisy_call", |world, random| {
        let target = target(world, random);
        on(random, "noisy_call", target)
    }),
    ("noisy_panic", |_, random| on(random, "noisy_panic", vec![short_text("NOISE")])),
    ("recurse", |_, random| {
        let parts = vec![felt(random.below(12)), felt(*random.pick(&[0_u64, 0, 1, 3, 4, 5]))];
        on(random, "recurse", parts)
    }),
    ("recurse too deep", |_, random| {
        let parts = vec![felt(random.between(46, 52)), felt(0_u64)];
        on(random, "recurse", parts)
    }),
    ("recurse_library", |world, random| {
        let class = caller_class(world, random);
        let parts = vec![felt(random.below(8)), felt(*random.pick(&[0_u64, 1, 3, 4, 5])), class];
        on(random, "recurse_library", parts)
    }),
    ("recurse_mixed", |world, random| {
        let class = caller_class(world, random);
        let parts = vec![felt(random.below(8)), felt(*random.pick(&[0_u64, 1, 3, 4, 5])), class];
        on(random, "recurse_mixed", parts)
    }),
    ("recurse_and_catch", |_, random| {
        let depth = random.between(1, 8);
        let parts =
            vec![felt(depth), felt(*random.pick(&[0_u64, 1, 3, 4, 5])), felt(random.below(depth + 2))];
        on(random, "recurse_and_catch", parts)
    }),
    ("tree", |_, random| {
        let parts = vec![felt(random.below(4)), felt(random.between(1, 3))];
        on(random, "tree", parts)
    }),
    ("call_missing_entry_point", |world, random| {
        let to: Felt = match random.below(3) {
            0 => felt(at::SYSCALLS),
            1 => felt(at::CALLER_STEPS),
            _ => random.pick(&world.accounts).address.into(),
        };
        on(random, "call_missing_entry_point", vec![to])
    }),
    ("call_undeployed", |_, random| on(random, "call_undeployed", vec![])),
    ("library_call_undeclared", |_, random| on(random, "library_call_undeclared", vec![])),
    ("deploy_undeclared", |_, random| on(random, "deploy_undeclared", vec![])),
    ("counters", |_, random| on(random, "counters", vec![])),
    ("write", |_, random| {
        let parts = vec![felt(random.below(4)), felt(random.below(4))];
        on(random, "write", parts)
    }),
    ("read", |_, random| {
        let parts = vec![felt(random.below(4))];
        on(random, "read", parts)
    }),
    ("fail with nothing", |_, random| on(random, "fail", vec![felt(0_u64)])),
    ("fail", |_, random| {
        let parts = span(&random.felts(3));
        on(random, "fail", parts)
    }),
    ("fail as a call would", |_, random| {
        on(random, "fail", span(&[short_text("X"), short_text("ENTRYPOINT_FAILED")]))
    }),
    ("fail at length", |_, random| {
        let data: Vec<Felt> = (0..200).map(|_| random.felt()).collect();
        let parts = join(&[&[felt(at::SYSCALLS), selector("panic_with")], &span(&span(&data))]);
        on(random, "call", parts)
    }),
    ("second of two calls fails", |_, random| {
        let mut calls = on(random, "write", vec![felt(1_u64), felt(8_u64)]);
        calls.extend(on(random, "fail", span(&[short_text("SECOND")])));
        calls
    }),
    ("account called by a contract", |world, random| {
        let account = random.pick(&world.accounts).address.into();
        let parts = join(&[&[account, selector("__execute__")], &span(&[felt(0_u64)])]);
        on(random, "call_and_catch", parts)
    }),
];

/// Replacing classes.
pub const UPGRADES: &[CallRecipe] = &[
    ("increase", |_, random| vec![call(*random.pick(&at::UPGRADABLE[..2]), "increase", vec![])]),
    ("upgrade", |world, random| {
        let class = *random.pick(&["upgradable", "upgradable_v2"]);
        vec![call(*random.pick(&at::UPGRADABLE[..2]), "upgrade", vec![world.class(class)])]
    }),
    ("upgrade_and_ask", |world, random| {
        let class = *random.pick(&["upgradable", "upgradable_v2"]);
        vec![call(*random.pick(&at::UPGRADABLE[..2]), "upgrade_and_ask", vec![world.class(class)])]
    }),
    ("upgrade_and_panic", |world, random| {
        vec![call(*random.pick(&at::UPGRADABLE[..2]), "upgrade_and_panic", vec![world.class("upgradable")])]
    }),
    ("upgrade_by_library", |world, random| {
        let classes = vec![world.class("upgradable"), world.class("upgradable_v2")];
        vec![call(*random.pick(&at::UPGRADABLE[..2]), "upgrade_by_library", classes)]
    }),
    ("reset", |_, random| vec![call(*random.pick(&at::UPGRADABLE[..2]), "reset", vec![])]),
    ("state", |_, random| vec![call(*random.pick(&at::UPGRADABLE[..2]), "state", vec![])]),
    ("upgrade to something else", |world, _| {
        let place = at::UPGRADABLE[2];
        vec![call(place, "upgrade", vec![world.class("nft")]), call(place, "mint", vec![])]
    }),
    ("circuit by library", |world, random| {
        let number = |random: &mut Random| -> Vec<Felt> {
            vec![felt(random.number()), felt(random.number()), felt(random.number()), felt(random.number())]
        };
        let (a, b, modulus) = (number(random), number(random), number(random));
        let (name, calldata) = match random.below(3) {
            0 => ("arithmetic", join(&[&a, &b, &modulus])),
            1 => ("inverse", join(&[&a, &modulus])),
            _ => ("repeat", join(&[&a, &b, &modulus, &[felt(random.below(4))]])),
        };
        let parts = join(&[&[world.class("circuit"), selector(name)], &span(&calldata)]);
        vec![call(at::SYSCALLS, "library_call", parts)]
    }),
];
