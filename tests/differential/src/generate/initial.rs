//! The state before the block: contracts, accounts, balances, older block hashes.
//!
//! Input: a [`World`] of contracts and accounts. Output: its [`InitialState`].

use starkiln::block::BlockHashSource;
use starkiln::class::ContractClass;
use starkiln::fee::fee_token_balance_key;
use starkiln::replay::{ContractState, InitialState};
use starknet_api::abi::abi_utils::get_storage_var_address;
use starknet_api::core::{CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::accounts::AccountKind;
use super::at;
use super::library::{DECLARED, PAST_DECLARED};
use super::random::Random;
use super::world::{Era, World};

/// The balance of every funded account in each token.
pub(super) const BALANCE: u128 = 10_u128.pow(24);

/// The balance of the poor account: enough to be charged something, not enough for usual bounds.
pub const POOR_BALANCE: u128 = 10_u128.pow(12);

impl World {
    /// Lays out the state.
    pub(super) fn fill(&mut self, era: Era, random: &mut Random) {
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
        let youngest = if self.file.block_hash_source == BlockHashSource::InState { 10 } else { 11 };
        for old in (youngest..40).filter_map(|back| self.number().checked_sub(back)) {
            let hashes = contract(&mut state, address(1));
            hashes.storage.insert(StorageKey::from(u128::from(old)), random.felt());
        }
        self.file.state = state;
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

fn address(value: u128) -> ContractAddress {
    ContractAddress::from(value)
}
