//! The OS cost of hashing a class: an estimate that is part of consensus, since bouncer weights include it.
//!
//! Input: the entry points of a prepared class and the sizes of its segments. Output: VM resources, computed
//! once per class. Must not know: prices, blocks, the classes that a block executes.

use starknet_api::contract_class::EntryPointType;

use super::entry_point::{ByType, EntryPoint};
use super::segment::{SegmentSize, SegmentSizes};
use crate::protocol::{Builtin, VmResources, poseidon_hash_many_resources};

/// The OS cost of hashing a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct HashCosts {
    /// The cost of the hash that a block pays for once per executed class ([C209](crate::rules#c209),
    /// [C211](crate::rules#c211)).
    pub hash: VmResources,
    /// The cost of both hashes of a class that migrates from the Poseidon hash to the Blake hash
    /// ([C209](crate::rules#c209)). `None` for Cairo 0 classes, which have neither.
    pub migration: Option<VmResources>,
}

/// Constant steps of the compiled class hash (C209).
const BASE_STEPS: u64 = 54;
/// Steps for each of the three lists of entry points.
const ENTRY_POINT_LIST_STEPS: u64 = 21;
/// Steps for adding the hash of an entry point's builtins.
const NESTED_HASH_STEPS: u64 = 3;
/// Constant steps of hashing the bytecode.
const BYTECODE_STEPS: u64 = 4;
/// Additional steps if the bytecode has segments.
const SEGMENTED_STEPS: u64 = 15;
/// Felts of the final hash: the version, three lists of entry points, the bytecode.
const FINAL_FELTS: usize = 5;

/// Felts of a Cairo 0 entry point: selector and offset.
const CAIRO0_ENTRY_POINT_FELTS: u64 = 2;
/// Steps of one Pedersen hash in a chain.
const PEDERSEN_STEPS: u64 = 8;

/// Words of 32 bits in a message block of Blake2s.
const MESSAGE_WORDS: u64 = 16;

impl HashCosts {
    /// Computes the costs of a class compiled from Sierra.
    pub(super) fn of_cairo1(entry_points: &ByType<EntryPoint>, segments: &SegmentSizes) -> Self {
        let blake = compiled_class_hash(entry_points, segments, HashFunction::Blake);
        let mut both = Sum(blake);
        both.add(&compiled_class_hash(entry_points, segments, HashFunction::Poseidon));
        Self { hash: blake, migration: Some(both.0) }
    }

    /// Computes the costs of a class compiled from Cairo 0: a chain of Pedersen hashes over entry points,
    /// builtins, bytecode and the hinted class hash (C211).
    pub(super) fn of_cairo0(n_entry_points: usize, n_builtins: usize, bytecode_len: usize) -> Self {
        let hashes = count(n_entry_points)
            .saturating_mul(CAIRO0_ENTRY_POINT_FELTS)
            .saturating_add(count(n_builtins))
            .saturating_add(count(bytecode_len))
            .saturating_add(1);
        let hash = VmResources {
            steps: hashes.saturating_mul(PEDERSEN_STEPS),
            memory_holes: 0,
            builtins: [(Builtin::Pedersen, hashes)].into_iter().collect(),
        };
        Self { hash, migration: None }
    }
}

/// The hash function of a compiled class hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum HashFunction {
    /// The hash function of compiled class hash v1.
    Poseidon,
    /// The hash function of compiled class hash v2.
    Blake,
}

impl HashFunction {
    /// Returns the steps for each segment of the bytecode.
    fn segment_steps(self) -> u64 {
        match self {
            Self::Poseidon => 18,
            Self::Blake => 30,
        }
    }

    /// Returns the steps for each entry point.
    fn entry_point_steps(self) -> u64 {
        match self {
            Self::Poseidon => 27,
            Self::Blake => 31,
        }
    }

    /// Returns the cost of one hash over that many felts.
    fn hash(self, felts: SegmentSize) -> VmResources {
        match self {
            // `None` only for lists that do not fit in memory.
            Self::Poseidon => {
                poseidon_hash_many_resources(count(felts.length())).unwrap_or(VmResources::ZERO)
            }
            Self::Blake => blake(felts),
        }
    }
}

/// The cost of one Blake hash: each felt is split into words and range-checked, each block of 16 words is one
/// instance of the opcode (C209, C210). The protocol's step counts are measurements, lower for full blocks.
fn blake(felts: SegmentSize) -> VmResources {
    let (small, large) = (count(felts.small), count(felts.large));
    let words = large.saturating_mul(8).saturating_add(small.saturating_mul(2));
    if words == 0 {
        return VmResources { steps: 167, ..VmResources::ZERO };
    }
    let base = if words.is_multiple_of(MESSAGE_WORDS) { 216 } else { 192 };
    let steps = large
        .saturating_mul(50)
        .saturating_add(small.saturating_mul(18))
        .saturating_add(base)
        .saturating_sub((words / MESSAGE_WORDS).saturating_mul(26));
    let range_checks = small.saturating_add(large).saturating_add(3);
    let blocks = words.div_ceil(MESSAGE_WORDS);
    VmResources {
        steps,
        memory_holes: 0,
        builtins: [(Builtin::RangeCheck, range_checks), (Builtin::Blake, blocks)].into_iter().collect(),
    }
}

/// The cost of the compiled class hash (C209).
fn compiled_class_hash(
    entry_points: &ByType<EntryPoint>,
    segments: &SegmentSizes,
    function: HashFunction,
) -> VmResources {
    let mut sum = Sum(VmResources::ZERO);
    sum.steps(BASE_STEPS);
    for entry_point_type in [EntryPointType::L1Handler, EntryPointType::External, EntryPointType::Constructor]
    {
        sum.add_entry_points(entry_points.of_type(entry_point_type), function);
    }
    sum.steps(BYTECODE_STEPS);
    match segments {
        SegmentSizes::Whole(size) => sum.add(&function.hash(*size)),
        SegmentSizes::Segmented(segments) => {
            sum.steps(SEGMENTED_STEPS);
            for segment in segments {
                sum.steps(function.segment_steps());
                sum.add(&function.hash(*segment));
            }
            // The hash and the length of each segment.
            sum.add(&function.hash(SegmentSize { small: segments.len(), large: segments.len() }));
        }
    }
    sum.add(&function.hash(SegmentSize { small: 0, large: FINAL_FELTS }));
    sum.0
}

/// A sum of costs. The counted items are in memory and the factors are small, so 64 bits do not overflow.
struct Sum(VmResources);

impl Sum {
    fn steps(&mut self, steps: u64) {
        self.0.steps = self.0.steps.saturating_add(steps);
    }

    fn add(&mut self, cost: &VmResources) {
        self.steps(cost.steps);
        self.0.memory_holes = self.0.memory_holes.saturating_add(cost.memory_holes);
        for (builtin, count) in cost.builtins.iter() {
            self.0.builtins.add(builtin, count);
        }
    }

    fn add_entry_points(&mut self, entry_points: &[EntryPoint], function: HashFunction) {
        self.steps(ENTRY_POINT_LIST_STEPS);
        for entry_point in entry_points {
            self.steps(function.entry_point_steps());
            self.steps(NESTED_HASH_STEPS);
            // All builtin names count as large felts, even the shortest.
            self.add(&function.hash(SegmentSize { small: 0, large: entry_point.builtins.len() }));
        }
        // The selector, the offset and the hash of the builtins.
        let length = entry_points.len();
        self.add(&function.hash(SegmentSize { small: length, large: length.saturating_mul(2) }));
    }
}

/// A length as a 64-bit count.
fn count(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn felts(small: usize, large: usize) -> SegmentSize {
        SegmentSize { small, large }
    }

    #[test]
    fn c209_blake_is_counted_in_blocks_of_16_words() {
        assert_eq!(blake(felts(0, 0)), VmResources { steps: 167, ..VmResources::ZERO });
        for (size, steps, range_checks, blocks) in [
            // One word block, partly filled: 192 + 18.
            (felts(1, 0), 210, 4, 1),
            // Two large felts fill a block: 216 + 100 - 26.
            (felts(0, 2), 290, 5, 1),
            // 8 small felts fill one as well: 216 + 144 - 26.
            (felts(8, 0), 334, 11, 1),
            // 3 large felts: a full block and a half: 192 + 150 - 26.
            (felts(0, 3), 316, 6, 2),
        ] {
            let builtins = [(Builtin::RangeCheck, range_checks), (Builtin::Blake, blocks)];
            let expected = VmResources { steps, memory_holes: 0, builtins: builtins.into_iter().collect() };
            assert_eq!(blake(size), expected, "{size:?}");
        }
    }

    #[test]
    fn c209_poseidon_takes_ten_felts_at_a_time() {
        let hash = HashFunction::Poseidon.hash(felts(7, 6));
        let expected = VmResources {
            steps: 55 + 18 + 3 + 21,
            memory_holes: 0,
            builtins: [(Builtin::Poseidon, 7)].into_iter().collect(),
        };
        assert_eq!(hash, expected);
    }
}
