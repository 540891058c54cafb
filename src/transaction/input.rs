//! Transactions as the host passes them.
//!
//! Input of `plan`. Knows nothing of how they are executed.

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
    /// The transaction itself, by kind.
    pub body: TransactionBody,
    /// The transaction hash. It is trusted, not recomputed; contracts see it, and signatures sign it.
    pub hash: TransactionHash,
    /// The execution flags.
    pub flags: ExecutionFlags,
    /// The result of its validation, if that was carried out before.
    pub(super) cached_validation: Option<Arc<CachedValidation>>,
}

/// A transaction by kind.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum TransactionBody {
    /// An invocation: calls contracts through an account.
    Invoke(InvokeTransaction),
    /// A declaration of a class.
    Declare {
        /// The transaction.
        transaction: DeclareTransaction,
        /// The class.
        class: DeclaredClass,
    },
    /// A deployment of an account, which pays for it.
    DeployAccount {
        /// The transaction.
        transaction: DeployAccountTransaction,
        /// The account's address.
        address: ContractAddress,
    },
    /// A deployment of a contract as it was possible until 2022: without account, nonce and fee.
    Deploy {
        /// The transaction.
        transaction: DeployTransaction,
        /// The contract's address.
        address: ContractAddress,
    },
    /// A message from L1.
    L1Handler {
        /// The transaction.
        transaction: L1HandlerTransaction,
        /// The fee paid on L1, in wei; must not be 0 ([C46](crate::rules#c46)).
        paid_fee_on_l1: Fee,
    },
}

/// Options for the execution of one transaction. The default is what a sequencer does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExecutionFlags {
    /// Simulates: contracts see a version with the query bit.
    pub query: bool,
    /// Checks bounds and balance, and transfers the fee ([C6](crate::rules#c6)). The receipt has the fee in
    /// any case.
    pub charge_fee: bool,
    /// Runs `__validate__*` ([C15](crate::rules#c15)).
    pub validate: bool,
    /// Requires the account's next nonce; otherwise later nonces are admitted too ([C4](crate::rules#c4)).
    pub strict_nonce: bool,
}

impl Default for ExecutionFlags {
    fn default() -> Self {
        Self { query: false, charge_fee: true, validate: true, strict_nonce: true }
    }
}

impl Transaction {
    /// Makes an invoke transaction.
    pub fn invoke(transaction: InvokeTransaction, hash: TransactionHash) -> Self {
        Self::new(TransactionBody::Invoke(transaction), hash)
    }

    /// Makes a declare transaction.
    pub fn declare(transaction: DeclareTransaction, class: DeclaredClass, hash: TransactionHash) -> Self {
        Self::new(TransactionBody::Declare { transaction, class }, hash)
    }

    /// Makes a deploy-account transaction; computes the address of the account.
    pub fn deploy_account(
        transaction: DeployAccountTransaction,
        hash: TransactionHash,
    ) -> Result<Self, InvalidTransaction> {
        let address = transaction.calculate_contract_address()?;
        Ok(Self::new(TransactionBody::DeployAccount { transaction, address }, hash))
    }

    /// Makes a deploy transaction; computes the address of the contract.
    pub fn deploy(transaction: DeployTransaction, hash: TransactionHash) -> Result<Self, InvalidTransaction> {
        let address = transaction.calculate_contract_address()?;
        Ok(Self::new(TransactionBody::Deploy { transaction, address }, hash))
    }

    /// Makes an L1 handler transaction with the fee paid on L1, in wei.
    pub fn l1_handler(transaction: L1HandlerTransaction, paid_fee_on_l1: Fee, hash: TransactionHash) -> Self {
        Self::new(TransactionBody::L1Handler { transaction, paid_fee_on_l1 }, hash)
    }

    /// Makes a transaction with the default flags.
    pub fn new(body: TransactionBody, hash: TransactionHash) -> Self {
        Self { body, hash, flags: ExecutionFlags::default(), cached_validation: None }
    }

    /// Sets the execution flags.
    #[must_use]
    pub fn with_flags(self, flags: ExecutionFlags) -> Self {
        Self { flags, ..self }
    }

    /// Sets the result of a validation that [was carried out before](crate::block::BlockExecutor::validate).
    /// It is used where it is still valid, and changes no result.
    #[must_use]
    pub fn with_validation(self, validation: Arc<CachedValidation>) -> Self {
        Self { cached_validation: Some(validation), ..self }
    }

    /// Returns the kind.
    pub fn kind(&self) -> TransactionKind {
        match &self.body {
            TransactionBody::Invoke(_) => TransactionKind::Invoke,
            TransactionBody::Declare { .. } => TransactionKind::Declare,
            TransactionBody::DeployAccount { .. } => TransactionKind::DeployAccount,
            TransactionBody::Deploy { .. } => TransactionKind::Deploy,
            TransactionBody::L1Handler { .. } => TransactionKind::L1Handler,
        }
    }

    /// Returns the unit of the fee: fri from version 3 on, wei before and for messages from L1
    /// ([C47](crate::rules#c47)).
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

    /// Returns the account whose nonce and balance the transaction uses, or the contract that it deploys;
    /// `None` for a message from L1.
    pub(crate) fn account(&self) -> Option<ContractAddress> {
        let is_message = matches!(self.body, TransactionBody::L1Handler { .. });
        (!is_message).then(|| self.sender())
    }

    /// Returns the account that sends the transaction, or the contract that it deploys or that a message is
    /// for.
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
