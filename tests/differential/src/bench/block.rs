//! Blocks to time, with everything that both executors need prepared.
//!
//! Input: workloads of the crate's own benchmarks. Output: [`TimedBlock`].

use std::collections::BTreeMap;

use blockifier::context::BlockContext;
use blockifier::transaction::transaction_execution::Transaction as BlockifierTransaction;
use starkiln::block::{BlockExecutor, BlockHashSource, BlockOutcome};
use starkiln::class::ContractClass;
use starkiln::protocol::BlockEnv;
use starkiln::replay::{ClassEntry, ClassText};
use starkiln::state::{MemoryState, StateReader};
use starkiln::transaction::Transaction;
use starknet_api::block::{BlockHash, BlockHashAndNumber};
use starknet_api::contract_class::ContractClass as CompiledClass;
use starknet_api::core::ClassHash;
use starknet_types_core::felt::Felt;

use crate::compare::compare;
use crate::fixture;
use crate::input::{ClassSources, Input, Way, load_classes};
use crate::limits::Limits;
use crate::reference::{
    BlockifierClasses, BlockifierReader, block_context, block_hash_source, blockifier_classes,
    blockifier_transaction,
};

/// Our contracts that blocks to time are made of.
const CONTRACTS: [&str; 8] =
    ["account", "account_open", "cairo0/account_open", "cairo0/erc20", "erc20", "nft", "pool", "syscalls"];

/// Classes in the forms that both executors need.
pub struct Classes {
    sources: ClassSources,
    theirs: BlockifierClasses,
}

impl Classes {
    /// Ours, and more.
    pub fn load(more: BTreeMap<ClassHash, ClassEntry>) -> Result<Self, String> {
        let ours = CONTRACTS.map(|name| {
            let entry = if name.starts_with("cairo0/") {
                ClassEntry::Cairo0(ClassText::File(format!("{name}.json").into()))
            } else {
                ClassEntry::Sierra(ClassText::File(format!("{name}.sierra.json").into()))
            };
            (fixture::class(name).0, entry)
        });
        let entries = more.into_iter().chain(ours).collect();
        let sources = load_classes(&entries, &fixture::contracts())?;
        let theirs = blockifier_classes(&sources);
        Ok(Self { sources, theirs })
    }

    /// One of them, ready to run.
    pub fn ours(&self, class_hash: ClassHash) -> Option<ContractClass> {
        Some(self.sources.get(&class_hash)?.ours.class.clone())
    }

    /// One of them as the compiler made it.
    pub fn compiled(&self, class_hash: ClassHash) -> Option<&CompiledClass> {
        Some(&*self.sources.get(&class_hash)?.compiled)
    }
}

/// A block to time.
pub struct TimedBlock {
    /// The input of both executors.
    pub input: Input,
    /// The classes for blockifier.
    pub blockifier_classes: BlockifierClasses,
    /// The state for blockifier.
    pub blockifier_reader: BlockifierReader,
    /// The environment for blockifier.
    pub blockifier_context: BlockContext,
    /// Number and hash of block N-10, for blockifier.
    pub blockifier_old_block: Option<BlockHashAndNumber>,
    /// The transactions for blockifier.
    pub blockifier_transactions: Vec<BlockifierTransaction>,
}

impl TimedBlock {
    /// Prepares a block.
    pub fn new(
        env: BlockEnv,
        mut state: MemoryState,
        transactions: Vec<Transaction>,
        classes: &Classes,
    ) -> Result<Self, String> {
        for class_hash in state.classes.keys() {
            let source = classes.sources.get(class_hash);
            let source = source.ok_or_else(|| format!("no class {:#x}", class_hash.0))?;
            // As if declared long ago: no class moves to another compiled class hash, which either would have
            // to compute.
            let compiled = source.ours.class.compiled_class_hash_v2();
            state.compiled_class_hashes.insert(*class_hash, compiled.unwrap_or_default());
        }
        let input = Input {
            env,
            block_hash_source: BlockHashSource::Hash(BlockHash(Felt::from(0xb10c))),
            state,
            classes: classes.sources.clone(),
            transactions,
            limits: Limits::none(),
            way: Way::default(),
        };
        let blockifier = |transaction: &Transaction| blockifier_transaction(transaction, &input.classes);
        Ok(Self {
            blockifier_classes: classes.theirs.clone(),
            blockifier_reader: BlockifierReader::new(input.state.clone(), classes.theirs.clone()),
            blockifier_context: block_context(&input.env, input.limits.theirs())?,
            blockifier_old_block: block_hash_source(&input)?,
            blockifier_transactions: input.transactions.iter().map(blockifier).collect(),
            input,
        })
    }

    /// The differences of a serial execution; none if the block may be timed.
    pub fn difference(&self) -> Result<Option<String>, String> {
        let report = compare(&self.input, self.blockifier_classes.clone())?;
        let departures = report.departures.iter().map(ToString::to_string);
        Ok(report.differences.iter().map(ToString::to_string).chain(departures).next())
    }

    /// Our executor for the block, over a reader of its state. It collects what blockifier always collects.
    pub fn executor<R: StateReader>(&self, reader: R) -> BlockExecutor<R> {
        BlockExecutor::new(self.input.env.clone(), reader)
            .block_hash_source(self.input.block_hash_source)
            .capacity(self.input.limits.ours())
            .collect_prover_reads()
    }

    /// Executes it.
    pub fn execute<R: StateReader>(&self, executor: &BlockExecutor<R>) -> BlockOutcome {
        executor.execute(&self.input.transactions).expect("the reader never fails")
    }
}
