//! The resources of call trees, added up: the input of fees.
//!
//! Input: finished call trees. Output: sums. Knows no prices.

use super::CallInfo;
use crate::protocol::{Constants, VmResources};

/// The number of events of a call tree, and their lengths.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct EventSummary {
    /// The number of events.
    pub count: u64,
    /// The keys of all events, in felts.
    pub keys: u64,
    /// The data of all events, in felts.
    pub data: u64,
}

/// The sums over one or more call trees.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ExecutionSummary {
    /// The VM resources of the calls that are measured in steps, with their syscalls (C88).
    pub vm_resources: VmResources,
    /// The Sierra gas of the calls that are measured in Sierra gas.
    pub sierra_gas: u64,
    /// The payload length of each message to L1, in felts.
    pub message_payloads: Vec<u64>,
    /// The events.
    pub events: EventSummary,
    /// The number of calls.
    pub calls: u64,
}

impl ExecutionSummary {
    /// Adds up `calls`; `None` when a counter overflows.
    pub(crate) fn of<'a>(
        calls: impl IntoIterator<Item = &'a CallInfo>,
        constants: &Constants,
    ) -> Option<Self> {
        let mut summary = Self::default();
        for root in calls {
            // The resources and the gas of a call include those of its inner calls; its events and messages
            // do not.
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
