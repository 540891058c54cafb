//! A phase of a transaction, its outermost call, and the ways in which it can fail.
//!
//! Data only: input and output of the call stack.

use std::sync::Arc;

use starknet_api::contract_class::EntryPointType;
use starknet_api::core::{ClassHash, ContractAddress, EntryPointSelector};
use starknet_api::transaction::fields::Calldata;

use super::CallInfo;
use super::revert::{ErrorSegment, FailureCause};
use crate::protocol::BlockEnv;
use crate::state::{StateError, StopFlag};
use crate::syscall::{ExecutionMode, GasTracker, PhaseCounters, TransactionInfo};
use crate::vm::{CELL_BYTES, Engine, StepBudget, VmOptions};

/// The part of a phase that is the same for all transactions of a block: the environment and the host's
/// options.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ExecutionContext<'a> {
    /// The block, the chain and the constants.
    pub env: &'a BlockEnv,
    /// The host's options for the VM, which change no result.
    pub vm: VmOptions,
}

/// One phase of a transaction: validation, execution or fee transfer. Events, messages, depth and steps are
/// counted per phase (C18).
pub(crate) struct Phase<'a> {
    /// The block, the chain and the constants.
    pub env: &'a BlockEnv,
    /// The VM that runs the frames.
    pub engine: Engine,
    /// The transaction as contracts see it.
    pub transaction: Arc<TransactionInfo>,
    /// Validation or execution.
    pub mode: ExecutionMode,
    /// The remaining steps, and the memory that frames may still take.
    pub steps: StepBudget,
    /// The numbers of events and messages so far.
    pub counters: PhaseCounters,
    /// The Sierra gas consumed, which is charged if the phase is reverted.
    pub gas_tracker: GasTracker,
}

impl<'a> Phase<'a> {
    /// A phase with a limit on steps and on Sierra gas.
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
    /// The class to run; `None` for the class at the address.
    pub class_hash: Option<ClassHash>,
    /// External or L1 handler.
    pub entry_point_type: EntryPointType,
    /// The entry point.
    pub selector: EntryPointSelector,
    /// The arguments.
    pub calldata: Calldata,
    /// The address of the callee.
    pub address: ContractAddress,
    /// The address of the caller: 0, or the account in a fee transfer.
    pub caller: ContractAddress,
    /// The Sierra gas of the call.
    pub initial_gas: u64,
    /// A call that panics fails the phase (execution); otherwise it is a result like any other (validation,
    /// fee transfer; C30, C68).
    pub failure_is_error: bool,
}

/// The failure of a phase.
#[derive(Clone, Debug)]
pub(crate) enum CallFailure {
    /// The code failed.
    Reverted {
        /// The error stack without its outermost frame, which the transaction adds.
        segments: Vec<ErrorSegment>,
        /// The broad reason.
        cause: FailureCause,
        /// The call tree up to the failure; `None` when the outermost call could not even be entered.
        tree: Option<Box<CallInfo>>,
    },
    /// The host's reader failed, or the execution was cancelled.
    Reader(StateError),
    /// The calls need more memory than the host allows.
    OutOfMemory,
    /// A bug of this crate.
    Internal(String),
}

/// The failure of a deployment.
#[derive(Clone, Debug)]
pub(crate) struct DeployFailure {
    /// The failure.
    pub failure: Box<CallFailure>,
    /// The constructor; `None` if the failure came before it was known.
    pub selector: Option<EntryPointSelector>,
}
