//! The JSON form of a transaction: one flat object with the field names of JSON-RPC 0.8.
//!
//! Input: JSON, or a [`FileTransaction`](super::FileTransaction). Output: the other one; a field that does
//! not belong to the kind is an error, as is an unknown kind or version. Must not know: classes, state.

mod read;
mod write;

use serde::{Deserialize, Serialize};
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, EntryPointSelector, Nonce};
use starknet_api::data_availability::DataAvailabilityMode;
use starknet_api::transaction::TransactionHash;
use starknet_api::transaction::fields::{
    AccountDeploymentData, Calldata, ContractAddressSalt, Fee, PaymasterData, ProofFacts, ResourceBounds,
    Tip, TransactionSignature,
};
use starknet_types_core::felt::Felt;

use super::strict::Strict;

/// The JSON form of a [`FileTransaction`](super::FileTransaction). One flat object: serde's tagged enums
/// would buffer it, and the form of numbers in the buffer depends on features of `serde_json`.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TransactionFields {
    #[serde(rename = "type")]
    kind: String,
    #[serde(deserialize_with = "Strict::read")]
    version: Felt,
    #[serde(deserialize_with = "Strict::read")]
    transaction_hash: TransactionHash,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    sender_address: Option<ContractAddress>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    contract_address: Option<ContractAddress>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    entry_point_selector: Option<EntryPointSelector>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    calldata: Option<Calldata>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    class_hash: Option<ClassHash>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    compiled_class_hash: Option<CompiledClassHash>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    contract_address_salt: Option<ContractAddressSalt>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    constructor_calldata: Option<Calldata>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    nonce: Option<Nonce>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    signature: Option<TransactionSignature>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    max_fee: Option<Fee>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    resource_bounds: Option<FileBounds>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    tip: Option<Tip>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    paymaster_data: Option<PaymasterData>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    account_deployment_data: Option<AccountDeploymentData>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    nonce_data_availability_mode: Option<FileMode>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fee_data_availability_mode: Option<FileMode>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    proof_facts: Option<ProofFacts>,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    paid_fee_on_l1: Option<Fee>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    query: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    charge_fee: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    validate: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    strict_nonce: Option<bool>,
}

/// Resource bounds. Without a bound of L1 data gas they are of the older form, in which only L1 gas is
/// bounded (C35).
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct FileBounds {
    #[serde(deserialize_with = "Strict::read")]
    l1_gas: ResourceBounds,
    #[serde(default, deserialize_with = "Strict::read")]
    l2_gas: ResourceBounds,
    #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "Strict::read")]
    l1_data_gas: Option<ResourceBounds>,
}

/// A data availability mode. That of `starknet_api` deserialises from a number too.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
enum FileMode {
    #[default]
    L1,
    L2,
}

impl From<FileMode> for DataAvailabilityMode {
    fn from(mode: FileMode) -> Self {
        match mode {
            FileMode::L1 => Self::L1,
            FileMode::L2 => Self::L2,
        }
    }
}

impl From<DataAvailabilityMode> for FileMode {
    fn from(mode: DataAvailabilityMode) -> Self {
        match mode {
            DataAvailabilityMode::L1 => Self::L1,
            DataAvailabilityMode::L2 => Self::L2,
        }
    }
}
