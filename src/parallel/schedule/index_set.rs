//! Which tasks, as a set of their indices: one bit each.
//!
//! In: indices, most of them soon after each other. Out: the lowest. Everything takes a few instructions, however many there are.

/// Bits in a word.
const WORD: usize = 64;

/// A set of indices.
#[derive(Debug, Default)]
pub(super) struct Places {
    words: Vec<u64>,
    /// There is nothing in the words before this one.
    first: usize,
    length: usize,
}

/// Where an index is: the word, and the bit in it.
fn place(index: usize) -> (usize, u64) {
    let (word, bit) = (index / WORD, index % WORD);
    (word, 1_u64.rotate_left(u32::try_from(bit).unwrap_or(0)))
}

impl Places {
    pub(super) fn insert(&mut self, index: usize) {
        let (at, bit) = place(index);
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
        let (at, bit) = place(index);
        if let Some(word) = self.words.get_mut(at).filter(|word| **word & bit != 0) {
            *word &= !bit;
            self.length = self.length.saturating_sub(1);
        }
        while self.length > 0 && self.words.get(self.first).is_some_and(|word| *word == 0) {
            self.first = self.first.saturating_add(1);
        }
    }

    pub(super) fn contains(&self, index: usize) -> bool {
        let (at, bit) = place(index);
        self.words.get(at).is_some_and(|word| word & bit != 0)
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.length
    }

    /// The lowest.
    pub(super) fn first(&self) -> Option<usize> {
        self.iter().next()
    }

    /// Ascending.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.words.iter().enumerate().skip(self.first).take_while(|_| self.length > 0).flat_map(
            |(at, word)| {
                let mut rest = *word;
                std::iter::from_fn(move || {
                    let bit = usize::try_from(rest.trailing_zeros()).ok().filter(|bit| *bit < WORD)?;
                    rest &= rest.wrapping_sub(1);
                    Some(at.saturating_mul(WORD).saturating_add(bit))
                })
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_a_set_in_ascending_order() {
        let mut places = Places::default();
        let mut judge = std::collections::BTreeSet::new();
        let mut seed = 1_u64;
        for _ in 0..10_000 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let index = usize::try_from((seed >> 33) % 300).unwrap_or(0);
            if seed >> 63 == 0 {
                places.insert(index);
                judge.insert(index);
            } else {
                places.remove(index);
                judge.remove(&index);
            }
            assert_eq!(places.first(), judge.first().copied());
            assert_eq!(places.contains(index), judge.contains(&index));
            assert_eq!(places.len(), judge.len());
            assert!(places.iter().eq(judge.iter().copied()));
        }
    }
}
