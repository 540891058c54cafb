//! Entering a call: its class, its measure, its frame; and deploying a contract before its constructor is
//! entered.
//!
//! Input: a call that a transaction or a syscall requests. Output: a new level of the stack, or a call that
//! failed at once.

use starknet_api::contract_class::EntryPointType;
use starknet_api::core::{ClassHash, ContractAddress};
use starknet_api::transaction::TransactionVersion;
use starknet_api::transaction::fields::Calldata;
use starknet_types_core::felt::Felt;

use super::CallInfo;
use super::revert::FailureCause;
use super::stack::{CallStack, Level};
use super::unwind::Fault;
use crate::class::ContractClass;
use crate::protocol::well_known;
use crate::state::StateError;
use crate::syscall::{
    CallType, EntryPointCall, FrameRecord, StorageAccesses, SyscallUsages, TrackedResource, UnresolvedCall,
};
use crate::vm::{Frame, StartFault};

/// The outcome of entering a call.
pub(super) enum Entered {
    /// The call has a level on the stack.
    Running,
    /// The call failed at once, and its caller may catch that (C60, C65).
    Failed(Box<CallInfo>),
}

/// The outcome of deploying a contract.
pub(super) enum Deployment {
    /// The constructor must run.
    Constructor(UnresolvedCall),
    /// The class has no constructor: the deployment is complete (C69).
    Finished(Box<CallInfo>),
}

impl CallStack<'_, '_, '_> {
    /// Looks up the class and pushes a frame for `call` (C63).
    pub(super) fn enter(&mut self, call: UnresolvedCall) -> Result<Entered, Fault> {
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
        // An account class that version 0 transactions could exploit (C49).
        if self.phase.transaction.version == TransactionVersion::ZERO
            && class_hash == well_known::FAULTY_CLASS_HASH
        {
            return Err(Fault::entry(FailureCause::Other, "Fraud attempt blocked."));
        }
        let class = self.journal.class(class_hash).map_err(Fault::entry_state)?;
        let tracked = self.tracked_resource(&class);
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
                // Gas does not limit a call that is measured in steps.
                TrackedResource::CairoSteps => constants.gas.default_initial_gas,
                TrackedResource::SierraGas => call.initial_gas,
            },
        };
        let started = match &class {
            ContractClass::Cairo0(class) => Frame::start_cairo0(class, &call, self.phase.engine),
            ContractClass::Cairo1(class) => {
                Frame::start_cairo1(class, &call, tracked, self.phase.engine, constants)
            }
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

    /// Chooses the measure of a call. A call that is measured in steps has inner calls that are measured in
    /// steps.
    fn tracked_resource(&self, class: &ContractClass) -> TrackedResource {
        let in_steps = self.frames.last().is_some_and(|level| level.tracked == TrackedResource::CairoSteps);
        if in_steps || !class.tracked_by_gas(&self.phase.env.constants) {
            TrackedResource::CairoSteps
        } else {
            TrackedResource::SierraGas
        }
    }

    /// Sets the class of the address, before the constructor runs (C69-C73).
    pub(super) fn prepare_deploy(
        &mut self,
        class_hash: ClassHash,
        address: ContractAddress,
        code_address: Option<ContractAddress>,
        deployer: ContractAddress,
        calldata: Calldata,
        initial_gas: u64,
    ) -> Result<Deployment, Fault> {
        if self.journal.class_hash_at(address).map_err(Fault::entry_state)? != ClassHash::default() {
            return Err(Fault::entry_state(StateError::UnavailableContractAddress(address)));
        }
        self.journal.set_class_hash(address, class_hash).map_err(Fault::entry_state)?;
        let class = self.journal.class(class_hash).map_err(Fault::entry_state)?;
        if let Some(selector) = class.constructor_selector() {
            return Ok(Deployment::Constructor(UnresolvedCall {
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
        let tracked = self.tracked_resource(&class);
        let call = EntryPointCall {
            class_hash,
            code_address,
            entry_point_type: EntryPointType::Constructor,
            selector: well_known::CONSTRUCTOR,
            calldata,
            storage_address: address,
            caller_address: deployer,
            call_type: CallType::Call,
            initial_gas: match tracked {
                TrackedResource::CairoSteps => self.phase.env.constants.gas.default_initial_gas,
                TrackedResource::SierraGas => initial_gas,
            },
        };
        Ok(Deployment::Finished(Box::new(bare_info(call, tracked, Vec::new(), false))))
    }
}

/// The panic data of a call that could not be entered, if the caller may catch that (C60, C65).
fn catchable(fault: &StartFault) -> Option<Felt> {
    match fault {
        StartFault::EntryPointNotFound(_) | StartFault::NoEntryPointOfType(_) => {
            Some(well_known::ENTRYPOINT_NOT_FOUND)
        }
        StartFault::InsufficientGas => Some(well_known::OUT_OF_GAS),
        _ => None,
    }
}

/// The record of a call that ended without running code.
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
