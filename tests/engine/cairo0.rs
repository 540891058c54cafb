//! Cairo 0 on the fast engine against cairo-vm, where random arguments do not reach: signatures, and hints
//! with rare endings.

use crate::fixture::{ACCOUNT, World, address, class, selector};
use starkiln::block::Engine;
use starkiln::protocol::ProtocolVersion;
use starkiln::transaction::{CallResult, ContractCall};
use starknet_api::core::EntryPointSelector;
use starknet_api::transaction::fields::Calldata;
use starknet_crypto::{get_public_key, sign};
use starknet_types_core::felt::Felt;

const ADDRESS: u128 = 0xe61;

/// A contract of ours in a world of its own.
fn world(contract: &str) -> World {
    let mut world = World::bare(ProtocolVersion::NEWEST);
    let (class_hash, class) = class(contract);
    world.state =
        std::mem::take(&mut world.state).with_class(class_hash, class).deploy(address(ADDRESS), class_hash);
    world
}

/// The return data, equal on every engine; `None` if the call fails, with an equal text on every engine.
fn call(world: &World, name: &str, calldata: &[Felt]) -> Option<Vec<Felt>> {
    let call = ContractCall {
        caller: address(ACCOUNT),
        max_steps: 1_000_000,
        ..ContractCall::new(
            address(ADDRESS),
            EntryPointSelector(selector(name)),
            Calldata(calldata.to_vec().into()),
        )
    };
    let [expected, fast, checked] = [Engine::CairoVm, Engine::Fast, Engine::Checked].map(|engine| {
        let result = world.executor().engine(engine).call(&call);
        result.unwrap_or_else(|error| panic!("{name} {calldata:?} {engine:?}: {error}"))
    });
    assert_eq!(expected, checked, "{name} {calldata:?}");
    assert_eq!(expected, fast, "{name} {calldata:?}");
    match expected {
        CallResult::Finished(info) => Some(info.retdata),
        CallResult::Failed { .. } => None,
    }
}

#[test]
fn signatures_are_checked() {
    let world = world("cairo0/library");
    for (key, hash) in [(1_u64, 2_u64), (0x5ec_2e70, 0xabcd)] {
        let (key, hash) = (Felt::from(key), Felt::from(hash) * Felt::from(u128::MAX));
        let public_key = get_public_key(&key);
        let signature = sign(&key, &hash, &Felt::from(0x7331)).unwrap();
        let (r, s) = (signature.r, signature.s);
        assert_eq!(call(&world, "ecdsa", &[hash, public_key, r, s]), Some(vec![]));
        assert_eq!(call(&world, "ecdsa_check", &[hash, public_key, r, s]), Some(vec![Felt::ONE]));
        for wrong in [
            [hash + Felt::ONE, public_key, r, s],
            [hash, public_key + Felt::ONE, r, s],
            [hash, public_key, s, r],
            [hash, public_key, r, Felt::ZERO],
            [hash, public_key, Felt::MAX, s],
            [Felt::ZERO, public_key, r, s],
        ] {
            assert_eq!(call(&world, "ecdsa", &wrong), None, "{wrong:?}");
            assert_ne!(call(&world, "ecdsa_check", &wrong), Some(vec![Felt::ONE]), "{wrong:?}");
        }
        assert_eq!(call(&world, "ecdsa_unsigned", &[hash, public_key]), None);
    }
}

/// The owner of a key can make a signature that leads the published verifier to a sum at infinity, where it
/// panics: the transaction fails, and no other is affected.
#[test]
fn a_signature_with_a_sum_at_infinity_is_refused() {
    let world = world("cairo0/library");
    let hash = Felt::from(0x0123_4567_89ab_cdef_u64);
    let key = Felt::from_hex_unchecked("0x3df94c805edd64cd42c6404d5ecca70b2db9b4b89432a2f01c0c4f54eeecaaa");
    for r in [
        "0x9f959c427e56725d1745d1745d1745cbce36a17d866af9ee6f853ba8438dad",
        "0x7606a63bd81a99ea2e8ba2e8ba2e8b9ebb2dbcc4d6147382ff71d060582bf82",
    ] {
        let r = Felt::from_hex_unchecked(r);
        for s in [Felt::ONE, Felt::THREE] {
            let verified = std::panic::catch_unwind(|| starknet_crypto::verify(&key, &hash, &r, &s));
            assert!(verified.is_err(), "the verifier answers now: {verified:?}");
            assert_eq!(call(&world, "ecdsa", &[hash, key, r, s]), None);
        }
    }
}

fn felts(numbers: &[i64]) -> Vec<Felt> {
    numbers.iter().map(|number| Felt::from(*number)).collect()
}

#[test]
fn lists_are_searched_and_sorted() {
    let world = world("cairo0/library");
    let find = |arguments: &[i64]| call(&world, "find", &felts(arguments));
    assert_eq!(find(&[7, 3, 5, 7, 9]), Some(felts(&[1])));
    assert_eq!(find(&[5, 3, 5, 7, 5]), Some(felts(&[0])));
    assert_eq!(find(&[8, 3, 5, 7, 9]), None);
    assert_eq!(find(&[8, 0]), None);
    let search = |arguments: &[i64]| call(&world, "search", &felts(arguments));
    assert_eq!(search(&[7, 3, 5, 7, 9]), Some(felts(&[1, 1, 1])));
    assert_eq!(search(&[8, 3, 5, 7, 9]), Some(felts(&[2, 0, 0])));
    assert_eq!(search(&[10, 3, 5, 7, 9]), Some(felts(&[3, 0, 0])));
    assert_eq!(search(&[10, 0]), Some(felts(&[0, 0, 0])));
    let sort = |arguments: &[i64]| call(&world, "sort", &felts(arguments));
    assert_eq!(sort(&[5, 3, 1, 3, 2, 3]), Some(felts(&[3, 1, 2, 3, 3, 1, 1, 3])));
    assert_eq!(sort(&[1, -1]), None, "not below 2^128");
    assert_eq!(sort(&[0]), Some(felts(&[0, 0])));
}

#[test]
fn dictionaries_are_kept_and_squashed() {
    let world = world("cairo0/library");
    let dictionary = |arguments: &[i64]| call(&world, "dictionary", &felts(arguments));
    assert_eq!(dictionary(&[3, 4, 9, 4, 3, 10, 20, 30]), Some(felts(&[31, 2])));
    assert_eq!(dictionary(&[1, -4, 1, 10]), Some(felts(&[11, 1])));
    // One large key and one small.
    assert_eq!(dictionary(&[2, -4, 4, 2, 10, 20]), Some(felts(&[11, 2])));
    let many: Vec<i64> = [60].into_iter().chain((0..60).map(|key| key * key % 17)).collect();
    let values: Vec<i64> = [60].into_iter().chain(0..60).collect();
    assert!(dictionary(&[many, values].concat()).is_some());
    assert_eq!(call(&world, "squash", &felts(&[7, 1, 2])), Some(felts(&[1, 2])));
    assert_eq!(call(&world, "squash", &felts(&[-7, 1, 2])), Some(felts(&[1, 2])));
    assert_eq!(call(&world, "dictionary_update_wrongly", &[]), None);
}

#[test]
fn numbers_are_divided_and_rooted() {
    let world = world("cairo0/library");
    let max = u128::MAX;
    let numbers = [0, 1, 2, 3, 7, 12, 1 << 64, (1 << 64) - 1, 1 << 127, (1 << 127) - 1, max, max - 1];
    let mut answered = 0;
    for a in numbers.map(Felt::from) {
        for b in numbers.map(Felt::from) {
            for (name, arguments) in [
                ("divide", vec![a, b]),
                ("split", vec![a, Felt::from(4), b, b]),
                ("split", vec![a * b, Felt::from(3), Felt::TWO.pow(85_u32), Felt::TWO.pow(85_u32)]),
                ("roots_and_powers", vec![a * b, b]),
                ("felts", vec![a * b]),
                ("felts", vec![a - b]),
                ("u256_mul_div", vec![a, b, b, a]),
                ("u256_mul_div_mod", vec![a, b, b, a, a, a]),
                ("u256_mul_div_mod", vec![a, b, b, a, b, Felt::ZERO]),
                ("u256_compare", vec![a, b, b, a]),
                ("u256_more", vec![a, b, Felt::from(77)]),
                ("compare", vec![a, b]),
            ] {
                answered += u32::from(call(&world, name, &arguments).is_some());
            }
        }
    }
    assert!(answered > 500, "{answered}");
}

#[test]
fn points_are_found() {
    let world = world("cairo0/library");
    let mut answered = 0;
    for x in 0..12_u64 {
        for m in [Felt::ZERO, Felt::ONE, Felt::from(77), Felt::MAX] {
            answered += u32::from(call(&world, "curve", &[Felt::from(x), m]).is_some());
        }
    }
    assert!(answered > 5, "{answered}");
}

#[test]
fn keccak_is_computed() {
    let world = world("cairo0/hashes");
    let words: Vec<Felt> =
        (0..40_u64).map(|word| Felt::from(word.wrapping_mul(0x9e37_79b9_7f4a_7c15))).collect();
    let mut answered = 0;
    for bytes in [0, 1, 7, 8, 9, 135, 136, 137, 200, 272, 300] {
        let calldata = [&[Felt::from(bytes), Felt::from(40)], &words[..]].concat();
        // A last word of more than its bytes is refused.
        answered += u32::from(call(&world, "keccak", &calldata).is_some());
    }
    assert!(answered >= 5, "{answered}");
    let of_nothing =
        [0xc003_c7dc_b27d_7e92_3c23_f786_0146_d2c5, 0x70a4_855d_04d8_fa7b_3b27_82ca_53b6_00e5_u128];
    assert_eq!(call(&world, "keccak", &felts(&[0, 0])), Some(of_nothing.map(Felt::from).to_vec()));
}

/// What dictionaries keep beside memory is bounded with it: a bound that lets cells through does not let
/// values through.
#[test]
fn what_hints_keep_counts_as_memory() {
    let world = world("cairo0/library");
    let least = |keys: &[i64]| {
        let count = i64::try_from(keys.len()).unwrap();
        let calldata = [&[count][..], keys, &[count], keys].concat();
        let call = ContractCall {
            caller: address(ACCOUNT),
            max_steps: 1_000_000,
            ..ContractCall::new(
                address(ADDRESS),
                EntryPointSelector(selector("dictionary")),
                Calldata(felts(&calldata).into()),
            )
        };
        let runs = |limit: usize| {
            let executor = world.executor().engine(Engine::Fast).memory_limit(limit);
            executor.call(&call).is_ok_and(|result| matches!(result, CallResult::Finished(_)))
        };
        let (mut below, mut enough) = (0, 1 << 24);
        assert!(runs(enough) && !runs(below));
        while enough - below > 32 {
            let middle = usize::midpoint(below, enough);
            if runs(middle) { enough = middle } else { below = middle }
        }
        enough
    };
    let one = least(&[5; 50]);
    let many = least(&std::array::from_fn::<_, 50, _>(|key| i64::try_from(key).unwrap() + 1));
    // 49 keys more, each in two dictionaries and in a copy or two of their values.
    assert!(many > one + 49 * 3 * 5 * 32, "{one} and {many} bytes");
}
