//! Worker threads for the executor: the main thread, and helpers that wait for a request.

use std::ops::ControlFlow;

use crate::mock::{Block, BlockSink, Outcome, Result as TaskResult};
use crate::parallel::{Panicked, ParallelConfig, ParallelExecutor, ParallelStats, Sink};
use crate::sync::{Arc, Condvar, Mutex};

/// The requests for helpers that no thread has answered, and whether the queue is closed.
#[derive(Default)]
pub(crate) struct WakeQueue {
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl WakeQueue {
    pub(crate) fn push(&self) {
        self.state.lock().0 += 1;
        self.changed.notify_all();
    }

    pub(crate) fn close(&self) {
        self.state.lock().1 = true;
        self.changed.notify_all();
    }

    /// Waits for a request. Returns `false` when the queue is closed and empty: every request is answered, as
    /// by a pool.
    pub(crate) fn pop(&self) -> bool {
        let mut state = self.state.lock();
        loop {
            if state.0 > 0 {
                state.0 -= 1;
                return true;
            }
            if state.1 {
                return false;
            }
            state = self.changed.wait(state);
        }
    }
}

pub(crate) type RunResult = Result<(Outcome, ParallelStats), Panicked>;

pub(crate) fn config(helpers: usize, window: usize) -> ParallelConfig {
    ParallelConfig { helpers, window, shards: 1, has_main: true, speculates_fees: true }
}

/// Executes a block on a main thread and helpers; tasks are added in batches meanwhile.
#[cfg(not(model = "loom"))]
pub(crate) fn run(block: &Block, config: ParallelConfig, batch: usize) -> RunResult {
    #[cfg(model = "shuttle")]
    use shuttle::thread;
    #[cfg(not(model = "shuttle"))]
    use std::thread;

    let sink = BlockSink { block, outcome: Outcome::default(), state: Default::default() };
    let executor = ParallelExecutor::new(block.clone(), sink, config);
    let queue = WakeQueue::default();
    let request_helper = || queue.push();
    thread::scope(|scope| {
        for _ in 0..config.helpers {
            scope.spawn(|| {
                while queue.pop() {
                    executor.help(&request_helper);
                }
            });
        }
        scope.spawn(|| {
            let mut remaining = block.programs.len();
            while remaining > 0 {
                let n = remaining.min(batch.max(1));
                executor.add(n, &request_helper);
                remaining -= n;
            }
            executor.close(&request_helper);
        });
        executor.run(&request_helper, &mut || {});
        queue.close();
    });
    let (sink, stats) = executor.finish().0?;
    Ok((sink.outcome, stats))
}

/// The number of results, and whether there will be no more.
#[derive(Default)]
pub(crate) struct Arrivals {
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Arrivals {
    /// Waits for more than `seen` results. Returns `None` when there will be none.
    pub(crate) fn more_than(&self, seen: usize) -> Option<usize> {
        let mut state = self.state.lock();
        loop {
            if state.0 > seen {
                return Some(state.0);
            }
            if state.1 {
                return None;
            }
            state = self.changed.wait(state);
        }
    }
}

/// A sink that announces each result.
pub(crate) struct AnnouncingSink<'a> {
    pub(crate) inner: BlockSink<'a>,
    pub(crate) arrivals: Arc<Arrivals>,
}

impl Sink<Block> for AnnouncingSink<'_> {
    fn commit(&mut self, index: usize, result: TaskResult) -> ControlFlow<()> {
        let flow = self.inner.commit(index, result);
        let mut state = self.arrivals.state.lock();
        match flow {
            ControlFlow::Continue(()) => state.0 += 1,
            ControlFlow::Break(()) => state.1 = true,
        }
        drop(state);
        self.arrivals.changed.notify_all();
        flow
    }
}

/// Executes a block as a session does: on helpers only, with tasks in batches and at most `undelivered`
/// results that were not taken.
#[cfg(not(model = "loom"))]
pub(crate) fn stream(block: &Block, config: ParallelConfig, batch: usize, undelivered: usize) -> Outcome {
    #[cfg(model = "shuttle")]
    use shuttle::thread;
    #[cfg(not(model = "shuttle"))]
    use std::thread;

    let arrivals = Arc::new(Arrivals::default());
    let inner = BlockSink { block, outcome: Outcome::default(), state: Default::default() };
    let sink = AnnouncingSink { inner, arrivals: Arc::clone(&arrivals) };
    let executor = ParallelExecutor::new(block.clone(), sink, config);
    let queue = WakeQueue::default();
    let request_helper = || queue.push();
    executor.limit_commits(undelivered, &request_helper);
    thread::scope(|scope| {
        for _ in 0..config.helpers {
            scope.spawn(|| {
                while queue.pop() {
                    executor.help(&request_helper);
                }
            });
        }
        scope.spawn(|| {
            let mut remaining = block.programs.len();
            while remaining > 0 {
                let n = remaining.min(batch.max(1));
                executor.add(n, &request_helper);
                remaining -= n;
            }
        });
        let mut taken = 0;
        while taken < block.programs.len() {
            let Some(arrived) = arrivals.more_than(taken) else { break };
            assert!(arrived <= taken + undelivered, "{arrived} results arrived, only {taken} were taken");
            taken += 1;
            executor.limit_commits(taken + undelivered, &request_helper);
        }
        executor.halt(&request_helper);
        queue.close();
    });
    let (sink, _) = executor.finish().0.expect("nothing panics");
    sink.inner.outcome
}
