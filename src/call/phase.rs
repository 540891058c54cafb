//! The door of the call stack: a phase of a transaction, its outermost call, and how it can fail.

use std::sync::Arc;

use starknet_api::contract_class::EntryPointType;
use starknet_api::core::{ClassHash, ContractAddress, EntryPointSelector};
use starknet_api::transaction::fields::Calldata;
use starknet_types_core::felt::Felt;

use super::CallInfo;
use super::enter::{Entered, Prepared};
use super::revert::{Cairo1RevertHeader, Cairo1RevertSummary, ErrorSegment, FailureCause};
use super::stack::CallStack;
use super::unwind::{Fault, unwind};
use crate::protocol::{BlockEnv, well_known};
use crate::state::{Journal, StateError, StopFlag};
use crate::syscall::{CallType, ExecutionMode, GasTracker, PhaseCounters, TransactionInfo, UnresolvedCall};
use crate::vm::{CELL_BYTES, Engine, StepBudget, VmOptions};

/// What every phase of every transaction of a block shares: the block, and how the host wants frames to be run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExecutionContext<'a> {
    /// Block, chain, constants.
    pub env: &'a BlockEnv,
    /// The host's choices, which change no result.
    pub vm: VmOptions,
}

/// One phase of a transaction: validation, execution or fee transfer. Events, messages, depth and steps are counted over a phase
/// (C18).
pub(crate) struct Phase<'a> {
    /// Block, chain, constants.
    pub env: &'a BlockEnv,
    /// The VM that runs the frames.
    pub engine: Engine,
    /// What contracts see of the transaction.
    pub transaction: Arc<TransactionInfo>,
    /// Validation or execution.
    pub mode: ExecutionMode,
    /// Steps that are left.
    pub steps: StepBudget,
    /// Events and messages so far.
    pub counters: PhaseCounters,
    /// Gas burnt, in case the phase dies.
    pub gas_tracker: GasTracker,
}

impl<'a> Phase<'a> {
    /// A phase with this many steps and this much gas.
    pub(crate) fn new(
        context: ExecutionContext<'a>,
        transaction: &Arc<TransactionInfo>,
        mode: ExecutionMode,
        max_steps: u64,
        initial_gas: u64,
    ) -> Self {
        Self {
            env: context.env,
            engine: context.vm.engine,
            transaction: Arc::clone(transaction),
            mode,
            steps: StepBudget {
                remaining: max_steps,
                cells: context.vm.memory_limit / CELL_BYTES,
                stop: StopFlag::default(),
            },
            counters: PhaseCounters::default(),
            gas_tracker: GasTracker::new(initial_gas),
        }
    }
}

/// The outermost call of a phase.
#[derive(Clone, Debug)]
pub(crate) struct RootCall {
    /// The class, where it is not the one at the address.
    pub class_hash: Option<ClassHash>,
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
    /// The host's reader failed, or somebody stopped the execution.
    Reader(StateError),
    /// The calls need more memory than the host allows.
    OutOfMemory,
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

/// Deploys `class_hash` at `address` and runs its constructor, as a deploy-account transaction does (C12, C71).
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
        self.phase.gas_tracker.record(info.tracked, left);
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

/// The broad reason of a panic.
fn panic_cause(panic_data: &[Felt]) -> FailureCause {
    match panic_data {
        [data] if *data == well_known::OUT_OF_GAS => FailureCause::OutOfGas,
        [data] if *data == well_known::ENTRYPOINT_NOT_FOUND => FailureCause::EntryPointNotFound,
        _ => FailureCause::Panic,
    }
}
