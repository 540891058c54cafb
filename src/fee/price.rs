//! Prices applied: gas to fee, one gas in units of another, gas to steps.
//!
//! Input: amounts, the block's prices, the protocol's ratios. Output: fees and amounts, exact, or a typed
//! error that names the value that is out of range. A price of zero is legal everywhere. Does not know what
//! the gas was used for.

use starknet_api::execution_resources::{GasAmount, GasVector};
use starknet_api::transaction::fields::{Fee, Resource, Tip};

use super::error::{FeeError, Sum};
use crate::protocol::{Constants, TokenPrices};

/// Returns the fee of `gas`: each resource at its price, L2 gas at its price plus `tip`
/// ([C162](crate::rules#c162)).
pub fn fee_of(gas: &GasVector, prices: &TokenPrices, tip: Tip) -> Result<Fee, FeeError> {
    let tipped =
        prices.l2_gas.0.checked_add(u128::from(tip.0)).ok_or(FeeError::OutOfRange(Sum::TippedPrice))?;
    let parts = [
        (Resource::L1Gas, gas.l1_gas, prices.l1_gas.0),
        (Resource::L1DataGas, gas.l1_data_gas, prices.l1_data_gas.0),
        (Resource::L2Gas, gas.l2_gas, tipped),
    ];
    let mut total = 0_u128;
    for (resource, amount, price) in parts {
        let part = u128::from(amount.0)
            .checked_mul(price)
            .ok_or(FeeError::OutOfRange(Sum::ResourceFee(resource)))?;
        total = total.checked_add(part).ok_or(FeeError::OutOfRange(Sum::Fee))?;
    }
    Ok(Fee(total))
}

/// Returns the gas vector in units of L1 gas, as transactions that bound L1 gas only are charged (C163): data
/// gas by the ratio of the prices, L2 gas by the protocol's fixed ratio, each rounded up.
///
/// If L1 gas is free and data gas is not, no amount of L1 gas equals the data; the price of L1 gas counts as
/// 1 then.
pub(super) fn in_l1_gas(
    gas: &GasVector,
    prices: &TokenPrices,
    constants: &Constants,
) -> Result<GasAmount, FeeError> {
    let data_fee = u128::from(gas.l1_data_gas.0)
        .checked_mul(prices.l1_data_gas.0)
        .ok_or(FeeError::OutOfRange(Sum::DataToL1))?;
    let data_gas = u64::try_from(data_fee.div_ceil(prices.l1_gas.0.max(1)))
        .map_err(|_| FeeError::OutOfRange(Sum::DataToL1))?;
    let l2_gas = l2_to_l1_gas(constants, gas.l2_gas)?;
    [GasAmount(data_gas), l2_gas]
        .into_iter()
        .try_fold(gas.l1_gas, GasAmount::checked_add)
        .ok_or(FeeError::OutOfRange(Sum::TotalL1))
}

/// Converts L2 gas into units of L1 gas, rounded up, by the cost of one Cairo step in each (C148).
pub(super) fn l2_to_l1_gas(constants: &Constants, amount: GasAmount) -> Result<GasAmount, FeeError> {
    constants.sierra_gas_to_l1_gas(amount.0).map(GasAmount).ok_or(FeeError::OutOfRange(Sum::L2ToL1))
}

/// Converts L1 gas into units of L2 gas, rounded up (C144).
pub(super) fn l1_to_l2_gas(constants: &Constants, amount: GasAmount) -> Result<GasAmount, FeeError> {
    constants.l1_gas_to_sierra_gas(amount.0).map(GasAmount).ok_or(FeeError::OutOfRange(Sum::L1ToL2))
}

/// Returns the number of Cairo steps that an amount of L1 gas pays for, rounded down; `u64::MAX` when steps
/// are free or the number is too large.
pub(super) fn steps_for_l1_gas(constants: &Constants, amount: GasAmount) -> u64 {
    constants.vm_fee.step.floor_div(amount.0).unwrap_or(u64::MAX)
}

/// Returns the number of Cairo steps that an amount of L2 gas pays for, rounded down; `u64::MAX` when steps
/// are free.
pub(super) fn steps_for_l2_gas(constants: &Constants, amount: GasAmount) -> u64 {
    amount.0.checked_div(constants.gas.step).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fee::fixture::{constants, prices, vector};

    #[test]
    fn fee_adds_up_the_resources_with_the_tip_on_l2_gas() {
        // 10 * 5 + 20 * 3 + 30 * (2 + 4)
        assert_eq!(fee_of(&vector(10, 20, 30), &prices(5, 3, 2), Tip(4)), Ok(Fee(290)));
        assert_eq!(fee_of(&vector(10, 20, 30), &prices(0, 0, 0), Tip(0)), Ok(Fee(0)));
        assert_eq!(fee_of(&vector(10, 20, 30), &prices(0, 0, 0), Tip(4)), Ok(Fee(120)));
    }

    #[test]
    fn fee_names_what_is_out_of_range() {
        let max = u128::MAX;
        let fee = |gas: &GasVector, prices: &TokenPrices| fee_of(gas, prices, Tip(1));
        assert_eq!(fee(&vector(0, 0, 0), &prices(0, 0, max)), Err(FeeError::OutOfRange(Sum::TippedPrice)));
        assert_eq!(
            fee(&vector(0, 2, 0), &prices(0, max, 0)),
            Err(FeeError::OutOfRange(Sum::ResourceFee(Resource::L1DataGas)))
        );
        assert_eq!(fee(&vector(1, 0, 1), &prices(max, 0, 0)), Err(FeeError::OutOfRange(Sum::Fee)));
        assert_eq!(fee(&vector(1, 0, 0), &prices(max, 0, 0)), Ok(Fee(max)));
    }

    #[test]
    fn everything_in_l1_gas() {
        let constants = constants("0.14.4");
        let gas = vector(10, 7, 40_001);
        // 10, and 7 * 30 / 100 = 2.1 rounded up, and 40,001 / 40,000 rounded up.
        assert_eq!(in_l1_gas(&gas, &prices(100, 30, 9), &constants), Ok(GasAmount(10 + 3 + 2)));
        // Data gas more expensive than L1 gas.
        assert_eq!(in_l1_gas(&gas, &prices(30, 100, 9), &constants), Ok(GasAmount(10 + 24 + 2)));
        // An exact quotient is not rounded.
        assert_eq!(in_l1_gas(&vector(0, 10, 40_000), &prices(5, 2, 9), &constants), Ok(GasAmount(4 + 1)));
    }

    #[test]
    fn zero_prices_convert() {
        let constants = constants("0.14.4");
        let gas = vector(10, 7, 40_001);
        assert_eq!(in_l1_gas(&gas, &prices(0, 0, 0), &constants), Ok(GasAmount(12)));
        assert_eq!(in_l1_gas(&gas, &prices(100, 0, 0), &constants), Ok(GasAmount(12)));
        assert_eq!(in_l1_gas(&gas, &prices(0, 30, 0), &constants), Ok(GasAmount(10 + 210 + 2)));
    }

    #[test]
    fn l1_and_l2_gas_by_the_price_of_a_step() {
        for (version, ratio) in [("0.13.0", 20_000), ("0.13.1", 40_000), ("0.14.4", 40_000)] {
            let constants = constants(version);
            assert_eq!(l1_to_l2_gas(&constants, GasAmount(3)), Ok(GasAmount(3 * ratio)));
            assert_eq!(l2_to_l1_gas(&constants, GasAmount(0)), Ok(GasAmount(0)));
            assert_eq!(l2_to_l1_gas(&constants, GasAmount(1)), Ok(GasAmount(1)));
            assert_eq!(l2_to_l1_gas(&constants, GasAmount(ratio)), Ok(GasAmount(1)));
            assert_eq!(l2_to_l1_gas(&constants, GasAmount(ratio + 1)), Ok(GasAmount(2)));
        }
        let constants = constants("0.14.4");
        assert_eq!(l1_to_l2_gas(&constants, GasAmount::MAX), Err(FeeError::OutOfRange(Sum::L1ToL2)));
        // 2^64 / 40,000 = 461,168,601,842,738.79..
        assert_eq!(l2_to_l1_gas(&constants, GasAmount::MAX), Ok(GasAmount(461_168_601_842_739)));
    }

    #[test]
    fn steps_that_gas_pays_for() {
        let constants = constants("0.14.4");
        assert_eq!(steps_for_l1_gas(&constants, GasAmount(10)), 4_000);
        assert_eq!(steps_for_l1_gas(&constants, GasAmount::MAX), u64::MAX);
        assert_eq!(steps_for_l2_gas(&constants, GasAmount(12_399)), 123);
        let mut free = (*constants).clone();
        free.vm_fee.step = crate::protocol::Ratio::ZERO;
        free.gas.step = 0;
        assert_eq!(steps_for_l1_gas(&free, GasAmount(1)), u64::MAX);
        assert_eq!(steps_for_l2_gas(&free, GasAmount(1)), u64::MAX);
    }
}
