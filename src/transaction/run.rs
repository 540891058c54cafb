//! Execution: with a way back for those kinds that have one, without for the others.

use starknet_api::contract_class::EntryPointType;
use starknet_api::core::{ClassHash, ContractAddress};
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::GasVectorComputationMode;

use super::error::{FatalError, InvalidTransaction, Rejection};
use super::outcome::{Execution, RevertReason};
use super::plan::{EntryCall, Plan, Work};
use super::validate::validate;
use crate::call::{
    CallFailure, CallInfo, DeployFailure, EntryPointFrame, ErrorSegment, ErrorStack, ErrorStackHeader,
    ExecutionContext, ExecutionSummary, FrameKind, Phase, RootCall, deploy, execute,
};
use crate::fee::{
    Receipt, ReceiptInput, check_after, check_gas_within, check_paid_on_l1, initial_sierra_gas, max_steps,
    payer_balance_key, steps_after_validation,
};
use crate::protocol::{BlockEnv, TransactionKind};
use crate::state::{Journal, StateChanges};
use crate::syscall::ExecutionMode;

/// The Sierra gas of a transaction: validation and execution draw on one purse, each within its own limit (C9).
#[derive(Clone, Copy, Debug)]
pub(super) struct Gas(u64);

impl Gas {
    /// All that a transaction has.
    pub(super) fn new(amount: u64) -> Self {
        Self(amount)
    }

    /// What a phase with this limit may use.
    pub(super) fn limited(&self, limit: u64) -> u64 {
        self.0.min(limit)
    }

    /// Takes out what a phase used.
    pub(super) fn spend(&mut self, used: u64) -> Result<(), FatalError> {
        let overuse = || FatalError::Internal("A phase used more gas than the transaction has.".to_owned());
        self.0 = self.0.checked_sub(used).ok_or_else(overuse)?;
        Ok(())
    }
}

/// A transaction that was let in, on its way to being run.
#[derive(Clone, Debug)]
pub(crate) struct Admitted {
    gas: Gas,
    validate_call: Option<CallInfo>,
}

impl Admitted {
    pub(super) fn new(plan: &Plan, env: &BlockEnv) -> Self {
        Self { gas: Gas(initial_sierra_gas(env, &plan.info)), validate_call: None }
    }

    /// Has the account validate it.
    pub(super) fn validate(
        &mut self,
        plan: &Plan,
        journal: &mut Journal<'_>,
        context: ExecutionContext<'_>,
    ) -> Result<(), Rejection> {
        self.validate_call = validate(plan, journal, context, &mut self.gas)?;
        Ok(())
    }

    /// As it was before it was [run](super::run), which gave this execution.
    pub(crate) fn take_back(&mut self, plan: &Plan, execution: &mut Execution) {
        if plan.is_revertible {
            self.validate_call = execution.validate_call.take();
        }
    }
}

/// What an execution that did not succeed leaves behind.
struct Reverted {
    reason: RevertReason,
    tree: Option<Box<CallInfo>>,
}

/// How running the work ended.
type Ran = Result<Option<CallInfo>, Ended>;

/// Why running the work ended without a result.
enum Ended {
    Reverted(Reverted),
    Rejected(Rejection),
}

impl From<Rejection> for Ended {
    fn from(rejection: Rejection) -> Self {
        Self::Rejected(rejection)
    }
}

impl From<InvalidTransaction> for Ended {
    fn from(error: InvalidTransaction) -> Self {
        Self::Rejected(error.into())
    }
}

/// An error stack with its outermost frame.
pub(super) fn stack(header: ErrorStackHeader, frame: EntryPointFrame, rest: Vec<ErrorSegment>) -> ErrorStack {
    let mut segments = vec![ErrorSegment::EntryPoint(frame)];
    segments.extend(rest);
    ErrorStack { header, segments }
}

/// A failure of a call that is nobody's revert.
pub(super) fn failed(failure: CallFailure) -> Rejection {
    match failure {
        CallFailure::Reader(error) => FatalError::Reader(error).into(),
        CallFailure::OutOfMemory => FatalError::OutOfMemory.into(),
        CallFailure::Internal(message) => FatalError::Internal(message).into(),
        CallFailure::Reverted { .. } => {
            FatalError::Internal("A revert was taken for a failure.".to_owned()).into()
        }
    }
}

/// Invokes, validated already: a failed execution is reverted and paid for (C11, C22). The validation becomes part of the
/// execution, if there will be one.
pub(super) fn revertible(
    plan: &Plan,
    admitted: &mut Admitted,
    journal: &mut Journal<'_>,
    context: ExecutionContext<'_>,
) -> Result<Execution, Rejection> {
    let env = context.env;
    let Admitted { gas, validate_call } = admitted;
    let is_comprehensive = env.constants.switches.comprehensive_state_diff;
    let validate_changes = if is_comprehensive { None } else { Some(journal.changes()) };
    let checkpoint = journal.checkpoint();

    let limits = &env.constants.limits;
    let initial_gas = gas.limited(limits.execute_max_sierra_gas);
    let validate_steps = validate_call.as_ref().map_or(0, |call| call.resources.steps);
    let steps = max_steps(env, &plan.info, limits.execute_max_steps, plan.flags.charge_fee);
    let steps = steps_after_validation(env, steps, validate_steps, plan.kind, plan.extended_calldata_length)?;
    let mut phase = Phase::new(context, &plan.info, ExecutionMode::Execute, steps, initial_gas);
    let ran = run_work(plan, journal, &mut phase, initial_gas);

    let revert = |journal: &mut Journal<'_>, phase: &Phase<'_>| -> Result<Receipt, Rejection> {
        journal.revert_to(checkpoint);
        let overuse = || FatalError::Internal("More gas was left than there was.".to_owned());
        let burnt = Burnt {
            steps: steps.saturating_sub(phase.steps.remaining),
            sierra_gas: phase.gas_tracker.consumed().ok_or_else(overuse)?,
        };
        let payer = payer_balance_key(journal, plan.info.sender);
        // What is left is what validation changed.
        receipt(plan, env, payer, &journal.changes(), validate_call.iter(), burnt)
    };
    match ran {
        Ok(execute_call) => {
            let changes = match validate_changes {
                None => journal.changes(),
                Some(mut changes) => {
                    changes.merge(journal.changes_since(checkpoint));
                    changes
                }
            };
            let calls = validate_call.iter().chain(execute_call.iter());
            let payer = payer_balance_key(journal, plan.info.sender);
            let cost = receipt(plan, env, payer, &changes, calls, Burnt::default())?;
            let checked = check_after(journal, env, &plan.info, &cost, plan.flags.charge_fee)?;
            match checked.error {
                None => {
                    let validate_call = validate_call.take();
                    Ok(Execution { validate_call, execute_call, receipt: cost, ..Execution::default() })
                }
                Some(error) => {
                    // The fee is what the whole execution cost, within the bounds; all else is as of a plain revert (C24).
                    let receipt = Receipt { fee: checked.recommended_fee, ..revert(journal, &phase)? };
                    Ok(Execution {
                        validate_call: validate_call.take(),
                        revert_reason: Some(RevertReason::Cost(error)),
                        reverted_call: execute_call.map(Box::new),
                        receipt,
                        ..Execution::default()
                    })
                }
            }
        }
        Err(Ended::Rejected(rejection)) => Err(rejection),
        Err(Ended::Reverted(Reverted { reason, tree })) => {
            let cost = revert(journal, &phase)?;
            // If even that costs too much, only the fee follows the check; the reason stays (C25).
            let checked = check_after(journal, env, &plan.info, &cost, plan.flags.charge_fee)?;
            Ok(Execution {
                validate_call: validate_call.take(),
                revert_reason: Some(reason),
                reverted_call: tree,
                receipt: Receipt { fee: checked.recommended_fee, ..cost },
                ..Execution::default()
            })
        }
    }
}

/// Declares and account deployments: any failure makes them invalid (C11).
pub(super) fn non_revertible(
    plan: &Plan,
    admitted: &Admitted,
    journal: &mut Journal<'_>,
    context: ExecutionContext<'_>,
) -> Result<Execution, Rejection> {
    let env = context.env;
    let mut admitted = Admitted { gas: admitted.gas, validate_call: None };
    let executes_first = plan.kind == TransactionKind::DeployAccount;
    let limits = &env.constants.limits;
    // The constructor of an account runs before its validation and under its rules (C12).
    let (mode, step_limit, gas_limit) = if executes_first {
        (ExecutionMode::Validate, limits.validate_max_steps, limits.validate_max_sierra_gas)
    } else {
        (ExecutionMode::Execute, limits.execute_max_steps, limits.execute_max_sierra_gas)
    };
    let run = |journal: &mut Journal<'_>, gas: &mut Gas| -> Result<Option<CallInfo>, Rejection> {
        let initial_gas = gas.limited(gas_limit);
        let steps = max_steps(env, &plan.info, step_limit, plan.flags.charge_fee);
        let mut phase = Phase::new(context, &plan.info, mode, steps, initial_gas);
        let call = run_work(plan, journal, &mut phase, initial_gas).map_err(|ended| match ended {
            Ended::Rejected(rejection) => rejection,
            Ended::Reverted(reverted) => match reverted.reason {
                RevertReason::Execution { stack, .. } => InvalidTransaction::Execution(stack).into(),
                RevertReason::Cost(error) => InvalidTransaction::Cost(error).into(),
            },
        })?;
        gas.spend(call.as_ref().map_or(0, |call| call.gas_consumed))?;
        Ok(call)
    };
    let (validate_call, execute_call) = if executes_first {
        let execute_call = run(journal, &mut admitted.gas)?;
        admitted.validate(plan, journal, context)?;
        (admitted.validate_call, execute_call)
    } else {
        admitted.validate(plan, journal, context)?;
        let execute_call = run(journal, &mut admitted.gas)?;
        (admitted.validate_call, execute_call)
    };
    let calls = validate_call.iter().chain(execute_call.iter());
    let payer = payer_balance_key(journal, plan.info.sender);
    let receipt = receipt(plan, env, payer, &journal.changes(), calls, Burnt::default())?;
    let checked = check_after(journal, env, &plan.info, &receipt, plan.flags.charge_fee)?;
    if let Some(error) = checked.error {
        return Err(InvalidTransaction::Cost(error).into());
    }
    // The order of events follows the validation call: without one there is nothing to tell it by (C13).
    let executes_first = executes_first && validate_call.is_some();
    Ok(Execution { validate_call, execute_call, receipt, executes_first, ..Execution::default() })
}

/// Messages from L1: paid for there, never validated; one that fails is in the block and costs nothing (C44).
pub(super) fn l1_handler(
    plan: &Plan,
    journal: &mut Journal<'_>,
    context: ExecutionContext<'_>,
) -> Result<Execution, Rejection> {
    let env = context.env;
    let Work::L1Handler { payload_length, paid_fee, .. } = &plan.work else {
        return Err(FatalError::Internal("Not an L1 handler.".to_owned()).into());
    };
    let limits = &env.constants.limits;
    let initial_gas = limits.l1_handler_max.l2_gas.0;
    let steps = max_steps(env, &plan.info, limits.execute_max_steps, false);
    let mut phase = Phase::new(context, &plan.info, ExecutionMode::Execute, steps, initial_gas);
    let checkpoint = journal.checkpoint();
    let cost = |changes: &StateChanges, call: Option<&CallInfo>| -> Result<Receipt, Rejection> {
        let summary = summary(call, env)?;
        Ok(Receipt::new(&ReceiptInput {
            env,
            info: &plan.info,
            gas_mode: GasVectorComputationMode::All,
            kind: plan.kind,
            extended_calldata_length: plan.extended_calldata_length,
            signature_length: 0,
            code_size: 0,
            l1_handler_payload: Some(*payload_length),
            payer: None,
            state_changes: changes,
            summary: &summary,
            reverted_steps: 0,
            reverted_sierra_gas: 0,
            proof: false,
        })?)
    };
    // The fee was paid on L1: the receipt says 0 (C47).
    let free = |receipt: Receipt| Receipt { fee: Default::default(), ..receipt };

    let (reason, tree) = match run_work(plan, journal, &mut phase, initial_gas) {
        Ok(execute_call) => {
            let receipt = cost(&journal.changes(), execute_call.as_ref())?;
            match check_gas_within(&limits.l1_handler_max, &receipt.gas) {
                Ok(()) => {
                    check_paid_on_l1(env, &plan.info, &receipt, *paid_fee)
                        .map_err(InvalidTransaction::PaidOnL1)?;
                    return Ok(Execution { execute_call, receipt: free(receipt), ..Execution::default() });
                }
                Err(error) => (RevertReason::Cost(error), execute_call.map(Box::new)),
            }
        }
        Err(Ended::Rejected(rejection)) => return Err(rejection),
        Err(Ended::Reverted(reverted)) => (reverted.reason, reverted.tree),
    };
    journal.revert_to(checkpoint);
    let receipt = free(cost(&StateChanges::default(), None)?);
    Ok(Execution { revert_reason: Some(reason), reverted_call: tree, receipt, ..Execution::default() })
}

/// A sequencer's first declares: no account, no fee, no receipt to speak of.
pub(super) fn bootstrap(
    plan: &Plan,
    journal: &mut Journal<'_>,
    env: &BlockEnv,
) -> Result<Execution, Rejection> {
    declare(plan, journal, env)?;
    Ok(Execution::default())
}

/// Runs what the transaction is for.
fn run_work(plan: &Plan, journal: &mut Journal<'_>, phase: &mut Phase<'_>, initial_gas: u64) -> Ran {
    match &plan.work {
        Work::Invoke(call) => run_call(plan, call, EntryPointType::External, journal, phase, initial_gas),
        Work::L1Handler { call, .. } => {
            run_call(plan, call, EntryPointType::L1Handler, journal, phase, initial_gas)
        }
        Work::Declare { .. } => {
            declare(plan, journal, phase.env)?;
            Ok(None)
        }
        Work::Deploy { class_hash, calldata } => {
            let address = plan.info.sender;
            let result = deploy(journal, phase, *class_hash, address, calldata.clone(), initial_gas);
            result.map(Some).map_err(|DeployFailure { failure, selector }| {
                let frame = EntryPointFrame {
                    depth: 0,
                    kind: FrameKind::Constructor,
                    storage_address: address,
                    class_hash: *class_hash,
                    selector,
                };
                ended(*failure, ErrorStackHeader::Constructor, frame)
            })
        }
    }
}

fn run_call(
    plan: &Plan,
    call: &EntryCall,
    entry_point_type: EntryPointType,
    journal: &mut Journal<'_>,
    phase: &mut Phase<'_>,
    initial_gas: u64,
) -> Ran {
    let address = plan.info.sender;
    let class_hash: ClassHash = journal.class_hash_at(address).map_err(Rejection::from)?;
    let root = RootCall {
        class_hash: None,
        entry_point_type,
        selector: call.selector,
        calldata: call.calldata.clone(),
        address,
        caller: ContractAddress::default(),
        initial_gas,
        failure_is_error: true,
    };
    execute(journal, phase, root).map(Some).map_err(|failure| {
        let frame = EntryPointFrame {
            depth: 0,
            kind: FrameKind::CallContract,
            storage_address: address,
            class_hash,
            selector: Some(call.selector),
        };
        ended(failure, ErrorStackHeader::Execution, frame)
    })
}

fn ended(failure: CallFailure, header: ErrorStackHeader, frame: EntryPointFrame) -> Ended {
    match failure {
        CallFailure::Reverted { segments, cause, tree } => Ended::Reverted(Reverted {
            reason: RevertReason::Execution { stack: stack(header, frame, segments), cause },
            tree,
        }),
        failure => Ended::Rejected(failed(failure)),
    }
}

/// Declares the class, unless it is there already (C37, C38).
fn declare(plan: &Plan, journal: &mut Journal<'_>, env: &BlockEnv) -> Result<(), Rejection> {
    let Work::Declare { class_hash, compiled_class_hash, is_hash_checked, class } = &plan.work else {
        return Err(FatalError::Internal("Not a declaration.".to_owned()).into());
    };
    if *is_hash_checked
        && env.constants.switches.casm_hash_v1_declares_blocked
        && let (Some(expected), Some(actual)) = (class.class.compiled_class_hash_v2(), *compiled_class_hash)
        && expected != actual
    {
        let class_hash = *class_hash;
        return Err(InvalidTransaction::CompiledClassHash { class_hash, actual, expected }.into());
    }
    // Cairo 0 classes could be declared again and again: there was no commitment to them (C36).
    let may_repeat = compiled_class_hash.is_none() && !env.constants.switches.cairo0_redeclaration_disabled;
    if !may_repeat && journal.find_class(*class_hash)?.is_some() {
        return Err(InvalidTransaction::AlreadyDeclared(*class_hash).into());
    }
    journal.declare_class(*class_hash, class.class.clone());
    if let Some(compiled_class_hash) = compiled_class_hash {
        journal.set_compiled_class_hash(*class_hash, *compiled_class_hash)?;
    }
    Ok(())
}

/// What a failed execution burnt, charged in its receipt (C21).
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Burnt {
    steps: u64,
    sierra_gas: u64,
}

pub(super) fn receipt<'a>(
    plan: &Plan,
    env: &BlockEnv,
    payer: StorageKey,
    changes: &StateChanges,
    calls: impl IntoIterator<Item = &'a CallInfo>,
    burnt: Burnt,
) -> Result<Receipt, Rejection> {
    let summary = summary(calls, env)?;
    Ok(Receipt::new(&ReceiptInput {
        env,
        info: &plan.info,
        gas_mode: plan.info.gas_mode(),
        kind: plan.kind,
        extended_calldata_length: plan.extended_calldata_length,
        signature_length: plan.signature_length(),
        code_size: plan.code_size,
        l1_handler_payload: None,
        payer: Some(payer),
        state_changes: changes,
        summary: &summary,
        reverted_steps: burnt.steps,
        reverted_sierra_gas: burnt.sierra_gas,
        proof: plan.has_proof(),
    })?)
}

fn summary<'a>(
    calls: impl IntoIterator<Item = &'a CallInfo>,
    env: &BlockEnv,
) -> Result<ExecutionSummary, FatalError> {
    ExecutionSummary::of(calls, &env.constants)
        .ok_or_else(|| FatalError::Internal("A sum over the calls overflowed.".to_owned()))
}
