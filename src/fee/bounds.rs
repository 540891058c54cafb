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
    BalanceCheckError, BoundShortfall, FeeCheckError, FeeError, InsufficientBounds, PaidFeeError, PostCheckError,
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
        ValidResourceBounds::AllResources(all) => shortfalls(Resource::L1Gas, &all.l1_gas, minimal.l1_gas, prices.l1_gas)
            .chain(shortfalls(Resource::L1DataGas, &all.l1_data_gas, minimal.l1_data_gas, prices.l1_data_gas))
            .chain(shortfalls(Resource::L2Gas, &all.l2_gas, minimal.l2_gas, prices.l2_gas))
            .collect(),
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
    let amount = (minimal_amount > max_amount)
        .then_some(BoundShortfall::AmountTooLow { resource, max_amount, minimal_amount });
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
        ValidResourceBounds::AllResources(all) => Ok(check_gas_within(&all.to_max_amounts(), &receipt.gas).err()),
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

fn check_amount(resource: Resource, max_amount: GasAmount, actual_amount: GasAmount) -> Result<(), FeeCheckError> {
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
