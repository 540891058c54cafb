//! The call tree: what each call was, did and used.

use serde::{Deserialize, Serialize};
use starknet_types_core::felt::Felt;

use crate::protocol::{BuiltinCounts, VmResources};
use crate::syscall::{
    EntryPointCall, OrderedEvent, OrderedMessage, StorageAccesses, SyscallUsages, TrackedResource,
};

/// One call and, below it, the calls it made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallInfo {
    /// What was called, with the class that ran.
    pub call: EntryPointCall,
    /// What it returned; the panic data when it failed.
    pub retdata: Vec<Felt>,
    /// Whether it failed. A call can fail while the transaction succeeds: its caller caught it.
    pub failed: bool,
    /// Sierra gas used, inner calls included; 0 in steps mode.
    pub gas_consumed: u64,
    /// Its own events; none if it was reverted (C93).
    pub events: Vec<OrderedEvent>,
    /// Its own messages; none if it was reverted (C93).
    pub messages: Vec<OrderedMessage>,
    /// The calls it made, in order, failed ones included.
    pub inner_calls: Vec<CallInfo>,
    /// VM resources of the calls measured in steps, inner calls and syscalls included (C87, C88).
    pub resources: VmResources,
    /// Whether it was measured in steps or in gas.
    pub tracked: TrackedResource,
    /// Its own state accesses.
    pub accesses: StorageAccesses,
    /// Builtins and opcodes that it used itself, its syscalls included: what a block's capacity is counted in. No segment arena.
    pub builtin_counts: BuiltinCounts,
    /// Its own syscalls.
    pub syscall_usages: SyscallUsages,
}

impl CallInfo {
    /// This call and all below it, each before its inner calls. Does not recurse.
    pub fn iter(&self) -> CallTree<'_> {
        CallTree { pending: vec![self] }
    }

    /// Forgets the events and messages of this reverted call and of the calls below it that had not failed themselves: those
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

/// Iterator over a call tree; see [`CallInfo::iter`].
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
