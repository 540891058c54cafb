//! Stateful compression: short numbers that stand for addresses and storage keys in published state diffs.
//!
//! In: a block whose transactions are all committed. Out: aliases for all that it changed, written to the alias contract; a state
//! diff in terms of aliases. Aliases are given once and for ever, in an order that everybody must keep.

use indexmap::IndexMap;
use starknet_api::core::{ContractAddress, PatriciaKey};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::BlockError;
use crate::protocol::names::ALIAS_CONTRACT;
use crate::state::{BlockState, Cell, Journal, StateDiff, StateError, StateReader};

/// Where the alias contract keeps the next free alias.
const COUNTER: StorageKey = StorageKey(PatriciaKey::ZERO);
/// The first alias. What is smaller needs none.
const FIRST_ALIAS: PatriciaKey = PatriciaKey::from_hex_unchecked("0x80");
/// The storage keys of contracts up to this one are published as they are.
const LAST_UNCOMPRESSED_CONTRACT: ContractAddress = ContractAddress(PatriciaKey::from_hex_unchecked("0xf"));

/// Whether an address or a key is published as its alias.
fn has_alias(key: PatriciaKey) -> bool {
    key >= FIRST_ALIAS
}

/// Whether the storage keys of a contract are published as their aliases (C197).
fn keys_have_aliases(address: ContractAddress) -> bool {
    address > LAST_UNCOMPRESSED_CONTRACT
}

/// What gets an alias if it has none, in that order: addresses ascending, of each first the changed storage keys, ascending, then
/// the address itself (C195).
fn to_have_aliases<R: StateReader>(state: &BlockState<R>) -> Vec<StorageKey> {
    let changes = state.changes();
    let addresses = changes.modified_contracts().into_iter().map(|address| (address, true, address.0));
    let keys = changes.storage.keys().map(|(address, key)| (*address, false, key.0));
    let mut changed: Vec<_> = addresses
        .chain(keys.filter(|(address, ..)| keys_have_aliases(*address)))
        .filter(|(.., key)| has_alias(*key))
        // Digits: to compare two felts takes as long as to find the digits of both.
        .map(|(address, is_own, key)| (address.0.to_be_digits(), is_own, key.to_be_digits(), StorageKey(key)))
        .collect();
    changed.sort_unstable_by_key(|(address, is_own, key, _)| (*address, *is_own, *key));
    changed.into_iter().map(|(.., key)| key).collect()
}

/// The cells that [`allocate`] will read.
pub(super) fn cells<R: StateReader>(state: &BlockState<R>) -> impl Iterator<Item = Cell> {
    let keys = to_have_aliases(state).into_iter().chain([COUNTER]);
    keys.map(|key| Cell::Storage(ALIAS_CONTRACT, key))
}

/// Gives an alias to all that the block changed and that has none.
pub(super) fn allocate<R: StateReader>(state: &mut BlockState<R>) -> Result<(), BlockError> {
    let keys = to_have_aliases(state);
    let parts = {
        let mut journal = Journal::new(&*state);
        let mut aliases = Allocation::begin(&mut journal)?;
        for key in keys {
            aliases.give(key)?;
        }
        aliases.end()?;
        journal.into_parts()
    };
    Ok(state.commit(parts)?)
}

/// Aliases as they are given.
struct Allocation<'j, 'r> {
    journal: &'j mut Journal<'r>,
    /// What the contract had as the next alias; 0 if no block gave any yet.
    stored: Felt,
    next: Felt,
}

impl<'j, 'r> Allocation<'j, 'r> {
    fn begin(journal: &'j mut Journal<'r>) -> Result<Self, StateError> {
        let stored = journal.storage_at(ALIAS_CONTRACT, COUNTER)?;
        let next = if stored == Felt::ZERO { *FIRST_ALIAS.key() } else { stored };
        Ok(Self { journal, stored, next })
    }

    fn give(&mut self, key: StorageKey) -> Result<(), StateError> {
        if self.journal.storage_at(ALIAS_CONTRACT, key)? == Felt::ZERO {
            self.journal.set_storage(ALIAS_CONTRACT, key, self.next)?;
            #[expect(
                clippy::arithmetic_side_effects,
                reason = "in the field; nobody can pay for 2^251 cells"
            )]
            let next = self.next + Felt::ONE;
            self.next = next;
        }
        Ok(())
    }

    /// The first block that allocates writes the counter even if it gave no alias (C196).
    fn end(self) -> Result<(), StateError> {
        if self.next == self.stored {
            Ok(())
        } else {
            self.journal.set_storage(ALIAS_CONTRACT, COUNTER, self.next)
        }
    }
}

/// A state diff with aliases in place of addresses and keys; hashes and values stay (C199).
pub(super) fn compress<R: StateReader>(
    diff: &StateDiff,
    state: &BlockState<R>,
) -> Result<StateDiff, BlockError> {
    let mut journal = Journal::new(state);
    let mut alias = |key: PatriciaKey| -> Result<PatriciaKey, BlockError> {
        if !has_alias(key) {
            return Ok(key);
        }
        let alias = journal.storage_at(ALIAS_CONTRACT, StorageKey(key))?;
        let missing = BlockError::NoAlias { key: StorageKey(key) };
        if alias == Felt::ZERO { Err(missing) } else { PatriciaKey::try_from(alias).map_err(|_| missing) }
    };
    let mut compressed = StateDiff {
        declared: diff.declared.clone(),
        deprecated_declared: diff.deprecated_declared.clone(),
        migrated: diff.migrated.clone(),
        ..StateDiff::default()
    };
    for (address, cells) in &diff.storage {
        let mut contract = IndexMap::with_capacity(cells.len());
        for (key, value) in cells {
            let key = if keys_have_aliases(*address) { alias(key.0)? } else { key.0 };
            contract.insert(StorageKey(key), *value);
        }
        compressed.storage.insert(ContractAddress(alias(address.0)?), contract);
    }
    for (address, nonce) in &diff.nonces {
        compressed.nonces.insert(ContractAddress(alias(address.0)?), *nonce);
    }
    for (address, class_hash) in &diff.deployed {
        compressed.deployed.insert(ContractAddress(alias(address.0)?), *class_hash);
    }
    for (address, class_hash) in &diff.replaced {
        compressed.replaced.insert(ContractAddress(alias(address.0)?), *class_hash);
    }
    compressed.sort();
    Ok(compressed)
}
