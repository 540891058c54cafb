//! The changes of a block, by contract, ascending.
//!
//! Input: the state of a block whose transactions are all committed. Output: the keys that get aliases, in
//! the order of allocation; the state diff of the block; the compressed state diff. Sorted once and then only
//! iterated, so that two threads can build the two diffs at the same time.

use starknet_api::core::{ClassHash, ContractAddress, Nonce, PatriciaKey};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::super::BlockError;
use crate::state::{BlockState, BuildStateHasher, StateDiff, StateMap, StateReader};

/// The first alias. Smaller addresses and keys are published as they are.
pub(super) const FIRST_ALIAS: u64 = 0x80;
/// The last contract whose storage keys are published as they are.
const LAST_UNCOMPRESSED_CONTRACT: u64 = 0xf;

/// The digits of a felt, most significant first. Comparing two felts would compute the digits of both each
/// time.
type Digits = [u64; 4];

fn exceeds(digits: &Digits, limit: u64) -> bool {
    *digits > [0, 0, 0, limit]
}

/// An address or a storage key, with the digits that it is sorted by.
#[derive(Clone, Copy, Debug)]
struct SortKey {
    key: PatriciaKey,
    digits: Digits,
}

impl SortKey {
    fn new(key: PatriciaKey) -> Self {
        Self { key, digits: key.to_be_digits() }
    }

    /// Returns `true` if the key is published as its alias.
    fn has_alias(&self) -> bool {
        exceeds(&self.digits, FIRST_ALIAS.saturating_sub(1))
    }
}

/// The changes of a contract.
#[derive(Clone, Debug)]
struct Contract {
    address: SortKey,
    /// The changed storage, ascending.
    cells: Vec<(SortKey, Felt)>,
    nonce: Option<Nonce>,
    /// The class hash before the block and the new one.
    class_hash: Option<(ClassHash, ClassHash)>,
}

impl Contract {
    fn new(address: SortKey) -> Self {
        Self { address, cells: Vec::new(), nonce: None, class_hash: None }
    }

    /// Sorts the storage keys.
    fn sort(&mut self) {
        // Adaptive: contracts that were written in key order are sorted already.
        self.cells.sort_by_key(|(key, _)| key.digits);
    }

    /// Returns `true` if the storage keys of the contract are published as their aliases (C197).
    fn keys_have_aliases(&self) -> bool {
        exceeds(&self.address.digits, LAST_UNCOMPRESSED_CONTRACT)
    }

    /// Returns the keys that get aliases, in the order of allocation: changed storage keys, ascending, then
    /// the address (C195).
    fn aliased(&self) -> impl Iterator<Item = PatriciaKey> {
        let keys = self.cells.iter().map(|(key, _)| key).filter(|_| self.keys_have_aliases());
        keys.chain([&self.address]).filter(|key| key.has_alias()).map(|key| key.key)
    }
}

/// The contracts that a block changed, ascending.
#[derive(Clone, Debug)]
pub(super) struct ChangedContracts(Vec<Contract>);

impl ChangedContracts {
    /// Collects the differences from the state before the block.
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

    /// Returns the keys that get aliases, in the order of allocation: contracts ascending.
    pub(super) fn aliased(&self) -> impl Iterator<Item = StorageKey> {
        self.0.iter().flat_map(Contract::aliased).map(StorageKey)
    }

    /// Adds later writes to one contract; each value differs from the one before the write.
    pub(super) fn add<R: StateReader>(
        &mut self,
        address: ContractAddress,
        written: Vec<(StorageKey, Felt)>,
        state: &BlockState<R>,
    ) {
        let address = SortKey::new(address.0);
        let place = self.0.binary_search_by_key(&address.digits, |contract| contract.address.digits);
        match place.map(|place| self.0.get_mut(place)) {
            // A key changed earlier may have its initial value again: collect all of them anew.
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

    /// Returns the state diff. `classes` is its part about classes.
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

    /// Returns the state diff with aliases in place of addresses and keys; hashes and values stay (C199).
    /// `aliases` are those of [`aliased`](Self::aliased), in the same order.
    pub(super) fn compressed(&self, classes: StateDiff, aliases: &[Felt]) -> Result<StateDiff, BlockError> {
        let mut aliases = aliases.iter();
        let mut published = |key: &SortKey| -> Result<SortKey, BlockError> {
            if !key.has_alias() {
                return Ok(*key);
            }
            let missing = BlockError::NoAlias { key: StorageKey(key.key) };
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
