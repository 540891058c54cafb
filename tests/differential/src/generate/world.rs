//! The chain before the block: classes, contracts, accounts, balances.
//!
//! In: the folder of our contracts. Out: [`World`]: a block file without transactions, and where everything is.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use starkiln::block::OldBlock;
use starkiln::class::{ContractClass, cairo0_class_hash, sierra_class_from_json, sierra_class_hash};
use starkiln::protocol::{Constants, ProtocolVersion, VersionPolicy};
use starkiln::replay::{BlockFile, ClassEntry, ClassText, ContractState, InitialState};
use starkiln::state::fee_token_balance_key;
use starknet_api::abi::abi_utils::get_storage_var_address;
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce, calculate_contract_address};
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::{Calldata, ContractAddressSalt};
use starknet_types_core::felt::Felt;

use super::Purpose;
use super::abi::{Abi, Names};
use super::listed::Listed;
use super::packages::{self, PackageClass};
use super::random::Random;
use super::raw::{self, RawClass};
use super::surroundings::Surroundings;
use crate::input::{ClassSources, load_classes};
use crate::peer::{PeerClasses, peer_classes};

/// The classes that are declared before the block.
const DECLARED: [&str; 11] = [
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
const PAST_DECLARED: [&str; 10] = [
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

/// What every funded account has of each token.
pub(super) const BALANCE: u128 = 10_u128.pow(24);

/// What the poor account has: enough to be charged something, not enough for usual bounds.
pub const POOR_BALANCE: u128 = 10_u128.pow(12);

/// Which transactions a block is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Era {
    /// Those of version 3, on Cairo 1 contracts.
    Modern,
    /// All older ones, on Cairo 0 and Cairo 1 contracts; ETH is a Cairo 0 contract.
    Past,
}

/// Which code an account runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// Checks signatures, in Cairo 0.
    Old,
    /// Does not, in Cairo 0, and misbehaves on request.
    OldOpen,
    /// Checks signatures.
    Signed,
    /// Does not, and misbehaves on request.
    Open,
    /// Checks signatures, and is measured in steps.
    Steps,
    /// Makes one call, in Cairo 0, and checks no signature.
    Single,
}

/// An account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its code.
    pub kind: AccountKind,
    /// Where it is.
    pub address: ContractAddress,
    /// What it signs with.
    pub private_key: Felt,
}

/// An account that may be deployed: its address is known and funded.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// Its class.
    pub class_hash: ClassHash,
    /// Its salt.
    pub salt: Felt,
    /// What it signs with.
    pub private_key: Felt,
    /// The arguments of its constructor.
    pub arguments: Vec<Felt>,
}

/// Where everything is.
#[derive(Clone, Debug)]
pub struct World {
    /// The block file without transactions.
    pub file: BlockFile,
    /// The classes, loaded.
    pub classes: ClassSources,
    /// Their hashes by name.
    pub class_hashes: BTreeMap<&'static str, ClassHash>,
    /// Accounts with money.
    pub accounts: Vec<Account>,
    /// An account with too little.
    pub poor: Account,
    /// Accounts to deploy; the last two have no money.
    pub newcomers: Vec<Newcomer>,
    /// Contracts of classes with rules of their own; none in a demo.
    pub listed: Vec<Listed>,
    /// Our contracts: addresses and classes.
    pub ours: Vec<(u128, &'static str)>,
    /// Contracts that are called at random, with what they take.
    pub driven: Vec<Driven>,
    /// Accounts of registry packages; none in a demo.
    pub package_accounts: Vec<Account>,
    /// The same to deploy.
    pub package_newcomers: Vec<Newcomer>,
    /// Classes of registry packages that transactions may declare.
    pub package_undeclared: Vec<ClassHash>,
    /// Contracts of classes that no compiler would make.
    pub raw: Vec<RawContract>,
    /// What arguments may name.
    pub names: Names,
    /// What the version fixes.
    pub constants: Arc<Constants>,
}

/// A contract of a class that no compiler would make.
#[derive(Clone, Debug)]
pub struct RawContract {
    /// Where it is.
    pub address: Felt,
    /// What it takes, if it was made from a contract of ours.
    pub abi: Option<Arc<Abi>>,
}

/// A contract that is called at random.
#[derive(Clone, Debug)]
pub struct Driven {
    /// Where it is.
    pub address: Felt,
    /// Its class.
    pub class_hash: ClassHash,
    /// What it takes.
    pub abi: Arc<Abi>,
}

/// Addresses of contracts.
pub mod at {
    /// STRK.
    pub const STRK: u128 = 0x57ec_0001;
    /// ETH.
    pub const ETH: u128 = 0x57ec_0002;
    /// Another token.
    pub const TOKEN: u128 = 0x57ec_0003;
    /// The pool of STRK and the other token.
    pub const POOL: u128 = 0x9001;
    /// The NFT.
    pub const NFT: u128 = 0x4f7;
    /// Every syscall.
    pub const SYSCALLS: u128 = 0x5ca1;
    /// The younger ones.
    pub const SYSCALLS_NEW: u128 = 0x5ca2;
    /// Nested calls, in gas.
    pub const CALLER: u128 = 0xca11_0001;
    /// Nested calls, in steps.
    pub const CALLER_STEPS: u128 = 0xca11_0002;
    /// Contracts that replace their class.
    pub const UPGRADABLE: [u128; 3] = [0x0b9_0001, 0x0b9_0002, 0x0b9_0003];
    /// Every syscall of Cairo 0.
    pub const OLD_SYSCALLS: u128 = 0x01d_5ca1;
    /// Nested calls of Cairo 0.
    pub const OLD_CALLER: u128 = 0x01d_ca11;
    /// A Cairo 0 token.
    pub const OLD_TOKEN: u128 = 0x01d_57ec;
    /// A proxy of every syscall.
    pub const OLD_PROXY: u128 = 0x01d_9409;
    /// The library of Cairo 0.
    pub const OLD_LIBRARY: u128 = 0x01d_11b4;
    /// Its larger hashes.
    pub const OLD_HASHES: u128 = 0x01d_4a54;
    /// A class that may not run.
    pub const OLD_FORBIDDEN: u128 = 0x01d_f08b;
    /// The sequencer.
    pub const SEQUENCER: u128 = 0x5e9_0e4c;
}

/// Where an account is.
pub fn account_address(number: u64) -> ContractAddress {
    address(0xacc0_0000 + u128::from(number))
}

fn address(value: u128) -> ContractAddress {
    ContractAddress::from(value)
}

/// Our contracts, loaded once for many blocks.
#[derive(Clone, Debug)]
pub struct Library {
    /// How a block file names them.
    pub entries: BTreeMap<ClassHash, ClassEntry>,
    /// The classes, loaded.
    pub classes: ClassSources,
    /// The same for blockifier.
    pub peer_classes: PeerClasses,
    /// Their hashes by name.
    pub class_hashes: BTreeMap<&'static str, ClassHash>,
    /// What ours take.
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
    /// Loads the classes. `contracts` is the folder of our contracts as a block file will name it, relative to `folder`, where
    /// the block file will be.
    pub fn load(folder: &Path, contracts: &Path, more: MoreClasses) -> Result<Self, String> {
        let MoreClasses { packages, raw } = more;
        let mut entries = BTreeMap::new();
        let mut abis = BTreeMap::new();
        let mut abi = |name, text: &str| {
            let json: Value = serde_json::from_str(text).map_err(|error| format!("{name}: {error}"))?;
            abis.insert(name, Arc::new(Abi::new(&json["abi"])));
            Ok::<(), String>(())
        };
        let mut class_hashes = BTreeMap::new();
        for name in PAST_DECLARED.into_iter().chain(PAST_UNDECLARED) {
            let path = contracts.join(format!("{name}.json"));
            let full = folder.join(&path);
            let text =
                std::fs::read_to_string(&full).map_err(|error| format!("{}: {error}", full.display()))?;
            abi(name, &text)?;
            let class_hash = cairo0_class_hash(&text).map_err(|error| format!("{name}: {error}"))?;
            entries.insert(class_hash, ClassEntry::Cairo0(ClassText::File(path)));
            class_hashes.insert(name, class_hash);
        }
        for name in DECLARED.into_iter().chain(UNDECLARED) {
            let path = contracts.join(format!("{name}.sierra.json"));
            let full = folder.join(&path);
            let text =
                std::fs::read_to_string(&full).map_err(|error| format!("{}: {error}", full.display()))?;
            abi(name, &text)?;
            let class = sierra_class_from_json(&text).map_err(|error| format!("{name}: {error}"))?;
            let class_hash = sierra_class_hash(&class);
            entries.insert(class_hash, ClassEntry::Sierra(ClassText::File(path)));
            class_hashes.insert(name, class_hash);
        }
        entries.extend(Listed::all().into_iter().map(|listed| (listed.class_hash, listed.entry(contracts))));
        entries.extend(packages.iter().map(|class| (class.class_hash, class.entry.clone())));
        entries.extend(raw.iter().map(|class| (class.class_hash, class.entry.clone())));
        class_hashes.extend(packages.iter().map(|class| (class.name, class.class_hash)));
        let classes = load_classes(&entries, folder)?;
        let peer_classes = peer_classes(&classes);
        Ok(Self { entries, classes, peer_classes, class_hashes, abis, packages, raw })
    }
}

impl World {
    /// Lays out the state.
    pub fn new(
        library: &Library,
        version: ProtocolVersion,
        era: Era,
        purpose: Purpose,
        random: &mut Random,
    ) -> Self {
        let surroundings = match purpose {
            Purpose::Demo => Surroundings::usual(random),
            Purpose::Fuzz => Surroundings::odd(random),
        };
        let Library { mut entries, classes, class_hashes, .. } = library.clone();
        let mut listed = Listed::all();
        listed.retain(|listed| era == Era::Past || !listed.is_cairo0());
        if purpose == Purpose::Demo {
            library.packages.iter().for_each(|class| drop(entries.remove(&class.class_hash)));
            library.raw.iter().for_each(|class| drop(entries.remove(&class.class_hash)));
            listed.drain(..).for_each(|listed| drop(entries.remove(&listed.class_hash)));
        }
        if era == Era::Modern {
            entries.retain(|_, entry| !matches!(entry, ClassEntry::Cairo0(_)));
        }
        let account = |kind, number: u64, random: &mut Random| Account {
            kind,
            address: account_address(number),
            private_key: random.felt(),
        };
        let mut accounts = Vec::new();
        for number in 0..22 {
            let kind = match number {
                0..12 => AccountKind::Signed,
                12..18 => AccountKind::Open,
                _ => AccountKind::Steps,
            };
            accounts.push(account(kind, number, random));
        }
        if era == Era::Past {
            for number in 22..32 {
                let kind = if number < 28 { AccountKind::Old } else { AccountKind::OldOpen };
                accounts.push(account(kind, number, random));
            }
        }
        let poor =
            account(if era == Era::Past { AccountKind::Old } else { AccountKind::Signed }, 0xffff, random);
        let newcomers = (0..16_u64)
            .map(|number| {
                let private_key = random.felt();
                let name = match (era, number % 3) {
                    (Era::Past, 0 | 1) => "cairo0/account",
                    (_, 0) => "account",
                    (_, 1) => "account_open",
                    _ => "account_steps",
                };
                let public_key = if number == 4 {
                    short_text("FAIL")
                } else {
                    starknet_crypto::get_public_key(&private_key)
                };
                let arguments = vec![public_key];
                Newcomer { class_hash: class_hashes[name], salt: Felt::from(number), private_key, arguments }
            })
            .collect();
        let file = BlockFile {
            format: BlockFile::FORMAT,
            chain: surroundings.chain,
            protocol_version: version,
            block: surroundings.block,
            old_block: surroundings.old_block,
            classes: entries,
            state: InitialState::default(),
            transactions: Vec::new(),
            expected: None,
        };
        let constants = Constants::for_version(version, VersionPolicy::Exact).expect("it is supported");
        let mut world = Self {
            file,
            classes,
            class_hashes,
            accounts,
            poor,
            newcomers,
            listed,
            ours: Vec::new(),
            driven: Vec::new(),
            package_accounts: Vec::new(),
            package_newcomers: Vec::new(),
            package_undeclared: Vec::new(),
            raw: Vec::new(),
            names: Names::default(),
            constants,
        };
        world.fill(era, random);
        if purpose == Purpose::Fuzz {
            world.add_packages(library, era, random);
        }
        world
    }

    /// The hash of a class by name.
    pub fn class(&self, name: &str) -> Felt {
        self.class_hashes[name].0
    }

    /// The block's number.
    pub fn number(&self) -> u64 {
        self.file.block.number.0
    }

    /// The number of a block so many before this one; 0 if there is none.
    pub fn block_before(&self, back: u64) -> Felt {
        Felt::from(self.number().saturating_sub(back))
    }

    fn fill(&mut self, era: Era, random: &mut Random) {
        let mut state = InitialState::default();
        for (index, name) in DECLARED.into_iter().enumerate() {
            // Half of them have already migrated to the younger kind of compiled class hash.
            let class_hash = self.class_hashes[name];
            let class = &self.classes[&class_hash].ours.class;
            let compiled = match class {
                ContractClass::Cairo1(class) if index % 2 == 0 => class.compiled_class_hash_v1(),
                ContractClass::Cairo1(class) => class.compiled_class_hash_v2(),
                _ => unreachable!("our contracts are Cairo 1"),
            };
            state.declared.insert(class_hash, compiled);
        }
        let past = [
            (at::OLD_SYSCALLS, "cairo0/syscalls"),
            (at::OLD_CALLER, "cairo0/caller"),
            (at::OLD_TOKEN, "cairo0/erc20"),
            (at::OLD_PROXY, "cairo0/proxy"),
            (at::OLD_LIBRARY, "cairo0/library"),
            (at::OLD_HASHES, "cairo0/hashes"),
            (at::OLD_FORBIDDEN, "cairo0/forbidden_builtin"),
            (at::ETH, "cairo0/erc20"),
        ];
        let past: &[(u128, &str)] = if era == Era::Past { &past } else { &[] };
        let upgradable = at::UPGRADABLE.map(|place| (place, "upgradable"));
        let contracts = [
            (at::STRK, "erc20"),
            (at::ETH, "erc20"),
            (at::TOKEN, "erc20"),
            (at::POOL, "pool"),
            (at::NFT, "nft"),
            (at::SYSCALLS, "syscalls"),
            (at::SYSCALLS_NEW, "syscalls_new"),
            (at::CALLER, "caller"),
            (at::CALLER_STEPS, "caller_steps"),
        ];
        for (place, name) in contracts.into_iter().chain(upgradable).chain(past.iter().copied()) {
            contract(&mut state, address(place)).class_hash = self.class_hashes[name];
            self.ours.push((place, name));
        }
        for account in self.accounts.iter().chain([&self.poor]) {
            let name = match account.kind {
                AccountKind::Signed => "account",
                AccountKind::Open => "account_open",
                AccountKind::Steps => "account_steps",
                AccountKind::Old => "cairo0/account",
                AccountKind::OldOpen | AccountKind::Single => "cairo0/account_open",
            };
            let entry = contract(&mut state, account.address);
            entry.class_hash = self.class_hashes[name];
            entry.nonce = Nonce(Felt::from(random.below(3)));
            let public_key = starknet_crypto::get_public_key(&account.private_key);
            match account.kind {
                AccountKind::Old => entry.storage.insert(variable("Account_public_key"), public_key),
                AccountKind::OldOpen | AccountKind::Single => None,
                _ => entry.storage.insert(variable("public_key"), public_key),
            };
            let amount = if account.address == self.poor.address { POOR_BALANCE } else { BALANCE };
            for token in [at::STRK, at::ETH, at::TOKEN] {
                fund(&mut state, token, account.address, amount);
            }
            if era == Era::Past {
                fund(&mut state, at::OLD_TOKEN, account.address, amount);
            }
        }
        for listed in &self.listed {
            let compiled = match &self.classes[&listed.class_hash].ours.class {
                ContractClass::Cairo1(class) => class.compiled_class_hash_v2(),
                _ => CompiledClassHash::default(),
            };
            state.declared.insert(listed.class_hash, compiled);
            contract(&mut state, listed.address).class_hash = listed.class_hash;
            for token in [at::STRK, at::ETH] {
                fund(&mut state, token, listed.address, BALANCE);
            }
        }
        for newcomer in &self.newcomers[..self.newcomers.len() - 2] {
            fund(&mut state, at::STRK, newcomer.address(), BALANCE);
            if era == Era::Past {
                fund(&mut state, at::ETH, newcomer.address(), BALANCE);
            }
        }
        if era == Era::Past {
            for name in PAST_DECLARED {
                state.declared.insert(self.class_hashes[name], CompiledClassHash::default());
            }
            let implementation = self.class("cairo0/syscalls");
            let proxy = contract(&mut state, address(at::OLD_PROXY));
            proxy.storage.insert(variable("Proxy_implementation"), implementation);
        }
        let pool = contract(&mut state, address(at::POOL));
        pool.storage.insert(variable("token_a"), Felt::from(at::STRK));
        pool.storage.insert(variable("token_b"), Felt::from(at::TOKEN));
        pool.storage.insert(variable("reserve_a"), Felt::from(BALANCE));
        pool.storage.insert(variable("reserve_b"), Felt::from(BALANCE / 3));
        pool.storage.insert(variable("total_shares"), Felt::from(BALANCE));
        fund(&mut state, at::STRK, address(at::POOL), BALANCE);
        fund(&mut state, at::TOKEN, address(at::POOL), BALANCE / 3);
        fund(&mut state, at::STRK, address(at::SEQUENCER), 5);
        let youngest = if self.file.old_block == OldBlock::InState { 10 } else { 11 };
        for old in (youngest..40).filter_map(|back| self.number().checked_sub(back)) {
            let hashes = contract(&mut state, address(1));
            hashes.storage.insert(StorageKey::from(u128::from(old)), random.felt());
        }
        self.file.state = state;
    }
}

impl Newcomer {
    /// Where it will be.
    pub fn address(&self) -> ContractAddress {
        calculate_contract_address(
            ContractAddressSalt(self.salt),
            self.class_hash,
            &Calldata(self.arguments.clone().into()),
            ContractAddress::default(),
        )
        .expect("the address of a deployment is in range")
    }
}

pub(super) fn contract(state: &mut InitialState, address: ContractAddress) -> &mut ContractState {
    state.contracts.entry(address).or_default()
}

pub(super) fn fund(state: &mut InitialState, token: u128, account: ContractAddress, amount: u128) {
    contract(state, address(token)).storage.insert(fee_token_balance_key(account), Felt::from(amount));
}

pub(super) fn variable(name: &str) -> StorageKey {
    get_storage_var_address(name, &[])
}

/// A short string as a felt.
pub fn short_text(text: &str) -> Felt {
    Felt::from_bytes_be_slice(text.as_bytes())
}
