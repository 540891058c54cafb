//! What hints remember from one to the next: dictionaries, a squash under way, an arc, the segment of constant sizes.

use std::collections::{BTreeMap, HashMap};

use super::Exit;
use super::cairo0_dict::{Manager, Squashing};
use super::cairo0_list::Sorted;
use super::cell::Cell;
use super::field::Limbs;
use super::machine::Machine;

/// Everything that the hints of a frame keep.
#[derive(Debug, Default)]
pub(super) struct Scopes {
    /// Dictionaries by their segment; `None` until the first one.
    pub dicts: Option<BTreeMap<u64, Dict>>,
    /// The squash under way.
    pub squash: Option<Squash>,
    /// The accesses of the longest squash so far.
    pub longest_squash: usize,
    /// The dictionaries of Cairo 0 code.
    pub managers: Vec<Manager>,
    /// The scope that every frame has.
    main: Scope,
    /// Those that Cairo 0 code entered since, the innermost last.
    inner: Vec<Scope>,
    /// How many there were at most.
    deepest: usize,
    /// The next free cell for allocations of constant size.
    pub next_free: Option<(u64, u64)>,
}

/// What hints keep by name, in a scope of their own.
#[derive(Debug, Default)]
pub(super) struct Scope {
    /// How many rounds a loop has left.
    pub count: Option<Limbs>,
    /// The arc that a comparison left out.
    pub excluded_arc: Option<u8>,
    /// The number of the manager of dictionaries.
    pub manager: Option<usize>,
    /// What new dictionaries start from.
    pub start_values: Option<HashMap<Limbs, Cell>>,
    /// The squash under way, of Cairo 0 code.
    pub squashing: Option<Box<Squashing>>,
    /// The sort under way.
    pub sorted: Option<Box<Sorted>>,
}

/// What things that hints keep count as in the budget, in cells, with what tables leave free: a dictionary or a value of one, a
/// scope, an access under squash.
pub(super) const ENTRY_CELLS: usize = 5;
const SCOPE_CELLS: usize = 2 * size_of::<Scope>() / size_of::<Cell>();
pub(super) const SQUASH_CELLS: usize = 8;

impl Scopes {
    /// The innermost scope.
    pub(super) fn current(&mut self) -> &mut Scope {
        self.inner.last_mut().unwrap_or(&mut self.main)
    }

    /// Leaves a scope; the main one cannot be left.
    pub(super) fn exit(&mut self) -> Option<()> {
        self.inner.pop().map(|_| ())
    }

    /// Whether every scope that was entered was left, as is due at the end of a frame.
    pub(super) fn are_left(&self) -> bool {
        self.inner.is_empty()
    }
}

impl Machine {
    /// Enters a scope.
    pub(super) fn enter_scope(&mut self, scope: Scope) -> Result<(), Exit> {
        let Scopes { inner, deepest, .. } = &mut self.scopes;
        if inner.len() == *deepest {
            self.memory.beside.take(SCOPE_CELLS)?;
            *deepest = deepest.saturating_add(1);
        }
        inner.push(scope);
        Ok(())
    }
}

/// A dictionary.
#[derive(Debug)]
pub(super) struct Dict {
    /// Its number among the frame's dictionaries.
    pub index: u64,
    /// Its present values. Looked up only: the order of a hash map shows nowhere.
    pub values: HashMap<Limbs, Cell>,
}

/// The accesses to a dictionary, on their way to one access a key.
#[derive(Debug, Default)]
pub(super) struct Squash {
    /// Keys with the numbers of their accesses; the present key and its present access are the last.
    keys: Vec<(Limbs, Vec<u64>)>,
}

impl Squash {
    /// Sorts accesses by key.
    pub(super) fn new(accesses: Vec<Limbs>) -> Self {
        let mut by_key: BTreeMap<Limbs, Vec<u64>> = BTreeMap::new();
        for (number, key) in (0_u64..).zip(accesses) {
            by_key.entry(reversed(key)).or_default().push(number);
        }
        let keys = by_key.into_iter().rev().map(|(key, mut numbers)| {
            numbers.reverse();
            (reversed(key), numbers)
        });
        Self { keys: keys.collect() }
    }

    /// The largest key.
    pub(super) fn largest_key(&self) -> Option<Limbs> {
        self.keys.first().map(|(key, _)| *key)
    }

    /// The key in turn.
    pub(super) fn key(&self) -> Option<Limbs> {
        self.keys.last().map(|(key, _)| *key)
    }

    /// How many accesses the key in turn has left.
    pub(super) fn left(&self) -> Option<usize> {
        self.keys.last().map(|(_, numbers)| numbers.len())
    }

    /// The access in turn.
    pub(super) fn access(&self) -> Option<u64> {
        self.keys.last()?.1.last().copied()
    }

    /// Takes the access in turn out.
    pub(super) fn next_access(&mut self) -> Option<u64> {
        self.keys.last_mut()?.1.pop()
    }

    /// Takes the key in turn out, which must have one access left.
    pub(super) fn next_key(&mut self) -> Option<()> {
        let (_, numbers) = self.keys.pop()?;
        (numbers.len() == 1).then_some(())
    }
}

/// Most significant limb first: the order of numbers.
pub(super) fn reversed([a, b, c, d]: Limbs) -> Limbs {
    [d, c, b, a]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_come_in_their_order_and_accesses_in_theirs() {
        let (low, high) = ([5, 0, 0, 0], [1, 0, 0, 1]);
        let mut squash = Squash::new(vec![high, low, high, low, low]);
        assert_eq!(squash.largest_key(), Some(high));
        assert_eq!((squash.key(), squash.left(), squash.access()), (Some(low), Some(3), Some(1)));
        assert_eq!([squash.next_access(), squash.next_access()], [Some(1), Some(3)]);
        assert_eq!(squash.access(), Some(4));
        assert_eq!(squash.next_key(), Some(()));
        assert_eq!((squash.key(), squash.left()), (Some(high), Some(2)));
        assert_eq!(squash.next_key(), None, "an access is left over");
    }
}
