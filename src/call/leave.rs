//! Leaving a call: its node of the call tree, and the answer to its caller.

use std::sync::Arc;

use super::CallInfo;
use super::stack::{Answer, CallStack, Level};
use super::unwind::Fault;
use crate::protocol::{Builtin, well_known};
use crate::syscall::{InnerCallResult, Language, TrackedResource, resume_with};

impl CallStack<'_, '_, '_> {
    /// Ends the top frame: it becomes a node of the call tree.
    pub(super) fn pop(&mut self) -> Result<CallInfo, Fault> {
        let constants = &self.phase.env.constants;
        let Some(level) = self.frames.pop() else {
            return Err(Fault::Internal("No frame to end.".to_owned()));
        };
        let left = &mut self.phase.steps.cells;
        *left = left.saturating_add(level.frame.held_cells());
        let Level { call, tracked, frame, record, inner_calls, .. } = level;
        let finished =
            frame.finish(call.initial_gas, tracked, constants, &self.phase.steps).map_err(Fault::Finish)?;
        let overflow = || Fault::Internal("A resource counter overflowed.".to_owned());

        let syscalls = constants
            .syscall_os_resources(record.usages.iter().map(|(name, usage)| (*name, *usage)))
            .map_err(|error| Fault::Internal(error.to_string()))?;
        let own = finished.resources.checked_add(&syscalls).ok_or_else(overflow)?;
        let mut builtin_counts = own.builtins;
        // The segment arena is no builtin to the prover: it is turned into steps.
        builtin_counts.set(Builtin::SegmentArena, 0);
        let mut resources = match tracked {
            TrackedResource::CairoSteps => own,
            TrackedResource::SierraGas => Default::default(),
        };
        for inner in &inner_calls {
            resources = resources.checked_add(&inner.resources).ok_or_else(overflow)?;
        }
        let info = CallInfo {
            call,
            retdata: finished.retdata,
            failed: finished.failed,
            gas_consumed: finished.gas_consumed,
            events: record.events,
            messages: record.messages,
            inner_calls,
            resources,
            tracked,
            accesses: record.accesses,
            builtin_counts,
            syscall_usages: record.usages,
        };
        if info.failed && !constants.switches.reverts {
            return Err(Fault::Panicked(Box::new(info)));
        }
        Ok(info)
    }

    /// Hands the result of a call to the frame that waits for it.
    pub(super) fn answer(&mut self, mut info: CallInfo) -> Result<(), Fault> {
        let Some(level) = self.frames.last_mut() else {
            return Err(Fault::Internal("Nobody waits for the call.".to_owned()));
        };
        let Some(pending) = level.pending.take() else {
            return Err(Fault::Internal("The frame below did not call.".to_owned()));
        };
        let left = pending
            .waiting
            .gas
            .checked_sub(info.gas_consumed)
            .ok_or_else(|| Fault::Internal("A call used more gas than it was given.".to_owned()))?;
        let language = level.frame.language();
        let outcome = |info: &CallInfo, level: &mut Level| {
            let failure;
            let outcome = match (&pending.answer, info.failed) {
                (Answer::Deploy(address), _) => InnerCallResult::Deployed(*address, &info.retdata),
                (_, false) => InnerCallResult::Returned(&info.retdata),
                (_, true) => {
                    failure = [info.retdata.as_slice(), &[well_known::ENTRYPOINT_FAILED]].concat();
                    InnerCallResult::Failed(&failure)
                }
            };
            level.frame.with_memory(|memory, at| resume_with(memory, at, language, left, outcome))
        };

        // A constructor that fails cannot be caught, and Cairo 0 cannot catch at all (C93, C102).
        let is_deploy = matches!(pending.answer, Answer::Deploy(_));
        if is_deploy || language == Language::Cairo0 {
            self.phase.gas_tracker.record(info.tracked, left);
            if info.failed {
                level.pending = Some(pending);
                return Err(Fault::Panicked(Box::new(info)));
            }
        }
        if let Answer::Meta(before) = &pending.answer {
            self.phase.transaction = Arc::clone(before);
        }
        if info.failed {
            self.journal.revert_to(pending.checkpoint);
            self.phase.counters = pending.counters;
            info.clear_effects();
        }
        let answered = outcome(&info, level);
        if level.inner_calls.is_empty() {
            // Most calls make one, if any; room for four would be kept as long as the call tree.
            level.inner_calls.reserve_exact(1);
        }
        level.inner_calls.push(info);
        answered.map_err(Fault::Syscall)
    }
}
