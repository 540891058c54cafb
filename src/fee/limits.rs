//! Limits of execution: the steps and the Sierra gas that a transaction's bounds pay for.
//!
//! Input: the fee terms and the block's prices. Output: limits for the call stack. Never an error: a limit
//! that is out of range is no limit.

use starknet_api::execution_resources::GasAmount;
use starknet_api::transaction::fields::{Fee, ValidResourceBounds};

use super::error::FeeError;
use super::price::{steps_for_l1_gas, steps_for_l2_gas};
use crate::protocol::{BlockEnv, TransactionKind};
use crate::syscall::{FeeTerms, TransactionInfo};

/// Returns the step limit of a phase (C50): `mode_limit`, the version's limit for validation or execution,
/// and if `limited_by_resources` at most the steps that the sender's bounds pay for. The bound on the fee, or
/// on L1 gas, counts as if it were spent on steps only (C51).
pub(crate) fn max_steps(
    env: &BlockEnv,
    info: &TransactionInfo,
    mode_limit: u64,
    limited_by_resources: bool,
) -> u64 {
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

/// Returns the steps that remain for a revertible execution: `max_steps` without those of its validation and
/// those of the operating system for the transaction (C19, C20). Saturates at 0.
pub(crate) fn steps_after_validation(
    env: &BlockEnv,
    max_steps: u64,
    validation_steps: u64,
    kind: TransactionKind,
    extended_calldata_length: u64,
) -> Result<u64, FeeError> {
    let overhead = env.constants.transaction_os_resources(kind, extended_calldata_length)?.steps;
    Ok(max_steps.saturating_sub(validation_steps).saturating_sub(overhead))
}

/// Returns the initial Sierra gas of an account transaction (C7, C8): its bound on L2 gas, also when no fee
/// is charged; without such a bound, the sum of the limits of validation and execution.
pub(crate) fn initial_sierra_gas(env: &BlockEnv, info: &TransactionInfo) -> u64 {
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

/// Returns the number of units that a fee pays for, rounded down; `u64::MAX` when they are free.
fn whole_units(fee: Fee, price: u128) -> GasAmount {
    let units = fee.0.checked_div(price).and_then(|units| u64::try_from(units).ok());
    GasAmount(units.unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fee::fixture::{env, env_with, with_all, with_l1_gas, with_max_fee};
    use crate::protocol::DataAvailability::Blob;
    use crate::protocol::{BlockPrices, Ratio};

    const LIMIT: u64 = 10_000_000;

    fn all(max_amount: u64) -> TransactionInfo {
        with_all((1, 1), (1, 1), (max_amount, 1), 0)
    }

    #[test]
    fn steps_that_the_bounds_pay_for() {
        let block = env("0.14.4", Blob);
        let steps = |info: &TransactionInfo| max_steps(&block, info, LIMIT, true);
        // 1099 wei at 100 wei: 10 L1 gas, 400 steps each.
        assert_eq!(steps(&with_max_fee(1_099)), 4_000);
        assert_eq!(steps(&with_max_fee(0)), 0);
        assert_eq!(steps(&with_l1_gas(10, 0)), 4_000);
        assert_eq!(steps(&all(12_399)), 123);
        // 0.005 per step.
        assert_eq!(max_steps(&env("0.13.0", Blob), &with_max_fee(1_099), LIMIT, true), 2_000);
    }

    #[test]
    fn never_above_the_limit_of_the_version() {
        let block = env("0.14.4", Blob);
        for info in
            [with_max_fee(u128::MAX), with_l1_gas(u64::MAX, 1), with_l1_gas(1 << 60, 1), all(u64::MAX)]
        {
            assert_eq!(max_steps(&block, &info, LIMIT, true), LIMIT);
        }
        for info in [with_max_fee(0), with_l1_gas(0, 0), all(0)] {
            assert_eq!(max_steps(&block, &info, LIMIT, false), LIMIT);
        }
    }

    #[test]
    fn free_gas_and_free_steps_are_no_limit() {
        let free = env_with("0.14.4", Blob, BlockPrices::default());
        assert_eq!(max_steps(&free, &with_max_fee(0), LIMIT, true), LIMIT);
        let mut block = env("0.14.4", Blob);
        let mut constants = (*block.constants).clone();
        constants.vm_fee.step = Ratio::ZERO;
        constants.gas.step = 0;
        block.constants = constants.into();
        for info in [with_max_fee(0), with_l1_gas(0, 0), all(0)] {
            assert_eq!(max_steps(&block, &info, LIMIT, true), LIMIT);
        }
    }

    #[test]
    fn validation_and_overhead_come_off() {
        let block = env("0.14.4", Blob);
        // 4779 + 11 * 5 / 2 steps for the operating system.
        let left = |max_steps| steps_after_validation(&block, max_steps, 100, TransactionKind::Invoke, 5);
        assert_eq!(left(10_000), Ok(10_000 - 100 - 4_807));
        assert_eq!(left(4_000), Ok(0));
    }

    #[test]
    fn sierra_gas_at_the_beginning() {
        let block = env("0.14.4", Blob);
        assert_eq!(initial_sierra_gas(&block, &all(12_345)), 12_345);
        assert_eq!(initial_sierra_gas(&block, &with_l1_gas(5, 5)), 1_110_000_000 + 100_000_000);
        assert_eq!(initial_sierra_gas(&block, &with_max_fee(5)), 1_210_000_000);
    }
}
