//! The time that executing a block takes, by the ending of its transactions.
//!
//! Input: a call after each transaction. Output: sums and rates. Transactions must be executed one after
//! another.

use std::time::{Duration, Instant};

use starkiln::block::TransactionStatus;

/// The endings, in the order in which they are printed.
pub(super) const STATUSES: [TransactionStatus; 3] =
    [TransactionStatus::Succeeded, TransactionStatus::Reverted, TransactionStatus::Invalid];

/// A number of transactions and the time they took.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Share {
    pub transactions: usize,
    pub time: Duration,
}

/// One execution of the block.
#[derive(Debug)]
pub(super) struct Timing {
    last: Instant,
    by_status: [Share; 3],
    /// All transactions, with opening and closing the block.
    pub total: Share,
}

impl Timing {
    /// Starts the clock.
    pub(super) fn start() -> Self {
        Self { last: Instant::now(), by_status: Default::default(), total: Share::default() }
    }

    /// Adds the time since the last call to a transaction that has just ended.
    pub(super) fn add(&mut self, status: TransactionStatus) {
        let time = self.lap();
        self.total.transactions = self.total.transactions.saturating_add(1);
        if let Some((_, share)) = STATUSES.iter().zip(&mut self.by_status).find(|(it, _)| **it == status) {
            share.transactions = share.transactions.saturating_add(1);
            share.time = share.time.saturating_add(time);
        }
    }

    /// Stops the clock, after the block was closed.
    pub(super) fn stop(&mut self) {
        self.lap();
    }

    /// The transactions with each ending, with the time they took.
    pub(super) fn by_status(&self) -> impl Iterator<Item = (TransactionStatus, Share)> {
        STATUSES.into_iter().zip(self.by_status)
    }

    fn lap(&mut self) -> Duration {
        let now = Instant::now();
        let time = now.duration_since(self.last);
        self.last = now;
        self.total.time = self.total.time.saturating_add(time);
        time
    }
}
