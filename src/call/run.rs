//! Running calls: one loop over the frames of a phase.
//!
//! The loop runs the top frame until it stops. At a syscall the response is written, or the call that it
//! requests is entered (`enter`). When a frame returns, it becomes a [`CallInfo`] and its caller continues
//! (`leave`). A fault ends all frames and is unwound into an error stack (`unwind`).

use std::sync::Arc;

use starknet_api::core::{ClassHash, ContractAddress};
use starknet_api::transaction::fields::Calldata;
use starknet_types_core::felt::Felt;

use super::enter::{Deployment, Entered};
use super::phase::{CallFailure, DeployFailure, Phase, RootCall};
use super::revert::{Cairo1RevertHeader, Cairo1RevertSummary, ErrorSegment, FailureCause, FrameKind};
use super::stack::{CallStack, Pending, ResponseKind};
use super::unwind::{Fault, unwind};
use super::{CallInfo, EntryPointFrame};
use crate::protocol::well_known;
use crate::state::{Journal, StateError};
use crate::syscall::{
    CallType, Dispatched, InnerCall, PendingCall, SyscallContext, TrackedResource, UnresolvedCall, dispatch,
};
use crate::vm::VmExit;

/// Executes `call` with all its inner calls.
pub(crate) fn execute(
    journal: &mut Journal<'_>,
    phase: &mut Phase<'_>,
    call: RootCall,
) -> Result<CallInfo, CallFailure> {
    let root = UnresolvedCall {
        class_hash: call.class_hash,
        code_address: None,
        entry_point_type: call.entry_point_type,
        selector: call.selector,
        calldata: call.calldata,
        storage_address: call.address,
        caller_address: call.caller,
        call_type: CallType::Call,
        initial_gas: call.initial_gas,
    };
    phase.steps.stop = journal.stop_flag().clone();
    let mut stack = CallStack { journal, phase, frames: Vec::new() };
    let entered = stack.enter(root);
    let info = stack.finish(entered)?;
    if call.failure_is_error {
        return stack.check_root(info, call.initial_gas);
    }
    Ok(info)
}

/// Deploys `class_hash` at `address` and runs its constructor, as a deploy-account transaction does (C12,
/// C71).
pub(crate) fn deploy(
    journal: &mut Journal<'_>,
    phase: &mut Phase<'_>,
    class_hash: ClassHash,
    address: ContractAddress,
    calldata: Calldata,
    initial_gas: u64,
) -> Result<CallInfo, DeployFailure> {
    phase.steps.stop = journal.stop_flag().clone();
    let mut stack = CallStack { journal, phase, frames: Vec::new() };
    let (call, selector) = match stack.prepare_deploy(
        class_hash,
        address,
        None,
        ContractAddress::default(),
        calldata,
        initial_gas,
    ) {
        Ok(Deployment::Constructor(call)) => {
            let selector = call.selector;
            (call, selector)
        }
        Ok(Deployment::Finished(info)) => return Ok(*info),
        Err(fault) => return Err(DeployFailure { failure: Box::new(stack.fail(fault)), selector: None }),
    };
    let entered = stack.enter(call);
    let result = stack.finish(entered).and_then(|info| stack.check_root(info, initial_gas));
    result.map_err(|failure| DeployFailure { failure: Box::new(failure), selector: Some(selector) })
}

impl CallStack<'_, '_, '_> {
    /// Runs the frames until the outermost call has returned.
    fn run_frames(&mut self) -> Result<CallInfo, Fault> {
        loop {
            let Some(level) = self.frames.last_mut() else {
                return Err(Fault::Internal("the call stack is empty".to_owned()));
            };
            let counts_steps = level.tracked == TrackedResource::CairoSteps;
            match level.frame.run(&mut self.phase.steps, counts_steps).map_err(Fault::Frame)? {
                VmExit::Syscall if self.phase.steps.stop.is_raised() => {
                    return Err(Fault::entry_state(StateError::Stopped));
                }
                VmExit::Syscall => self.syscall()?,
                VmExit::Interrupted => return Err(Fault::entry_state(StateError::Stopped)),
                VmExit::Returned => {
                    let info = self.pop()?;
                    if self.frames.is_empty() {
                        return Ok(info);
                    }
                    self.respond(info)?;
                }
            }
        }
    }

    /// Carries out the syscall at which the top frame stopped.
    fn syscall(&mut self) -> Result<(), Fault> {
        let Some(level) = self.frames.last_mut() else {
            return Err(Fault::Internal("a syscall without a frame".to_owned()));
        };
        let context = SyscallContext {
            env: self.phase.env,
            transaction: &self.phase.transaction,
            mode: self.phase.mode,
            state: self.journal,
            counters: &mut self.phase.counters,
            call: &level.call,
            language: level.frame.language(),
            record: &mut level.record,
            tracked: level.tracked,
            gas_tracker: &mut self.phase.gas_tracker,
            gas: 0,
        };
        match level.frame.with_memory(|memory, at| dispatch(memory, at, context)).map_err(Fault::Syscall)? {
            Dispatched::Responded => Ok(()),
            Dispatched::Call { call, pending } => self.call(*call, pending),
        }
    }

    /// Enters a call that a syscall requested.
    fn call(&mut self, call: InnerCall, waiting: PendingCall) -> Result<(), Fault> {
        let checkpoint = self.journal.checkpoint();
        let counters = self.phase.counters;
        let depth = 0; // Depths are counted when the stack is unwound.
        let frame = |kind, storage_address, class_hash, selector| EntryPointFrame {
            depth,
            kind,
            storage_address,
            class_hash,
            selector,
        };
        let (frame, response, callee) = match call {
            InnerCall::Contract { call, class_hash } => {
                let frame =
                    frame(FrameKind::CallContract, call.storage_address, class_hash, Some(call.selector));
                (frame, ResponseKind::Call, Callee::Contract(call))
            }
            InnerCall::Library { call, class_hash } => {
                let frame =
                    frame(FrameKind::LibraryCall, call.storage_address, class_hash, Some(call.selector));
                (frame, ResponseKind::Call, Callee::Contract(call))
            }
            InnerCall::Meta { call, class_hash, transaction } => {
                let before = std::mem::replace(&mut self.phase.transaction, Arc::from(transaction));
                let frame =
                    frame(FrameKind::CallContract, call.storage_address, class_hash, Some(call.selector));
                (frame, ResponseKind::Meta(before), Callee::Contract(call))
            }
            InnerCall::Deploy { class_hash, address, deployer, calldata } => {
                let frame = frame(FrameKind::Constructor, address, class_hash, None);
                (
                    frame,
                    ResponseKind::Deploy(address),
                    Callee::Deploy { class_hash, address, deployer, calldata },
                )
            }
        };
        let Some(level) = self.frames.last_mut() else {
            return Err(Fault::Internal("a call without a caller frame".to_owned()));
        };
        level.pending = Some(Pending { frame, waiting, checkpoint, counters, response });

        let entered = match callee {
            Callee::Contract(call) => self.enter(call)?,
            Callee::Deploy { class_hash, address, deployer, calldata } => {
                match self.prepare_deploy(
                    class_hash,
                    address,
                    Some(address),
                    deployer,
                    calldata,
                    waiting.gas,
                )? {
                    Deployment::Constructor(call) => {
                        if let Some(pending) = self.frames.last_mut().and_then(|level| level.pending.as_mut())
                        {
                            pending.frame.selector = Some(call.selector);
                        }
                        self.enter(call)?
                    }
                    Deployment::Finished(info) => return self.respond(*info),
                }
            }
        };
        match entered {
            Entered::Running => Ok(()),
            Entered::Failed(info) => self.respond(*info),
        }
    }

    /// Runs from the outermost call's entry to its end.
    fn finish(&mut self, entered: Result<Entered, Fault>) -> Result<CallInfo, CallFailure> {
        let result = match entered {
            Ok(Entered::Failed(info)) => Ok(*info),
            Ok(Entered::Running) => self.run_frames(),
            Err(fault) => Err(fault),
        };
        result.map_err(|fault| self.fail(fault))
    }

    fn fail(&mut self, fault: Fault) -> CallFailure {
        unwind(std::mem::take(&mut self.frames), fault, self.phase.env.constants.switches.vm_frames_stripped)
    }

    /// Turns a panicked outermost call into a failed phase (C68). The tracker records its gas in any case
    /// (C109).
    fn check_root(&mut self, info: CallInfo, initial_gas: u64) -> Result<CallInfo, CallFailure> {
        let remaining = initial_gas.saturating_sub(info.gas_consumed);
        self.phase.gas_tracker.record(info.tracked, remaining);
        if !info.failed {
            return Ok(info);
        }
        let summary = Cairo1RevertSummary::of(&info, Cairo1RevertHeader::Execution);
        Err(CallFailure::Reverted {
            cause: panic_cause(&summary.panic_data),
            segments: vec![ErrorSegment::Cairo1Revert(summary)],
            tree: Some(Box::new(info)),
        })
    }
}

/// The callee of a requested call.
enum Callee {
    Contract(UnresolvedCall),
    Deploy { class_hash: ClassHash, address: ContractAddress, deployer: ContractAddress, calldata: Calldata },
}

/// The broad reason of a panic.
fn panic_cause(panic_data: &[Felt]) -> FailureCause {
    match panic_data {
        [data] if *data == well_known::OUT_OF_GAS => FailureCause::OutOfGas,
        [data] if *data == well_known::ENTRYPOINT_NOT_FOUND => FailureCause::EntryPointNotFound,
        _ => FailureCause::Panic,
    }
}
