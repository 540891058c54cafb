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
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use starkiln::starknet_api::core::{ContractAddress, Nonce};
    /// use starkiln::starknet_api::data_availability::DataAvailabilityMode;
    /// use starkiln::starknet_api::transaction::fields::{
    ///     AccountDeploymentData, Calldata, PaymasterData, ProofFacts, Tip, TransactionSignature, ValidResourceBounds,
    /// };
    /// use starkiln::starknet_api::transaction::{InvokeTransaction, InvokeTransactionV3, TransactionHash};
    /// use starkiln::{Felt, Transaction};
    ///
    /// let (token, transfer) = (Felt::from(0x70ce11), Felt::from_hex_unchecked(
    ///     "0x83afd3f4caedc6eebf44246fe54e38c95e3179a5ec9ea81740eca5b482d12e",
    /// ));
    /// // One call: contract, entry point, number of arguments, recipient, low and high half of the amount.
    /// let calldata = vec![Felt::ONE, token, transfer, Felt::THREE, Felt::from(0xb0b), Felt::from(100), Felt::ZERO];
    /// let invoke = InvokeTransactionV3 {
    ///     resource_bounds: ValidResourceBounds::AllResources(Default::default()),
    ///     tip: Tip(0),
    ///     signature: TransactionSignature(Arc::new(vec![])),
    ///     nonce: Nonce(Felt::ZERO),
    ///     sender_address: ContractAddress::from(0xa11ce_u128),
    ///     calldata: Calldata(Arc::new(calldata)),
    ///     nonce_data_availability_mode: DataAvailabilityMode::L1,
    ///     fee_data_availability_mode: DataAvailabilityMode::L1,
    ///     paymaster_data: PaymasterData::default(),
    ///     account_deployment_data: AccountDeploymentData::default(),
    ///     proof_facts: ProofFacts::default(),
    /// };
    /// // The hash is trusted: a node has it from the block or computed it when the transaction came in.
    /// let transaction = Transaction::invoke(InvokeTransaction::V3(invoke), TransactionHash(Felt::from(0x7a)));
    /// assert_eq!(transaction.sender(), ContractAddress::from(0xa11ce_u128));
    /// ```
    pub fn invoke(transaction: InvokeTransaction, hash: TransactionHash) -> Self {
        Self::new(TransactionBody::Invoke(transaction), hash)
    }

    /// Makes a declare transaction.
    ///
    /// ```
    /// use starkiln::class::{DeclaredClass, sierra_class_from_json, sierra_class_hash};
    /// use starkiln::starknet_api::core::{ContractAddress, Nonce};
    /// use starkiln::starknet_api::transaction::fields::{Fee, TransactionSignature};
    /// use starkiln::starknet_api::transaction::{DeclareTransaction, DeclareTransactionV2, TransactionHash};
    /// use starkiln::{Felt, Transaction};
    ///
    /// # let file = concat!(env!("CARGO_MANIFEST_DIR"), "/resources/contracts/account_open.sierra.json");
    /// let sierra = sierra_class_from_json(&std::fs::read(file)?)?;
    /// let class = DeclaredClass::from_sierra(&sierra)?;
    /// let declare = DeclareTransactionV2 {
    ///     max_fee: Fee(1_000_000_000),
    ///     signature: TransactionSignature::default(),
    ///     nonce: Nonce(Felt::ZERO),
    ///     class_hash: sierra_class_hash(&sierra),
    ///     compiled_class_hash: class.class.compiled_class_hash_v2().unwrap_or_default(),
    ///     sender_address: ContractAddress::from(0xa11ce_u128),
    /// };
    /// let hash = TransactionHash(Felt::from(0x7b));
    /// let transaction = Transaction::declare(DeclareTransaction::V2(declare), class, hash);
    /// assert_ne!(transaction.hash, TransactionHash::default());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn declare(transaction: DeclareTransaction, class: DeclaredClass, hash: TransactionHash) -> Self {
        Self::new(TransactionBody::Declare { transaction, class }, hash)
    }

    /// Makes a deploy-account transaction; computes the address of the account.
    ///
    /// ```
    /// use starkiln::starknet_api::core::{ClassHash, Nonce};
    /// use starkiln::starknet_api::transaction::fields::{Calldata, ContractAddressSalt, Fee, TransactionSignature};
    /// use starkiln::starknet_api::transaction::{
    ///     DeployAccountTransaction, DeployAccountTransactionV1, TransactionHash,
    /// };
    /// use starkiln::{Felt, Transaction};
    ///
    /// let deploy = DeployAccountTransactionV1 {
    ///     max_fee: Fee(1_000_000_000),
    ///     signature: TransactionSignature::default(),
    ///     nonce: Nonce(Felt::ZERO),
    ///     class_hash: ClassHash(Felt::from(0xc1a55)),
    ///     contract_address_salt: ContractAddressSalt(Felt::ONE),
    ///     constructor_calldata: Calldata::default(),
    /// };
    /// let hash = TransactionHash(Felt::from(0x7c));
    /// let transaction = Transaction::deploy_account(DeployAccountTransaction::V1(deploy), hash)?;
    /// println!("the account will be at {:#x}", transaction.sender().0.key());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
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
    ///
    /// ```
    /// use std::sync::Arc;
    ///
    /// use starkiln::starknet_api::abi::abi_utils::selector_from_name;
    /// use starkiln::starknet_api::core::{ContractAddress, Nonce};
    /// use starkiln::starknet_api::transaction::fields::{Calldata, Fee};
    /// use starkiln::starknet_api::transaction::{L1HandlerTransaction, TransactionHash, TransactionVersion};
    /// use starkiln::{Felt, Transaction};
    ///
    /// let handler = L1HandlerTransaction {
    ///     version: TransactionVersion::ZERO,
    ///     nonce: Nonce(Felt::ZERO),
    ///     contract_address: ContractAddress::from(0xb41d6e_u128),
    ///     entry_point_selector: selector_from_name("handle_deposit"),
    ///     // The first argument is the sender on L1.
    ///     calldata: Calldata(Arc::new(vec![Felt::from(0xe7), Felt::from(100)])),
    /// };
    /// let transaction = Transaction::l1_handler(handler, Fee(20_000), TransactionHash(Felt::from(0x7d)));
    /// assert_eq!(transaction.sender(), ContractAddress::from(0xb41d6e_u128));
    /// ```
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
