//! Loading of a block file for execution.
//!
//! Input: a path, or JSON. Output: [`BlockFile`], and from it [`LoadedBlock`]: environment, state,
//! transactions. Each class is loaded once. Must not know: how blocks are executed or printed.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use starknet_api::core::ClassHash;

use super::class::{self, LoadedClass};
use super::error::{FileError, FileFault, TransactionFault};
use super::file::{BlockFile, Expected, InitialState};
use super::input;
use super::transaction::{FileTransaction, FileTransactionBody};
use crate::block::{BlockExecutor, BlockHashSource};
use crate::class::DeclaredClass;
use crate::protocol::{BlockEnv, Constants, VersionPolicy};
use crate::state::MemoryState;
use crate::transaction::Transaction;

/// A block, loaded for execution.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct LoadedBlock {
    /// The block environment.
    pub env: BlockEnv,
    /// The state before the block.
    pub state: MemoryState,
    /// The transactions.
    pub transactions: Vec<Transaction>,
    /// The source of the hash of block N-10.
    pub block_hash_source: BlockHashSource,
    /// The expected outcome.
    pub expected: Option<Expected>,
}

impl LoadedBlock {
    /// Reads and loads a block file; relative paths of classes start at its folder.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        BlockFile::read(path)?.load_beside(path, |_, _| {})
    }

    /// An executor over the state before the block.
    ///
    /// ```no_run
    /// use starkiln::replay::LoadedBlock;
    ///
    /// let block = LoadedBlock::read("resources/blocks/transfer.json")?;
    /// let outcome = block.executor().execute(&block.transactions)?;
    /// println!("{} transactions", outcome.transactions.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn executor(&self) -> BlockExecutor<&MemoryState> {
        BlockExecutor::new(self.env.clone(), &self.state).block_hash_source(self.block_hash_source)
    }
}

impl BlockFile {
    /// Reads a block file, plain or compressed with zstd, independent of its name.
    pub fn read(path: impl AsRef<Path>) -> Result<Self, FileError> {
        let path = path.as_ref();
        input::read(path)
            .map_err(FileError::from)
            .and_then(|json| parse(&json))
            .map_err(|error| error.in_file(path))
    }

    /// Reads a block file from memory, plain or compressed with zstd.
    pub fn from_slice(bytes: &[u8]) -> Result<Self, FileError> {
        let json = input::unpack(bytes.to_vec())?;
        parse(&json)
    }

    /// Writes a block file: compressed with zstd if its name ends in `.zst`.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<(), FileError> {
        let path = path.as_ref();
        let is_compressed = path.extension().is_some_and(|extension| extension == "zst");
        self.to_json()
            .and_then(|json| if is_compressed { zstd::encode_all(json.as_slice(), 0) } else { Ok(json) })
            .and_then(|bytes| std::fs::write(path, bytes))
            .map_err(|error| {
                FileError::from(FileFault::Unwritable { reason: error.to_string() }).in_file(path)
            })
    }

    /// The JSON text, indented.
    fn to_json(&self) -> io::Result<Vec<u8>> {
        let mut json = serde_json::to_vec_pretty(self)?;
        json.write_all(b"\n")?;
        Ok(json)
    }

    /// Loads the classes and prepares the block for execution. Relative paths of classes start at `base_dir`.
    pub fn load(&self, base_dir: impl AsRef<Path>) -> Result<LoadedBlock, FileError> {
        self.load_with(base_dir, |_, _| {})
    }

    /// Loads the block and calls `observe` after each class with the number of loaded classes and of all
    /// classes.
    pub fn load_with(
        &self,
        base_dir: impl AsRef<Path>,
        observe: impl FnMut(usize, usize),
    ) -> Result<LoadedBlock, FileError> {
        self.loaded(base_dir.as_ref(), observe)
    }

    /// Loads the block of the file at `path`, as [`load_with`](Self::load_with); errors name the file.
    pub fn load_beside(
        &self,
        path: impl AsRef<Path>,
        observe: impl FnMut(usize, usize),
    ) -> Result<LoadedBlock, FileError> {
        let path = path.as_ref();
        let base_dir = path.parent().unwrap_or(Path::new(""));
        self.loaded(base_dir, observe).map_err(|error| error.in_file(path))
    }

    fn loaded(&self, base_dir: &Path, observe: impl FnMut(usize, usize)) -> Result<LoadedBlock, FileError> {
        let version = self.protocol_version;
        let constants = Constants::for_version(version, VersionPolicy::Exact)
            .map_err(|error| FileFault::ProtocolVersion { version, error })?;
        let classes = self.load_classes(base_dir, observe)?;
        let transactions = self.transactions.iter().enumerate().map(|(index, transaction)| {
            executable(transaction, &classes).map_err(|fault| {
                FileError::from(FileFault::Transaction { index, hash: transaction.hash, fault })
            })
        });
        Ok(LoadedBlock {
            transactions: transactions.collect::<Result<_, _>>()?,
            state: memory_state(&self.state, &classes)?,
            env: BlockEnv::new(self.block.clone(), self.chain.clone(), constants),
            block_hash_source: self.block_hash_source,
            expected: self.expected.clone(),
        })
    }

    fn load_classes(
        &self,
        base_dir: &Path,
        mut observe: impl FnMut(usize, usize),
    ) -> Result<BTreeMap<ClassHash, LoadedClass>, FileError> {
        let mut classes = BTreeMap::new();
        for (&class_hash, entry) in &self.classes {
            let compiled = self.state.declared.get(&class_hash).copied();
            classes.insert(class_hash, class::load(class_hash, entry, compiled, base_dir)?);
            observe(classes.len(), self.classes.len());
        }
        Ok(classes)
    }
}

fn parse(json: &[u8]) -> Result<BlockFile, FileError> {
    let file: BlockFile = input::from_json(json)?;
    if file.format == BlockFile::FORMAT { Ok(file) } else { Err(FileFault::Format(file.format).into()) }
}

/// The state before the block. Only declared classes are in it.
fn memory_state(
    state: &InitialState,
    classes: &BTreeMap<ClassHash, LoadedClass>,
) -> Result<MemoryState, FileError> {
    let mut memory = MemoryState::default();
    for (&class_hash, &compiled) in &state.declared {
        let loaded = classes.get(&class_hash).ok_or(FileFault::DeclaredClassMissing(class_hash))?;
        memory.classes.insert(class_hash, loaded.class.clone());
        memory.compiled_class_hashes.insert(class_hash, compiled);
    }
    for (&address, contract) in &state.contracts {
        memory.class_hashes.insert(address, contract.class_hash);
        memory.nonces.insert(address, contract.nonce);
        memory.storage.extend(contract.storage.iter().map(|(&key, &value)| ((address, key), value)));
    }
    Ok(memory)
}

fn executable(
    transaction: &FileTransaction,
    classes: &BTreeMap<ClassHash, LoadedClass>,
) -> Result<Transaction, TransactionFault> {
    let hash = transaction.hash;
    let ready = match transaction.body.clone() {
        FileTransactionBody::Invoke(invoke) => Transaction::invoke(invoke, hash),
        FileTransactionBody::Declare(declare) => {
            let class = declared(declare.class_hash(), classes)?;
            Transaction::declare(declare, class, hash)
        }
        FileTransactionBody::DeployAccount(deploy) => Transaction::deploy_account(deploy, hash)
            .map_err(|error| TransactionFault::Address(error.to_string()))?,
        FileTransactionBody::Deploy(deploy) => {
            Transaction::deploy(deploy, hash).map_err(|error| TransactionFault::Address(error.to_string()))?
        }
        FileTransactionBody::L1Handler { transaction, paid_fee_on_l1 } => {
            Transaction::l1_handler(transaction, paid_fee_on_l1, hash)
        }
    };
    Ok(ready.with_flags(transaction.flags))
}

fn declared(
    class_hash: ClassHash,
    classes: &BTreeMap<ClassHash, LoadedClass>,
) -> Result<DeclaredClass, TransactionFault> {
    let loaded = classes.get(&class_hash).ok_or(TransactionFault::ClassMissing(class_hash))?;
    loaded.declared.clone().ok_or(TransactionFault::SierraMissing(class_hash))
}
