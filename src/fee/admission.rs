//! Checks before execution: the bounds cover the minimal gas, and the sender's balance covers the bounds.
//!
//! Input: fee terms, block prices, the minimal gas, and the balance from the journal. Output: a typed error.
//! Reads state, never writes it.

use starknet_api::block::GasPrice;
use starknet_api::execution_resources::{GasAmount, GasVector};
use starknet_api::transaction::fields::{Fee, Resource, ResourceBounds, ValidResourceBounds};

use super::balance::Balance;
use super::error::{BalanceCheckError, BoundShortfall, InsufficientBounds};
use super::price::in_l1_gas;
use super::receipt::gas_fee;
use crate::protocol::BlockEnv;
use crate::state::Journal;
use crate::syscall::{FeeTerms, TransactionInfo};

/// Checks that the bounds cover `minimal`, the minimal gas of the transaction, at the block's prices (C168,
/// C169).
pub(crate) fn check_bounds_cover(
    env: &BlockEnv,
    info: &TransactionInfo,
    minimal: GasVector,
) -> Result<(), InsufficientBounds> {
    let terms = match &info.terms {
        FeeTerms::MaxFee(max_fee) => return check_max_fee_covers(env, info, *max_fee, &minimal),
        FeeTerms::Bounds(terms) => terms,
    };
    let prices = env.block.prices.of(info.fee_type());
    let shortfalls: Vec<_> = match &terms.bounds {
        ValidResourceBounds::L1Gas(l1_gas) => {
            let needed = in_l1_gas(&minimal, prices, &env.constants)?;
            shortfalls(Resource::L1Gas, l1_gas, needed, prices.l1_gas).collect()
        }
        ValidResourceBounds::AllResources(all) => {
            shortfalls(Resource::L1Gas, &all.l1_gas, minimal.l1_gas, prices.l1_gas)
                .chain(shortfalls(
                    Resource::L1DataGas,
                    &all.l1_data_gas,
                    minimal.l1_data_gas,
                    prices.l1_data_gas,
                ))
                .chain(shortfalls(Resource::L2Gas, &all.l2_gas, minimal.l2_gas, prices.l2_gas))
                .collect()
        }
    };
    if shortfalls.is_empty() { Ok(()) } else { Err(InsufficientBounds::Resources(shortfalls)) }
}

fn check_max_fee_covers(
    env: &BlockEnv,
    info: &TransactionInfo,
    max_fee: Fee,
    minimal: &GasVector,
) -> Result<(), InsufficientBounds> {
    let min_fee = gas_fee(env, info, minimal)?;
    if max_fee < min_fee { Err(InsufficientBounds::MaxFeeTooLow { min_fee, max_fee }) } else { Ok(()) }
}

/// Returns the shortfalls of one resource's bounds: in amount, then in price.
fn shortfalls(
    resource: Resource,
    bounds: &ResourceBounds,
    minimal_amount: GasAmount,
    block_price: GasPrice,
) -> impl Iterator<Item = BoundShortfall> + use<> {
    let ResourceBounds { max_amount, max_price_per_unit: max_price } = *bounds;
    let amount = (minimal_amount > max_amount).then_some(BoundShortfall::AmountTooLow {
        resource,
        max_amount,
        minimal_amount,
    });
    let price =
        (max_price < block_price).then_some(BoundShortfall::PriceTooLow { resource, max_price, block_price });
    amount.into_iter().chain(price)
}

/// Checks that the sender's balance covers the maximal fee that its bounds allow, not only the minimal fee
/// (C166).
pub(crate) fn check_balance(
    journal: &mut Journal<'_>,
    env: &BlockEnv,
    info: &TransactionInfo,
) -> Result<(), BalanceCheckError> {
    let balance = Balance::read(journal, env, info)?;
    if balance.covers(info.max_possible_fee(&env.constants)) {
        return Ok(());
    }
    let balance = balance.amount();
    Err(match &info.terms {
        FeeTerms::MaxFee(max_fee) => BalanceCheckError::MaxFee { max_fee: *max_fee, balance },
        FeeTerms::Bounds(terms) => match &terms.bounds {
            ValidResourceBounds::L1Gas(l1_gas) => BalanceCheckError::L1Gas {
                max_amount: l1_gas.max_amount,
                max_price: l1_gas.max_price_per_unit,
                balance,
            },
            ValidResourceBounds::AllResources(all) => {
                BalanceCheckError::AllResources { bounds: Box::new(*all), balance }
            }
        },
    })
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

    #[test]
    fn all_shortfalls_are_reported_in_order() {
        // Prices in fri: 1000, 300, 20.
        let info = with_all((9, 999), (19, 299), (29, 19), 0);
        let error = check_bounds_cover(&block(), &info, vector(10, 20, 30)).unwrap_err();
        assert_eq!(
            error.to_string(),
            "Resource bounds were not satisfied: \
             Max L1Gas amount (9) is lower than the minimal gas amount: 10.\n\
             Max L1Gas price (999) is lower than the actual gas price: 1000.\n\
             Max L1DataGas amount (19) is lower than the minimal gas amount: 20.\n\
             Max L1DataGas price (299) is lower than the actual gas price: 300.\n\
             Max L2Gas amount (29) is lower than the minimal gas amount: 30.\n\
             Max L2Gas price (19) is lower than the actual gas price: 20."
        );
        let enough = with_all((10, 1_000), (20, 300), (30, 20), 0);
        assert_eq!(check_bounds_cover(&block(), &enough, vector(10, 20, 30)), Ok(()));
        // The tip is no part of the price that is compared.
        let tipped = with_all((10, 1_000), (20, 300), (30, 20), 50);
        assert_eq!(check_bounds_cover(&block(), &tipped, vector(10, 20, 30)), Ok(()));
    }

    #[test]
    fn l1_gas_bounds_cover_everything_in_l1_gas() {
        // 10 + 20 * 300 / 1000 + ceil(1 / 40,000)
        let minimal = vector(10, 20, 1);
        assert_eq!(check_bounds_cover(&block(), &with_l1_gas(17, 1_000), minimal), Ok(()));
        assert_eq!(
            check_bounds_cover(&block(), &with_l1_gas(16, 1_000), minimal),
            Err(InsufficientBounds::Resources(vec![BoundShortfall::AmountTooLow {
                resource: Resource::L1Gas,
                max_amount: GasAmount(16),
                minimal_amount: GasAmount(17),
            }]))
        );
    }

    #[test]
    fn max_fee_covers_the_minimal_fee() {
        // 10 * 100 + 20 * 30 wei
        let minimal = vector(10, 20, 0);
        assert_eq!(check_bounds_cover(&block(), &with_max_fee(1_600), minimal), Ok(()));
        let error = check_bounds_cover(&block(), &with_max_fee(1_599), minimal).unwrap_err();
        assert_eq!(error.to_string(), "Max fee (1599) is too low. Minimum fee: 1600.");
    }

    #[test]
    fn bounds_against_balance() {
        let check = |state: &MemoryState, info: &TransactionInfo| {
            check_balance(&mut Journal::new(state), &block(), info).map_err(|error| error.to_string())
        };
        assert_eq!(check(&rich(ETH, 500, 0), &with_max_fee(500)), Ok(()));
        assert_eq!(
            check(&rich(ETH, 499, 0), &with_max_fee(500)),
            Err("Max fee (500) exceeds balance (499).".to_owned())
        );
        // The other token does not help; a high half covers everything.
        assert!(check(&rich(STRK, 500, 0), &with_max_fee(500)).is_err());
        assert_eq!(check(&rich(ETH, 0, 1), &with_max_fee(u128::MAX)), Ok(()));
        assert_eq!(
            check(&rich(STRK, 34, 0), &with_l1_gas(5, 7)),
            Err("Resource L1Gas bounds (max amount: 5, max price): 7) exceed balance (34).".to_owned())
        );
        // 1 * 2 + 3 * 4 + 5 * (6 + 1)
        let all = with_all((1, 2), (3, 4), (5, 6), 1);
        assert_eq!(check(&rich(STRK, 49, 0), &all), Ok(()));
        assert_eq!(
            check(&rich(STRK, 48, 0), &all),
            Err("Resources bounds ({ l1_gas: { max_amount: 1, max_price_per_unit: 2 }, \
                 l2_gas: { max_amount: 5, max_price_per_unit: 6 }, \
                 l1_data_gas: { max_amount: 3, max_price_per_unit: 4 } }) exceed balance (48)."
                .to_owned())
        );
    }
}
