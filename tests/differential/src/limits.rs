//! The capacity of a block, for both executors.
//!
//! Input: nothing, or limits to try. Output: starkiln's capacity and blockifier's bouncer configuration,
//! which mean the same.

use std::num::NonZeroU64;

use blockifier::bouncer::{BouncerConfig, BouncerWeights, BuiltinInstanceLimits};
use starkiln::block::{Capacity, ProvingPrices, Weights};
use starkiln::protocol::Builtin;
use starknet_api::execution_resources::GasAmount;

/// The capacity of a block in blockifier's terms: builtins are priced by the number of them that uses up the
/// proving gas.
#[derive(Clone, Debug, PartialEq)]
pub struct Limits {
    /// The limits.
    pub weights: Weights,
    /// Instances of each builtin that use up the proving gas.
    pub instances: Vec<(Builtin, u64)>,
}

impl Limits {
    /// Mainnet's limits: blockifier's defaults.
    pub fn mainnet() -> Self {
        let BuiltinInstanceLimits {
            pedersen,
            range_check,
            range_check96,
            poseidon,
            ecdsa,
            ecop,
            bitwise,
            keccak,
            add_mod,
            mul_mod,
            blake,
        } = BuiltinInstanceLimits::default();
        let instances = [
            (Builtin::Pedersen, pedersen),
            (Builtin::RangeCheck, range_check),
            (Builtin::RangeCheck96, range_check96),
            (Builtin::Poseidon, poseidon),
            (Builtin::Ecdsa, ecdsa),
            (Builtin::EcOp, ecop),
            (Builtin::Bitwise, bitwise),
            (Builtin::Keccak, keccak),
            (Builtin::AddMod, add_mod),
            (Builtin::MulMod, mul_mod),
            (Builtin::Blake, blake),
        ];
        let instances = instances.map(|(builtin, count)| (builtin, count.get())).to_vec();
        Self { weights: weights(&BouncerWeights::default()), instances }
    }

    /// No limits, at mainnet's prices. For blockifier the prices follow from the limit on proving gas, which
    /// is very high, and so are the numbers of instances.
    pub fn none() -> Self {
        const TIMES: u64 = 1_000_000;
        let Self { weights, instances } = Self::mainnet();
        let proving_gas = weights.proving_gas * TIMES;
        Self {
            weights: Weights { proving_gas, ..Weights::UNLIMITED },
            instances: instances.into_iter().map(|(builtin, count)| (builtin, count * TIMES)).collect(),
        }
    }

    /// For starkiln.
    pub fn ours(&self) -> Capacity {
        let proving_prices =
            ProvingPrices::from_instances(self.weights.proving_gas, self.instances.iter().copied());
        Capacity { limits: self.weights, proving_prices }
    }

    /// For blockifier.
    pub fn theirs(&self) -> BouncerConfig {
        let of = |wanted| {
            let found = self.instances.iter().find(|(builtin, _)| *builtin == wanted);
            NonZeroU64::new(found.expect("all are there").1).expect("none is zero")
        };
        let Weights {
            l1_gas,
            message_segment_length,
            events,
            transactions,
            state_diff_size,
            sierra_gas,
            proving_gas,
            receipt_l2_gas,
        } = self.weights;
        BouncerConfig {
            block_max_capacity: BouncerWeights {
                l1_gas: l1_gas as usize,
                message_segment_length: message_segment_length as usize,
                n_events: events as usize,
                state_diff_size: state_diff_size as usize,
                sierra_gas: GasAmount(sierra_gas),
                n_txs: transactions as usize,
                proving_gas: GasAmount(proving_gas),
                receipt_l2_gas: GasAmount(receipt_l2_gas),
            },
            builtin_instance_limits: BuiltinInstanceLimits {
                pedersen: of(Builtin::Pedersen),
                range_check: of(Builtin::RangeCheck),
                range_check96: of(Builtin::RangeCheck96),
                poseidon: of(Builtin::Poseidon),
                ecdsa: of(Builtin::Ecdsa),
                ecop: of(Builtin::EcOp),
                bitwise: of(Builtin::Bitwise),
                keccak: of(Builtin::Keccak),
                add_mod: of(Builtin::AddMod),
                mul_mod: of(Builtin::MulMod),
                blake: of(Builtin::Blake),
            },
        }
    }
}

/// Blockifier's weights as starkiln's.
pub fn weights(theirs: &BouncerWeights) -> Weights {
    let BouncerWeights {
        l1_gas,
        message_segment_length,
        n_events,
        state_diff_size,
        sierra_gas,
        n_txs,
        proving_gas,
        receipt_l2_gas,
    } = *theirs;
    Weights {
        l1_gas: l1_gas as u64,
        message_segment_length: message_segment_length as u64,
        events: n_events as u64,
        transactions: n_txs as u64,
        state_diff_size: state_diff_size as u64,
        sierra_gas: sierra_gas.0,
        proving_gas: proving_gas.0,
        receipt_l2_gas: receipt_l2_gas.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_preset_is_blockifiers_default() {
        assert_eq!(Limits::mainnet().ours(), Capacity::mainnet());
        assert_eq!(Limits::mainnet().theirs(), BouncerConfig::default());
        assert_eq!(Limits::none().ours().proving_prices, Capacity::unlimited().proving_prices);
    }
}
