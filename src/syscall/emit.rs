//! What leaves the chain: events and messages to L1.

use starknet_api::core::EthAddress;

use super::fault::{EventFault, SyscallFault};
use super::memory::SyscallMemory;
use super::record::{OrderedEvent, OrderedMessage};
use super::request::{EmitEvent, Nothing, SendMessageToL1};
use super::{Effect, Outcome, SyscallContext};
use crate::protocol::{Limits, SyscallName};

/// `emit_event`, within the limits (C125).
pub(super) fn emit_event(
    request: EmitEvent,
    scope: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Nothing> {
    let EmitEvent(event) = request;
    let order = scope.counters.events;
    let count = order.checked_add(1).ok_or(SyscallFault::Overflow(SyscallName::EmitEvent))?;
    check_limits(&scope.env.constants.limits, count, event.keys.len(), event.data.0.len())?;
    scope.record.events.push(OrderedEvent { order, event });
    scope.counters.events = count;
    Ok(Effect::Respond(Nothing))
}

/// Number of events first, then keys, then data: the first that is passed is the one reported.
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

/// `send_message_to_l1`: to an Ethereum address, unless this is a layer 3 (C126).
pub(super) fn send_message_to_l1(
    request: SendMessageToL1,
    scope: &mut SyscallContext<'_, '_>,
    _: &mut dyn SyscallMemory,
) -> Outcome<Nothing> {
    let SendMessageToL1 { to_address, payload } = request;
    let overflow = SyscallFault::Overflow(SyscallName::SendMessageToL1);
    let items = u64::try_from(payload.0.len()).map_err(|_| overflow.clone())?;
    scope.record.count_items(SyscallName::SendMessageToL1, items);
    if !scope.env.chain.is_l3 {
        EthAddress::try_from(to_address)?;
    }
    let order = scope.counters.messages;
    scope.counters.messages = order.checked_add(1).ok_or(overflow)?;
    scope.record.messages.push(OrderedMessage { order, to_address, payload });
    Ok(Effect::Respond(Nothing))
}
