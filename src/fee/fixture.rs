//! Blocks and fee terms for the tests of `fee`, with values that are easy to compute with.

use std::sync::Arc;

use starknet_api::block::{BlockNumber, BlockTimestamp, GasPrice};
use starknet_api::core::{ChainId, ContractAddress, Nonce};
use starknet_api::data_availability::DataAvailabilityMode;
use starknet_api::execution_resources::{GasAmount, GasVector};
use starknet_api::transaction::fields::{
    AccountDeploymentData, AllResourceBounds, Fee, PaymasterData, ProofFacts, ResourceBounds, Tip,
    TransactionSignature, ValidResourceBounds,
};
use starknet_api::transaction::{TransactionHash, TransactionVersion};
use starknet_types_core::felt::Felt;

use super::{StateChangesCount, fee_token_balance_key};
use crate::protocol::{
    BlockEnv, BlockInfo, BlockPrices, ChainInfo, Constants, DataAvailability, ProtocolVersion, TokenPrices,
    VersionPolicy,
};
use crate::state::MemoryState;
use crate::syscall::{BoundTerms, FeeTerms, TransactionInfo};

pub(crate) const STRK: u128 = 0x57;
pub(crate) const ETH: u128 = 0xe7;
pub(crate) const SENDER: u128 = 0xacc;

pub(crate) fn constants(version: &str) -> Arc<Constants> {
    Constants::for_version(version.parse::<ProtocolVersion>().unwrap(), VersionPolicy::Exact).unwrap()
}

pub(crate) fn prices(l1_gas: u128, l1_data_gas: u128, l2_gas: u128) -> TokenPrices {
    TokenPrices { l1_gas: GasPrice(l1_gas), l1_data_gas: GasPrice(l1_data_gas), l2_gas: GasPrice(l2_gas) }
}

/// A block of the given version: 100, 30, 2 wei and 1000, 300, 20 fri for L1 gas, L1 data gas, L2 gas.
pub(crate) fn env(version: &str, data_availability: DataAvailability) -> BlockEnv {
    env_with(version, data_availability, BlockPrices { wei: prices(100, 30, 2), fri: prices(1_000, 300, 20) })
}

pub(crate) fn env_with(version: &str, data_availability: DataAvailability, prices: BlockPrices) -> BlockEnv {
    let block = BlockInfo {
        number: BlockNumber(1_000),
        timestamp: BlockTimestamp(1_700_000_000),
        sequencer: ContractAddress::from(0x5e9_u128),
        prices,
        data_availability,
    };
    let chain = ChainInfo {
        chain_id: ChainId::Other("TEST".to_owned()),
        strk_fee_token: ContractAddress::from(STRK),
        eth_fee_token: ContractAddress::from(ETH),
        is_l3: false,
    };
    BlockEnv::new(block, chain, constants(version))
}

fn info(version: TransactionVersion, terms: FeeTerms) -> TransactionInfo {
    TransactionInfo {
        hash: TransactionHash::default(),
        version,
        query: false,
        sender: ContractAddress::from(SENDER),
        signature: TransactionSignature::default(),
        nonce: Nonce::default(),
        terms,
    }
}

pub(crate) fn with_max_fee(fee: u128) -> TransactionInfo {
    info(TransactionVersion::ONE, FeeTerms::MaxFee(Fee(fee)))
}

pub(crate) fn of_version_zero() -> TransactionInfo {
    info(TransactionVersion::ZERO, FeeTerms::MaxFee(Fee(0)))
}

fn with_bounds(bounds: ValidResourceBounds, tip: u64) -> TransactionInfo {
    let terms = BoundTerms {
        bounds,
        tip: Tip(tip),
        nonce_data_availability: DataAvailabilityMode::L1,
        fee_data_availability: DataAvailabilityMode::L1,
        paymaster_data: PaymasterData::default(),
        account_deployment_data: AccountDeploymentData::default(),
        proof_facts: ProofFacts::default(),
    };
    info(TransactionVersion::THREE, FeeTerms::Bounds(Arc::new(terms)))
}

pub(crate) fn bound(max_amount: u64, max_price: u128) -> ResourceBounds {
    ResourceBounds { max_amount: GasAmount(max_amount), max_price_per_unit: GasPrice(max_price) }
}

pub(crate) fn with_l1_gas(max_amount: u64, max_price: u128) -> TransactionInfo {
    with_bounds(ValidResourceBounds::L1Gas(bound(max_amount, max_price)), 0)
}

/// Bounds on all resources, as `(amount, price)` of L1 gas, L1 data gas, L2 gas.
pub(crate) fn with_all(
    l1_gas: (u64, u128),
    l1_data_gas: (u64, u128),
    l2_gas: (u64, u128),
    tip: u64,
) -> TransactionInfo {
    let bounds = AllResourceBounds {
        l1_gas: bound(l1_gas.0, l1_gas.1),
        l1_data_gas: bound(l1_data_gas.0, l1_data_gas.1),
        l2_gas: bound(l2_gas.0, l2_gas.1),
    };
    with_bounds(ValidResourceBounds::AllResources(bounds), tip)
}

pub(crate) fn vector(l1_gas: u64, l1_data_gas: u64, l2_gas: u64) -> GasVector {
    GasVector { l1_gas: GasAmount(l1_gas), l1_data_gas: GasAmount(l1_data_gas), l2_gas: GasAmount(l2_gas) }
}

/// A state in which the sender has this much of a token.
pub(crate) fn rich(token: u128, low: u128, high: u128) -> MemoryState {
    let (token, sender) = (ContractAddress::from(token), ContractAddress::from(SENDER));
    let key = fee_token_balance_key(sender);
    MemoryState::default().with_storage(token, key, Felt::from(low)).with_storage(
        token,
        key.next_storage_key().unwrap(),
        Felt::from(high),
    )
}

/// Changes of every kind: 13 felts of state diff.
pub(crate) fn changes() -> StateChangesCount {
    StateChangesCount {
        storage_updates: 3,
        class_hash_updates: 1,
        compiled_class_hash_updates: 1,
        modified_contracts: 2,
        allocated_cells: 2,
    }
}
