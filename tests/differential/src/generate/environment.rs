//! A block's environment: the chain and the header.
//!
//! Input: random numbers. Output: what every transaction of the block can see without asking a contract.

use starkiln::block::BlockHashSource;
use starkiln::protocol::{BlockInfo, BlockPrices, ChainInfo, DataAvailability, TokenPrices};
use starknet_api::block::{BlockHash, BlockNumber, BlockTimestamp, GasPrice};
use starknet_api::core::{ChainId, ContractAddress};

use super::accounts::account_address;
use super::at;
use super::random::Random;

/// The demo block's number.
const NUMBER: u64 = 1_234_567;

/// The demo block's time.
const TIMESTAMP: u64 = 1_750_000_123;

/// Chain and header.
#[derive(Clone, Debug)]
pub struct Environment {
    /// The chain.
    pub chain: ChainInfo,
    /// The header.
    pub block: BlockInfo,
    /// The source of block N-10's hash.
    pub block_hash_source: BlockHashSource,
}

impl Environment {
    /// Those of the demo block.
    pub fn usual(random: &mut Random) -> Self {
        Self {
            chain: ChainInfo {
                chain_id: ChainId::Other("SN_STARKILN_DEMO".to_owned()),
                strk_fee_token: ContractAddress::from(at::STRK),
                eth_fee_token: ContractAddress::from(at::ETH),
                is_l3: false,
            },
            block: BlockInfo {
                number: BlockNumber(NUMBER),
                timestamp: BlockTimestamp(TIMESTAMP),
                sequencer: ContractAddress::from(at::SEQUENCER),
                prices: BlockPrices {
                    wei: prices(7_000_000_000, 13, 300_000),
                    fri: prices(31_000_000_000_000, 47_000, 3_000_000_000),
                },
                data_availability: DataAvailability::Blob,
            },
            block_hash_source: BlockHashSource::Hash(BlockHash(random.felt())),
        }
    }

    /// Anything that blockifier can hold. Prices of zero it cannot.
    pub fn odd(random: &mut Random) -> Self {
        let mut odd = Self::usual(random);
        odd.chain.chain_id = match random.below(4) {
            0 => ChainId::Mainnet,
            1 => ChainId::Sepolia,
            _ => odd.chain.chain_id,
        };
        odd.chain.is_l3 = random.once_in(4);
        if random.once_in(2) {
            odd.block.data_availability = DataAvailability::Calldata;
        }
        if random.once_in(3) {
            odd.block.number = BlockNumber(random.below(21));
        }
        odd.block_hash_source = match (odd.block.number.0, odd.block_hash_source) {
            (..10, _) => BlockHashSource::None,
            (_, _) if random.once_in(4) => BlockHashSource::InState,
            (_, block_hash_source) => block_hash_source,
        };
        odd.block.timestamp = BlockTimestamp(match random.below(6) {
            0 => random.below(3),
            1 => TIMESTAMP - TIMESTAMP % 3600,
            2 => TIMESTAMP - TIMESTAMP % 3600 - 1,
            3 => u64::from(u32::MAX) + random.below(3),
            _ => TIMESTAMP,
        });
        // An account or a contract may well be the sequencer.
        odd.block.sequencer = match random.below(8) {
            0 => account_address(0),
            1 => ContractAddress::from(at::NFT),
            2 => ContractAddress::from(1_u128),
            _ => odd.block.sequencer,
        };
        odd.block.prices = match random.below(5) {
            0 => BlockPrices { wei: prices(1, 1, 1), fri: prices(1, 1, 1) },
            1 => BlockPrices {
                wei: prices(random.between(1, 1 << 40).into(), 1, random.between(1, 1 << 20).into()),
                fri: prices(
                    random.between(1, 1 << 44).into(),
                    random.between(1, 1 << 30).into(),
                    random.between(1, 1 << 32).into(),
                ),
            },
            2 => BlockPrices {
                wei: prices(1, random.between(1, 1 << 40).into(), 7),
                fri: prices(3, random.between(1, 1 << 44).into(), random.between(1, 1 << 20).into()),
            },
            _ => odd.block.prices,
        };
        odd
    }
}

fn prices(l1_gas: u128, l1_data_gas: u128, l2_gas: u128) -> TokenPrices {
    TokenPrices { l1_gas: GasPrice(l1_gas), l1_data_gas: GasPrice(l1_data_gas), l2_gas: GasPrice(l2_gas) }
}
