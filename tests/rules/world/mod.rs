//! The world of the rule tests: a small chain as a block file, transactions for it, and its outcome.
//!
//! A world is a [`BlockFile`] from the start, so that every block of a test can be saved: to the folder in
//! `STARKILN_RULE_BLOCKS`, if that is set. `block FOLDER/*.json` of `tests/differential` executes them with
//! blockifier, so that each assertion is checked on both sides.

pub(crate) mod classes;
mod outcome;
mod transactions;
mod values;

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::{Arc, LazyLock, Mutex};

use serde_json::Value;
use starkiln::block::{BlockExecutor, BlockHashSource};
use starkiln::class::{Cairo1Class, ContractClass, DeclaredClass, cairo0_class_hash};
use starkiln::fee::fee_token_balance_key;
use starkiln::protocol::{
    BlockEnv, BlockInfo, BlockPrices, ChainInfo, Constants, DataAvailability, TokenPrices, VersionPolicy,
};
use starkiln::replay::{
    BlockFile, ClassEntry, ClassText, FileTransaction, FileTransactionBody, InitialState,
};
use starkiln::state::MemoryState;
use starkiln::transaction::Transaction;
use starknet_api::block::{BlockHash, BlockNumber, BlockTimestamp, GasPrice};
use starknet_api::contract_class::SierraVersion;
use starknet_api::core::{ChainId, ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_api::transaction::TransactionHash;
use starknet_types_core::felt::Felt;

use self::classes::{Known, known};
pub(crate) use self::outcome::Ran;
pub(crate) use self::transactions::*;
pub(crate) use self::values::*;
use crate::fixture::engine::chosen_engine;

/// A chain before a block.
#[derive(Clone)]
pub(crate) struct World {
    /// Everything except the transactions; a test may change it.
    pub(crate) file: BlockFile,
    ready: BTreeMap<ClassHash, DeclaredClass>,
}

impl World {
    /// Two fee tokens and a funded account of either language, at a version.
    pub(crate) fn at(version: Version) -> Self {
        let prices = |divisor: u128| TokenPrices {
            l1_gas: GasPrice(L1_PRICE / divisor),
            l1_data_gas: GasPrice(DATA_PRICE / divisor),
            l2_gas: GasPrice(L2_PRICE / divisor),
        };
        let file = BlockFile {
            format: BlockFile::FORMAT,
            chain: ChainInfo {
                chain_id: ChainId::Other("SN_TEST".to_owned()),
                strk_fee_token: address(STRK),
                eth_fee_token: address(ETH),
                is_l3: false,
            },
            protocol_version: version,
            block: BlockInfo {
                number: BlockNumber(1_234),
                timestamp: BlockTimestamp(1_700_000_123),
                sequencer: address(SEQUENCER),
                prices: BlockPrices { wei: prices(2), fri: prices(1) },
                data_availability: DataAvailability::Blob,
            },
            block_hash_source: BlockHashSource::Hash(BlockHash(felt(0xb10c))),
            classes: BTreeMap::new(),
            state: InitialState::default(),
            transactions: Vec::new(),
            expected: None,
        };
        let mut world = Self { file, ready: BTreeMap::new() };
        world.deploy("erc20", STRK);
        world.deploy("erc20", ETH);
        world.deploy("account_open", ACCOUNT);
        world.deploy("cairo0/account_open", OLD_ACCOUNT);
        world.fund(address(ACCOUNT), u128::MAX);
        world.fund(address(OLD_ACCOUNT), u128::MAX);
        world
    }

    /// With all variants of `caller` and `syscalls`.
    pub(crate) fn furnished(version: Version) -> Self {
        let mut world = Self::at(version);
        world.deploy("caller", CALLER);
        world.deploy("caller@steps", STEPS);
        world.deploy("cairo0/caller", OLD_CALLER);
        world.deploy("syscalls", SYSCALLS);
        world.deploy("syscalls_new", SYSCALLS_NEW);
        world.deploy("cairo0/syscalls", OLD_SYSCALLS);
        world
    }

    pub(crate) fn constants(&self) -> Arc<Constants> {
        Constants::for_version(self.file.protocol_version, VersionPolicy::Exact).unwrap()
    }

    /// Adds a class for a transaction to declare.
    pub(crate) fn offer(&mut self, name: &str) -> ClassHash {
        let Known { hash, ready, entry } = known(name);
        self.file.classes.insert(hash, entry);
        self.ready.insert(hash, ready);
        hash
    }

    /// Declares a class before the block.
    pub(crate) fn declare(&mut self, name: &str) -> ClassHash {
        let hash = self.offer(name);
        self.declared(hash);
        hash
    }

    fn declared(&mut self, hash: ClassHash) {
        let compiled = self.ready[&hash].class.compiled_class_hash_v2().unwrap_or_default();
        self.file.state.declared.insert(hash, compiled);
    }

    /// Deploys a contract at an address, without its constructor.
    pub(crate) fn deploy(&mut self, name: &str, at: u128) -> ClassHash {
        let hash = self.declare(name);
        self.place(hash, at);
        hash
    }

    /// Sets the class of an address.
    pub(crate) fn place(&mut self, hash: ClassHash, at: u128) {
        self.file.state.contracts.entry(address(at)).or_default().class_hash = hash;
    }

    /// The code of one of our classes under another hash.
    pub(crate) fn alias(&mut self, name: &str, hash: ClassHash) -> ClassHash {
        let Known { ready, entry, .. } = known(name);
        let entry = match entry {
            ClassEntry::Casm { casm, sierra_version, .. } => {
                ClassEntry::Casm { casm, sierra_version, sierra: None }
            }
            other => other,
        };
        self.file.classes.insert(hash, entry);
        self.ready.insert(hash, ready);
        self.declared(hash);
        hash
    }

    /// A class written by hand: compiled Cairo 1 as JSON, tracked in steps or in gas.
    pub(crate) fn make(&mut self, hash: u128, casm: &Value, version: &str) -> ClassHash {
        let hash = ClassHash(felt(hash));
        let text = casm.to_string();
        let class = Cairo1Class::from_casm_json(&text, version.parse::<SierraVersion>().unwrap()).unwrap();
        self.ready
            .insert(hash, DeclaredClass { class: class.into(), sierra_program_length: 0, abi_length: 0 });
        self.file.classes.insert(
            hash,
            ClassEntry::Casm {
                casm: ClassText::Inline(text),
                sierra_version: version.to_owned(),
                sierra: None,
            },
        );
        self.declared(hash);
        hash
    }

    /// A Cairo 0 class written by hand.
    pub(crate) fn make_old(&mut self, json: &Value) -> ClassHash {
        let text = json.to_string();
        let hash = cairo0_class_hash(text.as_bytes()).unwrap();
        self.ready.insert(hash, DeclaredClass::from_cairo0_json(&text).unwrap());
        self.file.classes.insert(hash, ClassEntry::Cairo0(ClassText::Inline(text)));
        self.declared(hash);
        hash
    }

    pub(crate) fn compiled_class_hashes(&self, hash: ClassHash) -> [CompiledClassHash; 2] {
        match &self.ready[&hash].class {
            ContractClass::Cairo1(class) => [class.compiled_class_hash_v1(), class.compiled_class_hash_v2()],
            _ => panic!("not Cairo 1"),
        }
    }

    pub(crate) fn ready(&self, hash: ClassHash) -> &DeclaredClass {
        &self.ready[&hash]
    }

    pub(crate) fn store(&mut self, at: u128, key: StorageKey, value: Felt) {
        self.file.state.contracts.entry(address(at)).or_default().storage.insert(key, value);
    }

    pub(crate) fn set_nonce(&mut self, at: u128, nonce: u64) {
        self.file.state.contracts.entry(address(at)).or_default().nonce = Nonce(Felt::from(nonce));
    }

    /// The low half of a balance, in both tokens.
    pub(crate) fn fund(&mut self, account: ContractAddress, amount: u128) {
        for token in [STRK, ETH] {
            self.store(token, fee_token_balance_key(account), felt(amount));
        }
    }

    pub(crate) fn env(&self) -> BlockEnv {
        BlockEnv::new(self.file.block.clone(), self.file.chain.clone(), self.constants())
    }

    /// The state before the block.
    pub(crate) fn state(&self) -> MemoryState {
        let mut state = MemoryState::default();
        for (hash, compiled) in &self.file.state.declared {
            state.classes.insert(*hash, self.ready[hash].class.clone());
            state.compiled_class_hashes.insert(*hash, *compiled);
        }
        for (at, contract) in &self.file.state.contracts {
            state.class_hashes.insert(*at, contract.class_hash);
            state.nonces.insert(*at, contract.nonce);
            state.storage.extend(contract.storage.iter().map(|(key, value)| ((*at, *key), *value)));
        }
        state
    }

    /// The transactions with their nonces: each the next of its sender unless it says otherwise.
    fn complete(&self, transactions: &[Tx]) -> Vec<FileTransaction> {
        let mut next: HashMap<ContractAddress, u64> = HashMap::new();
        transactions
            .iter()
            .enumerate()
            .map(|(index, tx)| {
                let sender = tx.sender();
                let stored = || {
                    let nonce = self
                        .file
                        .state
                        .contracts
                        .get(&sender)
                        .map_or(Felt::ZERO, |contract| contract.nonce.0);
                    u64::try_from(nonce).unwrap()
                };
                let wanted = tx.nonce;
                let complete = tx.clone().with(|fields| {
                    if let Some(nonce) = fields.nonce {
                        let next = next.entry(sender).or_insert_with(stored);
                        *nonce = Nonce(Felt::from(wanted.unwrap_or(*next)));
                        *next += 1;
                    }
                });
                FileTransaction {
                    hash: TransactionHash(felt(index as u128 + 1)),
                    body: complete.body,
                    flags: complete.flags,
                }
            })
            .collect()
    }

    /// The block file.
    pub(crate) fn block(&self, transactions: &[Tx]) -> BlockFile {
        BlockFile { transactions: self.complete(transactions), ..self.file.clone() }
    }

    fn executable(&self, transaction: &FileTransaction) -> Transaction {
        let hash = transaction.hash;
        let ready = match transaction.body.clone() {
            FileTransactionBody::Invoke(invoke) => Transaction::invoke(invoke, hash),
            FileTransactionBody::Declare(declare) => {
                let class = self.ready[&declare.class_hash()].clone();
                Transaction::declare(declare, class, hash)
            }
            FileTransactionBody::DeployAccount(deploy) => Transaction::deploy_account(deploy, hash).unwrap(),
            FileTransactionBody::L1Handler { transaction, paid_fee_on_l1 } => {
                Transaction::l1_handler(transaction, paid_fee_on_l1, hash)
            }
            other => panic!("{other:?}"),
        };
        ready.with_flags(transaction.flags)
    }

    /// The transactions for the executor.
    pub(crate) fn transactions(&self, transactions: &[Tx]) -> Vec<Transaction> {
        self.complete(transactions).iter().map(|transaction| self.executable(transaction)).collect()
    }

    /// Executes a block, and saves it to `STARKILN_RULE_BLOCKS` if that is set.
    pub(crate) fn run(&self, transactions: &[Tx]) -> Ran {
        if let Some(folder) = std::env::var_os("STARKILN_RULE_BLOCKS") {
            self.write(Path::new(&folder), transactions);
        }
        self.run_without_blockifier(transactions)
    }

    /// Executes a block that blockifier cannot execute.
    pub(crate) fn run_without_blockifier(&self, transactions: &[Tx]) -> Ran {
        let state = self.state();
        let executor = BlockExecutor::new(self.env(), &state)
            .engine(chosen_engine())
            .block_hash_source(self.file.block_hash_source)
            .keep_reverted_calls();
        Ran(executor.execute(&self.transactions(transactions)).expect("no reader fails here"))
    }

    /// Executes one transaction.
    pub(crate) fn one(&self, transaction: &Tx) -> Ran {
        self.run(std::slice::from_ref(transaction))
    }

    fn write(&self, folder: &Path, transactions: &[Tx]) {
        static COUNT: LazyLock<Mutex<HashMap<String, u32>>> = LazyLock::new(Mutex::default);
        let name = std::thread::current()
            .name()
            .unwrap_or("unnamed")
            .rsplit("::")
            .next()
            .unwrap_or_default()
            .to_owned();
        let number = {
            let mut counts = COUNT.lock().unwrap();
            let count = counts.entry(name.clone()).or_default();
            *count += 1;
            *count
        };
        self.block(transactions).write(folder.join(format!("{name}-{number}.json"))).unwrap();
    }
}
