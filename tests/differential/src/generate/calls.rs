//! Recipes for calls that accounts make to our contracts.
//!
//! Input: where things are, random numbers. Output: calls. Some fail; that is meant.

use starknet_types_core::felt::Felt;

use super::at;
use super::draft::{Call, call, execute_calldata, selector, span, wide};
use super::random::Random;
use super::world::{World, short_text};

/// A named way to make calls.
pub type CallRecipe = (&'static str, fn(&World, &mut Random) -> Vec<Call>);

fn someone(world: &World, random: &mut Random) -> Felt {
    if random.once_in(4) { random.felt() } else { random.pick(&world.accounts).address.into() }
}

fn felt(value: impl Into<Felt>) -> Felt {
    value.into()
}

fn join(parts: &[&[Felt]]) -> Vec<Felt> {
    parts.concat()
}

/// Tokens, the pool, the NFT.
pub const TOKENS: &[CallRecipe] = &[
    ("transfer", |world, random| {
        let token = *random.pick(&[at::STRK, at::STRK, at::TOKEN, at::ETH]);
        vec![call(
            token,
            "transfer",
            join(&[&[someone(world, random)], &wide(random.between(1, 1 << 40).into())]),
        )]
    }),
    ("transfer to the sequencer", |_, random| {
        vec![call(at::STRK, "transfer", join(&[&[felt(at::SEQUENCER)], &wide(random.below(1000).into())]))]
    }),
    ("transfer too much", |world, random| {
        let amount = [Felt::from(u128::MAX), Felt::from(random.below(9))];
        vec![call(at::TOKEN, "transfer", join(&[&[someone(world, random)], &amount]))]
    }),
    ("transfer nearly all", |world, random| {
        let left = 10_u128.pow(24) - 10_u128.pow(21) - u128::from(random.below(100));
        vec![call(at::STRK, "transfer", join(&[&[someone(world, random)], &wide(left)]))]
    }),
    ("approve", |world, random| {
        vec![call(at::STRK, "approve", join(&[&[someone(world, random)], &wide(random.number().into())]))]
    }),
    ("transfer_from without allowance", |world, random| {
        let (from, to) = (someone(world, random), someone(world, random));
        vec![call(at::TOKEN, "transfer_from", join(&[&[from, to], &wide(7)]))]
    }),
    ("views of a token", |world, random| {
        let who = someone(world, random);
        vec![
            call(at::STRK, "balance_of", vec![who]),
            call(at::STRK, "total_supply", vec![]),
            call(at::TOKEN, "allowance", vec![who, felt(at::POOL)]),
            call(at::TOKEN, "name", vec![]),
            call(at::TOKEN, "decimals", vec![]),
        ]
    }),
    ("swap", |_, random| {
        let token = *random.pick(&[at::STRK, at::TOKEN]);
        let amount = u128::from(random.between(1000, 1 << 50));
        vec![
            call(token, "approve", join(&[&[felt(at::POOL)], &wide(amount)])),
            call(at::POOL, "swap", join(&[&[felt(token)], &wide(amount), &wide(0)])),
        ]
    }),
    ("swap for too little", |_, random| {
        let amount = u128::from(random.between(1000, 1 << 50));
        vec![
            call(at::STRK, "approve", join(&[&[felt(at::POOL)], &wide(amount)])),
            call(at::POOL, "swap", join(&[&[felt(at::STRK)], &wide(amount), &wide(amount)])),
        ]
    }),
    ("swap of an unknown token", |_, _| {
        vec![call(at::POOL, "swap", join(&[&[felt(at::ETH)], &wide(5), &wide(0)]))]
    }),
    ("add liquidity", |_, random| {
        let amount = u128::from(random.between(1000, 1 << 50));
        vec![
            call(at::STRK, "approve", join(&[&[felt(at::POOL)], &wide(amount)])),
            call(at::TOKEN, "approve", join(&[&[felt(at::POOL)], &wide(amount)])),
            call(at::POOL, "add_liquidity", join(&[&wide(amount), &wide(amount)])),
            call(at::POOL, "reserves", vec![]),
        ]
    }),
    ("quote", |_, random| {
        vec![call(at::POOL, "quote", join(&[&[felt(at::STRK)], &wide(random.number().into())]))]
    }),
    ("mint", |_, _| vec![call(at::NFT, "mint", vec![])]),
    ("mint three", |_, _| vec![call(at::NFT, "mint", vec![]); 3]),
    ("nft of another", |world, random| {
        vec![call(at::NFT, "transfer", vec![someone(world, random), felt(random.below(20))])]
    }),
    ("nft owner", |_, random| vec![call(at::NFT, "owner_of", vec![felt(random.below(20))])]),
];

const K1: [&str; 4] = [
    "0x029bfcdb2dce28d959f2815b16f81798",
    "0x79be667ef9dcbbac55a06295ce870b07",
    "0xfd17b448a68554199c47d08ffb10d4b8",
    "0x483ada7726a3c4655da4fbfc0e1108a8",
];
const R1: [&str; 4] = [
    "0x77037d812deb33a0f4a13945d898c296",
    "0x6b17d1f2e12c4247f8bce6e563a440f2",
    "0x2bce33576b315ececbb6406837bf51f5",
    "0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e16",
];
const STARK: [&str; 2] = [
    "0x1ef15c18599971b7beced415a40f0c7deacfd9b0d1819e03d723d8bc943cfca",
    "0x5668060aa49730b7be4801df46ec62de53ecd11abe43a32873000c36e8dc1f",
];

fn hex(list: &[&str]) -> Vec<Felt> {
    list.iter().map(|text| Felt::from_hex_unchecked(text)).collect()
}

fn wide_random(random: &mut Random) -> Vec<Felt> {
    let half =
        |random: &mut Random| Felt::from(u128::from(random.number()) << 64 | u128::from(random.number()));
    vec![half(random), half(random)]
}

fn words(random: &mut Random, count: u64, bits: u32) -> Vec<Felt> {
    (0..count).map(|_| Felt::from(random.number() >> (64 - bits))).collect()
}

fn here(name: &str, calldata: Vec<Felt>) -> Vec<Call> {
    vec![call(at::SYSCALLS, name, calldata)]
}

fn new(name: &str, calldata: Vec<Felt>) -> Vec<Call> {
    vec![call(at::SYSCALLS_NEW, name, calldata)]
}

/// Every entry point of `syscalls`.
pub const SYSCALLS: &[CallRecipe] = &[
    ("storage_read", |_, random| here("storage_read", vec![felt(random.below(9))])),
    ("storage_write", |_, random| here("storage_write", vec![felt(random.below(9)), felt(random.below(3))])),
    ("storage_read_domain", |_, random| {
        here("storage_read_domain", vec![felt(random.below(2)), felt(3_u64)])
    }),
    ("storage_write_domain", |_, random| {
        here("storage_write_domain", vec![felt(random.below(2)), felt(3_u64), felt(random.below(3))])
    }),
    ("storage_add", |_, random| here("storage_add", vec![felt(random.below(4)), felt(1_u64)])),
    ("storage_write_many", |_, random| {
        here(
            "storage_write_many",
            vec![felt(random.below(50)), felt(random.below(20)), felt(random.below(3))],
        )
    }),
    ("storage_write_and_undo", |_, random| {
        let cell = felt(1000 + random.below(50));
        let mut calls = here("storage_write", vec![cell, felt(5_u64)]);
        calls.extend(here("storage_write", vec![cell, felt(0_u64)]));
        calls
    }),
    ("storage_read_many", |_, random| {
        here("storage_read_many", vec![felt(random.below(50)), felt(random.below(20))])
    }),
    ("emit_event", |_, random| here("emit_event", join(&[&span(&random.felts(4)), &span(&random.felts(6))]))),
    ("emit_events", |_, random| {
        here(
            "emit_events",
            join(&[&[felt(random.below(12))], &span(&random.felts(3)), &span(&random.felts(3))]),
        )
    }),
    ("emit too many events", |_, _| here("emit_events", join(&[&[felt(1003_u64)], &span(&[]), &span(&[])]))),
    ("emit_sized", |_, random| here("emit_sized", vec![felt(random.below(50)), felt(random.below(300))])),
    ("emit too many keys", |_, random| here("emit_sized", vec![felt(random.between(50, 52)), felt(1_u64)])),
    ("emit too much data", |_, random| here("emit_sized", vec![felt(1_u64), felt(random.between(300, 302))])),
    ("send_message", |_, random| {
        here("send_message", join(&[&[felt(random.number())], &span(&random.felts(5))]))
    }),
    ("send_message to no address", |_, random| here("send_message", join(&[&[random.felt()], &span(&[])]))),
    ("send_messages", |_, random| {
        here(
            "send_messages",
            join(&[&[felt(random.below(5)), felt(random.number())], &span(&random.felts(3))]),
        )
    }),
    ("execution_info", |_, _| here("execution_info", vec![])),
    ("execution_info_v2", |_, _| here("execution_info_v2", vec![])),
    ("store_info", |_, _| here("store_info", vec![felt(100_u64)])),
    ("block_hash", |world, random| here("block_hash", vec![world.block_before(random.between(10, 45))])),
    ("block_hash too young", |world, random| here("block_hash", vec![world.block_before(random.below(10))])),
    ("try_block_hash", |world, random| here("try_block_hash", vec![world.block_before(random.below(20))])),
    ("block_hash around the border", |world, random| {
        vec![
            call(at::SYSCALLS, "try_block_hash", vec![world.block_before(random.between(8, 9))]),
            call(at::SYSCALLS, "try_block_hash", vec![world.block_before(10)]),
            call(at::SYSCALLS, "try_block_hash", vec![world.block_before(random.between(11, 12))]),
        ]
    }),
    ("block_hash of the future", |world, random| {
        here("try_block_hash", vec![felt(world.number() + random.below(3))])
    }),
    ("call_contract", |_, _| here("call_contract", join(&[&[felt(at::NFT), selector("mint")], &span(&[])]))),
    ("library_call", |world, _| {
        here("library_call", join(&[&[world.class("nft"), selector("mint")], &span(&[])]))
    }),
    ("library_call of a token", |world, random| {
        let data = join(&[&[felt(9_u64)], &wide(random.below(2).into())]);
        here("library_call", join(&[&[world.class("erc20"), selector("transfer")], &span(&data)]))
    }),
    ("deploy", |world, random| {
        let arguments = join(&[&[short_text("T"), short_text("T")], &wide(1000), &[felt(5_u64)]]);
        let class = *random.pick(&["erc20", "erc20", "erc20_steps"]);
        here(
            "deploy",
            join(&[
                &[world.class(class), felt(random.below(6))],
                &span(&arguments),
                &[felt(random.below(2))],
            ]),
        )
    }),
    ("deploy upgradable", |world, random| {
        let class = *random.pick(&["upgradable", "upgradable_v2"]);
        let argument = [felt(random.below(4))];
        here("deploy", join(&[&[world.class(class), random.felt()], &span(&argument), &[felt(0_u64)]]))
    }),
    ("deploy without constructor", |world, random| {
        let arguments = random.felts(1);
        let class = *random.pick(&["nft", "circuit", "caller"]);
        here("deploy", join(&[&[world.class(class), random.felt()], &span(&arguments), &[felt(1_u64)]]))
    }),
    ("deploy twice at one place", |world, _| {
        let arguments = [world.class("nft"), felt(77_u64), felt(0_u64), felt(1_u64)];
        vec![call(at::SYSCALLS, "deploy", arguments.to_vec()); 2]
    }),
    ("replace_class by itself", |world, _| here("replace_class", vec![world.class("syscalls")])),
    ("replace_class by an undeclared one", |_, random| here("replace_class", vec![random.felt()])),
    ("keccak", |_, random| {
        let count = 17 * random.below(4);
        here("keccak", span(&words(random, count, 64)))
    }),
    ("keccak of an odd length", |_, random| {
        let count = random.between(1, 16);
        here("keccak", span(&words(random, count, 64)))
    }),
    ("try_keccak", |_, random| {
        let count = random.below(36);
        here("try_keccak", span(&words(random, count, 64)))
    }),
    ("keccak_blocks", |_, random| here("keccak_blocks", vec![felt(random.between(1, 12))])),
    ("keccak_u256s", |_, random| {
        let numbers = join(&[&wide_random(random), &wide_random(random)]);
        here("keccak_u256s", join(&[&[felt(2_u64)], &numbers]))
    }),
    ("sha256", |_, random| {
        let count = random.below(40);
        let list = words(random, count, 32);
        here("sha256", join(&[&span(&list), &[felt(random.below(256)), felt(random.below(2))]]))
    }),
    ("sha256_block", |_, random| {
        let (state, message) = (words(random, 8, 32), words(random, 16, 32));
        here("sha256_block", join(&[&span(&state), &span(&message)]))
    }),
    ("secp256k1_new", |_, random| {
        let point =
            if random.once_in(2) { hex(&K1) } else { join(&[&wide(1), &wide(random.below(2).into())]) };
        here("secp256k1_new", point)
    }),
    ("secp256k1_new out of range", |_, _| {
        let most = Felt::from(u128::MAX);
        here("secp256k1_new", vec![most, most, most, most])
    }),
    ("secp256k1_point_from_x", |_, random| {
        here("secp256k1_point_from_x", join(&[&wide(random.below(10).into()), &[felt(random.below(2))]]))
    }),
    ("secp256k1_add", |_, _| here("secp256k1_add", join(&[&hex(&K1), &hex(&K1)]))),
    ("secp256k1_mul", |_, random| here("secp256k1_mul", join(&[&hex(&K1), &wide_random(random)]))),
    ("secp256k1_get_xy", |_, _| here("secp256k1_get_xy", hex(&K1))),
    ("secp256k1_recover", |_, random| {
        let (hash, s) = (wide_random(random), wide(random.number().into()));
        here("secp256k1_recover", join(&[&hash, &hex(&K1[..2]), &s, &[felt(random.below(2))]]))
    }),
    ("secp256k1_verify", |_, random| {
        let (hash, s) = (wide_random(random), wide(random.number().into()));
        here("secp256k1_verify", join(&[&hash, &hex(&K1[..2]), &s, &hex(&K1)]))
    }),
    ("verify_eth_signature", |_, random| {
        let (hash, s) = (wide_random(random), wide(random.number().into()));
        here(
            "verify_eth_signature",
            join(&[&hash, &hex(&K1[..2]), &s, &[felt(1_u64), felt(random.number())]]),
        )
    }),
    ("secp256r1_new", |_, random| {
        let point =
            if random.once_in(2) { hex(&R1) } else { join(&[&wide(1), &wide(random.below(2).into())]) };
        here("secp256r1_new", point)
    }),
    ("secp256r1_point_from_x", |_, random| {
        here("secp256r1_point_from_x", join(&[&wide(random.below(10).into()), &[felt(random.below(2))]]))
    }),
    ("secp256r1_add", |_, _| here("secp256r1_add", join(&[&hex(&R1), &hex(&R1)]))),
    ("secp256r1_mul", |_, random| here("secp256r1_mul", join(&[&hex(&R1), &wide_random(random)]))),
    ("secp256r1_get_xy", |_, _| here("secp256r1_get_xy", hex(&R1))),
    ("secp256r1_recover", |_, random| {
        let (hash, s) = (wide_random(random), wide(random.number().into()));
        here("secp256r1_recover", join(&[&hash, &hex(&R1[..2]), &s, &[felt(random.below(2))]]))
    }),
    ("secp256r1_verify", |_, random| {
        let (hash, s) = (wide_random(random), wide(random.number().into()));
        here("secp256r1_verify", join(&[&hash, &hex(&R1[..2]), &s, &hex(&R1)]))
    }),
    ("handled", |_, _| here("handled", vec![])),
    ("pedersen", |_, random| here("pedersen", vec![random.felt(), random.felt()])),
    ("poseidon", |_, random| here("poseidon", vec![random.felt(), random.felt(), random.felt()])),
    ("poseidon_many", |_, random| here("poseidon_many", span(&random.felts(9)))),
    ("bitwise", |_, random| here("bitwise", vec![felt(random.number()), felt(random.number())])),
    ("ec_mul", |_, random| here("ec_mul", join(&[&hex(&STARK), &[random.felt()]]))),
    ("ec_mul off the curve", |_, random| here("ec_mul", vec![felt(1_u64), felt(2_u64), random.felt()])),
    ("ec_add", |_, _| here("ec_add", join(&[&hex(&STARK), &hex(&STARK)]))),
    ("ec_point_from_x", |_, random| here("ec_point_from_x", vec![felt(random.below(20))])),
    ("ecdsa_check", |_, random| {
        here("ecdsa_check", vec![random.felt(), hex(&STARK)[0], felt(random.number()), felt(random.number())])
    }),
    ("u128_ops", |_, random| here("u128_ops", vec![felt(random.number()), felt(random.below(3))])),
    ("u128_more", |_, random| here("u128_more", vec![felt(random.number()), felt(random.number())])),
    ("u256_add_sub", |_, random| {
        here("u256_add_sub", join(&[&wide_random(random), &wide(random.number().into())]))
    }),
    ("u256_mul", |_, random| {
        here("u256_mul", join(&[&wide(random.number().into()), &wide(random.number().into())]))
    }),
    ("u256_mul overflow", |_, random| here("u256_mul", join(&[&wide_random(random), &wide_random(random)]))),
    ("u256_div", |_, random| {
        here("u256_div", join(&[&wide_random(random), &wide(random.below(1 << 20).into())]))
    }),
    ("u256_root", |_, random| here("u256_root", wide_random(random))),
    ("u256_mul_mod", |_, random| {
        here("u256_mul_mod", join(&[&wide_random(random), &wide_random(random), &wide_random(random)]))
    }),
    ("u256_inverse", |_, random| here("u256_inverse", join(&[&wide_random(random), &wide_random(random)]))),
    ("u256_inverse of zero", |_, random| here("u256_inverse", join(&[&wide(0), &wide_random(random)]))),
    ("felt_div", |_, random| here("felt_div", vec![random.felt(), felt(random.below(3))])),
    ("felt_ops", |_, random| here("felt_ops", vec![random.felt(), random.felt()])),
    ("small_ops", |_, random| {
        here(
            "small_ops",
            vec![felt(random.between(250, 256)), felt(random.number() >> 2), felt(9_u64), felt(8_u64)],
        )
    }),
    ("dictionary", |_, random| {
        let keys: Vec<_> = (0..random.between(1, 9)).map(|_| felt(random.below(5))).collect();
        let values: Vec<_> = keys.iter().map(|_| random.felt()).collect();
        here("dictionary", join(&[&span(&keys), &span(&values)]))
    }),
    ("dictionary of nothing", |_, _| here("dictionary", vec![felt(0_u64), felt(0_u64)])),
    ("dictionaries", |_, random| here("dictionaries", vec![felt(random.below(4)), felt(random.below(12))])),
    ("text", |_, random| here("text", vec![felt(random.number())])),
    ("loop_n", |_, random| here("loop_n", vec![felt(random.below(3000))])),
    ("recurse_n", |_, random| here("recurse_n", vec![felt(random.below(300))])),
    ("panic_with", |_, random| here("panic_with", span(&random.felts(4)))),
    ("panic_with text", |_, _| here("panic_with", span(&[short_text("plain words"), felt(7_u64)]))),
    ("panic_text", |_, random| here("panic_text", vec![felt(random.number())])),
    ("echo", |_, random| here("echo", span(&random.felts(9)))),
    ("nothing", |_, _| here("nothing", vec![])),
    ("too little calldata", |_, random| here("pedersen", random.felts(1))),
    ("too much calldata", |_, random| here("nothing", vec![random.felt()])),
    ("missing entry point", |_, _| here("there_is_no_such_entry_point", vec![])),
    ("l1 handler called from outside", |_, _| here("handle", vec![felt(1_u64), felt(2_u64), felt(3_u64)])),
    ("undeployed address", |_, random| {
        vec![Call { to: felt(random.number()), selector: selector("nothing"), calldata: vec![] }]
    }),
    ("address out of range", |_, _| {
        vec![Call { to: Felt::MAX, selector: selector("nothing"), calldata: vec![] }]
    }),
    ("undeclared class", |_, random| {
        here("library_call", join(&[&[random.felt(), selector("nothing")], &span(&[])]))
    }),
];

/// The younger syscalls; on versions that do not have them they fail.
pub const SYSCALLS_NEW: &[CallRecipe] = &[
    ("class_hash_at", |world, random| new("class_hash_at", vec![someone(world, random)])),
    ("execution_info_v3", |_, _| new("execution_info_v3", vec![])),
    ("emit_info", |_, _| new("emit_info", vec![])),
    ("sha512_block", |_, random| {
        let (state, message) = (words(random, 8, 64), words(random, 16, 64));
        new("sha512_block", join(&[&span(&state), &span(&message)]))
    }),
    ("blake2s_compress", |_, random| {
        let (state, message) = (words(random, 8, 32), words(random, 16, 32));
        new("blake2s_compress", join(&[&span(&state), &[felt(64_u64)], &span(&message)]))
    }),
    ("blake2s_finalize", |_, random| {
        let (state, message) = (words(random, 8, 32), words(random, 16, 32));
        new("blake2s_finalize", join(&[&span(&state), &[felt(random.below(64))], &span(&message)]))
    }),
    ("meta_tx", |_, random| {
        let inner = span(&random.felts(3));
        let to = [felt(at::SYSCALLS_NEW), selector("__execute__")];
        new("meta_tx", join(&[&to, &span(&inner), &span(&random.felts(2))]))
    }),
    ("meta_tx to an account", |world, random| {
        let inner = execute_calldata(&[call(at::SYSCALLS_NEW, "emit_info", vec![])]);
        let account = random.pick(&world.accounts).address.into();
        new("meta_tx", join(&[&[account, selector("__execute__")], &span(&inner), &span(&random.felts(2))]))
    }),
    ("meta_tx of another entry point", |_, _| {
        let to = [felt(at::SYSCALLS), selector("nothing")];
        new("meta_tx_and_catch", join(&[&to, &span(&[]), &span(&[])]))
    }),
    ("meta_tx that fails", |world, random| {
        let inner = execute_calldata(&[call(at::SYSCALLS, "panic_with", span(&[felt(5_u64)]))]);
        let account = random.pick(&world.accounts[12..18]).address.into();
        new("meta_tx_and_catch", join(&[&[account, selector("__execute__")], &span(&inner), &span(&[])]))
    }),
];
