//! The shapes of prices: data kept for ever, new storage cells, VM resources in L1 gas, execution in Sierra gas.

use serde::{Deserialize, Serialize};
use starknet_api::execution_resources::GasVector;
use starknet_api::transaction::fields::GasVectorComputationMode;

use super::{Builtin, DataAvailability, Ratio, VmResources};

/// The price of data that the network keeps (C141-C143), in one kind of gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ArchivalPrice {
    /// Per felt of calldata, signature or event data.
    pub data_felt: Ratio,
    /// How many data felts an event key counts as.
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
    /// In L1 gas: for the others.
    pub l1: ArchivalPrice,
}

impl ArchivalPrices {
    /// The prices in the gas that the mode counts in (C143).
    pub fn of(&self, mode: &GasVectorComputationMode) -> &ArchivalPrice {
        match mode {
            GasVectorComputationMode::All => &self.l2,
            GasVectorComputationMode::NoL2Gas => &self.l1,
        }
    }
}

/// The price of a storage cell that turns from 0 to something (C157).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct AllocationPrices {
    /// When state diffs go into blobs.
    pub blob: GasVector,
    /// When state diffs go into calldata.
    pub calldata: GasVector,
}

impl AllocationPrices {
    /// The price under the given data availability.
    pub fn of(&self, data_availability: DataAvailability) -> &GasVector {
        match data_availability {
            DataAvailability::Blob => &self.blob,
            DataAvailability::Calldata => &self.calldata,
        }
    }
}

/// The price of VM resources, in L1 gas (C144).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct VmFeePrices {
    /// Per step.
    pub step: Ratio,
    /// Per instance, by builtin. 0 for segment arenas, which turn into steps (C145), and for Blake, which is priced
    /// through its gas (C146).
    pub builtins: [Ratio; Builtin::COUNT],
}

impl VmFeePrices {
    /// The price of one instance.
    pub fn builtin(&self, builtin: Builtin) -> Ratio {
        self.builtins.get(builtin.index()).copied().unwrap_or(Ratio::ZERO)
    }
}

/// The price of execution, in Sierra gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct GasSchedule {
    /// Per VM step.
    pub step: u64,
    /// Per memory hole.
    pub memory_hole: u64,
    /// Per instance, by builtin. 0 for output and segment arenas, and for whatever the version does not price.
    pub builtins: [u64; Builtin::COUNT],
    /// What the compiler charges ahead of every syscall: 10,000. Also the least that a syscall costs from 0.13.4.
    pub syscall_base: u64,
    /// What is held back before an entry point runs: 10,000 (C59).
    pub entry_point_initial_budget: u64,
    /// What runs that are measured in steps start with: 10^10 (C58).
    pub default_initial_gas: u64,
}

impl GasSchedule {
    /// The price of one instance.
    pub fn builtin(&self, builtin: Builtin) -> u64 {
        self.builtins.get(builtin.index()).copied().unwrap_or_default()
    }

    /// The gas of VM resources: steps, holes and builtins, each at its price. `None` if it does not fit in 64 bits.
    pub fn cost(&self, resources: &VmResources) -> Option<u64> {
        let steps = resources.steps.checked_mul(self.step)?;
        let holes = resources.memory_holes.checked_mul(self.memory_hole)?;
        resources.builtins.iter().try_fold(steps.checked_add(holes)?, |sum, (builtin, count)| {
            sum.checked_add(count.checked_mul(self.builtin(builtin))?)
        })
    }
}

/// The price of a syscall as versions before 0.13.4 list it: a sum that is not tied to what the OS measures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedSyscallPrice {
    /// Gas as such.
    pub gas: u64,
    /// Multiples of [`GasSchedule::syscall_base`].
    pub base_calls: u64,
    /// Steps, holes and builtins, at their prices.
    pub resources: VmResources,
}

impl ListedSyscallPrice {
    /// The sum in gas; `None` if it does not fit in 64 bits.
    pub fn cost(&self, schedule: &GasSchedule) -> Option<u64> {
        let bases = self.base_calls.checked_mul(schedule.syscall_base)?;
        schedule.cost(&self.resources)?.checked_add(bases)?.checked_add(self.gas)
    }
}
