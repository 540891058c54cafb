//! Where a block runs: the chain, the block's header values and the constants in force.
//!
//! In: the host, once per block. Out: read by every room above. Knows nothing of transactions.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use starknet_api::block::{BlockNumber, BlockTimestamp, FeeType, GasPrice};
use starknet_api::core::{ChainId, ContractAddress};

use super::Constants;

/// The chain: its identity and its fee tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainInfo {
    /// The chain's name as it enters transaction hashes.
    pub chain_id: ChainId,
    /// The token in which version 3 transactions pay.
    pub strk_fee_token: ContractAddress,
    /// The token in which older transactions pay.
    pub eth_fee_token: ContractAddress,
    /// Whether this is a layer 3: messages may then go to any felt, not only to Ethereum addresses
    /// ([C126](crate::rules#c126)).
    #[serde(default)]
    pub is_l3: bool,
}

impl ChainInfo {
    /// The fee token's address.
    pub fn fee_token(&self, fee_type: FeeType) -> ContractAddress {
        match fee_type {
            FeeType::Strk => self.strk_fee_token,
            FeeType::Eth => self.eth_fee_token,
        }
    }
}

/// Prices of the three gases in one token, per unit. Zero is legal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPrices {
    /// Of L1 gas.
    pub l1_gas: GasPrice,
    /// Of L1 data gas.
    pub l1_data_gas: GasPrice,
    /// Of L2 gas.
    pub l2_gas: GasPrice,
}

/// The block's gas prices.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockPrices {
    /// In wei, for transactions that pay in ETH.
    pub wei: TokenPrices,
    /// In fri, for transactions that pay in STRK.
    pub fri: TokenPrices,
}

impl BlockPrices {
    /// The prices in the given token.
    pub fn of(&self, fee_type: FeeType) -> &TokenPrices {
        match fee_type {
            FeeType::Strk => &self.fri,
            FeeType::Eth => &self.wei,
        }
    }
}

/// How the block's state diff reaches L1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataAvailability {
    /// As blobs (EIP-4844): costs L1 data gas.
    #[default]
    Blob,
    /// As calldata: costs L1 gas.
    Calldata,
}

/// The block's header values that execution can see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockInfo {
    /// The block's number.
    pub number: BlockNumber,
    /// Seconds since 1970.
    pub timestamp: BlockTimestamp,
    /// Who receives the fees.
    pub sequencer: ContractAddress,
    /// The gas prices.
    pub prices: BlockPrices,
    /// How state diffs are published.
    pub data_availability: DataAvailability,
}

/// Everything about a block that is fixed before its first transaction. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockEnv {
    /// The header values.
    pub block: Arc<BlockInfo>,
    /// The chain.
    pub chain: Arc<ChainInfo>,
    /// What the protocol version fixes.
    pub constants: Arc<Constants>,
}

impl BlockEnv {
    /// Puts a block's surroundings together.
    pub fn new(block: BlockInfo, chain: ChainInfo, constants: Arc<Constants>) -> Self {
        Self { block: Arc::new(block), chain: Arc::new(chain), constants }
    }

    /// The header values that validation code sees: number and timestamp rounded down, sequencer 0.
    pub fn block_for_validate(&self) -> BlockInfo {
        let limits = &self.constants.limits;
        BlockInfo {
            number: BlockNumber(round_down(self.block.number.0, limits.block_number_rounding)),
            timestamp: BlockTimestamp(round_down(self.block.timestamp.0, limits.timestamp_rounding)),
            sequencer: ContractAddress::default(),
            ..(*self.block).clone()
        }
    }
}

/// `value` rounded down to a multiple of `step`; unchanged when the step is 0.
fn round_down(value: u64, step: u64) -> u64 {
    value.checked_rem(step).map_or(value, |rest| value.saturating_sub(rest))
}
