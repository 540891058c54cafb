//! The fields of the running transaction that execution can see: identity, signature and fee terms.
//!
//! Input: set once per transaction by `transaction`, replaced for the duration of a `meta_tx_v0` call.
//! Output: read by `get_execution_info` and by the fee checks. Must not know: the effects of the transaction.

use std::sync::Arc;

use starknet_api::block::FeeType;
use starknet_api::core::{ContractAddress, Nonce};
use starknet_api::data_availability::DataAvailabilityMode;
use starknet_api::transaction::fields::{
    AccountDeploymentData, Fee, GasVectorComputationMode, PaymasterData, ProofFacts, Tip,
    TransactionSignature, ValidResourceBounds,
};
use starknet_api::transaction::{TransactionHash, TransactionOptions, TransactionVersion, signed_tx_version};

use crate::protocol::Constants;

/// The fields of a transaction that contracts and fee rules see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionInfo {
    /// The transaction hash; trusted, not recomputed.
    pub hash: TransactionHash,
    /// The version without the query bit.
    pub version: TransactionVersion,
    /// `true` in a simulation: the version that contracts see has the query bit, 2^128.
    pub query: bool,
    /// The account, or the contract that an L1 handler calls.
    pub sender: ContractAddress,
    /// The signature; checked by the account's code only.
    pub signature: TransactionSignature,
    /// The nonce of the transaction.
    pub nonce: Nonce,
    /// The fee terms.
    pub terms: FeeTerms,
}

/// The fee terms of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeeTerms {
    /// Versions 0 to 2: a bound on the fee, in wei.
    MaxFee(Fee),
    /// Version 3: bounds per resource, in fri.
    Bounds(Arc<BoundTerms>),
}

/// The fields that version 3 added to transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundTerms {
    /// The resource bounds: of L1 gas only, or of all three resources ([C35](crate::rules#c35)).
    pub bounds: ValidResourceBounds,
    /// The tip, in fri per unit of L2 gas on top of the block's price; in effect from 0.14.0
    /// ([C34](crate::rules#c34)).
    pub tip: Tip,
    /// The data availability mode of the nonce.
    pub nonce_data_availability: DataAvailabilityMode,
    /// The data availability mode of the fee.
    pub fee_data_availability: DataAvailabilityMode,
    /// The paymaster data; empty on the network so far.
    pub paymaster_data: PaymasterData,
    /// The account deployment data; empty on the network so far.
    pub account_deployment_data: AccountDeploymentData,
    /// The facts of a client-side proof (from 0.14.2); empty without a proof.
    pub proof_facts: ProofFacts,
}

impl TransactionInfo {
    /// Returns the token in which the fee is paid: ETH below version 3 and for L1 handlers, STRK from version
    /// 3.
    pub fn fee_type(&self) -> FeeType {
        if self.version < TransactionVersion::THREE { FeeType::Eth } else { FeeType::Strk }
    }

    /// Returns the gas mode: L2 gas is a separate resource in the receipt, or it is converted to L1 gas.
    pub fn gas_mode(&self) -> GasVectorComputationMode {
        match &self.terms {
            FeeTerms::Bounds(terms) => terms.bounds.get_gas_vector_computation_mode(),
            FeeTerms::MaxFee(_) => GasVectorComputationMode::NoL2Gas,
        }
    }

    /// Returns the tip that is in effect under these constants ([C34](crate::rules#c34)).
    pub fn effective_tip(&self, constants: &Constants) -> Tip {
        match &self.terms {
            FeeTerms::Bounds(terms) if constants.switches.tip => terms.tip,
            _ => Tip::ZERO,
        }
    }

    /// Returns the maximum fee of this transaction, in wei or fri ([C33](crate::rules#c33)).
    pub fn max_possible_fee(&self, constants: &Constants) -> Fee {
        match &self.terms {
            FeeTerms::Bounds(terms) => terms.bounds.max_possible_fee(self.effective_tip(constants)),
            FeeTerms::MaxFee(fee) => *fee,
        }
    }

    /// Returns the version that contracts see: with the query bit in a simulation.
    pub fn signed_version(&self) -> TransactionVersion {
        self.sign_version(self.version)
    }

    /// Returns `version` with the query bit of this transaction.
    pub fn sign_version(&self, version: TransactionVersion) -> TransactionVersion {
        if !self.query {
            return version;
        }
        signed_tx_version(&version, &TransactionOptions { only_query: true })
    }
}
