//! The time of a syscall, from writing the request to the response. Storage keys are new in every round
//! unless stated.

use starknet_types_core::felt::Felt;

use super::clock::{Unit, section};
use super::fixture::{felt, selector};
use super::probe::{Language, Round, Source};
use super::{PROBE, Probe};

/// Two points of a curve, in halves of 128 bits, low half first: x and y of the generator, x and y of its
/// double.
type Points = [Source; 8];

pub(crate) fn tables() {
    section("syscalls of Cairo 1");
    cairo1();
    curve("Secp256k1", "secp256k1", secp256k1());
    curve("Secp256r1", "secp256r1", secp256r1());
    section("syscalls of Cairo 0");
    cairo0();
}

/// An array of `count` zeros in the calldata: pointers to its start and its end.
fn zeros(count: i64) -> [Source; 2] {
    // After the number of rounds and the first value.
    [Source::PointerTo(2), Source::PointerTo(2 + count)]
}

fn measure(what: &str, round: Round, baseline: Round, rounds: u64) {
    let calldata = vec![Felt::ZERO; 24];
    Probe { what, unit: Unit::Nanoseconds, round, baseline, rounds, calldata }.measure();
}

fn cairo1() {
    let empty = || Round::empty(Language::Cairo1, None);
    let one = |what: &str, name: &str, request: &[&[Source]], response_cells, rounds| {
        measure(what, empty().syscall(name, &request.concat(), response_cells), empty(), rounds);
    };
    let number = |number: u128| Source::Number(felt(number));
    let (probe, class) = ([number(PROBE)], [number(PROBE)]);
    let run = [Source::Number(selector("run"))];
    let account = [Source::Number(selector("__execute__"))];
    // Zero rounds in the callee.
    let nothing = zeros(2);
    let (domain, cell) = ([Source::Number(Felt::ZERO)], [Source::Value]);
    let same_cell = [Source::Number(Felt::ONE)];

    one("storage_read, a new key", "StorageRead", &[&domain, &cell], 1, 1000);
    one("storage_read, a known key", "StorageRead", &[&domain, &same_cell], 1, 1000);
    one("storage_write, a new key", "StorageWrite", &[&domain, &cell, &cell], 0, 1000);
    one("storage_write, a known key", "StorageWrite", &[&domain, &same_cell, &cell], 0, 1000);
    one("emit_event, 1 key, 2 data", "EmitEvent", &[&zeros(1), &zeros(2)], 0, 500);
    one("send_message_to_l1, 2 felts", "SendMessageToL1", &[&[number(1)], &zeros(2)], 0, 500);
    one("get_execution_info", "GetExecutionInfo", &[], 1, 1000);
    one("get_block_hash", "GetBlockHash", &[&[number(900)]], 1, 1000);
    one("get_class_hash_at", "GetClassHashAt", &[&probe], 1, 1000);
    one("replace_class", "ReplaceClass", &[&class], 0, 1000);
    one("call_contract, empty callee", "CallContract", &[&probe, &run, &nothing], 2, 300);
    one("library_call, empty callee", "LibraryCall", &[&class, &run, &nothing], 2, 300);
    one("meta_tx_v0, empty callee", "MetaTxV0", &[&probe, &account, &nothing, &zeros(1)], 2, 300);
    let constructor = zeros(0);
    one("deploy, without constructor", "Deploy", &[&class, &cell, &constructor, &domain], 3, 300);
    one("keccak, one block", "Keccak", &[&zeros(17)], 2, 500);
    let block = [Source::PointerTo(2), Source::PointerTo(10)];
    one("sha256_process_block", "Sha256ProcessBlock", &[&block], 1, 500);
    one("sha512_process_block", "Sha512ProcessBlock", &[&block], 1, 500);
}

/// The five syscalls of a curve. The baseline of those that take points is creating the points.
fn curve(name: &str, label: &str, points: Points) {
    let empty = || Round::empty(Language::Cairo1, None);
    let syscall = |what: &str| format!("{name}{what}");
    let line = |what: &str| format!("{label}_{what}");
    let new =
        |round: Round, point: usize| round.syscall(&syscall("New"), &points[4 * point..4 * point + 4], 2);
    // The response: gas, failure flag, flag of a missing point, pointer.
    let generator = || new(empty(), 0);
    let first = Source::Response(REQUEST_OF_NEW + 3);
    let both = || new(generator(), 1);
    let second = Source::Response(REQUEST_OF_NEW + 4 + REQUEST_OF_NEW + 3);
    let scalar = [felt(u128::MAX / 3), felt(u128::MAX / 5)].map(Source::Number);
    let odd = Source::Number(Felt::ONE);

    measure(&line("new"), generator(), empty(), 200);
    measure(&line("add"), both().syscall(&syscall("Add"), &[first, second], 1), both(), 200);
    measure(
        &line("mul"),
        generator().syscall(&syscall("Mul"), &[first, scalar[0], scalar[1]], 1),
        generator(),
        20,
    );
    let from_x = empty().syscall(&syscall("GetPointFromX"), &[points[0], points[1], odd], 2);
    measure(&line("get_point_from_x"), from_x, empty(), 50);
    measure(&line("get_xy"), generator().syscall(&syscall("GetXy"), &[first], 4), generator(), 200);
}

/// Number of cells of a request: selector, gas, x and y.
const REQUEST_OF_NEW: i64 = 6;

fn secp256k1() -> Points {
    points([
        [0x79be667ef9dcbbac55a06295ce870b07, 0x029bfcdb2dce28d959f2815b16f81798],
        [0x483ada7726a3c4655da4fbfc0e1108a8, 0xfd17b448a68554199c47d08ffb10d4b8],
        [0xc6047f9441ed7d6d3045406e95c07cd8, 0x5c778e4b8cef3ca7abac09b95c709ee5],
        [0x1ae168fea63dc339a3c58419466ceaee, 0xf7f632653266d0e1236431a950cfe52a],
    ])
}

fn secp256r1() -> Points {
    points([
        [0x6b17d1f2e12c4247f8bce6e563a440f2, 0x77037d812deb33a0f4a13945d898c296],
        [0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e16, 0x2bce33576b315ececbb6406837bf51f5],
        [0x7cf27b188d034f7e8a52380304b51ac3, 0xc08969e277f21b35a60b48fc47669978],
        [0x07775510db8ed040293d9ac69f7430db, 0xba7dade63ce982299e04b79d227873d1],
    ])
}

/// Converts coordinates given in the usual notation, high half first.
fn points(coordinates: [[u128; 2]; 4]) -> Points {
    let halves: Vec<Source> = coordinates
        .iter()
        .flat_map(|[high, low]| [low, high])
        .map(|half| Source::Number(felt(*half)))
        .collect();
    halves.try_into().unwrap_or_else(|_| panic!("four coordinates"))
}

fn cairo0() {
    let empty = || Round::empty(Language::Cairo0, None);
    let one = |name: &str, line: &str, request: &[&[Source]], response_cells, rounds| {
        measure(line, empty().syscall(name, &request.concat(), response_cells), empty(), rounds);
    };
    let number = |number: u128| Source::Number(felt(number));
    let (probe, class) = ([number(PROBE)], [number(PROBE)]);
    let run = [Source::Number(selector("run"))];
    // Arrays of Cairo 0 are a length and a pointer.
    let felts = |count: u128| [number(count), Source::PointerTo(2)];
    let cell = [Source::Value];
    let callee = |target: [Source; 1]| [&target[..], &run, &felts(2)].concat();
    let (contract, library) = (callee(probe), callee(class));

    one("StorageRead", "storage_read, a new key", &[&cell], 1, 1000);
    one("StorageWrite", "storage_write, a new key", &[&cell, &cell], 0, 1000);
    one("EmitEvent", "emit_event, 1 key, 2 data", &[&felts(1), &felts(2)], 0, 500);
    one("SendMessageToL1", "send_message_to_l1, 2 felts", &[&[number(1)], &felts(2)], 0, 500);
    for (name, line) in [
        ("GetBlockNumber", "get_block_number"),
        ("GetBlockTimestamp", "get_block_timestamp"),
        ("GetSequencerAddress", "get_sequencer_address"),
        ("GetCallerAddress", "get_caller_address"),
        ("GetContractAddress", "get_contract_address"),
        ("GetTxInfo", "get_tx_info"),
    ] {
        one(name, line, &[], 1, 1000);
    }
    one("GetTxSignature", "get_tx_signature", &[], 2, 1000);
    one("ReplaceClass", "replace_class", &[&class], 0, 1000);
    one("CallContract", "call_contract, empty callee", &[&contract], 2, 300);
    one("LibraryCall", "library_call, empty callee", &[&library], 2, 300);
    one("LibraryCallL1Handler", "library_call_l1_handler, empty callee", &[&library], 2, 300);
    one("DelegateCall", "delegate_call, empty callee", &[&contract], 2, 300);
    one("DelegateL1Handler", "delegate_l1_handler, empty callee", &[&contract], 2, 300);
    let deployed = [&class[..], &cell, &felts(0), &[number(0)]].concat();
    one("Deploy", "deploy, without constructor", &[&deployed], 3, 300);
}
