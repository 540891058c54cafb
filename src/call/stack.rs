//! Carrying out calls: frames on the heap, one loop.
//!
//! The loop runs the top frame until it stops. At a syscall the answer is written, or the call it asks for is entered (`enter`).
//! At its end the frame becomes a [`CallInfo`] and its caller goes on (`leave`). A fault ends everything and is unwound into an
//! error stack (`unwind`).

use std::sync::Arc;

use starknet_api::core::{ClassHash, ContractAddress};
use starknet_api::transaction::fields::Calldata;

use super::enter::{Entered, Prepared};
use super::phase::Phase;
use super::revert::FrameKind;
use super::unwind::Fault;
use super::{CallInfo, EntryPointFrame};
use crate::state::{Checkpoint, Journal, StateError};
use crate::syscall::{
    Dispatched, EntryPointCall, FrameRecord, InnerCall, PendingCall, PhaseCounters, SyscallContext,
    TrackedResource, TransactionInfo, UnresolvedCall, dispatch,
};
use crate::vm::{Frame, VmExit};

/// A frame that runs or waits, with everything the stack knows of it.
pub(super) struct Level {
    pub call: EntryPointCall,
    pub tracked: TrackedResource,
    pub frame: Frame,
    pub record: FrameRecord,
    pub inner_calls: Vec<CallInfo>,
    /// The call it waits for, while there is a level above it.
    pub pending: Option<Pending>,
}

/// A call that a frame waits for.
pub(super) struct Pending {
    pub frame: EntryPointFrame,
    pub waiting: PendingCall,
    /// The state, the events and the messages before the call, to go back to if it fails.
    pub checkpoint: Checkpoint,
    pub counters: PhaseCounters,
    pub answer: Answer,
}

/// What the answer to a call depends on.
pub(super) enum Answer {
    /// The data alone.
    Call,
    /// The new contract's address.
    Deploy(ContractAddress),
    /// As `Call`, and the transaction goes back to what it was.
    Meta(Arc<TransactionInfo>),
}

/// The frames of a phase, the innermost last.
pub(super) struct CallStack<'a, 'p, 'r> {
    pub(super) journal: &'a mut Journal<'r>,
    pub(super) phase: &'a mut Phase<'p>,
    pub(super) frames: Vec<Level>,
}

impl CallStack<'_, '_, '_> {
    /// The loop.
    pub(super) fn run(&mut self) -> Result<CallInfo, Fault> {
        loop {
            let Some(level) = self.frames.last_mut() else {
                return Err(Fault::Internal("The call stack is empty.".to_owned()));
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
                    self.answer(info)?;
                }
            }
        }
    }

    /// Serves the syscall at which the top frame stopped.
    fn syscall(&mut self) -> Result<(), Fault> {
        let Some(level) = self.frames.last_mut() else {
            return Err(Fault::Internal("A syscall without a frame.".to_owned()));
        };
        let scope = SyscallContext {
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
        match level.frame.with_memory(|memory, at| dispatch(memory, at, scope)).map_err(Fault::Syscall)? {
            Dispatched::Answered => Ok(()),
            Dispatched::Call { call, pending } => self.call(*call, pending),
        }
    }

    /// Carries out a call that a syscall asked for.
    fn call(&mut self, call: InnerCall, waiting: PendingCall) -> Result<(), Fault> {
        let checkpoint = self.journal.checkpoint();
        let counters = self.phase.counters;
        let depth = 0; // Depths are counted when a stack is unwound.
        let frame = |kind, storage_address, class_hash, selector| EntryPointFrame {
            depth,
            kind,
            storage_address,
            class_hash,
            selector,
        };
        let (frame, answer, next) = match call {
            InnerCall::Contract { call, class_hash } => {
                let frame =
                    frame(FrameKind::CallContract, call.storage_address, class_hash, Some(call.selector));
                (frame, Answer::Call, Next::Enter(call))
            }
            InnerCall::Library { call, class_hash } => {
                let frame =
                    frame(FrameKind::LibraryCall, call.storage_address, class_hash, Some(call.selector));
                (frame, Answer::Call, Next::Enter(call))
            }
            InnerCall::Meta { call, class_hash, transaction } => {
                let before = std::mem::replace(&mut self.phase.transaction, Arc::from(transaction));
                let frame =
                    frame(FrameKind::CallContract, call.storage_address, class_hash, Some(call.selector));
                (frame, Answer::Meta(before), Next::Enter(call))
            }
            InnerCall::Deploy { class_hash, address, deployer, calldata } => {
                let frame = frame(FrameKind::Constructor, address, class_hash, None);
                (frame, Answer::Deploy(address), Next::Deploy { class_hash, address, deployer, calldata })
            }
        };
        let Some(level) = self.frames.last_mut() else {
            return Err(Fault::Internal("A call without a caller.".to_owned()));
        };
        level.pending = Some(Pending { frame, waiting, checkpoint, counters, answer });

        let entered = match next {
            Next::Enter(call) => self.enter(call)?,
            Next::Deploy { class_hash, address, deployer, calldata } => {
                match self.prepare_deploy(
                    class_hash,
                    address,
                    Some(address),
                    deployer,
                    calldata,
                    waiting.gas,
                )? {
                    Prepared::Constructor(call) => {
                        if let Some(pending) = self.frames.last_mut().and_then(|level| level.pending.as_mut())
                        {
                            pending.frame.selector = Some(call.selector);
                        }
                        self.enter(call)?
                    }
                    Prepared::Done(info) => return self.answer(*info),
                }
            }
        };
        match entered {
            Entered::Running => Ok(()),
            Entered::Failed(info) => self.answer(*info),
        }
    }
}

/// Where a requested call goes on.
enum Next {
    Enter(UnresolvedCall),
    Deploy { class_hash: ClassHash, address: ContractAddress, deployer: ContractAddress, calldata: Calldata },
}
