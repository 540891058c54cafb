//! What every rule test stands on: a small chain as a block file in the making, transactions for it, and what came out.
//!
//! A world is a [`BlockFile`] from the start, so that every block a test runs can be written down: with `STARKILN_RULE_BLOCKS` set
//! to a folder they are, and `tests/differential`'s `block FOLDER/*.json` runs them through the published crate. What a test
//! asserts has thus been seen on both sides.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Mutex};

use crate::fixture::engine::chosen_engine;
use serde_json::Value;
use starkiln::block::{
    BlockExecutor, BlockHashSource, BlockOutcome, TransactionDisposition, TransactionOutcome,
    TransactionStatus,
};
use starkiln::call::{CallInfo, FailureCause};
use starkiln::class::{
    Cairo0Class, Cairo1Class, ContractClass, DeclaredClass, cairo0_abi_length, cairo0_class_hash,
    sierra_class_from_json, sierra_class_hash, sierra_version,
};
use starkiln::fee::fee_token_balance_key;
use starkiln::protocol::{
    BlockEnv, BlockInfo, BlockPrices, ChainInfo, Constants, DataAvailability, ProtocolVersion, TokenPrices,
    VersionPolicy,
};
use starkiln::replay::{
    BlockFile, ClassEntry, ClassText, FileTransaction, FileTransactionBody, InitialState,
};
use starkiln::state::MemoryState;
use starkiln::transaction::{Execution, ExecutionFlags, InvalidTransaction, RevertReason, Transaction};
use starknet_api::abi::abi_utils::selector_from_name;
use starknet_api::block::{BlockHash, BlockNumber, BlockTimestamp, GasPrice};
use starknet_api::contract_class::SierraVersion;
use starknet_api::core::{ChainId, ClassHash, CompiledClassHash, ContractAddress, EntryPointSelector, Nonce};
use starknet_api::data_availability::DataAvailabilityMode;
use starknet_api::execution_resources::GasAmount;
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::{
    AllResourceBounds, Calldata, ContractAddressSalt, Fee, ResourceBounds, Tip, TransactionSignature,
    ValidResourceBounds,
};
use starknet_api::transaction::{
    DeclareTransaction, DeclareTransactionV0V1, DeclareTransactionV2, DeclareTransactionV3,
    DeployAccountTransaction, DeployAccountTransactionV3, InvokeTransaction, InvokeTransactionV0,
    InvokeTransactionV1, InvokeTransactionV3, L1HandlerTransaction, TransactionHash, TransactionVersion,
};
use starknet_types_core::felt::Felt;

/// The STRK token.
pub(crate) const STRK: u128 = 0x57;
/// The ETH token.
pub(crate) const ETH: u128 = 0xe7;
/// A rich account without a signature check, in gas.
pub(crate) const ACCOUNT: u128 = 0xacc;
/// Its Cairo 0 sibling.
pub(crate) const OLD_ACCOUNT: u128 = 0x01d_acc;
/// Who receives the fees.
pub(crate) const SEQUENCER: u128 = 0x5e0;
/// Where the tests put `caller`, its sibling in steps, and the one in Cairo 0.
pub(crate) const CALLER: u128 = 0xca11;
pub(crate) const STEPS: u128 = 0x57e95;
pub(crate) const OLD_CALLER: u128 = 0x01d_ca11;
/// Where the tests put `syscalls`, `syscalls_new` and the `syscalls` of Cairo 0.
pub(crate) const SYSCALLS: u128 = 0x5ca11;
pub(crate) const SYSCALLS_NEW: u128 = 0x5ca12;
pub(crate) const OLD_SYSCALLS: u128 = 0x01d_5ca11;
/// Where the tests put whatever they made by hand.
pub(crate) const MADE: u128 = 0x3ade;

/// The prices of the block in fri; those in wei are half of them.
pub(crate) const L1_PRICE: u128 = 1_000_000;
pub(crate) const DATA_PRICE: u128 = 1_000;
pub(crate) const L2_PRICE: u128 = 100;

pub(crate) type Version = ProtocolVersion;

pub(crate) fn address(value: u128) -> ContractAddress {
    ContractAddress::from(value)
}

pub(crate) fn felt(value: u128) -> Felt {
    Felt::from(value)
}

pub(crate) fn felts(values: &[u128]) -> Vec<Felt> {
    values.iter().map(|value| felt(*value)).collect()
}

pub(crate) fn key(value: u128) -> StorageKey {
    StorageKey::from(value)
}

/// The cell of a storage variable.
pub(crate) fn variable(name: &str) -> StorageKey {
    starknet_api::abi::abi_utils::get_storage_var_address(name, &[])
}

pub(crate) fn selector(name: &str) -> Felt {
    selector_from_name(name).0
}

pub(crate) fn short(text: &str) -> Felt {
    Felt::from_bytes_be_slice(text.as_bytes())
}

/// A list as Cairo reads it: its length, then its members.
pub(crate) fn span(list: &[Felt]) -> Vec<Felt> {
    let mut out = vec![Felt::from(list.len())];
    out.extend(list);
    out
}

pub(crate) fn join(parts: &[&[Felt]]) -> Vec<Felt> {
    parts.concat()
}

/// The call of an entry point as calldata of another: address, selector, [calldata].
pub(crate) fn target(to: u128, name: &str, calldata: &[Felt]) -> Vec<Felt> {
    join(&[&[felt(to), selector(name)], &span(calldata)])
}

/// The same by class.
pub(crate) fn library(class_hash: ClassHash, name: &str, calldata: &[Felt]) -> Vec<Felt> {
    join(&[&[class_hash.0, selector(name)], &span(calldata)])
}

/// `tests/differential` uses this file too, from two folders below.
fn contracts() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let here = package.join("resources/contracts");
    if here.is_dir() { here } else { package.join("../../resources/contracts") }
}

/// The text of one of our compiled classes: `NAME.casm.json`, or `cairo0/NAME.json`.
pub(crate) fn compiled(name: &str) -> Value {
    let file = if name.starts_with("cairo0/") { format!("{name}.json") } else { format!("{name}.casm.json") };
    serde_json::from_slice(&std::fs::read(contracts().join(file)).unwrap()).unwrap()
}

/// A class, ready, with its place in a block file.
#[derive(Clone)]
struct Known {
    hash: ClassHash,
    ready: DeclaredClass,
    entry: ClassEntry,
}

static KNOWN: LazyLock<Mutex<HashMap<String, Known>>> = LazyLock::new(Mutex::default);

/// One of our contracts: `NAME`; `NAME@steps` is the same code as of an older compiler, measured in steps; or `cairo0/NAME`.
fn known(name: &str) -> Known {
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

/// Bounds at twice the block's prices: L1 gas, L1 data gas, L2 gas.
pub(crate) fn bounds(l1: u64, data: u64, l2: u64) -> ValidResourceBounds {
    let bound = |amount, price: u128| ResourceBounds {
        max_amount: GasAmount(amount),
        max_price_per_unit: GasPrice(2 * price),
    };
    ValidResourceBounds::AllResources(AllResourceBounds {
        l1_gas: bound(l1, L1_PRICE),
        l1_data_gas: bound(data, DATA_PRICE),
        l2_gas: bound(l2, L2_PRICE),
    })
}

/// Bounds of the older form.
pub(crate) fn l1_bounds(amount: u64) -> ValidResourceBounds {
    ValidResourceBounds::L1Gas(ResourceBounds {
        max_amount: GasAmount(amount),
        max_price_per_unit: GasPrice(2 * L1_PRICE),
    })
}

/// A transaction for a world.
#[derive(Clone)]
pub(crate) struct Tx {
    pub(crate) body: FileTransactionBody,
    flags: ExecutionFlags,
    nonce: Option<u64>,
}

/// Calls of the Cairo 1 accounts.
pub(crate) fn calls(list: &[(u128, &str, Vec<Felt>)]) -> Vec<Felt> {
    let mut calldata = vec![Felt::from(list.len())];
    for (to, name, arguments) in list {
        calldata.extend(target(*to, name, arguments));
    }
    calldata
}

/// Calls of the Cairo 0 accounts.
pub(crate) fn old_calls(list: &[(u128, &str, Vec<Felt>)]) -> Vec<Felt> {
    let mut heads = vec![Felt::from(list.len())];
    let mut data: Vec<Felt> = Vec::new();
    for (to, name, arguments) in list {
        heads.extend([felt(*to), selector(name), Felt::from(data.len()), Felt::from(arguments.len())]);
        data.extend(arguments);
    }
    heads.extend(span(&data));
    heads
}

/// An invocation of version 3 with bounds that suffice.
pub(crate) fn invoke(to: u128, name: &str, calldata: Vec<Felt>) -> Tx {
    invoke_raw(ACCOUNT, calls(&[(to, name, calldata)]))
}

/// The same through the Cairo 0 account.
pub(crate) fn old_invoke(to: u128, name: &str, calldata: Vec<Felt>) -> Tx {
    invoke_raw(OLD_ACCOUNT, old_calls(&[(to, name, calldata)]))
}

/// An invocation with any calldata.
pub(crate) fn invoke_raw(sender: u128, calldata: Vec<Felt>) -> Tx {
    Tx::of(FileTransactionBody::Invoke(InvokeTransaction::V3(InvokeTransactionV3 {
        resource_bounds: bounds(1_000_000, 1_000_000, 2_000_000_000),
        tip: Tip::ZERO,
        signature: TransactionSignature::default(),
        nonce: Nonce::default(),
        sender_address: address(sender),
        calldata: Calldata(Arc::new(calldata)),
        nonce_data_availability_mode: DataAvailabilityMode::L1,
        fee_data_availability_mode: DataAvailabilityMode::L1,
        paymaster_data: Default::default(),
        account_deployment_data: Default::default(),
        proof_facts: Default::default(),
    })))
}

/// An invocation of version 1.
pub(crate) fn invoke_v1(max_fee: u128, to: u128, name: &str, calldata: Vec<Felt>) -> Tx {
    Tx::of(FileTransactionBody::Invoke(InvokeTransaction::V1(InvokeTransactionV1 {
        max_fee: Fee(max_fee),
        signature: TransactionSignature::default(),
        nonce: Nonce::default(),
        sender_address: address(ACCOUNT),
        calldata: Calldata(Arc::new(calls(&[(to, name, calldata)]))),
    })))
}

/// An invocation of version 0: straight at the contract.
pub(crate) fn invoke_v0(max_fee: u128, to: u128, name: &str, calldata: Vec<Felt>) -> Tx {
    Tx::of(FileTransactionBody::Invoke(InvokeTransaction::V0(InvokeTransactionV0 {
        max_fee: Fee(max_fee),
        signature: TransactionSignature::default(),
        contract_address: address(to),
        entry_point_selector: EntryPointSelector(selector(name)),
        calldata: Calldata(Arc::new(calldata)),
    })))
}

/// A message from L1, paid for.
pub(crate) fn message(to: u128, name: &str, calldata: Vec<Felt>) -> Tx {
    Tx::of(FileTransactionBody::L1Handler {
        transaction: L1HandlerTransaction {
            version: TransactionVersion::ZERO,
            nonce: Nonce::default(),
            contract_address: address(to),
            entry_point_selector: EntryPointSelector(selector(name)),
            calldata: Calldata(Arc::new(calldata)),
        },
        paid_fee_on_l1: Fee(1),
    })
}

/// A declaration of version 3.
pub(crate) fn declare(class_hash: ClassHash, compiled_class_hash: CompiledClassHash) -> Tx {
    Tx::of(FileTransactionBody::Declare(DeclareTransaction::V3(DeclareTransactionV3 {
        resource_bounds: bounds(1_000_000, 1_000_000, 2_000_000_000),
        tip: Tip::ZERO,
        signature: TransactionSignature::default(),
        nonce: Nonce::default(),
        class_hash,
        compiled_class_hash,
        sender_address: address(ACCOUNT),
        nonce_data_availability_mode: DataAvailabilityMode::L1,
        fee_data_availability_mode: DataAvailabilityMode::L1,
        paymaster_data: Default::default(),
        account_deployment_data: Default::default(),
    })))
}

/// A declaration of version 2.
pub(crate) fn declare_v2(class_hash: ClassHash, compiled_class_hash: CompiledClassHash) -> Tx {
    Tx::of(FileTransactionBody::Declare(DeclareTransaction::V2(DeclareTransactionV2 {
        max_fee: Fee(MAX_FEE),
        signature: TransactionSignature::default(),
        nonce: Nonce::default(),
        class_hash,
        compiled_class_hash,
        sender_address: address(ACCOUNT),
    })))
}

/// A declaration of a Cairo 0 class, as version 0 or 1.
pub(crate) fn declare_old(version: u8, class_hash: ClassHash) -> Tx {
    let declare = DeclareTransactionV0V1 {
        max_fee: Fee(MAX_FEE),
        signature: TransactionSignature::default(),
        nonce: Nonce::default(),
        class_hash,
        sender_address: address(if version == 0 { 1 } else { ACCOUNT }),
    };
    Tx::of(FileTransactionBody::Declare(if version == 0 {
        DeclareTransaction::V0(declare)
    } else {
        DeclareTransaction::V1(declare)
    }))
}

/// Enough for any transaction in wei.
pub(crate) const MAX_FEE: u128 = 1_000_000_000_000_000;

/// The deployment of an account, version 3.
pub(crate) fn deploy_account(class_hash: ClassHash, calldata: &[Felt]) -> Tx {
    Tx::of(FileTransactionBody::DeployAccount(DeployAccountTransaction::V3(DeployAccountTransactionV3 {
        resource_bounds: bounds(1_000_000, 1_000_000, 2_000_000_000),
        tip: Tip::ZERO,
        signature: TransactionSignature::default(),
        nonce: Nonce::default(),
        class_hash,
        contract_address_salt: ContractAddressSalt(Felt::ONE),
        constructor_calldata: Calldata(Arc::new(calldata.to_vec())),
        nonce_data_availability_mode: DataAvailabilityMode::L1,
        fee_data_availability_mode: DataAvailabilityMode::L1,
        paymaster_data: Default::default(),
    })))
}

impl Tx {
    fn of(body: FileTransactionBody) -> Self {
        Self { body, flags: ExecutionFlags::default(), nonce: None }
    }

    /// The account's address, or the called contract's.
    pub(crate) fn sender(&self) -> ContractAddress {
        match &self.body {
            FileTransactionBody::Invoke(invoke) => invoke.sender_address(),
            FileTransactionBody::Declare(declare) => declare.sender_address(),
            FileTransactionBody::DeployAccount(deploy) => {
                use starknet_api::transaction::CalculateContractAddress;
                deploy.calculate_contract_address().unwrap()
            }
            FileTransactionBody::L1Handler { transaction, .. } => transaction.contract_address,
            other => panic!("{other:?}"),
        }
    }

    /// With this nonce instead of the next one.
    pub(crate) fn nonce(self, nonce: u64) -> Self {
        Self { nonce: Some(nonce), ..self }
    }

    /// With orders for the account in the signature.
    pub(crate) fn signed(self, felts: &[Felt]) -> Self {
        self.with(|fields| *fields.signature = TransactionSignature(Arc::new(felts.to_vec())))
    }

    pub(crate) fn bounds(mut self, bounds: ValidResourceBounds) -> Self {
        match &mut self.body {
            FileTransactionBody::Invoke(InvokeTransaction::V3(invoke)) => invoke.resource_bounds = bounds,
            FileTransactionBody::Declare(DeclareTransaction::V3(declare)) => declare.resource_bounds = bounds,
            FileTransactionBody::DeployAccount(DeployAccountTransaction::V3(deploy)) => {
                deploy.resource_bounds = bounds
            }
            other => panic!("no bounds: {other:?}"),
        }
        self
    }

    pub(crate) fn tip(mut self, tip: u64) -> Self {
        match &mut self.body {
            FileTransactionBody::Invoke(InvokeTransaction::V3(invoke)) => invoke.tip = Tip(tip),
            other => panic!("no tip: {other:?}"),
        }
        self
    }

    pub(crate) fn proof(mut self, facts: Vec<Felt>) -> Self {
        match &mut self.body {
            FileTransactionBody::Invoke(InvokeTransaction::V3(invoke)) => invoke.proof_facts = facts.into(),
            other => panic!("no proof: {other:?}"),
        }
        self
    }

    /// A message for which nothing, or something, was paid.
    pub(crate) fn paid(mut self, fee: u128) -> Self {
        if let FileTransactionBody::L1Handler { paid_fee_on_l1, .. } = &mut self.body {
            *paid_fee_on_l1 = Fee(fee);
        }
        self
    }

    pub(crate) fn from(mut self, sender: u128) -> Self {
        match &mut self.body {
            FileTransactionBody::Invoke(InvokeTransaction::V1(invoke)) => {
                invoke.sender_address = address(sender)
            }
            FileTransactionBody::Invoke(InvokeTransaction::V3(invoke)) => {
                invoke.sender_address = address(sender)
            }
            FileTransactionBody::Declare(DeclareTransaction::V3(declare)) => {
                declare.sender_address = address(sender)
            }
            other => panic!("{other:?}"),
        }
        self
    }

    /// Without a fee.
    pub(crate) fn free(self) -> Self {
        Self { flags: ExecutionFlags { charge_fee: false, ..self.flags }, ..self }
    }

    pub(crate) fn unvalidated(self) -> Self {
        Self { flags: ExecutionFlags { validate: false, ..self.flags }, ..self }
    }

    pub(crate) fn query(self) -> Self {
        Self { flags: ExecutionFlags { query: true, ..self.flags }, ..self }
    }

    pub(crate) fn any_later_nonce(self) -> Self {
        Self { flags: ExecutionFlags { strict_nonce: false, ..self.flags }, ..self }
    }

    fn with(mut self, change: impl FnOnce(Fields<'_>)) -> Self {
        let fields = match &mut self.body {
            FileTransactionBody::Invoke(InvokeTransaction::V0(t)) => {
                Fields { signature: &mut t.signature, nonce: None }
            }
            FileTransactionBody::Invoke(InvokeTransaction::V1(t)) => {
                Fields { signature: &mut t.signature, nonce: Some(&mut t.nonce) }
            }
            FileTransactionBody::Invoke(InvokeTransaction::V3(t)) => {
                Fields { signature: &mut t.signature, nonce: Some(&mut t.nonce) }
            }
            FileTransactionBody::Declare(DeclareTransaction::V0(t)) => {
                Fields { signature: &mut t.signature, nonce: None }
            }
            FileTransactionBody::Declare(DeclareTransaction::V1(t)) => {
                Fields { signature: &mut t.signature, nonce: Some(&mut t.nonce) }
            }
            FileTransactionBody::Declare(DeclareTransaction::V2(t)) => {
                Fields { signature: &mut t.signature, nonce: Some(&mut t.nonce) }
            }
            FileTransactionBody::Declare(DeclareTransaction::V3(t)) => {
                Fields { signature: &mut t.signature, nonce: Some(&mut t.nonce) }
            }
            FileTransactionBody::DeployAccount(DeployAccountTransaction::V1(t)) => {
                Fields { signature: &mut t.signature, nonce: Some(&mut t.nonce) }
            }
            FileTransactionBody::DeployAccount(DeployAccountTransaction::V3(t)) => {
                Fields { signature: &mut t.signature, nonce: Some(&mut t.nonce) }
            }
            _ => return self,
        };
        change(fields);
        self
    }
}

struct Fields<'a> {
    signature: &'a mut TransactionSignature,
    nonce: Option<&'a mut Nonce>,
}

/// A chain before a block.
#[derive(Clone)]
pub(crate) struct World {
    /// Everything but the transactions; a test may change what it likes.
    pub(crate) file: BlockFile,
    ready: BTreeMap<ClassHash, DeclaredClass>,
}

impl World {
    /// Two fee tokens and a rich account of either language, at a version.
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

    /// With `caller` and `syscalls` of all sorts.
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

    /// Makes a class known, for a transaction to declare.
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

    /// Puts a contract at an address, without running its constructor.
    pub(crate) fn deploy(&mut self, name: &str, at: u128) -> ClassHash {
        let hash = self.declare(name);
        self.place(hash, at);
        hash
    }

    /// Gives an address a class.
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

    /// A class that no compiler makes: compiled Cairo 1 as JSON, measured in steps or in gas.
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

    /// The same in Cairo 0.
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

    /// The whole as a block file.
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

    /// The transactions as the executor takes them.
    pub(crate) fn transactions(&self, transactions: &[Tx]) -> Vec<Transaction> {
        self.complete(transactions).iter().map(|transaction| self.executable(transaction)).collect()
    }

    /// Executes a block, and writes it down for the judge if asked to.
    pub(crate) fn run(&self, transactions: &[Tx]) -> Ran {
        if let Some(folder) = std::env::var_os("STARKILN_RULE_BLOCKS") {
            self.write(Path::new(&folder), transactions);
        }
        self.run_alone(transactions)
    }

    /// Executes a block that the published crate cannot run.
    pub(crate) fn run_alone(&self, transactions: &[Tx]) -> Ran {
        let state = self.state();
        let executor = BlockExecutor::new(self.env(), &state)
            .engine(chosen_engine())
            .block_hash_source(self.file.block_hash_source)
            .keep_reverted_calls();
        Ran(executor.execute(&self.transactions(transactions)).expect("no reader fails here"))
    }

    /// One transaction.
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

/// What came out of a block.
pub(crate) struct Ran(pub(crate) BlockOutcome);

impl Ran {
    pub(crate) fn at(&self, index: usize) -> &TransactionOutcome {
        &self.0.transactions[index]
    }

    pub(crate) fn statuses(&self) -> Vec<TransactionStatus> {
        self.0.transactions.iter().map(TransactionOutcome::status).collect()
    }

    pub(crate) fn execution(&self, index: usize) -> &Execution {
        self.at(index).execution().unwrap_or_else(|| panic!("invalid: {}", self.invalid(index)))
    }

    pub(crate) fn invalid(&self, index: usize) -> &InvalidTransaction {
        match &self.at(index).disposition {
            TransactionDisposition::Invalid(error) => error,
            TransactionDisposition::Executed(execution) => {
                panic!("not invalid: {:?}", execution.revert_reason)
            }
            TransactionDisposition::TooLarge(error) => panic!("too large: {error:?}"),
        }
    }

    /// The whole revert reason of a transaction.
    pub(crate) fn reason(&self, index: usize) -> String {
        self.execution(index).revert_reason.as_ref().expect("it was not reverted").to_string()
    }

    pub(crate) fn cause(&self, index: usize) -> FailureCause {
        match self.execution(index).revert_reason.as_ref().expect("it was not reverted") {
            RevertReason::Execution { cause, .. } => *cause,
            RevertReason::Cost(error) => panic!("{error}"),
        }
    }

    /// `__execute__` of a transaction that succeeded.
    pub(crate) fn root(&self, index: usize) -> &CallInfo {
        let execution = self.execution(index);
        assert!(!execution.is_reverted(), "{}", self.reason(index));
        execution.execute_call.as_ref().unwrap()
    }

    /// The first call that the account made.
    pub(crate) fn inner(&self, index: usize) -> &CallInfo {
        &self.root(index).inner_calls[0]
    }

    /// `__execute__` of a transaction that was reverted.
    pub(crate) fn reverted(&self, index: usize) -> &CallInfo {
        self.execution(index).reverted_call.as_ref().expect("a call tree")
    }

    /// What a cell held after the block, if the block changed it.
    pub(crate) fn stored(&self, at: u128, key: StorageKey) -> Option<Felt> {
        self.0.state_diff.storage.get(&address(at)).and_then(|cells| cells.get(&key)).copied()
    }
}
