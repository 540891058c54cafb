//! Each protocol of the versioned memory, and small blocks on the complete executor, under every schedule
//! with a bounded number of preemptions.

use std::sync::atomic::{AtomicUsize, Ordering};

use loom::thread;

use crate::mock::{Block, BlockSink, Outcome, Program, Step};
use crate::parallel::model::{Incarnation, ReadSource, Registration, VersionedMemory, VersionedRead};
use crate::parallel::{ParallelConfig, ParallelExecutor};
use crate::sync::{Arc, Mutex};
use crate::workers::{WakeQueue, config};

/// Explores a model and prints the number of schedules.
fn explore(name: &str, preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let explored = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&explored);
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 100_000;
    builder.check(move || {
        counted.fetch_add(1, Ordering::Relaxed);
        model();
    });
    let count = explored.load(Ordering::Relaxed);
    println!("{name}: {count} schedules of up to {preemptions} preemptions");
    assert!(count > 1, "nothing was explored");
}

fn load() -> Result<u64, ()> {
    Ok(0)
}

fn read<'n>(
    memory: &VersionedMemory<u8, u64>,
    key: u8,
    index: usize,
    register: impl Fn() -> Registration<'n>,
    load: impl Fn() -> Result<u64, ()>,
) -> Result<VersionedRead<u64>, ()> {
    memory.read(memory.hash(&key), &key, index, |_, _| register(), load).map(|(_, read)| read)
}

/// Returns the committed value of a key.
fn committed(memory: &VersionedMemory<u8, u64>, key: u8) -> Result<u64, ()> {
    memory.peek(&key, 0, || Err(())).map(|(_, value, _)| value)
}

/// Publish and read: a reader reads the published value, or is found to be stale.
#[test]
fn publish_and_read() {
    explore("publish and read", 4, || {
        let memory = Arc::new(VersionedMemory::<u8, u64>::new(1));
        let (writer, reader) = (Incarnation::new(0), Incarnation::new(1));
        let publishing = {
            let memory = Arc::clone(&memory);
            thread::spawn(move || {
                let mut stale = Vec::new();
                memory.write(&7, &writer, Some(5), true, &mut stale);
                stale.iter().any(|incarnation| incarnation.index == 1)
            })
        };
        let result = read(&memory, 7, 1, || Registration::Reader(&reader), load);
        let is_stale = publishing.join().unwrap();
        let Ok(VersionedRead::Value(value, _)) = result else { panic!("a value") };
        assert_eq!(is_stale, value != 5, "read {value}");
    });
}

/// Publish, abort and read: a version of an aborted incarnation is never read as a value.
#[test]
fn estimate_and_read() {
    explore("estimate and read", 4, || {
        let memory = Arc::new(VersionedMemory::<u8, u64>::new(1));
        let (old, new, reader) = (Incarnation::new(0), Incarnation::new(0), Incarnation::new(1));
        let mut stale = Vec::new();
        memory.write(&7, &old, Some(5), true, &mut stale);
        let republishing = {
            let memory = Arc::clone(&memory);
            thread::spawn(move || {
                old.abort();
                let mut stale = Vec::new();
                memory.write(&7, &new, Some(6), true, &mut stale);
                stale.iter().any(|incarnation| incarnation.index == 1)
            })
        };
        let result = read(&memory, 7, 1, || Registration::Reader(&reader), load);
        let is_stale = republishing.join().unwrap();
        match result {
            Ok(VersionedRead::Value(6, _)) | Ok(VersionedRead::AwaitExecution(0)) => assert!(!is_stale),
            Ok(VersionedRead::Value(5, _)) => assert!(is_stale),
            _ => panic!("neither of the two values"),
        }
    });
}

/// Cache: a value cached in the current epoch is the committed one.
#[test]
fn cache_and_publish() {
    explore("cache and publish", 4, || {
        let memory = Arc::new(VersionedMemory::<u8, u64>::new(1));
        let _ = read(&memory, 7, 1, || Registration::Cacheable, load);
        let publishing = {
            let memory = Arc::clone(&memory);
            thread::spawn(move || {
                let location = memory.write(&7, &Incarnation::new(0), Some(5), true, &mut Vec::new());
                memory.commit(0, &[location]);
            })
        };
        let epoch = memory.epoch();
        let result = read(&memory, 7, 1, || Registration::Cacheable, load);
        publishing.join().unwrap();
        if let Ok(VersionedRead::Value(value, ReadSource::Cacheable)) = result
            && memory.epoch() == epoch
        {
            assert_eq!(committed(&memory, 7), Ok(value), "caches {value}");
        }
    });
}

/// Cache and two writers: the second writer finds the epoch ended when it finds the cell not cached.
#[test]
fn cache_and_publish_twice() {
    explore("cache and publish twice", 4, || {
        let memory = Arc::new(VersionedMemory::<u8, u64>::new(1));
        let epoch = memory.epoch();
        for _ in 0..2 {
            let _ = read(&memory, 7, 2, || Registration::Cacheable, load);
        }
        let publishing = {
            let memory = Arc::clone(&memory);
            thread::spawn(move || {
                memory.write(&7, &Incarnation::new(1), Some(6), true, &mut Vec::new());
            })
        };
        let location = memory.write(&7, &Incarnation::new(0), Some(5), true, &mut Vec::new());
        memory.commit(0, &[location]);
        assert_ne!(memory.epoch(), epoch, "a cached value was replaced within its epoch");
        publishing.join().unwrap();
    });
}

/// Load in flight: one load for two readers; an error goes to the reader that loaded, and the other loads
/// again.
#[test]
fn load_in_flight() {
    for fails in [false, true] {
        explore("load in flight", 4, move || {
            let memory = Arc::new(VersionedMemory::<u8, u64>::new(1));
            let loads = Arc::new(Mutex::new(0));
            let read = |index: usize| {
                let (memory, loads) = (Arc::clone(&memory), Arc::clone(&loads));
                move || {
                    let load = || {
                        let mut loads = loads.lock();
                        *loads += 1;
                        if fails && *loads == 1 { Err(()) } else { Ok(9_u64) }
                    };
                    let incarnation = Incarnation::new(index);
                    match read(&memory, 1, index, || Registration::Reader(&incarnation), load) {
                        Ok(VersionedRead::Value(9, _)) => true,
                        Err(()) => false,
                        _ => panic!("no such value"),
                    }
                }
            };
            let other = thread::spawn(read(1));
            let here = read(2)();
            let there = other.join().unwrap();
            let failures = usize::from(!here) + usize::from(!there);
            assert_eq!(failures, usize::from(fails));
            assert_eq!(*loads.lock(), if fails { 2 } else { 1 });
        });
    }
}

/// Load in flight and commit: a waiting reader gets the committed value, and a late load does not replace it.
#[test]
fn load_and_commit() {
    explore("load and commit", 4, || {
        let memory = Arc::new(VersionedMemory::<u8, u64>::new(1));
        let committing = {
            let memory = Arc::clone(&memory);
            thread::spawn(move || {
                let location = memory.write(&1, &Incarnation::new(0), Some(4), true, &mut Vec::new());
                memory.commit(0, &[location]);
            })
        };
        let _ = read(&memory, 1, 1, || Registration::None, load);
        committing.join().unwrap();
        assert_eq!(committed(&memory, 1), Ok(4));
    });
}

/// Executes a block on the main thread and one helper, and compares every schedule with sequential execution.
fn execute(name: &'static str, preemptions: usize, block: Block, speculates_fees: bool, halts: bool) {
    explore(name, preemptions, move || {
        // The threads of a model are not scoped.
        let block: &'static Block = Box::leak(Box::new(block.clone()));
        let sink = BlockSink { block, outcome: Outcome::default(), state: Default::default() };
        let config = ParallelConfig { speculates_fees, ..config(1, 4) };
        let executor: Arc<ParallelExecutor<Block, BlockSink<'static>>> =
            Arc::new(ParallelExecutor::new(block.clone(), sink, config));
        let queue = Arc::new(WakeQueue::default());
        let helper = {
            let (executor, queue) = (Arc::clone(&executor), Arc::clone(&queue));
            thread::spawn(move || {
                while queue.pop() {
                    executor.help(&|| queue.push());
                }
            })
        };
        let halting = halts.then(|| {
            let (executor, queue) = (Arc::clone(&executor), Arc::clone(&queue));
            thread::spawn(move || executor.halt(&|| queue.push()))
        });
        executor.add(block.programs.len(), &|| queue.push());
        executor.close(&|| queue.push());
        executor.run(&|| queue.push(), &mut || {});
        queue.close();
        helper.join().unwrap();
        if let Some(halting) = halting {
            halting.join().unwrap();
        }
        let Ok(executor) = Arc::try_unwrap(executor) else { panic!("the executor is shared") };
        let (sink, _) = executor.finish().0.expect("nothing panics");
        let expected = block.sequentially();
        if halts {
            assert!(expected.results.starts_with(&sink.outcome.results));
        } else {
            assert_eq!(sink.outcome, expected);
        }
    });
}

fn program(steps: &[Step], fee: Option<(u8, u64)>) -> Program {
    Program { steps: steps.to_vec(), fee, is_odd: false }
}

/// Commit and abort: the second task is stale whenever it executes before the first has published.
#[test]
fn commit_and_abort() {
    let programs = vec![program(&[Step::Add(0, 1)], None), program(&[Step::Add(0, 1)], None)];
    execute("commit and abort", 3, Block { keys: 1, programs, ..Block::default() }, true, false);
}

/// Wait, wake and hand-off: the third task reads a key that the second must write again.
#[test]
fn wait_and_wake() {
    let chain = program(&[Step::Add(0, 1)], None);
    let programs = vec![chain.clone(), chain.clone(), chain];
    execute("wait and wake", 3, Block { keys: 1, programs, ..Block::default() }, true, false);
}

/// Fee phases: both add to one accumulator, and the first pays from the cell that the second reads.
#[test]
fn fee_phases() {
    let programs = vec![program(&[], Some((0, 1))), program(&[Step::Read(0)], Some((1, 1)))];
    let block = Block { keys: 2, programs, ..Block::default() };
    execute("fee phases", 3, block.clone(), true, false);
    execute("fee phases at commits", 3, block, false, false);
}

/// Park, unpark and halt, from another thread at any moment.
#[test]
fn halt() {
    let programs = vec![program(&[Step::Add(0, 1)], None), program(&[Step::Add(0, 1)], None)];
    execute("halt", 3, Block { keys: 1, programs, ..Block::default() }, true, true);
}
