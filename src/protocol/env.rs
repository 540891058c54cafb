//! The environment of a block: the chain, the block's header values and the constants in force.
//!
//! Input: the host, once per block. Output: read by every other module. Must not know transactions.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use starknet_api::block::{BlockNumber, BlockTimestamp, FeeType, GasPrice};
use starknet_api::core::{ChainId, ContractAddress};

use super::Constants;

/// The chain: its identity and its fee tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainInfo {
    /// The chain id, which is part of transaction hashes.
    pub chain_id: ChainId,
    /// The token that pays the fees of version 3 transactions.
    pub strk_fee_token: ContractAddress,
    /// The token that pays the fees of older transactions.
    pub eth_fee_token: ContractAddress,
    /// `true` on a layer 3, where messages may go to any felt, not only to Ethereum addresses
    /// ([C126](crate::rules#c126)).
    #[serde(default)]
    pub is_l3: bool,
}

impl ChainInfo {
    /// Returns the address of the fee token.
    pub fn fee_token(&self, fee_type: FeeType) -> ContractAddress {
        match fee_type {
            FeeType::Strk => self.strk_fee_token,
            FeeType::Eth => self.eth_fee_token,
        }
    }
}

/// The prices of the three gases in one token, per unit. 0 is legal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPrices {
    /// The price of L1 gas.
    pub l1_gas: GasPrice,
    /// The price of L1 data gas.
    pub l1_data_gas: GasPrice,
    /// The price of L2 gas.
    pub l2_gas: GasPrice,
}

/// The gas prices of a block.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockPrices {
    /// The prices in wei, for transactions that pay in ETH.
    pub wei: TokenPrices,
    /// The prices in fri, for transactions that pay in STRK.
    pub fri: TokenPrices,
}

impl BlockPrices {
    /// Returns the prices in the given token.
    pub fn of(&self, fee_type: FeeType) -> &TokenPrices {
        match fee_type {
            FeeType::Strk => &self.fri,
            FeeType::Eth => &self.wei,
        }
    }
}

/// The form in which the state diff of a block is published on L1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DataAvailability {
    /// Blobs (EIP-4844), which cost L1 data gas.
    #[default]
    Blob,
    /// Calldata, which costs L1 gas.
    Calldata,
}

/// The header values of a block that execution can see.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BlockInfo {
    /// The block number.
    pub number: BlockNumber,
    /// The timestamp, in seconds since 1970.
    pub timestamp: BlockTimestamp,
    /// The address of the sequencer, which receives the fees.
    pub sequencer: ContractAddress,
    /// The gas prices.
    pub prices: BlockPrices,
    /// The form in which the state diff is published.
    pub data_availability: DataAvailability,
}

/// The environment of a block: all values that are fixed before its first transaction. Cheap to clone.
#[derive(Clone, Debug, PartialEq)]
pub struct BlockEnv {
    /// The header values.
    pub block: Arc<BlockInfo>,
    /// The chain.
    pub chain: Arc<ChainInfo>,
    /// The constants of the protocol version.
    pub constants: Arc<Constants>,
}

impl BlockEnv {
    /// Creates the environment of a block.
    ///
    /// ```
    /// use starkiln::BlockEnv;
    /// use starkiln::protocol::{
    ///     BlockInfo, BlockPrices, ChainInfo, Constants, DataAvailability, ProtocolVersion, TokenPrices, VersionPolicy,
    /// };
    /// use starkiln::starknet_api::block::{BlockNumber, BlockTimestamp, GasPrice};
    /// use starkiln::starknet_api::core::{ChainId, ContractAddress};
    ///
    /// let prices = TokenPrices { l1_gas: GasPrice(1_000), l1_data_gas: GasPrice(300), l2_gas: GasPrice(20) };
    /// let block = BlockInfo {
    ///     number: BlockNumber(7),
    ///     timestamp: BlockTimestamp(1_700_000_000),
    ///     sequencer: ContractAddress::from(0x5e9_u128),
    ///     prices: BlockPrices { wei: prices, fri: prices },
    ///     data_availability: DataAvailability::Blob,
    /// };
    /// let chain = ChainInfo {
    ///     chain_id: ChainId::Sepolia,
    ///     strk_fee_token: ContractAddress::from(0x70ce11_u128),
    ///     eth_fee_token: ContractAddress::from(0x70ce12_u128),
    ///     is_l3: false,
    /// };
    /// let constants = Constants::for_version(ProtocolVersion::V0_14_4, VersionPolicy::Exact)?;
    /// let env = BlockEnv::new(block, chain, constants);
    /// assert_eq!(env.block.number.0, 7);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(block: BlockInfo, chain: ChainInfo, constants: Arc<Constants>) -> Self {
        Self { block: Arc::new(block), chain: Arc::new(chain), constants }
    }

    /// Returns the header values that validation sees: number and timestamp rounded down, sequencer 0.
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
    value.checked_rem(step).map_or(value, |remainder| value.saturating_sub(remainder))
}
