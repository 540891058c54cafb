//! Leaving a call: its node of the call tree, and the response to its caller.

use std::sync::Arc;

use super::CallInfo;
use super::stack::{CallStack, Level, ResponseKind};
use super::unwind::Fault;
use crate::protocol::{Builtin, well_known};
use crate::syscall::{InnerCallResult, Language, TrackedResource, resume_with};

impl CallStack<'_, '_, '_> {
    /// Finishes the top frame: it becomes a node of the call tree.
    pub(super) fn pop(&mut self) -> Result<CallInfo, Fault> {
        let constants = &self.phase.env.constants;
        let Some(level) = self.frames.pop() else {
            return Err(Fault::Internal("no frame to finish".to_owned()));
        };
        let cells = &mut self.phase.steps.cells;
        *cells = cells.saturating_add(level.frame.held_cells());
        let Level { call, tracked, frame, record, inner_calls, .. } = level;
        let finished =
            frame.finish(call.initial_gas, tracked, constants, &self.phase.steps).map_err(Fault::Finish)?;
        let overflow = || Fault::Internal("a resource counter overflowed".to_owned());

        let syscalls = constants
            .syscall_os_resources(record.usages.iter().map(|(name, usage)| (*name, *usage)))
            .map_err(|error| Fault::Internal(error.to_string()))?;
        let own = finished.resources.checked_add(&syscalls).ok_or_else(overflow)?;
        let mut builtin_counts = own.builtins;
        // The segment arena is not a builtin of the prover: it is converted into steps.
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

    /// Writes the response of a call into the frame that waits for it.
    pub(super) fn respond(&mut self, mut info: CallInfo) -> Result<(), Fault> {
        let Some(level) = self.frames.last_mut() else {
            return Err(Fault::Internal("call returned without a caller frame".to_owned()));
        };
        let Some(pending) = level.pending.take() else {
            return Err(Fault::Internal("call returned to a frame that made no call".to_owned()));
        };
        let remaining_gas = pending
            .waiting
            .gas
            .checked_sub(info.gas_consumed)
            .ok_or_else(|| Fault::Internal("a call used more gas than it was given".to_owned()))?;
        let language = level.frame.language();
        let outcome = |info: &CallInfo, level: &mut Level| {
            let failure;
            let outcome = match (&pending.response, info.failed) {
                (ResponseKind::Deploy(address), _) => InnerCallResult::Deployed(*address, &info.retdata),
                (_, false) => InnerCallResult::Returned(&info.retdata),
                (_, true) => {
                    failure = [info.retdata.as_slice(), &[well_known::ENTRYPOINT_FAILED]].concat();
                    InnerCallResult::Failed(&failure)
                }
            };
            level.frame.with_memory(|memory, at| resume_with(memory, at, language, remaining_gas, outcome))
        };

        // A constructor that fails cannot be caught, and Cairo 0 cannot catch at all (C93, C102).
        let is_deploy = matches!(pending.response, ResponseKind::Deploy(_));
        if is_deploy || language == Language::Cairo0 {
            self.phase.gas_tracker.record(info.tracked, remaining_gas);
            if info.failed {
                level.pending = Some(pending);
                return Err(Fault::Panicked(Box::new(info)));
            }
        }
        if let ResponseKind::Meta(before) = &pending.response {
            self.phase.transaction = Arc::clone(before);
        }
        if info.failed {
            self.journal.revert_to(pending.checkpoint);
            self.phase.counters = pending.counters;
            info.clear_effects();
        }
        let written = outcome(&info, level);
        if level.inner_calls.is_empty() {
            // Most calls make at most one; the default capacity of four would be held as long as the call
            // tree.
            level.inner_calls.reserve_exact(1);
        }
        level.inner_calls.push(info);
        written.map_err(Fault::Syscall)
    }
}
