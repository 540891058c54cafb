//! Compiler output in, `<name>.sierra.json` and `<name>.casm.json` out.
//!
//! `contract-artefacts <in.json> <out path without ending> [--version 1.7.0] [--replace <stub>]...`
//!
//! Repairs the fall-through branches that a 32-bit compiler wrote, replaces stub bodies (`stubs.rs`), sets the Sierra version,
//! drops debug information, compiles to CASM and prints the hashes.

use std::fs;

use cairo_lang_sierra::program::{BranchTarget, GenStatement, Program};
use cairo_lang_starknet_classes::casm_contract_class::CasmContractClass;
use cairo_lang_starknet_classes::contract_class::{ContractClass, ContractEntryPoint};
use cairo_lang_starknet_classes::keccak::starknet_keccak;
use cairo_lang_utils::bigint::BigUintAsHex;
use num_bigint::BigUint;
use serde::Serialize;
use serde_json::Value;
use starknet_types_core::felt::Felt;
use starknet_types_core::hash::{Poseidon, StarkHash};

mod stubs;

fn main() {
    let mut files = vec![];
    let mut version = None;
    let mut replace = vec![];
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--version" => version = arguments.next(),
            "--replace" => replace.extend(arguments.next()),
            _ => files.push(argument),
        }
    }
    let [input, output] = &files[..] else { panic!("an input and an output") };

    let mut json: Value = serde_json::from_str(&fs::read_to_string(input).expect("input")).expect("JSON");
    let abi = json["abi"].clone();
    let mut class: ContractClass = serde_json::from_value(json.take()).expect("a Sierra class");

    let extracted = class.extract_sierra_program(true).expect("a Sierra program");
    let mut program = extracted.program;
    let repaired = repair_fall_through(&mut program);
    for stub in &replace {
        stubs::replace(stub, &mut program);
    }
    let (sierra, compiler) = (extracted.sierra_version, extracted.compiler_version);
    let mut header = [sierra.major, sierra.minor, sierra.patch, compiler.major, compiler.minor, compiler.patch];
    if let Some(version) = version {
        for (slot, part) in header.iter_mut().zip(version.split('.')) {
            *slot = part.parse().expect("a version number");
        }
    }
    let encoded = ContractClass::new(&program, class.entry_points_by_type.clone(), None, Default::default()).expect("encodable");
    class.sierra_program = encoded.sierra_program;
    for (slot, part) in class.sierra_program.iter_mut().zip(header) {
        *slot = BigUintAsHex { value: part.into() };
    }
    class.sierra_program_debug_info = None;

    let extracted = class.extract_sierra_program(false).expect("what was just written");
    let casm = CasmContractClass::from_contract_class(class.clone(), extracted, false, usize::MAX).expect("CASM");

    let mut json = serde_json::to_value(&class).expect("JSON");
    json["abi"] = abi.clone();
    json.as_object_mut().expect("an object").shift_remove("sierra_program_debug_info");
    fs::write(format!("{output}.sierra.json"), serde_json::to_string(&json).expect("JSON") + "\n").expect("written");
    fs::write(format!("{output}.casm.json"), serde_json::to_string(&casm).expect("JSON") + "\n").expect("written");

    println!("{output}: version {header:?}, {repaired} branches repaired, {} felts of bytecode", casm.bytecode.len());
    println!("  class hash {:#x}", class_hash(&class, &abi));
    println!("  compiled class hash {:#x} (v1, Poseidon), {:#x} (v2, Blake)", casm.legacy_compiled_class_hash(), casm.compiled_class_hash());
}

/// Fall-through is the greatest `usize`, and the compiler's was 32 bits wide.
fn repair_fall_through(program: &mut Program) -> usize {
    let mut repaired = 0;
    for statement in &mut program.statements {
        let GenStatement::Invocation(invocation) = statement else { continue };
        for branch in &mut invocation.branches {
            if matches!(&branch.target, BranchTarget::Statement(at) if at.0 == 0xffff_ffff) {
                branch.target = BranchTarget::Fallthrough;
                repaired += 1;
            }
        }
    }
    repaired
}

/// The hash under which Starknet knows the class; the ABI enters as the string that Python's `json.dumps` makes of it.
fn class_hash(class: &ContractClass, abi: &Value) -> Felt {
    let mut text = vec![];
    abi.serialize(&mut serde_json::Serializer::with_formatter(&mut text, PythonStyle)).expect("JSON");
    let program: Vec<Felt> = class.sierra_program.iter().map(|value| felt(&value.value)).collect();
    let kinds = &class.entry_points_by_type;
    Poseidon::hash_array(&[
        Felt::from_bytes_be_slice(b"CONTRACT_CLASS_V0.1.0"),
        entry_points_hash(&kinds.external),
        entry_points_hash(&kinds.l1_handler),
        entry_points_hash(&kinds.constructor),
        felt(&starknet_keccak(&text)),
        Poseidon::hash_array(&program),
    ])
}

fn entry_points_hash(list: &[ContractEntryPoint]) -> Felt {
    let felts: Vec<Felt> = list.iter().flat_map(|entry| [felt(&entry.selector), Felt::from(entry.function_idx)]).collect();
    Poseidon::hash_array(&felts)
}

fn felt(number: &BigUint) -> Felt {
    Felt::from_bytes_be_slice(&number.to_bytes_be())
}

/// ", " and ": " as separators.
struct PythonStyle;

impl serde_json::ser::Formatter for PythonStyle {
    fn begin_array_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_key<W: ?Sized + std::io::Write>(&mut self, writer: &mut W, first: bool) -> std::io::Result<()> {
        writer.write_all(if first { b"" } else { b", " })
    }

    fn begin_object_value<W: ?Sized + std::io::Write>(&mut self, writer: &mut W) -> std::io::Result<()> {
        writer.write_all(b": ")
    }
}
