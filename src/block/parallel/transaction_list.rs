//! The transactions of a block that is executed in parallel, by index.
//!
//! Input: all transactions at once, or batches while earlier ones run. Output: each transaction by its index,
//! and the earlier one that it is known to depend on.

use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};

use starknet_api::core::ContractAddress;

use crate::state::StateMap;
use crate::transaction::Transaction;

/// A list of transactions that can be appended to while it is read.
#[derive(Default)]
pub(in crate::block) struct TransactionList<'b>(RwLock<List<'b>>);

#[derive(Default)]
struct List<'b> {
    entries: Vec<Entry<'b>>,
    /// The index of each sender's last transaction.
    last: StateMap<ContractAddress, usize>,
}

struct Entry<'b> {
    transaction: TransactionRef<'b>,
    /// The sender's previous transaction, which this one depends on by nonce and balance.
    predecessor: Option<usize>,
}

/// A transaction that is borrowed from the host or owned.
#[derive(Clone)]
pub(in crate::block) enum TransactionRef<'b> {
    Borrowed(&'b Transaction),
    Owned(Arc<Transaction>),
}

impl Deref for TransactionRef<'_> {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        match self {
            Self::Borrowed(transaction) => transaction,
            Self::Owned(transaction) => transaction,
        }
    }
}

impl<'b> TransactionList<'b> {
    /// Creates a list of the host's transactions.
    pub(super) fn borrowed(transactions: &'b [Transaction]) -> Self {
        let list = Self::default();
        list.append(transactions.iter().map(TransactionRef::Borrowed));
        list
    }

    /// Appends transactions.
    pub(in crate::block) fn append(&self, transactions: impl IntoIterator<Item = TransactionRef<'b>>) {
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let List { entries, last } = &mut *list;
        for transaction in transactions {
            let predecessor = transaction.account().and_then(|account| last.insert(account, entries.len()));
            entries.push(Entry { transaction, predecessor });
        }
    }

    /// Returns the transaction at an index.
    pub(in crate::block) fn at(&self, index: usize) -> Option<TransactionRef<'b>> {
        self.get(index, |entry| entry.transaction.clone())
    }

    /// Returns the index of the sender's previous transaction.
    pub(super) fn predecessor(&self, index: usize) -> Option<usize> {
        self.get(index, |entry| entry.predecessor).flatten()
    }

    fn get<V>(&self, index: usize, value: impl FnOnce(&Entry<'b>) -> V) -> Option<V> {
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner);
        list.entries.get(index).map(value)
    }
}
