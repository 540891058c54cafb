//! Counts of VM resources: steps, memory holes, builtin instances.
//!
//! Input: filled by `vm` and by the OS cost tables. Output: priced by `fee` and `block`. Must not know
//! prices.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A builtin of the Cairo VM, or an opcode that is counted and priced like one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub enum Builtin {
    /// Program output; contracts cannot use it.
    Output,
    /// The Pedersen hash.
    Pedersen,
    /// The 128-bit range check.
    RangeCheck,
    /// The ECDSA signature check.
    Ecdsa,
    /// The bitwise operations.
    Bitwise,
    /// The operation on the Stark curve.
    EcOp,
    /// The Keccak permutation.
    Keccak,
    /// The Poseidon permutation.
    Poseidon,
    /// Dictionary segments; not proven, each instance counts as ten steps ([C145](crate::rules#c145)).
    SegmentArena,
    /// The 96-bit range check.
    RangeCheck96,
    /// Modular addition.
    AddMod,
    /// Modular multiplication.
    MulMod,
    /// The Blake2s compression: an opcode, counted like a builtin ([C146](crate::rules#c146)).
    Blake,
}

impl Builtin {
    /// The number of builtins.
    pub const COUNT: usize = 13;

    /// All builtins, in the order of their indices.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Output,
        Self::Pedersen,
        Self::RangeCheck,
        Self::Ecdsa,
        Self::Bitwise,
        Self::EcOp,
        Self::Keccak,
        Self::Poseidon,
        Self::SegmentArena,
        Self::RangeCheck96,
        Self::AddMod,
        Self::MulMod,
        Self::Blake,
    ];

    /// Returns the index in tables by builtin.
    pub const fn index(self) -> usize {
        self as usize
    }

    /// Returns the name in traces and receipts: `pedersen_builtin`, `blake_opcode`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Output => "output_builtin",
            Self::Pedersen => "pedersen_builtin",
            Self::RangeCheck => "range_check_builtin",
            Self::Ecdsa => "ecdsa_builtin",
            Self::Bitwise => "bitwise_builtin",
            Self::EcOp => "ec_op_builtin",
            Self::Keccak => "keccak_builtin",
            Self::Poseidon => "poseidon_builtin",
            Self::SegmentArena => "segment_arena_builtin",
            Self::RangeCheck96 => "range_check96_builtin",
            Self::AddMod => "add_mod_builtin",
            Self::MulMod => "mul_mod_builtin",
            Self::Blake => "blake_opcode",
        }
    }

    /// Returns the name in compiled classes: `pedersen`, `blake`.
    pub fn short_name(self) -> &'static str {
        let name = self.name();
        name.strip_suffix("_builtin").or_else(|| name.strip_suffix("_opcode")).unwrap_or(name)
    }

    /// Returns the builtin with this [`name`](Self::name).
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|builtin| builtin.name() == name)
    }

    /// Returns the builtin with this [`short_name`](Self::short_name).
    pub fn from_short_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|builtin| builtin.short_name() == name)
    }
}

impl fmt::Display for Builtin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl Serialize for Builtin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Builtin {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::from_name(&name).ok_or_else(|| de::Error::custom(format!("`{name}` is not a builtin")))
    }
}

/// The number of instances used, per builtin. In JSON a map from name to count, without zeros.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct BuiltinCounts([u64; Builtin::COUNT]);

impl BuiltinCounts {
    /// Zero for all builtins.
    pub const ZERO: Self = Self([0; Builtin::COUNT]);

    /// Returns the count of one builtin.
    pub fn get(&self, builtin: Builtin) -> u64 {
        self.0.get(builtin.index()).copied().unwrap_or_default()
    }

    /// Replaces the count of one builtin.
    pub fn set(&mut self, builtin: Builtin, count: u64) {
        if let Some(slot) = self.0.get_mut(builtin.index()) {
            *slot = count;
        }
    }

    /// Adds to the count of one builtin. Saturates at `u64::MAX`, which counting cannot reach; products go
    /// through the checked methods.
    pub fn add(&mut self, builtin: Builtin, count: u64) {
        self.set(builtin, self.get(builtin).saturating_add(count));
    }

    /// Returns the sum per builtin; `None` if a count overflows.
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        let mut sum = *self;
        for (slot, count) in sum.0.iter_mut().zip(other.0) {
            *slot = slot.checked_add(count)?;
        }
        Some(sum)
    }

    /// Returns `times` as much of each builtin; `None` if a count overflows.
    pub fn checked_mul(&self, times: u64) -> Option<Self> {
        let mut product = *self;
        for slot in &mut product.0 {
            *slot = slot.checked_mul(times)?;
        }
        Some(product)
    }

    /// Returns the builtins that were used, with their counts, in the order of [`Builtin::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Builtin, u64)> + '_ {
        Builtin::ALL.into_iter().zip(self.0).filter(|(_, count)| *count != 0)
    }

    /// Returns `true` if no builtin was used.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

impl FromIterator<(Builtin, u64)> for BuiltinCounts {
    fn from_iter<I: IntoIterator<Item = (Builtin, u64)>>(counts: I) -> Self {
        let mut sum = Self::ZERO;
        counts.into_iter().for_each(|(builtin, count)| sum.add(builtin, count));
        sum
    }
}

impl Serialize for BuiltinCounts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de> Deserialize<'de> for BuiltinCounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(BTreeMap::<Builtin, u64>::deserialize(deserializer)?.into_iter().collect())
    }
}

/// The resources that an execution on the Cairo VM used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VmResources {
    /// The number of steps, without those that segment arena instances count as.
    pub steps: u64,
    /// The number of memory holes: cells that the prover must fill in.
    pub memory_holes: u64,
    /// The builtin instances.
    pub builtins: BuiltinCounts,
}

impl VmResources {
    /// No resources.
    pub const ZERO: Self = Self { steps: 0, memory_holes: 0, builtins: BuiltinCounts::ZERO };

    /// Returns the sum; `None` on overflow.
    pub fn checked_add(&self, other: &Self) -> Option<Self> {
        Some(Self {
            steps: self.steps.checked_add(other.steps)?,
            memory_holes: self.memory_holes.checked_add(other.memory_holes)?,
            builtins: self.builtins.checked_add(&other.builtins)?,
        })
    }

    /// Returns `times` as much; `None` on overflow.
    pub fn checked_mul(&self, times: u64) -> Option<Self> {
        Some(Self {
            steps: self.steps.checked_mul(times)?,
            memory_holes: self.memory_holes.checked_mul(times)?,
            builtins: self.builtins.checked_mul(times)?,
        })
    }

    /// Returns the resources with each number divided by `divisor` and rounded up separately
    /// ([C152](crate::rules#c152)).
    pub fn div_ceil(&self, divisor: std::num::NonZeroU64) -> Self {
        let divisor = divisor.get();
        Self {
            steps: self.steps.div_ceil(divisor),
            memory_holes: self.memory_holes.div_ceil(divisor),
            builtins: self
                .builtins
                .iter()
                .map(|(builtin, count)| (builtin, count.div_ceil(divisor)))
                .collect(),
        }
    }

    /// Returns `true` if nothing was used.
    pub fn is_zero(&self) -> bool {
        *self == Self::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builtins_have_distinct_indices_and_names() {
        for (index, builtin) in Builtin::ALL.into_iter().enumerate() {
            assert_eq!(builtin.index(), index);
            assert_eq!(Builtin::from_name(builtin.name()), Some(builtin));
            assert_eq!(Builtin::from_short_name(builtin.short_name()), Some(builtin));
        }
        assert_eq!(Builtin::RangeCheck96.short_name(), "range_check96");
        assert_eq!(Builtin::Blake.short_name(), "blake");
        assert_eq!(Builtin::from_name("pedersen"), None);
        assert_eq!(Builtin::from_short_name("pedersen_builtin"), None);
    }

    #[test]
    fn json_omits_zero_counts() {
        let mut counts = BuiltinCounts::ZERO;
        assert_eq!(serde_json::to_string(&counts).unwrap(), "{}");
        counts.add(Builtin::Blake, 2);
        counts.set(Builtin::Pedersen, 7);
        counts.add(Builtin::Pedersen, 1);
        let json = serde_json::to_string(&counts).unwrap();
        assert_eq!(json, r#"{"pedersen_builtin":8,"blake_opcode":2}"#);
        assert_eq!(serde_json::from_str::<BuiltinCounts>(&json).unwrap(), counts);
        assert!(serde_json::from_str::<BuiltinCounts>(r#"{"pedersen":8}"#).is_err());
        assert_eq!(counts.iter().collect::<Vec<_>>(), [(Builtin::Pedersen, 8), (Builtin::Blake, 2)]);
        assert!(!counts.is_zero());
    }

    #[test]
    fn sums_and_products_are_checked() {
        let one = VmResources {
            steps: 1,
            memory_holes: 2,
            builtins: [(Builtin::Bitwise, 3)].into_iter().collect(),
        };
        let three = one.checked_add(&one).unwrap().checked_add(&one).unwrap();
        assert_eq!(one.checked_mul(3), Some(three));
        assert_eq!(three.builtins.get(Builtin::Bitwise), 9);
        assert_eq!(one.checked_mul(u64::MAX), None);
        let full = VmResources {
            builtins: [(Builtin::Bitwise, u64::MAX)].into_iter().collect(),
            ..VmResources::ZERO
        };
        assert_eq!(full.checked_add(&one), None);
        assert_eq!(one.checked_mul(0), Some(VmResources::ZERO));
    }

    #[test]
    fn each_number_is_rounded_up_separately() {
        let two = std::num::NonZeroU64::new(2).unwrap();
        let used = VmResources {
            steps: 11,
            memory_holes: 4,
            builtins: [(Builtin::Poseidon, 1)].into_iter().collect(),
        };
        let half = VmResources {
            steps: 6,
            memory_holes: 2,
            builtins: [(Builtin::Poseidon, 1)].into_iter().collect(),
        };
        assert_eq!(used.div_ceil(two), half);
    }
}
