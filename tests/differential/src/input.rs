//! A block in the form that both executors take.
//!
//! Input: a block file. Output: [`Input`]: starkiln's own inputs, and beside each class the compiled form
//! that blockifier prepares for itself.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use starkiln::block::{BlockHashSource, Engine};
use starkiln::class::{
    Cairo1Class, ContractClass, DeclaredClass, compile_sierra, sierra_class_from_json, sierra_version,
};
use starkiln::protocol::{BlockEnv, Constants, ProtocolVersion, VersionPolicy};
use starkiln::replay::{BlockFile, ClassEntry, ClassText, FileTransaction, FileTransactionBody};
use starkiln::state::MemoryState;
use starkiln::transaction::Transaction;
use starknet_api::contract_class::{ContractClass as CompiledClass, SierraVersion, VersionedCasm};
use starknet_api::core::ClassHash;
use starknet_api::deprecated_contract_class::ContractClass as DeprecatedContractClass;
use starknet_api::transaction::{DeclareTransaction, TransactionHash};

use crate::limits::Limits;

/// A class in the forms of the two executors.
#[derive(Clone, Debug)]
pub struct ClassSource {
    /// Compiled: blockifier prepares its own class from it. Shared, because it is large.
    pub compiled: Arc<CompiledClass>,
    /// Prepared by us, with the lengths that declaring it costs.
    pub ours: DeclaredClass,
}

/// All classes of a block.
pub type ClassSources = BTreeMap<ClassHash, ClassSource>;

/// A block for both executors.
#[derive(Clone, Debug)]
pub struct Input {
    /// The block's environment.
    pub env: BlockEnv,
    /// The hash of block N-10.
    pub block_hash_source: BlockHashSource,
    /// The state before the block.
    pub state: MemoryState,
    /// All classes, declared before the block or by it.
    pub classes: ClassSources,
    /// The transactions.
    pub transactions: Vec<Transaction>,
    /// The capacity of the block.
    pub limits: Limits,
    /// The options of starkiln's executor.
    pub way: Way,
}

/// The options of starkiln's executor. No result depends on them.
#[derive(Clone, Copy, Debug)]
pub struct Way {
    /// The number of threads.
    pub threads: usize,
    /// The engine.
    pub engine: Engine,
}

impl Default for Way {
    fn default() -> Self {
        Self { threads: 1, engine: Engine::default() }
    }
}

impl Input {
    /// Makes a block file's data ready. `folder` is where its relative paths start.
    pub fn new(file: &BlockFile, folder: &Path) -> Result<Self, String> {
        let classes = load_classes(&file.classes, folder)?;
        Self::with_classes(file, classes)
    }

    /// The same with classes that are loaded already.
    pub fn with_classes(file: &BlockFile, classes: ClassSources) -> Result<Self, String> {
        let constants = Constants::for_version(file.protocol_version, VersionPolicy::Exact)
            .map_err(|error| error.to_string())?;
        let transactions = file
            .transactions
            .iter()
            .map(|transaction| prepared(transaction, &classes))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            env: BlockEnv::new(file.block.clone(), file.chain.clone(), constants),
            block_hash_source: file.block_hash_source,
            state: memory_state(file, &classes)?,
            classes,
            transactions,
            limits: Limits::none(),
            way: Way::default(),
        })
    }

    /// The same block under another version.
    pub fn at_version(mut self, version: ProtocolVersion) -> Result<Self, String> {
        let constants =
            Constants::for_version(version, VersionPolicy::Exact).map_err(|error| error.to_string())?;
        self.env.constants = constants;
        Ok(self)
    }
}

/// The state before the block.
pub fn memory_state(file: &BlockFile, classes: &ClassSources) -> Result<MemoryState, String> {
    let mut state = MemoryState::default();
    for (&address, contract) in &file.state.contracts {
        state.class_hashes.insert(address, contract.class_hash);
        state.nonces.insert(address, contract.nonce);
        state.storage.extend(contract.storage.iter().map(|(key, value)| ((address, *key), *value)));
    }
    for (&class_hash, &compiled) in &file.state.declared {
        let class = classes.get(&class_hash).ok_or_else(|| format!("no class {:#x}", class_hash.0))?;
        state.compiled_class_hashes.insert(class_hash, compiled);
        state.classes.insert(class_hash, class.ours.class.clone());
    }
    Ok(state)
}

/// A transaction of a file in starkiln's form.
pub fn prepared(transaction: &FileTransaction, classes: &ClassSources) -> Result<Transaction, String> {
    let hash = transaction.hash;
    let prepared = match transaction.body.clone() {
        FileTransactionBody::Invoke(invoke) => Transaction::invoke(invoke, hash),
        FileTransactionBody::DeployAccount(deploy) => {
            Transaction::deploy_account(deploy, hash).map_err(|error| error.to_string())?
        }
        FileTransactionBody::Declare(declare) => declared(declare, hash, classes)?,
        FileTransactionBody::L1Handler { transaction, paid_fee_on_l1 } => {
            Transaction::l1_handler(transaction, paid_fee_on_l1, hash)
        }
        other => return Err(format!("not known here: {other:?}")),
    };
    Ok(prepared.with_flags(transaction.flags))
}

fn declared(
    declare: DeclareTransaction,
    hash: TransactionHash,
    classes: &ClassSources,
) -> Result<Transaction, String> {
    let class_hash = declare.class_hash();
    let class = classes.get(&class_hash).ok_or_else(|| format!("no class {:#x}", class_hash.0))?;
    Ok(Transaction::declare(declare, class.ours.clone(), hash))
}

/// Loads classes, two at a time: compiling is slow.
pub fn load_classes(
    entries: &BTreeMap<ClassHash, ClassEntry>,
    folder: &Path,
) -> Result<ClassSources, String> {
    let entries: Vec<_> = entries.iter().collect();
    let half = entries.len().div_ceil(2);
    let load = |part: &[(&ClassHash, &ClassEntry)]| {
        part.iter()
            .map(|(class_hash, entry)| Ok((**class_hash, load_class(entry, folder)?)))
            .collect::<Result<Vec<_>, String>>()
    };
    let (left, right) = entries.split_at(half);
    thread::scope(|scope| {
        let other = scope.spawn(|| load(right));
        let mut classes: ClassSources = load(left)?.into_iter().collect();
        // The thread only fails by a panic, which is shown already.
        classes.extend(other.join().map_err(|_| "a class loader panicked".to_owned())??);
        Ok(classes)
    })
}

fn load_class(entry: &ClassEntry, folder: &Path) -> Result<ClassSource, String> {
    let (sierra, casm, version) = match entry {
        ClassEntry::Cairo0(class) => return load_cairo0(&text(class, folder)?),
        ClassEntry::Sierra(sierra) => (Some(text(sierra, folder)?), None, None),
        ClassEntry::Casm { casm, sierra_version, sierra } => {
            let sierra = sierra.as_ref().map(|sierra| text(sierra, folder)).transpose()?;
            (sierra, Some(text(casm, folder)?), Some(sierra_version.clone()))
        }
    };
    let sierra = sierra.map(sierra_class_from_json).transpose().map_err(|error| error.to_string())?;
    let (sierra_program_length, abi_length) =
        sierra.as_ref().map_or((0, 0), |class| (class.sierra_program.len() as u64, class.abi.len() as u64));
    let casm: VersionedCasm = match (casm, version, &sierra) {
        (Some(casm), Some(version), _) => (
            serde_json::from_str(&casm).map_err(|error| error.to_string())?,
            version.parse::<SierraVersion>().map_err(|error| error.to_string())?,
        ),
        (_, _, Some(sierra)) => (
            compile_sierra(sierra).map_err(|error| error.to_string())?,
            sierra_version(&sierra.sierra_program).map_err(|error| error.to_string())?,
        ),
        _ => return Err("a class without code".to_owned()),
    };
    let class: ContractClass =
        Cairo1Class::from_casm(casm.0.clone(), casm.1.clone()).map_err(|error| error.to_string())?.into();
    Ok(ClassSource {
        compiled: CompiledClass::V1(casm).into(),
        ours: DeclaredClass { class, sierra_program_length, abi_length },
    })
}

fn load_cairo0(json: &str) -> Result<ClassSource, String> {
    let compiled: DeprecatedContractClass = serde_json::from_str(json).map_err(|error| error.to_string())?;
    let ours = DeclaredClass::from_cairo0_json(json).map_err(|error| error.to_string())?;
    Ok(ClassSource { compiled: CompiledClass::V0(compiled).into(), ours })
}

fn text(text: &ClassText, folder: &Path) -> Result<String, String> {
    match text {
        ClassText::Inline(text) => Ok(text.clone()),
        ClassText::File(path) => {
            let path: PathBuf = folder.join(path);
            std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
        }
    }
}
