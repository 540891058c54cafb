//! The dispatch of syscalls.
//!
//! Input: the memory of a frame, its syscall pointer, and the context. Output: [`Dispatched`]. Usage is
//! counted here.

use super::abi::{Dispatched, SyscallCall};
use super::codec::RequestReader;
use super::context::SyscallContext;
use super::fault::SyscallFault;
use super::memory::{Pointer, SyscallMemory};
use super::table::row;
use crate::protocol::SyscallName;

/// Processes the syscall at `at`.
pub(crate) fn dispatch<'a, 'r>(
    memory: &'a mut dyn SyscallMemory,
    at: &'a mut Pointer,
    context: SyscallContext<'a, 'r>,
) -> Result<Dispatched, SyscallFault> {
    let language = context.language;
    let name = RequestReader::new(&*memory, at, language).syscall()?;
    // Keccak is counted by its rounds, once they are known (C103, C129).
    if name != SyscallName::Keccak {
        context.record.count(name, 1);
    }
    let row = row(name, language).ok_or(SyscallFault::Unsupported(name))?;
    (row.run)(SyscallCall { name, memory, at, context })
}
