//! What a block changed, contract by contract, ascending.
//!
//! In: a block whose transactions are all committed. Out: what gets an alias, in the order in which aliases are given; the block's
//! state diff; the same in terms of aliases. Sorted once; whatever comes after goes through it from the first to the last, so the two
//! diffs can be made at once on two threads.

use starknet_api::core::{ClassHash, ContractAddress, Nonce, PatriciaKey};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::BlockError;
use crate::state::{BlockState, CellHash, CellMap, StateDiff, StateReader};

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
struct Name {
    key: PatriciaKey,
    digits: Digits,
}

impl Name {
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
    address: Name,
    /// Ascending.
    cells: Vec<(Name, Felt)>,
    nonce: Option<Nonce>,
    /// With what it was before.
    class_hash: Option<(ClassHash, ClassHash)>,
}

impl Contract {
    fn new(address: Name) -> Self {
        Self { address, cells: Vec::new(), nonce: None, class_hash: None }
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

/// One change, on its way to its contract.
enum Change {
    Cell(PatriciaKey, Felt),
    Nonce(Nonce),
    ClassHash(ClassHash, ClassHash),
}

/// The contracts that changed, ascending.
#[derive(Clone, Debug)]
pub(super) struct Changed(Vec<Contract>);

impl Changed {
    /// What is different from the state before the block.
    pub(super) fn of<R: StateReader>(state: &BlockState<R>) -> Self {
        let cells = state.changed_storage();
        let cells = cells.map(|((address, key), value)| (address, Change::Cell(key.0, value)));
        let nonces = state.changed_nonces().map(|(address, nonce)| (address, Change::Nonce(nonce)));
        let class_hashes =
            state.changed_class_hashes().map(|(address, old, new)| (address, Change::ClassHash(old, new)));
        let mut changes: Vec<(Digits, Digits, ContractAddress, Change)> = cells
            .chain(nonces)
            .chain(class_hashes)
            .map(|(address, change)| {
                let key = if let Change::Cell(key, _) = &change { key.to_be_digits() } else { [0; 4] };
                (address.0.to_be_digits(), key, address, change)
            })
            .collect();
        // Nonce and class hash go to places of their own: whether they come before or after the cell 0 is all the same.
        changes.sort_unstable_by(|left, right| (&left.0, &left.1).cmp(&(&right.0, &right.1)));
        let mut contracts: Vec<Contract> = Vec::new();
        for (digits, key_digits, address, change) in changes {
            if contracts.last().is_none_or(|last| last.address.digits != digits) {
                contracts.push(Contract::new(Name { key: address.0, digits }));
            }
            let Some(contract) = contracts.last_mut() else { continue };
            match change {
                Change::Cell(key, value) => contract.cells.push((Name { key, digits: key_digits }, value)),
                Change::Nonce(nonce) => contract.nonce = Some(nonce),
                Change::ClassHash(old, new) => contract.class_hash = Some((old, new)),
            }
        }
        Self(contracts)
    }

    /// What gets an alias if it has none, in that order: contracts ascending.
    pub(super) fn aliased(&self) -> impl Iterator<Item = StorageKey> {
        self.0.iter().flat_map(Contract::aliased).map(StorageKey)
    }

    /// Looks again at the storage of one contract, which was written since.
    pub(super) fn look_again<R: StateReader>(&mut self, address: ContractAddress, state: &BlockState<R>) {
        let cells = state.changed_storage().filter(|((changed, _), _)| *changed == address);
        let mut cells: Vec<_> = cells.map(|((_, key), value)| (Name::new(key.0), value)).collect();
        cells.sort_unstable_by_key(|(key, _)| key.digits);
        let address = Name::new(address.0);
        let place = self.0.partition_point(|contract| contract.address.digits < address.digits);
        match self.0.get_mut(place) {
            Some(contract) if contract.address.digits == address.digits => contract.cells = cells,
            _ if cells.is_empty() => {}
            _ => self.0.insert(place, Contract { cells, ..Contract::new(address) }),
        }
    }

    /// The state diff. `classes` is that part of it that is about classes.
    pub(super) fn diff(&self, classes: StateDiff) -> StateDiff {
        let storage = CellMap::with_capacity_and_hasher(self.0.len(), CellHash::default());
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

    /// The state diff with aliases in place of addresses and keys; hashes and values stay (C199). `aliases` are those of
    /// [`aliased`](Self::aliased), one by one.
    pub(super) fn compressed(&self, classes: StateDiff, aliases: &[Felt]) -> Result<StateDiff, BlockError> {
        let mut aliases = aliases.iter();
        let mut published = |name: &Name| -> Result<Name, BlockError> {
            if !name.has_alias() {
                return Ok(*name);
            }
            let missing = BlockError::NoAlias { key: StorageKey(name.key) };
            let alias = aliases.next().and_then(|alias| PatriciaKey::try_from(*alias).ok());
            alias.map(Name::new).ok_or(missing)
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
