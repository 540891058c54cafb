//! The constants of a protocol version, in one immutable value.
//!
//! Input: `load` builds one per supported version from the data files; `Limits`, `Switches` and `Lists` are
//! read from them as they are. Output: shared as `Arc<Constants>`; a host that needs other limits clones one,
//! changes fields and shares that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use starknet_api::core::ClassHash;
use starknet_api::execution_resources::GasVector;
use starknet_api::transaction::fields::Tip;
use starknet_types_core::felt::Felt;

use super::{
    AllocationPrices, ArchivalPrices, GasSchedule, ListedSyscallPrice, OsCosts, ProtocolError,
    ProtocolVersion, Ratio, SyscallName, SyscallPrice, VersionPolicy, VmFeePrices, json, load,
};

/// The constants of a protocol version: limits, switches, prices, OS costs and lists.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Constants {
    /// The version that these constants belong to; under a lenient [`VersionPolicy`] not the requested one.
    pub version: ProtocolVersion,
    /// The limits on steps, gas, call depth and events.
    pub limits: Limits,
    /// The rules that are in force.
    pub switches: Switches,
    /// The price of data that is kept permanently.
    pub archival: ArchivalPrices,
    /// The price of new storage cells.
    pub allocation: AllocationPrices,
    /// The price of VM resources, in L1 gas.
    pub vm_fee: VmFeePrices,
    /// The price of execution, in Sierra gas.
    pub gas: GasSchedule,
    /// The price of each syscall, in Sierra gas. Derived at load time, from `listed_syscalls` or else from
    /// `gas` and `os`; a host that changes those must change these too.
    pub syscalls: [SyscallPrice; SyscallName::COUNT],
    /// The syscall prices as listed before 0.13.4; later versions derive them from the OS costs.
    pub listed_syscalls: Option<BTreeMap<SyscallName, ListedSyscallPrice>>,
    /// The VM resources that the OS uses around the code of contracts.
    pub os: OsCosts,
    /// Classes and hashes that special rules apply to.
    pub lists: Lists,
}

impl Constants {
    /// Returns the constants of a version, or of the version that replaces it under `policy`: see
    /// [`VersionPolicy`]. The first call in a process parses all versions; later calls share them.
    pub fn for_version(version: ProtocolVersion, policy: VersionPolicy) -> Result<Arc<Self>, ProtocolError> {
        load::constants(version.resolve(policy)?)
    }

    /// Returns the price of a syscall in Sierra gas. Zero if the version has no such syscall.
    pub fn syscall_price(&self, syscall: SyscallName) -> SyscallPrice {
        self.syscalls.get(syscall.index()).copied().unwrap_or(SyscallPrice::ZERO)
    }

    /// Returns the initial Sierra gas of a transaction that does not bound L2 gas: the sum of the limits of
    /// validation and execution ([C8](crate::rules#c8)).
    pub fn sierra_gas_without_bound(&self) -> Option<u64> {
        self.limits.execute_max_sierra_gas.checked_add(self.limits.validate_max_sierra_gas)
    }

    /// Converts Sierra gas to L1 gas, rounded up ([C148](crate::rules#c148)). The price of a step relates the
    /// two.
    pub fn sierra_gas_to_l1_gas(&self, sierra_gas: u64) -> Option<u64> {
        self.l1_gas_of_sierra_gas()?.ceil_mul(sierra_gas)
    }

    /// Converts L1 gas to Sierra gas, rounded up ([C144](crate::rules#c144)).
    pub fn l1_gas_to_sierra_gas(&self, l1_gas: u64) -> Option<u64> {
        self.l1_gas_of_sierra_gas()?.inverse().ceil_mul(l1_gas)
    }

    /// Returns the price of a unit of L2 gas that corresponds to a price of L1 gas, rounded up
    /// ([C173](crate::rules#c173)).
    pub fn l1_to_l2_gas_price(&self, l1_gas_price: u128) -> Option<u128> {
        let Ratio { numerator, denominator } = self.l1_gas_of_sierra_gas()?;
        let product = l1_gas_price.checked_mul(u128::from(numerator))?;
        let denominator = u128::from(denominator);
        let remainder = product.checked_rem(denominator)?;
        product.checked_div(denominator)?.checked_add(u128::from(remainder != 0))
    }

    /// The value of a unit of Sierra gas in L1 gas: 1/40000 since 0.13.1. In lowest terms, so that products
    /// with a 128-bit price overflow only if the result does.
    fn l1_gas_of_sierra_gas(&self) -> Option<Ratio> {
        let Ratio { numerator, denominator } = self.vm_fee.step;
        let divisor = num_integer::gcd(numerator, denominator);
        Some(Ratio {
            numerator: numerator.checked_div(divisor)?,
            denominator: denominator.checked_div(divisor)?.checked_mul(self.gas.step)?,
        })
    }
}

/// Limits on steps, gas, call depth and events.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// VM steps of `__execute__`, inner calls included.
    pub execute_max_steps: u64,
    /// VM steps of validation.
    pub validate_max_steps: u64,
    /// Sierra gas of `__execute__`.
    pub execute_max_sierra_gas: u64,
    /// Sierra gas of validation.
    pub validate_max_sierra_gas: u64,
    /// Gas of an L1 handler, which has no resource bounds ([C43](crate::rules#c43)).
    #[serde(deserialize_with = "json::gas_vector")]
    pub l1_handler_max: GasVector,
    /// Nesting depth of calls ([C56](crate::rules#c56)).
    pub max_call_depth: u64,
    /// Felts of data in an event.
    pub event_max_data: u64,
    /// Keys of an event.
    pub event_max_keys: u64,
    /// Events in one phase of a transaction ([C18](crate::rules#c18), [C125](crate::rules#c125)).
    pub event_max_count: u64,
    /// The block number that validation sees is rounded down to a multiple of this. Not 0.
    #[serde(deserialize_with = "json::nonzero")]
    pub block_number_rounding: u64,
    /// The timestamp that validation sees, in seconds, is rounded down to a multiple of this. Not 0.
    #[serde(deserialize_with = "json::nonzero")]
    pub timestamp_rounding: u64,
    /// The highest tip with which an account in [`Lists::v1_bound_accounts_cairo1`] sees version 1
    /// ([C121](crate::rules#c121)).
    #[serde(deserialize_with = "json::tip")]
    pub v1_bound_max_tip: Tip,
    /// Limits that gateways check before a transaction is executed; execution itself does not.
    pub gateway: GatewayLimits,
}

/// Limits that gateways check.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GatewayLimits {
    /// Felts of calldata.
    pub max_calldata_felts: u64,
    /// Felts of a class's bytecode.
    pub max_bytecode_felts: u64,
    /// Size of a proof.
    pub max_proof_size: u64,
}

/// The rules that are in force. Versions turn them on and off, sometimes more than once.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Switches {
    /// The Sierra version (major, minor, patch) from which classes are metered in gas instead of steps.
    #[serde(deserialize_with = "json::dotted")]
    pub min_sierra_version_for_gas: (u64, u64, u64),
    /// A failed inner call is rolled back and reported to its caller, instead of ending the transaction
    /// ([C60](crate::rules#c60)).
    pub reverts: bool,
    /// Version 3 transactions pay their tip ([C34](crate::rules#c34)).
    pub tip: bool,
    /// A transaction's state diff is the net of all its phases; otherwise the diffs of the phases are merged
    /// ([C27](crate::rules#c27)).
    pub comprehensive_state_diff: bool,
    /// Addresses and keys in published diffs are replaced by aliases ([C195](crate::rules#c195)).
    pub stateful_compression: bool,
    /// Executed classes migrate to the Blake compiled class hash ([C200](crate::rules#c200)).
    pub casm_hash_migration: bool,
    /// Version 3 declares must carry the Blake compiled class hash ([C39](crate::rules#c39)).
    pub casm_hash_v1_declares_blocked: bool,
    /// A Cairo 0 class cannot be declared twice ([C36](crate::rules#c36)).
    pub cairo0_redeclaration_disabled: bool,
    /// Contracts cannot call `__execute__` ([C112](crate::rules#c112), [C113](crate::rules#c113)).
    pub direct_execute_blocked: bool,
    /// Validation cannot deploy contracts ([C135](crate::rules#c135)).
    pub deploy_in_validate_disabled: bool,
    /// Events of inner calls are free ([C170](crate::rules#c170)).
    pub inner_event_resources_ignored: bool,
    /// Segment arena usage is counted in cells, three per instance, as the VM of these versions did.
    pub segment_arena_cells: bool,
    /// Revert reasons omit the VM stack frames of calls that are metered in gas.
    pub vm_frames_stripped: bool,
}

/// Classes and hashes that special rules apply to.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Lists {
    /// Cairo 0 account classes that see version 3 transactions as version 1 ([C121](crate::rules#c121)).
    pub v1_bound_accounts_cairo0: BTreeSet<ClassHash>,
    /// Cairo 1 account classes that see version 3 transactions as version 1 ([C121](crate::rules#c121)).
    pub v1_bound_accounts_cairo1: BTreeSet<ClassHash>,
    /// Account classes that do not see the bound on L1 data gas ([C122](crate::rules#c122)).
    pub data_gas_accounts: BTreeSet<ClassHash>,
    /// Accepted proof versions, as short strings.
    #[serde(deserialize_with = "json::short_strings")]
    pub proof_versions: Vec<Felt>,
    /// Hashes of the programs whose proofs are accepted.
    pub virtual_os_program_hashes: Vec<Felt>,
}

/// The kind of a transaction, as far as costs depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[repr(usize)]
pub enum TransactionKind {
    /// Declares a class.
    Declare,
    /// Deploys an account, which pays the fee.
    DeployAccount,
    /// Runs an account's `__execute__`.
    Invoke,
    /// Handles a message from L1.
    L1Handler,
    /// Deploys a contract without an account, as was possible until 2022. Older than all cost tables: only
    /// its own resources are counted.
    Deploy,
}

impl TransactionKind {
    /// The number of kinds that have OS costs.
    pub const COUNT: usize = 4;

    /// The kinds that have OS costs, in the order of their indices.
    pub const ALL: [Self; Self::COUNT] = [Self::Declare, Self::DeployAccount, Self::Invoke, Self::L1Handler];

    /// Returns the index in tables by kind.
    pub const fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn constants(version: ProtocolVersion) -> Arc<Constants> {
        Constants::for_version(version, VersionPolicy::Exact).unwrap()
    }

    #[test]
    fn constants_are_shared() {
        for version in ProtocolVersion::SUPPORTED {
            assert_eq!(constants(version).version, version);
            assert!(Arc::ptr_eq(&constants(version), &constants(version)));
        }
    }

    #[test]
    fn policy_selects_the_constants() {
        let resolved = |version: &str, policy| Constants::for_version(version.parse().unwrap(), policy);
        let version_of = |result: Result<Arc<Constants>, _>| result.map(|constants| constants.version);
        assert_eq!(version_of(resolved("0.12.0", VersionPolicy::Nearest)), Ok(ProtocolVersion::V0_13_0));
        assert_eq!(version_of(resolved("0.13.4.1", VersionPolicy::Nearest)), Ok(ProtocolVersion::V0_13_4));
        assert_eq!(version_of(resolved("0.15.0", VersionPolicy::AllowNewer)), Ok(ProtocolVersion::V0_14_4));
        assert!(matches!(resolved("0.15.0", VersionPolicy::Nearest), Err(ProtocolError::TooNew { .. })));
        assert!(matches!(resolved("0.13.7", VersionPolicy::Exact), Err(ProtocolError::Unsupported(_))));
    }

    #[test]
    fn syscall_prices_are_those_of_the_table() {
        use SyscallName::*;
        let price = |version, syscall| {
            let SyscallPrice { base, per_item } = constants(version).syscall_price(syscall);
            (base, per_item)
        };
        for (version, syscall, expected) in [
            (ProtocolVersion::V0_13_0, CallContract, (61_000, 0)),
            (ProtocolVersion::V0_13_0, KeccakRound, (180_000, 0)),
            (ProtocolVersion::V0_13_0, Secp256r1Mul, (13_501_270, 0)),
            (ProtocolVersion::V0_13_0, Sha256ProcessBlock, (0, 0)),
            (ProtocolVersion::V0_13_1, Secp256k1Mul, (8_143_270, 0)),
            (ProtocolVersion::V0_13_2, Sha256ProcessBlock, (862_060, 0)),
            (ProtocolVersion::V0_13_3, GetClassHashAt, (0, 0)),
            (ProtocolVersion::V0_13_4, Deploy, (142_810, 0)),
            (ProtocolVersion::V0_13_4, MetaTxV0, (10_000, 0)),
            (ProtocolVersion::V0_13_4, Keccak, (10_000, 0)),
            (ProtocolVersion::V0_13_5, Deploy, (142_810, 4850)),
            (ProtocolVersion::V0_14_0, MetaTxV0, (167_950, 4850)),
            (ProtocolVersion::V0_14_2, StorageRead, (18_070, 0)),
            (ProtocolVersion::V0_14_3, Sha512ProcessBlock, (2_413_810, 0)),
            (ProtocolVersion::V0_14_4, SendMessageToL1, (12_770, 600)),
            (ProtocolVersion::V0_14_4, KeccakRound, (165_137, 0)),
            (ProtocolVersion::V0_14_4, DelegateCall, (0, 0)),
        ] {
            assert_eq!(price(version, syscall), expected, "{syscall} at {version}");
        }
    }

    #[test]
    fn gases_convert_by_the_price_of_a_step() {
        let old = constants(ProtocolVersion::V0_13_0);
        assert_eq!(old.l1_gas_to_sierra_gas(1), Some(20_000));
        let latest = constants(ProtocolVersion::V0_14_4);
        assert_eq!(latest.l1_gas_to_sierra_gas(3), Some(120_000));
        assert_eq!(latest.l1_gas_to_sierra_gas(u64::MAX), None);
        assert_eq!(latest.sierra_gas_to_l1_gas(0), Some(0));
        assert_eq!(latest.sierra_gas_to_l1_gas(1), Some(1));
        assert_eq!(latest.sierra_gas_to_l1_gas(40_000), Some(1));
        assert_eq!(latest.sierra_gas_to_l1_gas(40_001), Some(2));
        assert_eq!(latest.sierra_gas_to_l1_gas(3334), Some(1));
        assert_eq!(latest.l1_to_l2_gas_price(40_001), Some(2));
        assert_eq!(latest.l1_to_l2_gas_price(u128::MAX), Some(u128::MAX / 40_000 + 1));
        assert_eq!(latest.sierra_gas_without_bound(), Some(1_210_000_000));
        let mut free = Constants::clone(&latest);
        free.gas.step = 0;
        assert_eq!(free.sierra_gas_to_l1_gas(1), None);
        free.vm_fee.step = Ratio { numerator: 0, denominator: 0 };
        assert_eq!(free.l1_to_l2_gas_price(1), None);
    }
}
