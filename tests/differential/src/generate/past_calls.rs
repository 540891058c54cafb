//! Recipes for calls of Cairo 0 contracts: the old syscalls, the library's hints, nesting, and both languages
//! calling each other.
//!
//! Input: where things are, random numbers. Output: calls.

use starknet_types_core::felt::Felt;

use super::abi::number;
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

fn syscalls(name: &str, calldata: Vec<Felt>) -> Vec<Call> {
    vec![call(at::OLD_SYSCALLS, name, calldata)]
}

fn caller(name: &str, calldata: Vec<Felt>) -> Vec<Call> {
    vec![call(at::OLD_CALLER, name, calldata)]
}

fn library(name: &str, calldata: Vec<Felt>) -> Vec<Call> {
    vec![call(at::OLD_LIBRARY, name, calldata)]
}

fn numbers<const N: usize>(random: &mut Random) -> Vec<Felt> {
    (0..N).map(|_| number(random)).collect()
}

/// A number that is small more often than not, so that checks pass.
fn small(random: &mut Random) -> Felt {
    if random.once_in(6) { number(random) } else { felt(random.below(1000)) }
}

fn u256(random: &mut Random) -> Vec<Felt> {
    match random.below(4) {
        0 => vec![felt(random.below(1000)), Felt::ZERO],
        1 => vec![felt(u128::MAX), felt(u128::MAX)],
        2 => vec![Felt::ZERO, felt(1_u64) + felt(random.below(2))],
        _ => vec![felt(u128::from(random.number()) << 60), felt(u128::from(random.number()) << 50)],
    }
}

/// A target, a selector and its calldata with a length: something in one of the languages, which may fail.
fn target(world: &World, random: &mut Random) -> Vec<Felt> {
    let (to, name, calldata): (u128, &str, Vec<Felt>) = match random.below(20) {
        0 => (at::NFT, "mint", vec![]),
        1 => (at::SYSCALLS, "storage_add", vec![felt(7_u64), felt(1_u64)]),
        2 => (at::SYSCALLS, "panic_with", span(&random.felts(3))),
        3 => (at::CALLER, "noisy_panic", vec![felt(3_u64)]),
        4 => (at::OLD_SYSCALLS, "storage_write", vec![felt(random.below(9)), felt(random.below(3))]),
        5 => (at::OLD_SYSCALLS, "no_such_entry_point", vec![]),
        6 => (0xdead, "nothing", vec![]),
        7 => (at::OLD_CALLER, "noisy_fail", vec![felt(5_u64)]),
        8 => (at::TOKEN, "transfer", join(&[&[felt(at::NFT)], &wide(random.below(2).into())])),
        9 => (at::OLD_TOKEN, "transfer", join(&[&[felt(at::NFT)], &wide(random.below(2).into())])),
        10 => (at::OLD_CALLER, "recurse", vec![felt(random.below(4)), felt(random.below(8))]),
        11 => (at::OLD_CALLER, "recurse_noisy", vec![felt(random.below(3)), felt(random.below(2))]),
        12 => (at::OLD_FORBIDDEN, "answer", vec![]),
        13 => (at::CALLER_STEPS, "noisy_call", join(&[&[felt(at::NFT), selector("mint")], &span(&[])])),
        14 => (at::OLD_SYSCALLS, "store_info", vec![felt(200_u64)]),
        15 => (at::OLD_PROXY, "storage_write", vec![felt(random.below(9)), felt(random.below(3))]),
        16 => (at::SYSCALLS, "store_info", vec![felt(300_u64)]),
        17 => {
            let inner = join(&[&[felt(at::OLD_SYSCALLS), selector("store_info")], &span(&[felt(400_u64)])]);
            (at::CALLER, "call", inner)
        }
        18 => {
            let inner = [felt(at::OLD_CALLER), selector("fail_with_value")];
            (at::CALLER, "call", join(&[&inner, &span(&[felt(1_u64), felt(2_u64)])]))
        }
        _ => (*random.pick(&at::UPGRADABLE), "upgrade_and_panic", vec![world.class("upgradable")]),
    };
    join(&[&[felt(to), selector(name)], &span(&calldata)])
}

/// A class hash, a selector and its calldata with a length.
fn library_target(world: &World, random: &mut Random) -> Vec<Felt> {
    let (class, name, calldata): (&str, &str, Vec<Felt>) = match random.below(8) {
        0 => ("cairo0/syscalls", "storage_write", vec![felt(random.below(9)), felt(random.below(3))]),
        1 => ("cairo0/syscalls", "store_info", vec![felt(500_u64)]),
        2 => ("cairo0/caller", "fail_nested", vec![felt(4_u64)]),
        3 => ("syscalls", "storage_add", vec![felt(7_u64), felt(1_u64)]),
        4 => ("syscalls", "store_info", vec![felt(600_u64)]),
        5 => ("cairo0/forbidden_builtin", "answer", vec![]),
        6 => ("cairo0/syscalls", "no_such_entry_point", vec![]),
        _ => ("caller", "noisy_panic", vec![felt(3_u64)]),
    };
    let class_hash = if random.once_in(12) { felt(0xdead_u64) } else { world.class(class) };
    join(&[&[class_hash, selector(name)], &span(&calldata)])
}

fn constructor(random: &mut Random) -> Vec<Felt> {
    let data = random.felts(2);
    let mode = felt(random.below(8));
    let (a, b) = (felt(random.below(1000)), felt(random.below(1000)));
    join(&[&[mode, a, b], &span(&data)])
}

fn deploy(class_hash: Felt, random: &mut Random, calldata: &[Felt], from_zero: u64) -> Vec<Call> {
    let salt = felt(random.below(4));
    syscalls("deploy", join(&[&[class_hash, salt], &span(calldata), &[felt(from_zero)]]))
}

/// One or more calls for each syscall.
pub const SYSCALLS: &[CallRecipe] = &[
    ("old call", |world, random| {
        let target = target(world, random);
        syscalls("call_contract", target)
    }),
    ("old library call", |world, random| {
        let target = library_target(world, random);
        syscalls("library_call", target)
    }),
    ("old library call of a handler", |world, _| {
        let handler = [world.class("cairo0/syscalls"), selector("handle")];
        syscalls(
            "library_call_l1_handler",
            join(&[&handler, &span(&[felt(5_u64), felt(1_u64), felt(2_u64)])]),
        )
    }),
    ("delegate", |world, random| {
        let target = target(world, random);
        syscalls("delegate_call", target)
    }),
    ("delegate a handler", |_, _| {
        let handler = [felt(at::OLD_SYSCALLS), selector("handle")];
        syscalls("delegate_l1_handler", join(&[&handler, &span(&[felt(5_u64), felt(1_u64), felt(2_u64)])]))
    }),
    ("old deploy", |world, random| {
        let calldata = constructor(random);
        let from_zero = random.below(2);
        deploy(world.class("cairo0/constructors"), random, &calldata, from_zero)
    }),
    ("old deploy without a constructor", |world, random| {
        let calldata = if random.once_in(3) { vec![Felt::ONE] } else { vec![] };
        deploy(world.class("cairo0/forbidden_builtin"), random, &calldata, 1)
    }),
    ("old deploy of a Cairo 1 class", |world, random| {
        let calldata = [random.felt()];
        deploy(world.class("account"), random, &calldata, 0)
    }),
    ("old deploy, malformed", |world, random| deploy(world.class("cairo0/constructors"), random, &[], 2)),
    ("old deploy of an undeclared class", |_, random| deploy(felt(0xdead_u64), random, &[], 0)),
    ("old event", |_, random| {
        let (keys, data) = (random.felts(5), random.felts(5));
        syscalls("emit_event", join(&[&span(&keys), &span(&data)]))
    }),
    ("old event, too large", |_, random| {
        let (keys, data) = if random.once_in(2) { (51, 0) } else { (0, 301) };
        let list = |length: usize| span(&vec![Felt::ONE; length]);
        syscalls("emit_event", join(&[&list(keys), &list(data)]))
    }),
    ("too many old events", |_, _| {
        syscalls("emit_events", join(&[&[felt(1001_u64)], &span(&[]), &span(&[])]))
    }),
    ("old message", |_, random| {
        let payload = random.felts(4);
        let to = if random.once_in(4) { random.felt() } else { felt(random.number()) };
        syscalls("send_message_to_l1", join(&[&[to], &span(&payload)]))
    }),
    ("old replacing of a class", |world, random| {
        let class = *random.pick(&["cairo0/syscalls", "cairo0/syscalls", "syscalls"]);
        let class_hash = if random.once_in(3) { felt(0xdead_u64) } else { world.class(class) };
        let to = if class == "syscalls" { at::OLD_PROXY } else { at::OLD_SYSCALLS };
        vec![call(to, "replace_class", vec![class_hash])]
    }),
    ("old read", |_, random| syscalls("storage_read", numbers::<1>(random))),
    ("old write", |_, random| syscalls("storage_write", numbers::<2>(random))),
    ("old writes", |_, random| {
        syscalls("storage_write_many", vec![felt(random.below(50)), felt(random.below(20)), number(random)])
    }),
    ("old info", |_, random| syscalls("store_info", vec![felt(random.below(2) * 1000)])),
    ("old info, one by one", |_, random| {
        let names = [
            "get_block_number",
            "get_block_timestamp",
            "get_caller_address",
            "get_contract_address",
            "get_sequencer_address",
            "get_tx_info",
            "get_tx_signature",
            "same_tx_info",
        ];
        (0..3).map(|_| call(at::OLD_SYSCALLS, random.pick::<&str>(&names), vec![])).collect()
    }),
    ("old normalized address", |_, random| syscalls("normalize_address", numbers::<1>(random))),
    ("raw old syscall", |_, random| {
        let name = *random.pick(&["StorageRead", "StorageWrite", "GetCallerAddress", "Nothing", "EmitEvent"]);
        let words = [short_text(name), felt(random.below(10)), felt(random.below(10))];
        let (claimed, answers) = (felt(random.below(5)), felt(random.below(2)));
        syscalls("raw_syscall", join(&[&[claimed, answers], &span(&words)]))
    }),
    ("forged read", |_, random| syscalls("forged_storage_read", vec![felt(random.below(3)), Felt::ZERO])),
    ("foretold read", |_, random| {
        syscalls("foretold_storage_read", vec![felt(7_777_u64), felt(random.below(2))])
    }),
    ("raw old event", |_, random| {
        let claimed =
            [felt(random.below(4)), if random.once_in(3) { random.felt() } else { felt(random.below(4)) }];
        syscalls("raw_emit_event", join(&[&claimed, &span(&[Felt::ONE, Felt::TWO])]))
    }),
    ("raw old call", |_, random| {
        let head = [felt(at::OLD_SYSCALLS), selector("echo"), felt(random.below(4))];
        syscalls("raw_call_contract", join(&[&head, &span(&[Felt::ONE, Felt::TWO])]))
    }),
    ("pointers where felts belong", |_, random| match random.below(3) {
        0 => syscalls("emit_pointer", vec![]),
        1 => syscalls("storage_write_pointer", vec![Felt::ONE]),
        _ => syscalls("return_pointer", vec![]),
    }),
    ("memory that is not the contract's", |_, random| match random.below(7) {
        0 => syscalls("write_past_calldata", span(&[Felt::ONE])),
        1 => syscalls("write_past_signature", vec![]),
        2 => syscalls("write_past_tx_info", vec![]),
        3 => {
            let head = [felt(at::OLD_SYSCALLS), selector("echo")];
            syscalls("write_past_result", join(&[&head, &span(&[Felt::ONE])]))
        }
        4 => syscalls("move_range_check", vec![felt(random.below(3)) - Felt::ONE]),
        5 => syscalls("move_pedersen", vec![felt(random.below(3)) - Felt::ONE]),
        _ => syscalls("swap_pointers", vec![]),
    }),
    ("raw result", |_, random| {
        let data = random.felts(3);
        syscalls("return_raw", join(&[&[felt(random.below(5))], &span(&data)]))
    }),
    ("through the proxy", |_, random| match random.below(4) {
        0 => vec![call(at::OLD_PROXY, "storage_write", numbers::<2>(random))],
        1 => vec![call(at::OLD_PROXY, "store_info", vec![felt(100_u64)])],
        2 => vec![call(at::OLD_PROXY, "no_such_entry_point", vec![])],
        _ => vec![call(at::OLD_PROXY, "implementation", vec![])],
    }),
    ("upgrade the proxy", |world, random| {
        let class = *random.pick(&["cairo0/syscalls", "cairo0/syscalls", "syscalls"]);
        vec![call(at::OLD_PROXY, "upgrade", vec![world.class(class)])]
    }),
];

/// Calls that nest, run long, and fail.
pub const NESTED: &[CallRecipe] = &[
    ("old calls", |_, random| {
        let one = call(at::OLD_SYSCALLS, "storage_write", vec![felt(random.below(4)), felt(random.below(4))]);
        let two = call(at::OLD_CALLER, "tree", vec![felt(random.below(3)), felt(random.below(3))]);
        vec![one, two, call(at::NFT, "mint", vec![])]
    }),
    ("old call then failure", |world, random| {
        let target = target(world, random);
        caller("call_then_fail", target)
    }),
    ("old call between writes", |world, random| {
        let target = target(world, random);
        caller(
            "write_call_write",
            join(&[&[felt(3_u64), felt(random.below(3)), felt(random.below(3))], &target]),
        )
    }),
    ("old library call between writes", |world, random| {
        let target = library_target(world, random);
        let head = [felt(3_u64), felt(random.below(3)), felt(random.below(3))];
        caller("write_library_call_write", join(&[&head, &target]))
    }),
    ("old noisy call", |world, random| {
        let target = target(world, random);
        caller("noisy_call", target)
    }),
    ("old recursion", |_, random| {
        let depth = if random.once_in(8) { 60 } else { random.below(8) };
        caller("recurse", vec![felt(depth), felt(random.below(8))])
    }),
    ("old recursion by library calls", |world, random| {
        let depth = felt(random.below(8));
        caller("recurse_library", vec![depth, felt(random.below(8)), world.class("cairo0/caller")])
    }),
    ("old recursion by delegation", |_, random| {
        caller("recurse_delegate", vec![felt(random.below(5)), felt(random.below(8)), felt(at::OLD_CALLER)])
    }),
    ("old noisy recursion", |_, random| {
        caller("recurse_noisy", vec![felt(random.below(6)), felt(random.below(2))])
    }),
    ("old loop", |_, random| caller("loop", vec![felt(random.below(20_000))])),
    ("an old failure", |_, random| match random.below(16) {
        0 => caller("fail", vec![]),
        1 => caller("fail_with_value", numbers::<2>(random)),
        2 => caller("fail_with_ap_value", numbers::<1>(random)),
        3 => caller("fail_nested", numbers::<1>(random)),
        4 => caller("fail_oddly", vec![]),
        5 => caller("fail_unexplained", numbers::<2>(random)),
        6 => caller("fail_division", numbers::<2>(random)),
        7 => caller("fail_range_check", numbers::<1>(random)),
        8 => caller("fail_not_zero", vec![felt(random.below(2))]),
        9 => caller("fail_negative", numbers::<1>(random)),
        10 => caller("fail_less", numbers::<2>(random)),
        11 => caller("fail_unknown_memory", vec![]),
        12 => caller("fail_rewritten_memory", vec![]),
        13 => caller("fail_jump", vec![felt(random.below(6)) - felt(3_u64)]),
        14 => caller("fail_felt_as_pointer", numbers::<1>(random)),
        _ => caller("write_and_fail", numbers::<2>(random)),
    }),
    ("old calldata that do not fit", |_, random| {
        let data = random.felts(4);
        vec![call(at::OLD_CALLER, random.pick::<&str>(&["call_all", "write", "loop", "fail"]), data)]
    }),
    ("old transfer", |_, random| {
        let amount = if random.once_in(4) { u128::MAX } else { random.below(1000).into() };
        let to = *random.pick(&[at::OLD_TOKEN, at::ETH]);
        vec![call(to, "transfer", join(&[&[felt(random.below(1 << 40))], &wide(amount)]))]
    }),
    ("old allowance", |_, random| {
        let head = [felt(at::NFT)];
        vec![
            call(at::OLD_TOKEN, "approve", join(&[&head, &u256(random)])),
            call(at::OLD_TOKEN, "transferFrom", join(&[&head, &[felt(at::POOL)], &wide(1)])),
        ]
    }),
    ("Cairo 1 calls Cairo 0", |world, random| {
        let target = target(world, random);
        vec![call(*random.pick(&[at::CALLER, at::CALLER_STEPS]), "call", target)]
    }),
];

/// The library of Cairo 0, hint by hint.
pub const LIBRARY: &[CallRecipe] = &[
    ("builtins", |_, random| match random.below(8) {
        0 => library("range_check", numbers::<1>(random)),
        1 => library("pedersen", numbers::<2>(random)),
        2 => library("bitwise", numbers::<2>(random)),
        3 => library("ecdsa", numbers::<4>(random)),
        4 => library("ecdsa_unsigned", numbers::<2>(random)),
        5 => library("ecdsa_check", numbers::<4>(random)),
        6 => library("poseidon", numbers::<2>(random)),
        _ => library("builtins", vec![felt(random.below(20))]),
    }),
    ("curve", |_, random| library("curve", vec![small(random), number(random)])),
    ("hash state", |_, random| {
        let values = random.felts(5);
        library("hash_state", span(&values))
    }),
    ("assertions", |_, random| library("assertions", vec![small(random), small(random)])),
    ("less", |_, random| library("less_felt", numbers::<2>(random))),
    ("compare", |_, random| library("compare", vec![small(random), small(random)])),
    ("divide", |_, random| library("divide", vec![small(random), small(random)])),
    ("safe", |_, random| library("safe", vec![small(random), small(random)])),
    ("felts", |_, random| library("felts", vec![small(random)])),
    ("split", |_, random| {
        library(
            "split",
            vec![small(random), felt(random.below(12)), felt(10_u64), felt(random.between(1, 12))],
        )
    }),
    ("roots and powers", |_, random| library("roots_and_powers", vec![small(random), small(random)])),
    ("normalize", |_, random| library("normalize_address", numbers::<1>(random))),
    ("numbers of 256 bits", |_, random| {
        let name = *random.pick(&["u256_add_sub", "u256_mul_div", "u256_compare", "u256_bits"]);
        let (a, b) = (u256(random), u256(random));
        library(name, join(&[&a, &b]))
    }),
    ("more numbers of 256 bits", |_, random| {
        let (a, b, c) = (u256(random), u256(random), u256(random));
        if random.once_in(2) {
            library("u256_mul_div_mod", join(&[&a, &b, &c]))
        } else {
            library("u256_more", join(&[&a, &[felt(random.below(260))]]))
        }
    }),
    ("lists", |_, random| {
        let list: Vec<Felt> = (0..5).map(|at| felt(at * 3 + random.below(3))).collect();
        let key = felt(random.below(16));
        match random.below(4) {
            0 => library("copy_and_set", join(&[&span(&list), &[felt(random.below(5)), key]])),
            1 => library("find", join(&[&[key], &span(&list)])),
            2 => library("search", join(&[&[key], &span(&list)])),
            _ => library("sort", span(&list.iter().rev().copied().collect::<Vec<_>>())),
        }
    }),
    ("constants", |_, random| library("constants", vec![felt(random.below(6))])),
    ("dictionary", |_, random| {
        let keys: Vec<Felt> = (0..4).map(|_| felt(random.below(3))).collect();
        let values: Vec<Felt> = (0..4).map(|_| number(random)).collect();
        library("dictionary", join(&[&span(&keys), &span(&values)]))
    }),
    ("squash", |_, random| match random.below(3) {
        0 => library("dictionary_update_wrongly", vec![]),
        _ => library("squash", numbers::<3>(random)),
    }),
    ("old keccak", |_, random| {
        let words = [felt(random.number()), felt(random.number() >> 40)];
        vec![call(at::OLD_HASHES, "keccak", join(&[&[felt(random.below(17))], &span(&words)]))]
    }),
];
