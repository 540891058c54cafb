//! Each protocol under every schedule of up to so many preemptions, and small blocks on the whole engine.

use std::sync::atomic::{AtomicUsize, Ordering};

use loom::thread;

use crate::workers::{Bell, limits};
use crate::mock::{Block, BlockSink, Outcome, Program, Step};
use crate::parallel::model::{Memory, Note, Run, Seen, Source};
use crate::parallel::{Engine, Limits};
use crate::sync::{Arc, Mutex};

/// Explores a model and says how many schedules that were.
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
    memory: &Memory<u8, u64>,
    key: u8,
    index: usize,
    note: impl Fn() -> Note<'n>,
    load: impl Fn() -> Result<u64, ()>,
) -> Result<Seen<u64>, ()> {
    memory.read(memory.hash(&key), &key, index, |_, _| note(), load).map(|(_, seen)| seen)
}

/// What the committed tasks left in a cell.
fn left(memory: &Memory<u8, u64>, key: u8) -> Result<u64, ()> {
    memory.peek(&key, 0, || Err(())).map(|(_, value, _)| value)
}

/// Publish and read: a reader sees what is published, or is told that it did not.
#[test]
fn publish_and_read() {
    explore("publish and read", 4, || {
        let memory = Arc::new(Memory::<u8, u64>::new(1));
        let (writer, reader) = (Run::new(0), Run::new(1));
        let publishing = {
            let memory = Arc::clone(&memory);
            thread::spawn(move || {
                let mut voided = Vec::new();
                memory.write(&7, &writer, Some(5), true, &mut voided);
                voided.iter().any(|run| run.index == 1)
            })
        };
        let seen = read(&memory, 7, 1, || Note::Run(&reader), load);
        let is_voided = publishing.join().unwrap();
        let Ok(Seen::Value(value, _)) = seen else { panic!("a value") };
        assert_eq!(is_voided, value != 5, "saw {value}");
    });
}

/// Publish, void and read: what a void run published is never taken for a value once it is void.
#[test]
fn estimate_and_read() {
    explore("estimate and read", 4, || {
        let memory = Arc::new(Memory::<u8, u64>::new(1));
        let (old, new, reader) = (Run::new(0), Run::new(0), Run::new(1));
        let mut voided = Vec::new();
        memory.write(&7, &old, Some(5), true, &mut voided);
        let republishing = {
            let memory = Arc::clone(&memory);
            thread::spawn(move || {
                old.make_void();
                let mut voided = Vec::new();
                memory.write(&7, &new, Some(6), true, &mut voided);
                voided.iter().any(|run| run.index == 1)
            })
        };
        let seen = read(&memory, 7, 1, || Note::Run(&reader), load);
        let is_voided = republishing.join().unwrap();
        match seen {
            Ok(Seen::Value(6, _)) | Ok(Seen::Unexecuted(0)) => assert!(!is_voided),
            Ok(Seen::Value(5, _)) => assert!(is_voided),
            _ => panic!("neither of the two values"),
        }
    });
}

/// Remembering: what a thread remembers of an epoch that has not ended is what there is.
#[test]
fn remember_and_publish() {
    explore("remember and publish", 4, || {
        let memory = Arc::new(Memory::<u8, u64>::new(1));
        let _ = read(&memory, 7, 1, || Note::Steady, load);
        let publishing = {
            let memory = Arc::clone(&memory);
            thread::spawn(move || {
                let location = memory.write(&7, &Run::new(0), Some(5), true, &mut Vec::new());
                memory.commit(0, &[location]);
            })
        };
        let epoch = memory.epoch();
        let seen = read(&memory, 7, 1, || Note::Steady, load);
        publishing.join().unwrap();
        if let Ok(Seen::Value(value, Source::Steady)) = seen
            && memory.epoch() == epoch
        {
            assert_eq!(left(&memory, 7), Ok(value), "remembers {value}");
        }
    });
}

/// Remembering, and two who write: the second does not rely on what the first has not said yet.
#[test]
fn remember_and_publish_twice() {
    explore("remember and publish twice", 4, || {
        let memory = Arc::new(Memory::<u8, u64>::new(1));
        let epoch = memory.epoch();
        for _ in 0..2 {
            let _ = read(&memory, 7, 2, || Note::Steady, load);
        }
        let publishing = {
            let memory = Arc::clone(&memory);
            thread::spawn(move || {
                memory.write(&7, &Run::new(1), Some(6), true, &mut Vec::new());
            })
        };
        let location = memory.write(&7, &Run::new(0), Some(5), true, &mut Vec::new());
        memory.commit(0, &[location]);
        assert_ne!(memory.epoch(), epoch, "what was remembered is not there any more");
        publishing.join().unwrap();
    });
}

/// In-flight loads: one load for two readers; an error is given to whoever loaded, and the other tries again.
#[test]
fn load_in_flight() {
    for fails in [false, true] {
        explore("load in flight", 4, move || {
            let memory = Arc::new(Memory::<u8, u64>::new(1));
            let loads = Arc::new(Mutex::new(0));
            let read = |index: usize| {
                let (memory, loads) = (Arc::clone(&memory), Arc::clone(&loads));
                move || {
                    let load = || {
                        let mut loads = loads.lock();
                        *loads += 1;
                        if fails && *loads == 1 { Err(()) } else { Ok(9_u64) }
                    };
                    let run = Run::new(index);
                    match read(&memory, 1, index, || Note::Run(&run), load) {
                        Ok(Seen::Value(9, _)) => true,
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

/// A load in flight and a commit: who waits for the load gets the committed value, and a late load does not replace it.
#[test]
fn load_and_commit() {
    explore("load and commit", 4, || {
        let memory = Arc::new(Memory::<u8, u64>::new(1));
        let committing = {
            let memory = Arc::clone(&memory);
            thread::spawn(move || {
                let location = memory.write(&1, &Run::new(0), Some(4), true, &mut Vec::new());
                memory.commit(0, &[location]);
            })
        };
        let _ = read(&memory, 1, 1, || Note::Nobody, load);
        committing.join().unwrap();
        assert_eq!(left(&memory, 1), Ok(4));
    });
}

/// A block on the calling thread and one helper, each schedule against one after another.
fn engine(name: &'static str, preemptions: usize, block: Block, settles_early: bool, halts: bool) {
    explore(name, preemptions, move || {
        // The threads of a model outlive the borrow checker's idea of it.
        let block: &'static Block = Box::leak(Box::new(block.clone()));
        let sink = BlockSink { block, outcome: Outcome::default(), state: Default::default() };
        let engine: Arc<Engine<Block, BlockSink<'static>>> =
            Arc::new(Engine::new(block.clone(), sink, Limits { settles_early, ..limits(1, 4) }));
        let bell = Arc::new(Bell::default());
        let helper = {
            let (engine, bell) = (Arc::clone(&engine), Arc::clone(&bell));
            thread::spawn(move || {
                while bell.wait() {
                    engine.help(&|| bell.ring());
                }
            })
        };
        let halting = halts.then(|| {
            let (engine, bell) = (Arc::clone(&engine), Arc::clone(&bell));
            thread::spawn(move || engine.halt(&|| bell.ring()))
        });
        engine.add(block.programs.len(), &|| bell.ring());
        engine.close(&|| bell.ring());
        engine.run(&|| bell.ring(), &mut || {});
        bell.dismiss();
        helper.join().unwrap();
        if let Some(halting) = halting {
            halting.join().unwrap();
        }
        let Ok(engine) = Arc::try_unwrap(engine) else { panic!("somebody holds the engine") };
        let (sink, _) = engine.finish().0.expect("nothing panics");
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

/// Commit and abort: the second task is stale whenever it runs before the first has published.
#[test]
fn commit_and_abort() {
    let programs = vec![program(&[Step::Add(0, 1)], None), program(&[Step::Add(0, 1)], None)];
    engine("commit and abort", 3, Block { keys: 1, programs, ..Block::default() }, true, false);
}

/// Wait and wake, hand-off: the third reads what the second must write again.
#[test]
fn wait_and_wake() {
    let chain = program(&[Step::Add(0, 1)], None);
    let programs = vec![chain.clone(), chain.clone(), chain];
    engine("wait and wake", 3, Block { keys: 1, programs, ..Block::default() }, true, false);
}

/// Tails: both add to one accumulator, and the first pays from the cell that the second reads.
#[test]
fn tails() {
    let programs = vec![program(&[], Some((0, 1))), program(&[Step::Read(0)], Some((1, 1)))];
    let block = Block { keys: 2, programs, ..Block::default() };
    engine("tails", 3, block.clone(), true, false);
    engine("tails at commits", 3, block, false, false);
}

/// Park, unpark and halt, from another thread at any moment.
#[test]
fn halt() {
    let programs = vec![program(&[Step::Add(0, 1)], None), program(&[Step::Add(0, 1)], None)];
    engine("halt", 3, Block { keys: 1, programs, ..Block::default() }, true, true);
}
