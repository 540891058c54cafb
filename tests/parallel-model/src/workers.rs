//! Threads for the engine: the calling one, and helpers that wait to be called.

use std::ops::ControlFlow;

use crate::mock::{Block, BlockSink, Body, Outcome};
use crate::parallel::{Counters, Engine, Limits, Panicked, Sink};
use crate::sync::{Arc, Condvar, Mutex};

/// Calls that no helper has answered, and whether there will be no more.
#[derive(Default)]
pub(crate) struct Bell {
    state: Mutex<(usize, bool)>,
    rung: Condvar,
}

impl Bell {
    pub(crate) fn ring(&self) {
        self.state.lock().0 += 1;
        self.rung.notify_all();
    }

    pub(crate) fn dismiss(&self) {
        self.state.lock().1 = true;
        self.rung.notify_all();
    }

    /// Waits for a call; false when there will be none. Every call is answered, as by a pool.
    pub(crate) fn wait(&self) -> bool {
        let mut state = self.state.lock();
        loop {
            if state.0 > 0 {
                state.0 -= 1;
                return true;
            }
            if state.1 {
                return false;
            }
            state = self.rung.wait(state);
        }
    }
}

pub(crate) type Result = std::result::Result<(Outcome, Counters), Panicked>;

pub(crate) fn limits(helpers: usize, window: usize) -> Limits {
    Limits { helpers, window, shards: 1, has_main: true, settles_early: true }
}

/// Runs a block on so many threads; tasks come in batches while it runs.
#[cfg(not(model = "loom"))]
pub(crate) fn run(block: &Block, limits: Limits, batch: usize) -> Result {
    #[cfg(model = "shuttle")]
    use shuttle::thread;
    #[cfg(not(model = "shuttle"))]
    use std::thread;

    let sink = BlockSink { block, outcome: Outcome::default(), state: Default::default() };
    let engine = Engine::new(block.clone(), sink, limits);
    let bell = Bell::default();
    let call = || bell.ring();
    thread::scope(|scope| {
        for _ in 0..limits.helpers {
            scope.spawn(|| {
                while bell.wait() {
                    engine.help(&call);
                }
            });
        }
        scope.spawn(|| {
            let mut left = block.programs.len();
            while left > 0 {
                let now = left.min(batch.max(1));
                engine.add(now, &call);
                left -= now;
            }
            engine.close(&call);
        });
        engine.run(&call, &mut || {});
        bell.dismiss();
    });
    let (sink, counters) = engine.finish().0?;
    Ok((sink.outcome, counters))
}

/// How many results there are, and whether there will be no more.
#[derive(Default)]
pub(crate) struct Arrivals {
    state: Mutex<(usize, bool)>,
    changed: Condvar,
}

impl Arrivals {
    /// Waits for more than so many results; `None` when there will be none.
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

/// A sink that says what it took.
pub(crate) struct Announcing<'a> {
    pub(crate) inner: BlockSink<'a>,
    pub(crate) arrivals: Arc<Arrivals>,
}

impl Sink<Block> for Announcing<'_> {
    fn take(&mut self, index: usize, body: Body) -> ControlFlow<()> {
        let taken = self.inner.take(index, body);
        let mut state = self.arrivals.state.lock();
        match taken {
            ControlFlow::Continue(()) => state.0 += 1,
            ControlFlow::Break(()) => state.1 = true,
        }
        drop(state);
        self.arrivals.changed.notify_all();
        taken
    }
}

/// As a session does it: helpers alone, tasks that come in batches, and no more than `ahead` results that nobody has looked at.
#[cfg(not(model = "loom"))]
pub(crate) fn stream(block: &Block, limits: Limits, batch: usize, ahead: usize) -> Outcome {
    #[cfg(model = "shuttle")]
    use shuttle::thread;
    #[cfg(not(model = "shuttle"))]
    use std::thread;

    let arrivals = Arc::new(Arrivals::default());
    let inner = BlockSink { block, outcome: Outcome::default(), state: Default::default() };
    let sink = Announcing { inner, arrivals: Arc::clone(&arrivals) };
    let engine = Engine::new(block.clone(), sink, limits);
    let bell = Bell::default();
    let call = || bell.ring();
    engine.allow_commits(ahead, &call);
    thread::scope(|scope| {
        for _ in 0..limits.helpers {
            scope.spawn(|| {
                while bell.wait() {
                    engine.help(&call);
                }
            });
        }
        scope.spawn(|| {
            let mut left = block.programs.len();
            while left > 0 {
                let now = left.min(batch.max(1));
                engine.add(now, &call);
                left -= now;
            }
        });
        let mut seen = 0;
        while seen < block.programs.len() {
            let Some(arrived) = arrivals.more_than(seen) else { break };
            assert!(arrived <= seen + ahead, "{arrived} results where {seen} were looked at");
            seen += 1;
            engine.allow_commits(seen + ahead, &call);
        }
        engine.halt(&call);
        bell.dismiss();
    });
    let (sink, _) = engine.finish().0.expect("nothing panics");
    sink.inner.outcome
}
