//! What a call tree used, added up: the input of fees.
//!
//! In: finished call trees. Out: sums. Knows no prices.

use super::CallInfo;
use crate::protocol::{Constants, VmResources};

/// How many events a call tree emitted, and how long they are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EventSummary {
    /// Number of events.
    pub count: u64,
    /// Keys of all events, in felts.
    pub keys: u64,
    /// Data of all events, in felts.
    pub data: u64,
}

/// The sums over one or more call trees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecutionSummary {
    /// VM resources of the calls that ran in Cairo steps, with their syscalls (C88).
    pub vm_resources: VmResources,
    /// Sierra gas of the calls that ran in Sierra gas.
    pub sierra_gas: u64,
    /// Payload length of each L2 to L1 message, in felts.
    pub message_payloads: Vec<u64>,
    /// The events.
    pub events: EventSummary,
    /// Number of calls.
    pub calls: u64,
}

impl ExecutionSummary {
    /// Adds up `calls`; `None` when a counter overflows.
    pub fn of<'a>(calls: impl IntoIterator<Item = &'a CallInfo>, constants: &Constants) -> Option<Self> {
        let mut summary = Self::default();
        for root in calls {
            // Resources and gas of a call hold those of its inner calls already; events and messages do not.
            summary.vm_resources = summary.vm_resources.checked_add(&root.resources)?;
            summary.sierra_gas = summary.sierra_gas.checked_add(root.gas_consumed)?;
            if constants.switches.inner_event_resources_ignored {
                summary.add_events(root)?;
            }
            for call in root.iter() {
                summary.add_call(call, constants)?;
            }
        }
        Some(summary)
    }

    fn add_call(&mut self, call: &CallInfo, constants: &Constants) -> Option<()> {
        self.calls = self.calls.checked_add(1)?;
        for message in &call.messages {
            self.message_payloads.push(u64::try_from(message.payload.0.len()).ok()?);
        }
        if !constants.switches.inner_event_resources_ignored {
            self.add_events(call)?;
        }
        Some(())
    }

    fn add_events(&mut self, call: &CallInfo) -> Option<()> {
        for event in &call.events {
            self.events.count = self.events.count.checked_add(1)?;
            self.events.keys = self.events.keys.checked_add(u64::try_from(event.event.keys.len()).ok()?)?;
            self.events.data = self.events.data.checked_add(u64::try_from(event.event.data.0.len()).ok()?)?;
        }
        Some(())
    }
}
