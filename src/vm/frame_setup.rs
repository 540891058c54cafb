//! The setup of a frame: entry point and arguments, the same for every back end (C75-C78, C91).
//!
//! Input: a class and a call. Output: the first instruction and the arguments, or the reason why the call
//! cannot be entered. A back end writes the setup into the memory of a new frame, as often as it needs to. It
//! must not know any back end.

use std::sync::Arc;

use starknet_api::contract_class::EntryPointType;
use starknet_api::transaction::fields::Calldata;
use starknet_types_core::felt::Felt;

use super::fault::StartFault;
use crate::class::{Cairo0Class, Cairo0Lookup, Cairo1Class, EntryPoint};
use crate::protocol::{Builtin, Constants, well_known};
use crate::syscall::EntryPointCall;

/// The `ret` instruction that is appended to the bytecode. Code jumps to it when it runs out of gas (C76).
pub(super) const RET: Felt = Felt::from_hex_unchecked("0x208b7fff7fff7ffe");

/// Number of cells after the bytecode: the `ret` and the pointer to the builtin prices.
pub(super) const PROGRAM_EXTRA: usize = 2;

/// Number of arguments of a Cairo 0 entry point: selector, implicit arguments, size of the calldata,
/// calldata.
pub(super) const CAIRO0_ARGUMENTS: usize = 4;

/// The builtins whose gas Cairo 1 code charges itself, in the order of its price table (C76).
const PRICED: [Builtin; 7] = [
    Builtin::Pedersen,
    Builtin::Bitwise,
    Builtin::EcOp,
    Builtin::Poseidon,
    Builtin::AddMod,
    Builtin::MulMod,
    Builtin::Blake,
];

/// The setup of a frame in either language.
#[derive(Debug)]
pub(super) enum FrameSetup {
    Cairo0(Cairo0FrameSetup),
    Cairo1(Cairo1FrameSetup),
}

/// The setup of a frame of Cairo 1 code.
#[derive(Clone, Debug)]
pub(super) struct Cairo1FrameSetup {
    /// The class that contains the code.
    pub class: Arc<Cairo1Class>,
    /// Offset of the entry point's first instruction in the bytecode.
    pub offset: usize,
    /// The builtins of the entry point, in the order of its arguments.
    pub builtins: Vec<Builtin>,
    /// The gas that remains after the initial budget of the entry point is charged.
    pub gas: u64,
    /// The arguments of the call.
    pub calldata: Calldata,
    /// The prices of the builtins, in the order of `PRICED`.
    pub prices: [u64; PRICED.len()],
}

impl Cairo1FrameSetup {
    /// Checks the call as blockifier does, in its order: entry point, builtins, gas.
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

/// The setup of a frame of Cairo 0 code.
#[derive(Clone, Debug)]
pub(super) struct Cairo0FrameSetup {
    /// The class that contains the code.
    pub class: Arc<Cairo0Class>,
    /// Offset of the entry point's first instruction in the bytecode.
    pub offset: usize,
    /// The selector of the call, which a default entry point receives.
    pub selector: Felt,
    /// The arguments of the call.
    pub calldata: Calldata,
}

impl Cairo0FrameSetup {
    /// Checks the call as blockifier does, in its order: builtins, entry point.
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
