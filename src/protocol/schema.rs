//! The layout of the data files in `resources/protocol/`: five groups of tables.
//!
//! Input: a version's values, merged over those of the version before it. Output: [`Constants`], with the
//! syscall prices that no file lists derived from the costs of the OS.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use serde::Deserialize;

use super::{
    AllocationPrices, ArchivalPrices, Constants, GasSchedule, Limits, ListedSyscallPrice, Lists, OsCost,
    OsCosts, ProtocolVersion, Switches, SyscallName, SyscallPrice, VmFeePrices,
};

/// The complete values of a version.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct VersionFile {
    limits: Limits,
    switches: Switches,
    prices: PriceTables,
    os: OsCosts,
    lists: Lists,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceTables {
    gas: GasSchedule,
    vm_fee: VmFeePrices,
    archival: ArchivalPrices,
    allocation: AllocationPrices,
    listed_syscalls: Option<BTreeMap<SyscallName, ListedSyscallPrice>>,
}

impl VersionFile {
    /// Turns the values of a file into constants and derives the prices that no file lists. `Err` describes
    /// the faulty value.
    pub(super) fn into_constants(self, version: ProtocolVersion) -> Result<Constants, String> {
        let Self { limits, switches, prices, os, lists } = self;
        let PriceTables { gas, vm_fee, archival, allocation, listed_syscalls } = prices;
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
            limits,
            switches,
            archival,
            allocation,
            vm_fee,
            gas,
            syscalls,
            listed_syscalls,
            os,
            lists,
        })
    }
}

/// The listed price of a syscall; a syscall that is not listed does not exist yet and has none.
fn listed_price(
    listed: Option<&ListedSyscallPrice>,
    gas: &GasSchedule,
) -> Result<SyscallPrice, &'static str> {
    let base = listed.map_or(Some(0), |listed| listed.cost(gas)).ok_or("does not fit in 64 bits")?;
    Ok(SyscallPrice { base, per_item: 0 })
}

/// The price of a syscall by its OS cost: at least the gas that the compiler charges in advance (C106).
fn derived_price(cost: &OsCost, gas: &GasSchedule) -> Result<SyscallPrice, &'static str> {
    if cost.scale != NonZeroU64::MIN {
        return Err("items of a syscall cannot share their cost");
    }
    let base = gas.cost(&cost.constant).ok_or("does not fit in 64 bits")?;
    let per_item = gas.cost(&cost.per_item).ok_or("does not fit in 64 bits")?;
    Ok(SyscallPrice { base: base.max(gas.syscall_base), per_item })
}
