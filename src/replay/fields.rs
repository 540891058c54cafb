//! A transaction as it stands in JSON, and how it becomes one that is typed by kind and back.
//!
//! In: one flat object with the field names of JSON-RPC 0.8. Out: [`FileTransaction`]; a field that does not belong to the kind
//! is an error, as is a kind or version that this crate does not execute yet. Must not know: classes, state.

use serde::{Deserialize, Serialize};
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, EntryPointSelector, Nonce};
use starknet_api::data_availability::DataAvailabilityMode;
use starknet_api::transaction::fields::{
    AccountDeploymentData, AllResourceBounds, Calldata, ContractAddressSalt, Fee, PaymasterData, ProofFacts,
    ResourceBounds, Tip, TransactionSignature, ValidResourceBounds,
};
use starknet_api::transaction::{
    DeclareTransactionV2, DeclareTransactionV3, DeployAccountTransactionV3, InvokeTransactionV3,
    L1HandlerTransaction, TransactionHash, TransactionVersion,
};
use starknet_types_core::felt::Felt;

use super::strict::Strict;
use super::transaction::{FileTransaction, FileTransactionBody};
use crate::transaction::ExecutionFlags;

/// The bit in a version that says: only a query.
const QUERY_BIT: Felt = Felt::from_hex_unchecked("0x100000000000000000000000000000000");

/// A [`FileTransaction`] as it stands in JSON. One flat object: serde's tagged enums would buffer it, and what numbers look like
/// in the buffer depends on features of `serde_json`.
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

/// Resource bounds. Without a bound of L1 data gas they are of the older form, in which only L1 gas counts (C35).
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

/// A data availability mode. Its own reader is an untagged enum with a number.
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

/// A field that the kind of transaction must have.
fn required<T>(name: &str, field: &mut Option<T>) -> Result<T, String> {
    field.take().ok_or_else(|| format!("missing field `{name}`"))
}

/// A field whose absence means empty.
fn optional<T: Default>(field: &mut Option<T>) -> T {
    field.take().unwrap_or_default()
}

impl TryFrom<TransactionFields> for FileTransaction {
    type Error = String;

    fn try_from(mut fields: TransactionFields) -> Result<Self, String> {
        let kind = std::mem::take(&mut fields.kind);
        let written = std::mem::take(&mut fields.version);
        let query = written >= QUERY_BIT;
        #[expect(
            clippy::arithmetic_side_effects,
            reason = "felts wrap; and the version was not below the bit"
        )]
        let version = if query { written - QUERY_BIT } else { written };
        let body = match kind.as_str() {
            "INVOKE" if version == Felt::THREE => FileTransactionBody::Invoke(fields.take_invoke()?),
            "DECLARE" if version == Felt::TWO => FileTransactionBody::DeclareV2(fields.take_declare_v2()?),
            "DECLARE" if version == Felt::THREE => FileTransactionBody::Declare(fields.take_declare_v3()?),
            "DEPLOY_ACCOUNT" if version == Felt::THREE => {
                FileTransactionBody::DeployAccount(fields.take_deploy_account()?)
            }
            "L1_HANDLER" if version == Felt::ZERO => FileTransactionBody::L1Handler {
                paid_fee_on_l1: fields.paid_fee_on_l1.take().unwrap_or(Fee(1)),
                transaction: fields.take_l1_handler()?,
            },
            "INVOKE" | "DECLARE" | "DEPLOY_ACCOUNT" | "L1_HANDLER" => {
                return Err(format!(
                    "{kind} transactions of version {written:#x} are not supported. Supported: {SUPPORTED}"
                ));
            }
            _ => {
                return Err(format!(
                    "transactions of type {kind:?} are not supported. Supported: {SUPPORTED}"
                ));
            }
        };
        let default = ExecutionFlags::default();
        let transaction = Self {
            hash: std::mem::take(&mut fields.transaction_hash),
            body,
            flags: ExecutionFlags {
                query: fields.query.take().unwrap_or(query),
                charge_fee: fields.charge_fee.take().unwrap_or(default.charge_fee),
                validate: fields.validate.take().unwrap_or(default.validate),
                strict_nonce: fields.strict_nonce.take().unwrap_or(default.strict_nonce),
            },
        };
        match fields.remaining() {
            Some(field) => {
                Err(format!("`{field}` is no field of {kind} transactions of version {version:#x}"))
            }
            None => Ok(transaction),
        }
    }
}

/// For messages about what is not.
const SUPPORTED: &str = "INVOKE 0x3, DECLARE 0x2 and 0x3, DEPLOY_ACCOUNT 0x3, L1_HANDLER 0x0";

impl TransactionFields {
    fn of(kind: &str, version: Felt) -> Self {
        Self { kind: kind.to_owned(), version, ..Self::default() }
    }

    fn take_invoke(&mut self) -> Result<InvokeTransactionV3, String> {
        Ok(InvokeTransactionV3 {
            resource_bounds: self.take_bounds()?,
            tip: optional(&mut self.tip),
            signature: optional(&mut self.signature),
            nonce: required("nonce", &mut self.nonce)?,
            sender_address: required("sender_address", &mut self.sender_address)?,
            calldata: required("calldata", &mut self.calldata)?,
            nonce_data_availability_mode: optional(&mut self.nonce_data_availability_mode).into(),
            fee_data_availability_mode: optional(&mut self.fee_data_availability_mode).into(),
            paymaster_data: optional(&mut self.paymaster_data),
            account_deployment_data: optional(&mut self.account_deployment_data),
            proof_facts: optional(&mut self.proof_facts),
        })
    }

    fn take_declare_v2(&mut self) -> Result<DeclareTransactionV2, String> {
        Ok(DeclareTransactionV2 {
            max_fee: required("max_fee", &mut self.max_fee)?,
            signature: optional(&mut self.signature),
            nonce: required("nonce", &mut self.nonce)?,
            class_hash: required("class_hash", &mut self.class_hash)?,
            compiled_class_hash: required("compiled_class_hash", &mut self.compiled_class_hash)?,
            sender_address: required("sender_address", &mut self.sender_address)?,
        })
    }

    fn take_declare_v3(&mut self) -> Result<DeclareTransactionV3, String> {
        Ok(DeclareTransactionV3 {
            resource_bounds: self.take_bounds()?,
            tip: optional(&mut self.tip),
            signature: optional(&mut self.signature),
            nonce: required("nonce", &mut self.nonce)?,
            class_hash: required("class_hash", &mut self.class_hash)?,
            compiled_class_hash: required("compiled_class_hash", &mut self.compiled_class_hash)?,
            sender_address: required("sender_address", &mut self.sender_address)?,
            nonce_data_availability_mode: optional(&mut self.nonce_data_availability_mode).into(),
            fee_data_availability_mode: optional(&mut self.fee_data_availability_mode).into(),
            paymaster_data: optional(&mut self.paymaster_data),
            account_deployment_data: optional(&mut self.account_deployment_data),
        })
    }

    fn take_deploy_account(&mut self) -> Result<DeployAccountTransactionV3, String> {
        Ok(DeployAccountTransactionV3 {
            resource_bounds: self.take_bounds()?,
            tip: optional(&mut self.tip),
            signature: optional(&mut self.signature),
            nonce: required("nonce", &mut self.nonce)?,
            class_hash: required("class_hash", &mut self.class_hash)?,
            contract_address_salt: required("contract_address_salt", &mut self.contract_address_salt)?,
            constructor_calldata: required("constructor_calldata", &mut self.constructor_calldata)?,
            nonce_data_availability_mode: optional(&mut self.nonce_data_availability_mode).into(),
            fee_data_availability_mode: optional(&mut self.fee_data_availability_mode).into(),
            paymaster_data: optional(&mut self.paymaster_data),
        })
    }

    fn take_l1_handler(&mut self) -> Result<L1HandlerTransaction, String> {
        Ok(L1HandlerTransaction {
            version: TransactionVersion::ZERO,
            nonce: required("nonce", &mut self.nonce)?,
            contract_address: required("contract_address", &mut self.contract_address)?,
            entry_point_selector: required("entry_point_selector", &mut self.entry_point_selector)?,
            calldata: required("calldata", &mut self.calldata)?,
        })
    }

    fn take_bounds(&mut self) -> Result<ValidResourceBounds, String> {
        let FileBounds { l1_gas, l2_gas, l1_data_gas } =
            required("resource_bounds", &mut self.resource_bounds)?;
        match l1_data_gas {
            Some(l1_data_gas) => Ok(AllResourceBounds { l1_gas, l2_gas, l1_data_gas }.into()),
            None if l2_gas.is_zero() => Ok(ValidResourceBounds::L1Gas(l1_gas)),
            None => {
                Err("`resource_bounds`: without `l1_data_gas` the bounds of `l2_gas` must be 0".to_owned())
            }
        }
    }

    /// A field that nothing has taken.
    fn remaining(&self) -> Option<String> {
        let all = serde_json::to_value(self).ok()?;
        let fields = all.as_object()?;
        fields.keys().find(|name| !["type", "version", "transaction_hash"].contains(&name.as_str())).cloned()
    }
}

impl From<FileTransaction> for TransactionFields {
    fn from(transaction: FileTransaction) -> Self {
        let (flags, default) = (transaction.flags, ExecutionFlags::default());
        let unusual = |flag: bool, usual: bool| (flag != usual).then_some(flag);
        Self {
            transaction_hash: transaction.hash,
            query: unusual(flags.query, default.query),
            charge_fee: unusual(flags.charge_fee, default.charge_fee),
            validate: unusual(flags.validate, default.validate),
            strict_nonce: unusual(flags.strict_nonce, default.strict_nonce),
            ..transaction.body.into()
        }
    }
}

impl From<ValidResourceBounds> for FileBounds {
    fn from(bounds: ValidResourceBounds) -> Self {
        match bounds {
            ValidResourceBounds::L1Gas(l1_gas) => {
                Self { l1_gas, l2_gas: ResourceBounds::default(), l1_data_gas: None }
            }
            ValidResourceBounds::AllResources(AllResourceBounds { l1_gas, l2_gas, l1_data_gas }) => {
                Self { l1_gas, l2_gas, l1_data_gas: Some(l1_data_gas) }
            }
        }
    }
}

impl From<FileTransactionBody> for TransactionFields {
    fn from(body: FileTransactionBody) -> Self {
        match body {
            FileTransactionBody::Invoke(transaction) => Self {
                resource_bounds: Some(transaction.resource_bounds.into()),
                tip: Some(transaction.tip),
                signature: Some(transaction.signature),
                nonce: Some(transaction.nonce),
                sender_address: Some(transaction.sender_address),
                calldata: Some(transaction.calldata),
                nonce_data_availability_mode: Some(transaction.nonce_data_availability_mode.into()),
                fee_data_availability_mode: Some(transaction.fee_data_availability_mode.into()),
                paymaster_data: Some(transaction.paymaster_data),
                account_deployment_data: Some(transaction.account_deployment_data),
                proof_facts: Some(transaction.proof_facts).filter(|facts| !facts.is_empty()),
                ..Self::of("INVOKE", Felt::THREE)
            },
            FileTransactionBody::DeclareV2(transaction) => Self {
                max_fee: Some(transaction.max_fee),
                signature: Some(transaction.signature),
                nonce: Some(transaction.nonce),
                class_hash: Some(transaction.class_hash),
                compiled_class_hash: Some(transaction.compiled_class_hash),
                sender_address: Some(transaction.sender_address),
                ..Self::of("DECLARE", Felt::TWO)
            },
            FileTransactionBody::Declare(transaction) => Self {
                resource_bounds: Some(transaction.resource_bounds.into()),
                tip: Some(transaction.tip),
                signature: Some(transaction.signature),
                nonce: Some(transaction.nonce),
                class_hash: Some(transaction.class_hash),
                compiled_class_hash: Some(transaction.compiled_class_hash),
                sender_address: Some(transaction.sender_address),
                nonce_data_availability_mode: Some(transaction.nonce_data_availability_mode.into()),
                fee_data_availability_mode: Some(transaction.fee_data_availability_mode.into()),
                paymaster_data: Some(transaction.paymaster_data),
                account_deployment_data: Some(transaction.account_deployment_data),
                ..Self::of("DECLARE", Felt::THREE)
            },
            FileTransactionBody::DeployAccount(transaction) => Self {
                resource_bounds: Some(transaction.resource_bounds.into()),
                tip: Some(transaction.tip),
                signature: Some(transaction.signature),
                nonce: Some(transaction.nonce),
                class_hash: Some(transaction.class_hash),
                contract_address_salt: Some(transaction.contract_address_salt),
                constructor_calldata: Some(transaction.constructor_calldata),
                nonce_data_availability_mode: Some(transaction.nonce_data_availability_mode.into()),
                fee_data_availability_mode: Some(transaction.fee_data_availability_mode.into()),
                paymaster_data: Some(transaction.paymaster_data),
                ..Self::of("DEPLOY_ACCOUNT", Felt::THREE)
            },
            FileTransactionBody::L1Handler { transaction, paid_fee_on_l1 } => Self {
                nonce: Some(transaction.nonce),
                contract_address: Some(transaction.contract_address),
                entry_point_selector: Some(transaction.entry_point_selector),
                calldata: Some(transaction.calldata),
                paid_fee_on_l1: Some(paid_fee_on_l1),
                ..Self::of("L1_HANDLER", Felt::ZERO)
            },
        }
    }
}
