//! The errors of fee computations and fee checks.
//!
//! A failed *check* is caused by the sender; users see its text, and after execution the block hash covers
//! it. A failed *computation* means values that no real block has.

use num_bigint::BigUint;
use serde::{Deserialize, Serialize};
use starknet_api::block::GasPrice;
use starknet_api::execution_resources::GasAmount;
use starknet_api::transaction::fields::{AllResourceBounds, Fee, Resource};
use starknet_types_core::felt::Felt;
use thiserror::Error;

use crate::protocol::ProtocolError;
use crate::state::StateError;

/// The quantities that fee computations add up or multiply; names the one that is out of range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Sum {
    /// Calldata, signature, code, proof and events together.
    #[error("gas of archival data")]
    Archival,
    /// Calldata and signature.
    #[error("gas of calldata and signature")]
    Calldata,
    /// Event keys and data.
    #[error("gas of events")]
    Events,
    /// A declared class.
    #[error("gas of declared code")]
    Code,
    /// Felts of state diff.
    #[error("length of the state diff")]
    StateDiffLength,
    /// Data availability of the state diff.
    #[error("gas of data availability")]
    DataAvailability,
    /// Newly allocated storage cells.
    #[error("gas of allocated cells")]
    Allocation,
    /// Data availability and allocation together.
    #[error("gas of state changes")]
    State,
    /// Words of messages.
    #[error("length of the message segment")]
    MessageSegment,
    /// Messages between L1 and L2.
    #[error("gas of messages")]
    Messages,
    /// Steps and builtins of transaction and operating system together.
    #[error("virtual machine resources")]
    VmResources,
    /// Steps and builtins, priced.
    #[error("gas of virtual machine resources")]
    VmGas,
    /// Sierra gas that was used and reverted.
    #[error("Sierra gas")]
    SierraGas,
    /// Virtual machine and Sierra gas together.
    #[error("gas of computation")]
    Computation,
    /// The whole gas vector.
    #[error("gas of the transaction")]
    Transaction,
    /// L2 gas expressed in L1 gas.
    #[error("L2 gas in units of L1 gas")]
    L2ToL1,
    /// L1 gas expressed in L2 gas.
    #[error("L1 gas in units of L2 gas")]
    L1ToL2,
    /// L1 data gas expressed in L1 gas, by their prices.
    #[error("L1 data gas in units of L1 gas")]
    DataToL1,
    /// The three gases in units of L1 gas.
    #[error("total gas in units of L1 gas")]
    TotalL1,
    /// The price of L2 gas with the tip.
    #[error("L2 gas price with tip")]
    TippedPrice,
    /// One resource's part of the fee.
    #[error("fee for {0}")]
    ResourceFee(Resource),
    /// The fee.
    #[error("fee")]
    Fee,
}

/// A failed computation of a fee or a gas amount. No real transaction causes one.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
#[non_exhaustive]
pub enum FeeError {
    /// A value does not fit its integer type, or a price ratio has the denominator 0.
    #[error("Out of range while computing the fee: {0}.")]
    OutOfRange(Sum),
    /// A transaction with a client-side proof does not bound all three resources: proofs are priced in L2 gas
    /// only.
    #[error("A transaction with a client-side proof must have bounds for all resources.")]
    ProofWithoutL2Gas,
    /// The resources that the operating system spends on a transaction could not be computed.
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    /// The fee is above the maximum that the transaction's bounds allow ([C32](crate::rules#c32)).
    #[error("Actual fee ({}) exceeded max fee ({}).", actual_fee.0, max_fee.0)]
    AboveMaxPossible {
        /// The fee to be charged.
        actual_fee: Fee,
        /// The maximum that the bounds allow.
        max_fee: Fee,
    },
}

/// A bound that is too low before execution ([C168](crate::rules#c168)).
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum BoundShortfall {
    /// The bounded amount is below the minimal gas of the transaction.
    #[error("Max {resource} amount ({max_amount}) is lower than the minimal gas amount: {minimal_amount}.")]
    AmountTooLow {
        /// The resource.
        resource: Resource,
        /// The sender's bound.
        max_amount: GasAmount,
        /// The minimal gas of the transaction.
        minimal_amount: GasAmount,
    },
    /// The bounded price is below the price of the block.
    #[error("Max {resource} price ({max_price}) is lower than the actual gas price: {block_price}.")]
    PriceTooLow {
        /// The resource.
        resource: Resource,
        /// The sender's bound per unit.
        max_price: GasPrice,
        /// The block's price per unit.
        block_price: GasPrice,
    },
}

/// The fee bounds of a transaction do not cover its minimal gas: it is not admitted
/// ([C168](crate::rules#c168), [C169](crate::rules#c169)).
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum InsufficientBounds {
    /// Resource bounds that are too low: all of them, in the order L1 gas, L1 data gas, L2 gas, amount before
    /// price.
    #[error("Resource bounds were not satisfied: {}", lines(.0))]
    Resources(Vec<BoundShortfall>),
    /// The maximal fee is too low.
    #[error("Max fee ({}) is too low. Minimum fee: {}.", max_fee.0, min_fee.0)]
    MaxFeeTooLow {
        /// The minimal fee of the transaction.
        min_fee: Fee,
        /// The sender's bound.
        max_fee: Fee,
    },
    /// The comparison could not be made.
    #[error(transparent)]
    Fee(#[from] FeeError),
}

fn lines(shortfalls: &[BoundShortfall]) -> String {
    shortfalls.iter().map(BoundShortfall::to_string).collect::<Vec<_>>().join("\n")
}

/// The balance of the sender does not cover its bounds ([C166](crate::rules#c166)), or could not be read.
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum BalanceCheckError {
    /// The maximal fee is above the balance.
    #[error("Max fee ({}) exceeds balance ({balance}).", max_fee.0)]
    MaxFee {
        /// The sender's bound.
        max_fee: Fee,
        /// The sender's balance, in wei.
        balance: BigUint,
    },
    /// The L1 gas bound of a transaction that bounds L1 gas only is above the balance.
    #[error(
        "Resource {} bounds (max amount: {max_amount}, max price): {max_price}) exceed balance ({balance}).",
        Resource::L1Gas
    )]
    L1Gas {
        /// The bounded amount.
        max_amount: GasAmount,
        /// The bounded price per unit.
        max_price: GasPrice,
        /// The sender's balance, in fri.
        balance: BigUint,
    },
    /// The sum of all bounds is above the balance.
    #[error("Resources bounds ({bounds}) exceed balance ({balance}).")]
    AllResources {
        /// The sender's bounds.
        bounds: Box<AllResourceBounds>,
        /// The sender's balance, in fri.
        balance: BigUint,
    },
    /// The balance could not be read.
    #[error(transparent)]
    State(#[from] StateError),
}

/// The execution cost more than the sender's bounds or balance. The text is a complete revert reason, so the
/// block hash depends on it ([C185](crate::rules#c185)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum FeeCheckError {
    /// The use of a resource exceeds its bound.
    #[error("Insufficient max {resource}: max amount: {max_amount}, actual used: {actual_amount}.")]
    MaxGasAmountExceeded {
        /// The resource.
        resource: Resource,
        /// The bound.
        max_amount: GasAmount,
        /// The amount that was used.
        actual_amount: GasAmount,
    },
    /// The fee is above the maximal fee.
    #[error("Insufficient max fee: max fee: {}, actual fee: {}.", max_fee.0, actual_fee.0)]
    MaxFeeExceeded {
        /// The sender's bound.
        max_fee: Fee,
        /// The computed fee.
        actual_fee: Fee,
    },
    /// The fee is above the balance of the account after execution.
    #[error("Insufficient fee token balance. Fee: {}, balance: low/high {balance_low}/{balance_high}.", fee.0)]
    InsufficientFeeTokenBalance {
        /// The computed fee.
        fee: Fee,
        /// The low 128 bits of the balance.
        balance_low: Felt,
        /// The high 128 bits of the balance.
        balance_high: Felt,
    },
}

/// The check after execution could not be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum PostCheckError {
    /// The balance could not be read.
    #[error(transparent)]
    State(#[from] StateError),
    /// A value could not be computed.
    #[error(transparent)]
    Fee(#[from] FeeError),
}

/// No fee was paid on L1 for a successful L1 handler ([C46](crate::rules#c46)).
#[derive(Clone, Debug, PartialEq, Eq, Error, Serialize, Deserialize)]
pub enum PaidFeeError {
    /// The fee paid on L1 is 0.
    #[error("Actual fee ({}) exceeded paid fee on L1 ({}).", actual_fee.0, paid_fee.0)]
    InsufficientFee {
        /// The fee paid on L1, in wei.
        paid_fee: Fee,
        /// The cost of the execution, in wei.
        actual_fee: Fee,
    },
    /// The cost could not be computed.
    #[error(transparent)]
    Fee(#[from] FeeError),
}
