//! The chain before the block, and the addresses of everything in it.
//!
//! Input: a [`Library`] of classes. Output: [`World`]: a block file without transactions.

use std::collections::BTreeMap;
use std::sync::Arc;

use starkiln::protocol::{Constants, ProtocolVersion, VersionPolicy};
use starkiln::replay::{BlockFile, ClassEntry, InitialState};
use starknet_api::core::ClassHash;
use starknet_types_core::felt::Felt;

use super::Purpose;
use super::abi::{Abi, Names};
use super::accounts::{Account, AccountKind, Newcomer, account_address};
use super::environment::Environment;
use super::library::Library;
use super::listed::Listed;
use super::random::Random;
use crate::input::ClassSources;

/// The era of a block's transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Era {
    /// Those of version 3, on Cairo 1 contracts.
    Modern,
    /// All older ones, on Cairo 0 and Cairo 1 contracts; ETH is a Cairo 0 contract.
    Past,
}

/// The addresses of everything.
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
    /// Contracts that are called at random, with their ABIs.
    pub driven: Vec<Driven>,
    /// Accounts of registry packages; none in a demo.
    pub package_accounts: Vec<Account>,
    /// The same to deploy.
    pub package_newcomers: Vec<Newcomer>,
    /// Classes of registry packages that transactions may declare.
    pub package_undeclared: Vec<ClassHash>,
    /// Contracts of classes that no compiler would make.
    pub raw: Vec<RawContract>,
    /// The addresses, classes and selectors that arguments may name.
    pub names: Names,
    /// The constants of the version.
    pub constants: Arc<Constants>,
}

/// A contract of a class that no compiler would make.
#[derive(Clone, Debug)]
pub struct RawContract {
    /// The address.
    pub address: Felt,
    /// The ABI, if it was made from a contract of ours.
    pub abi: Option<Arc<Abi>>,
}

/// A contract that is called at random.
#[derive(Clone, Debug)]
pub struct Driven {
    /// The address.
    pub address: Felt,
    /// Its class.
    pub class_hash: ClassHash,
    /// Its ABI: the arguments of each entry point.
    pub abi: Arc<Abi>,
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
        let environment = match purpose {
            Purpose::Demo => Environment::usual(random),
            Purpose::Fuzz => Environment::odd(random),
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
            chain: environment.chain,
            protocol_version: version,
            block: environment.block,
            block_hash_source: environment.block_hash_source,
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

    /// The number of the block `n` before this one; 0 if there is none.
    pub fn block_before(&self, back: u64) -> Felt {
        Felt::from(self.number().saturating_sub(back))
    }
}

/// A short string as a felt.
pub fn short_text(text: &str) -> Felt {
    Felt::from_bytes_be_slice(text.as_bytes())
}
