//! The sender's bounds and balance against what a transaction needs: before it runs and after.
//!
//! In: fee terms, block prices, minimal gas or receipt, and the balance from the journal. Out: a typed refusal, or the fee to charge. Reads
//! state, never writes it.

use num_bigint::BigUint;
use starknet_api::block::GasPrice;
use starknet_api::execution_resources::{GasAmount, GasVector};
use starknet_api::transaction::fields::{Fee, Resource, ResourceBounds, ValidResourceBounds};
use starknet_types_core::felt::Felt;

use super::error::{
    BalanceCheckError, BoundShortfall, FeeCheckError, FeeError, InsufficientBounds, PaidFeeError,
    PostCheckError,
};
use super::price::{fee_of, in_l1_gas};
use super::receipt::{Receipt, gas_fee};
use crate::protocol::BlockEnv;
use crate::state::{Journal, StateError};
use crate::syscall::{FeeTerms, TransactionInfo};

/// Before the run: whether the bounds cover `minimal`, the least that the transaction can use, at the block's prices (C168, C169).
pub fn check_bounds_cover(
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

/// What one resource's bounds lack: in amount, in price.
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

/// Before the run: whether the sender has what its bounds commit it to, not only what it needs at the least (C166).
pub fn check_balance(
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

/// What an account has of its fee token.
struct Balance {
    low: Felt,
    high: Felt,
}

impl Balance {
    /// Reads both cells (C237), always both: they are part of what the transaction read (C238).
    fn read(journal: &mut Journal<'_>, env: &BlockEnv, info: &TransactionInfo) -> Result<Self, StateError> {
        let token = env.chain.fee_token(info.fee_type());
        let (low, high) = journal.fee_token_balance(token, info.sender)?;
        Ok(Self { low, high })
    }

    /// Fees are 128 bits, so anything in the high half covers every fee (C166).
    fn covers(&self, fee: Fee) -> bool {
        self.high != Felt::ZERO || self.low >= Felt::from(fee.0)
    }

    /// Both halves as one number.
    fn amount(&self) -> BigUint {
        (self.high.to_biguint() << 128_u32) + self.low.to_biguint()
    }
}

/// What the check after execution found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PostCheck {
    /// The fee to charge: the actual one, or if the check failed the most that the bounds allow of it (C165).
    pub recommended_fee: Fee,
    /// Why the execution must be reverted; `None` if it may stand.
    pub error: Option<FeeCheckError>,
}

/// After the run: whether its cost is within the sender's bounds, and whether the sender can still pay it (C164). The balance is read even
/// when the bounds have failed; nothing is read or checked without `charge_fee` (C6).
pub fn check_after(
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

/// Whether what a receipt says is within the sender's bounds; the balance is not looked at. `Some` is the first bound that is exceeded.
pub fn check_within_bounds(
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

/// Whether `gas` is within `max` in every resource: of transactions that bound all of them, and of L1 handlers (C44). The first excess in
/// the order L1 gas, L2 gas, L1 data gas is the error (C164).
pub fn check_gas_within(max: &GasVector, gas: &GasVector) -> Result<(), FeeCheckError> {
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

/// The fee of a transaction that exceeded its bounds: all that they allow of what it used (C165). Admission made sure that the sender has
/// that much.
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

/// A last look before a fee is moved: it must not be above what the bounds allow (C32). Unreachable for a fee that came from
/// [`check_after`] on a transaction that was admitted.
pub fn check_chargeable(env: &BlockEnv, info: &TransactionInfo, actual_fee: Fee) -> Result<(), FeeError> {
    let max_fee = info.max_possible_fee(&env.constants);
    if actual_fee > max_fee { Err(FeeError::AboveMaxPossible { actual_fee, max_fee }) } else { Ok(()) }
}

/// After an L1 handler that ran through: something must have been paid for it on L1, however little (C46). The error says what the run
/// would cost in wei.
pub fn check_paid_on_l1(
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
    #![allow(clippy::unwrap_used, clippy::panic)]
    use starknet_api::core::ContractAddress;

    use super::*;
    use crate::fee::fixture::{ETH, SENDER, STRK, env, vector, with_all, with_l1_gas, with_max_fee};
    use crate::protocol::DataAvailability::Blob;
    use crate::state::{MemoryState, fee_token_balance_key};

    fn block() -> BlockEnv {
        env("0.14.4", Blob)
    }

    fn rich(token: u128, low: u128, high: u128) -> MemoryState {
        let (token, sender) = (ContractAddress::from(token), ContractAddress::from(SENDER));
        let key = fee_token_balance_key(sender);
        MemoryState::default().with_storage(token, key, Felt::from(low)).with_storage(
            token,
            key.next_storage_key().unwrap(),
            Felt::from(high),
        )
    }

    fn receipt(env: &BlockEnv, info: &TransactionInfo, gas: GasVector) -> Receipt {
        Receipt { fee: gas_fee(env, info, &gas).unwrap(), gas, ..Default::default() }
    }

    #[test]
    fn all_shortfalls_are_told_in_order() {
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

    #[test]
    fn both_halves_of_the_balance_are_one_number() {
        let balance = Balance { low: Felt::from(5), high: Felt::from(2) };
        assert_eq!(balance.amount(), (BigUint::from(2_u8) << 128_u32) + 5_u8);
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
    fn the_first_exceeded_resource_is_told_and_all_are_cut() {
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
