//! What execution may see of the transaction that is running: identity, signature and fee terms.
//!
//! In: filled once per transaction at the door (`transaction`), replaced for the length of a `meta_tx_v0` call. Out: read by
//! `get_execution_info` and by the fee checks. Knows nothing of what the transaction does.

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

/// The transaction as contracts and fee rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionInfo {
    /// The transaction's hash; trusted, not recomputed.
    pub hash: TransactionHash,
    /// The version without the query bit.
    pub version: TransactionVersion,
    /// Whether this is a simulation: sets the bit 2^128 in the version that contracts see.
    pub query: bool,
    /// The account, or the called contract of an L1 handler.
    pub sender: ContractAddress,
    /// The signature felts, as given; checked by the account's code only.
    pub signature: TransactionSignature,
    /// The nonce the transaction carries.
    pub nonce: Nonce,
    /// How the transaction pays.
    pub terms: FeeTerms,
}

/// How a transaction pays for itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FeeTerms {
    /// Versions 0 to 2: one bound on the fee, in wei.
    MaxFee(Fee),
    /// Version 3: bounds per resource, in fri.
    Bounds(Arc<BoundTerms>),
}

/// The fields that came with version 3 transactions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BoundTerms {
    /// L1 gas only, or all three resources (C35).
    pub bounds: ValidResourceBounds,
    /// Fri per unit of L2 gas on top of the block's price; counts from 0.14.0 (C34).
    pub tip: Tip,
    /// Data availability of the nonce.
    pub nonce_data_availability: DataAvailabilityMode,
    /// Data availability of the fee.
    pub fee_data_availability: DataAvailabilityMode,
    /// Paymaster data; empty on the network so far.
    pub paymaster_data: PaymasterData,
    /// Account deployment data; empty on the network so far.
    pub account_deployment_data: AccountDeploymentData,
    /// Facts of a client-side proof (0.14.2), empty without one.
    pub proof_facts: ProofFacts,
}

impl TransactionInfo {
    /// The token in which the fee is paid: ETH below version 3 and for L1 handlers, STRK from version 3.
    pub fn fee_type(&self) -> FeeType {
        if self.version < TransactionVersion::THREE { FeeType::Eth } else { FeeType::Strk }
    }

    /// Whether L2 gas is a resource of its own in this transaction's receipt, or expressed in L1 gas.
    pub fn gas_mode(&self) -> GasVectorComputationMode {
        match &self.terms {
            FeeTerms::Bounds(terms) => terms.bounds.get_gas_vector_computation_mode(),
            FeeTerms::MaxFee(_) => GasVectorComputationMode::NoL2Gas,
        }
    }

    /// The tip that counts under these constants (C34).
    pub fn effective_tip(&self, constants: &Constants) -> Tip {
        match &self.terms {
            FeeTerms::Bounds(terms) if constants.switches.tip => terms.tip,
            _ => Tip::ZERO,
        }
    }

    /// The most this transaction can cost, in wei or fri (C33).
    pub fn max_possible_fee(&self, constants: &Constants) -> Fee {
        match &self.terms {
            FeeTerms::Bounds(terms) => terms.bounds.max_possible_fee(self.effective_tip(constants)),
            FeeTerms::MaxFee(fee) => *fee,
        }
    }

    /// The version as contracts see it: with the query bit when this is a simulation.
    pub fn signed_version(&self) -> TransactionVersion {
        self.sign_version(self.version)
    }

    /// `version` with this transaction's query bit.
    pub fn sign_version(&self, version: TransactionVersion) -> TransactionVersion {
        if !self.query {
            return version;
        }
        signed_tx_version(&version, &TransactionOptions { only_query: true })
    }
}
