//! Conversion from a transaction to JSON fields. Fields with their default value are omitted.

use starknet_api::transaction::fields::{AllResourceBounds, ResourceBounds, ValidResourceBounds};
use starknet_api::transaction::{DeclareTransaction, DeployAccountTransaction, InvokeTransaction};
use starknet_types_core::felt::Felt;

use super::{FileBounds, TransactionFields};
use crate::replay::transaction::{FileTransaction, FileTransactionBody};
use crate::transaction::ExecutionFlags;

impl TransactionFields {
    fn of(kind: &str, version: Felt) -> Self {
        Self { kind: kind.to_owned(), version, ..Self::default() }
    }
}

impl From<FileTransaction> for TransactionFields {
    fn from(transaction: FileTransaction) -> Self {
        let (flags, default) = (transaction.flags, ExecutionFlags::default());
        let not_default = |flag: bool, default: bool| (flag != default).then_some(flag);
        Self {
            transaction_hash: transaction.hash,
            query: not_default(flags.query, default.query),
            charge_fee: not_default(flags.charge_fee, default.charge_fee),
            validate: not_default(flags.validate, default.validate),
            strict_nonce: not_default(flags.strict_nonce, default.strict_nonce),
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
            FileTransactionBody::Invoke(transaction) => transaction.into(),
            FileTransactionBody::Declare(transaction) => transaction.into(),
            FileTransactionBody::DeployAccount(transaction) => transaction.into(),
            FileTransactionBody::Deploy(transaction) => Self {
                class_hash: Some(transaction.class_hash),
                contract_address_salt: Some(transaction.contract_address_salt),
                constructor_calldata: Some(transaction.constructor_calldata),
                ..Self::of("DEPLOY", transaction.version.0)
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

impl From<InvokeTransaction> for TransactionFields {
    fn from(transaction: InvokeTransaction) -> Self {
        match transaction {
            InvokeTransaction::V0(transaction) => Self {
                max_fee: Some(transaction.max_fee),
                signature: Some(transaction.signature),
                contract_address: Some(transaction.contract_address),
                entry_point_selector: Some(transaction.entry_point_selector),
                calldata: Some(transaction.calldata),
                ..Self::of("INVOKE", Felt::ZERO)
            },
            InvokeTransaction::V1(transaction) => Self {
                max_fee: Some(transaction.max_fee),
                signature: Some(transaction.signature),
                nonce: Some(transaction.nonce),
                sender_address: Some(transaction.sender_address),
                calldata: Some(transaction.calldata),
                ..Self::of("INVOKE", Felt::ONE)
            },
            InvokeTransaction::V3(transaction) => Self {
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
        }
    }
}

impl From<DeclareTransaction> for TransactionFields {
    fn from(transaction: DeclareTransaction) -> Self {
        let version = transaction.version().0;
        match transaction {
            DeclareTransaction::V0(transaction) | DeclareTransaction::V1(transaction) => Self {
                max_fee: Some(transaction.max_fee),
                signature: Some(transaction.signature),
                nonce: Some(transaction.nonce),
                class_hash: Some(transaction.class_hash),
                sender_address: Some(transaction.sender_address),
                ..Self::of("DECLARE", version)
            },
            DeclareTransaction::V2(transaction) => Self {
                max_fee: Some(transaction.max_fee),
                signature: Some(transaction.signature),
                nonce: Some(transaction.nonce),
                class_hash: Some(transaction.class_hash),
                compiled_class_hash: Some(transaction.compiled_class_hash),
                sender_address: Some(transaction.sender_address),
                ..Self::of("DECLARE", version)
            },
            DeclareTransaction::V3(transaction) => Self {
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
                ..Self::of("DECLARE", version)
            },
        }
    }
}

impl From<DeployAccountTransaction> for TransactionFields {
    fn from(transaction: DeployAccountTransaction) -> Self {
        match transaction {
            DeployAccountTransaction::V1(transaction) => Self {
                max_fee: Some(transaction.max_fee),
                signature: Some(transaction.signature),
                nonce: Some(transaction.nonce),
                class_hash: Some(transaction.class_hash),
                contract_address_salt: Some(transaction.contract_address_salt),
                constructor_calldata: Some(transaction.constructor_calldata),
                ..Self::of("DEPLOY_ACCOUNT", Felt::ONE)
            },
            DeployAccountTransaction::V3(transaction) => Self {
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
        }
    }
}
