//! The public interface of `class`: a minimal class, malformed input, and the recorded classes of real
//! chains.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use cairo_lang_starknet_classes::casm_contract_class::CasmContractClass;
use cairo_lang_starknet_classes::contract_class::ContractClass as CompilerClass;
use cairo_vm::hint_processor::builtin_hint_processor::hint_code::HINT_CODES;
use serde_json::{Value, json};
use starkiln::class::{
    CAIRO0_BUILTINS, Cairo0Class, Cairo0Lookup, Cairo1Class, ClassError, ContractClass, DeclaredClass,
    SegmentSizes, cairo0_abi_length, cairo0_class_hash, compile_sierra, sierra_class_from_json,
    sierra_class_hash, sierra_version,
};
use starkiln::protocol::{Builtin, Constants, ProtocolVersion, VersionPolicy};
use starknet_api::compression_utils::compress_and_encode;
use starknet_api::contract_class::compiled_class_hash::{HashVersion, HashableCompiledClass};
use starknet_api::contract_class::{EntryPointType, SierraVersion};
use starknet_api::core::EntryPointSelector;
use starknet_api::deprecated_contract_class::ContractClass as DeprecatedContractClass;
use starknet_types_core::felt::Felt;

const PRIME: &str = "0x800000000000011000000000000000000000000000000000000000000000001";

/// The recorded data, or `None` with a note on standard output.
fn data() -> Option<PathBuf> {
    let folder = std::env::var_os("STARKILN_DATA").map(PathBuf::from);
    if folder.is_none() {
        println!("skipped: STARKILN_DATA is not set");
    }
    folder
}

/// The JSON files of a folder with the hash that their names begin with.
fn files(folder: &Path) -> Vec<(Felt, PathBuf)> {
    let mut found: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            (
                Felt::from_hex(path.file_name().unwrap().to_str().unwrap().split('.').next().unwrap())
                    .unwrap(),
                path,
            )
        })
        .collect();
    found.sort();
    found
}

/// Eight felts, two functions, one hint, two segments.
fn tiny() -> Value {
    json!({
        "prime": PRIME,
        "compiler_version": "2.11.0",
        "bytecode": ["0x40780017fff7fff", "0x1", "0x208b7fff7fff7ffe", "0x480680017fff8000", "0x8000000000000000", "0x208b7fff7fff7ffe", "0x0", "0x10"],
        "bytecode_segment_lengths": [3, 5],
        "hints": [[3, [{"AllocSegment": {"dst": {"register": "AP", "offset": 0}}}]]],
        "pythonic_hints": [[3, ["memory[ap + 0] = segments.add()"]]],
        "entry_points_by_type": {
            "EXTERNAL": [
                {"selector": "0x5", "offset": 0, "builtins": ["range_check", "poseidon"]},
                {"selector": "0x6", "offset": 3, "builtins": ["poseidon", "range_check"]},
                {"selector": "0x6", "offset": 0, "builtins": []},
            ],
            "L1_HANDLER": [],
            "CONSTRUCTOR": [{"selector": "0x7", "offset": 3, "builtins": []}],
        },
    })
}

fn version() -> SierraVersion {
    SierraVersion::new(1, 7, 0)
}

fn load(casm: &Value) -> Result<Cairo1Class, ClassError> {
    Cairo1Class::from_casm_json(casm.to_string(), version())
}

#[test]
fn minimal_class_is_prepared() {
    let class = load(&tiny()).unwrap();
    assert_eq!(class.bytecode_len(), 8);
    assert_eq!(class.hints_at(3).len(), 1);
    assert!((0..20).filter(|pc| *pc != 3).all(|pc| class.hints_at(pc).is_empty()));
    assert_eq!(class.constructor_selector(), Some(EntryPointSelector(Felt::from(7))));
    let find =
        |selector: u64| class.entry_point(EntryPointType::External, EntryPointSelector(selector.into()));
    let first = find(5).unwrap();
    assert_eq!(
        (first.offset, first.builtins.as_slice(), first.builtins_valid, first.repeated),
        (0, &[Builtin::RangeCheck, Builtin::Poseidon][..], true, false)
    );
    let second = find(6).unwrap();
    assert_eq!((second.offset, second.builtins_valid, second.repeated), (3, false, true));
    assert!(find(7).is_none());
    assert_eq!(class.entry_points(EntryPointType::L1Handler), []);
    let SegmentSizes::Segmented(sizes) = class.segment_sizes() else { panic!("not segmented") };
    assert_eq!(
        sizes.iter().map(|size| (size.small, size.large)).collect::<Vec<_>>(),
        [(3, 0), (4, 1)].map(|(small, large)| (small, large))
    );

    // Both constructors give the same class, and the hashes are those of the compiler's library.
    let casm: CasmContractClass = serde_json::from_value(tiny()).unwrap();
    assert_eq!(class.compiled_class_hash_v1(), casm.hash(&HashVersion::V1));
    assert_eq!(class.compiled_class_hash_v2(), casm.hash(&HashVersion::V2));
    assert_eq!(class.compiled_class_hash_v2().0, casm.compiled_class_hash());
    assert_eq!(class, Cairo1Class::from_casm(casm, version()).unwrap());

    let mut whole = tiny();
    whole.as_object_mut().unwrap().remove("bytecode_segment_lengths");
    let casm: CasmContractClass = serde_json::from_value(whole.clone()).unwrap();
    let whole = load(&whole).unwrap();
    assert_eq!(whole.compiled_class_hash_v1(), casm.hash(&HashVersion::V1));
    assert_ne!(whole.compiled_class_hash_v1(), class.compiled_class_hash_v1());
    assert!(matches!(whole.segment_sizes(), SegmentSizes::Whole(size) if (size.small, size.large) == (7, 1)));

    let class = ContractClass::from(class);
    assert!(class.is_cairo1());
    assert_eq!(class.sierra_version(), &version());
    assert_eq!(class.clone(), class);
    let declared = DeclaredClass { class, sierra_program_length: 100, abi_length: 7 };
    assert_eq!(declared.code_size(), (8 + 100) * 32 + 7);
    assert_eq!(DeclaredClass { sierra_program_length: u64::MAX, ..declared }.code_size(), u64::MAX);
}

#[test]
fn gas_is_metered_from_the_sierra_version_of_the_protocol_version() {
    let constants = |version: &str| {
        Constants::for_version(version.parse::<ProtocolVersion>().unwrap(), VersionPolicy::Exact).unwrap()
    };
    let class = |version| Cairo1Class::from_casm_json(tiny().to_string(), version).unwrap();
    for (sierra, protocol, tracked) in [
        ((1, 7, 0), "0.13.4", true),
        ((1, 7, 0), "0.14.4", true),
        ((2, 0, 0), "0.14.4", true),
        ((1, 6, 9), "0.14.4", false),
        ((0, 1, 0), "0.14.4", false),
        ((1, 7, 0), "0.13.3", false),
        ((100, 0, 0), "0.13.3", true),
    ] {
        let class = class(SierraVersion::from(sierra));
        assert_eq!(class.tracked_by_gas(&constants(protocol)), tracked, "{sierra:?} {protocol}");
        assert_eq!(ContractClass::from(class).tracked_by_gas(&constants(protocol)), tracked);
    }
}

/// Each case is a change to the minimal class, and the text of the error.
#[test]
fn malformed_classes_are_rejected_with_the_place() {
    let set = |pointer: &str, value: Value| {
        let mut casm = tiny();
        *casm.pointer_mut(pointer).unwrap() = value;
        casm
    };
    let without = |field: &str| {
        let mut casm = tiny();
        casm.as_object_mut().unwrap().remove(field);
        casm
    };
    let table = [
        (set("/prime", json!("0x7")), "prime: 0x7 is not the Starknet prime"),
        (set("/bytecode/4", json!(PRIME)), "bytecode[4]: 0x8000"),
        (set("/bytecode/4", json!("12")), "bytecode[4]: \"12\" is not a hexadecimal"),
        (set("/bytecode/4", json!(12)), "CASM class: invalid type: integer `12`"),
        (without("bytecode"), "CASM class: missing field `bytecode`"),
        (without("hints"), "CASM class: missing field `hints`"),
        (without("prime"), "CASM class: missing field `prime`"),
        (without("entry_points_by_type"), "CASM class: missing field `entry_points_by_type`"),
        (
            set("/entry_points_by_type", json!({"EXTERNAL": [], "CONSTRUCTOR": []})),
            "missing field `L1_HANDLER`",
        ),
        (
            set("/entry_points_by_type/EXTERNAL/0/offset", json!(8)),
            "entry_points_by_type.EXTERNAL: entry point 0x5: offset 8 is outside the bytecode (8 felts)",
        ),
        (
            set("/entry_points_by_type/EXTERNAL/0/offset", json!(-1)),
            "CASM class: invalid value: integer `-1`",
        ),
        (
            set("/entry_points_by_type/EXTERNAL/1/selector", json!(PRIME)),
            "entry_points_by_type.EXTERNAL[1].selector: 0x8000",
        ),
        (
            set("/entry_points_by_type/CONSTRUCTOR/0/builtins", json!(["pedersen", "magic"])),
            "entry_points_by_type.CONSTRUCTOR: entry point 0x7: unknown builtin \"magic\"",
        ),
        (set("/hints/0/0", json!(8)), "hints: pc 8 is outside the bytecode (8 felts)"),
        (
            set("/hints/0/1/0", json!({"NoSuchHint": 1})),
            "CASM class: data did not match any variant of untagged enum Hint",
        ),
        (
            set("/bytecode_segment_lengths", json!([3, 4])),
            "the sum is not the length of the bytecode (8 felts)",
        ),
        (set("/bytecode_segment_lengths", json!([3, [4, 1]])), "nested more than one level deep"),
        (json!([]), "CASM class: invalid length 0"),
        (json!(null), "CASM class: invalid type: null"),
    ];
    for (casm, expected) in table {
        let error = load(&casm).expect_err(expected);
        assert!(error.to_string().contains(expected), "expected {expected:?}, got: {error}");
        // The library's own structure gives the same error, if it can represent the fault.
        if let Ok(parsed) = serde_json::from_value::<CasmContractClass>(casm) {
            let other = Cairo1Class::from_casm(parsed, version()).expect_err(expected);
            assert_eq!(std::mem::discriminant(&error), std::mem::discriminant(&other), "{error} / {other}");
        }
    }
    for text in ["", "{", "no", "{\"prime\": \"0x", "\u{0}"] {
        let casm = Cairo1Class::from_casm_json(text, version());
        assert!(matches!(casm, Err(ClassError::NotJson { .. })), "{text}");
        let sierra = Cairo1Class::from_sierra_json(text);
        assert!(matches!(sierra, Err(ClassError::NotJson { .. })), "{text}");
    }
    // Deep nesting.
    let deep = "[".repeat(1_000_000);
    for text in [
        deep.clone(),
        format!("{{\"abi\": {deep}"),
        format!("{{\"sierra_program\": {deep}"),
        format!("{{\"bytecode_segment_lengths\": {deep}"),
        format!("{{\"hints\": [[1, [{deep}"),
        format!("{{\"ignored\": {deep}"),
    ] {
        assert!(Cairo1Class::from_casm_json(&text, version()).is_err());
        assert!(Cairo1Class::from_sierra_json(&text).is_err());
    }
    assert!(Cairo1Class::from_casm_json([0xff_u8, 0xfe], version()).is_err());
}

#[test]
fn malformed_sierra_is_rejected() {
    let sierra = |program: Value| json!({"sierra_program": program, "contract_class_version": "0.1.0", "entry_points_by_type": {"EXTERNAL": [], "L1_HANDLER": [], "CONSTRUCTOR": []}});
    let table = [
        (json!({}), "Sierra class: missing field `sierra_program`"),
        (sierra(json!(5)), "a Sierra program: an array of felts or a compressed string"),
        (sierra(json!("!!")), "not a compressed program"),
        (sierra(json!("AAAA")), "not a compressed program"),
        (sierra(json!(["0x1"])), "no Sierra version in its first felts: the program has 1 felts"),
        (sierra(json!(["0x1", "0x10000000000000000", "0x0"])), "minor is 0x10000000000000000"),
        (sierra(json!(["0x1", "0x2", PRIME])), "sierra_program[2]: 0x800"),
        (sierra(json!(["0x1", "0x2", "0x0"])), "sierra_program: cannot be decoded"),
        (
            sierra(json!(["0x1", "0x2", "0x0", "0x2", "0x0", "0x0", "0x5"])),
            "sierra_program: cannot be decoded",
        ),
        (sierra(json!(["0x302e312e30", "0x2", "0x0"])), "sierra_program: cannot be decoded"),
    ];
    for (class, expected) in table {
        let error = Cairo1Class::from_sierra_json(class.to_string()).expect_err(expected);
        assert!(error.to_string().contains(expected), "expected {expected:?}, got: {error}");
    }
    let mut class = sierra(json!(["0x1", "0x2", "0x3"]));
    class["abi"] = json!(7);
    assert!(matches!(sierra_class_from_json(class.to_string()), Err(ClassError::Shape { .. })));
    assert_eq!(sierra_version(&[Felt::from_bytes_be_slice(b"0.1.0")]), Ok(SierraVersion::new(0, 1, 0)));
    assert_eq!(sierra_version(&[Felt::ONE, Felt::TWO, Felt::THREE]), Ok(SierraVersion::new(1, 2, 3)));
}

/// Every felt of a small real program changed, one at a time: an error or a class, never a panic.
#[test]
fn damaged_sierra_never_panics() {
    let Some(data) = data() else { return };
    let json: Value = serde_json::from_slice(
        &fs::read(
            data.join("classes/sierra/0xe2eb8f5672af4e6a4e8a8f1b44989685e668489b0a25437733756c5a34a1d6.json"),
        )
        .unwrap(),
    )
    .unwrap();
    let mut class = sierra_class_from_json(json.to_string()).unwrap();
    let length = class.sierra_program.len();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    for step in 0..300 {
        let index = step * length / 300;
        let old = class.sierra_program[index];
        class.sierra_program[index] = if step % 2 == 0 { old + Felt::ONE } else { Felt::MAX };
        let kind = match compile_sierra(&class) {
            Ok(_) => "compiled".to_owned(),
            Err(error) => format!("{error:?}").split([' ', '{']).next().unwrap().to_owned(),
        };
        *kinds.entry(kind).or_default() += 1;
        class.sierra_program[index] = old;
    }
    println!("damaged programs: {kinds:?}");
}

/// Programs with maximal depth: chains of types, in and against the order of declaration, and chains of
/// jumps. None may overflow the stack.
#[test]
fn deep_sierra_does_not_overflow_the_stack() {
    let Some(data) = data() else { return };
    let bytes = fs::read(
        data.join("classes/sierra/0xe2eb8f5672af4e6a4e8a8f1b44989685e668489b0a25437733756c5a34a1d6.json"),
    )
    .unwrap();
    let class: CompilerClass = serde_json::from_slice(&bytes).unwrap();
    let number = |value: &Value| value.as_u64().unwrap() as usize;
    const DEPTH: usize = 40_000;
    for shape in ["types", "types backwards", "jumps", "jumps backwards"] {
        let extracted = class.extract_sierra_program(false).unwrap();
        let mut program = extracted.program;
        let mut json = serde_json::to_value(&program).unwrap();
        let types = json["type_declarations"].as_array_mut().unwrap();
        let first = types.len();
        let array = types.iter().find(|declared| declared["long_id"]["generic_id"] == "Array");
        let array = array.unwrap().clone();
        if shape.starts_with("types") {
            for index in 0..DEPTH {
                let id = first + index;
                let mut declared = array.clone();
                let inner = match shape {
                    "types" if index > 0 => id - 1,
                    "types backwards" if index + 1 < DEPTH => id + 1,
                    _ => number(&array["id"]["id"]), // an array of arrays, which the class does not have
                };
                declared["id"]["id"] = json!(id);
                declared["long_id"]["generic_args"][0]["Type"]["id"] = json!(inner);
                types.push(declared);
            }
        } else {
            let libfuncs = json["libfunc_declarations"].as_array_mut().unwrap();
            let mut jump = libfuncs[0].clone();
            jump["id"]["id"] = json!(libfuncs.len());
            jump["long_id"] = json!({"generic_id": "jump", "generic_args": []});
            let jump_id = jump["id"].clone();
            libfuncs.push(jump);
            let start = json["statements"].as_array().unwrap().len();
            let end = number(&json["funcs"][0]["entry_point"]);
            let backwards = shape == "jumps backwards";
            for index in 0..DEPTH {
                let target = match backwards {
                    false if index + 1 < DEPTH => start + index + 1,
                    true if index > 0 => start + index - 1,
                    _ => end,
                };
                json["statements"].as_array_mut().unwrap().push(json!({"Invocation": {
                    "libfunc_id": jump_id,
                    "args": [],
                    "branches": [{"target": {"Statement": target}, "results": []}],
                }}));
            }
            let entry = if backwards { start + DEPTH - 1 } else { start };
            json["funcs"][0]["entry_point"] = json!(entry);
        }
        program = serde_json::from_value(json).unwrap();
        let deep = CompilerClass::new(&program, class.entry_points_by_type.clone(), None, Default::default())
            .unwrap();
        let start = Instant::now();
        let outcome = Cairo1Class::from_sierra(deep).map_err(|error| error.to_string());
        println!("{shape}: {outcome:.120?} in {:?}", start.elapsed());
    }
}

#[test]
fn recorded_sierra_classes_have_their_recorded_hash() {
    let Some(data) = data() else { return };
    let mut count = 0;
    for folder in ["classes/sierra", "dojo_chain/classes"] {
        for (hash, path) in files(&data.join(folder)) {
            if path.to_str().unwrap().ends_with("legacy.json") {
                continue;
            }
            let class = sierra_class_from_json(fs::read(&path).unwrap()).unwrap();
            assert_eq!(sierra_class_hash(&class).0, hash, "{path:?}");
            count += 1;
        }
    }
    let record: Value =
        serde_json::from_slice(&fs::read(data.join("rpc_simulation/record.json")).unwrap()).unwrap();
    for interaction in record["interactions"].as_array().unwrap() {
        if interaction["method"] == "starknet_getClass" {
            let class = sierra_class_from_json(interaction["response"]["result"].to_string()).unwrap();
            let hash = Felt::from_hex(interaction["sorted_params"]["class_hash"].as_str().unwrap()).unwrap();
            assert_eq!(sierra_class_hash(&class).0, hash);
            let prepared =
                Cairo1Class::from_sierra_json(interaction["response"]["result"].to_string()).unwrap();
            assert_eq!(prepared.sierra_version(), &version());
            count += 1;
        }
    }
    println!("class hashes compared: {count}");
}

#[test]
fn compressed_programs_are_decompressed() {
    let Some(data) = data() else { return };
    let (hash, path) = files(&data.join("classes/sierra")).pop().unwrap();
    let bytes = fs::read(path).unwrap();
    let plain = sierra_class_from_json(&bytes).unwrap();
    // A `Value` sorts the keys of an ABI array, which changes the hash, so the ABI is inserted as text.
    let mut json: Value = serde_json::from_slice(&bytes).unwrap();
    json["sierra_program"] =
        json!(starknet_api::compression_utils::compress_and_encode(&json["sierra_program"]).unwrap());
    json["abi"] = json!(plain.abi);
    let unpacked = sierra_class_from_json(json.to_string()).unwrap();
    assert_eq!(unpacked, plain);
    assert_eq!(sierra_class_hash(&unpacked).0, hash);
}

/// The development chain recorded a compiled class hash with every declaration.
#[test]
fn recorded_declarations_compile_to_their_compiled_class_hash() {
    let Some(data) = data() else { return };
    let chain: Value =
        serde_json::from_slice(&fs::read(data.join("dojo_chain/chain.json")).unwrap()).unwrap();
    let mut declared = BTreeMap::new();
    for block in chain.as_array().unwrap() {
        for (hash, compiled) in block["state_diff"]["declared"].as_object().unwrap() {
            if let Some(compiled) = compiled.as_str() {
                declared.insert(Felt::from_hex(hash).unwrap(), Felt::from_hex(compiled).unwrap());
            }
        }
    }
    let mut compared = 0;
    for (hash, path) in files(&data.join("dojo_chain/classes")) {
        let Some(compiled) = declared.get(&hash) else {
            continue;
        };
        let class = Cairo1Class::from_sierra_json(fs::read(&path).unwrap()).unwrap();
        assert_eq!(class.compiled_class_hash_v1().0, *compiled, "{path:?}");
        compared += 1;
    }
    assert_eq!(compared, declared.len());
    println!("declared compiled class hashes compared: {compared}");
}

/// Compares the hashes of CASM files with those of the library, and with a fresh compilation of the Sierra
/// file of the same name.
#[test]
fn recorded_casm_classes_load_and_hash() {
    let Some(data) = data() else { return };
    let (mut loaded, mut recompiled) = (0, 0);
    for (_, path) in files(&data.join("classes/casm")) {
        let bytes = fs::read(&path).unwrap();
        let class = Arc::new(Cairo1Class::from_casm_json(&bytes, version()).unwrap());
        let casm: CasmContractClass = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(class.compiled_class_hash_v1(), casm.hash(&HashVersion::V1));
        assert_eq!(class.compiled_class_hash_v2(), casm.hash(&HashVersion::V2));
        for (pc, hints) in &casm.hints {
            assert_eq!(class.hints_at(*pc), hints);
        }
        for typ in [EntryPointType::Constructor, EntryPointType::External, EntryPointType::L1Handler] {
            for entry_point in class.entry_points(typ) {
                assert!(entry_point.builtins_valid && !entry_point.repeated);
                assert_eq!(class.entry_point(typ, entry_point.selector), Some(entry_point));
            }
        }
        assert_eq!(*class, Cairo1Class::from_casm(casm, version()).unwrap());
        let sierra = data.join("classes/sierra").join(path.file_name().unwrap());
        if sierra.exists() {
            let fresh = Cairo1Class::from_sierra_json(fs::read(sierra).unwrap()).unwrap();
            assert_eq!(fresh.compiled_class_hash_v1(), class.compiled_class_hash_v1(), "{path:?}");
            assert_eq!(fresh.compiled_class_hash_v2(), class.compiled_class_hash_v2(), "{path:?}");
            recompiled += 1;
        }
        loaded += 1;
    }
    println!("CASM classes loaded: {loaded}; the same when compiled again from Sierra: {recompiled}");
}

/// Prints the time of preparation, without assertions: the machine is shared.
#[test]
fn timings() {
    let Some(data) = data() else { return };
    for (hash, path) in files(&data.join("classes/casm")) {
        let bytes = fs::read(&path).unwrap();
        let best = |action: &mut dyn FnMut()| {
            (0..5)
                .map(|_| {
                    let start = Instant::now();
                    action();
                    start.elapsed()
                })
                .min()
                .unwrap()
        };
        let json = best(&mut || drop(Cairo1Class::from_casm_json(&bytes, version()).unwrap()));
        let parse = best(&mut || drop(serde_json::from_slice::<CasmContractClass>(&bytes).unwrap()));
        let casm: CasmContractClass = serde_json::from_slice(&bytes).unwrap();
        let mut clones: Vec<_> = (0..5).map(|_| casm.clone()).collect();
        let prepare = best(&mut || drop(Cairo1Class::from_casm(clones.pop().unwrap(), version()).unwrap()));
        let class = Cairo1Class::from_casm(casm, version()).unwrap();
        let start = Instant::now();
        class.compiled_class_hash_v1();
        let v1 = start.elapsed();
        let start = Instant::now();
        class.compiled_class_hash_v2();
        let v2 = start.elapsed();
        let start = Instant::now();
        for _ in 0..1000 {
            class.compiled_class_hash_v2();
        }
        let again = start.elapsed() / 1000;
        println!(
            "{hash:#.10x}.. {} felts: from JSON {json:?} (library parse alone {parse:?}), from CASM {prepare:?}, hash v1 {v1:?}, v2 {v2:?}, again {again:?}",
            class.bytecode_len()
        );
    }
}

/// A class of eight felts, with a syscall, two of Starknet's own hints and one of the Cairo library.
fn tiny_cairo0() -> Value {
    let hint = |code: &str, references: Value| json!({"code": code, "accessible_scopes": ["__main__", "__main__.f"], "flow_tracking_data": {"ap_tracking": {"group": 0, "offset": 1}, "reference_ids": references}});
    json!({
        "abi": [{"type": "function", "name": "f\u{e9}\u{1f600}", "inputs": [], "outputs": []}],
        "entry_points_by_type": {
            "CONSTRUCTOR": [{"selector": "0x9", "offset": 4}, {"selector": "0x8", "offset": 5}],
            "EXTERNAL": [
                {"selector": "0x0", "offset": "0x2"},
                {"selector": "0x5", "offset": "0x3"},
                {"selector": "0x6", "offset": 3},
                {"selector": "0x6", "offset": 4},
            ],
            "L1_HANDLER": [],
        },
        "program": {
            "attributes": [
                {"name": "error_message", "value": "no", "start_pc": 0, "end_pc": 2, "accessible_scopes": [], "flow_tracking_data": null},
                {"name": "soundness", "value": "", "start_pc": 0, "end_pc": 2},
            ],
            "builtins": ["pedersen", "range_check", "ecdsa"],
            "data": ["0x40780017fff7fff", "0x1", "0x208b7fff7fff7ffe", "0x480680017fff8000", "0x8000000000000000", "0x208b7fff7fff7ffe", "0x0", "0x10"],
            "debug_info": {"file_contents": {}, "instruction_locations": {}},
            "hints": {
                "3": [hint("syscall_handler.storage_read(segments=segments, syscall_ptr=ids.syscall_ptr)", json!({"__main__.f.syscall_ptr": 0}))],
                "0": [hint("memory[ap] = segments.add()", json!({})), hint("ids.is_250 = 1 if ids.addr < 2**250 else 0", json!({"__main__.f.addr": 1, "__main__.f.is_250": 0}))],
            },
            "identifiers": {
                "__main__.BOUND": {"type": "const", "value": 1},
                "__main__.f": {"type": "function", "pc": 0, "decorators": ["external"]},
                "__main__.f.x": {"type": "reference", "cairo_type": "(a: felt, b: felt)", "full_name": "__main__.f.x", "references": [{"pc": 0, "value": "cast([fp], (a: felt, b: felt)*)", "ap_tracking_data": {"group": 0, "offset": 0}}]},
            },
            "main_scope": "__main__",
            "prime": PRIME,
            "reference_manager": {"references": [
                {"pc": 0, "value": "[cast(fp + (-3), felt*)]", "ap_tracking_data": {"group": 0, "offset": 0}},
                {"pc": 0, "value": "[cast(ap + (-1), (a: felt, b: felt)*)]", "ap_tracking_data": {"group": 0, "offset": 1}},
            ]},
        },
    })
}

fn selector(value: u64) -> EntryPointSelector {
    EntryPointSelector(value.into())
}

/// The class with its program compressed, as nodes serve it.
fn compressed(class: &Value) -> Value {
    let mut class = class.clone();
    class["program"] = json!(compress_and_encode(&class["program"]).unwrap());
    class
}

#[test]
fn minimal_cairo0_class_is_prepared() {
    let json = tiny_cairo0();
    let class = Cairo0Class::from_json(json.to_string()).unwrap();
    assert_eq!(
        format!("{class:?}"),
        "Cairo0Class { bytecode_len: 8, hints: 3, builtins: [Pedersen, RangeCheck, Ecdsa], constructors: 2, externals: 4, l1_handlers: 0, .. }"
    );
    assert_eq!(class.hint_counts(), (3, 1));
    assert_eq!((class.n_entry_points(), class.n_builtins(), class.bytecode_len()), (6, 3, 8));
    assert_eq!(class.unsupported_builtins(), []);
    assert_eq!(class.constructor_selector(), Some(selector(9)));

    let external = |value| class.entry_point(EntryPointType::External, selector(value));
    assert_eq!(external(5), Cairo0Lookup::Found(3));
    assert_eq!(external(6), Cairo0Lookup::Repeated);
    assert_eq!(external(7), Cairo0Lookup::Found(2)); // the default entry point
    assert_eq!(external(0), Cairo0Lookup::Found(2));
    assert_eq!(class.entry_point(EntryPointType::Constructor, selector(8)), Cairo0Lookup::Found(5));
    assert_eq!(class.entry_point(EntryPointType::Constructor, selector(7)), Cairo0Lookup::NotFound);
    assert_eq!(class.entry_point(EntryPointType::L1Handler, selector(0)), Cairo0Lookup::NoEntryPointOfType);

    let lookup = |externals: &[u64], value| {
        let mut json = tiny_cairo0();
        json["entry_points_by_type"] = json!({"EXTERNAL": externals.iter().enumerate().map(|(offset, value)| json!({"selector": format!("{value:#x}"), "offset": offset})).collect::<Vec<_>>()});
        Cairo0Class::from_json(json.to_string())
            .unwrap()
            .entry_point(EntryPointType::External, selector(value))
    };
    assert_eq!(lookup(&[5, 0], 7), Cairo0Lookup::NotFound); // a default entry point is only used if it is the first
    assert_eq!(lookup(&[5, 0], 0), Cairo0Lookup::Found(1));
    assert_eq!(lookup(&[0, 0], 7), Cairo0Lookup::Found(0));
    assert_eq!(lookup(&[0, 0], 0), Cairo0Lookup::Repeated);
    assert_eq!(lookup(&[], 0), Cairo0Lookup::NoEntryPointOfType);

    // All forms give the same class.
    assert_eq!(Cairo0Class::from_json(compressed(&json).to_string()).unwrap(), class);
    let held: DeprecatedContractClass = serde_json::from_value(json.clone()).unwrap();
    assert_eq!(Cairo0Class::from_deprecated_class(&held).unwrap(), class);
    let mut without = json.clone();
    let program = without["program"].as_object_mut().unwrap();
    program.remove("debug_info");
    program.insert("attributes".to_owned(), json!([program["attributes"][0]]));
    assert_eq!(Cairo0Class::from_json(without.to_string()).unwrap(), class);

    let declared = DeclaredClass::from_cairo0_json(json.to_string()).unwrap();
    let abi = r#"[{"inputs": [], "name": "f\u00e9\ud83d\ude00", "outputs": [], "type": "function"}]"#;
    assert_eq!((declared.sierra_program_length, declared.abi_length), (0, abi.len() as u64));
    assert_eq!(declared.code_size(), 8 * 32 + abi.len() as u64);
    assert_eq!(DeclaredClass::from_cairo0(class, declared.abi_length), declared);
    let class = declared.class;
    assert!(!class.is_cairo1());
    assert_eq!(class.sierra_version(), &SierraVersion::DEPRECATED);
    assert_eq!(class.compiled_class_hash_v2(), None);
    assert_eq!((class.bytecode_len(), class.constructor_selector()), (8, Some(selector(9))));
    let newest = Constants::for_version(ProtocolVersion::SUPPORTED[13], VersionPolicy::Exact).unwrap();
    assert!(!class.tracked_by_gas(&newest));
    let mut silent = json.clone();
    silent["abi"] = json!(null);
    assert_eq!(cairo0_abi_length(silent.to_string()), Ok(0));
    silent.as_object_mut().unwrap().remove("abi");
    assert_eq!(cairo0_abi_length(silent.to_string()), Ok(0));
    assert!(cairo0_class_hash(silent.to_string()).is_ok());
}

#[test]
fn class_hash_covers_the_specified_fields_only() {
    let hash = |json: &Value| cairo0_class_hash(json.to_string()).unwrap();
    let json = tiny_cairo0();
    let set = |pointer: &str, value: Value| {
        let mut json = tiny_cairo0();
        *json.pointer_mut(pointer).unwrap() = value;
        json
    };
    assert_eq!(hash(&json), hash(&compressed(&json)));
    // Debug information, empty fields of attributes, the notation of numbers and the old notation of types do
    // not matter.
    for same in [
        set("/program/debug_info", json!(null)),
        set("/program/data/1", json!("0x0001")),
        set("/entry_points_by_type/EXTERNAL/0/offset", json!(2)),
        set(
            "/program/attributes/0",
            json!({"name": "error_message", "value": "no", "start_pc": 0, "end_pc": 2}),
        ),
        set("/program/identifiers/__main__.f.x/cairo_type", json!("(a : felt, b : felt)")),
        set(
            "/program/identifiers/__main__.f.x/references/0/value",
            json!("cast([fp], (a : felt, b : felt)*)"),
        ),
        set(
            "/program/reference_manager/references/1/value",
            json!("[cast(ap + (-1), (a : felt, b: felt)*)]"),
        ),
    ] {
        assert_eq!(hash(&same), hash(&json));
    }
    let mut new = json.clone();
    new["program"]["compiler_version"] = json!("0.10.0");
    let mut new_old_types = new.clone();
    new_old_types["program"]["identifiers"]["__main__.f.x"]["cairo_type"] = json!("(a : felt, b : felt)");
    let mut hashes = vec![hash(&json), hash(&new), hash(&new_old_types)];
    for other in [
        set("/abi", json!(null)),
        set("/program/attributes", json!(null)),
        set("/program/attributes/0/accessible_scopes", json!(["a"])),
        set("/program/hints/0", json!([])),
        set("/program/identifiers/__main__.BOUND/value", json!(2)),
        set("/program/main_scope", json!("other")),
        set("/program/builtins", json!(["pedersen", "range_check"])),
        set("/program/data/1", json!("0x2")),
        set("/entry_points_by_type/EXTERNAL/0/offset", json!(3)),
        set("/entry_points_by_type/L1_HANDLER", json!([{"selector": "0x0", "offset": 1}])),
    ] {
        hashes.push(hash(&other));
    }
    let count = hashes.len();
    hashes.sort();
    hashes.dedup();
    assert_eq!(hashes.len(), count);
    assert_eq!(hash(&set("/program/attributes", json!(null))), hash(&set("/program/attributes", json!([]))));
}

#[test]
fn malformed_cairo0_classes_are_rejected_with_the_place() {
    let set = |pointer: &str, value: Value| {
        let mut json = tiny_cairo0();
        *json.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
        json
    };
    let without = |pointer: &str, field: &str| {
        let mut json = tiny_cairo0();
        json.pointer_mut(pointer).unwrap().as_object_mut().unwrap().remove(field);
        json
    };
    let reference =
        |id: Value| set("/program/hints/3/0/flow_tracking_data/reference_ids/__main__.f.syscall_ptr", id);
    let table = [
        (set("/program/prime", json!("0x7")), "prime: 0x7 is not the Starknet prime"),
        (set("/program/data/4", json!(PRIME)), "program.data[4]: 0x8000"),
        (set("/program/data/4", json!("x")), "program.data[4]: \"x\" is not a hexadecimal"),
        (set("/program/data/4", json!(12)), "Cairo 0 class: program: invalid type: integer `12`"),
        (set("/program/builtins/1", json!("magic")), "program.builtins: unknown builtin \"magic\""),
        (set("/program/builtins/1", json!("pedersen_builtin")), "unknown builtin \"pedersen_builtin\""),
        (set("/program/hints", json!({"8": []})), "hints: pc 8 is outside the bytecode (8 felts)"),
        (
            set("/program/hints", json!({"a": []})),
            "Cairo 0 class: program: invalid value: expected key to be a number",
        ),
        (set("/program/hints/3/0", json!(7)), "Cairo 0 class: program.hints: invalid type: integer `7`"),
        (reference(json!(-1)), "Cairo 0 class: program.hints: "),
        (set("/program/identifiers", json!([])), "Cairo 0 class: program.identifiers: invalid type"),
        (
            set("/program/identifiers/__main__.BOUND", json!({"type": "const"})),
            "cairo-vm rejected the program: ",
        ),
        (
            set("/program/identifiers/__main__.BOUND/value", json!("1")),
            "Cairo 0 class: program.identifiers: invalid type: string",
        ),
        (set("/program/attributes", json!({})), "Cairo 0 class: program.attributes: "),
        (set("/program/reference_manager", json!([])), "Cairo 0 class: program.reference_manager: "),
        (
            set("/entry_points_by_type/EXTERNAL/0/offset", json!(8)),
            "entry_points_by_type.EXTERNAL: entry point 0x0: offset 8 is outside the bytecode (8 felts)",
        ),
        (
            set("/entry_points_by_type/EXTERNAL/0/offset", json!(format!("0x{}", "1".repeat(40)))),
            "entry_points_by_type.EXTERNAL: entry point 0x0: offset 18446744073709551615 is outside",
        ),
        (
            set("/entry_points_by_type/EXTERNAL/0/offset", json!("12")),
            "entry_points_by_type.EXTERNAL[0].offset: \"12\" is not a hexadecimal",
        ),
        (set("/entry_points_by_type/EXTERNAL/0/offset", json!(-1)), "Cairo 0 class: "),
        (
            set("/entry_points_by_type/CONSTRUCTOR/1/selector", json!(PRIME)),
            "entry_points_by_type.CONSTRUCTOR[1].selector: 0x8000",
        ),
        (without("", "program"), "Cairo 0 class: missing field `program`"),
        (without("", "entry_points_by_type"), "Cairo 0 class: missing field `entry_points_by_type`"),
        (without("/program", "data"), "Cairo 0 class: program: missing field `data`"),
        (without("/program", "prime"), "Cairo 0 class: program: missing field `prime`"),
        (set("/program", json!(7)), "Cairo 0 class: program: invalid type: integer `7`"),
        (set("/program", json!(null)), "Cairo 0 class: program: invalid type: null"),
        (set("/program", json!("!!")), "program: not a compressed program"),
        (set("/program", json!("AAAA")), "program: not a compressed program"),
        (
            set("/program", json!(compress_and_encode(&7).unwrap())),
            "Cairo 0 class: program: invalid type: integer `7`",
        ),
        // A small file that decompresses to more than the limit.
        (
            set("/program", json!(compress_and_encode(&" ".repeat((64 << 20) + 1)).unwrap())),
            "program: not a compressed program (base64 of gzip of JSON): Decompressed data exceeds",
        ),
        (json!([]), "Cairo 0 class: invalid length 0"),
        (json!(null), "Cairo 0 class: invalid type: null"),
    ];
    for (json, expected) in table {
        let error = Cairo0Class::from_json(json.to_string()).expect_err(expected);
        assert!(error.to_string().contains(expected), "expected {expected:?}, got: {error}");
        // The library's structure cannot represent all faults.
        if let Ok(held) = serde_json::from_value::<DeprecatedContractClass>(json.clone()) {
            let _ = Cairo0Class::from_deprecated_class(&held);
        }
        let _ = cairo0_class_hash(json.to_string()); // an error or a hash
    }
    for text in ["", "{", "no", "{\"program\": \"0x", "\u{0}"] {
        assert!(matches!(Cairo0Class::from_json(text), Err(ClassError::NotJson { .. })), "{text}");
        assert!(matches!(cairo0_class_hash(text), Err(ClassError::NotJson { .. })), "{text}");
    }
    // Deep nesting.
    let deep = "[".repeat(1_000_000);
    let closed = format!("{deep}{}", "]".repeat(1_000_000));
    let whole = tiny_cairo0().to_string();
    for text in [
        deep.clone(),
        format!("{{\"abi\": {deep}"),
        format!("{{\"program\": {deep}"),
        format!("{{\"program\": {{\"identifiers\": {deep}"),
        whole.replace("\"main_scope\":\"__main__\"", &format!("\"main_scope\":{closed}")),
        whole.replace("\"BOUND\":{", &format!("\"deep\":{closed},\"BOUND\":{{")),
    ] {
        let _ = Cairo0Class::from_json(&text);
        let _ = cairo0_class_hash(&text);
    }
    let deep_abi = whole.replacen("\"abi\":[", &format!("\"abi\":[{closed},"), 1);
    assert!(Cairo0Class::from_json(&deep_abi).is_ok()); // the ABI is not parsed
    assert!(matches!(cairo0_class_hash(&deep_abi), Err(ClassError::Shape { .. })));
    assert!(matches!(cairo0_abi_length(&deep_abi), Err(ClassError::Shape { .. })));
    assert!(Cairo0Class::from_json([0xff_u8, 0xfe]).is_err());

    // Faults that surface when the class is called, not when it is loaded.
    let builtins = Cairo0Class::from_json(
        set("/program/builtins", json!(["output", "pedersen", "keccak", "output"])).to_string(),
    )
    .unwrap();
    assert_eq!(builtins.unsupported_builtins(), [Builtin::Output, Builtin::Keccak]);
    assert!(CAIRO0_BUILTINS.iter().all(|builtin| !builtins.unsupported_builtins().contains(builtin)));
    let unprepared = Cairo0Class::from_json(reference(json!(2)).to_string()).unwrap();
    assert_eq!(unprepared.hint_counts(), (0, 0));
}

/// The Cairo 0 test contracts load, have the hash in the README, and use only supported builtins and hints,
/// except the one that is made to fail.
#[test]
fn our_cairo0_contracts_load_and_hash() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("resources/contracts/cairo0");
    let readme = fs::read_to_string(folder.join("../README.md")).unwrap();
    let mut names: Vec<String> = fs::read_dir(&folder)
        .unwrap()
        .filter_map(|entry| {
            Some(entry.unwrap().file_name().to_str().unwrap().strip_suffix(".cairo")?.to_owned())
        })
        .collect();
    names.sort();
    assert!(!names.is_empty());
    for name in names {
        let bytes = fs::read(folder.join(format!("{name}.json"))).unwrap();
        let class = Cairo0Class::from_json(&bytes).unwrap();
        let hash = cairo0_class_hash(&bytes).unwrap().0;
        println!(
            "`{name}` | {} | {} | {:?} hints | `{hash:#x}`",
            bytes.len(),
            class.bytecode_len(),
            class.hint_counts()
        );
        assert!(readme.contains(&format!("| `cairo0/{name}` |")), "{name} is not in the README");
        assert!(readme.contains(&format!("`{hash:#x}`")), "{name} has class hash {hash:#x}");
        let json: Value = serde_json::from_slice(&bytes).unwrap();
        let lists = json["program"]["hints"].as_object().unwrap().values();
        let hints: Vec<_> = lists.flat_map(|list| list.as_array().unwrap()).collect();
        let syscalls = hints.iter().map(|hint| hint["code"].as_str().unwrap()).filter(|code| {
            assert!(code.starts_with("syscall_handler.") || HINT_CODES.values().any(|known| known == code));
            code.starts_with("syscall_handler.")
        });
        assert_eq!(class.hint_counts(), (hints.len(), syscalls.count()), "{name}");
        assert_eq!(json["program"]["debug_info"], Value::Null, "{name}");
        let refused: &[Builtin] = if name == "forbidden_builtin" { &[Builtin::Keccak] } else { &[] };
        assert_eq!(class.unsupported_builtins(), refused, "{name}");
        assert!(!class.entry_points(EntryPointType::External).is_empty(), "{name}");
        let held: DeprecatedContractClass = serde_json::from_value(json).unwrap();
        assert_eq!(Cairo0Class::from_deprecated_class(&held).unwrap(), class, "{name}");
    }
}

/// The hashes and paths of the recorded Cairo 0 classes.
fn cairo0_files(data: &Path) -> Vec<(Felt, PathBuf)> {
    let mut found = Vec::new();
    for folder in ["mainnet_genesis", "sepolia_genesis", "classes/cairo0", "dojo_chain/classes"] {
        for entry in fs::read_dir(data.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            let hash = match (folder, name.strip_prefix("class_"), name.strip_suffix(".legacy.json")) {
                ("classes/cairo0", _, _) => name.strip_suffix(".json"),
                (_, Some(name), _) => name.strip_suffix(".json"),
                (_, _, legacy) => legacy,
            };
            if let Some(hash) = hash {
                found.push((Felt::from_hex(hash).unwrap(), path));
            }
        }
    }
    found.sort();
    found
}

#[test]
fn recorded_cairo0_classes_load_and_have_their_recorded_hash() {
    let Some(data) = data() else { return };
    let (mut compared, mut entry_points, mut hints, mut syscalls) = (0, 0, 0, 0);
    let mut by_hash: BTreeMap<Felt, Cairo0Class> = BTreeMap::new();
    for (hash, path) in cairo0_files(&data) {
        let bytes = fs::read(&path).unwrap();
        let start = Instant::now();
        let class = Cairo0Class::from_json(&bytes).unwrap();
        let loaded = start.elapsed();
        let start = Instant::now();
        assert_eq!(cairo0_class_hash(&bytes).unwrap().0, hash, "{path:?}");
        println!(
            "{hash:#.10x}..: {} bytes, {} felts, {:?} hints, loaded in {loaded:?}, hashed in {:?}",
            bytes.len(),
            class.bytecode_len(),
            class.hint_counts(),
            start.elapsed()
        );
        compared += 1;
        hints += class.hint_counts().0;
        syscalls += class.hint_counts().1;
        assert_eq!(class.unsupported_builtins(), []);
        assert_eq!(
            class.constructor_selector(),
            class.entry_points(EntryPointType::Constructor).first().map(|entry_point| entry_point.selector)
        );
        for typ in [EntryPointType::Constructor, EntryPointType::External, EntryPointType::L1Handler] {
            for entry_point in class.entry_points(typ) {
                assert_eq!(
                    class.entry_point(typ, entry_point.selector),
                    Cairo0Lookup::Found(entry_point.offset)
                );
                entry_points += 1;
            }
        }
        // The other forms of the same class.
        let json: Value = serde_json::from_slice(&bytes).unwrap();
        if json["program"].is_object() {
            let packed = compressed(&json).to_string();
            assert_eq!(Cairo0Class::from_json(&packed).unwrap(), class);
            assert_eq!(cairo0_class_hash(&packed).unwrap().0, hash);
            let held: DeprecatedContractClass = serde_json::from_value(json.clone()).unwrap();
            assert_eq!(held.bytecode_length(), class.bytecode_len());
            assert_eq!(Cairo0Class::from_deprecated_class(&held).unwrap(), class);
        }
        let abi = serde_json::to_string(&json["abi"]).unwrap();
        assert!(cairo0_abi_length(&bytes).unwrap() > abi.len() as u64); // printed with spaces
        // One class was recorded from two nodes.
        if let Some(other) = by_hash.get(&hash) {
            assert_eq!(other, &class);
        }
        by_hash.insert(hash, class);
    }
    assert!(compared >= 12);
    println!(
        "Cairo 0 class hashes compared: {compared}, of {} classes, all equal; {entry_points} entry points found; {hints} hints, {syscalls} of them syscalls",
        by_hash.len()
    );
}

/// Random bytes of a real class changed: an error or a class, never a panic.
#[test]
fn damaged_cairo0_classes_never_panic() {
    let Some(data) = data() else { return };
    let (_, path) =
        cairo0_files(&data).into_iter().min_by_key(|(_, path)| fs::metadata(path).unwrap().len()).unwrap();
    let json: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
    let mut whole = json;
    if let Some(packed) = whole["program"].as_str() {
        whole["program"] =
            starknet_api::compression_utils::decode_and_decompress_with_size_limit(packed, 64 << 20).unwrap();
    }
    let bytes = whole.to_string().into_bytes();
    let mut kinds: BTreeMap<String, usize> = BTreeMap::new();
    let mut state = 1_u64;
    for _ in 0..1500 {
        let mut damaged = bytes.clone();
        for _ in 0..2 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let index = (state >> 33) as usize % damaged.len();
            damaged[index] = b"0123456789-\"{}[]:,.exn "[(state >> 20) as usize % 23];
        }
        let kind = match Cairo0Class::from_json(&damaged) {
            Ok(_) => "loaded".to_owned(),
            Err(error) => format!("{error:?}").split([' ', '{']).next().unwrap().to_owned(),
        };
        *kinds.entry(kind).or_default() += 1;
    }
    println!("damaged classes: {kinds:?}");
}
