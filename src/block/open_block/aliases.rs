//! Stateful compression: short numbers that stand for addresses and storage keys in published state diffs.
//!
//! In: what a block changed, all its transactions being committed. Out: aliases for all of it, written to the
//! alias contract. Aliases are given once and for ever, in an order that everybody must keep.

use starknet_api::core::PatriciaKey;
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::super::BlockError;
use super::changed_contracts::{Changed, FIRST_ALIAS};
use crate::protocol::well_known::ALIAS_CONTRACT;
use crate::state::{BlockState, StateKey, StateReader};

/// Where the alias contract keeps the next free alias.
const COUNTER: StorageKey = StorageKey(PatriciaKey::ZERO);

/// The cells that [`allocate`] will read.
pub(super) fn cells(changed: &Changed) -> impl Iterator<Item = StateKey> {
    changed.aliased().chain([COUNTER]).map(|key| StateKey::Storage(ALIAS_CONTRACT, key))
}

/// Gives an alias to all that the block changed and that has none, and adds that to what the block changed.
/// Answers with the aliases of all that has one, in the order of [`Changed::aliased`].
pub(super) fn allocate<R: StateReader>(
    state: &mut BlockState<R>,
    changed: &mut Changed,
) -> Result<Vec<Felt>, BlockError> {
    let stored = state.update_storage(ALIAS_CONTRACT, COUNTER, |_| None)?;
    let mut next = if stored == Felt::ZERO { Felt::from(FIRST_ALIAS) } else { stored };
    let names = changed.aliased().count();
    state.reserve_storage(names);
    let (mut aliases, mut written) = (Vec::with_capacity(names), Vec::with_capacity(names));
    for key in changed.aliased() {
        let mut is_new = false;
        let alias = state.update_storage(ALIAS_CONTRACT, key, |alias| {
            is_new = alias == Felt::ZERO;
            is_new.then_some(next)
        })?;
        if is_new {
            #[expect(
                clippy::arithmetic_side_effects,
                reason = "in the field; nobody can pay for 2^251 cells"
            )]
            let after = next + Felt::ONE;
            next = after;
            written.push((key, alias));
        }
        aliases.push(alias);
    }
    // The first block that allocates writes the counter even if it gave no alias (C196).
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

    /// What closing knows of a block's changes is what the block's tables say, whatever was written to the
    /// alias contract before.
    #[test]
    fn aliases_are_part_of_what_changed_also_where_the_alias_contract_had_changed_before() {
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
            let mut changed = Changed::of(&state);
            let count = changed.aliased().count();
            let aliases = allocate(&mut state, &mut changed).unwrap();
            assert_eq!(aliases.len(), count);
            assert_eq!(changed.diff(state.diff_of_classes()), state.diff(), "{changes:?}");
            assert!(state.diff().storage.contains_key(&ALIAS_CONTRACT));
        }
    }
}
