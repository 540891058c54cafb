//! The types of prices: permanently kept data, new storage cells, VM resources in L1 gas, execution in Sierra
//! gas.
//!
//! Input: the price tables of the data files. Output: prices per unit, and sums in Sierra gas.

use serde::{Deserialize, Serialize};
use starknet_api::execution_resources::GasVector;
use starknet_api::transaction::fields::GasVectorComputationMode;

use super::{Builtin, BuiltinCounts, DataAvailability, Ratio, VmResources, json};

/// The price of data that the network keeps permanently
/// ([C141](crate::rules#c141)-[C143](crate::rules#c143)), in one kind of gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ArchivalPrice {
    /// Per felt of calldata, signature or event data.
    pub data_felt: Ratio,
    /// The number of data felts that an event key counts as.
    pub event_key_factor: Ratio,
    /// Per byte of a declared class.
    pub code_byte: Ratio,
    /// Per transaction that carries a proof.
    pub proof: Ratio,
}

/// The price of data, in both kinds of gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ArchivalPrices {
    /// In L2 gas: for transactions that bound all three gases.
    pub l2: ArchivalPrice,
    /// In L1 gas: for all other transactions.
    pub l1: ArchivalPrice,
}

impl ArchivalPrices {
    /// Returns the prices in the gas that `mode` counts ([C143](crate::rules#c143)).
    pub fn of(&self, mode: &GasVectorComputationMode) -> &ArchivalPrice {
        match mode {
            GasVectorComputationMode::All => &self.l2,
            GasVectorComputationMode::NoL2Gas => &self.l1,
        }
    }
}

/// The price of a storage cell that changes from 0 to another value ([C157](crate::rules#c157)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct AllocationPrices {
    /// The price if state diffs are published in blobs.
    #[serde(deserialize_with = "json::gas_vector")]
    pub blob: GasVector,
    /// The price if state diffs are published in calldata.
    #[serde(deserialize_with = "json::gas_vector")]
    pub calldata: GasVector,
}

impl AllocationPrices {
    /// Returns the price under the given data availability.
    pub fn of(&self, data_availability: DataAvailability) -> &GasVector {
        match data_availability {
            DataAvailability::Blob => &self.blob,
            DataAvailability::Calldata => &self.calldata,
        }
    }
}

/// The price of VM resources, in L1 gas ([C144](crate::rules#c144)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct VmFeePrices {
    /// Per step.
    pub step: Ratio,
    /// Per instance, by builtin. 0 for segment arenas, which are counted as steps
    /// ([C145](crate::rules#c145)), and for Blake, which is priced by its gas ([C146](crate::rules#c146)).
    #[serde(deserialize_with = "json::by_builtin")]
    pub builtins: [Ratio; Builtin::COUNT],
}

impl VmFeePrices {
    /// Returns the price of one instance.
    pub fn builtin(&self, builtin: Builtin) -> Ratio {
        self.builtins.get(builtin.index()).copied().unwrap_or(Ratio::ZERO)
    }
}

/// The price of execution, in Sierra gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "ScheduleInSteps")]
#[non_exhaustive]
pub struct GasSchedule {
    /// Per VM step.
    pub step: u64,
    /// Per memory hole.
    pub memory_hole: u64,
    /// Per instance, by builtin. 0 for output, for segment arenas, and for builtins that the version does not
    /// price.
    pub builtins: [u64; Builtin::COUNT],
    /// The gas that compiled code charges before every syscall: 10,000. Also the minimum price of a syscall
    /// from 0.13.4.
    pub syscall_base: u64,
    /// The gas that is withheld before an entry point runs: 10,000 ([C59](crate::rules#c59)).
    pub entry_point_initial_budget: u64,
    /// The initial gas of calls that are metered in steps: 10^10 ([C58](crate::rules#c58)).
    pub default_initial_gas: u64,
}

impl GasSchedule {
    /// Returns the price of one instance.
    pub fn builtin(&self, builtin: Builtin) -> u64 {
        self.builtins.get(builtin.index()).copied().unwrap_or_default()
    }

    /// Returns the gas of VM resources: steps, memory holes and builtins at their prices. `None` if it does
    /// not fit in 64 bits.
    pub fn cost(&self, resources: &VmResources) -> Option<u64> {
        let steps = resources.steps.checked_mul(self.step)?;
        let holes = resources.memory_holes.checked_mul(self.memory_hole)?;
        resources.builtins.iter().try_fold(steps.checked_add(holes)?, |sum, (builtin, count)| {
            sum.checked_add(count.checked_mul(self.builtin(builtin))?)
        })
    }
}

/// The price of a syscall as versions before 0.13.4 list it: a sum that does not depend on the OS costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(from = "FlatListedPrice")]
#[non_exhaustive]
pub struct ListedSyscallPrice {
    /// Gas that is added unscaled.
    pub gas: u64,
    /// Multiples of [`GasSchedule::syscall_base`].
    pub base_calls: u64,
    /// Steps, memory holes and builtins, at their prices.
    pub resources: VmResources,
}

impl ListedSyscallPrice {
    /// Returns the sum in gas; `None` if it does not fit in 64 bits.
    pub fn cost(&self, schedule: &GasSchedule) -> Option<u64> {
        let bases = self.base_calls.checked_mul(schedule.syscall_base)?;
        schedule.cost(&self.resources)?.checked_add(bases)?.checked_add(self.gas)
    }
}

/// The notation of a [`GasSchedule`]: the last three prices are in steps.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScheduleInSteps {
    step: u64,
    memory_hole: u64,
    #[serde(deserialize_with = "json::by_builtin")]
    builtins: [u64; Builtin::COUNT],
    syscall_base_steps: u64,
    entry_point_steps: u64,
    initial_steps: u64,
}

impl TryFrom<ScheduleInSteps> for GasSchedule {
    type Error = String;

    fn try_from(schedule: ScheduleInSteps) -> Result<Self, Self::Error> {
        let ScheduleInSteps { step, memory_hole, builtins, .. } = schedule;
        let in_gas = |steps: u64| {
            steps.checked_mul(step).ok_or_else(|| format!("{steps} steps in gas do not fit in 64 bits"))
        };
        Ok(Self {
            step,
            memory_hole,
            builtins,
            syscall_base: in_gas(schedule.syscall_base_steps)?,
            entry_point_initial_budget: in_gas(schedule.entry_point_steps)?,
            default_initial_gas: in_gas(schedule.initial_steps)?,
        })
    }
}

/// The notation of a [`ListedSyscallPrice`]: resources are not nested.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields, default)]
struct FlatListedPrice {
    gas: u64,
    base_calls: u64,
    steps: u64,
    memory_holes: u64,
    #[serde(deserialize_with = "json::builtin_counts")]
    builtins: BuiltinCounts,
}

impl From<FlatListedPrice> for ListedSyscallPrice {
    fn from(price: FlatListedPrice) -> Self {
        let FlatListedPrice { gas, base_calls, steps, memory_holes, builtins } = price;
        Self { gas, base_calls, resources: VmResources { steps, memory_holes, builtins } }
    }
}
