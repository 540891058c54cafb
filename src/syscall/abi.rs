//! The calling conventions of syscalls. Cairo 1: selector, gas, request; gas, flag, response. Cairo 0:
//! selector, request; response. Prices are charged here and nowhere else.
//!
//! Input: the memory of a frame, its syscall pointer, and the function of the syscall. Output:
//! [`Dispatched`]. Must not know: the meaning of a request.

use starknet_api::core::ContractAddress;
use starknet_types_core::felt::Felt;

use super::codec::{Language, Request, RequestReader, Response, ResponseWriter};
use super::context::SyscallContext;
use super::effect::{Effect, InnerCall, Outcome};
use super::fault::SyscallFault;
use super::memory::{Pointer, SyscallMemory};
use super::request::{Deployed, Span};
use crate::protocol::{SyscallName, well_known};

/// The result of dispatching a syscall.
pub(crate) enum Dispatched {
    /// The response is in memory: the frame can continue.
    Responded,
    /// The call must be made first; [`resume_with`] then writes the response.
    Call {
        /// The call.
        call: Box<InnerCall>,
        /// The state of the syscall until the call ends.
        pending: PendingCall,
    },
}

/// A syscall that waits for the end of the call it requested.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PendingCall {
    /// The gas left to the frame while the call runs.
    pub gas: u64,
}

/// The result of an inner call, as its caller sees it.
pub(crate) enum InnerCallResult<'a> {
    /// The call returned this data.
    Returned(&'a [Felt]),
    /// The call deployed a contract at this address, and the constructor returned this data.
    Deployed(ContractAddress, &'a [Felt]),
    /// The call failed with this data.
    Failed(&'a [Felt]),
}

/// A syscall that is being processed.
pub(crate) struct SyscallCall<'a, 'r> {
    pub(super) name: SyscallName,
    pub(super) memory: &'a mut dyn SyscallMemory,
    pub(super) at: &'a mut Pointer,
    pub(super) context: SyscallContext<'a, 'r>,
}

/// Writes the response of the syscall at `at`, which waited for a call.
pub(crate) fn resume_with(
    memory: &mut dyn SyscallMemory,
    at: &mut Pointer,
    language: Language,
    gas: u64,
    result: InnerCallResult<'_>,
) -> Result<(), SyscallFault> {
    match result {
        InnerCallResult::Returned(retdata) => succeed(memory, at, language, gas, &Span(retdata)),
        InnerCallResult::Deployed(address, retdata) => {
            succeed(memory, at, language, gas, &Deployed { address, retdata })
        }
        InnerCallResult::Failed(data) => fail(memory, at, gas, data),
    }
}

fn succeed<R: Response>(
    memory: &mut dyn SyscallMemory,
    at: &mut Pointer,
    language: Language,
    gas: u64,
    response: &R,
) -> Result<(), SyscallFault> {
    let mut writer = ResponseWriter::new(memory, at, language);
    if language == Language::Cairo1 {
        writer.small(gas)?;
        writer.small(0)?;
    }
    Ok(response.write(&mut writer)?)
}

fn fail(
    memory: &mut dyn SyscallMemory,
    at: &mut Pointer,
    gas: u64,
    data: &[Felt],
) -> Result<(), SyscallFault> {
    let mut writer = ResponseWriter::new(memory, at, Language::Cairo1);
    writer.small(gas)?;
    writer.small(1)?;
    Ok(writer.failure_span(data)?)
}

impl<'a, 'r> SyscallCall<'a, 'r> {
    /// Reads the request, runs `function` and writes the response, in the calling convention of the frame's
    /// language.
    pub(super) fn run<Q: Request, R: Response>(
        self,
        function: fn(Q, &mut SyscallContext<'a, 'r>, &mut dyn SyscallMemory) -> Outcome<R>,
    ) -> Result<Dispatched, SyscallFault> {
        match self.context.language {
            Language::Cairo0 => self.run_cairo0(function),
            Language::Cairo1 => self.run_cairo1(function),
        }
    }

    /// Runs a syscall of Cairo 0, which has no price, gives inner calls the default gas and cannot catch a
    /// failure (C102).
    fn run_cairo0<Q: Request, R: Response>(
        mut self,
        function: fn(Q, &mut SyscallContext<'a, 'r>, &mut dyn SyscallMemory) -> Outcome<R>,
    ) -> Result<Dispatched, SyscallFault> {
        let request = Q::read(&mut RequestReader::new(&*self.memory, self.at, Language::Cairo0))?;
        let gas = self.context.env.constants.gas.default_initial_gas;
        self.context.gas = gas;
        match function(request, &mut self.context, self.memory)? {
            Effect::Respond(response) => succeed(self.memory, self.at, Language::Cairo0, gas, &response)?,
            // The only failure among the syscalls of Cairo 0.
            Effect::Fail(_) => return Err(SyscallFault::DirectExecute),
            Effect::Call(call) => return Ok(Dispatched::Call { call, pending: PendingCall { gas } }),
        }
        Ok(Dispatched::Responded)
    }

    /// Runs a syscall of Cairo 1; the price is charged after the request is read (C103-C108).
    fn run_cairo1<Q: Request, R: Response>(
        mut self,
        function: fn(Q, &mut SyscallContext<'a, 'r>, &mut dyn SyscallMemory) -> Outcome<R>,
    ) -> Result<Dispatched, SyscallFault> {
        let name = self.name;
        let constants = &self.context.env.constants;
        let mut reader = RequestReader::new(&*self.memory, self.at, Language::Cairo1);
        let gas = reader.u64("Unexpected gas.")?;
        let request = Q::read(&mut reader)?;

        let items = u64::try_from(request.items()).map_err(|_| SyscallFault::Overflow(name))?;
        let price = constants.syscall_price(name).cost(items).ok_or(SyscallFault::Overflow(name))?;
        // Compiled code has charged the base price in advance; the remainder is charged here (C106).
        let Some(required) = price.checked_sub(constants.gas.syscall_base) else {
            return Err(SyscallFault::NotYet { name, since: name.since() });
        };
        let Some(left) = gas.checked_sub(required) else {
            fail(self.memory, self.at, gas, &[well_known::OUT_OF_GAS])?;
            return Ok(Dispatched::Responded);
        };

        self.context.gas = left;
        self.context.gas_tracker.record(self.context.tracked, left);
        let effect = function(request, &mut self.context, self.memory)?;
        match effect {
            Effect::Respond(response) => {
                succeed(self.memory, self.at, Language::Cairo1, self.context.gas, &response)?;
            }
            Effect::Fail(data) => fail(self.memory, self.at, self.context.gas, &data)?,
            Effect::Call(call) => {
                return Ok(Dispatched::Call { call, pending: PendingCall { gas: self.context.gas } });
            }
        }
        Ok(Dispatched::Responded)
    }
}
