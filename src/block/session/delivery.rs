//! What is known of a session by all who have to do with it: how far it is, how it ended, what waits to be taken.
//!
//! In: submissions, commits, an end, calls for help. Out: results in order, and waking those who wait for something. Everything is
//! behind one lock, held for as long as it takes to move a result. Knows no engine, so that whoever holds it keeps no reader alive.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use starknet_api::transaction::TransactionHash;

use super::super::capacity::Weights;
use super::super::error::BlockError;
use super::super::outcome::{BlockEnd, TransactionOutcome};
use super::error::SubmitError;
use crate::state::CancellationToken;

/// How a session ended: one of its proper ends, or that it cannot go on.
pub(super) type Ended = Result<BlockEnd, BlockError>;

/// The state of a session, shared by its threads.
#[derive(Debug)]
pub(super) struct Delivery {
    state: Mutex<State>,
    changed: Condvar,
    pub(super) term: Arc<CancellationToken>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// Every transaction's place.
    places: HashMap<TransactionHash, usize>,
    is_input_ended: bool,
    /// Had their turn.
    pub(super) committed: usize,
    /// Whether the host is being told of the last one.
    is_telling: bool,
    /// How full the block is.
    pub(super) weights: Weights,
    /// Had their turn and wait to be taken.
    pub(super) outbox: VecDeque<TransactionOutcome>,
    /// The first one is the one that counts.
    pub(super) end: Option<Ended>,
    /// Calls for help that nobody has answered.
    calls: usize,
    /// Waiting threads that would answer one.
    idle: usize,
    /// Threads that are helping.
    helping: usize,
}

impl State {
    pub(super) fn submitted(&self) -> usize {
        self.places.len()
    }

    /// Whether nothing that was submitted is still to come.
    pub(super) fn is_idle(&self) -> bool {
        self.committed == self.submitted() && !self.is_telling
    }

    /// How many results were taken.
    pub(super) fn delivered(&self) -> usize {
        self.committed.saturating_sub(self.outbox.len())
    }

    /// Why no transaction is taken any more.
    fn refusal(&self) -> Option<SubmitError> {
        match &self.end {
            Some(Ok(end)) => Some(SubmitError::Ended(Box::new(end.clone()))),
            Some(Err(error)) => Some(SubmitError::Failed(Box::new(error.clone()))),
            None => self.is_input_ended.then_some(SubmitError::InputEnded),
        }
    }

    /// Ends the session, if nothing else has.
    fn end(&mut self, term: &CancellationToken, end: Ended) -> bool {
        let is_first = self.end.is_none();
        self.end.get_or_insert(end);
        term.cancel();
        is_first
    }
}

impl Delivery {
    pub(super) fn new(deadline: Option<Instant>) -> Self {
        let term = Arc::new(CancellationToken::until(deadline));
        Self { state: Mutex::default(), changed: Condvar::new(), term }
    }

    /// The state as it is now. Whoever looks after the deadline sees that it has passed.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.look_at_the_clock(&mut state);
        state
    }

    fn look_at_the_clock(&self, state: &mut State) {
        if state.end.is_none() && self.term.is_past_deadline() {
            state.end(&self.term, Ok(BlockEnd::Deadline));
            self.changed.notify_all();
        }
    }

    /// Waits for a change, at most until the deadline.
    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let deadline = self.term.deadline().filter(|_| state.end.is_none());
        let mut state = match deadline {
            None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(deadline) => {
                let left = deadline.saturating_duration_since(Instant::now());
                let waited = self.changed.wait_timeout(state, left);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        self.look_at_the_clock(&mut state);
        state
    }

    /// Ends the session; false if it had ended before. When this returns, nothing more is committed, and whoever runs a transaction
    /// stops soon.
    pub(super) fn end(&self, end: Ended) -> bool {
        let is_first = self.lock().end(&self.term, end);
        self.changed.notify_all();
        is_first
    }

    /// There will be no more transactions.
    pub(super) fn end_input(&self) {
        let mut state = self.lock();
        state.is_input_ended = true;
        self.go_on(state, None);
    }

    /// Why no transaction is taken any more.
    pub(super) fn refusal(&self) -> Option<SubmitError> {
        self.lock().refusal()
    }

    /// The results among the first `count` that were not taken.
    pub(super) fn take_undelivered(&self, count: usize) -> Vec<TransactionOutcome> {
        let mut state = self.lock();
        let left = count.saturating_sub(state.delivered());
        std::mem::take(&mut state.outbox).into_iter().take(left).collect()
    }

    /// Takes note of a batch, if all of it can be taken.
    pub(super) fn admit(
        &self,
        hashes: impl Iterator<Item = TransactionHash> + Clone,
    ) -> Result<MutexGuard<'_, State>, SubmitError> {
        let mut state = self.lock();
        if let Some(refusal) = state.refusal() {
            return Err(refusal);
        }
        let first = state.submitted();
        let mut added: usize = 0;
        let mut duplicate = None;
        for hash in hashes.clone() {
            let place = first.saturating_add(added);
            if let Some(&index) = state.places.get(&hash) {
                duplicate = Some(SubmitError::Duplicate { hash, index });
                break;
            }
            state.places.insert(hash, place);
            added = added.saturating_add(1);
        }
        if let Some(duplicate) = duplicate {
            for hash in hashes.take(added) {
                state.places.remove(&hash);
            }
            return Err(duplicate);
        }
        Ok(state)
    }

    /// Notes that a transaction had its turn; false if the session had ended before. Without an outcome to be taken, somebody is
    /// being told of it, and [`told`](Self::told) follows.
    pub(super) fn commit(
        &self,
        weights: Weights,
        outcome: Option<TransactionOutcome>,
        end: Option<BlockEnd>,
    ) -> bool {
        let mut state = self.lock();
        if state.end.is_some() {
            return false;
        }
        state.committed = state.committed.saturating_add(1);
        state.weights = weights;
        match outcome {
            Some(outcome) => {
                state.outbox.push_back(outcome);
                self.go_on(state, end);
            }
            None => state.is_telling = true,
        }
        true
    }

    /// Somebody was told of the last commit.
    pub(super) fn told(&self, end: Option<BlockEnd>) {
        let mut state = self.lock();
        state.is_telling = false;
        self.go_on(state, end);
    }

    /// After a change: ends the session if it is to end, and lets everybody look.
    fn go_on(&self, mut state: MutexGuard<'_, State>, end: Option<BlockEnd>) {
        if let Some(end) = end {
            state.end(&self.term, Ok(end));
        }
        if state.is_input_ended && state.is_idle() {
            state.end(&self.term, Ok(BlockEnd::Finished));
        }
        drop(state);
        self.changed.notify_all();
    }

    // ---- help

    /// Asks for a helper: a thread that waits anyhow, or one that `spawn` brings.
    pub(super) fn call(&self, spawn: impl FnOnce()) {
        let mut state = self.lock();
        state.calls = state.calls.saturating_add(1);
        let is_answered = state.idle >= state.calls;
        drop(state);
        if is_answered { self.changed.notify_all() } else { spawn() }
    }

    /// Answers a call, if there is one that nobody has answered.
    pub(super) fn answer(&self, help: impl FnOnce()) {
        if Self::take_call(&mut self.lock()) {
            self.helping(help);
        }
    }

    fn take_call(state: &mut State) -> bool {
        let Some(rest) = state.calls.checked_sub(1) else { return false };
        state.calls = rest;
        state.helping = state.helping.saturating_add(1);
        true
    }

    fn helping(&self, help: impl FnOnce()) {
        help();
        let mut state = self.lock();
        state.helping = state.helping.saturating_sub(1);
        let is_last = state.helping == 0;
        drop(state);
        if is_last {
            self.changed.notify_all();
        }
    }

    /// Waits until there is what `ready` looks for. With `help`, this thread answers calls meanwhile; those that are left when it
    /// goes are answered by threads that `spawn` brings.
    pub(super) fn until<V>(
        &self,
        help: Option<&dyn Fn()>,
        spawn: &dyn Fn(),
        mut ready: impl FnMut(&mut State) -> Option<V>,
    ) -> V {
        let mut state = self.lock();
        loop {
            if let Some(value) = ready(&mut state) {
                let left = state.calls.saturating_sub(state.idle);
                drop(state);
                if help.is_some() {
                    (0..left).for_each(|_| spawn());
                }
                return value;
            }
            let Some(help) = help else {
                state = self.wait(state);
                continue;
            };
            if Self::take_call(&mut state) {
                drop(state);
                self.helping(help);
                state = self.lock();
                continue;
            }
            state.idle = state.idle.saturating_add(1);
            state = self.wait(state);
            state.idle = state.idle.saturating_sub(1);
        }
    }

    /// Waits until no thread is helping any more.
    pub(super) fn until_nobody_helps(&self) {
        let mut state = self.lock();
        while state.helping > 0 {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
