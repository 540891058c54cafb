//! The eight weights that a block is filled by.
//!
//! In: numbers. Out: sums, and which of them go beyond a limit. Knows neither transactions nor prices.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How much of a block something takes (C203), or how much there is room for.
///
/// Sums stop at [`u64::MAX`], which only a limit of [`u64::MAX`], that is none, has room for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Weights {
    /// L1 gas that messages cost in the Starknet contract; what they cost in the verifier is not in it.
    pub l1_gas: u64,
    /// Felts of the messages in the block's output, headers included.
    pub message_segment_length: u64,
    /// Events, those of the fee transfer not counted.
    pub events: u64,
    /// Transactions, reverted ones included (C246).
    pub transactions: u64,
    /// Felts of the published state diff. A cell counts with the first transaction that changes it, and stays
    /// counted when a later one sets it back (C213).
    pub state_diff_size: u64,
    /// Sierra gas of all computation, with the classes to hash, the storage tries and the migrations (C204).
    pub sierra_gas: u64,
    /// Gas of proving it, where each builtin has a price of its own (C205).
    pub proving_gas: u64,
    /// L2 gas of the receipts.
    pub receipt_l2_gas: u64,
}

/// One of the weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Weight {
    /// [`Weights::l1_gas`].
    L1Gas,
    /// [`Weights::message_segment_length`].
    MessageSegmentLength,
    /// [`Weights::events`].
    Events,
    /// [`Weights::transactions`].
    Transactions,
    /// [`Weights::state_diff_size`].
    StateDiffSize,
    /// [`Weights::sierra_gas`].
    SierraGas,
    /// [`Weights::proving_gas`].
    ProvingGas,
    /// [`Weights::receipt_l2_gas`].
    ReceiptL2Gas,
}

impl Weight {
    /// All of them, in the order of [`Weights`].
    pub const ALL: [Self; 8] = [
        Self::L1Gas,
        Self::MessageSegmentLength,
        Self::Events,
        Self::Transactions,
        Self::StateDiffSize,
        Self::SierraGas,
        Self::ProvingGas,
        Self::ReceiptL2Gas,
    ];
}

impl fmt::Display for Weight {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::L1Gas => "L1 gas",
            Self::MessageSegmentLength => "message segment length",
            Self::Events => "events",
            Self::Transactions => "transactions",
            Self::StateDiffSize => "state diff size",
            Self::SierraGas => "Sierra gas",
            Self::ProvingGas => "proving gas",
            Self::ReceiptL2Gas => "L2 gas of receipts",
        })
    }
}

impl Weights {
    /// Nothing.
    pub const ZERO: Self = Self {
        l1_gas: 0,
        message_segment_length: 0,
        events: 0,
        transactions: 0,
        state_diff_size: 0,
        sierra_gas: 0,
        proving_gas: 0,
        receipt_l2_gas: 0,
    };

    /// No limit.
    pub const UNLIMITED: Self = Self {
        l1_gas: u64::MAX,
        message_segment_length: u64::MAX,
        events: u64::MAX,
        transactions: u64::MAX,
        state_diff_size: u64::MAX,
        sierra_gas: u64::MAX,
        proving_gas: u64::MAX,
        receipt_l2_gas: u64::MAX,
    };

    /// One of them.
    pub fn get(&self, weight: Weight) -> u64 {
        match weight {
            Weight::L1Gas => self.l1_gas,
            Weight::MessageSegmentLength => self.message_segment_length,
            Weight::Events => self.events,
            Weight::Transactions => self.transactions,
            Weight::StateDiffSize => self.state_diff_size,
            Weight::SierraGas => self.sierra_gas,
            Weight::ProvingGas => self.proving_gas,
            Weight::ReceiptL2Gas => self.receipt_l2_gas,
        }
    }

    /// The sum, weight by weight.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            l1_gas: self.l1_gas.saturating_add(other.l1_gas),
            message_segment_length: self.message_segment_length.saturating_add(other.message_segment_length),
            events: self.events.saturating_add(other.events),
            transactions: self.transactions.saturating_add(other.transactions),
            state_diff_size: self.state_diff_size.saturating_add(other.state_diff_size),
            sierra_gas: self.sierra_gas.saturating_add(other.sierra_gas),
            proving_gas: self.proving_gas.saturating_add(other.proving_gas),
            receipt_l2_gas: self.receipt_l2_gas.saturating_add(other.receipt_l2_gas),
        }
    }

    /// The weights that go beyond `limits`, in the order of [`Weight::ALL`]; none if there is room for all of
    /// this. What reaches its limit exactly fits.
    pub fn beyond(&self, limits: &Self) -> Vec<Exceeded> {
        Weight::ALL
            .into_iter()
            .map(|weight| Exceeded { weight, limit: limits.get(weight), needed: self.get(weight) })
            .filter(|exceeded| exceeded.needed > exceeded.limit)
            .collect()
    }
}

/// A weight that goes beyond its limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exceeded {
    /// Which.
    pub weight: Weight,
    /// The limit.
    pub limit: u64,
    /// What there would have to be room for.
    pub needed: u64,
}

impl fmt::Display for Exceeded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { weight, limit, needed } = self;
        write!(formatter, "{weight} {needed} of {limit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reaches_a_limit_fits() {
        let limits = Weights { events: 5, sierra_gas: 7, ..Weights::UNLIMITED };
        let used = Weights { events: 5, sierra_gas: 8, ..Weights::ZERO };
        let exceeded = [Exceeded { weight: Weight::SierraGas, limit: 7, needed: 8 }];
        assert_eq!(used.beyond(&limits), exceeded);
        assert_eq!(exceeded[0].to_string(), "Sierra gas 8 of 7");
        assert!(used.beyond(&Weights::UNLIMITED).is_empty());
    }

    #[test]
    fn a_sum_beyond_64_bits_fits_nowhere_but_without_limits() {
        let half = Weights { proving_gas: u64::MAX - 1, ..Weights::ZERO };
        let sum = half.plus(&half);
        assert_eq!(sum.proving_gas, u64::MAX);
        assert!(sum.beyond(&Weights::UNLIMITED).is_empty());
        let limits = Weights { proving_gas: u64::MAX - 1, ..Weights::UNLIMITED };
        assert_eq!(sum.beyond(&limits).len(), 1);
    }

    #[test]
    fn each_weight_names_its_own_field() {
        let weights = Weights {
            l1_gas: 0,
            message_segment_length: 1,
            events: 2,
            transactions: 3,
            state_diff_size: 4,
            sierra_gas: 5,
            proving_gas: 6,
            receipt_l2_gas: 7,
        };
        assert_eq!(Weight::ALL.map(|weight| weights.get(weight)), [0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(Weight::ALL.map(|weight| weights.plus(&weights).get(weight)), [0, 2, 4, 6, 8, 10, 12, 14]);
    }
}
