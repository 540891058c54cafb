//! What the Starknet OS spends around the code that contracts run: per transaction, per syscall, per published felt.
//!
//! In: the measured figures of a version. Out: VM resources that `fee` and `block` add to a transaction's own.

use std::num::NonZeroU64;

use super::{Builtin, Constants, ProtocolError, SyscallName, SyscallUsage, TransactionKind, VmResources};

/// The OS's cost of one transaction or syscall: a constant, and a part that grows with its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OsCost {
    /// Always.
    pub constant: VmResources,
    /// Per `scale` items.
    pub per_item: VmResources,
    /// How many items share one [`per_item`](Self::per_item); 1 for all syscalls.
    pub scale: NonZeroU64,
}

impl OsCost {
    /// No cost.
    pub const ZERO: Self =
        Self { constant: VmResources::ZERO, per_item: VmResources::ZERO, scale: NonZeroU64::MIN };

    /// The growing part: `per_item` times `items`, then each number divided by the scale and rounded up (C152).
    pub fn linear(&self, items: u64) -> Option<VmResources> {
        Some(self.per_item.checked_mul(items)?.div_ceil(self.scale))
    }
}

/// The OS's costs at one version.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OsCosts {
    /// Per transaction, by kind; covers the fee transfer too.
    pub transactions: [OsCost; TransactionKind::COUNT],
    /// Per syscall. Zero for syscalls that the version does not have.
    pub syscalls: [OsCost; SyscallName::COUNT],
    /// Per felt that is published in a blob. Zero before 0.13.2, which did not count this work.
    pub kzg_per_felt: VmResources,
}

impl OsCosts {
    /// The cost of a transaction of this kind.
    pub fn transaction(&self, kind: TransactionKind) -> &OsCost {
        self.transactions.get(kind.index()).unwrap_or(&OsCost::ZERO)
    }

    /// The cost of this syscall.
    pub fn syscall(&self, syscall: SyscallName) -> &OsCost {
        self.syscalls.get(syscall.index()).unwrap_or(&OsCost::ZERO)
    }
}

impl Constants {
    /// What the OS spends on a transaction of this kind with `n` items (C150): 0 for declare, constructor calldata for
    /// deploy account, calldata and proof facts for invoke, payload for an L1 handler. Without the cost of publishing
    /// state diffs; for that see [`kzg_os_resources`](Self::kzg_os_resources).
    pub fn transaction_os_resources(
        &self,
        kind: TransactionKind,
        n: u64,
    ) -> Result<VmResources, ProtocolError> {
        let cost = self.os.transaction(kind);
        cost.linear(n)
            .and_then(|linear| cost.constant.checked_add(&linear))
            .ok_or(ProtocolError::Overflow("the OS cost of a transaction"))
    }

    /// What the OS spends on committing to so many felts in a blob (C150, C151). Nothing in versions that price no such
    /// work, the hashing included.
    pub fn kzg_os_resources(&self, data_availability_felts: u64) -> Result<VmResources, ProtocolError> {
        if self.os.kzg_per_felt.is_zero() {
            return Ok(VmResources::ZERO);
        }
        let felts = self.os.kzg_per_felt.checked_mul(data_availability_felts);
        felts
            .zip(poseidon_hash_many_resources(data_availability_felts))
            .and_then(|(felts, hash)| felts.checked_add(&hash))
            .ok_or(ProtocolError::Overflow("the OS cost of publishing a state diff"))
    }

    /// What the OS spends on the syscalls of one call frame (C88, C129). Each syscall at most once in `usage`: an entry
    /// for [`SyscallName::Keccak`] counts rounds, and pays the fixed part of Keccak once, even for no round at all.
    pub fn syscall_os_resources(
        &self,
        usage: impl IntoIterator<Item = (SyscallName, SyscallUsage)>,
    ) -> Result<VmResources, ProtocolError> {
        usage
            .into_iter()
            .try_fold(VmResources::ZERO, |sum, (syscall, usage)| {
                sum.checked_add(&self.os_resources_of(syscall, usage)?)
            })
            .ok_or(ProtocolError::Overflow("the OS cost of syscalls"))
    }

    /// What the OS spends on one entry of a frame's usage.
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

/// The VM resources of Cairo's `poseidon_hash_many` over so many felts (C151): its loop takes ten felts at a time, then
/// pairs, then a last single one. `None` if they do not fit in 64 bits.
pub fn poseidon_hash_many_resources(felts: u64) -> Option<VmResources> {
    let tens = (felts / 10).checked_mul(55)?;
    let rest =
        ((felts % 10) / 2).checked_mul(18)?.checked_add((felts % 2).checked_mul(3)?)?.checked_add(21)?;
    let permutations = (felts / 2).checked_add(1)?;
    Some(VmResources {
        steps: tens.checked_add(rest)?,
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
    fn growing_part_is_scaled_then_rounded_up() {
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
        // 0.13.0: nothing grows.
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
    fn syscalls_add_up() {
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
    fn keccak_pays_its_fixed_part_once_per_entry() {
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
