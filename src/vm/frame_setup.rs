//! What a frame begins with, whatever engine runs it (C75-C78, C91).
//!
//! In: a class and a call. Out: where the code begins and what it is given, or why it cannot. An engine lays it out in its memory,
//! and can do so again.

use std::sync::Arc;

use starknet_api::contract_class::EntryPointType;
use starknet_api::transaction::fields::Calldata;
use starknet_types_core::felt::Felt;

use super::fault::StartFault;
use crate::class::{Cairo0Class, Cairo0Lookup, Cairo1Class, EntryPoint};
use crate::protocol::{Builtin, Constants, well_known};
use crate::syscall::EntryPointCall;

/// `ret`, appended to the bytecode: where the code jumps to when it runs out of gas (C76).
pub(super) const RET: Felt = Felt::from_hex_unchecked("0x208b7fff7fff7ffe");

/// Cells behind the bytecode: the `ret` and the pointer to the price list.
pub(super) const PROGRAM_EXTRA: usize = 2;

/// Arguments of a Cairo 0 entry point: selector, implicit arguments, size of the calldata, calldata.
pub(super) const CAIRO0_ARGUMENTS: usize = 4;

/// The builtins that code pays for by itself, in the order in which it looks their prices up (C76).
const PRICED: [Builtin; 7] = [
    Builtin::Pedersen,
    Builtin::Bitwise,
    Builtin::EcOp,
    Builtin::Poseidon,
    Builtin::AddMod,
    Builtin::MulMod,
    Builtin::Blake,
];

/// Everything that a frame of Cairo 1 code is laid out from.
#[derive(Clone, Debug)]
pub(super) struct Cairo1FrameSetup {
    /// The code.
    pub class: Arc<Cairo1Class>,
    /// Index of the entry point's first instruction.
    pub offset: usize,
    /// The entry point's builtins, in its order.
    pub builtins: Vec<Builtin>,
    /// Gas that is left after the entry point's own charge.
    pub gas: u64,
    /// The arguments.
    pub calldata: Calldata,
    /// Prices of builtins, in the order of `PRICED`.
    pub prices: [u64; PRICED.len()],
}

impl Cairo1FrameSetup {
    /// Refusals come in the network's order: entry point, builtins, gas.
    pub(super) fn new(
        class: &Arc<Cairo1Class>,
        call: &EntryPointCall,
        constants: &Constants,
    ) -> Result<Self, StartFault> {
        let entry_point = find_entry_point(class, call)?;
        if !entry_point.builtins_valid {
            return Err(StartFault::Builtins(entry_point.builtins.clone()));
        }
        let gas = call
            .initial_gas
            .checked_sub(constants.gas.entry_point_initial_budget)
            .ok_or(StartFault::InsufficientGas)?;
        Ok(Self {
            class: Arc::clone(class),
            offset: entry_point.offset,
            builtins: entry_point.builtins.clone(),
            gas,
            calldata: call.calldata.clone(),
            prices: PRICED.map(|builtin| constants.gas.builtin(builtin)),
        })
    }
}

/// Everything that a frame of Cairo 0 code is laid out from.
#[derive(Clone, Debug)]
pub(super) struct Cairo0FrameSetup {
    /// The code.
    pub class: Arc<Cairo0Class>,
    /// Index of the entry point's first instruction.
    pub offset: usize,
    /// What the code is called by: a default entry point looks at it.
    pub selector: Felt,
    /// The arguments.
    pub calldata: Calldata,
}

impl Cairo0FrameSetup {
    /// Refusals come in the network's order: builtins, entry point.
    pub(super) fn new(class: &Arc<Cairo0Class>, call: &EntryPointCall) -> Result<Self, StartFault> {
        let unsupported = class.unsupported_builtins();
        if !unsupported.is_empty() {
            return Err(StartFault::Cairo0Builtins(unsupported.to_vec()));
        }
        if call.entry_point_type == EntryPointType::Constructor && call.selector != well_known::CONSTRUCTOR {
            return Err(StartFault::ConstructorName);
        }
        let offset = match class.entry_point(call.entry_point_type, call.selector) {
            Cairo0Lookup::Found(offset) => offset,
            Cairo0Lookup::NotFound => return Err(StartFault::EntryPointNotFound(call.selector)),
            Cairo0Lookup::NoEntryPointOfType => {
                return Err(StartFault::NoEntryPointOfType(call.entry_point_type));
            }
            Cairo0Lookup::Repeated => return Err(StartFault::Repeated(call.selector, call.entry_point_type)),
        };
        Ok(Self {
            class: Arc::clone(class),
            offset,
            selector: call.selector.0,
            calldata: call.calldata.clone(),
        })
    }
}

fn find_entry_point<'a>(class: &'a Cairo1Class, call: &EntryPointCall) -> Result<&'a EntryPoint, StartFault> {
    if call.entry_point_type == EntryPointType::Constructor && call.selector != well_known::CONSTRUCTOR {
        return Err(StartFault::ConstructorName);
    }
    let entry_point = class
        .entry_point(call.entry_point_type, call.selector)
        .ok_or(StartFault::EntryPointNotFound(call.selector))?;
    if entry_point.repeated {
        return Err(StartFault::Repeated(call.selector, call.entry_point_type));
    }
    Ok(entry_point)
}
