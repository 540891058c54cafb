//! The costs of the Starknet OS around the code of contracts: per transaction, per syscall, per published
//! felt.
//!
//! Input: the measured costs of a version. Output: VM resources that `fee` and `block` add to those of a
//! transaction's own code.

use std::num::NonZeroU64;

use serde::{Deserialize, Deserializer};

use super::{
    Builtin, BuiltinCounts, Constants, ProtocolError, SyscallName, SyscallUsage, TransactionKind,
    VmResources, json,
};

/// The OS cost of one transaction or syscall: a constant part and a part that is linear in the number of
/// items.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "FlatOsCost")]
#[non_exhaustive]
pub struct OsCost {
    /// The part that is always charged.
    pub constant: VmResources,
    /// The cost of `scale` items.
    pub per_item: VmResources,
    /// The number of items that [`per_item`](Self::per_item) pays for; 1 for all syscalls.
    pub scale: NonZeroU64,
}

impl OsCost {
    /// No cost.
    pub const ZERO: Self =
        Self { constant: VmResources::ZERO, per_item: VmResources::ZERO, scale: NonZeroU64::MIN };

    /// Returns the linear part: `per_item` times `items`, then each number divided by the scale and rounded
    /// up ([C152](crate::rules#c152)).
    pub fn linear(&self, items: u64) -> Option<VmResources> {
        Some(self.per_item.checked_mul(items)?.div_ceil(self.scale))
    }
}

/// The OS costs of one version.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct OsCosts {
    /// Per transaction, by kind; includes the fee transfer.
    #[serde(deserialize_with = "by_kind")]
    pub transactions: [OsCost; TransactionKind::COUNT],
    /// Per syscall. Zero for syscalls that the version does not have.
    #[serde(deserialize_with = "json::by_syscall")]
    pub syscalls: [OsCost; SyscallName::COUNT],
    /// Per felt that is published in a blob. Zero before 0.13.2, when this work was not counted.
    #[serde(default, deserialize_with = "json::resources")]
    pub kzg_per_felt: VmResources,
}

impl OsCosts {
    /// Returns the cost of a transaction of this kind.
    pub fn transaction(&self, kind: TransactionKind) -> &OsCost {
        self.transactions.get(kind.index()).unwrap_or(&OsCost::ZERO)
    }

    /// Returns the cost of this syscall.
    pub fn syscall(&self, syscall: SyscallName) -> &OsCost {
        self.syscalls.get(syscall.index()).unwrap_or(&OsCost::ZERO)
    }
}

/// Reads a table by transaction kind; all kinds are required.
fn by_kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<[OsCost; TransactionKind::COUNT], D::Error> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Kinds {
        declare: OsCost,
        deploy_account: OsCost,
        invoke: OsCost,
        l1_handler: OsCost,
    }
    let Kinds { declare, deploy_account, invoke, l1_handler } = Kinds::deserialize(deserializer)?;
    Ok([declare, deploy_account, invoke, l1_handler]) // in the order of `TransactionKind::ALL`
}

/// The notation of an [`OsCost`]: the constant part is not nested.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct FlatOsCost {
    steps: u64,
    memory_holes: u64,
    #[serde(deserialize_with = "json::builtin_counts")]
    builtins: BuiltinCounts,
    #[serde(deserialize_with = "json::resources")]
    per_item: VmResources,
    scale: Option<NonZeroU64>,
}

impl From<FlatOsCost> for OsCost {
    fn from(cost: FlatOsCost) -> Self {
        let FlatOsCost { steps, memory_holes, builtins, per_item, scale } = cost;
        let constant = VmResources { steps, memory_holes, builtins };
        Self { constant, per_item, scale: scale.unwrap_or(NonZeroU64::MIN) }
    }
}

impl Default for OsCost {
    fn default() -> Self {
        Self::ZERO
    }
}

impl Constants {
    /// Returns the OS cost of a transaction of this kind with `n` items ([C150](crate::rules#c150)). The
    /// items are constructor calldata felts for deploy account, calldata felts and proof facts for invoke,
    /// payload felts for an L1 handler; a declare has none. Does not include the cost of publishing state
    /// diffs: see [`kzg_os_resources`](Self::kzg_os_resources).
    pub fn transaction_os_resources(
        &self,
        kind: TransactionKind,
        n: u64,
    ) -> Result<VmResources, ProtocolError> {
        let cost = self.os.transaction(kind);
        cost.linear(n)
            .and_then(|linear| cost.constant.checked_add(&linear))
            .ok_or(ProtocolError::Overflow("the OS cost of a transaction".into()))
    }

    /// Returns the OS cost of committing to that many felts in a blob, hashing included
    /// ([C150](crate::rules#c150), [C151](crate::rules#c151)). Zero in versions that do not price this work.
    pub fn kzg_os_resources(&self, data_availability_felts: u64) -> Result<VmResources, ProtocolError> {
        if self.os.kzg_per_felt.is_zero() {
            return Ok(VmResources::ZERO);
        }
        let felts = self.os.kzg_per_felt.checked_mul(data_availability_felts);
        felts
            .zip(poseidon_hash_many_resources(data_availability_felts))
            .and_then(|(felts, hash)| felts.checked_add(&hash))
            .ok_or(ProtocolError::Overflow("the OS cost of publishing a state diff".into()))
    }

    /// Returns the OS cost of the syscalls of one call frame ([C88](crate::rules#c88),
    /// [C129](crate::rules#c129)). Each syscall occurs at most once in `usage`: an entry for
    /// [`SyscallName::Keccak`] counts rounds and pays the constant part of Keccak once, even for 0 rounds.
    pub fn syscall_os_resources(
        &self,
        usage: impl IntoIterator<Item = (SyscallName, SyscallUsage)>,
    ) -> Result<VmResources, ProtocolError> {
        usage
            .into_iter()
            .try_fold(VmResources::ZERO, |sum, (syscall, usage)| {
                sum.checked_add(&self.os_resources_of(syscall, usage)?)
            })
            .ok_or(ProtocolError::Overflow("the OS cost of syscalls".into()))
    }

    /// The OS cost of one entry of a frame's usage.
    fn os_resources_of(&self, syscall: SyscallName, usage: SyscallUsage) -> Option<VmResources> {
        let (fixed, counted) = match syscall {
            SyscallName::Keccak => (Some(&self.os.syscall(syscall).constant), SyscallName::KeccakRound),
            _ => (None, syscall),
        };
        let cost = self.os.syscall(counted);
        let mut sum = cost.constant.checked_mul(usage.calls)?;
        if usage.linear != 0 {
            sum = sum.checked_add(&cost.linear(usage.linear)?)?;
        }
        fixed.map_or(Some(sum), |fixed| sum.checked_add(fixed))
    }
}

/// Returns the VM resources of Cairo's `poseidon_hash_many` over that many felts ([C151](crate::rules#c151)):
/// its loop takes ten felts at a time, then pairs, then a last single one. `None` if they do not fit in 64
/// bits.
pub(crate) fn poseidon_hash_many_resources(felts: u64) -> Option<VmResources> {
    let tens = (felts / 10).checked_mul(55)?;
    let remainder =
        ((felts % 10) / 2).checked_mul(18)?.checked_add((felts % 2).checked_mul(3)?)?.checked_add(21)?;
    let permutations = (felts / 2).checked_add(1)?;
    Some(VmResources {
        steps: tens.checked_add(remainder)?,
        memory_holes: 0,
        builtins: [(Builtin::Poseidon, permutations)].into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{ProtocolVersion, VersionPolicy};

    fn resources(steps: u64, builtins: &[(Builtin, u64)]) -> VmResources {
        VmResources { steps, memory_holes: 0, builtins: builtins.iter().copied().collect() }
    }

    fn constants(version: ProtocolVersion) -> std::sync::Arc<Constants> {
        Constants::for_version(version, VersionPolicy::Exact).unwrap()
    }

    #[test]
    fn poseidon_over_many_felts() {
        for (felts, steps, permutations) in [
            (0, 21, 1),
            (1, 24, 1),
            (2, 39, 2),
            (9, 96, 5),
            (10, 76, 6),
            (11, 79, 6),
            (27, 188, 14),
            (100, 571, 51),
        ] {
            let expected = resources(steps, &[(Builtin::Poseidon, permutations)]);
            assert_eq!(poseidon_hash_many_resources(felts), Some(expected), "{felts} felts");
        }
        assert_eq!(poseidon_hash_many_resources(u64::MAX), None);
    }

    #[test]
    fn publishing_costs_per_felt_and_hash() {
        let old = constants(ProtocolVersion::V0_13_1_1);
        assert_eq!(old.kzg_os_resources(10), Ok(VmResources::ZERO));
        for version in [ProtocolVersion::V0_13_2, ProtocolVersion::V0_14_4] {
            let expected = resources(10 * 113 + 76, &[(Builtin::RangeCheck, 170), (Builtin::Poseidon, 6)]);
            assert_eq!(constants(version).kzg_os_resources(10), Ok(expected));
            let nothing = resources(21, &[(Builtin::Poseidon, 1)]);
            assert_eq!(constants(version).kzg_os_resources(0), Ok(nothing));
            assert!(matches!(constants(version).kzg_os_resources(u64::MAX), Err(ProtocolError::Overflow(_))));
        }
    }

    #[test]
    fn linear_part_is_scaled_then_rounded_up() {
        let invoke =
            |version, n| constants(version).transaction_os_resources(TransactionKind::Invoke, n).unwrap();
        // 0.14.0: 4348 + ceil(11 n / 2), Poseidon 12 + ceil(n / 2).
        for (n, steps, poseidon) in [(0, 4348, 12), (1, 4354, 13), (2, 4359, 13), (5, 4376, 15)] {
            let expected = resources(
                steps,
                &[(Builtin::Pedersen, 4), (Builtin::RangeCheck, 90), (Builtin::Poseidon, poseidon)],
            );
            assert_eq!(invoke(ProtocolVersion::V0_14_0, n), expected, "{n} felts");
        }
        // 0.13.2: 3763 + 8 n, Pedersen 14 + n.
        let expected = resources(3803, &[(Builtin::Pedersen, 19), (Builtin::RangeCheck, 69)]);
        assert_eq!(invoke(ProtocolVersion::V0_13_2, 5), expected);
        // 0.13.0: no linear part.
        assert_eq!(invoke(ProtocolVersion::V0_13_0, 5), invoke(ProtocolVersion::V0_13_0, 0));
        let deploy =
            constants(ProtocolVersion::V0_14_4).transaction_os_resources(TransactionKind::DeployAccount, 3);
        // 4989 + ceil(37 * 3 / 2), Pedersen 10 + 3, Poseidon 10 + ceil(3 / 2).
        let expected =
            resources(5045, &[(Builtin::Pedersen, 13), (Builtin::RangeCheck, 113), (Builtin::Poseidon, 12)]);
        assert_eq!(deploy, Ok(expected));
        let overflow =
            constants(ProtocolVersion::V0_14_4).transaction_os_resources(TransactionKind::Invoke, u64::MAX);
        assert!(matches!(overflow, Err(ProtocolError::Overflow(_))));
    }

    #[test]
    fn costs_of_syscalls_are_summed() {
        let latest = constants(ProtocolVersion::V0_14_4);
        let usage = [
            (SyscallName::StorageRead, SyscallUsage { calls: 2, linear: 0 }),
            (SyscallName::Deploy, SyscallUsage { calls: 1, linear: 4 }),
        ];
        let expected =
            resources(2 * 240 + 1173 + 4 * 8, &[(Builtin::RangeCheck, 2 + 21), (Builtin::Pedersen, 7 + 4)]);
        assert_eq!(latest.syscall_os_resources(usage), Ok(expected));
        assert_eq!(latest.syscall_os_resources([]), Ok(VmResources::ZERO));
        let many = [(SyscallName::Deploy, SyscallUsage { calls: u64::MAX, linear: 0 })];
        assert!(matches!(latest.syscall_os_resources(many), Err(ProtocolError::Overflow(_))));
    }

    #[test]
    fn keccak_pays_its_constant_part_once_per_entry() {
        let keccak = |version, rounds| {
            let usage = [(SyscallName::Keccak, SyscallUsage { calls: rounds, linear: 0 })];
            constants(version).syscall_os_resources(usage).unwrap()
        };
        let round = [(Builtin::Bitwise, 18), (Builtin::Keccak, 3), (Builtin::RangeCheck, 168)];
        assert_eq!(keccak(ProtocolVersion::V0_13_4, 3), resources(100 + 3 * 281, &round));
        assert_eq!(keccak(ProtocolVersion::V0_13_4, 0), resources(100, &[]));
        assert_eq!(keccak(ProtocolVersion::V0_13_3, 3), resources(3 * 381, &round));
        assert_eq!(keccak(ProtocolVersion::V0_13_3, 0), VmResources::ZERO);
    }
}
