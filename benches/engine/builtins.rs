//! The time of a builtin instance: writing its inputs, reading its outputs, and the checks at the end of the
//! frame.
//!
//! Covers all builtins that contracts may use, which excludes `output` and `keccak`.

use starkiln::protocol::ProtocolVersion;
use starknet_types_core::felt::Felt;

use super::clock::{Unit, section};
use super::fixture::{World, felt};
use super::probe::{Language, NextValue, Round, Source};
use super::{Probe, contract_call, per_round};

const LIBRARY: u128 = 0x11b;

/// 2^255 - 19, and two numbers below it, in limbs of 96 bits.
const MODULUS: [u128; 4] = [(1 << 96) - 19, (1 << 96) - 1, (1 << 63) - 1, 0];
const A: [u128; 4] = [7, 1 << 90, 0, 0];
const B: [u128; 4] = [5, 0, 0, 0];

/// Two points of the curve.
const GENERATOR: [Felt; 2] = [
    Felt::from_hex_unchecked("0x1ef15c18599971b7beced415a40f0c7deacfd9b0d1819e03d723d8bc943cfca"),
    Felt::from_hex_unchecked("0x5668060aa49730b7be4801df46ec62de53ecd11abe43a32873000c36e8dc1f"),
];
const POINT: [Felt; 2] = [
    Felt::from_hex_unchecked("0x234287dcbaffe7f969c748655fca9e58fa8120b6d56eb0c1080d17957ebe47b"),
    Felt::from_hex_unchecked("0x3b056f100f96fb21e889527d41f4e39940135dd7a6c94cc6ed0268ee89e5615"),
];

/// Hash, public key, r and s of a signature.
const SIGNED: [Felt; 4] = [
    Felt::from_hex_unchecked("0x5a1f3c9e7b2d4860a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f607"),
    Felt::from_hex_unchecked("0x31d0ab58bfbc08bffdfa1790bd00577859a03320396f9167e5b0c43596bb9f5"),
    Felt::from_hex_unchecked("0x6de428607af083a8977f14184eba05ecd9f64242b3fb72158472af75ca71d3d"),
    Felt::from_hex_unchecked("0x59e8cbb061c03d09d9bf1ede6aeca898d7709c7747e6dbe6b3397bb721fb803"),
];

pub(crate) fn table() {
    section("builtins: an instance, including the steps that write and read it");
    let value = Source::Value;
    let number = |number: u128| Source::Number(felt(number));
    let one = Source::Number(Felt::ONE);
    single("range_check", "range_check", &[value], 0, NextValue::OneMore, 2000);
    single("range_check96", "range_check96", &[value], 0, NextValue::OneMore, 2000);
    single("bitwise", "bitwise", &[value, number(u128::MAX / 3)], 3, NextValue::OneMore, 2000);
    single("pedersen, new", "pedersen", &[value, one], 1, NextValue::Cell(2), 1000);
    // Repeats the inputs of earlier calls, whose hashes are cached by the process.
    let again = Source::Number(felt(u128::MAX / 7));
    single("pedersen, cached", "pedersen", &[again, one], 1, NextValue::OneMore, 1000);
    single("poseidon", "poseidon", &[value, one, one], 3, NextValue::Cell(3), 1000);
    let [p, q] = [POINT, GENERATOR].map(|point| point.map(Source::Number));
    single("ec_op", "ec_op", &[p[0], p[1], q[0], q[1], value], 2, NextValue::OneMore, 50);
    modular();
    cairo1_library();
    signature();
}

fn single(what: &str, builtin: &'static str, inputs: &[Source], outputs: i64, next: NextValue, rounds: u64) {
    let round = Round::of_builtin(builtin, inputs, outputs, next);
    let empty = Round::empty(Language::Cairo1, Some(builtin));
    Probe { what, unit: Unit::Nanoseconds, round, baseline: empty, rounds, calldata: vec![] }.measure();
}

/// The modular builtins. Their values and offsets are in the calldata.
fn modular() {
    // After the number of rounds and the first value.
    const VALUES: i64 = 2;
    const OFFSETS: i64 = VALUES + 12;
    let sum: [u128; 4] = [12, 1 << 90, 0, 0];
    let product: [u128; 4] = [35, 5 << 90, 0, 0];
    for (builtin, result) in [("add_mod", sum), ("mul_mod", product)] {
        let mut inputs = MODULUS.map(|limb| Source::Number(felt(limb))).to_vec();
        inputs.extend([Source::PointerTo(VALUES), Source::PointerTo(OFFSETS), Source::Number(Felt::ONE)]);
        let offsets = [0, 4, 8];
        let calldata = [&A[..], &B, &result, &offsets].concat().into_iter().map(felt).collect();
        Probe {
            what: builtin,
            unit: Unit::Nanoseconds,
            round: Round::of_builtin(builtin, &inputs, 0, NextValue::OneMore),
            baseline: Round::empty(Language::Cairo1, Some(builtin)),
            rounds: 500,
            calldata,
        }
        .measure();
    }
}

/// Library functions that combine builtins and hints.
fn cairo1_library() {
    let mut world = World::new(ProtocolVersion::NEWEST);
    let (contract, circuits) = (0xbe, 0xc1);
    world.deploy("syscalls", contract);
    world.deploy("circuit", circuits);
    let call = |name: &str, calldata: &[Felt]| contract_call(contract, name, calldata);

    let dictionaries = |count: u128, keys: u128| call("dictionaries", &[felt(count), felt(keys)]);
    let (few, many) = (dictionaries(1, 1), dictionaries(201, 1));
    per_round(
        &world,
        "segment_arena: creating and squashing a dictionary",
        Unit::Nanoseconds,
        [&many, &few],
        200,
    );
    let (few, many) = (dictionaries(1, 1), dictionaries(1, 1001));
    per_round(&world, "an entry of a dictionary", Unit::Nanoseconds, [&many, &few], 1000);

    let number = |limbs: [u128; 4]| limbs.map(felt);
    let circuit = |times: u128| {
        let mut calldata = [number(A), number(B), number(MODULUS)].concat();
        calldata.push(felt(times));
        contract_call(circuits, "repeat", &calldata)
    };
    per_round(&world, "a circuit of five gates", Unit::Microseconds, [&circuit(11), &circuit(1)], 10);

    let hashes = |count: u64| {
        let mut calldata = vec![Felt::from(count)];
        calldata.extend((0..count).map(Felt::from));
        call("poseidon_many", &calldata)
    };
    per_round(&world, "a felt of a Poseidon hash", Unit::Nanoseconds, [&hashes(1002), &hashes(2)], 1000);

    let scalar = felt(u128::MAX) * felt(u128::MAX / 5);
    let product = call("ec_mul", &[GENERATOR[0], GENERATOR[1], scalar]);
    per_round(
        &world,
        "ec_mul, from the blinding point",
        Unit::Microseconds,
        [&product, &call("nothing", &[])],
        1,
    );
}

/// The ECDSA builtin, which only Cairo 0 supports.
fn signature() {
    let mut world = World::bare(ProtocolVersion::NEWEST);
    world.deploy("cairo0/library", LIBRARY);
    let call = |name: &str, calldata: &[Felt]| contract_call(LIBRARY, name, calldata);
    let signed = call("ecdsa", &SIGNED);
    let unsigned = call("range_check", &[Felt::ONE]);
    per_round(&world, "ecdsa (Cairo 0)", Unit::Microseconds, [&signed, &unsigned], 1);
}
