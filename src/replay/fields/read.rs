//! Conversion from JSON fields to a transaction, typed by kind.

use starknet_api::transaction::fields::{AllResourceBounds, Fee, ValidResourceBounds};
use starknet_api::transaction::{
    DeclareTransaction, DeclareTransactionV0V1, DeclareTransactionV2, DeclareTransactionV3,
    DeployAccountTransaction, DeployAccountTransactionV1, DeployAccountTransactionV3, DeployTransaction,
    InvokeTransaction, InvokeTransactionV0, InvokeTransactionV1, InvokeTransactionV3, L1HandlerTransaction,
    TransactionVersion,
};
use starknet_types_core::felt::Felt;

use super::{FileBounds, TransactionFields};
use crate::replay::transaction::{FileTransaction, FileTransactionBody};
use crate::transaction::ExecutionFlags;

/// The bit of a version that marks a query.
const QUERY_BIT: Felt = Felt::from_hex_unchecked("0x100000000000000000000000000000000");

/// A field that the kind of transaction must have.
fn required<T>(name: &str, field: &mut Option<T>) -> Result<T, String> {
    field.take().ok_or_else(|| format!("missing field `{name}`"))
}

/// A field whose default is empty.
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
        let number =
            [Felt::ZERO, Felt::ONE, Felt::TWO, Felt::THREE].iter().position(|known| *known == version);
        let body = match (kind.as_str(), number) {
            ("INVOKE", Some(number @ (0 | 1 | 3))) => {
                FileTransactionBody::Invoke(fields.take_invoke(number)?)
            }
            ("DECLARE", Some(number)) => FileTransactionBody::Declare(fields.take_declare(number)?),
            ("DEPLOY_ACCOUNT", Some(number @ (1 | 3))) => {
                FileTransactionBody::DeployAccount(fields.take_deploy_account(number)?)
            }
            ("DEPLOY", Some(number @ (0 | 1))) => FileTransactionBody::Deploy(fields.take_deploy(number)?),
            ("L1_HANDLER", Some(0)) => FileTransactionBody::L1Handler {
                paid_fee_on_l1: fields.paid_fee_on_l1.take().unwrap_or(Fee(1)),
                transaction: fields.take_l1_handler()?,
            },
            ("INVOKE" | "DECLARE" | "DEPLOY_ACCOUNT" | "DEPLOY" | "L1_HANDLER", _) => {
                return Err(format!(
                    "{kind} transactions of version {written:#x} are not supported (supported: {SUPPORTED})"
                ));
            }
            _ => {
                return Err(format!(
                    "transactions of type {kind:?} are not supported (supported: {SUPPORTED})"
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
                Err(format!("`{field}` is not a field of {kind} transactions of version {version:#x}"))
            }
            None => Ok(transaction),
        }
    }
}

/// The supported kinds and versions, for error messages.
const SUPPORTED: &str = "INVOKE 0x0, 0x1 and 0x3, DECLARE 0x0 to 0x3, DEPLOY_ACCOUNT 0x1 and 0x3, DEPLOY 0x0 and 0x1, \
                         L1_HANDLER 0x0";

impl TransactionFields {
    fn take_invoke(&mut self, version: usize) -> Result<InvokeTransaction, String> {
        Ok(match version {
            0 => InvokeTransaction::V0(InvokeTransactionV0 {
                max_fee: required("max_fee", &mut self.max_fee)?,
                signature: optional(&mut self.signature),
                contract_address: required("contract_address", &mut self.contract_address)?,
                entry_point_selector: required("entry_point_selector", &mut self.entry_point_selector)?,
                calldata: required("calldata", &mut self.calldata)?,
            }),
            1 => InvokeTransaction::V1(InvokeTransactionV1 {
                max_fee: required("max_fee", &mut self.max_fee)?,
                signature: optional(&mut self.signature),
                nonce: required("nonce", &mut self.nonce)?,
                sender_address: required("sender_address", &mut self.sender_address)?,
                calldata: required("calldata", &mut self.calldata)?,
            }),
            _ => InvokeTransaction::V3(InvokeTransactionV3 {
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
            }),
        })
    }

    fn take_declare(&mut self, version: usize) -> Result<DeclareTransaction, String> {
        let class_hash = required("class_hash", &mut self.class_hash)?;
        let sender_address = required("sender_address", &mut self.sender_address)?;
        let signature = optional(&mut self.signature);
        if version < 2 {
            let old = DeclareTransactionV0V1 {
                max_fee: required("max_fee", &mut self.max_fee)?,
                signature,
                // Version 0 has no nonce.
                nonce: if version == 0 {
                    optional(&mut self.nonce)
                } else {
                    required("nonce", &mut self.nonce)?
                },
                class_hash,
                sender_address,
            };
            return Ok(if version == 0 { DeclareTransaction::V0(old) } else { DeclareTransaction::V1(old) });
        }
        let nonce = required("nonce", &mut self.nonce)?;
        let compiled_class_hash = required("compiled_class_hash", &mut self.compiled_class_hash)?;
        if version == 2 {
            let max_fee = required("max_fee", &mut self.max_fee)?;
            return Ok(DeclareTransaction::V2(DeclareTransactionV2 {
                max_fee,
                signature,
                nonce,
                class_hash,
                compiled_class_hash,
                sender_address,
            }));
        }
        Ok(DeclareTransaction::V3(DeclareTransactionV3 {
            resource_bounds: self.take_bounds()?,
            tip: optional(&mut self.tip),
            signature,
            nonce,
            class_hash,
            compiled_class_hash,
            sender_address,
            nonce_data_availability_mode: optional(&mut self.nonce_data_availability_mode).into(),
            fee_data_availability_mode: optional(&mut self.fee_data_availability_mode).into(),
            paymaster_data: optional(&mut self.paymaster_data),
            account_deployment_data: optional(&mut self.account_deployment_data),
        }))
    }

    fn take_deploy_account(&mut self, version: usize) -> Result<DeployAccountTransaction, String> {
        let signature = optional(&mut self.signature);
        let nonce = required("nonce", &mut self.nonce)?;
        let class_hash = required("class_hash", &mut self.class_hash)?;
        let contract_address_salt = required("contract_address_salt", &mut self.contract_address_salt)?;
        let constructor_calldata = required("constructor_calldata", &mut self.constructor_calldata)?;
        if version == 1 {
            let max_fee = required("max_fee", &mut self.max_fee)?;
            return Ok(DeployAccountTransaction::V1(DeployAccountTransactionV1 {
                max_fee,
                signature,
                nonce,
                class_hash,
                contract_address_salt,
                constructor_calldata,
            }));
        }
        Ok(DeployAccountTransaction::V3(DeployAccountTransactionV3 {
            resource_bounds: self.take_bounds()?,
            tip: optional(&mut self.tip),
            signature,
            nonce,
            class_hash,
            contract_address_salt,
            constructor_calldata,
            nonce_data_availability_mode: optional(&mut self.nonce_data_availability_mode).into(),
            fee_data_availability_mode: optional(&mut self.fee_data_availability_mode).into(),
            paymaster_data: optional(&mut self.paymaster_data),
        }))
    }

    fn take_deploy(&mut self, version: usize) -> Result<DeployTransaction, String> {
        Ok(DeployTransaction {
            version: if version == 0 { TransactionVersion::ZERO } else { TransactionVersion::ONE },
            class_hash: required("class_hash", &mut self.class_hash)?,
            contract_address_salt: required("contract_address_salt", &mut self.contract_address_salt)?,
            constructor_calldata: required("constructor_calldata", &mut self.constructor_calldata)?,
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

    /// The name of a field that does not belong to the transaction.
    fn remaining(&self) -> Option<String> {
        let all = serde_json::to_value(self).ok()?;
        let fields = all.as_object()?;
        fields.keys().find(|name| !["type", "version", "transaction_hash"].contains(&name.as_str())).cloned()
    }
}
