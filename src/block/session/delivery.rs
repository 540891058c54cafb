//! The shared state of a session: its progress, its end, and the results that wait for the host.
//!
//! Input: submissions, commits, an end, requests for helpers. Output: results in order, and wake-ups of
//! waiting threads. One lock protects everything, held for as long as it takes to move a result. Must not
//! know: the executor, so that a handle to the delivery does not keep the host's reader alive.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use starknet_api::transaction::TransactionHash;

use super::super::capacity::Weights;
use super::super::error::BlockError;
use super::super::outcome::{BlockEnd, TransactionOutcome};
use super::error::SubmitError;
use crate::state::CancellationToken;

/// The end of a session: a regular one, or the error that it failed with.
pub(super) type SessionEnd = Result<BlockEnd, BlockError>;

/// The state of a session, shared by its threads.
#[derive(Debug)]
pub(super) struct Delivery {
    state: Mutex<State>,
    changed: Condvar,
    pub(super) cancellation: Arc<CancellationToken>,
}

#[derive(Debug, Default)]
pub(super) struct State {
    /// The index of every submitted transaction.
    indices: HashMap<TransactionHash, usize>,
    is_input_ended: bool,
    /// The number of processed transactions, rejected ones included.
    pub(super) committed: usize,
    /// `true` if the host's callback is running for the last of them.
    callback_running: bool,
    /// The block's bouncer weights.
    pub(super) weights: Weights,
    /// Results that wait for the host.
    pub(super) outbox: VecDeque<TransactionOutcome>,
    /// The end; the first one is kept.
    pub(super) end: Option<SessionEnd>,
    /// Requests for helpers that no thread has answered.
    requests: usize,
    /// Waiting threads that would answer a request.
    idle: usize,
    /// Threads that are helping.
    helping: usize,
}

impl State {
    pub(super) fn submitted(&self) -> usize {
        self.indices.len()
    }

    /// Returns `true` if every submitted transaction is processed and its callback has returned.
    pub(super) fn is_idle(&self) -> bool {
        self.committed == self.submitted() && !self.callback_running
    }

    /// Returns the number of results that the host has taken.
    pub(super) fn delivered(&self) -> usize {
        self.committed.saturating_sub(self.outbox.len())
    }

    /// Returns the reason for which submissions are refused, if they are.
    fn refusal(&self) -> Option<SubmitError> {
        match &self.end {
            Some(Ok(end)) => Some(SubmitError::Ended(Box::new(end.clone()))),
            Some(Err(error)) => Some(SubmitError::Failed(Box::new(error.clone()))),
            None => self.is_input_ended.then_some(SubmitError::InputEnded),
        }
    }

    /// Ends the session. Returns `false` if it had ended before.
    fn end(&mut self, cancellation: &CancellationToken, end: SessionEnd) -> bool {
        let is_first = self.end.is_none();
        self.end.get_or_insert(end);
        cancellation.cancel();
        is_first
    }
}

impl Delivery {
    pub(super) fn new(deadline: Option<Instant>) -> Self {
        let cancellation = Arc::new(CancellationToken::until(deadline));
        Self { state: Mutex::default(), changed: Condvar::new(), cancellation }
    }

    /// Locks the state, after ending the session if its deadline has passed.
    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        self.check_deadline(&mut state);
        state
    }

    fn check_deadline(&self, state: &mut State) {
        if state.end.is_none() && self.cancellation.is_past_deadline() {
            state.end(&self.cancellation, Ok(BlockEnd::Deadline));
            self.changed.notify_all();
        }
    }

    /// Waits for a change, at most until the deadline.
    fn wait<'a>(&self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        let deadline = self.cancellation.deadline().filter(|_| state.end.is_none());
        let mut state = match deadline {
            None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
            Some(deadline) => {
                let remaining = deadline.saturating_duration_since(Instant::now());
                let waited = self.changed.wait_timeout(state, remaining);
                waited.unwrap_or_else(PoisonError::into_inner).0
            }
        };
        self.check_deadline(&mut state);
        state
    }

    /// Ends the session. Returns `false` if it had ended before. After the return nothing more is committed,
    /// and running transactions stop soon.
    pub(super) fn end(&self, end: SessionEnd) -> bool {
        let is_first = self.lock().end(&self.cancellation, end);
        self.changed.notify_all();
        is_first
    }

    /// Declares that no more transactions will be submitted.
    pub(super) fn end_input(&self) {
        let mut state = self.lock();
        state.is_input_ended = true;
        self.publish(state, None);
    }

    /// Returns the reason for which submissions are refused, if they are.
    pub(super) fn refusal(&self) -> Option<SubmitError> {
        self.lock().refusal()
    }

    /// Takes the results among the first `n` that the host has not taken.
    pub(super) fn take_undelivered(&self, n: usize) -> Vec<TransactionOutcome> {
        let mut state = self.lock();
        let remaining = n.saturating_sub(state.delivered());
        std::mem::take(&mut state.outbox).into_iter().take(remaining).collect()
    }

    /// Gives indices to a batch of transactions, or to none of them if one was submitted before.
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
            let next = first.saturating_add(added);
            if let Some(&index) = state.indices.get(&hash) {
                duplicate = Some(SubmitError::Duplicate { hash, index });
                break;
            }
            state.indices.insert(hash, next);
            added = added.saturating_add(1);
        }
        if let Some(duplicate) = duplicate {
            for hash in hashes.take(added) {
                state.indices.remove(&hash);
            }
            return Err(duplicate);
        }
        Ok(state)
    }

    /// Records a processed transaction and puts its outcome into the outbox. Returns `false` if the session
    /// had ended before.
    pub(super) fn commit(
        &self,
        weights: Weights,
        outcome: TransactionOutcome,
        end: Option<BlockEnd>,
    ) -> bool {
        let Some(mut state) = self.record(weights) else { return false };
        state.outbox.push_back(outcome);
        self.publish(state, end);
        true
    }

    /// Records a processed transaction whose outcome goes to the host's callback;
    /// [`end_callback`](Self::end_callback) must follow. Returns `false` if the session had ended before.
    pub(super) fn begin_callback(&self, weights: Weights) -> bool {
        let Some(mut state) = self.record(weights) else { return false };
        state.callback_running = true;
        true
    }

    /// Records that the host's callback has returned.
    pub(super) fn end_callback(&self, end: Option<BlockEnd>) {
        let mut state = self.lock();
        state.callback_running = false;
        self.publish(state, end);
    }

    fn record(&self, weights: Weights) -> Option<MutexGuard<'_, State>> {
        let mut state = self.lock();
        if state.end.is_some() {
            return None;
        }
        state.committed = state.committed.saturating_add(1);
        state.weights = weights;
        Some(state)
    }

    /// Ends the session if it is to end, unlocks the state and wakes all waiting threads.
    fn publish(&self, mut state: MutexGuard<'_, State>, end: Option<BlockEnd>) {
        if let Some(end) = end {
            state.end(&self.cancellation, Ok(end));
        }
        if state.is_input_ended && state.is_idle() {
            state.end(&self.cancellation, Ok(BlockEnd::Finished));
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Requests a helper: a waiting thread, or one that `spawn` starts.
    pub(super) fn request_helper(&self, spawn: impl FnOnce()) {
        let mut state = self.lock();
        state.requests = state.requests.saturating_add(1);
        let has_idle_thread = state.idle >= state.requests;
        drop(state);
        if has_idle_thread { self.changed.notify_all() } else { spawn() }
    }

    /// Answers a request for a helper, if one is open.
    pub(super) fn answer_request(&self, help: impl FnOnce()) {
        if Self::take_request(&mut self.lock()) {
            self.run_helper(help);
        }
    }

    fn take_request(state: &mut State) -> bool {
        let Some(remaining) = state.requests.checked_sub(1) else { return false };
        state.requests = remaining;
        state.helping = state.helping.saturating_add(1);
        true
    }

    fn run_helper(&self, help: impl FnOnce()) {
        help();
        let mut state = self.lock();
        state.helping = state.helping.saturating_sub(1);
        let is_last = state.helping == 0;
        drop(state);
        if is_last {
            self.changed.notify_all();
        }
    }

    /// Waits until `ready` returns a value. With `help`, this thread answers requests for helpers meanwhile;
    /// for those that are open when it stops, `spawn` starts threads.
    pub(super) fn wait_until<V>(
        &self,
        help: Option<&dyn Fn()>,
        spawn: &dyn Fn(),
        mut ready: impl FnMut(&mut State) -> Option<V>,
    ) -> V {
        let mut state = self.lock();
        loop {
            if let Some(value) = ready(&mut state) {
                let open = state.requests.saturating_sub(state.idle);
                drop(state);
                if help.is_some() {
                    (0..open).for_each(|_| spawn());
                }
                return value;
            }
            let Some(help) = help else {
                state = self.wait(state);
                continue;
            };
            if Self::take_request(&mut state) {
                drop(state);
                self.run_helper(help);
                state = self.lock();
                continue;
            }
            state.idle = state.idle.saturating_add(1);
            state = self.wait(state);
            state.idle = state.idle.saturating_sub(1);
        }
    }

    /// Waits until no thread is helping.
    pub(super) fn wait_for_helpers(&self) {
        let mut state = self.lock();
        while state.helping > 0 {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}
