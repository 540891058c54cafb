//! Checks after execution: the receipt against the sender's bounds and balance.
//!
//! Input: fee terms, block prices, the receipt, and the balance from the journal. Output: the fee to charge,
//! and the reason for a revert if a check failed. Reads state, never writes it.

use starknet_api::execution_resources::{GasAmount, GasVector};
use starknet_api::transaction::fields::{Fee, Resource, ValidResourceBounds};

use super::balance::Balance;
use super::error::{FeeCheckError, FeeError, PaidFeeError, PostCheckError};
use super::price::{fee_of, in_l1_gas};
use super::receipt::{Receipt, gas_fee};
use crate::protocol::BlockEnv;
use crate::state::Journal;
use crate::syscall::{FeeTerms, TransactionInfo};

/// The result of the check after execution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PostCheck {
    /// The fee to charge: the actual one, or if the check failed the most that the bounds allow of it (C165).
    pub recommended_fee: Fee,
    /// The reason why the execution must be reverted; `None` if the check passed.
    pub error: Option<FeeCheckError>,
}

/// Checks after execution that the cost is within the sender's bounds and within the remaining balance
/// (C164). The balance is read even if the bounds are exceeded; without `charge_fee`, nothing is read or
/// checked (C6).
pub(crate) fn check_after(
    journal: &mut Journal<'_>,
    env: &BlockEnv,
    info: &TransactionInfo,
    receipt: &Receipt,
    charge_fee: bool,
) -> Result<PostCheck, PostCheckError> {
    let fee = receipt.fee;
    if !charge_fee {
        return Ok(PostCheck { recommended_fee: fee, error: None });
    }
    let above_bounds = check_within_bounds(env, info, receipt)?;
    let balance = Balance::read(journal, env, info)?;
    if let Some(error) = above_bounds {
        return Ok(PostCheck { recommended_fee: fee_within_bounds(env, info, receipt)?, error: Some(error) });
    }
    let error = (!balance.covers(fee)).then_some(FeeCheckError::InsufficientFeeTokenBalance {
        fee,
        balance_low: balance.low,
        balance_high: balance.high,
    });
    Ok(PostCheck { recommended_fee: fee, error })
}

/// Checks that a receipt is within the sender's bounds; does not read the balance. Returns the first bound
/// that is exceeded.
pub(crate) fn check_within_bounds(
    env: &BlockEnv,
    info: &TransactionInfo,
    receipt: &Receipt,
) -> Result<Option<FeeCheckError>, FeeError> {
    let terms = match &info.terms {
        FeeTerms::MaxFee(max_fee) => {
            let exceeded = receipt.fee > *max_fee;
            return Ok(exceeded
                .then_some(FeeCheckError::MaxFeeExceeded { max_fee: *max_fee, actual_fee: receipt.fee }));
        }
        FeeTerms::Bounds(terms) => terms,
    };
    match &terms.bounds {
        ValidResourceBounds::AllResources(all) => {
            Ok(check_gas_within(&all.to_max_amounts(), &receipt.gas).err())
        }
        ValidResourceBounds::L1Gas(l1_gas) => {
            let prices = env.block.prices.of(info.fee_type());
            let used = in_l1_gas(&receipt.gas, prices, &env.constants)?;
            Ok(check_amount(Resource::L1Gas, l1_gas.max_amount, used).err())
        }
    }
}

/// Checks that `gas` is within `max` in every resource, for transactions that bound all of them and for L1
/// handlers (C44). The error is the first excess in the order L1 gas, L2 gas, L1 data gas (C164).
pub(crate) fn check_gas_within(max: &GasVector, gas: &GasVector) -> Result<(), FeeCheckError> {
    check_amount(Resource::L1Gas, max.l1_gas, gas.l1_gas)?;
    check_amount(Resource::L2Gas, max.l2_gas, gas.l2_gas)?;
    check_amount(Resource::L1DataGas, max.l1_data_gas, gas.l1_data_gas)
}

fn check_amount(
    resource: Resource,
    max_amount: GasAmount,
    actual_amount: GasAmount,
) -> Result<(), FeeCheckError> {
    if max_amount < actual_amount {
        return Err(FeeCheckError::MaxGasAmountExceeded { resource, max_amount, actual_amount });
    }
    Ok(())
}

/// Returns the fee of a transaction that exceeded its bounds: each resource is charged up to its bound
/// (C165). Admission has checked that the balance covers it.
fn fee_within_bounds(env: &BlockEnv, info: &TransactionInfo, receipt: &Receipt) -> Result<Fee, FeeError> {
    let terms = match &info.terms {
        FeeTerms::MaxFee(max_fee) => return Ok(*max_fee),
        FeeTerms::Bounds(terms) => terms,
    };
    let used = &receipt.gas;
    let charged = match &terms.bounds {
        ValidResourceBounds::L1Gas(l1_gas) => GasVector::from_l1_gas(l1_gas.max_amount),
        ValidResourceBounds::AllResources(all) => GasVector {
            l1_gas: used.l1_gas.min(all.l1_gas.max_amount),
            l1_data_gas: used.l1_data_gas.min(all.l1_data_gas.max_amount),
            l2_gas: used.l2_gas.min(all.l2_gas.max_amount),
        },
    };
    // Bounds per resource are always paid in fri.
    fee_of(&charged, &env.block.prices.fri, info.effective_tip(&env.constants))
}

/// Checks before the transfer that a fee is not above the maximum that the bounds allow (C32). The error is
/// unreachable for a fee from [`check_after`] of an admitted transaction.
pub(crate) fn check_chargeable(
    env: &BlockEnv,
    info: &TransactionInfo,
    actual_fee: Fee,
) -> Result<(), FeeError> {
    let max_fee = info.max_possible_fee(&env.constants);
    if actual_fee > max_fee { Err(FeeError::AboveMaxPossible { actual_fee, max_fee }) } else { Ok(()) }
}

/// Checks that the fee paid on L1 for a successful L1 handler is not 0 (C46). The error has the cost of the
/// execution, in wei.
pub(crate) fn check_paid_on_l1(
    env: &BlockEnv,
    info: &TransactionInfo,
    receipt: &Receipt,
    paid_fee: Fee,
) -> Result<(), PaidFeeError> {
    if paid_fee != Fee(0) {
        return Ok(());
    }
    let actual_fee = gas_fee(env, info, &receipt.gas)?;
    Err(PaidFeeError::InsufficientFee { paid_fee, actual_fee })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fee::fixture::{ETH, STRK, env, rich, vector, with_all, with_l1_gas, with_max_fee};
    use crate::protocol::DataAvailability::Blob;
    use crate::state::MemoryState;

    fn block() -> BlockEnv {
        env("0.14.4", Blob)
    }

    fn receipt(env: &BlockEnv, info: &TransactionInfo, gas: GasVector) -> Receipt {
        Receipt { fee: gas_fee(env, info, &gas).unwrap(), gas, ..Default::default() }
    }

    #[test]
    fn within_bounds_and_balance() {
        let env = block();
        let info = with_all((10, 1_000), (20, 300), (30, 20), 0);
        let receipt = receipt(&env, &info, vector(10, 20, 30));
        let state = rich(STRK, receipt.fee.0, 0);
        let check = check_after(&mut Journal::new(&state), &env, &info, &receipt, true);
        assert_eq!(check, Ok(PostCheck { recommended_fee: Fee(10_000 + 6_000 + 600), error: None }));
    }

    #[test]
    fn the_first_exceeded_resource_is_reported_and_all_are_capped() {
        let env = block();
        let state = rich(STRK, 0, 1);
        let check = |info: &TransactionInfo, gas| {
            let receipt = receipt(&env, info, gas);
            check_after(&mut Journal::new(&state), &env, info, &receipt, true).unwrap()
        };
        let info = with_all((10, 9_999), (20, 9_999), (30, 9_999), 5);
        let found = check(&info, vector(4, 21, 31));
        let text = found.error.unwrap().to_string();
        assert_eq!(text, "Insufficient max L2Gas: max amount: 30, actual used: 31.");
        // 4 * 1000 + 20 * 300 + 30 * (20 + 5)
        assert_eq!(found.recommended_fee, Fee(4_000 + 6_000 + 750));

        let text = check(&info, vector(11, 21, 31)).error.unwrap().to_string();
        assert_eq!(text, "Insufficient max L1Gas: max amount: 10, actual used: 11.");
        let text = check(&info, vector(0, 21, 0)).error.unwrap().to_string();
        assert_eq!(text, "Insufficient max L1DataGas: max amount: 20, actual used: 21.");

        // L1 gas only: 10 + 6 + 1 against 16; the whole bound is charged at the block's price.
        let found = check(&with_l1_gas(16, 9_999), vector(10, 20, 1));
        let text = found.error.unwrap().to_string();
        assert_eq!(text, "Insufficient max L1Gas: max amount: 16, actual used: 17.");
        assert_eq!(found.recommended_fee, Fee(16_000));
    }

    #[test]
    fn max_fee_is_the_most_to_pay() {
        let env = block();
        let info = with_max_fee(999);
        let receipt = receipt(&env, &info, vector(10, 0, 0));
        let state = MemoryState::default();
        let found = check_after(&mut Journal::new(&state), &env, &info, &receipt, true).unwrap();
        assert_eq!(found.recommended_fee, Fee(999));
        assert_eq!(found.error.unwrap().to_string(), "Insufficient max fee: max fee: 999, actual fee: 1000.");
    }

    #[test]
    fn spent_balance_reverts_with_the_actual_fee() {
        let env = block();
        let info = with_max_fee(2_000);
        let receipt = receipt(&env, &info, vector(10, 0, 0));
        let state = rich(ETH, 999, 0);
        let mut journal = Journal::new(&state);
        let found = check_after(&mut journal, &env, &info, &receipt, true).unwrap();
        assert_eq!(found.recommended_fee, Fee(1_000));
        assert_eq!(
            found.error.unwrap().to_string(),
            "Insufficient fee token balance. Fee: 1000, balance: low/high 999/0."
        );
        assert_eq!(journal.initial_reads().storage.len(), 2);
    }

    #[test]
    fn the_balance_is_read_even_when_the_bounds_failed_and_never_without_charge() {
        let env = block();
        let info = with_max_fee(1);
        let receipt = receipt(&env, &info, vector(10, 0, 0));
        let state = MemoryState::default();
        let mut journal = Journal::new(&state);
        let found = check_after(&mut journal, &env, &info, &receipt, false);
        assert_eq!(found, Ok(PostCheck { recommended_fee: Fee(1_000), error: None }));
        assert_eq!(journal.initial_reads().storage.len(), 0);
        check_after(&mut journal, &env, &info, &receipt, true).unwrap();
        assert_eq!(journal.initial_reads().storage.len(), 2);
    }

    #[test]
    fn last_looks() {
        let env = block();
        assert_eq!(check_chargeable(&env, &with_max_fee(5), Fee(5)), Ok(()));
        assert_eq!(
            check_chargeable(&env, &with_max_fee(5), Fee(6)),
            Err(FeeError::AboveMaxPossible { actual_fee: Fee(6), max_fee: Fee(5) })
        );
        let info = crate::fee::fixture::of_version_zero();
        let receipt = Receipt { gas: vector(3, 0, 4), ..Default::default() };
        assert_eq!(check_paid_on_l1(&env, &info, &receipt, Fee(1)), Ok(()));
        let error = check_paid_on_l1(&env, &info, &receipt, Fee(0)).unwrap_err();
        assert_eq!(error.to_string(), "Actual fee (308) exceeded paid fee on L1 (0).");
    }
}
