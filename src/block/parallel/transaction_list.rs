//! The transactions of a block that is executed in parallel, by their place in it.
//!
//! In: all of them at once, or one batch after another while earlier ones run. Out: each by its place, and which one before it
//! it depends on for certain.

use std::ops::Deref;
use std::sync::{Arc, PoisonError, RwLock};

use starknet_api::core::ContractAddress;

use crate::state::StateMap;
use crate::transaction::Transaction;

/// Transactions; more can be added behind them.
#[derive(Default)]
pub(in crate::block) struct TransactionList<'b>(RwLock<List<'b>>);

#[derive(Default)]
struct List<'b> {
    entries: Vec<Entry<'b>>,
    /// The last transaction of each sender.
    last: StateMap<ContractAddress, usize>,
}

struct Entry<'b> {
    transaction: Held<'b>,
    /// The one before it of the same sender: its nonce and its balance come from there.
    predecessor: Option<usize>,
}

/// A transaction, lent by the host or handed over.
#[derive(Clone)]
pub(in crate::block) enum Held<'b> {
    Lent(&'b Transaction),
    Owned(Arc<Transaction>),
}

impl Deref for Held<'_> {
    type Target = Transaction;

    fn deref(&self) -> &Transaction {
        match self {
            Self::Lent(transaction) => transaction,
            Self::Owned(transaction) => transaction,
        }
    }
}

impl<'b> TransactionList<'b> {
    /// The host's transactions where they are.
    pub(in crate::block) fn lent(transactions: &'b [Transaction]) -> Self {
        let list = Self::default();
        list.add(transactions.iter().map(Held::Lent));
        list
    }

    /// Adds transactions behind those that there are.
    pub(in crate::block) fn add(&self, transactions: impl IntoIterator<Item = Held<'b>>) {
        let mut list = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let List { entries, last } = &mut *list;
        for transaction in transactions {
            let predecessor = transaction.account().and_then(|account| last.insert(account, entries.len()));
            entries.push(Entry { transaction, predecessor });
        }
    }

    /// The transaction at a place.
    pub(in crate::block) fn at(&self, index: usize) -> Option<Held<'b>> {
        self.get(index, |entry| entry.transaction.clone())
    }

    /// The one before it of the same sender.
    pub(in crate::block) fn predecessor(&self, index: usize) -> Option<usize> {
        self.get(index, |entry| entry.predecessor).flatten()
    }

    fn get<V>(&self, index: usize, value: impl FnOnce(&Entry<'b>) -> V) -> Option<V> {
        let list = self.0.read().unwrap_or_else(PoisonError::into_inner);
        list.entries.get(index).map(value)
    }
}
