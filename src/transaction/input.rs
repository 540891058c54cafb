//! Transactions as the host hands them in.

use std::sync::Arc;

use starknet_api::block::FeeType;
use starknet_api::core::ContractAddress;
use starknet_api::transaction::fields::Fee;
use starknet_api::transaction::{
    CalculateContractAddress, DeclareTransaction, DeployAccountTransaction, DeployTransaction,
    InvokeTransaction, L1HandlerTransaction, TransactionHash, TransactionVersion,
};

use super::cached_validation::CachedValidation;
use super::error::InvalidTransaction;
use crate::class::DeclaredClass;
use crate::protocol::TransactionKind;

/// A transaction to execute.
#[derive(Clone, Debug)]
pub struct Transaction {
    /// What it does.
    pub body: TransactionBody,
    /// Its hash; trusted, not recomputed. Contracts see it and signatures are made over it.
    pub hash: TransactionHash,
    /// How to treat it.
    pub flags: ExecutionFlags,
    /// The result of its validation, if that was carried out before.
    pub(super) cached_validation: Option<Arc<CachedValidation>>,
}

/// What a transaction does, by kind.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TransactionBody {
    /// Calls contracts through an account.
    Invoke(InvokeTransaction),
    /// Declares a class.
    Declare {
        /// The transaction.
        transaction: DeclareTransaction,
        /// The class, ready to run.
        class: DeclaredClass,
    },
    /// Deploys an account, which pays for it.
    DeployAccount {
        /// The transaction.
        transaction: DeployAccountTransaction,
        /// The account's address.
        address: ContractAddress,
    },
    /// Deploys a contract, as anybody could until 2022: no account, no nonce, no fee.
    Deploy {
        /// The transaction.
        transaction: DeployTransaction,
        /// The contract's address.
        address: ContractAddress,
    },
    /// Handles a message from L1.
    L1Handler {
        /// The transaction.
        transaction: L1HandlerTransaction,
        /// What was paid for it on L1, in wei; must not be 0 (C46).
        paid_fee_on_l1: Fee,
    },
}

/// How to treat a transaction. The default is what a sequencer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutionFlags {
    /// Simulate: contracts see a version with the query bit.
    pub query: bool,
    /// Check bounds and balance, and transfer the fee (C6). The receipt has its fee either way.
    pub charge_fee: bool,
    /// Run `__validate__*` (C15).
    pub validate: bool,
    /// Demand that the nonce is the account's next; otherwise later ones will do (C4).
    pub strict_nonce: bool,
}

impl Default for ExecutionFlags {
    fn default() -> Self {
        Self { query: false, charge_fee: true, validate: true, strict_nonce: true }
    }
}

impl Transaction {
    /// An invoke transaction.
    pub fn invoke(transaction: InvokeTransaction, hash: TransactionHash) -> Self {
        Self::new(TransactionBody::Invoke(transaction), hash)
    }

    /// A declare transaction with the class it declares.
    pub fn declare(transaction: DeclareTransaction, class: DeclaredClass, hash: TransactionHash) -> Self {
        Self::new(TransactionBody::Declare { transaction, class }, hash)
    }

    /// A deploy-account transaction; the account's address is computed.
    pub fn deploy_account(
        transaction: DeployAccountTransaction,
        hash: TransactionHash,
    ) -> Result<Self, InvalidTransaction> {
        let address = transaction.calculate_contract_address()?;
        Ok(Self::new(TransactionBody::DeployAccount { transaction, address }, hash))
    }

    /// A deploy transaction; the contract's address is computed.
    pub fn deploy(transaction: DeployTransaction, hash: TransactionHash) -> Result<Self, InvalidTransaction> {
        let address = transaction.calculate_contract_address()?;
        Ok(Self::new(TransactionBody::Deploy { transaction, address }, hash))
    }

    /// An L1 handler, with what was paid for it on L1.
    pub fn l1_handler(transaction: L1HandlerTransaction, paid_fee_on_l1: Fee, hash: TransactionHash) -> Self {
        Self::new(TransactionBody::L1Handler { transaction, paid_fee_on_l1 }, hash)
    }

    /// A transaction with the default flags.
    pub fn new(body: TransactionBody, hash: TransactionHash) -> Self {
        Self { body, hash, flags: ExecutionFlags::default(), cached_validation: None }
    }

    /// The same transaction, to be treated otherwise.
    pub fn with_flags(self, flags: ExecutionFlags) -> Self {
        Self { flags, ..self }
    }

    /// The same transaction, with a validation that [was carried out
    /// before](crate::block::BlockExecutor::validate). It spares work where it still holds, and changes no
    /// result.
    pub fn with_validation(self, validation: Arc<CachedValidation>) -> Self {
        Self { cached_validation: Some(validation), ..self }
    }

    /// Its kind.
    pub fn kind(&self) -> TransactionKind {
        match &self.body {
            TransactionBody::Invoke(_) => TransactionKind::Invoke,
            TransactionBody::Declare { .. } => TransactionKind::Declare,
            TransactionBody::DeployAccount { .. } => TransactionKind::DeployAccount,
            TransactionBody::Deploy { .. } => TransactionKind::Deploy,
            TransactionBody::L1Handler { .. } => TransactionKind::L1Handler,
        }
    }

    /// What its fee is counted in: fri from version 3 on, wei before and for messages from L1 (C47).
    pub fn fee_type(&self) -> FeeType {
        let version = match &self.body {
            TransactionBody::Invoke(transaction) => transaction.version(),
            TransactionBody::Declare { transaction, .. } => transaction.version(),
            TransactionBody::DeployAccount { transaction, .. } => transaction.version(),
            TransactionBody::Deploy { transaction, .. } => transaction.version,
            TransactionBody::L1Handler { transaction, .. } => transaction.version,
        };
        if version < TransactionVersion::THREE { FeeType::Eth } else { FeeType::Strk }
    }

    /// The account whose nonce and balance the transaction uses, or the contract that it deploys; `None` for
    /// a message from L1.
    pub(crate) fn account(&self) -> Option<ContractAddress> {
        let is_message = matches!(self.body, TransactionBody::L1Handler { .. });
        (!is_message).then(|| self.sender())
    }

    /// The account that it is sent by, or the contract that a message is for.
    pub fn sender(&self) -> ContractAddress {
        match &self.body {
            TransactionBody::Invoke(transaction) => transaction.sender_address(),
            TransactionBody::Declare { transaction, .. } => transaction.sender_address(),
            TransactionBody::DeployAccount { address, .. } | TransactionBody::Deploy { address, .. } => {
                *address
            }
            TransactionBody::L1Handler { transaction, .. } => transaction.contract_address,
        }
    }
}
