//! The shapes in block files of types that belong to lower rooms: the same fields, read strictly.
//!
//! Input: JSON. Output: those types. A field that does not exist is an error here, and a compile error tells
//! when a type has got a new one. Must not know: what the values mean.

use serde::{Deserialize, Deserializer};
use starknet_api::block::{BlockHash, BlockNumber, BlockTimestamp, GasPrice};
use starknet_api::core::{ChainId, ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::execution_resources::{GasAmount, GasVector};
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::ResourceBounds;
use starknet_types_core::felt::Felt;

use super::strict::Strict;
use crate::block::BlockHashSource;
use crate::protocol::{BlockInfo, BlockPrices, ChainInfo, DataAvailability, TokenPrices};
use crate::state::{StateDiff, StateMap, StateSet};

/// Lets a type be read in the shape of another one.
macro_rules! in_shape {
    ($($shape:ident: $name:ident),* $(,)?) => {$(
        impl Strict for $name {
            fn read<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $shape::deserialize(deserializer)
            }
        }
    )*};
}

in_shape!(
    ChainShape: ChainInfo, BlockShape: BlockInfo, PricesShape: BlockPrices, TokenPricesShape: TokenPrices,
    BlockHashSourceShape: BlockHashSource, GasShape: GasVector, BoundsShape: ResourceBounds, StateDiffShape: StateDiff,
);

#[derive(Deserialize)]
#[serde(remote = "ChainInfo", deny_unknown_fields)]
struct ChainShape {
    #[serde(deserialize_with = "Strict::read")]
    chain_id: ChainId,
    #[serde(deserialize_with = "Strict::read")]
    strk_fee_token: ContractAddress,
    #[serde(deserialize_with = "Strict::read")]
    eth_fee_token: ContractAddress,
    #[serde(default)]
    is_l3: bool,
}

#[derive(Deserialize)]
#[serde(remote = "BlockInfo", deny_unknown_fields)]
struct BlockShape {
    #[serde(deserialize_with = "block_number")]
    number: BlockNumber,
    #[serde(deserialize_with = "block_timestamp")]
    timestamp: BlockTimestamp,
    #[serde(deserialize_with = "Strict::read")]
    sequencer: ContractAddress,
    #[serde(deserialize_with = "Strict::read")]
    prices: BlockPrices,
    #[serde(default)]
    data_availability: DataAvailability,
}

fn block_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BlockNumber, D::Error> {
    u64::read(deserializer).map(BlockNumber)
}

fn block_timestamp<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BlockTimestamp, D::Error> {
    u64::read(deserializer).map(BlockTimestamp)
}

#[derive(Deserialize)]
#[serde(remote = "BlockPrices", deny_unknown_fields)]
struct PricesShape {
    #[serde(deserialize_with = "Strict::read")]
    wei: TokenPrices,
    #[serde(deserialize_with = "Strict::read")]
    fri: TokenPrices,
}

#[derive(Deserialize)]
#[serde(remote = "TokenPrices", deny_unknown_fields)]
struct TokenPricesShape {
    #[serde(deserialize_with = "Strict::read")]
    l1_gas: GasPrice,
    #[serde(deserialize_with = "Strict::read")]
    l1_data_gas: GasPrice,
    #[serde(deserialize_with = "Strict::read")]
    l2_gas: GasPrice,
}

#[derive(Deserialize)]
#[serde(remote = "BlockHashSource", rename_all = "snake_case")]
enum BlockHashSourceShape {
    None,
    Hash(#[serde(deserialize_with = "Strict::read")] BlockHash),
    InState,
}

#[derive(Deserialize)]
#[serde(remote = "GasVector", deny_unknown_fields)]
struct GasShape {
    #[serde(deserialize_with = "Strict::read")]
    l1_gas: GasAmount,
    #[serde(deserialize_with = "Strict::read")]
    l1_data_gas: GasAmount,
    #[serde(deserialize_with = "Strict::read")]
    l2_gas: GasAmount,
}

#[derive(Deserialize)]
#[serde(remote = "ResourceBounds", deny_unknown_fields)]
struct BoundsShape {
    #[serde(deserialize_with = "Strict::read")]
    max_amount: GasAmount,
    #[serde(deserialize_with = "Strict::read")]
    max_price_per_unit: GasPrice,
}

/// Every part may be left out when it is empty.
#[derive(Deserialize)]
#[serde(remote = "StateDiff", deny_unknown_fields)]
struct StateDiffShape {
    #[serde(default, deserialize_with = "Strict::read")]
    storage: StateMap<ContractAddress, StateMap<StorageKey, Felt>>,
    #[serde(default, deserialize_with = "Strict::read")]
    nonces: StateMap<ContractAddress, Nonce>,
    #[serde(default, deserialize_with = "Strict::read")]
    deployed: StateMap<ContractAddress, ClassHash>,
    #[serde(default, deserialize_with = "Strict::read")]
    replaced: StateMap<ContractAddress, ClassHash>,
    #[serde(default, deserialize_with = "Strict::read")]
    declared: StateMap<ClassHash, CompiledClassHash>,
    #[serde(default, deserialize_with = "Strict::read")]
    deprecated_declared: StateSet<ClassHash>,
    #[serde(default, deserialize_with = "Strict::read")]
    migrated: StateMap<ClassHash, CompiledClassHash>,
}
