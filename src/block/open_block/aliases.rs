//! Stateful compression: aliases, the short numbers that replace addresses and storage keys in published
//! state diffs.
//!
//! Input: the changes of a block whose transactions are all committed. Output: their aliases, written to the
//! alias contract. An alias is permanent, and the order of allocation is consensus.

use starknet_api::core::PatriciaKey;
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::super::BlockError;
use super::changed_contracts::{ChangedContracts, FIRST_ALIAS};
use crate::protocol::well_known::ALIAS_CONTRACT;
use crate::state::{BlockState, StateKey, StateReader};

/// The storage key of the next free alias in the alias contract.
const COUNTER: StorageKey = StorageKey(PatriciaKey::ZERO);

/// Returns the state keys that [`allocate`] will read.
pub(super) fn keys(changed: &ChangedContracts) -> impl Iterator<Item = StateKey> {
    changed.aliased().chain([COUNTER]).map(|key| StateKey::Storage(ALIAS_CONTRACT, key))
}

/// Allocates the missing aliases of the block's changes, and adds the writes to the changes. Returns the
/// aliases in the order of [`ChangedContracts::aliased`].
pub(super) fn allocate<R: StateReader>(
    state: &mut BlockState<R>,
    changed: &mut ChangedContracts,
) -> Result<Vec<Felt>, BlockError> {
    let stored = state.update_storage(ALIAS_CONTRACT, COUNTER, |_| None)?;
    let mut next = if stored == Felt::ZERO { Felt::from(FIRST_ALIAS) } else { stored };
    let n = changed.aliased().count();
    state.reserve_storage(n);
    let (mut aliases, mut written) = (Vec::with_capacity(n), Vec::with_capacity(n));
    for key in changed.aliased() {
        let mut is_new = false;
        let alias = state.update_storage(ALIAS_CONTRACT, key, |alias| {
            is_new = alias == Felt::ZERO;
            is_new.then_some(next)
        })?;
        if is_new {
            #[expect(
                clippy::arithmetic_side_effects,
                reason = "field addition; there are far fewer than 2^251 aliases"
            )]
            let after = next + Felt::ONE;
            next = after;
            written.push((key, alias));
        }
        aliases.push(alias);
    }
    // The first block with this rule writes the counter even if it allocates no alias (C196).
    if next != stored {
        state.update_storage(ALIAS_CONTRACT, COUNTER, |_| Some(next))?;
        written.push((COUNTER, next));
    }
    changed.add(ALIAS_CONTRACT, written, state);
    Ok(aliases)
}

#[cfg(test)]
mod tests {
    use starknet_api::core::ContractAddress;

    use super::*;
    use crate::state::MemoryState;

    fn key(number: u128) -> StorageKey {
        StorageKey::from(number)
    }

    /// The changes that closing collects equal the block's tables, whatever was written to the alias contract
    /// before.
    #[test]
    fn aliases_are_changes_even_if_the_alias_contract_changed_before() {
        let contract = ContractAddress::from(0x1234_u128);
        let before: [&[(StorageKey, u64)]; 3] =
            [&[], &[(key(0x9999), 7)], &[(key(0x9999), 7), (key(0x500), 0)]];
        for changes in before {
            let host = MemoryState::default()
                .with_storage(ALIAS_CONTRACT, key(0x300), Felt::from(0x85))
                .with_storage(ALIAS_CONTRACT, key(0x500), Felt::from(0x81))
                .with_storage(ALIAS_CONTRACT, COUNTER, Felt::from(0x80));
            let mut state = BlockState::new(host);
            for number in [0x300, 0x500, 0x400] {
                state.update_storage(contract, key(number), |_| Some(Felt::ONE)).unwrap();
            }
            for (key, value) in changes {
                state.update_storage(ALIAS_CONTRACT, *key, |_| Some(Felt::from(*value))).unwrap();
            }
            let mut changed = ChangedContracts::of(&state);
            let count = changed.aliased().count();
            let aliases = allocate(&mut state, &mut changed).unwrap();
            assert_eq!(aliases.len(), count);
            assert_eq!(changed.diff(state.diff_of_classes()), state.diff(), "{changes:?}");
            assert!(state.diff().storage.contains_key(&ALIAS_CONTRACT));
        }
    }
}
