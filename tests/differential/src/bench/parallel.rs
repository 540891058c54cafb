//! Parallel execution of both: the workloads of `benches/parallel.rs` by threads, and a reader that takes its
//! time.

use std::thread;
use std::time::Duration;

use blockifier::execution::contract_class::RunnableCompiledClass;
use blockifier::state::state_api::{StateReader as BlockifierStateReader, StateResult};
use serde_json::Value;
use starkiln::block::{BlockOutcome, Weights, WorkerPool};
use starkiln::state::StateReader;
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

use super::block::{Classes, TimedBlock};
use super::blockifier_run::{self, BlockifierRun, Workers};
use super::clock::{Time, Times, in_turn};
use crate::arguments::ParallelArguments;
use crate::fixture::reader::Watched;
use crate::fixture::workload::{self, Workload};
use crate::reference::BlockifierReader;
use crate::view;

/// The latency of a read in the second table.
const SLOW: Duration = Duration::from_micros(100);

/// The numbers of threads of the second table.
const SLOW_THREADS: usize = 8;

/// The most transactions of the second table's block.
const SLOW_TRANSACTIONS: u64 = 400;

/// A slow database, for blockifier.
#[derive(Clone, Debug)]
struct Slow<R>(R);

impl<R> Slow<R> {
    fn wait(&self) -> &R {
        thread::sleep(SLOW);
        &self.0
    }
}

impl BlockifierStateReader for Slow<BlockifierReader> {
    fn get_storage_at(&self, address: ContractAddress, key: StorageKey) -> StateResult<Felt> {
        self.wait().get_storage_at(address, key)
    }

    fn get_nonce_at(&self, address: ContractAddress) -> StateResult<Nonce> {
        self.wait().get_nonce_at(address)
    }

    fn get_class_hash_at(&self, address: ContractAddress) -> StateResult<ClassHash> {
        self.wait().get_class_hash_at(address)
    }

    fn get_compiled_class(&self, class_hash: ClassHash) -> StateResult<RunnableCompiledClass> {
        self.wait().get_compiled_class(class_hash)
    }

    fn get_compiled_class_hash(&self, class_hash: ClassHash) -> StateResult<CompiledClassHash> {
        self.wait().get_compiled_class_hash(class_hash)
    }

    fn get_compiled_class_hash_v2(
        &self,
        class_hash: ClassHash,
        class: &RunnableCompiledClass,
    ) -> StateResult<CompiledClassHash> {
        self.wait().get_compiled_class_hash_v2(class_hash, class)
    }
}

/// The worker pools of a row, for both executors; none with one thread.
struct WorkerSet<R: BlockifierStateReader> {
    threads: usize,
    ours: Option<WorkerPool>,
    theirs: Option<Workers<R>>,
}

impl<R: BlockifierStateReader + Send + 'static> WorkerSet<R> {
    fn new(threads: usize) -> Result<Self, String> {
        let many = threads > 1;
        let ours = many.then(|| WorkerPool::new(threads)).transpose().map_err(|error| error.to_string())?;
        Ok(Self { threads, ours, theirs: many.then(|| blockifier_run::workers(threads)) })
    }
}

/// Prints both tables; returns `true` if the two agreed on every block.
pub fn bench(arguments: &ParallelArguments) -> Result<bool, String> {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let &ParallelArguments { transactions, runs, ref threads, ref only } = arguments;
    let threads = if threads.is_empty() {
        [1, 2, 4, 8, 16].into_iter().filter(|threads| *threads <= cores.max(2)).collect()
    } else {
        threads.clone()
    };
    println!("{transactions} transactions a block, {cores} cores, medians of {runs} runs that take turns");
    let classes = Classes::load(Default::default())?;
    let prepared = |workload: &Workload| {
        let world = &workload.world;
        TimedBlock::new(world.env.clone(), world.state.clone(), workload.transactions.clone(), &classes)
    };
    let chosen = |workload: &Workload| workload.name.contains(only.as_str());
    let mut equal = true;

    println!("\nin memory");
    head();
    let worker_sets = threads.into_iter().map(WorkerSet::new).collect::<Result<Vec<_>, _>>()?;
    let makers = workload::TABLE.into_iter().chain([workload::signed as workload::Maker]);
    for workload in &makers.map(|make| make(transactions, 1)).filter(chosen).collect::<Vec<_>>() {
        let block = prepared(workload)?;
        equal &= agree(workload.name, &block)?;
        let own = |block: &TimedBlock| block.input.state.clone();
        let state = own(&block);
        for workers in &worker_sets {
            equal &=
                row(workload.name, &block, workers, runs, || &state, || block.blockifier_reader.clone())?;
        }
    }

    println!("\na reader that takes {} µs a cell", SLOW.as_micros());
    head();
    let workload = workload::independent(transactions.min(SLOW_TRANSACTIONS), 1);
    if chosen(&workload) {
        let block = prepared(&workload)?;
        for threads in [1, SLOW_THREADS] {
            let ours = || Watched {
                state: &block.input.state,
                before: |_| {
                    thread::sleep(SLOW);
                    Ok(())
                },
            };
            let theirs = || Slow(block.blockifier_reader.clone());
            equal &= row(workload.name, &block, &WorkerSet::new(threads)?, runs.min(3), ours, theirs)?;
        }
    }
    Ok(equal)
}

fn head() {
    println!(
        "{:<24} {:>7} | {:>8} {:>5} {:>7} | {:>8} {:>5} {:>7} | {:>6} {:>6}",
        "workload", "threads", "ours/s", "±%", "cpu s", "theirs/s", "±%", "cpu s", "ratio", "in cpu"
    );
}

/// Times a block on some threads, and checks that the last results of both are the same.
fn row<'b, S, P>(
    name: &str,
    block: &'b TimedBlock,
    workers: &WorkerSet<P>,
    runs: usize,
    reader: impl Fn() -> S,
    blockifier_reader: impl Fn() -> P,
) -> Result<bool, String>
where
    S: StateReader + Sync + 'b,
    P: BlockifierStateReader + Send + Sync + 'static,
{
    let mut our_last = None;
    let mut ours = || {
        let executor = block.executor(reader());
        let executor = match &workers.ours {
            Some(pool) => executor.pool(pool),
            None => executor,
        };
        let (outcome, time) = Time::of(|| block.execute(&executor));
        our_last = Some(outcome);
        time
    };
    let mut their_last = Err("it never ran".to_owned());
    let mut theirs = || {
        let run = blockifier_run::run(block, blockifier_reader(), workers.threads, workers.theirs.as_ref());
        let (run, time) = match run {
            Ok((run, time)) => (Ok(run), time),
            Err(error) => (Err(error), Time::default()),
        };
        their_last = run;
        time
    };
    let [ours, theirs] = in_turn(runs, [&mut ours, &mut theirs]);
    let count = block.input.transactions.len() as f64;
    let part = |times: &Times| {
        format!("{:>8.0} {:>5.1} {:>7.3}", count / times.seconds(), times.spread(), times.processor())
    };
    println!(
        "{name:<24} {:>7} | {} | {} | {:>6.2} {:>6.2}",
        workers.threads,
        part(&ours),
        part(&theirs),
        theirs.seconds() / ours.seconds(),
        theirs.processor() / ours.processor()
    );
    let difference = our_last.zip(Some(their_last?)).and_then(|(ours, theirs)| differing(&ours, &theirs));
    if let Some(difference) = &difference {
        println!("{name} on {} threads: {difference}", workers.threads);
    }
    Ok(difference.is_none())
}

/// Returns `true` if the two agree on a serially executed block in everything visible.
fn agree(name: &str, block: &TimedBlock) -> Result<bool, String> {
    let difference = block.difference()?;
    if let Some(difference) = &difference {
        println!("{name}: {difference}");
    }
    Ok(difference.is_none())
}

/// The first thing in which results differ. Not compared: what each transaction changed and weighs, which
/// blockifier shows only one after another.
fn differing(ours: &BlockOutcome, theirs: &BlockifierRun) -> Option<String> {
    if ours.transactions.len() != theirs.outcomes.len() {
        return Some(format!("{} transactions, not {}", ours.transactions.len(), theirs.outcomes.len()));
    }
    let without = |mut view: Value| {
        if let Value::Object(view) = &mut view {
            view.remove("state_diff");
            view.remove("weights");
        }
        view
    };
    for (index, (ours, theirs)) in ours.transactions.iter().zip(&theirs.outcomes).enumerate() {
        let ours = without(view::of_starkiln::outcome(ours));
        let theirs = match theirs {
            Ok((info, _)) => view::of_blockifier::executed(info, Value::Null, Weights::default()),
            Err(error) => return Some(format!("transaction {index}: {error}")),
        };
        if ours != without(theirs) {
            return Some(format!("transaction {index} differs"));
        }
    }
    let (ours, theirs) = (view::of_starkiln::summary(ours), view::of_blockifier::summary(&theirs.summary));
    let parts = ours.as_object().into_iter().flatten();
    parts
        .into_iter()
        .find(|(name, part)| theirs[*name] != **part)
        .map(|(name, _)| format!("the block's {name} differs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_are_timed_have_the_same_results() {
        let arguments =
            ParallelArguments { transactions: 24, runs: 1, threads: vec![1, 2], only: "e".to_owned() };
        assert_eq!(bench(&arguments), Ok(true));
    }
}
