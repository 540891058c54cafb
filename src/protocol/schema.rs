//! The layout of the data files in `resources/protocol/`, and how it becomes [`Constants`].
//!
//! A file is five groups: `limits`, `switches`, `prices`, `os`, `lists`. In resource tables, what is not named is 0.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde::{Deserialize, Deserializer, de};
use starknet_api::core::ClassHash;
use starknet_api::execution_resources::{GasAmount, GasVector};
use starknet_api::transaction::fields::Tip;
use starknet_types_core::felt::Felt;

use super::{
    AllocationPrices, ArchivalPrices, Builtin, BuiltinCounts, Constants, GasSchedule, GatewayLimits, Limits,
    ListedSyscallPrice, Lists, OsCost, OsCosts, ProtocolVersion, Ratio, Switches, SyscallName, SyscallPrice,
    VmFeePrices, VmResources,
};

/// A version's file after it was laid over its parent's.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VersionFile {
    limits: LimitFigures,
    switches: SwitchFigures,
    prices: PriceFigures,
    os: OsFigures,
    lists: ListFigures,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LimitFigures {
    execute_max_steps: u64,
    validate_max_steps: u64,
    execute_max_sierra_gas: u64,
    validate_max_sierra_gas: u64,
    l1_handler_max: GasFigures,
    max_call_depth: u64,
    event_max_data: u64,
    event_max_keys: u64,
    event_max_count: u64,
    block_number_rounding: NonZeroU64,
    timestamp_rounding: NonZeroU64,
    v1_bound_max_tip: u64,
    gateway: GatewayFigures,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GatewayFigures {
    max_calldata_felts: u64,
    max_bytecode_felts: u64,
    max_proof_size: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SwitchFigures {
    #[serde(deserialize_with = "dotted")]
    min_sierra_version_for_gas: (u64, u64, u64),
    reverts: bool,
    tip: bool,
    comprehensive_state_diff: bool,
    stateful_compression: bool,
    casm_hash_migration: bool,
    casm_hash_v1_declares_blocked: bool,
    cairo0_redeclaration_disabled: bool,
    direct_execute_blocked: bool,
    deploy_in_validate_disabled: bool,
    inner_event_resources_ignored: bool,
    segment_arena_cells: bool,
    vm_frames_stripped: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceFigures {
    gas: ScheduleFigures,
    vm_fee: VmFeeFigures,
    archival: ArchivalPrices,
    allocation: AllocationFigures,
    listed_syscalls: Option<BTreeMap<SyscallName, ListedFigures>>,
}

/// Sierra gas; the last three prices are in steps.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleFigures {
    step: u64,
    memory_hole: u64,
    syscall_base_steps: u64,
    entry_point_steps: u64,
    initial_steps: u64,
    builtins: BTreeMap<ShortName, u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct VmFeeFigures {
    step: Ratio,
    builtins: BTreeMap<ShortName, Ratio>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AllocationFigures {
    blob: GasFigures,
    calldata: GasFigures,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GasFigures {
    l1_gas: u64,
    l1_data_gas: u64,
    l2_gas: u64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, default)]
#[derive(Default)]
struct ListedFigures {
    gas: u64,
    base_calls: u64,
    steps: u64,
    memory_holes: u64,
    builtins: BTreeMap<ShortName, u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OsFigures {
    transactions: TransactionFigures,
    syscalls: BTreeMap<SyscallName, CostFigures>,
    #[serde(default)]
    kzg_per_felt: ResourceFigures,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TransactionFigures {
    declare: CostFigures,
    deploy_account: CostFigures,
    invoke: CostFigures,
    l1_handler: CostFigures,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct CostFigures {
    steps: u64,
    memory_holes: u64,
    builtins: BTreeMap<ShortName, u64>,
    per_item: ResourceFigures,
    /// How many items share one `per_item`.
    scale: Option<NonZeroU64>,
}

#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct ResourceFigures {
    steps: u64,
    memory_holes: u64,
    builtins: BTreeMap<ShortName, u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListFigures {
    v1_bound_accounts_cairo0: Vec<ClassHash>,
    v1_bound_accounts_cairo1: Vec<ClassHash>,
    data_gas_accounts: Vec<ClassHash>,
    proof_versions: Vec<ShortString>,
    virtual_os_program_hashes: Vec<Felt>,
}

/// A builtin by its short name.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct ShortName(Builtin);

impl<'de> Deserialize<'de> for ShortName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let builtin = Builtin::from_short_name(&name);
        builtin.map(Self).ok_or_else(|| de::Error::custom(format!("`{name}` is not a builtin")))
    }
}

/// A felt that reads as text.
struct ShortString(Felt);

impl<'de> Deserialize<'de> for ShortString {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if !text.is_ascii() || text.len() > 31 {
            return Err(de::Error::custom(format!("`{text}` is not a short string")));
        }
        Ok(Self(Felt::from_bytes_be_slice(text.as_bytes())))
    }
}

/// Three numbers joined by dots.
fn dotted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(u64, u64, u64), D::Error> {
    let text = String::deserialize(deserializer)?;
    let numbers: Result<Vec<u64>, _> = text.split('.').map(str::parse).collect();
    match numbers.as_deref() {
        Ok([major, minor, patch]) => Ok((*major, *minor, *patch)),
        _ => Err(de::Error::custom(format!("`{text}` is not three numbers joined by dots"))),
    }
}

impl VersionFile {
    /// Turns a file into constants and derives the prices that no file lists. `Err` says what is wrong with the data.
    pub(super) fn into_constants(self, version: ProtocolVersion) -> Result<Constants, String> {
        let Self { limits, switches, prices, os, lists } = self;
        let PriceFigures { gas, vm_fee, archival, allocation, listed_syscalls } = prices;
        let gas = gas.into_schedule()?;
        let os = os.into_costs();
        let listed_syscalls = listed_syscalls.map(|listed| {
            listed
                .into_iter()
                .map(|(syscall, figures)| (syscall, figures.into_price()))
                .collect::<BTreeMap<_, _>>()
        });
        let mut syscalls = [SyscallPrice::ZERO; SyscallName::COUNT];
        for (syscall, price) in SyscallName::ALL.into_iter().zip(&mut syscalls) {
            *price = match &listed_syscalls {
                Some(listed) => listed_price(listed.get(&syscall), &gas),
                None if syscall.is_cairo0_only() => Ok(SyscallPrice::ZERO),
                None => derived_price(os.syscall(syscall), &gas),
            }
            .map_err(|reason| format!("price of {syscall}: {reason}"))?;
        }
        Ok(Constants {
            version,
            limits: limits.into_limits(),
            switches: switches.into_switches(),
            archival,
            allocation: AllocationPrices {
                blob: allocation.blob.into(),
                calldata: allocation.calldata.into(),
            },
            vm_fee: VmFeePrices { step: vm_fee.step, builtins: by_builtin(vm_fee.builtins, Ratio::ZERO) },
            gas,
            syscalls,
            listed_syscalls,
            os,
            lists: lists.into_lists(),
        })
    }
}

/// The price of a syscall by the list; one that is not listed does not exist yet and has none.
fn listed_price(
    listed: Option<&ListedSyscallPrice>,
    gas: &GasSchedule,
) -> Result<SyscallPrice, &'static str> {
    let base = listed.map_or(Some(0), |listed| listed.cost(gas)).ok_or("does not fit in 64 bits")?;
    Ok(SyscallPrice { base, per_item: 0 })
}

/// The price of a syscall by what the OS spends on it: at least what the compiler charges ahead (section 5).
fn derived_price(cost: &OsCost, gas: &GasSchedule) -> Result<SyscallPrice, &'static str> {
    if cost.scale != NonZeroU64::MIN {
        return Err("items of a syscall cannot share their cost");
    }
    let base = gas.cost(&cost.constant).ok_or("does not fit in 64 bits")?;
    let per_item = gas.cost(&cost.per_item).ok_or("does not fit in 64 bits")?;
    Ok(SyscallPrice { base: base.max(gas.syscall_base), per_item })
}

/// A table by builtin; what is not named gets `other`.
fn by_builtin<T: Copy>(named: BTreeMap<ShortName, T>, other: T) -> [T; Builtin::COUNT] {
    let mut table = [other; Builtin::COUNT];
    for (builtin, slot) in Builtin::ALL.into_iter().zip(&mut table) {
        if let Some(value) = named.get(&ShortName(builtin)) {
            *slot = *value;
        }
    }
    table
}

fn resources(steps: u64, memory_holes: u64, builtins: BTreeMap<ShortName, u64>) -> VmResources {
    let builtins: BuiltinCounts =
        builtins.into_iter().map(|(ShortName(builtin), count)| (builtin, count)).collect();
    VmResources { steps, memory_holes, builtins }
}

impl From<GasFigures> for GasVector {
    fn from(figures: GasFigures) -> Self {
        let GasFigures { l1_gas, l1_data_gas, l2_gas } = figures;
        Self { l1_gas: GasAmount(l1_gas), l1_data_gas: GasAmount(l1_data_gas), l2_gas: GasAmount(l2_gas) }
    }
}

impl ScheduleFigures {
    fn into_schedule(self) -> Result<GasSchedule, String> {
        let in_gas = |steps: u64| {
            steps.checked_mul(self.step).ok_or_else(|| format!("{steps} steps in gas do not fit in 64 bits"))
        };
        Ok(GasSchedule {
            syscall_base: in_gas(self.syscall_base_steps)?,
            entry_point_initial_budget: in_gas(self.entry_point_steps)?,
            default_initial_gas: in_gas(self.initial_steps)?,
            step: self.step,
            memory_hole: self.memory_hole,
            builtins: by_builtin(self.builtins, 0),
        })
    }
}

impl ListedFigures {
    fn into_price(self) -> ListedSyscallPrice {
        let Self { gas, base_calls, steps, memory_holes, builtins } = self;
        ListedSyscallPrice { gas, base_calls, resources: resources(steps, memory_holes, builtins) }
    }
}

impl ResourceFigures {
    fn into_resources(self) -> VmResources {
        resources(self.steps, self.memory_holes, self.builtins)
    }
}

impl CostFigures {
    fn into_cost(self) -> OsCost {
        OsCost {
            constant: resources(self.steps, self.memory_holes, self.builtins),
            per_item: self.per_item.into_resources(),
            scale: self.scale.unwrap_or(NonZeroU64::MIN),
        }
    }
}

impl OsFigures {
    fn into_costs(mut self) -> OsCosts {
        let TransactionFigures { declare, deploy_account, invoke, l1_handler } = self.transactions;
        OsCosts {
            // In the order of `TransactionKind::ALL`.
            transactions: [declare, deploy_account, invoke, l1_handler].map(CostFigures::into_cost),
            syscalls: SyscallName::ALL
                .map(|syscall| self.syscalls.remove(&syscall).unwrap_or_default().into_cost()),
            kzg_per_felt: self.kzg_per_felt.into_resources(),
        }
    }
}

impl LimitFigures {
    fn into_limits(self) -> Limits {
        let GatewayFigures { max_calldata_felts, max_bytecode_felts, max_proof_size } = self.gateway;
        Limits {
            execute_max_steps: self.execute_max_steps,
            validate_max_steps: self.validate_max_steps,
            execute_max_sierra_gas: self.execute_max_sierra_gas,
            validate_max_sierra_gas: self.validate_max_sierra_gas,
            l1_handler_max: self.l1_handler_max.into(),
            max_call_depth: self.max_call_depth,
            event_max_data: self.event_max_data,
            event_max_keys: self.event_max_keys,
            event_max_count: self.event_max_count,
            block_number_rounding: self.block_number_rounding.get(),
            timestamp_rounding: self.timestamp_rounding.get(),
            v1_bound_max_tip: Tip(self.v1_bound_max_tip),
            gateway: GatewayLimits { max_calldata_felts, max_bytecode_felts, max_proof_size },
        }
    }
}

impl SwitchFigures {
    fn into_switches(self) -> Switches {
        Switches {
            min_sierra_version_for_gas: self.min_sierra_version_for_gas,
            reverts: self.reverts,
            tip: self.tip,
            comprehensive_state_diff: self.comprehensive_state_diff,
            stateful_compression: self.stateful_compression,
            casm_hash_migration: self.casm_hash_migration,
            casm_hash_v1_declares_blocked: self.casm_hash_v1_declares_blocked,
            cairo0_redeclaration_disabled: self.cairo0_redeclaration_disabled,
            direct_execute_blocked: self.direct_execute_blocked,
            deploy_in_validate_disabled: self.deploy_in_validate_disabled,
            inner_event_resources_ignored: self.inner_event_resources_ignored,
            segment_arena_cells: self.segment_arena_cells,
            vm_frames_stripped: self.vm_frames_stripped,
        }
    }
}

impl ListFigures {
    fn into_lists(self) -> Lists {
        Lists {
            v1_bound_accounts_cairo0: self.v1_bound_accounts_cairo0.into_iter().collect(),
            v1_bound_accounts_cairo1: self.v1_bound_accounts_cairo1.into_iter().collect(),
            data_gas_accounts: self.data_gas_accounts.into_iter().collect(),
            proof_versions: self.proof_versions.into_iter().map(|ShortString(felt)| felt).collect(),
            virtual_os_program_hashes: self.virtual_os_program_hashes,
        }
    }
}
