//! The transactions of a block file, typed by kind.
//!
//! Input: deserialised through [`TransactionFields`]. Output: executable transactions, once the classes are
//! loaded. Must not know: state, files.

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
    /// The transaction hash; trusted.
    pub hash: TransactionHash,
    /// The content, by kind.
    pub body: FileTransactionBody,
    /// The execution flags.
    pub flags: ExecutionFlags,
}

/// The content of a transaction of a block file, by kind.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FileTransactionBody {
    /// An invoke transaction.
    Invoke(InvokeTransaction),
    /// A declare transaction. Its class is among the file's classes.
    Declare(DeclareTransaction),
    /// A deploy-account transaction.
    DeployAccount(DeployAccountTransaction),
    /// A deploy transaction of before 2022.
    Deploy(DeployTransaction),
    /// A message from L1.
    L1Handler {
        /// The transaction.
        transaction: L1HandlerTransaction,
        /// The fee that was paid on L1, in wei.
        paid_fee_on_l1: Fee,
    },
}

impl FileTransaction {
    /// The class that the transaction declares.
    pub fn declares(&self) -> Option<ClassHash> {
        match &self.body {
            FileTransactionBody::Declare(transaction) => Some(transaction.class_hash()),
            _ => None,
        }
    }
}
