//! A set of task indices, one bit each.
//!
//! Input: indices, most of them close to each other. Output: the lowest. Every operation takes a few
//! instructions, however large the set is.

/// The number of bits in a word.
const WORD_BITS: usize = 64;

/// A set of indices.
#[derive(Debug, Default)]
pub(super) struct BitSet {
    words: Vec<u64>,
    /// The words before this one are zero.
    first: usize,
    length: usize,
}

/// Returns the word of an index, and the mask of its bit.
fn position(index: usize) -> (usize, u64) {
    let (word, bit) = (index / WORD_BITS, index % WORD_BITS);
    (word, 1_u64.rotate_left(u32::try_from(bit).unwrap_or(0)))
}

impl BitSet {
    pub(super) fn insert(&mut self, index: usize) {
        let (at, bit) = position(index);
        if at >= self.words.len() {
            self.words.resize(at.saturating_add(1), 0);
        }
        if let Some(word) = self.words.get_mut(at).filter(|word| **word & bit == 0) {
            *word |= bit;
            self.length = self.length.saturating_add(1);
        }
        self.first = self.first.min(at);
    }

    pub(super) fn remove(&mut self, index: usize) {
        let (at, bit) = position(index);
        if let Some(word) = self.words.get_mut(at).filter(|word| **word & bit != 0) {
            *word &= !bit;
            self.length = self.length.saturating_sub(1);
        }
        while self.length > 0 && self.words.get(self.first).is_some_and(|word| *word == 0) {
            self.first = self.first.saturating_add(1);
        }
    }

    pub(super) fn contains(&self, index: usize) -> bool {
        let (at, bit) = position(index);
        self.words.get(at).is_some_and(|word| word & bit != 0)
    }

    /// Returns the number of indices.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// Returns the lowest index.
    pub(super) fn first(&self) -> Option<usize> {
        self.iter().next()
    }

    /// Iterates over the indices in ascending order.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().skip(self.first).take_while(|_| self.length > 0).flat_map(
            |(at, word)| {
                let mut remainder = *word;
                std::iter::from_fn(move || {
                    let bit =
                        usize::try_from(remainder.trailing_zeros()).ok().filter(|bit| *bit < WORD_BITS)?;
                    remainder &= remainder.wrapping_sub(1);
                    Some(at.saturating_mul(WORD_BITS).saturating_add(bit))
                })
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equals_an_ordered_set() {
        let mut set = BitSet::default();
        let mut expected = std::collections::BTreeSet::new();
        let mut seed = 1_u64;
        for _ in 0..10_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let index = usize::try_from((seed >> 33) % 300).unwrap_or(0);
            if seed >> 63 == 0 {
                set.insert(index);
                expected.insert(index);
            } else {
                set.remove(index);
                expected.remove(&index);
            }
            assert_eq!(set.first(), expected.first().copied());
            assert_eq!(set.contains(index), expected.contains(&index));
            assert_eq!(set.len(), expected.len());
            assert!(set.iter().eq(expected.iter().copied()));
        }
    }
}
