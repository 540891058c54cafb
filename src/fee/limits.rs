//! How far a transaction may run: steps and Sierra gas that its bounds pay for.
//!
//! In: the fee terms and the block's prices. Out: limits for the call stack. Never an error: a limit that is out of range is no limit.

use starknet_api::execution_resources::GasAmount;
use starknet_api::transaction::fields::{Fee, ValidResourceBounds};

use super::error::FeeError;
use super::price::{steps_for_l1_gas, steps_for_l2_gas};
use crate::protocol::{BlockEnv, TransactionKind};
use crate::syscall::{FeeTerms, TransactionInfo};

/// The step limit of a phase (C50): `mode_limit`, the version's limit for validation or execution, and if `limited_by_resources` no more
/// than the sender's bounds pay for. The bound on the fee, or on L1 gas, counts as if all of it went into steps (C51).
pub fn max_steps(env: &BlockEnv, info: &TransactionInfo, mode_limit: u64, limited_by_resources: bool) -> u64 {
    if !limited_by_resources {
        return mode_limit;
    }
    let constants = &env.constants;
    let affordable = match &info.terms {
        FeeTerms::MaxFee(max_fee) => {
            let price = env.block.prices.of(info.fee_type()).l1_gas.0;
            steps_for_l1_gas(constants, whole_units(*max_fee, price))
        }
        FeeTerms::Bounds(terms) => match &terms.bounds {
            ValidResourceBounds::L1Gas(l1_gas) => steps_for_l1_gas(constants, l1_gas.max_amount),
            ValidResourceBounds::AllResources(all) => steps_for_l2_gas(constants, all.l2_gas.max_amount),
        },
    };
    affordable.min(mode_limit)
}

/// The steps that are left for a revertible execution: `max_steps` without those of its validation and those that the operating system
/// needs to end the transaction (C19, C20). 0 if they are used up.
pub fn steps_after_validation(
    env: &BlockEnv,
    max_steps: u64,
    validation_steps: u64,
    kind: TransactionKind,
    extended_calldata_length: u64,
) -> Result<u64, FeeError> {
    let overhead = env.constants.transaction_os_resources(kind, extended_calldata_length)?.steps;
    Ok(max_steps.saturating_sub(validation_steps).saturating_sub(overhead))
}

/// The Sierra gas with which an account transaction begins (C7, C8): its bound on L2 gas, also when no fee is charged; without such a bound,
/// the most that validation and execution may use.
pub fn initial_sierra_gas(env: &BlockEnv, info: &TransactionInfo) -> u64 {
    match &info.terms {
        FeeTerms::Bounds(terms) => match &terms.bounds {
            ValidResourceBounds::AllResources(all) => all.l2_gas.max_amount.0,
            ValidResourceBounds::L1Gas(_) => unbounded_sierra_gas(env),
        },
        FeeTerms::MaxFee(_) => unbounded_sierra_gas(env),
    }
}

fn unbounded_sierra_gas(env: &BlockEnv) -> u64 {
    env.constants.sierra_gas_without_bound().unwrap_or(u64::MAX)
}

/// How many units a fee buys, rounded down; any number of them when they are free.
fn whole_units(fee: Fee, price: u128) -> GasAmount {
    let units = fee.0.checked_div(price).and_then(|units| u64::try_from(units).ok());
    GasAmount(units.unwrap_or(u64::MAX))
}
