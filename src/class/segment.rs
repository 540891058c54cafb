//! The segments of the bytecode, on which the compiled class hash and its cost depend.
//!
//! Input: the lengths that the compiler wrote. Output: checked lengths, and felt sizes per segment. Must not
//! know: hash functions and prices.

use cairo_lang_starknet_classes::NestedIntList;
use starknet_types_core::felt::Felt;
use starknet_types_core::hash::Blake2Felt252;

use super::error::ClassError;

/// The size of a bytecode segment: the numbers of small and large felts in the Blake encoding
/// ([C210](crate::rules#c210)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct SegmentSize {
    /// The number of felts below 2^63, which have two 32-bit words each ([C210](crate::rules#c210)).
    pub small: usize,
    /// The number of all other felts, which have eight words each ([C210](crate::rules#c210)).
    pub large: usize,
}

impl SegmentSize {
    /// Returns the number of felts in the segment.
    pub fn length(&self) -> usize {
        self.small.saturating_add(self.large) // felts of one bytecode that is in memory
    }
}

/// The segment sizes of a class, on which the cost of hashing it depends ([C209](crate::rules#c209)).
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SegmentSizes {
    /// The size of bytecode without segments, which is hashed at once.
    Whole(SegmentSize),
    /// The sizes of the segments, in order; the bytecode is hashed as a node over them.
    Segmented(Vec<SegmentSize>),
}

/// Checks the lengths of a class: their sum is the length of the bytecode, and they nest at most one level. A
/// class without lengths is one segment.
pub(super) fn checked_lengths(
    lengths: Option<NestedIntList>,
    bytecode_len: usize,
) -> Result<NestedIntList, ClassError> {
    let lengths = lengths.unwrap_or(NestedIntList::Leaf(bytecode_len));
    let sum = match &lengths {
        NestedIntList::Leaf(length) => Some(*length),
        NestedIntList::Node(segments) => {
            let mut sum = Some(0_usize);
            for segment in segments {
                let NestedIntList::Leaf(length) = segment else {
                    return Err(ClassError::NestedSegments);
                };
                sum = sum.and_then(|sum| sum.checked_add(*length));
            }
            sum
        }
    };
    if sum == Some(bytecode_len) { Ok(lengths) } else { Err(ClassError::SegmentLengths { bytecode_len }) }
}

/// Counts small and large felts per segment. The lengths are those that [`checked_lengths`] returned.
pub(super) fn sizes(lengths: &NestedIntList, bytecode: &[Felt]) -> SegmentSizes {
    let mut felts = bytecode.iter();
    let mut count = |length: usize| {
        let mut size = SegmentSize::default();
        for felt in felts.by_ref().take(length) {
            let class =
                if *felt < Blake2Felt252::SMALL_THRESHOLD { &mut size.small } else { &mut size.large };
            *class = class.saturating_add(1); // felts that are in memory
        }
        size
    };
    match lengths {
        NestedIntList::Leaf(length) => SegmentSizes::Whole(count(*length)),
        NestedIntList::Node(segments) => SegmentSizes::Segmented(
            segments
                .iter()
                .map(|segment| match segment {
                    NestedIntList::Leaf(length) => count(*length),
                    NestedIntList::Node(_) => SegmentSize::default(), // rejected by `checked_lengths`
                })
                .collect(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::NestedIntList::{Leaf, Node};
    use super::*;

    #[test]
    fn lengths_must_add_up_one_level_deep() {
        assert_eq!(checked_lengths(None, 5), Ok(Leaf(5)));
        assert_eq!(checked_lengths(Some(Node(vec![Leaf(2), Leaf(3)])), 5), Ok(Node(vec![Leaf(2), Leaf(3)])));
        let wrong = Err(ClassError::SegmentLengths { bytecode_len: 5 });
        assert_eq!(checked_lengths(Some(Leaf(4)), 5), wrong);
        assert_eq!(checked_lengths(Some(Node(vec![])), 5), wrong);
        assert_eq!(checked_lengths(Some(Node(vec![Leaf(usize::MAX), Leaf(6)])), 5), wrong);
        assert_eq!(
            checked_lengths(Some(Node(vec![Node(vec![Leaf(5)])])), 5),
            Err(ClassError::NestedSegments)
        );
    }

    #[test]
    fn felts_are_small_below_two_to_the_63() {
        let bytecode = [Felt::ZERO, Felt::from(i64::MAX), Felt::from(1_u64 << 63), Felt::MAX];
        let size = |small, large| SegmentSize { small, large };
        assert_eq!(sizes(&Leaf(4), &bytecode), SegmentSizes::Whole(size(2, 2)));
        assert_eq!(
            sizes(&Node(vec![Leaf(3), Leaf(1)]), &bytecode),
            SegmentSizes::Segmented(vec![size(2, 1), size(0, 1)])
        );
    }
}
