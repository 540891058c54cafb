//! The limits of a block, and the proving prices of builtins.
//!
//! Input: presets, or a block builder's own values. Output: limits and prices. Does not know transactions.

use serde::{Deserialize, Serialize};

use super::Weights;
use crate::protocol::{Builtin, BuiltinCounts};

/// The capacity of a block.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capacity {
    /// The limits of the block's weights.
    pub limits: Weights,
    /// The prices of builtins in [`Weights::proving_gas`].
    pub proving_prices: ProvingPrices,
}

impl Capacity {
    /// Returns the capacity of a block on Starknet's mainnet, as its sequencers are configured.
    pub fn mainnet() -> Self {
        Self { limits: MAINNET, proving_prices: ProvingPrices::mainnet() }
    }

    /// Returns a capacity without limits: for re-execution, simulation and tests. Builtins have the prices of
    /// mainnet.
    pub fn unlimited() -> Self {
        Self { limits: Weights::UNLIMITED, proving_prices: ProvingPrices::mainnet() }
    }
}

/// Unlimited: full nodes re-execute blocks that others built.
impl Default for Capacity {
    fn default() -> Self {
        Self::unlimited()
    }
}

/// The limits of mainnet.
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

/// The number of instances of each builtin that fit in the proof of a block of mainnet.
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

/// The price of an instance of each builtin in proving gas; 0 for a builtin that is not proven as such.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProvingPrices(BuiltinCounts);

impl ProvingPrices {
    /// Returns the prices at which `instances` of one builtin use up `proving_gas`, rounded down. A builtin
    /// without instances costs nothing.
    pub fn from_instances(proving_gas: u64, instances: impl IntoIterator<Item = (Builtin, u64)>) -> Self {
        let prices = instances
            .into_iter()
            .map(|(builtin, instances)| (builtin, proving_gas.checked_div(instances).unwrap_or_default()));
        Self(prices.collect())
    }

    /// Returns the prices of mainnet.
    pub fn mainnet() -> Self {
        Self::from_instances(MAINNET.proving_gas, MAINNET_INSTANCES)
    }

    /// Returns the price of one instance.
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
