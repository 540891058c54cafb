//! Cold start of a class, by size: loading it, which is the same for both engines, and its first call, in
//! which each engine prepares the class.

use std::time::Instant;

use starkiln::class::{Cairo0Class, Cairo1Class, ContractClass};
use starkiln::protocol::ProtocolVersion;
use starknet_api::contract_class::SierraVersion;

use super::clock::{Unit, line, on_any_engine, on_engines_timed, section};
use super::fixture::{World, contracts};
use super::{contract_call, is_selected, run};

const CONTRACT: u128 = 0xc1a5;

/// Classes in ascending size, each with an entry point without arguments.
const CLASSES: [(&str, &str); 8] = [
    ("upgradable", "version"),
    ("nft", "next_id"),
    ("erc20", "decimals"),
    ("caller", "counters"),
    ("syscalls", "nothing"),
    ("cairo0/constructors", "mode"),
    ("cairo0/erc20", "decimals"),
    ("cairo0/syscalls", "get_block_number"),
];

pub(crate) fn table() {
    section("classes: from compiled JSON to a class, and the first call");
    for (name, entry_point) in CLASSES {
        let json = json(name);
        let (_, felts) = load(name, &json);
        let what = format!("{name}, {felts} felts: loading");
        if is_selected(&what) {
            line(&what, Unit::Microseconds, &on_any_engine(|| drop(load(name, &json))));
        }
        let what = format!("{name}, {felts} felts: first call");
        if is_selected(&what) {
            first_call(&what, entry_point, || load(name, &json).0);
        }
    }
}

fn first_call(what: &str, entry_point: &str, class: impl Fn() -> ContractClass) {
    let call = contract_call(CONTRACT, entry_point, &[]);
    let times = on_engines_timed(|engine| {
        let mut world = World::bare(ProtocolVersion::NEWEST);
        world.put(class(), CONTRACT);
        let start = Instant::now();
        drop(run(&world, engine, &call));
        start.elapsed().as_secs_f64() * 1e9
    });
    line(what, Unit::Microseconds, &times);
}

/// The compiled class as JSON.
fn json(name: &str) -> Vec<u8> {
    let file = if is_cairo0(name) { format!("{name}.json") } else { format!("{name}.casm.json") };
    std::fs::read(contracts().join(file)).expect("the artefact exists")
}

fn is_cairo0(name: &str) -> bool {
    name.starts_with("cairo0/")
}

/// The class and its bytecode length.
fn load(name: &str, json: &[u8]) -> (ContractClass, usize) {
    if is_cairo0(name) {
        let class = Cairo0Class::from_json(json).expect("the artefact loads");
        let felts = class.bytecode_len();
        return (class.into(), felts);
    }
    let version = SierraVersion::new(1, 7, 0);
    let class = Cairo1Class::from_casm_json(json, version).expect("the artefact loads");
    let felts = class.bytecode_len();
    (class.into(), felts)
}
