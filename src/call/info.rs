//! The call tree: each call with its effects and its resources.

use serde::{Deserialize, Serialize};
use starknet_types_core::felt::Felt;

use crate::protocol::{BuiltinCounts, VmResources};
use crate::syscall::{
    EntryPointCall, OrderedEvent, OrderedMessage, StorageAccesses, SyscallUsages, TrackedResource,
};

/// A call and its inner calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallInfo {
    /// The call, with the class hash of the callee.
    pub call: EntryPointCall,
    /// The return data; the panic data if the call failed.
    pub retdata: Vec<Felt>,
    /// The call failed. It can fail while the transaction succeeds: its caller caught the failure.
    pub failed: bool,
    /// The Sierra gas used, inner calls included; 0 for a call that is measured in steps.
    pub gas_consumed: u64,
    /// The events of this call only; none if it was reverted ([C93](crate::rules#c93)).
    pub events: Vec<OrderedEvent>,
    /// The messages to L1 of this call only; none if it was reverted ([C93](crate::rules#c93)).
    pub messages: Vec<OrderedMessage>,
    /// The inner calls in order, failed ones included.
    pub inner_calls: Vec<CallInfo>,
    /// The VM resources of the calls that are measured in steps, inner calls and syscalls included
    /// ([C87](crate::rules#c87), [C88](crate::rules#c88)).
    pub resources: VmResources,
    /// The measure of the call: steps or Sierra gas.
    pub tracked: TrackedResource,
    /// The state accesses of this call only.
    pub accesses: StorageAccesses,
    /// The builtins and opcodes of this call only, its syscalls included, as block capacity counts them.
    /// Without the segment arena.
    pub builtin_counts: BuiltinCounts,
    /// The syscalls of this call only.
    pub syscall_usages: SyscallUsages,
}

impl CallInfo {
    /// Returns an iterator over this call and all calls below it, each before its inner calls. Does not
    /// recurse.
    pub fn iter(&self) -> CallTree<'_> {
        CallTree { pending: vec![self] }
    }

    /// Clears the events and messages of this reverted call and of the calls below it. Failed inner calls
    /// were cleared when they failed (C93).
    pub(super) fn clear_effects(&mut self) {
        let mut pending = vec![self];
        while let Some(call) = pending.pop() {
            call.events.clear();
            call.messages.clear();
            pending.extend(call.inner_calls.iter_mut().filter(|inner| !inner.failed));
        }
    }
}

impl<'a> IntoIterator for &'a CallInfo {
    type Item = &'a CallInfo;
    type IntoIter = CallTree<'a>;

    fn into_iter(self) -> CallTree<'a> {
        self.iter()
    }
}

/// An iterator over a call tree; see [`CallInfo::iter`].
#[derive(Clone, Debug)]
pub struct CallTree<'a> {
    pending: Vec<&'a CallInfo>,
}

impl<'a> Iterator for CallTree<'a> {
    type Item = &'a CallInfo;

    fn next(&mut self) -> Option<&'a CallInfo> {
        let call = self.pending.pop()?;
        self.pending.extend(call.inner_calls.iter().rev());
        Some(call)
    }
}
