//! The classes that blocks are made with, loaded once for many blocks.
//!
//! Input: the folder of our contracts. Output: [`Library`].

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use starkiln::class::{cairo0_class_hash, sierra_class_from_json, sierra_class_hash};
use starkiln::replay::{ClassEntry, ClassText};
use starknet_api::core::ClassHash;

use super::abi::Abi;
use super::listed::Listed;
use super::packages::{self, PackageClass};
use super::random::Random;
use super::raw::{self, RawClass};
use crate::input::{ClassSources, load_classes};
use crate::reference::{BlockifierClasses, blockifier_classes};

/// The classes that are declared before the block.
pub const DECLARED: [&str; 11] = [
    "account",
    "account_open",
    "account_steps",
    "caller",
    "caller_steps",
    "erc20",
    "nft",
    "pool",
    "syscalls",
    "syscalls_new",
    "upgradable",
];

/// The Cairo 0 classes that are declared before a block of the past.
pub const PAST_DECLARED: [&str; 10] = [
    "cairo0/account",
    "cairo0/account_open",
    "cairo0/caller",
    "cairo0/constructors",
    "cairo0/erc20",
    "cairo0/forbidden_builtin",
    "cairo0/hashes",
    "cairo0/library",
    "cairo0/proxy",
    "cairo0/syscalls",
];

/// The Cairo 0 classes that transactions may declare.
pub const PAST_UNDECLARED: [&str; 1] = ["cairo0/no_constructor"];

/// The classes that transactions may declare.
pub const UNDECLARED: [&str; 3] = ["upgradable_v2", "circuit", "erc20_steps"];

/// Our contracts, loaded once for many blocks.
#[derive(Clone, Debug)]
pub struct Library {
    /// The entries of a block file.
    pub entries: BTreeMap<ClassHash, ClassEntry>,
    /// The classes, loaded.
    pub classes: ClassSources,
    /// The same for blockifier.
    pub blockifier_classes: BlockifierClasses,
    /// Their hashes by name.
    pub class_hashes: BTreeMap<&'static str, ClassHash>,
    /// The ABIs of ours.
    pub abis: BTreeMap<&'static str, Arc<Abi>>,
    /// Those of registry packages; empty unless asked for.
    pub packages: Vec<PackageClass>,
    /// Those that no compiler would make; the same.
    pub raw: Vec<RawClass>,
}

/// Classes beyond our own.
#[derive(Clone, Debug, Default)]
pub struct MoreClasses {
    /// Those of registry packages.
    pub packages: Vec<PackageClass>,
    /// Those that no compiler would make.
    pub raw: Vec<RawClass>,
}

impl MoreClasses {
    /// Finds and makes them. `contracts` is the folder of our contracts.
    pub fn load(contracts: &Path, seed: u64) -> Result<Self, String> {
        Ok(Self { packages: packages::load()?, raw: raw::classes(contracts, &mut Random::new(seed))? })
    }
}

impl Library {
    /// Loads the classes. `contracts` is the folder of our contracts as a block file will name it, relative
    /// to `folder`, where the block file will be.
    pub fn load(folder: &Path, contracts: &Path, more: MoreClasses) -> Result<Self, String> {
        let MoreClasses { packages, raw } = more;
        let mut entries = BTreeMap::new();
        let mut abis = BTreeMap::new();
        let mut class_hashes = BTreeMap::new();
        let cairo0 =
            PAST_DECLARED.into_iter().chain(PAST_UNDECLARED).map(|name| (name, format!("{name}.json")));
        let sierra = DECLARED.into_iter().chain(UNDECLARED).map(|name| (name, format!("{name}.sierra.json")));
        for (name, file) in cairo0.chain(sierra) {
            let path = contracts.join(file);
            let full = folder.join(&path);
            let text =
                std::fs::read_to_string(&full).map_err(|error| format!("{}: {error}", full.display()))?;
            let json: Value = serde_json::from_str(&text).map_err(|error| format!("{name}: {error}"))?;
            abis.insert(name, Arc::new(Abi::new(&json["abi"])));
            let file = ClassText::File(path);
            let (class_hash, entry) = if name.starts_with("cairo0/") {
                (cairo0_class_hash(&text), ClassEntry::Cairo0(file))
            } else {
                (
                    sierra_class_from_json(&text).map(|class| sierra_class_hash(&class)),
                    ClassEntry::Sierra(file),
                )
            };
            let class_hash = class_hash.map_err(|error| format!("{name}: {error}"))?;
            entries.insert(class_hash, entry);
            class_hashes.insert(name, class_hash);
        }
        entries.extend(Listed::all().into_iter().map(|listed| (listed.class_hash, listed.entry(contracts))));
        entries.extend(packages.iter().map(|class| (class.class_hash, class.entry.clone())));
        entries.extend(raw.iter().map(|class| (class.class_hash, class.entry.clone())));
        class_hashes.extend(packages.iter().map(|class| (class.name, class.class_hash)));
        let classes = load_classes(&entries, folder)?;
        let blockifier_classes = blockifier_classes(&classes);
        Ok(Self { entries, classes, blockifier_classes, class_hashes, abis, packages, raw })
    }
}
