//! Transactions of block files, typed by kind.
//!
//! In: read through [`TransactionFields`]. Out: what the executor takes, once the classes are there. Must not know: state, files.

use serde::{Deserialize, Serialize};
use starknet_api::core::ClassHash;
use starknet_api::transaction::fields::Fee;
use starknet_api::transaction::{
    DeclareTransaction, DeployAccountTransaction, DeployTransaction, InvokeTransaction, L1HandlerTransaction,
    TransactionHash,
};

use super::fields::TransactionFields;
use crate::transaction::ExecutionFlags;

/// A transaction of a block file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "TransactionFields", into = "TransactionFields")]
pub struct FileTransaction {
    /// Its hash; trusted.
    pub hash: TransactionHash,
    /// What it does.
    pub body: FileTransactionBody,
    /// How to treat it.
    pub flags: ExecutionFlags,
}

/// What a transaction of a block file does.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileTransactionBody {
    /// An invoke transaction.
    Invoke(InvokeTransaction),
    /// A declare transaction. The class is among the file's.
    Declare(DeclareTransaction),
    /// A deploy-account transaction.
    DeployAccount(DeployAccountTransaction),
    /// A deploy transaction of before 2022.
    Deploy(DeployTransaction),
    /// A message from L1.
    L1Handler {
        /// The transaction.
        transaction: L1HandlerTransaction,
        /// What was paid for it on L1, in wei.
        paid_fee_on_l1: Fee,
    },
}

impl FileTransaction {
    /// The class that it declares.
    pub fn declares(&self) -> Option<ClassHash> {
        match &self.body {
            FileTransactionBody::Declare(transaction) => Some(transaction.class_hash()),
            _ => None,
        }
    }
}
