//! Classes to change: ours, and small ones of registry packages, with all that choosing where to change them
//! needs.
//!
//! Input: the folder of our contracts. Output: [`Base`]s.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::Value;
use starkiln::replay::{ClassEntry, ClassText};
use starknet_api::contract_class::{ContractClass as CompiledClass, EntryPointType, VersionedCasm};
use starknet_api::core::ClassHash;
use starknet_types_core::felt::Felt;

use super::word;
use crate::fixture;
use crate::generate::{Abi, MoreClasses};
use crate::input::load_classes;

/// Our classes; larger ones are drawn less often.
const OURS: [&str; 11] = [
    "account",
    "account_open",
    "nft",
    "upgradable",
    "erc20",
    "erc20_odd",
    "pool",
    "circuit",
    "caller",
    "syscalls_new",
    "syscalls",
];

/// The same of Cairo 0.
const OURS_CAIRO0: [&str; 9] = [
    "cairo0/account",
    "cairo0/account_open",
    "cairo0/caller",
    "cairo0/constructors",
    "cairo0/erc20",
    "cairo0/hashes",
    "cairo0/library",
    "cairo0/proxy",
    "cairo0/syscalls",
];

/// Classes of packages.
const PACKAGES: [&str; 6] = [
    "example_account",
    "example_counter",
    "example_hello",
    "example_libfuncs",
    "example_minimal",
    "open_zeppelin_0.8",
];

/// The number of instructions followed from an entry point.
const REACHED: usize = 400;

/// The code of a class.
pub enum Form {
    /// Compiled from Sierra.
    Casm(Box<VersionedCasm>),
    /// Compiled from Cairo 0.
    Cairo0(Value),
}

/// An entry point.
#[derive(Clone, Debug)]
pub struct EntryPoint {
    /// The entry point type.
    pub way: EntryPointType,
    /// The index in the class's list of that type.
    pub index: usize,
    /// Its selector.
    pub selector: Felt,
    /// The offset of its first instruction.
    pub offset: usize,
    /// Its builtins; none in Cairo 0.
    pub builtins: Vec<String>,
    /// Instructions that it may come to, nearest first.
    pub reached: Vec<usize>,
}

/// A class to change.
pub struct Base {
    /// Its name.
    pub name: &'static str,
    /// Its code.
    pub form: Form,
    /// The code's words.
    pub words: Vec<Felt>,
    /// Its hints by pc, as they stand in the file.
    pub hints: BTreeMap<usize, Vec<Value>>,
    /// Where hints find their variables; none in Cairo 1, whose hints say it themselves.
    pub references: Vec<String>,
    /// All entry points.
    pub entry_points: Vec<EntryPoint>,
    /// Its ABI: the arguments of each entry point.
    pub abi: Arc<Abi>,
    /// How often to draw it, relative to others.
    pub weight: u64,
}

impl Base {
    /// Loads them all.
    pub fn load_all() -> Result<Vec<Self>, String> {
        let mut bases = Vec::new();
        for name in OURS {
            let json = read(&format!("{name}.casm.json"))?;
            let sierra: Value = parsed(&read(&format!("{name}.sierra.json"))?)?;
            let casm = serde_json::from_str(&json).map_err(|error| format!("{name}: {error}"))?;
            let version = "1.7.0".parse().map_err(|error| format!("{error:?}"))?;
            let abi = match &sierra["abi"] {
                Value::String(text) => Abi::new(&parsed(text)?),
                abi => Abi::new(abi),
            };
            bases.push(Self::from_casm(name, (casm, version), parsed(&json)?, abi.into())?);
        }
        for name in OURS_CAIRO0 {
            let json = parsed(&read(&format!("{name}.json"))?)?;
            bases.push(Self::from_cairo0(name, json)?);
        }
        let packages = MoreClasses::load(&fixture::contracts(), 0)?.packages;
        let packages: Vec<_> = packages.into_iter().filter(|class| PACKAGES.contains(&class.name)).collect();
        let entries = packages.iter().map(|class| (class.class_hash, class.entry.clone())).collect();
        let loaded = load_classes(&entries, &fixture::contracts())?;
        for class in packages {
            if let CompiledClass::V1((casm, version)) = &*loaded[&class.class_hash].compiled {
                let json = serde_json::to_value(casm).map_err(|error| error.to_string())?;
                bases.push(Self::from_casm(class.name, (casm.clone(), version.clone()), json, class.abi)?);
            }
        }
        Ok(bases)
    }

    fn from_casm(
        name: &'static str,
        casm: VersionedCasm,
        json: Value,
        abi: Arc<Abi>,
    ) -> Result<Self, String> {
        let words: Vec<Felt> = felts(&json["bytecode"])?;
        let mut hints = BTreeMap::new();
        for pair in json["hints"].as_array().into_iter().flatten() {
            let at = pair[0].as_u64().ok_or("a hint without a place")? as usize;
            hints.insert(at, pair[1].as_array().cloned().unwrap_or_default());
        }
        let entry_points = entry_points(&json["entry_points_by_type"], &words)?;
        // Loading a class takes longer the larger it is.
        let weight = (20_000 / words.len() as u64).clamp(1, 4);
        let references = Vec::new();
        Ok(Self { name, form: Form::Casm(casm.into()), words, hints, references, entry_points, abi, weight })
    }

    fn from_cairo0(name: &'static str, json: Value) -> Result<Self, String> {
        let words: Vec<Felt> = felts(&json["program"]["data"])?;
        let mut hints = BTreeMap::new();
        for (at, list) in json["program"]["hints"].as_object().into_iter().flatten() {
            let at = at.parse().map_err(|_| "a hint without a place")?;
            hints.insert(at, list.as_array().cloned().unwrap_or_default());
        }
        let entry_points = entry_points(&json["entry_points_by_type"], &words)?;
        let references = json["program"]["reference_manager"]["references"].as_array().into_iter().flatten();
        let references =
            references.filter_map(|reference| reference["value"].as_str().map(ToOwned::to_owned)).collect();
        let abi = Abi::new(&json["abi"]).into();
        Ok(Self { name, form: Form::Cairo0(json), words, hints, references, entry_points, abi, weight: 1 })
    }

    /// The places of hints that code from this entry point may come to; of all hints, if none.
    pub fn hint_places(&self, entry_point: &EntryPoint) -> Vec<usize> {
        let reached: BTreeSet<usize> = entry_point.reached.iter().copied().collect();
        let near: Vec<_> = self.hints.keys().copied().filter(|at| reached.contains(at)).collect();
        if near.is_empty() { self.hints.keys().copied().collect() } else { near }
    }
}

/// The classes around a program, to be loaded for blockifier.
pub fn neighbour_entries() -> BTreeMap<ClassHash, ClassEntry> {
    let entry = |name: &str| {
        let file = ClassText::File(format!("{name}.sierra.json").into());
        (fixture::class(name).0, ClassEntry::Sierra(file))
    };
    ["erc20", "account_open"].map(entry).into()
}

fn read(name: &str) -> Result<String, String> {
    let path = fixture::contracts().join(name);
    std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
}

fn parsed(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| error.to_string())
}

fn felts(list: &Value) -> Result<Vec<Felt>, String> {
    let felt = |value: &Value| {
        value.as_str().and_then(|text| Felt::from_hex(text).ok()).ok_or("a word that is no felt")
    };
    Ok(list.as_array().into_iter().flatten().map(felt).collect::<Result<_, _>>()?)
}

fn entry_points(by_way: &Value, words: &[Felt]) -> Result<Vec<EntryPoint>, String> {
    let mut all = Vec::new();
    for (name, way) in [
        ("EXTERNAL", EntryPointType::External),
        ("L1_HANDLER", EntryPointType::L1Handler),
        ("CONSTRUCTOR", EntryPointType::Constructor),
    ] {
        for (index, entry) in by_way[name].as_array().into_iter().flatten().enumerate() {
            let selector = entry["selector"].as_str().and_then(|text| Felt::from_hex(text).ok());
            let offset = match &entry["offset"] {
                Value::String(text) => usize::from_str_radix(text.trim_start_matches("0x"), 16).ok(),
                number => number.as_u64().map(|offset| offset as usize),
            };
            let (selector, offset) = selector.zip(offset).ok_or("an entry point without a place")?;
            let builtins = entry["builtins"].as_array().into_iter().flatten();
            all.push(EntryPoint {
                way,
                index,
                selector,
                offset,
                builtins: builtins.filter_map(|name| name.as_str().map(ToOwned::to_owned)).collect(),
                reached: reached(words, offset),
            });
        }
    }
    Ok(all)
}

/// Instructions that may run from an entry point on, nearest first.
fn reached(words: &[Felt], start: usize) -> Vec<usize> {
    let mut seen = BTreeSet::from([start]);
    let mut order = Vec::new();
    let mut pending = VecDeque::from([start]);
    while let Some(at) = pending.pop_front().filter(|_| order.len() < REACHED) {
        order.push(at);
        let fresh = word::next(words, at).into_iter().filter(|next| *next < words.len());
        pending.extend(fresh.filter(|next| seen.insert(*next)).collect::<Vec<_>>());
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_points_reach_their_code() {
        let bases = Base::load_all().expect("they load");
        assert_eq!(bases.len(), OURS.len() + OURS_CAIRO0.len() + PACKAGES.len());
        for base in &bases {
            for entry_point in &base.entry_points {
                let far = entry_point.reached.len();
                assert!(far > 4, "{}: {:#x} reaches {far} instructions", base.name, entry_point.selector);
            }
            assert!(base.hints.keys().all(|at| *at < base.words.len()), "{}", base.name);
        }
    }
}
