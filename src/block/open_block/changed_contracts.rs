//! What a block changed, contract by contract, ascending.
//!
//! In: a block whose transactions are all committed. Out: what gets an alias, in the order in which aliases
//! are given; the block's state diff; the same in terms of aliases. Sorted once; whatever comes after goes
//! through it from the first to the last, so the two diffs can be made at once on two threads.

use starknet_api::core::{ClassHash, ContractAddress, Nonce, PatriciaKey};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::super::BlockError;
use crate::state::{BlockState, BuildStateHasher, StateDiff, StateMap, StateReader};

/// The first alias. What is smaller needs none.
pub(super) const FIRST_ALIAS: u64 = 0x80;
/// The storage keys of contracts up to this one are published as they are.
const LAST_UNCOMPRESSED_CONTRACT: u64 = 0xf;

/// A number as it is compared: to compare two felts takes as long as to find the digits of both.
type Digits = [u64; 4];

fn exceeds(digits: &Digits, limit: u64) -> bool {
    *digits > [0, 0, 0, limit]
}

/// An address or a storage key.
#[derive(Clone, Copy, Debug)]
struct SortKey {
    key: PatriciaKey,
    digits: Digits,
}

impl SortKey {
    fn new(key: PatriciaKey) -> Self {
        Self { key, digits: key.to_be_digits() }
    }

    /// Whether it is published as its alias.
    fn has_alias(&self) -> bool {
        exceeds(&self.digits, FIRST_ALIAS.saturating_sub(1))
    }
}

/// What changed in a contract.
#[derive(Clone, Debug)]
struct Contract {
    address: SortKey,
    /// Ascending.
    cells: Vec<(SortKey, Felt)>,
    nonce: Option<Nonce>,
    /// With what it was before.
    class_hash: Option<(ClassHash, ClassHash)>,
}

impl Contract {
    fn new(address: SortKey) -> Self {
        Self { address, cells: Vec::new(), nonce: None, class_hash: None }
    }

    /// Puts its cells in order.
    fn sort(&mut self) {
        // What was written in order comes in order, and this sort goes by that.
        self.cells.sort_by_key(|(key, _)| key.digits);
    }

    /// Whether its storage keys are published as their aliases (C197).
    fn keys_have_aliases(&self) -> bool {
        exceeds(&self.address.digits, LAST_UNCOMPRESSED_CONTRACT)
    }

    /// What of it gets an alias, in that order: the changed storage keys, ascending, then the address (C195).
    fn aliased(&self) -> impl Iterator<Item = PatriciaKey> {
        let keys = self.cells.iter().map(|(key, _)| key).filter(|_| self.keys_have_aliases());
        keys.chain([&self.address]).filter(|name| name.has_alias()).map(|name| name.key)
    }
}

/// The contracts that changed, ascending.
#[derive(Clone, Debug)]
pub(super) struct Changed(Vec<Contract>);

impl Changed {
    /// What is different from the state before the block.
    pub(super) fn of<R: StateReader>(state: &BlockState<R>) -> Self {
        fn of(
            contracts: &mut StateMap<ContractAddress, Contract>,
            address: ContractAddress,
        ) -> &mut Contract {
            contracts.entry(address).or_insert_with(|| Contract::new(SortKey::new(address.0)))
        }
        let mut contracts: StateMap<ContractAddress, Contract> = StateMap::default();
        for ((address, key), value) in state.changed_storage() {
            of(&mut contracts, address).cells.push((SortKey::new(key.0), value));
        }
        for (address, nonce) in state.changed_nonces() {
            of(&mut contracts, address).nonce = Some(nonce);
        }
        for (address, old, new) in state.changed_class_hashes() {
            of(&mut contracts, address).class_hash = Some((old, new));
        }
        let mut contracts: Vec<Contract> = contracts.into_values().collect();
        contracts.sort_unstable_by_key(|contract| contract.address.digits);
        for contract in &mut contracts {
            contract.sort();
        }
        Self(contracts)
    }

    /// What gets an alias if it has none, in that order: contracts ascending.
    pub(super) fn aliased(&self) -> impl Iterator<Item = StorageKey> {
        self.0.iter().flat_map(Contract::aliased).map(StorageKey)
    }

    /// Adds cells of one contract that were written since, with values that they did not have before.
    pub(super) fn add<R: StateReader>(
        &mut self,
        address: ContractAddress,
        written: Vec<(StorageKey, Felt)>,
        state: &BlockState<R>,
    ) {
        let address = SortKey::new(address.0);
        let place = self.0.binary_search_by_key(&address.digits, |contract| contract.address.digits);
        match place.map(|place| self.0.get_mut(place)) {
            // Of what was written before, some may be as it was in the beginning: look at all of it.
            Ok(Some(contract)) => {
                let cells = state.changed_storage().filter(|((changed, _), _)| changed.0 == address.key);
                contract.cells = cells.map(|((_, key), value)| (SortKey::new(key.0), value)).collect();
                contract.sort();
            }
            Err(place) if !written.is_empty() => {
                let cells = written.into_iter().map(|(key, value)| (SortKey::new(key.0), value)).collect();
                let mut contract = Contract { cells, ..Contract::new(address) };
                contract.sort();
                self.0.insert(place, contract);
            }
            _ => {}
        }
    }

    /// The state diff. `classes` is that part of it that is about classes.
    pub(super) fn diff(&self, classes: StateDiff) -> StateDiff {
        let storage = StateMap::with_capacity_and_hasher(self.0.len(), BuildStateHasher::default());
        let mut diff = StateDiff { storage, ..classes };
        for contract in &self.0 {
            let address = ContractAddress(contract.address.key);
            if !contract.cells.is_empty() {
                let cells = contract.cells.iter().map(|(key, value)| (StorageKey(key.key), *value));
                diff.storage.insert(address, cells.collect());
            }
            if let Some(nonce) = contract.nonce {
                diff.nonces.insert(address, nonce);
            }
            match contract.class_hash {
                Some((old, new)) if old == ClassHash::default() => diff.deployed.insert(address, new),
                Some((_, new)) => diff.replaced.insert(address, new),
                None => None,
            };
        }
        diff
    }

    /// The state diff with aliases in place of addresses and keys; hashes and values stay (C199). `aliases`
    /// are those of [`aliased`](Self::aliased), one by one.
    pub(super) fn compressed(&self, classes: StateDiff, aliases: &[Felt]) -> Result<StateDiff, BlockError> {
        let mut aliases = aliases.iter();
        let mut published = |name: &SortKey| -> Result<SortKey, BlockError> {
            if !name.has_alias() {
                return Ok(*name);
            }
            let missing = BlockError::NoAlias { key: StorageKey(name.key) };
            let alias = aliases.next().and_then(|alias| PatriciaKey::try_from(*alias).ok());
            alias.map(SortKey::new).ok_or(missing)
        };
        let mut contracts = Vec::with_capacity(self.0.len());
        for contract in &self.0 {
            let mut cells = contract.cells.clone();
            if contract.keys_have_aliases() {
                for (key, _) in &mut cells {
                    *key = published(key)?;
                }
                cells.sort_unstable_by_key(|(key, _)| key.digits);
            }
            contracts.push(Contract { address: published(&contract.address)?, cells, ..*contract });
        }
        contracts.sort_unstable_by_key(|contract| contract.address.digits);
        Ok(Self(contracts).diff(classes))
    }
}
