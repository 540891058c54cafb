//! Carrying out calls: frames on the heap, one loop.
//!
//! The loop runs the top frame until it stops. At a syscall the answer is written, or the call it asks for is entered. At its end
//! the frame becomes a [`CallInfo`] and its caller goes on. A fault ends everything and is unwound into an error stack.

use std::sync::Arc;

use starknet_api::contract_class::EntryPointType;
use starknet_api::core::{ClassHash, ContractAddress, EntryPointSelector};
use starknet_api::transaction::TransactionVersion;
use starknet_api::transaction::fields::Calldata;
use starknet_types_core::felt::Felt;

use super::revert::{Cairo1RevertHeader, Cairo1RevertSummary, ErrorSegment, FailureCause, FrameKind};
use super::unwind::{Fault, unwind};
use super::{CallInfo, EntryPointFrame};
use crate::class::ContractClass;
use crate::protocol::{BlockEnv, Builtin, names};
use crate::state::{Checkpoint, Journal, StateError};
use crate::syscall::{
    CallOutcome, CallType, Counters, EntryPointCall, ExecutionMode, FrameRecord, GasTracker, InnerCall,
    Scope, Served, StorageAccesses, SyscallUsages, TrackedResource, TransactionInfo, UnresolvedCall, Waiting,
    answer_call, serve,
};
use crate::vm::{Frame, StartFault, StepBudget, Stop};

/// One phase of a transaction: validation, execution or fee transfer. Events, messages, depth and steps are counted over a phase (C18).
pub(crate) struct Phase<'a> {
    /// Block, chain, constants.
    pub env: &'a BlockEnv,
    /// What contracts see of the transaction.
    pub transaction: Arc<TransactionInfo>,
    /// Validation or execution.
    pub mode: ExecutionMode,
    /// Steps that are left.
    pub steps: StepBudget,
    /// Events and messages so far.
    pub counters: Counters,
    /// Gas burnt, in case the phase dies.
    pub gas_tracker: GasTracker,
}

impl<'a> Phase<'a> {
    /// A phase with this many steps and this much gas.
    pub(crate) fn new(
        env: &'a BlockEnv,
        transaction: &Arc<TransactionInfo>,
        mode: ExecutionMode,
        max_steps: u64,
        initial_gas: u64,
    ) -> Self {
        Self {
            env,
            transaction: Arc::clone(transaction),
            mode,
            steps: StepBudget { remaining: max_steps },
            counters: Counters::default(),
            gas_tracker: GasTracker::new(initial_gas),
        }
    }
}

/// The outermost call of a phase.
#[derive(Clone, Debug)]
pub(crate) struct RootCall {
    /// External or L1 handler.
    pub entry_point_type: EntryPointType,
    /// Which entry point.
    pub selector: EntryPointSelector,
    /// The arguments.
    pub calldata: Calldata,
    /// The called contract.
    pub address: ContractAddress,
    /// Who calls: 0, or the account in a fee transfer.
    pub caller: ContractAddress,
    /// Sierra gas.
    pub initial_gas: u64,
    /// Whether a call that fails is a failed phase (execution) or a result like any other (validation, fee transfer; C30, C68).
    pub failure_is_error: bool,
}

/// A phase that did not end well.
#[derive(Clone, Debug)]
pub(crate) enum CallFailure {
    /// It reverted: the segments below the outermost frame, the broad reason, and what there is of the call tree.
    Reverted {
        /// Without the outermost frame, which the transaction knows.
        segments: Vec<ErrorSegment>,
        /// The reason.
        cause: FailureCause,
        /// The call tree up to the failure; `None` when the outermost call could not even be entered.
        tree: Option<Box<CallInfo>>,
    },
    /// The host's reader failed.
    Reader(StateError),
    /// The engine or we are broken.
    Internal(String),
}

/// A deployment that did not end well.
#[derive(Clone, Debug)]
pub(crate) struct DeployFailure {
    /// Why.
    pub failure: Box<CallFailure>,
    /// The constructor, if it was known by then.
    pub selector: Option<EntryPointSelector>,
}

/// Executes `call` with all its inner calls.
pub(crate) fn execute(
    journal: &mut Journal<'_>,
    phase: &mut Phase<'_>,
    call: RootCall,
) -> Result<CallInfo, CallFailure> {
    let root = UnresolvedCall {
        class_hash: None,
        code_address: None,
        entry_point_type: call.entry_point_type,
        selector: call.selector,
        calldata: call.calldata,
        storage_address: call.address,
        caller_address: call.caller,
        call_type: CallType::Call,
        initial_gas: call.initial_gas,
    };
    let mut stack = CallStack { journal, phase, frames: Vec::new() };
    let entered = stack.enter(root);
    let info = stack.finish(entered)?;
    if call.failure_is_error {
        return stack.check_root(info, call.initial_gas);
    }
    Ok(info)
}

/// Deploys `class_hash` at `address` and runs its constructor, as a deploy-account transaction does (C12, C71).
pub(crate) fn deploy(
    journal: &mut Journal<'_>,
    phase: &mut Phase<'_>,
    class_hash: ClassHash,
    address: ContractAddress,
    calldata: Calldata,
    initial_gas: u64,
) -> Result<CallInfo, DeployFailure> {
    let mut stack = CallStack { journal, phase, frames: Vec::new() };
    let (call, selector) = match stack.prepare_deploy(
        class_hash,
        address,
        None,
        ContractAddress::default(),
        calldata,
        initial_gas,
    ) {
        Ok(Prepared::Constructor(call)) => {
            let selector = call.selector;
            (call, selector)
        }
        Ok(Prepared::Done(info)) => return Ok(*info),
        Err(fault) => return Err(DeployFailure { failure: Box::new(stack.fail(fault)), selector: None }),
    };
    let entered = stack.enter(call);
    let result = stack.finish(entered).and_then(|info| stack.check_root(info, initial_gas));
    result.map_err(|failure| DeployFailure { failure: Box::new(failure), selector: Some(selector) })
}

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
    waiting: Waiting,
    /// The state, the events and the messages before the call, to go back to if it fails.
    checkpoint: Checkpoint,
    counters: Counters,
    answer: Answer,
}

/// What the answer to a call depends on.
enum Answer {
    /// The data alone.
    Call,
    /// The new contract's address.
    Deploy(ContractAddress),
    /// As `Call`, and the transaction goes back to what it was.
    Meta(Arc<TransactionInfo>),
}

/// What entering a call led to.
enum Entered {
    /// A new level runs.
    Running,
    /// The call ended at once, failed (C65, C60).
    Failed(Box<CallInfo>),
}

/// What deploying a contract leads to.
enum Prepared {
    /// Its constructor is to run.
    Constructor(UnresolvedCall),
    /// There is none (C69).
    Done(Box<CallInfo>),
}

pub(super) struct CallStack<'a, 'p, 'r> {
    journal: &'a mut Journal<'r>,
    phase: &'a mut Phase<'p>,
    frames: Vec<Level>,
}

impl CallStack<'_, '_, '_> {
    /// Runs from the outermost call's entry to its end.
    fn finish(&mut self, entered: Result<Entered, Fault>) -> Result<CallInfo, CallFailure> {
        let result = match entered {
            Ok(Entered::Failed(info)) => Ok(*info),
            Ok(Entered::Running) => self.run(),
            Err(fault) => Err(fault),
        };
        result.map_err(|fault| self.fail(fault))
    }

    fn fail(&mut self, fault: Fault) -> CallFailure {
        unwind(std::mem::take(&mut self.frames), fault, self.phase.env.constants.switches.vm_frames_stripped)
    }

    /// A failed outermost call is a failed phase (C68); either way its gas is noted (C109).
    fn check_root(&mut self, info: CallInfo, initial_gas: u64) -> Result<CallInfo, CallFailure> {
        let left = initial_gas.saturating_sub(info.gas_consumed);
        self.phase.gas_tracker.see(info.tracked, left);
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

    /// The loop.
    fn run(&mut self) -> Result<CallInfo, Fault> {
        loop {
            let Some(level) = self.frames.last_mut() else {
                return Err(Fault::Internal("The call stack is empty.".to_owned()));
            };
            let counts_steps = level.tracked == TrackedResource::CairoSteps;
            match level.frame.run(&mut self.phase.steps, counts_steps).map_err(Fault::Frame)? {
                Stop::Syscall => self.syscall()?,
                Stop::Returned => {
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
        let scope = Scope {
            env: self.phase.env,
            transaction: &self.phase.transaction,
            mode: self.phase.mode,
            state: self.journal,
            counters: &mut self.phase.counters,
            call: &level.call,
            record: &mut level.record,
            tracked: level.tracked,
            gas_tracker: &mut self.phase.gas_tracker,
            gas: 0,
        };
        match level.frame.with_memory(|memory, at| serve(memory, at, scope)).map_err(Fault::Syscall)? {
            Served::Answered => Ok(()),
            Served::Call { call, waiting } => self.call(*call, waiting),
        }
    }

    /// Carries out a call that a syscall asked for.
    fn call(&mut self, call: InnerCall, waiting: Waiting) -> Result<(), Fault> {
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

    /// Looks the class up and pushes a frame for `call` (C63).
    fn enter(&mut self, call: UnresolvedCall) -> Result<Entered, Fault> {
        let constants = &self.phase.env.constants;
        if u64::try_from(self.frames.len()).unwrap_or(u64::MAX) >= constants.limits.max_call_depth {
            return Err(Fault::entry(
                FailureCause::CallDepth,
                "Execution failed due to recursion depth exceeded.",
            ));
        }
        let storage_class = self.journal.class_hash_at(call.storage_address).map_err(Fault::entry_state)?;
        if storage_class == ClassHash::default() {
            let address = call.storage_address.0.key();
            return Err(Fault::entry(
                FailureCause::ContractNotFound,
                format!("Requested contract address {address:#066x} is not deployed."),
            ));
        }
        let class_hash = call.class_hash.unwrap_or(storage_class);
        // An account that version 0 transactions could have robbed (C49).
        if self.phase.transaction.version == TransactionVersion::ZERO
            && class_hash == names::FAULTY_CLASS_HASH
        {
            return Err(Fault::entry(FailureCause::Other, "Fraud attempt blocked."));
        }
        let class = self.journal.class(class_hash).map_err(Fault::entry_state)?;
        let tracked = self.tracked(&class);
        let call = EntryPointCall {
            class_hash,
            code_address: call.code_address,
            entry_point_type: call.entry_point_type,
            selector: call.selector,
            calldata: call.calldata,
            storage_address: call.storage_address,
            caller_address: call.caller_address,
            call_type: call.call_type,
            initial_gas: match tracked {
                // Gas is not to limit what is measured in steps.
                TrackedResource::CairoSteps => constants.gas.default_initial_gas,
                TrackedResource::SierraGas => call.initial_gas,
            },
        };
        let started = match &class {
            ContractClass::Cairo1(class) => Frame::start(class, &call, constants),
        };
        match started {
            Ok(frame) => {
                self.frames.push(Level {
                    call,
                    tracked,
                    frame,
                    record: FrameRecord::default(),
                    inner_calls: Vec::new(),
                    pending: None,
                });
                Ok(Entered::Running)
            }
            Err(fault) => match catchable(&fault).filter(|_| constants.switches.reverts) {
                Some(code) => Ok(Entered::Failed(Box::new(bare_info(call, tracked, vec![code], true)))),
                None => Err(Fault::start(&fault)),
            },
        }
    }

    /// Steps are catching: whatever a call in steps calls runs in steps (1.6).
    fn tracked(&self, class: &ContractClass) -> TrackedResource {
        let in_steps = self.frames.last().is_some_and(|level| level.tracked == TrackedResource::CairoSteps);
        if in_steps || !class.tracked_by_gas(&self.phase.env.constants) {
            TrackedResource::CairoSteps
        } else {
            TrackedResource::SierraGas
        }
    }

    /// Puts the class at the address; the constructor comes next (C69-C73).
    fn prepare_deploy(
        &mut self,
        class_hash: ClassHash,
        address: ContractAddress,
        code_address: Option<ContractAddress>,
        deployer: ContractAddress,
        calldata: Calldata,
        initial_gas: u64,
    ) -> Result<Prepared, Fault> {
        if self.journal.class_hash_at(address).map_err(Fault::entry_state)? != ClassHash::default() {
            return Err(Fault::entry_state(StateError::UnavailableContractAddress(address)));
        }
        self.journal.set_class_hash(address, class_hash).map_err(Fault::entry_state)?;
        let class = self.journal.class(class_hash).map_err(Fault::entry_state)?;
        if let Some(selector) = class.constructor_selector() {
            return Ok(Prepared::Constructor(UnresolvedCall {
                class_hash: None,
                code_address,
                entry_point_type: EntryPointType::Constructor,
                selector,
                calldata,
                storage_address: address,
                caller_address: deployer,
                call_type: CallType::Call,
                initial_gas,
            }));
        }
        if !calldata.0.is_empty() {
            return Err(Fault::entry(
                FailureCause::Other,
                "Invalid input: constructor_calldata; Cannot pass calldata to a contract with no constructor.",
            ));
        }
        let tracked = self.tracked(&class);
        let call = EntryPointCall {
            class_hash,
            code_address,
            entry_point_type: EntryPointType::Constructor,
            selector: names::CONSTRUCTOR,
            calldata,
            storage_address: address,
            caller_address: deployer,
            call_type: CallType::Call,
            initial_gas: match tracked {
                TrackedResource::CairoSteps => self.phase.env.constants.gas.default_initial_gas,
                TrackedResource::SierraGas => initial_gas,
            },
        };
        Ok(Prepared::Done(Box::new(bare_info(call, tracked, Vec::new(), false))))
    }

    /// Ends the top frame: it becomes a node of the call tree.
    fn pop(&mut self) -> Result<CallInfo, Fault> {
        let constants = &self.phase.env.constants;
        let Some(level) = self.frames.pop() else {
            return Err(Fault::Internal("No frame to end.".to_owned()));
        };
        let Level { call, tracked, frame, record, inner_calls, .. } = level;
        let finished = frame.finish(call.initial_gas, tracked, constants).map_err(Fault::Finish)?;
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
    fn answer(&mut self, mut info: CallInfo) -> Result<(), Fault> {
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
        let outcome = |info: &CallInfo, level: &mut Level| {
            let failure;
            let outcome = match (&pending.answer, info.failed) {
                (Answer::Deploy(address), _) => CallOutcome::Deployed(*address, &info.retdata),
                (_, false) => CallOutcome::Returned(&info.retdata),
                (_, true) => {
                    failure = [info.retdata.as_slice(), &[names::ENTRYPOINT_FAILED]].concat();
                    CallOutcome::Failed(&failure)
                }
            };
            level.frame.with_memory(|memory, at| answer_call(memory, at, left, outcome))
        };

        match &pending.answer {
            Answer::Deploy(_) => {
                // A constructor that fails cannot be caught (C93 does not hold for it).
                self.phase.gas_tracker.see(info.tracked, left);
                if info.failed {
                    level.pending = Some(pending);
                    return Err(Fault::Panicked(Box::new(info)));
                }
            }
            Answer::Meta(before) => self.phase.transaction = Arc::clone(before),
            Answer::Call => {}
        }
        if info.failed {
            self.journal.revert_to(pending.checkpoint);
            self.phase.counters = pending.counters;
            info.clear_effects();
        }
        let answered = outcome(&info, level);
        level.inner_calls.push(info);
        answered.map_err(Fault::Syscall)
    }
}

/// Where a requested call goes on.
enum Next {
    Enter(UnresolvedCall),
    Deploy { class_hash: ClassHash, address: ContractAddress, deployer: ContractAddress, calldata: Calldata },
}

/// The data of a refusal that the caller may catch (C60, C65).
fn catchable(fault: &StartFault) -> Option<Felt> {
    match fault {
        StartFault::EntryPointNotFound(_) => Some(names::ENTRYPOINT_NOT_FOUND),
        StartFault::InsufficientGas => Some(names::OUT_OF_GAS),
        _ => None,
    }
}

/// The broad reason of a panic.
fn panic_cause(panic_data: &[Felt]) -> FailureCause {
    match panic_data {
        [data] if *data == names::OUT_OF_GAS => FailureCause::OutOfGas,
        [data] if *data == names::ENTRYPOINT_NOT_FOUND => FailureCause::EntryPointNotFound,
        _ => FailureCause::Panic,
    }
}

/// A call that ended without running.
fn bare_info(call: EntryPointCall, tracked: TrackedResource, retdata: Vec<Felt>, failed: bool) -> CallInfo {
    CallInfo {
        call,
        retdata,
        failed,
        gas_consumed: 0,
        events: Vec::new(),
        messages: Vec::new(),
        inner_calls: Vec::new(),
        resources: Default::default(),
        tracked,
        accesses: StorageAccesses::default(),
        builtin_counts: Default::default(),
        syscall_usages: SyscallUsages::new(),
    }
}
