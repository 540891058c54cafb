//! Everything that a protocol version fixes, in one immutable value.
//!
//! In: `load` builds one per supported version from the data files. Out: shared as `Arc<Constants>`; a host that needs
//! other limits clones one, changes fields and shares that.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use starknet_api::core::ClassHash;
use starknet_api::execution_resources::GasVector;
use starknet_api::transaction::fields::Tip;
use starknet_types_core::felt::Felt;

use super::{
    AllocationPrices, ArchivalPrices, GasSchedule, ListedSyscallPrice, OsCosts, ProtocolError,
    ProtocolVersion, Ratio, SyscallName, SyscallPrice, VersionPolicy, VmFeePrices, load,
};

/// What a protocol version fixes: limits, switches, prices, OS costs and lists.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Constants {
    /// The version whose figures these are; under a lenient [`VersionPolicy`] not the one that was asked for.
    pub version: ProtocolVersion,
    /// How much is allowed.
    pub limits: Limits,
    /// Which rules are in force.
    pub switches: Switches,
    /// The price of data that is kept for ever.
    pub archival: ArchivalPrices,
    /// The price of new storage cells.
    pub allocation: AllocationPrices,
    /// The price of VM resources, in L1 gas.
    pub vm_fee: VmFeePrices,
    /// The price of execution, in Sierra gas.
    pub gas: GasSchedule,
    /// The price of each syscall, in Sierra gas. Derived once, from `listed_syscalls` or else from `gas` and `os`;
    /// whoever changes those must change these.
    pub syscalls: [SyscallPrice; SyscallName::COUNT],
    /// The syscall prices as listed. Before 0.13.4; later versions derive them from what the OS spends.
    pub listed_syscalls: Option<BTreeMap<SyscallName, ListedSyscallPrice>>,
    /// What the OS spends around the code of contracts.
    pub os: OsCosts,
    /// Classes and hashes with a rule of their own.
    pub lists: Lists,
}

impl Constants {
    /// The constants of a version, or of the one that stands for it under `policy`: see [`VersionPolicy`]. All versions
    /// are parsed at the first call in a process and shared from then on.
    pub fn for_version(version: ProtocolVersion, policy: VersionPolicy) -> Result<Arc<Self>, ProtocolError> {
        load::constants(version.resolve(policy)?)
    }

    /// What a syscall costs in Sierra gas. Zero if the version has no such syscall.
    pub fn syscall_price(&self, syscall: SyscallName) -> SyscallPrice {
        self.syscalls.get(syscall.index()).copied().unwrap_or(SyscallPrice::ZERO)
    }

    /// The Sierra gas that a transaction without a bound of its own on L2 gas starts with: what validation and
    /// execution may use at most (C8).
    pub fn sierra_gas_without_bound(&self) -> Option<u64> {
        self.limits.execute_max_sierra_gas.checked_add(self.limits.validate_max_sierra_gas)
    }

    /// Sierra gas in L1 gas, rounded up (C148): both are tied by the price of a step.
    pub fn sierra_gas_to_l1_gas(&self, sierra_gas: u64) -> Option<u64> {
        self.l1_gas_of_sierra_gas()?.ceil_mul(sierra_gas)
    }

    /// L1 gas in Sierra gas, rounded up (C144).
    pub fn l1_gas_to_sierra_gas(&self, l1_gas: u64) -> Option<u64> {
        self.l1_gas_of_sierra_gas()?.inverse().ceil_mul(l1_gas)
    }

    /// The price of a unit of L2 gas that corresponds to a price of L1 gas, rounded up (C173).
    pub fn l1_to_l2_gas_price(&self, l1_gas_price: u128) -> Option<u128> {
        let Ratio { numerator, denominator } = self.l1_gas_of_sierra_gas()?;
        let product = l1_gas_price.checked_mul(u128::from(numerator))?;
        let denominator = u128::from(denominator);
        let rest = product.checked_rem(denominator)?;
        product.checked_div(denominator)?.checked_add(u128::from(rest != 0))
    }

    /// The L1 gas that a unit of Sierra gas is worth: 1/40000 since 0.13.1. In lowest terms, so that products with a
    /// 128-bit price do not overflow without need.
    fn l1_gas_of_sierra_gas(&self) -> Option<Ratio> {
        let Ratio { numerator, denominator } = self.vm_fee.step;
        let divisor = num_integer::gcd(numerator, denominator);
        Some(Ratio {
            numerator: numerator.checked_div(divisor)?,
            denominator: denominator.checked_div(divisor)?.checked_mul(self.gas.step)?,
        })
    }
}

/// How much is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
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
    /// Gas of an L1 handler, whose sender bounds nothing (C43).
    pub l1_handler_max: GasVector,
    /// How deep calls may nest (C56).
    pub max_call_depth: u64,
    /// Felts of data in an event.
    pub event_max_data: u64,
    /// Keys of an event.
    pub event_max_keys: u64,
    /// Events in one phase of a transaction (C18, C125).
    pub event_max_count: u64,
    /// Validation sees the block number rounded down to a multiple of this.
    pub block_number_rounding: u64,
    /// Validation sees the block's time, in seconds, rounded down to a multiple of this.
    pub timestamp_rounding: u64,
    /// The highest tip with which an account in [`Lists::v1_bound_accounts_cairo1`] is shown version 1 (C121).
    pub v1_bound_max_tip: Tip,
    /// What gateways check before a transaction is executed; execution itself does not.
    pub gateway: GatewayLimits,
}

/// What gateways check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GatewayLimits {
    /// Felts of calldata.
    pub max_calldata_felts: u64,
    /// Felts of a class's bytecode.
    pub max_bytecode_felts: u64,
    /// Size of a proof.
    pub max_proof_size: u64,
}

/// Which rules are in force. They come and go with versions, sometimes more than once.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Switches {
    /// The Sierra version (major, minor, patch) from which classes are metered in gas instead of steps.
    pub min_sierra_version_for_gas: (u64, u64, u64),
    /// A failed inner call is undone and reported to its caller, instead of ending the transaction (C60).
    pub reverts: bool,
    /// Version 3 transactions pay their tip (C34).
    pub tip: bool,
    /// A transaction's state diff is the net of all its phases; else the phases' diffs are merged as they are (C27).
    pub comprehensive_state_diff: bool,
    /// Addresses and keys in published diffs are replaced by aliases (2.9).
    pub stateful_compression: bool,
    /// Executed classes move to the Blake compiled class hash (2.9).
    pub casm_hash_migration: bool,
    /// Version 3 declares must carry the Blake compiled class hash (C39).
    pub casm_hash_v1_declares_blocked: bool,
    /// A Cairo 0 class cannot be declared twice (C36).
    pub cairo0_redeclaration_disabled: bool,
    /// Contracts cannot call `__execute__` (C112, C113).
    pub direct_execute_blocked: bool,
    /// Validation cannot deploy contracts (C135).
    pub deploy_in_validate_disabled: bool,
    /// Events of inner calls are free (C170).
    pub inner_event_resources_ignored: bool,
    /// The VM of the time counted cells of the segment arena, of which an instance has three.
    pub segment_arena_cells: bool,
    /// Revert reasons do not list the VM's frames of calls that are metered in gas.
    pub vm_frames_stripped: bool,
}

/// Classes and hashes with a rule of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Lists {
    /// Cairo 0 account classes that are shown version 1 of version 3 transactions (C121).
    pub v1_bound_accounts_cairo0: BTreeSet<ClassHash>,
    /// Cairo 1 account classes that are shown version 1 of version 3 transactions (C121).
    pub v1_bound_accounts_cairo1: BTreeSet<ClassHash>,
    /// Account classes that are not shown the bound on L1 data gas (C122).
    pub data_gas_accounts: BTreeSet<ClassHash>,
    /// Accepted proof versions, as short strings.
    pub proof_versions: Vec<Felt>,
    /// Programs whose proofs are accepted.
    pub virtual_os_program_hashes: Vec<Felt>,
}

/// A kind of transaction, as far as costs depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub enum TransactionKind {
    /// Declares a class.
    Declare,
    /// Deploys an account, which pays for it.
    DeployAccount,
    /// Runs an account's `__execute__`.
    Invoke,
    /// Handles a message from L1.
    L1Handler,
    /// Deploys a contract, as anybody could until 2022. Older than all cost tables: its own work is all it is counted by.
    Deploy,
}

impl TransactionKind {
    /// How many have costs of their own.
    pub const COUNT: usize = 4;

    /// Those that have costs of their own, in the order of their indices.
    pub const ALL: [Self; Self::COUNT] = [Self::Declare, Self::DeployAccount, Self::Invoke, Self::L1Handler];

    /// Its place in tables by kind.
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
    fn are_shared() {
        for version in ProtocolVersion::SUPPORTED {
            assert_eq!(constants(version).version, version);
            assert!(Arc::ptr_eq(&constants(version), &constants(version)));
        }
    }

    #[test]
    fn policy_reaches_the_figures() {
        let stand_in = |version: &str, policy| Constants::for_version(version.parse().unwrap(), policy);
        let version_of = |result: Result<Arc<Constants>, _>| result.map(|constants| constants.version);
        assert_eq!(version_of(stand_in("0.12.0", VersionPolicy::Nearest)), Ok(ProtocolVersion::V0_13_0));
        assert_eq!(version_of(stand_in("0.13.4.1", VersionPolicy::Nearest)), Ok(ProtocolVersion::V0_13_4));
        assert_eq!(version_of(stand_in("0.15.0", VersionPolicy::AllowNewer)), Ok(ProtocolVersion::V0_14_4));
        assert!(matches!(stand_in("0.15.0", VersionPolicy::Nearest), Err(ProtocolError::TooNew { .. })));
        assert!(matches!(stand_in("0.13.7", VersionPolicy::Exact), Err(ProtocolError::Unsupported(_))));
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
