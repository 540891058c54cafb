//! Threads for the engine: the calling one, and helpers that wait to be called.

use crate::mock::{Block, BlockSink, Outcome};
use crate::parallel::{Counters, Engine, Limits, Panicked};
use crate::sync::{Condvar, Mutex};

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
    Limits { helpers, window, shards: 1 }
}

/// Runs a block on so many threads; tasks come in batches while it runs.
#[cfg(not(model = "loom"))]
pub(crate) fn run(block: &Block, limits: Limits, batch: usize) -> Result {
    #[cfg(model = "shuttle")]
    use shuttle::thread;
    #[cfg(not(model = "shuttle"))]
    use std::thread;

    let sink = BlockSink { block, outcome: Outcome::default() };
    let engine = Engine::new(block, sink, limits);
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
    let (sink, counters) = engine.finish()?;
    Ok((sink.outcome, counters))
}
