//! The syscalls for events and messages to L1.
//!
//! Input: an event or a message. Output: its entry in the record of the frame, with its index in the phase.

use starknet_api::core::EthAddress;

use super::context::SyscallContext;
use super::effect::{Effect, Outcome};
use super::fault::{EventFault, SyscallFault};
use super::memory::SyscallMemory;
use super::record::{OrderedEvent, OrderedMessage};
use super::request::{EmitEvent, Nothing, SendMessageToL1};
use crate::protocol::{Limits, SyscallName};

/// `emit_event`, subject to the limits on events (C125).
pub(super) fn emit_event(
    request: EmitEvent,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Nothing> {
    let EmitEvent(event) = request;
    let order = context.counters.events;
    let count = order.checked_add(1).ok_or(SyscallFault::Overflow(SyscallName::EmitEvent))?;
    check_limits(&context.env.constants.limits, count, event.keys.len(), event.data.0.len())?;
    context.record.events.push(OrderedEvent { order, event });
    context.counters.events = count;
    Ok(Effect::Respond(Nothing))
}

/// Checks the number of events, then keys, then data; the first limit that is exceeded is reported.
fn check_limits(limits: &Limits, count: u64, keys: usize, data: usize) -> Result<(), EventFault> {
    let max = limits.event_max_count;
    if count > max {
        return Err(EventFault::Count { count, max });
    }
    let (length, max) = (u64::try_from(keys).unwrap_or(u64::MAX), limits.event_max_keys);
    if length > max {
        return Err(EventFault::Keys { length, max });
    }
    let (length, max) = (u64::try_from(data).unwrap_or(u64::MAX), limits.event_max_data);
    if length > max {
        return Err(EventFault::Data { length, max });
    }
    Ok(())
}

/// `send_message_to_l1`. The receiver must be an Ethereum address, except on a layer 3 (C126).
pub(super) fn send_message_to_l1(
    request: SendMessageToL1,
    context: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Nothing> {
    let SendMessageToL1 { to_address, payload } = request;
    let overflow = SyscallFault::Overflow(SyscallName::SendMessageToL1);
    let items = u64::try_from(payload.0.len()).map_err(|_| overflow.clone())?;
    context.record.count_items(SyscallName::SendMessageToL1, items);
    if !context.env.chain.is_l3 {
        EthAddress::try_from(to_address)?;
    }
    let order = context.counters.messages;
    context.counters.messages = order.checked_add(1).ok_or(overflow)?;
    context.record.messages.push(OrderedMessage { order, to_address, payload });
    Ok(Effect::Respond(Nothing))
}
