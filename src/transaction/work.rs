//! The work of a transaction: a call, a declaration or a deployment.
//!
//! Input: a plan, a phase. Output: the call tree, if code ran; otherwise a [`WorkFailure`]. Does not know
//! what the failure leads to.

use starknet_api::core::ContractAddress;

use super::error::{FatalError, InvalidTransaction, Rejection};
use super::plan::{Plan, Work};
use super::revert::WorkFailure;
use crate::call::{
    CallInfo, DeployFailure, EntryPointFrame, ErrorStackHeader, FrameKind, Phase, RootCall, deploy, execute,
};
use crate::protocol::BlockEnv;
use crate::state::Journal;

/// Carries out the work.
pub(super) fn carry_out(
    plan: &Plan,
    journal: &mut Journal<'_>,
    phase: &mut Phase<'_>,
    initial_gas: u64,
) -> Result<Option<CallInfo>, WorkFailure> {
    let address = plan.info.sender;
    match &plan.work {
        Work::Call { entry_point_type, call } => {
            let class_hash = journal.class_hash_at(address).map_err(Rejection::from)?;
            let root = RootCall {
                class_hash: None,
                entry_point_type: *entry_point_type,
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
                WorkFailure::of(failure, ErrorStackHeader::Execution, frame)
            })
        }
        Work::Declare { .. } => {
            declare(plan, journal, phase.env)?;
            Ok(None)
        }
        Work::Deploy { class_hash, calldata } => {
            let result = deploy(journal, phase, *class_hash, address, calldata.clone(), initial_gas);
            result.map(Some).map_err(|DeployFailure { failure, selector }| {
                let frame = EntryPointFrame {
                    depth: 0,
                    kind: FrameKind::Constructor,
                    storage_address: address,
                    class_hash: *class_hash,
                    selector,
                };
                WorkFailure::of(*failure, ErrorStackHeader::Constructor, frame)
            })
        }
    }
}

/// Declares the class, unless it is declared already (C37, C38).
pub(super) fn declare(plan: &Plan, journal: &mut Journal<'_>, env: &BlockEnv) -> Result<(), Rejection> {
    let Work::Declare { class_hash, compiled_class_hash, is_hash_checked, class } = &plan.work else {
        return Err(FatalError::Internal("the plan declares no class".to_owned()).into());
    };
    if *is_hash_checked
        && env.constants.switches.casm_hash_v1_declares_blocked
        && let (Some(expected), Some(actual)) = (class.class.compiled_class_hash_v2(), *compiled_class_hash)
        && expected != actual
    {
        let class_hash = *class_hash;
        return Err(InvalidTransaction::CompiledClassHash { class_hash, actual, expected }.into());
    }
    // Cairo 0 classes could be declared repeatedly: there was no commitment to them (C36).
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
