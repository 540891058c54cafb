//! Classes that registry packages carry: test contracts of blockifier, accounts of OpenZeppelin and Argent,
//! tokens, examples of the Cairo compiler. They are read where cargo put them, never copied.
//!
//! Input: `cargo metadata`. Output: classes with their ABIs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use serde_json::Value;
use starkiln::class::{cairo0_class_hash, sierra_class_from_json, sierra_class_hash};
use starkiln::replay::{ClassEntry, ClassText};
use starknet_api::core::ClassHash;

use super::abi::Abi;

/// The packages, and the manifests that depend on them.
const PACKAGES: [(&str, &str); 3] = [
    ("blockifier_test_utils", "Cargo.toml"),
    ("cairo-lang-starknet", "Cargo.toml"),
    ("starknet-devnet-core", "contracts/Cargo.toml"),
];

/// The classes: package, name, file. Those that end in `_old` are Cairo 0.
const CLASSES: [(&str, &str, &str); 37] = [
    (
        "blockifier_test_utils",
        "erc20_old",
        "resources/ERC20/ERC20_Cairo0/ERC20_without_some_syscalls/ERC20/erc20_contract_without_some_syscalls_compiled.json",
    ),
    ("blockifier_test_utils", "erc20", "resources/ERC20/ERC20_Cairo1/erc20.sierra.json"),
    (
        "blockifier_test_utils",
        "account_faulty_old",
        "resources/feature_contracts/cairo0/compiled/account_faulty_compiled.json",
    ),
    (
        "blockifier_test_utils",
        "account_dummy_old",
        "resources/feature_contracts/cairo0/compiled/account_with_dummy_validate_compiled.json",
    ),
    (
        "blockifier_test_utils",
        "account_long_old",
        "resources/feature_contracts/cairo0/compiled/account_with_long_validate_compiled.json",
    ),
    (
        "blockifier_test_utils",
        "block_info_old",
        "resources/feature_contracts/cairo0/compiled/block_info_test_contract_compiled.json",
    ),
    (
        "blockifier_test_utils",
        "delegate_proxy_old",
        "resources/feature_contracts/cairo0/compiled/delegate_proxy_compiled.json",
    ),
    (
        "blockifier_test_utils",
        "empty_old",
        "resources/feature_contracts/cairo0/compiled/empty_contract_compiled.json",
    ),
    (
        "blockifier_test_utils",
        "fuzz_revert_old",
        "resources/feature_contracts/cairo0/compiled/fuzz_revert_compiled.json",
    ),
    (
        "blockifier_test_utils",
        "security_old",
        "resources/feature_contracts/cairo0/compiled/security_tests_contract_compiled.json",
    ),
    (
        "blockifier_test_utils",
        "test2_old",
        "resources/feature_contracts/cairo0/compiled/test_contract2_compiled.json",
    ),
    (
        "blockifier_test_utils",
        "test_old",
        "resources/feature_contracts/cairo0/compiled/test_contract_compiled.json",
    ),
    (
        "blockifier_test_utils",
        "tx_info_writer_old",
        "resources/feature_contracts/cairo0/compiled/tx_info_writer_compiled.json",
    ),
    ("cairo-lang-starknet", "example_account", "test_data/account__account.contract_class.json"),
    (
        "cairo-lang-starknet",
        "example_circuit",
        "test_data/circuit_contract__circuit_contract.contract_class.json",
    ),
    ("cairo-lang-starknet", "example_erc20", "test_data/erc20__erc_20.contract_class.json"),
    ("cairo-lang-starknet", "example_hello", "test_data/hello_starknet__hello_starknet.contract_class.json"),
    (
        "cairo-lang-starknet",
        "example_libfuncs",
        "test_data/libfuncs_coverage__libfuncs_coverage.contract_class.json",
    ),
    (
        "cairo-lang-starknet",
        "example_max_entry_point",
        "test_data/max_entrypoint__max_entrypoint_contract.contract_class.json",
    ),
    (
        "cairo-lang-starknet",
        "example_minimal",
        "test_data/minimal_contract__minimal_contract.contract_class.json",
    ),
    (
        "cairo-lang-starknet",
        "example_mintable",
        "test_data/mintable__mintable_erc20_ownable.contract_class.json",
    ),
    (
        "cairo-lang-starknet",
        "example_components",
        "test_data/multi_component__contract_with_4_components.contract_class.json",
    ),
    (
        "cairo-lang-starknet",
        "example_counter",
        "test_data/new_syntax_test_contract__counter_contract.contract_class.json",
    ),
    ("cairo-lang-starknet", "example_proxy", "test_data/proxy__proxy.contract_class.json"),
    (
        "cairo-lang-starknet",
        "example_storage",
        "test_data/storage_accesses__storage_accesses.contract_class.json",
    ),
    ("cairo-lang-starknet", "example_test", "test_data/test_contract__test_contract.contract_class.json"),
    ("cairo-lang-starknet", "example_bridge", "test_data/token_bridge__token_bridge.contract_class.json"),
    (
        "cairo-lang-starknet",
        "example_upgradable",
        "test_data/upgradable_counter__counter_contract.contract_class.json",
    ),
    ("starknet-devnet-core", "argent", "contracts/accounts_artifacts/Argent/argent_0.4.0.sierra"),
    (
        "starknet-devnet-core",
        "argent_multisig",
        "contracts/accounts_artifacts/Argent/argent_multisig_0.2.0.sierra",
    ),
    (
        "starknet-devnet-core",
        "open_zeppelin_old",
        "contracts/accounts_artifacts/OpenZeppelin/0.5.1/Account.cairo/Account.json",
    ),
    (
        "starknet-devnet-core",
        "open_zeppelin_0.8",
        "contracts/accounts_artifacts/OpenZeppelin/0.8.0/Account.cairo/Account.sierra",
    ),
    (
        "starknet-devnet-core",
        "open_zeppelin_1.0",
        "contracts/accounts_artifacts/OpenZeppelin/1.0.0/Account.cairo/Account.sierra",
    ),
    ("starknet-devnet-core", "deployer_old", "contracts/system_artifacts/UDC_OZ_0.5.0.json"),
    ("starknet-devnet-core", "eth", "contracts/system_artifacts/erc20_eth.sierra"),
    ("starknet-devnet-core", "strk", "contracts/system_artifacts/erc20_strk.sierra"),
    ("starknet-devnet-core", "deployer", "contracts/system_artifacts/udc_2.sierra"),
];

/// A class of a package.
#[derive(Clone, Debug)]
pub struct PackageClass {
    /// Our name for it.
    pub name: &'static str,
    /// Its hash.
    pub class_hash: ClassHash,
    /// The entry of a block file.
    pub entry: ClassEntry,
    /// Its ABI: the arguments of each entry point.
    pub abi: Arc<Abi>,
}

impl PackageClass {
    /// Returns `true` for a Cairo 0 class.
    pub fn is_cairo0(&self) -> bool {
        self.name.ends_with("_old")
    }
}

/// Reads all classes. Asks cargo for their folders, which fetches missing packages.
pub fn load() -> Result<Vec<PackageClass>, String> {
    let mut folders = BTreeMap::new();
    for manifest in ["Cargo.toml", "contracts/Cargo.toml"] {
        let wanted = PACKAGES.iter().filter(|(_, whose)| *whose == manifest).map(|(package, _)| *package);
        let found = locate(manifest)?;
        for package in wanted {
            let folder = found.get(package).ok_or_else(|| format!("cargo does not know {package}"))?;
            folders.insert(package, folder.clone());
        }
    }
    CLASSES.iter().map(|&(package, name, file)| read(name, &folders[package].join(file))).collect()
}

/// The folders of a manifest's packages.
fn locate(manifest: &str) -> Result<BTreeMap<String, PathBuf>, String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join(manifest);
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked", "--all-features", "--manifest-path"])
        .arg(&manifest)
        .output()
        .map_err(|error| format!("cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!("{}: {}", manifest.display(), String::from_utf8_lossy(&output.stderr)));
    }
    let metadata: Value = serde_json::from_slice(&output.stdout).map_err(|error| error.to_string())?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let wanted = packages.filter(|package| {
        let version = package["version"].as_str();
        // Cargo may know another version of a package as well, which others need.
        PACKAGES.iter().any(|(name, _)| package["name"] == **name) && version != Some("1.0.0-rc0")
    });
    Ok(wanted
        .filter_map(|package| {
            let folder = Path::new(package["manifest_path"].as_str()?).parent()?;
            Some((package["name"].as_str()?.to_owned(), folder.to_owned()))
        })
        .collect())
}

fn read(name: &'static str, path: &Path) -> Result<PackageClass, String> {
    let named = |error: String| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| named(error.to_string()))?;
    let json: Value = serde_json::from_str(&text).map_err(|error| named(error.to_string()))?;
    let abi = Arc::new(Abi::new(&json["abi"]));
    let file = ClassText::File(path.to_owned());
    let (class_hash, entry) = if name.ends_with("_old") {
        (cairo0_class_hash(&text).map_err(|error| named(error.to_string()))?, ClassEntry::Cairo0(file))
    } else {
        let class = sierra_class_from_json(&text).map_err(|error| named(error.to_string()))?;
        (sierra_class_hash(&class), ClassEntry::Sierra(file))
    };
    Ok(PackageClass { name, class_hash, entry, abi })
}
