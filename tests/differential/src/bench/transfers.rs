//! Blocks of transfers by accounts of every kind: ours, and those of registry packages that live on mainnet.
//!
//! Input: a kind of account, a token. Output: a [`Workload`] whose fee token is that token. Every account has
//! a key of its own, and signs.

use std::collections::BTreeMap;

use starkiln::class::ContractClass;
use starkiln::fee::fee_token_balance_key;
use starkiln::protocol::ProtocolVersion;
use starkiln::replay::ClassEntry;
use starknet_api::abi::abi_utils::get_storage_var_address;
use starknet_api::core::ClassHash;
use starknet_types_core::felt::Felt;

use crate::fixture::workload::{Numbers, Workload, private_key, sign};
use crate::fixture::{self, FEE_TOKEN, World, address, felt, selector};
use crate::generate::{MoreClasses, PackageClass};

/// Classes of registry packages that are used.
const PACKAGES: [&str; 4] = ["argent", "open_zeppelin_1.0", "open_zeppelin_old", "strk"];

/// The most accounts that send to each other.
const ACCOUNTS: u64 = 1_000;

/// The first address.
const FIRST: u128 = 0x20_000;

/// The kind of an account.
#[derive(Clone, Copy, Debug)]
pub enum Accounts {
    /// Ours, which check nothing.
    Open,
    /// The same in Cairo 0.
    OpenCairo0,
    /// Ours, which check signatures.
    Ours,
    /// Argent's 0.4.
    Argent,
    /// OpenZeppelin's 1.0.
    OpenZeppelin,
    /// OpenZeppelin's of Cairo 0.
    OpenZeppelinCairo0,
}

impl Accounts {
    /// The class, and the storage variable of the public key; none if it checks no signature.
    fn class(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Open => ("account_open", None),
            Self::OpenCairo0 => ("cairo0/account_open", None),
            Self::Ours => ("account", Some("public_key")),
            Self::Argent => ("argent", Some("_signer")),
            Self::OpenZeppelin => ("open_zeppelin_1.0", Some("Account_public_key")),
            Self::OpenZeppelinCairo0 => ("open_zeppelin_old", Some("Account_public_key")),
        }
    }

    /// A call encoded for its `__execute__`.
    fn execute(self, to: Felt, selector: Felt, calldata: &[Felt]) -> Vec<Felt> {
        let length = Felt::from(calldata.len());
        let head = match self {
            // Where its arguments begin among those of all calls, how many there are, and how many there are
            // of all.
            Self::OpenCairo0 | Self::OpenZeppelinCairo0 => {
                vec![Felt::ONE, to, selector, Felt::ZERO, length, length]
            }
            _ => vec![Felt::ONE, to, selector, length],
        };
        [&head, calldata].concat()
    }
}

/// The classes of packages.
pub struct Kinds {
    packages: Vec<PackageClass>,
}

impl Kinds {
    /// Finds them.
    pub fn load() -> Result<Self, String> {
        let mut packages = MoreClasses::load(&fixture::contracts(), 0)?.packages;
        packages.retain(|class| PACKAGES.contains(&class.name));
        Ok(Self { packages })
    }

    /// Them all, to be loaded.
    pub fn entries(&self) -> BTreeMap<ClassHash, ClassEntry> {
        self.packages.iter().map(|class| (class.class_hash, class.entry.clone())).collect()
    }

    /// The hash of one of them, or of one of our contracts.
    pub fn class_hash(&self, name: &str) -> ClassHash {
        let package = self.packages.iter().find(|class| class.name == name);
        package.map_or_else(|| fixture::class(name).0, |class| class.class_hash)
    }

    /// Transfers between accounts of a kind, picked at random.
    pub fn transfers(
        &self,
        kind: Accounts,
        token: &str,
        transactions: u64,
        classes: &dyn Fn(ClassHash) -> Option<ContractClass>,
    ) -> Result<Workload, String> {
        let mut world = World::new(ProtocolVersion::NEWEST);
        let state = &mut world.state;
        let (name, public_key) = kind.class();
        let (account, token) = (self.class_hash(name), self.class_hash(token));
        for class_hash in [account, token] {
            let class = classes(class_hash).ok_or_else(|| format!("no class {:#x}", class_hash.0))?;
            state.classes.insert(class_hash, class);
        }
        state.class_hashes.insert(address(FEE_TOKEN), token);
        let accounts = transactions.min(ACCOUNTS);
        let at = |number: u64| FIRST + u128::from(number);
        for number in 0..accounts {
            let own = address(at(number));
            state.class_hashes.insert(own, account);
            state.storage.insert((address(FEE_TOKEN), fee_token_balance_key(own)), felt(1 << 100));
            if let Some(name) = public_key {
                let public_key = starknet_crypto::get_public_key(&private_key(number));
                state.storage.insert((own, get_storage_var_address(name, &[])), public_key);
            }
        }
        let mut nonces = vec![0; usize::try_from(accounts).map_err(|error| error.to_string())?];
        let mut numbers = Numbers(transactions);
        let mut make = |index: u64| {
            let (from, to) = (numbers.below(accounts), numbers.below(accounts));
            let amount = Felt::from(1 + numbers.below(9));
            let calldata =
                kind.execute(felt(FEE_TOKEN), selector("transfer"), &[felt(at(to)), amount, Felt::ZERO]);
            let hash = Felt::from(0x7a54_0000_0000_u64 + index) * Felt::from(u128::MAX);
            let signature = public_key.map_or_else(Vec::new, |_| sign(&private_key(from), &hash));
            let nonce = &mut nonces[from as usize];
            *nonce += 1;
            world.invoke(at(from), *nonce - 1, calldata, &signature, hash)
        };
        let transactions = (0..transactions).map(&mut make).collect();
        Ok(Workload { name: "transfers", world, transactions })
    }
}
