//! The published blockifier, fed with our inputs.
//!
//! Input: a block's environment, starkiln transactions, classes as CASM. Output: what blockifier made of each
//! transaction, as a view (see [`crate::view`]). Knows nothing of starkiln's results.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use blockifier::blockifier::block::pre_process_block;
use blockifier::blockifier::config::TransactionExecutorConfig;
use blockifier::blockifier::transaction_executor::{TransactionExecutor, TransactionExecutorError};
use blockifier::blockifier_versioned_constants::VersionedConstants;
use blockifier::bouncer::{Bouncer, BouncerConfig};
use blockifier::context::{BlockContext, ChainInfo, FeeTokenAddresses};
use blockifier::execution::contract_class::RunnableCompiledClass;
use blockifier::state::cached_state::{CachedState, TransactionalState};
use blockifier::state::errors::StateError;
use blockifier::state::state_api::{StateReader as BlockifierStateReader, StateResult};
use blockifier::transaction::account_transaction::{AccountTransaction, ExecutionFlags};
use blockifier::transaction::transaction_execution::Transaction as BlockifierTransaction;
use blockifier::transaction::transactions::ExecutableTransaction;
use serde_json::Value;
use starkiln::block::{BlockHashSource, Weights};
use starkiln::protocol::{BlockEnv, DataAvailability, TokenPrices};
use starkiln::state::{MemoryState, StateReader};
use starkiln::transaction::{Transaction, TransactionBody};
use starknet_api::block::{
    BlockHashAndNumber, BlockInfo, BlockNumber, GasPrice, GasPriceVector, GasPrices, NonzeroGasPrice,
    StarknetVersion,
};
use starknet_api::contract_class::ClassInfo;
use starknet_api::contract_class::compiled_class_hash::{HashVersion, HashableCompiledClass};
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::executable_transaction::{
    AccountTransaction as ApiAccountTransaction, DeclareTransaction, DeployAccountTransaction,
    InvokeTransaction, L1HandlerTransaction,
};
use starknet_api::state::StorageKey;
use starknet_api::versioned_constants_logic::VersionedConstantsTrait;
use starknet_types_core::felt::Felt;

use crate::input::{ClassSources, Input};
use crate::view::of_blockifier;

/// The reason why the state and the bouncer are present.
const OPEN: &str = "the block is open";

/// The classes of a block in blockifier's form, prepared once for many runs.
pub type BlockifierClasses = Arc<HashMap<ClassHash, RunnableCompiledClass>>;

/// Prepares classes the way blockifier does.
pub fn blockifier_classes(classes: &ClassSources) -> BlockifierClasses {
    let prepare = |(class_hash, source): (&ClassHash, &crate::input::ClassSource)| {
        let class = RunnableCompiledClass::try_from((*source.compiled).clone())
            .expect("blockifier takes every class that the compiler made");
        (*class_hash, class)
    };
    Arc::new(classes.iter().map(prepare).collect())
}

/// The state before the block, for blockifier.
#[derive(Clone, Debug)]
pub struct BlockifierReader {
    state: Arc<MemoryState>,
    classes: BlockifierClasses,
    hashes: Arc<Mutex<HashMap<ClassHash, CompiledClassHash>>>,
}

impl BlockifierReader {
    /// Over this state.
    pub fn new(state: MemoryState, classes: BlockifierClasses) -> Self {
        Self { state: Arc::new(state), classes, hashes: Arc::default() }
    }
}

impl BlockifierStateReader for BlockifierReader {
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

    fn get_compiled_class_hash_v2(
        &self,
        class_hash: ClassHash,
        compiled_class: &RunnableCompiledClass,
    ) -> StateResult<CompiledClassHash> {
        let mut known = self.hashes.lock().expect("no thread panics while it holds the lock");
        if let Some(hash) = known.get(&class_hash) {
            return Ok(*hash);
        }
        // Not blockifier's own helper: that asks the state before the block, which has no class that the
        // block declared.
        let RunnableCompiledClass::V1(class) = compiled_class else {
            return Err(StateError::MissingCompiledClassHashV2(class_hash));
        };
        let hash = class.hash(&HashVersion::V2);
        known.insert(class_hash, hash);
        Ok(hash)
    }
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Ending {
    /// Executed: part of the block.
    Succeeded,
    /// Reverted: part of the block, with no changes besides the fee.
    Reverted,
    /// Invalid: not part of the block.
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

/// Blockifier's outcome of one transaction.
#[derive(Clone, Debug)]
pub struct BlockifierOutcome {
    /// Everything a caller can see.
    pub view: Value,
    /// How the transaction ended; one that blockifier panicked on is not in the block.
    pub ending: Ending,
    /// The panic's text, when blockifier panicked.
    pub panic: Option<String>,
}

/// A closed block at blockifier.
pub struct BlockifierBlock {
    /// The state diff, end of the block included.
    pub state_diff: Value,
    /// The initial reads of the transactions.
    pub reads: Value,
    /// The outputs for the sequencer and the prover.
    pub summary: Value,
}

/// A block in the making at blockifier.
pub struct Blockifier {
    executor: TransactionExecutor<BlockifierReader>,
    classes: ClassSources,
}

impl Blockifier {
    /// Opens the block.
    pub fn new(input: &Input, classes: BlockifierClasses) -> Result<Self, String> {
        let mut state = CachedState::new(BlockifierReader::new(input.state.clone(), classes));
        let context = block_context(&input.env, input.limits.theirs())?;
        if input.block_hash_source != BlockHashSource::InState {
            let (old, number) = (block_hash_source(input)?, input.env.block.number);
            pre_process_block(&mut state, old, number, &context.versioned_constants().os_constants)
                .map_err(|error| error.to_string())?;
        }
        let executor = TransactionExecutor::new(state, context, TransactionExecutorConfig::default());
        Ok(Self { executor, classes: input.classes.clone() })
    }

    /// Executes a transaction and commits it unless it is invalid.
    pub fn execute(&mut self, transaction: &Transaction) -> BlockifierOutcome {
        self.try_execute(transaction).expect("there is no limit")
    }

    /// The same for a block with limits; `None` if it is full.
    pub fn try_execute(&mut self, transaction: &Transaction) -> Option<BlockifierOutcome> {
        self.run(transaction, true)
    }

    /// Executes a transaction and forgets it. What it read stays among the initial reads: for generators
    /// only.
    pub fn try_out(&mut self, transaction: &Transaction) -> BlockifierOutcome {
        self.run(transaction, false).expect("it is not added to the block")
    }

    /// Does the same as the executor's own `execute`, except that panics are caught and reads are visible.
    fn run(&mut self, transaction: &Transaction, keep: bool) -> Option<BlockifierOutcome> {
        let blockifier = blockifier_transaction(transaction, &self.classes);
        let before = crate::limits::weights(self.bouncer().get_bouncer_weights());
        let context = self.executor.block_context.clone();
        let bouncer = self.executor.bouncer.clone();
        let mut state =
            TransactionalState::create_transactional(self.executor.block_state.as_mut().expect(OPEN));
        // Writes of a transaction that panicked are dropped with the transactional state.
        let result = catch_unwind(AssertUnwindSafe(|| {
            let info = blockifier.execute_raw(&mut state, &context, false)?;
            let reads = state.get_initial_reads()?;
            let changes = state.to_state_diff()?.state_maps;
            if keep {
                bouncer.lock().unwrap_or_else(PoisonError::into_inner).try_update(
                    &state,
                    &changes.keys(),
                    &info.summarize(context.versioned_constants()),
                    &info.summarize_builtins(),
                    &info.receipt.resources,
                    context.versioned_constants(),
                    info.receipt.gas.l2_gas,
                )?;
            }
            Ok((info, reads, changes))
        }));
        Some(match result {
            Ok(Ok((info, reads, changes))) => {
                if keep {
                    state.commit();
                } else {
                    state.abort();
                }
                let after = crate::limits::weights(self.bouncer().get_bouncer_weights());
                let diff = of_blockifier::state_diff(&changes, &reads);
                let ending = if info.is_reverted() { Ending::Reverted } else { Ending::Succeeded };
                let view = of_blockifier::executed(&info, diff, added(&before, &after));
                BlockifierOutcome { view, ending, panic: None }
            }
            Ok(Err(TransactionExecutorError::BlockFull)) => {
                state.abort();
                return None;
            }
            Ok(Err(TransactionExecutorError::TransactionExecutionError(error))) => {
                state.abort();
                BlockifierOutcome {
                    view: of_blockifier::invalid(&error),
                    ending: Ending::Invalid,
                    panic: None,
                }
            }
            Ok(Err(error)) => panic!("the reader never fails: {error}"),
            Err(panic) => {
                let text = panic
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
                    .or_else(|| panic.downcast_ref::<String>().cloned())
                    .unwrap_or_default();
                BlockifierOutcome {
                    view: of_blockifier::panicked(&text),
                    ending: Ending::Invalid,
                    panic: Some(text),
                }
            }
        })
    }

    /// Closes the block.
    pub fn close(mut self) -> BlockifierBlock {
        let state = |executor: &mut TransactionExecutor<BlockifierReader>| {
            let state = executor.block_state.as_mut().expect(OPEN);
            let changes = state.to_state_diff().expect("the reader never fails").state_maps;
            (changes, state.get_initial_reads().expect("it only clones"))
        };
        let (_, reads) = state(&mut self.executor);
        let summary = self.executor.finalize().expect("the reader never fails");
        let (changes, all_reads) = state(&mut self.executor);
        BlockifierBlock {
            state_diff: of_blockifier::state_diff(&changes, &all_reads),
            reads: of_blockifier::initial_reads(&reads),
            summary: of_blockifier::summary(&summary),
        }
    }

    /// A nonce as it is now. Enters the initial reads: for generators only.
    pub fn nonce_at(&self, address: ContractAddress) -> Nonce {
        let state = self.executor.block_state.as_ref().expect(OPEN);
        state.get_nonce_at(address).expect("the reader never fails")
    }

    fn bouncer(&self) -> MutexGuard<'_, Bouncer> {
        self.executor.bouncer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A transaction in blockifier's form. `classes` has those that it may declare.
pub fn blockifier_transaction(transaction: &Transaction, classes: &ClassSources) -> BlockifierTransaction {
    let tx_hash = transaction.hash;
    let account = |tx| {
        let flags = transaction.flags;
        BlockifierTransaction::Account(AccountTransaction {
            tx,
            execution_flags: ExecutionFlags {
                only_query: flags.query,
                charge_fee: flags.charge_fee,
                validate: flags.validate,
                strict_nonce_check: flags.strict_nonce,
            },
        })
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
            let source = classes.get(&transaction.class_hash()).expect("the input was made with it");
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
            BlockifierTransaction::L1Handler(L1HandlerTransaction {
                tx: transaction.clone(),
                tx_hash,
                paid_fee_on_l1: *paid_fee_on_l1,
            })
        }
        _ => unreachable!("starkiln has no other kinds"),
    }
}

/// The changes of a transaction.
fn added(before: &Weights, after: &Weights) -> Weights {
    Weights {
        l1_gas: after.l1_gas - before.l1_gas,
        message_segment_length: after.message_segment_length - before.message_segment_length,
        events: after.events - before.events,
        transactions: after.transactions - before.transactions,
        state_diff_size: after.state_diff_size - before.state_diff_size,
        sierra_gas: after.sierra_gas - before.sierra_gas,
        proving_gas: after.proving_gas - before.proving_gas,
        receipt_l2_gas: after.receipt_l2_gas - before.receipt_l2_gas,
    }
}

/// Number and hash of block N-10, if the block has one.
pub fn block_hash_source(input: &Input) -> Result<Option<BlockHashAndNumber>, String> {
    let BlockHashSource::Hash(hash) = input.block_hash_source else { return Ok(None) };
    let number = input.env.block.number.0.checked_sub(10).ok_or("no block ten before")?;
    Ok(Some(BlockHashAndNumber { number: BlockNumber(number), hash }))
}

/// A block's environment in blockifier's types. Zero gas prices, which it cannot hold, become one.
pub fn block_context(env: &BlockEnv, limits: BouncerConfig) -> Result<BlockContext, String> {
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
    Ok(BlockContext::new(block, chain, constants, limits))
}
