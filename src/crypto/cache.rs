//! Pedersen hashes that were asked for lately.
//!
//! A transfer hashes the same few pairs (token balances of sender, receiver, sequencer) again and again, and each hash costs
//! thousands of times what a look-up costs. The memo is shared by all threads and forgets what was not asked for: results are
//! those of [`pedersen`] whatever it holds, so neither its size nor timing can show.

use std::hash::BuildHasher;
use std::sync::{LazyLock, Mutex, PoisonError};

use foldhash::fast::RandomState;

use super::limbs::Limbs;
use super::pedersen::pedersen;

/// Hashes that share a place; the one asked for longest ago makes room.
const WAYS: usize = 4;
/// Parts with a lock of their own.
const SHARDS: usize = 64;

/// Hashes that the process's memo holds: 3 MiB.
const REMEMBERED: usize = 1 << 15;

/// [`pedersen`], remembered by the process: for hashes that different transactions are likely to ask for.
pub fn pedersen_cached(a: &Limbs, b: &Limbs) -> Limbs {
    static MEMO: LazyLock<PedersenCache> = LazyLock::new(|| PedersenCache::new(REMEMBERED));
    MEMO.hash(a, b)
}

/// Two inputs and their hash. No hash is 0, so a slot of zeros is free.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    a: Limbs,
    b: Limbs,
    hash: Limbs,
}

type Set = [Slot; WAYS];

/// A shared memory of Pedersen hashes, of a fixed size: 96 bytes a hash.
///
/// Places are chosen by a hash whose key each process draws anew: who fills the places of others' hashes costs time, no more. A
/// lock is held for a copy of 96 bytes, never while hashing.
pub struct PedersenCache {
    shards: Box<[Mutex<Box<[Set]>>]>,
    key: RandomState,
}

impl PedersenCache {
    /// A memo of at least so many hashes; at least one.
    pub fn new(hashes: usize) -> Self {
        let sets = hashes.div_ceil(SHARDS * WAYS).max(1);
        let shard = || Mutex::new(vec![Set::default(); sets].into_boxed_slice());
        Self { shards: std::iter::repeat_with(shard).take(SHARDS).collect(), key: RandomState::default() }
    }

    /// [`pedersen`], remembered.
    pub fn hash(&self, a: &Limbs, b: &Limbs) -> Limbs {
        let place = self.key.hash_one((a, b));
        if let Some(hash) = self.with_set(place, |set| find(set, a, b)).flatten() {
            return hash;
        }
        let hash = pedersen(a, b);
        self.with_set(place, |set| insert(set, Slot { a: *a, b: *b, hash }));
        hash
    }

    /// Works on the set at a place.
    fn with_set<T>(&self, place: u64, work: impl FnOnce(&mut Set) -> T) -> Option<T> {
        // The lowest bits choose the shard, the others the set.
        let shard = self.shards.get(place as usize % SHARDS)?;
        // Sets are whole at any time: a thread that died with the lock left nothing behind.
        let mut sets = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let index = (place >> SHARDS.ilog2()).checked_rem(sets.len() as u64)?;
        sets.get_mut(index as usize).map(work)
    }
}

impl std::fmt::Debug for PedersenCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PedersenCache").field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}

/// The hash, if it is there; it is then the last one to go.
fn find(set: &mut Set, a: &Limbs, b: &Limbs) -> Option<Limbs> {
    let at = set.iter().position(|slot| slot.a == *a && slot.b == *b && slot.hash != [0; 4])?;
    // The first `at + 1` slots, this one to the front.
    set.get_mut(..=at)?.rotate_right(1);
    set.first().map(|slot| slot.hash)
}

/// Puts a hash to the front. Two threads may bring the same one: it is there twice then, until one of them goes.
fn insert(set: &mut Set, slot: Slot) {
    set.rotate_right(1);
    if let Some(first) = set.first_mut() {
        *first = slot;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(value: u64) -> Limbs {
        [value, 0, 0, 0]
    }

    fn held(memo: &PedersenCache) -> usize {
        let full = |sets: &[Set]| sets.iter().flatten().filter(|slot| slot.hash != [0; 4]).count();
        memo.shards.iter().map(|shard| full(&shard.lock().unwrap())).sum()
    }

    #[test]
    fn hashes_are_right_first_and_later() {
        let memo = PedersenCache::new(1000);
        for round in 0..3 {
            for value in 0..50 {
                let (a, b) = (number(value % 7), number(value));
                assert_eq!(memo.hash(&a, &b), pedersen(&a, &b));
            }
            assert_eq!(held(&memo), 50, "round {round}");
        }
        assert_ne!(memo.hash(&number(1), &number(2)), memo.hash(&number(2), &number(1)));
    }

    #[test]
    fn it_does_not_grow() {
        let memo = PedersenCache::new(1);
        for value in 0..2000 {
            assert_eq!(memo.hash(&number(0), &number(value)), pedersen(&number(0), &number(value)));
        }
        assert_eq!(held(&memo), SHARDS * WAYS);
    }

    #[test]
    fn what_is_asked_for_stays() {
        let mut set = Set::default();
        let slot = |value| Slot { a: number(value), b: number(value), hash: number(value + 100) };
        for value in 0..4 {
            insert(&mut set, slot(value));
        }
        assert_eq!(find(&mut set, &number(0), &number(0)), Some(number(100)));
        insert(&mut set, slot(4));
        assert_eq!(find(&mut set, &number(0), &number(0)), Some(number(100)));
        assert_eq!(find(&mut set, &number(1), &number(1)), None, "asked for longest ago");
        assert_eq!(find(&mut Set::default(), &number(0), &number(0)), None, "a free slot is no hash");
    }

    #[test]
    fn threads_share_it() {
        let memo = PedersenCache::new(100);
        std::thread::scope(|scope| {
            for start in 0..4 {
                let memo = &memo;
                scope.spawn(move || {
                    for value in (0..300).map(|step| number((step * (start + 1)) % 100)) {
                        assert_eq!(memo.hash(&value, &number(9)), pedersen(&value, &number(9)));
                    }
                });
            }
        });
    }
}
