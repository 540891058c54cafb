//! How much a block holds, and what builtins cost to prove.
//!
//! In: presets, or a builder's own figures. Out: limits and prices. Knows no transactions.

use serde::{Deserialize, Serialize};

use super::Weights;
use crate::protocol::{Builtin, BuiltinCounts};

/// How much a block holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// What the block's weights must not go beyond.
    pub limits: Weights,
    /// What builtins cost in [`Weights::proving_gas`].
    pub proving_prices: ProvingPrices,
}

impl Capacity {
    /// What a block of Starknet's mainnet holds, as its sequencers are configured (1.10).
    pub fn mainnet() -> Self {
        Self { limits: MAINNET, proving_prices: ProvingPrices::mainnet() }
    }

    /// No limits: for re-execution, simulation and tests. Builtins are priced as on mainnet.
    pub fn unlimited() -> Self {
        Self { limits: Weights::UNLIMITED, proving_prices: ProvingPrices::mainnet() }
    }
}

/// Full nodes execute what others have built: nothing is too much.
impl Default for Capacity {
    fn default() -> Self {
        Self::unlimited()
    }
}

/// The limits of mainnet (1.10).
const MAINNET: Weights = Weights {
    l1_gas: 2_500_000,
    message_segment_length: 3_700,
    events: 5_000,
    transactions: 600,
    state_diff_size: 4_000,
    sierra_gas: 5_000_000_000,
    proving_gas: 5_000_000_000,
    receipt_l2_gas: 5_800_000_000,
};

/// Instances of each builtin that fit in a proof of a block of mainnet (1.10).
const MAINNET_INSTANCES: [(Builtin, u64); 11] = [
    (Builtin::Pedersen, 2_000_000),
    (Builtin::RangeCheck, 66_666_666),
    (Builtin::RangeCheck96, 33_519_553),
    (Builtin::Poseidon, 600_000),
    (Builtin::Ecdsa, 3_000),
    (Builtin::EcOp, 130_000),
    (Builtin::Bitwise, 10_500_000),
    (Builtin::Keccak, 10_000),
    (Builtin::AddMod, 3_000_000),
    (Builtin::MulMod, 3_000_000),
    (Builtin::Blake, 1_800_000),
];

/// What an instance of each builtin costs in proving gas; 0 for those that are not proven as such.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvingPrices(BuiltinCounts);

impl ProvingPrices {
    /// The prices by which `instances` of a builtin alone use up `proving_gas`, rounded down (1.10). A
    /// builtin without instances costs nothing.
    pub fn from_instances(proving_gas: u64, instances: impl IntoIterator<Item = (Builtin, u64)>) -> Self {
        let prices = instances
            .into_iter()
            .map(|(builtin, instances)| (builtin, proving_gas.checked_div(instances).unwrap_or_default()));
        Self(prices.collect())
    }

    /// The prices of mainnet.
    pub fn mainnet() -> Self {
        Self::from_instances(MAINNET.proving_gas, MAINNET_INSTANCES)
    }

    /// The price of one instance.
    pub fn of(&self, builtin: Builtin) -> u64 {
        self.0.get(builtin)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_are_gas_over_instances_rounded_down() {
        let prices = ProvingPrices::mainnet();
        let of = |builtin| prices.of(builtin);
        assert_eq!(
            [of(Builtin::Pedersen), of(Builtin::RangeCheck), of(Builtin::Poseidon)],
            [2_500, 75, 8_333]
        );
        assert_eq!([of(Builtin::Ecdsa), of(Builtin::Blake)], [1_666_666, 2_777]);
        assert_eq!([of(Builtin::Output), of(Builtin::SegmentArena)], [0, 0]);
        assert_eq!(ProvingPrices::from_instances(5, [(Builtin::Keccak, 0)]), ProvingPrices::default());
    }

    #[test]
    fn a_capacity_can_be_configured_in_json() {
        let text = serde_json::to_string(&Capacity::mainnet()).unwrap();
        assert!(
            text.contains("\"keccak_builtin\":500000") && text.contains("\"transactions\":600"),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<Capacity>(&text).unwrap(), Capacity::mainnet());
        assert_eq!(Capacity::default(), Capacity::unlimited());
    }
}
