//! Block files.

mod fields;
mod file;
mod shape;
mod strict;
mod transaction;

pub use self::file::{
    BlockFile, ClassEntry, ClassText, ContractState, Expected, ExpectedTransaction, InitialState,
};
pub use self::transaction::{FileTransaction, FileTransactionBody};
