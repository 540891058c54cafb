//! How code asks and is answered. Cairo 1: selector, gas, request; gas, flag, response. Cairo 0: selector, request; response. Gas
//! and usage are accounted for here and nowhere else.
//!
//! In: a frame's memory and its syscall pointer. Out: [`Dispatched`]. The meaning of a request is its row's business.

use starknet_types_core::felt::Felt;

use super::codec::{Reader, Request, Response, Writer};
use super::fault::SyscallFault;
use super::memory::{Pointer, SyscallMemory};
use super::record::Language;
use super::request::{Deployed, Span};
use super::table::{Row, row};
use super::{Effect, InnerCall, Outcome, SyscallContext};
use crate::protocol::{SyscallName, well_known};

/// How far a syscall got.
pub(crate) enum Dispatched {
    /// The answer is in memory: the frame may go on.
    Answered,
    /// The call must be carried out first; then [`resume_with`].
    Call {
        /// The call.
        call: Box<InnerCall>,
        /// What the frame waits with.
        waiting: PendingCall,
    },
}

/// A syscall that waits for the end of the call it asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PendingCall {
    /// Gas left to the frame while the call runs.
    pub gas: u64,
}

/// How a call ended, from its caller's view.
pub(crate) enum CallOutcome<'a> {
    /// It returned this.
    Returned(&'a [Felt]),
    /// It deployed a contract, whose constructor returned this.
    Deployed(starknet_api::core::ContractAddress, &'a [Felt]),
    /// It failed with this.
    Failed(&'a [Felt]),
}

/// One syscall being served.
pub(crate) struct SyscallCall<'a, 'r> {
    row: &'static Row,
    memory: &'a mut dyn SyscallMemory,
    at: &'a mut Pointer,
    scope: SyscallContext<'a, 'r>,
}

/// Serves the syscall at `at`.
pub(crate) fn dispatch<'a, 'r>(
    memory: &'a mut dyn SyscallMemory,
    at: &'a mut Pointer,
    scope: SyscallContext<'a, 'r>,
) -> Result<Dispatched, SyscallFault> {
    let language = scope.language;
    let name = Reader::new(&*memory, at, language).syscall()?;
    // Keccak is counted by its rounds, once they are known (C103, C129).
    if name != SyscallName::Keccak {
        scope.record.count(name, 1);
    }
    let row = row(name, language).ok_or(SyscallFault::Unsupported(name))?;
    (row.run)(SyscallCall { row, memory, at, scope })
}

/// Answers the syscall at `at`, which waited for a call.
pub(crate) fn resume_with(
    memory: &mut dyn SyscallMemory,
    at: &mut Pointer,
    language: Language,
    gas: u64,
    outcome: CallOutcome<'_>,
) -> Result<(), SyscallFault> {
    match outcome {
        CallOutcome::Returned(retdata) => succeed(memory, at, language, gas, &Span(retdata.to_vec())),
        CallOutcome::Deployed(address, retdata) => {
            succeed(memory, at, language, gas, &Deployed { address, retdata: retdata.to_vec() })
        }
        CallOutcome::Failed(data) => fail(memory, at, gas, data),
    }
}

fn succeed<R: Response>(
    memory: &mut dyn SyscallMemory,
    at: &mut Pointer,
    language: Language,
    gas: u64,
    response: &R,
) -> Result<(), SyscallFault> {
    let mut writer = Writer::new(memory, at, language);
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
    let mut writer = Writer::new(memory, at, Language::Cairo1);
    writer.small(gas)?;
    writer.small(1)?;
    Ok(writer.failure_span(data)?)
}

impl<'a, 'r> SyscallCall<'a, 'r> {
    /// Reads the request, lets `function` act on it and answers, as the language of the frame does it.
    pub(super) fn run<Q: Request, R: Response>(
        self,
        function: fn(Q, &mut SyscallContext<'a, 'r>, &mut dyn SyscallMemory) -> Outcome<R>,
    ) -> Result<Dispatched, SyscallFault> {
        match self.scope.language {
            Language::Cairo0 => self.run_cairo0(function),
            Language::Cairo1 => self.run_cairo1(function),
        }
    }

    /// Cairo 0 pays nothing here, hands calls all the gas there is, and cannot be told of a failure (C102).
    fn run_cairo0<Q: Request, R: Response>(
        mut self,
        function: fn(Q, &mut SyscallContext<'a, 'r>, &mut dyn SyscallMemory) -> Outcome<R>,
    ) -> Result<Dispatched, SyscallFault> {
        let request = Q::read(&mut Reader::new(&*self.memory, self.at, Language::Cairo0))?;
        let gas = self.scope.env.constants.gas.default_initial_gas;
        self.scope.gas = gas;
        match function(request, &mut self.scope, self.memory)? {
            Effect::Respond(response) => succeed(self.memory, self.at, Language::Cairo0, gas, &response)?,
            // The one failure among the syscalls that Cairo 0 has.
            Effect::Fail(_) => return Err(SyscallFault::DirectExecute),
            Effect::Call(call) => return Ok(Dispatched::Call { call, waiting: PendingCall { gas } }),
        }
        Ok(Dispatched::Answered)
    }

    /// Charges the price between reading and acting (C103-C108).
    fn run_cairo1<Q: Request, R: Response>(
        mut self,
        function: fn(Q, &mut SyscallContext<'a, 'r>, &mut dyn SyscallMemory) -> Outcome<R>,
    ) -> Result<Dispatched, SyscallFault> {
        let name = self.row.name;
        let constants = &self.scope.env.constants;
        let mut reader = Reader::new(&*self.memory, self.at, Language::Cairo1);
        let gas = reader.u64("Unexpected gas.")?;
        let request = Q::read(&mut reader)?;

        let items = u64::try_from(request.items()).map_err(|_| SyscallFault::Overflow(name))?;
        let price = constants.syscall_price(name).cost(items).ok_or(SyscallFault::Overflow(name))?;
        // The compiler charges the base price before it asks; the rest is charged here (C106).
        let Some(required) = price.checked_sub(constants.gas.syscall_base) else {
            return Err(SyscallFault::NotYet { name, since: name.since() });
        };
        let Some(left) = gas.checked_sub(required) else {
            fail(self.memory, self.at, gas, &[well_known::OUT_OF_GAS])?;
            return Ok(Dispatched::Answered);
        };

        self.scope.gas = left;
        self.scope.gas_tracker.see(self.scope.tracked, left);
        let effect = function(request, &mut self.scope, self.memory)?;
        match effect {
            Effect::Respond(response) => {
                succeed(self.memory, self.at, Language::Cairo1, self.scope.gas, &response)?;
            }
            Effect::Fail(data) => fail(self.memory, self.at, self.scope.gas, &data)?,
            Effect::Call(call) => {
                return Ok(Dispatched::Call { call, waiting: PendingCall { gas: self.scope.gas } });
            }
        }
        Ok(Dispatched::Answered)
    }
}
