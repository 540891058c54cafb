//! Our contracts as the rule tests use them: each loaded once, with its entry in a block file.

use std::collections::HashMap;
use std::sync::{LazyLock, Mutex};

use serde_json::Value;
use starkiln::class::{
    Cairo0Class, Cairo1Class, DeclaredClass, cairo0_abi_length, cairo0_class_hash, sierra_class_from_json,
    sierra_class_hash, sierra_version,
};
use starkiln::replay::{ClassEntry, ClassText};
use starknet_api::contract_class::SierraVersion;
use starknet_api::core::ClassHash;
use starknet_types_core::felt::Felt;

use crate::fixture::contracts;

/// The text of one of our compiled classes: `NAME.casm.json`, or `cairo0/NAME.json`.
pub(crate) fn compiled(name: &str) -> Value {
    let file = if name.starts_with("cairo0/") { format!("{name}.json") } else { format!("{name}.casm.json") };
    serde_json::from_slice(&std::fs::read(contracts().join(file)).unwrap()).unwrap()
}

/// A prepared class with its entry in a block file.
#[derive(Clone)]
pub(super) struct Known {
    pub(super) hash: ClassHash,
    pub(super) ready: DeclaredClass,
    pub(super) entry: ClassEntry,
}

static KNOWN: LazyLock<Mutex<HashMap<String, Known>>> = LazyLock::new(Mutex::default);

/// One of our contracts: `NAME`; `NAME@steps` with the Sierra version of an older compiler, tracked in steps;
/// or `cairo0/NAME`.
pub(super) fn known(name: &str) -> Known {
    if let Some(known) = KNOWN.lock().unwrap().get(name) {
        return known.clone();
    }
    let known = load(name);
    KNOWN.lock().unwrap().insert(name.to_owned(), known.clone());
    known
}

fn load(name: &str) -> Known {
    if name.starts_with("cairo0/") {
        let path = contracts().join(format!("{name}.json"));
        let json = std::fs::read(&path).unwrap();
        let ready = DeclaredClass::from_cairo0(
            Cairo0Class::from_json(&json).unwrap(),
            cairo0_abi_length(&json).unwrap(),
        );
        return Known {
            hash: cairo0_class_hash(&json).unwrap(),
            ready,
            entry: ClassEntry::Cairo0(ClassText::File(path)),
        };
    }
    let (base, in_steps) = name.strip_suffix("@steps").map_or((name, false), |base| (base, true));
    let sierra_path = contracts().join(format!("{base}.sierra.json"));
    let casm_path = contracts().join(format!("{base}.casm.json"));
    let sierra = sierra_class_from_json(std::fs::read(&sierra_path).unwrap()).unwrap();
    let hash = sierra_class_hash(&sierra);
    let (hash, version, of_sierra) = if in_steps {
        (ClassHash(hash.0 + Felt::ONE), SierraVersion::new(1, 6, 0), None)
    } else {
        let version = sierra_version(&sierra.sierra_program).unwrap();
        (hash, version, Some(ClassText::File(sierra_path)))
    };
    let class = Cairo1Class::from_casm_json(std::fs::read(&casm_path).unwrap(), version.clone()).unwrap();
    Known {
        hash,
        ready: DeclaredClass {
            class: class.into(),
            sierra_program_length: if in_steps { 0 } else { sierra.sierra_program.len() as u64 },
            abi_length: if in_steps { 0 } else { sierra.abi.len() as u64 },
        },
        entry: ClassEntry::Casm {
            casm: ClassText::File(casm_path),
            sierra_version: version.to_string(),
            sierra: of_sierra,
        },
    }
}
