//! The published blockifier, fed with our inputs.
//!
//! In: a block's surroundings, starkiln transactions, classes as CASM. Out: what blockifier made of each transaction, as a view
//! (see [`crate::view`]). Knows nothing of starkiln's results.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use blockifier::blockifier::block::pre_process_block;
use blockifier::blockifier_versioned_constants::VersionedConstants;
use blockifier::bouncer::BouncerConfig;
use blockifier::context::{BlockContext, ChainInfo, FeeTokenAddresses};
use blockifier::execution::contract_class::RunnableCompiledClass;
use blockifier::state::cached_state::{CachedState, TransactionalState};
use blockifier::state::errors::StateError;
use blockifier::state::state_api::{StateReader as PeerStateReader, StateResult};
use blockifier::transaction::account_transaction::{AccountTransaction, ExecutionFlags};
use blockifier::transaction::objects::{TransactionExecutionInfo, TransactionExecutionResult};
use blockifier::transaction::transactions::ExecutableTransaction;
use serde_json::Value;
use starkiln::block::OldBlock;
use starkiln::protocol::{BlockEnv, DataAvailability, TokenPrices};
use starkiln::state::{MemoryState, StateReader};
use starkiln::transaction::{Transaction, TransactionBody};
use starknet_api::block::{
    BlockHashAndNumber, BlockInfo, BlockNumber, GasPrice, GasPriceVector, GasPrices, NonzeroGasPrice,
    StarknetVersion,
};
use starknet_api::contract_class::ClassInfo;
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::executable_transaction::{
    AccountTransaction as ApiAccountTransaction, DeclareTransaction, DeployAccountTransaction,
    InvokeTransaction, L1HandlerTransaction,
};
use starknet_api::state::StorageKey;
use starknet_api::versioned_constants_logic::VersionedConstantsTrait;
use starknet_types_core::felt::Felt;

use crate::input::{ClassSources, Input};
use crate::view::theirs;

/// The classes of a block as blockifier runs them, prepared once for many runs.
pub type PeerClasses = Arc<HashMap<ClassHash, RunnableCompiledClass>>;

/// Prepares classes the way blockifier does.
pub fn peer_classes(classes: &ClassSources) -> PeerClasses {
    let prepare = |(class_hash, source): (&ClassHash, &crate::input::ClassSource)| {
        let class = RunnableCompiledClass::try_from((*source.compiled).clone())
            .expect("blockifier takes every class that the compiler made");
        (*class_hash, class)
    };
    Arc::new(classes.iter().map(prepare).collect())
}

/// The state before the block, for blockifier.
#[derive(Clone, Debug)]
pub struct PeerReader {
    state: Arc<MemoryState>,
    classes: PeerClasses,
}

impl PeerStateReader for PeerReader {
    fn get_storage_at(&self, contract_address: ContractAddress, key: StorageKey) -> StateResult<Felt> {
        self.state
            .storage_at(contract_address, key)
            .map_err(|error| StateError::StateReadError(error.to_string()))
    }

    fn get_nonce_at(&self, contract_address: ContractAddress) -> StateResult<Nonce> {
        self.state.nonce_at(contract_address).map_err(|error| StateError::StateReadError(error.to_string()))
    }

    fn get_class_hash_at(&self, contract_address: ContractAddress) -> StateResult<ClassHash> {
        self.state
            .class_hash_at(contract_address)
            .map_err(|error| StateError::StateReadError(error.to_string()))
    }

    fn get_compiled_class(&self, class_hash: ClassHash) -> StateResult<RunnableCompiledClass> {
        if !self.state.classes.contains_key(&class_hash) {
            return Err(StateError::UndeclaredClassHash(class_hash));
        }
        self.classes.get(&class_hash).cloned().ok_or(StateError::UndeclaredClassHash(class_hash))
    }

    fn get_compiled_class_hash(&self, class_hash: ClassHash) -> StateResult<CompiledClassHash> {
        self.state
            .compiled_class_hash(class_hash)
            .map_err(|error| StateError::StateReadError(error.to_string()))
    }
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// It is in the block.
    Succeeded,
    /// It is in the block and changed nothing but what it paid.
    Reverted,
    /// It is not.
    Invalid,
}

impl Ending {
    /// All endings.
    pub const ALL: [Self; 3] = [Self::Succeeded, Self::Reverted, Self::Invalid];

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Succeeded => "succeeded",
            Self::Reverted => "reverted",
            Self::Invalid => "invalid",
        }
    }
}

/// What blockifier made of one transaction.
#[derive(Clone, Debug)]
pub struct PeerOutcome {
    /// Everything a caller can see.
    pub view: Value,
    /// How the transaction ended; one that blockifier panicked on is not in the block.
    pub ending: Ending,
    /// The panic's text, when blockifier panicked.
    pub panic: Option<String>,
}

/// A block in the making at blockifier.
pub struct Peer {
    context: BlockContext,
    state: CachedState<PeerReader>,
    classes: ClassSources,
}

impl Peer {
    /// Opens the block.
    pub fn new(input: &Input, classes: PeerClasses) -> Result<Self, String> {
        let reader = PeerReader { state: Arc::new(input.state.clone()), classes };
        let mut state = CachedState::new(reader);
        let context = block_context(&input.env)?;
        let number = input.env.block.number;
        let old = match input.old_block {
            OldBlock::Hash(hash) => {
                let number = number.0.checked_sub(10).ok_or("no block ten before")?;
                Some(BlockHashAndNumber { number: BlockNumber(number), hash })
            }
            OldBlock::None | OldBlock::InState => None,
        };
        if input.old_block != OldBlock::InState {
            pre_process_block(&mut state, old, number, &context.versioned_constants().os_constants)
                .map_err(|error| error.to_string())?;
        }
        Ok(Self { context, state, classes: input.classes.clone() })
    }

    /// Executes a transaction and commits it unless it is invalid.
    pub fn execute(&mut self, transaction: &Transaction) -> PeerOutcome {
        self.run(transaction, true)
    }

    /// Executes a transaction and forgets it. What it read stays among the initial reads: for generators only.
    pub fn try_out(&mut self, transaction: &Transaction) -> PeerOutcome {
        self.run(transaction, false)
    }

    fn run(&mut self, transaction: &Transaction, keep: bool) -> PeerOutcome {
        let peer = self.transaction(transaction);
        let mut state = TransactionalState::create_transactional(&mut self.state);
        let context = &self.context;
        // What a panic may leave half done is dropped with the transactional state.
        let result = catch_unwind(AssertUnwindSafe(|| peer.execute_raw(&mut state, context)));
        match result {
            Ok(Ok(info)) => {
                let reads = state.get_initial_reads().expect("it only clones");
                let changes = state.to_state_diff().expect("the reader never fails").state_maps;
                if keep {
                    state.commit();
                } else {
                    state.abort();
                }
                let diff = theirs::state_diff(&changes, &reads);
                let ending = if info.is_reverted() { Ending::Reverted } else { Ending::Succeeded };
                PeerOutcome { view: theirs::executed(&info, diff), ending, panic: None }
            }
            Ok(Err(error)) => {
                state.abort();
                PeerOutcome { view: theirs::invalid(&error), ending: Ending::Invalid, panic: None }
            }
            Err(panic) => {
                let text = panic
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
                    .or_else(|| panic.downcast_ref::<String>().cloned())
                    .unwrap_or_default();
                PeerOutcome { view: theirs::panicked(&text), ending: Ending::Invalid, panic: Some(text) }
            }
        }
    }

    /// The block's state diff and initial reads.
    pub fn block_view(&mut self) -> (Value, Value) {
        let changes = self.state.to_state_diff().expect("the reader never fails").state_maps;
        let reads = self.state.get_initial_reads().expect("it only clones");
        (theirs::state_diff(&changes, &reads), theirs::initial_reads(&reads))
    }

    /// A nonce as it is now. Enters the initial reads: for generators only.
    pub fn nonce_at(&self, address: ContractAddress) -> Nonce {
        self.state.get_nonce_at(address).expect("the reader never fails")
    }

    fn transaction(&self, transaction: &Transaction) -> PeerTransaction {
        let tx_hash = transaction.hash;
        let account = |tx| {
            let flags = transaction.flags;
            PeerTransaction::Account(Box::new(AccountTransaction {
                tx,
                execution_flags: ExecutionFlags {
                    only_query: flags.query,
                    charge_fee: flags.charge_fee,
                    validate: flags.validate,
                    strict_nonce_check: flags.strict_nonce,
                },
            }))
        };
        match &transaction.body {
            TransactionBody::Invoke(tx) => {
                account(ApiAccountTransaction::Invoke(InvokeTransaction { tx: tx.clone(), tx_hash }))
            }
            TransactionBody::DeployAccount { transaction, address } => {
                account(ApiAccountTransaction::DeployAccount(DeployAccountTransaction {
                    tx: transaction.clone(),
                    tx_hash,
                    contract_address: *address,
                }))
            }
            TransactionBody::Declare { transaction, .. } => {
                let source = self.classes.get(&transaction.class_hash()).expect("the input was made with it");
                let class_info = ClassInfo {
                    contract_class: (*source.compiled).clone(),
                    sierra_program_length: source.ours.sierra_program_length as usize,
                    abi_length: source.ours.abi_length as usize,
                    sierra_version: source.ours.class.sierra_version().clone(),
                };
                account(ApiAccountTransaction::Declare(DeclareTransaction {
                    tx: transaction.clone(),
                    tx_hash,
                    class_info,
                }))
            }
            TransactionBody::L1Handler { transaction, paid_fee_on_l1 } => {
                PeerTransaction::L1Handler(L1HandlerTransaction {
                    tx: transaction.clone(),
                    tx_hash,
                    paid_fee_on_l1: *paid_fee_on_l1,
                })
            }
            _ => unreachable!("starkiln has no other kinds"),
        }
    }
}

/// A transaction on the way into blockifier. Not its own `Transaction`: executing that also reads classes for the bouncer (C239).
enum PeerTransaction {
    Account(Box<AccountTransaction>),
    L1Handler(L1HandlerTransaction),
}

impl PeerTransaction {
    fn execute_raw(
        &self,
        state: &mut TransactionalState<'_, CachedState<PeerReader>>,
        context: &BlockContext,
    ) -> TransactionExecutionResult<TransactionExecutionInfo> {
        match self {
            Self::Account(transaction) => transaction.execute_raw(state, context, false),
            Self::L1Handler(transaction) => transaction.execute_raw(state, context, false),
        }
    }
}

/// A block's surroundings in blockifier's types. Zero gas prices, which it cannot hold, become one.
fn block_context(env: &BlockEnv) -> Result<BlockContext, String> {
    let version = StarknetVersion::try_from(env.constants.version).map_err(|error| error.to_string())?;
    let price = |price: GasPrice| NonzeroGasPrice::new(price).unwrap_or(NonzeroGasPrice::MIN);
    let prices = |prices: &TokenPrices| GasPriceVector {
        l1_gas_price: price(prices.l1_gas),
        l1_data_gas_price: price(prices.l1_data_gas),
        l2_gas_price: price(prices.l2_gas),
    };
    let block = BlockInfo {
        block_number: env.block.number,
        block_timestamp: env.block.timestamp,
        starknet_version: version,
        sequencer_address: env.block.sequencer,
        gas_prices: GasPrices {
            eth_gas_prices: prices(&env.block.prices.wei),
            strk_gas_prices: prices(&env.block.prices.fri),
        },
        use_kzg_da: env.block.data_availability == DataAvailability::Blob,
    };
    let chain = ChainInfo {
        chain_id: env.chain.chain_id.clone(),
        fee_token_addresses: FeeTokenAddresses {
            strk_fee_token_address: env.chain.strk_fee_token,
            eth_fee_token_address: env.chain.eth_fee_token,
        },
        is_l3: env.chain.is_l3,
    };
    let constants = VersionedConstants::get(&version).map_err(|error| error.to_string())?.clone();
    Ok(BlockContext::new(block, chain, constants, BouncerConfig::max()))
}
