//! Cairo 0 on the fast engine before its judge, where random arguments do not reach: signatures, and hints with rare endings.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects
)]

mod fixture;

use fixture::{ACCOUNT, World, address, class, selector};
use starkiln::protocol::{Engine, ProtocolVersion};
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

/// What it returns, the same on every engine; `None` if the call fails, with the same text on every engine.
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
    let [judged, fast, checked] = [Engine::CairoVm, Engine::Fast, Engine::Checked].map(|engine| {
        let result = world.executor().engine(engine).call(&call);
        result.unwrap_or_else(|error| panic!("{name} {calldata:?} {engine:?}: {error}"))
    });
    assert_eq!(judged, checked, "{name} {calldata:?}");
    assert_eq!(judged, fast, "{name} {calldata:?}");
    match judged {
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
            // Sums at infinity, over which the verifier panics.
            [Felt::ZERO, public_key, r, s],
        ] {
            assert_eq!(call(&world, "ecdsa", &wrong), None, "{wrong:?}");
            assert_ne!(call(&world, "ecdsa_check", &wrong), Some(vec![Felt::ONE]), "{wrong:?}");
        }
        assert_eq!(call(&world, "ecdsa_unsigned", &[hash, public_key]), None);
    }
}
