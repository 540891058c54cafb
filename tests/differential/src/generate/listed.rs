//! Classes to which the protocol gives rules of their own, by their hashes. Code of ours runs under those
//! hashes.

use std::path::Path;

use starkiln::protocol::{Constants, ProtocolVersion, VersionPolicy};
use starkiln::replay::{ClassEntry, ClassText};
use starknet_api::core::{ClassHash, ContractAddress};
use starknet_types_core::felt::Felt;

use super::accounts::{Account, AccountKind};

/// The class that version 0 transactions may not run.
const FAULTY: &str = "0x1a7820094feaf82d53f53f214b81292d717e7bb9a92bb2488092cd306f3993f";

/// A listed class, deployed.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its hash.
    pub class_hash: ClassHash,
    /// The contract whose code it runs.
    pub code: &'static str,
    /// The address.
    pub address: ContractAddress,
}

impl Listed {
    /// Them all: of every list one account and two contracts that ask what they are shown, and the faulty
    /// class.
    pub fn all() -> Vec<Self> {
        let constants = Constants::for_version(ProtocolVersion::NEWEST, VersionPolicy::Exact);
        let lists = constants.expect("it has constants of its own").lists.clone();
        let codes = ["account_open", "syscalls", "syscalls_new"];
        let cairo1 = [&lists.v1_bound_accounts_cairo1, &lists.data_gas_accounts];
        let cairo1 = cairo1.into_iter().flat_map(|list| list.iter().copied().zip(codes));
        let cairo0 = lists.v1_bound_accounts_cairo0.iter().copied();
        let cairo0 = cairo0.zip(["cairo0/account_open", "cairo0/syscalls"]);
        let faulty = (ClassHash(Felt::from_hex_unchecked(FAULTY)), "syscalls");
        let all = cairo1.chain(cairo0).chain([faulty]).enumerate();
        all.map(|(number, (class_hash, code))| Self {
            class_hash,
            code,
            address: ContractAddress::from(0x0115_7ed0_u128 + number as u128),
        })
        .collect()
    }

    /// Returns `true` for an account.
    pub fn is_account(&self) -> bool {
        self.code.ends_with("account_open")
    }

    /// Returns `true` for a Cairo 0 class.
    pub fn is_cairo0(&self) -> bool {
        self.code.starts_with("cairo0/")
    }

    /// Returns `true` if version 0 transactions may not run it.
    pub fn is_faulty(&self) -> bool {
        self.class_hash.0 == Felt::from_hex_unchecked(FAULTY)
    }

    /// The class as a sender.
    pub fn account(&self) -> Account {
        let kind = if self.is_cairo0() { AccountKind::OldOpen } else { AccountKind::Open };
        Account { kind, address: self.address, private_key: Felt::ONE }
    }

    /// The entry of a block file for its code. Compiled, because no Sierra of ours has this hash.
    pub fn entry(&self, contracts: &Path) -> ClassEntry {
        if self.is_cairo0() {
            return ClassEntry::Cairo0(ClassText::File(contracts.join(format!("{}.json", self.code))));
        }
        ClassEntry::Casm {
            casm: ClassText::File(contracts.join(format!("{}.casm.json", self.code))),
            sierra_version: "1.7.0".to_owned(),
            sierra: None,
        }
    }
}
