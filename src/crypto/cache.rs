//! A shared cache of Pedersen hashes.
//!
//! A transfer hashes the same few pairs (the token balances of sender, receiver and sequencer) again and
//! again, and a hash costs thousands of times more than a lookup. All threads share the cache; it evicts the
//! least recently used entries. Results equal those of [`pedersen`] whatever it holds, so neither capacity
//! nor timing affects them.

use std::hash::BuildHasher;
use std::sync::{LazyLock, Mutex, PoisonError};

use foldhash::fast::RandomState;

use super::limbs::Limbs;
use super::pedersen::pedersen;

/// Associativity: entries per set, of which the least recently used is evicted.
const WAYS: usize = 4;
/// Shards, each with its own lock.
const SHARDS: usize = 64;

/// The capacity of the process-wide cache in hashes: 3 MiB.
const PROCESS_CAPACITY: usize = 1 << 15;

/// Returns [`pedersen`] from the process-wide cache: for hashes that many transactions are likely to share.
pub fn pedersen_cached(a: &Limbs, b: &Limbs) -> Limbs {
    static CACHE: LazyLock<PedersenCache> = LazyLock::new(|| PedersenCache::new(PROCESS_CAPACITY));
    CACHE.hash(a, b)
}

/// Two inputs and their hash. No hash is 0, so an all-zero slot is empty.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    a: Limbs,
    b: Limbs,
    hash: Limbs,
}

type CacheSet = [Slot; WAYS];

/// A set-associative cache of Pedersen hashes with a fixed capacity, at 96 bytes per hash.
///
/// The set is chosen by a keyed hash with a random key per cache, so an attacker cannot aim at sets;
/// evictions cost time and never change a result. A lock is held while copying 96 bytes, never while hashing.
pub struct PedersenCache {
    shards: Box<[Mutex<Box<[CacheSet]>>]>,
    key: RandomState,
}

impl PedersenCache {
    /// Creates a cache for at least `hashes` hashes, and at least one.
    pub fn new(hashes: usize) -> Self {
        let sets = hashes.div_ceil(SHARDS * WAYS).max(1);
        let shard = || Mutex::new(vec![CacheSet::default(); sets].into_boxed_slice());
        Self { shards: std::iter::repeat_with(shard).take(SHARDS).collect(), key: RandomState::default() }
    }

    /// Returns [`pedersen`] from the cache, computing and inserting it on a miss.
    pub fn hash(&self, a: &Limbs, b: &Limbs) -> Limbs {
        let index = self.key.hash_one((a, b));
        if let Some(hash) = self.with_set(index, |set| find(set, a, b)).flatten() {
            return hash;
        }
        let hash = pedersen(a, b);
        self.with_set(index, |set| insert(set, Slot { a: *a, b: *b, hash }));
        hash
    }

    /// Calls `work` with the set of a keyed hash, under its lock.
    fn with_set<T>(&self, index: u64, work: impl FnOnce(&mut CacheSet) -> T) -> Option<T> {
        // The low bits choose the shard, the others the set.
        let shard = self.shards.get(index as usize % SHARDS)?;
        // A set is consistent at any time, so a poisoned lock is safe to use.
        let mut sets = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let set = (index >> SHARDS.ilog2()).checked_rem(sets.len() as u64)?;
        sets.get_mut(set as usize).map(work)
    }
}

impl std::fmt::Debug for PedersenCache {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PedersenCache").field("shards", &self.shards.len()).finish_non_exhaustive()
    }
}

/// Looks up a hash and moves it to the front, the most recently used place.
fn find(set: &mut CacheSet, a: &Limbs, b: &Limbs) -> Option<Limbs> {
    let at = set.iter().position(|slot| slot.a == *a && slot.b == *b && slot.hash != [0; 4])?;
    set.get_mut(..=at)?.rotate_right(1);
    set.first().map(|slot| slot.hash)
}

/// Inserts a hash at the front and evicts the last. Threads that miss at once insert duplicates, which are
/// evicted in time.
fn insert(set: &mut CacheSet, slot: Slot) {
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

    fn occupied(cache: &PedersenCache) -> usize {
        let full = |sets: &[CacheSet]| sets.iter().flatten().filter(|slot| slot.hash != [0; 4]).count();
        cache.shards.iter().map(|shard| full(&shard.lock().unwrap())).sum()
    }

    #[test]
    fn hits_and_misses_return_the_hash() {
        let cache = PedersenCache::new(1000);
        for round in 0..3 {
            for value in 0..50 {
                let (a, b) = (number(value % 7), number(value));
                assert_eq!(cache.hash(&a, &b), pedersen(&a, &b));
            }
            assert_eq!(occupied(&cache), 50, "round {round}");
        }
        assert_ne!(cache.hash(&number(1), &number(2)), cache.hash(&number(2), &number(1)));
    }

    #[test]
    fn the_capacity_is_fixed() {
        let cache = PedersenCache::new(1);
        for value in 0..2000 {
            assert_eq!(cache.hash(&number(0), &number(value)), pedersen(&number(0), &number(value)));
        }
        assert_eq!(occupied(&cache), SHARDS * WAYS);
    }

    #[test]
    fn the_least_recently_used_hash_is_evicted() {
        let mut set = CacheSet::default();
        let slot = |value| Slot { a: number(value), b: number(value), hash: number(value + 100) };
        for value in 0..4 {
            insert(&mut set, slot(value));
        }
        assert_eq!(find(&mut set, &number(0), &number(0)), Some(number(100)));
        insert(&mut set, slot(4));
        assert_eq!(find(&mut set, &number(0), &number(0)), Some(number(100)));
        assert_eq!(find(&mut set, &number(1), &number(1)), None, "least recently used");
        assert_eq!(
            find(&mut CacheSet::default(), &number(0), &number(0)),
            None,
            "an empty slot is not a hash"
        );
    }

    #[test]
    fn threads_share_the_cache() {
        let cache = PedersenCache::new(100);
        std::thread::scope(|scope| {
            for start in 0..4 {
                let cache = &cache;
                scope.spawn(move || {
                    for value in (0..300).map(|step| number((step * (start + 1)) % 100)) {
                        assert_eq!(cache.hash(&value, &number(9)), pedersen(&value, &number(9)));
                    }
                });
            }
        });
    }
}
