//! The Keccak syscall: the sponge over complete blocks; the calling contract pads.
//!
//! Input: a span of 64-bit words. Output: the hash.

use num_traits::ToPrimitive;
use starknet_types_core::felt::Felt;

use super::context::SyscallContext;
use super::effect::{Effect, Outcome};
use super::fault::SyscallFault;
use super::memory::SyscallMemory;
use super::request::{Keccak, LowHigh};
use crate::protocol::{SyscallName, well_known};

/// The number of 64-bit words in a block.
const RATE: usize = 17;

/// `keccak`. The length must be a number of complete blocks; their rounds are charged here (C128).
pub(super) fn keccak(
    request: Keccak,
    context: &mut SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Outcome<LowHigh> {
    let count = memory.distance(request.start, request.end)?;
    let words = memory
        .felts(request.start, count)?
        .into_iter()
        .map(|input| {
            let info = || "Invalid input for the keccak syscall.".to_owned();
            input.to_u64().ok_or_else(|| SyscallFault::InvalidInput { input, info: info() })
        })
        .collect::<Result<Vec<u64>, _>>()?;

    let blocks = words.chunks_exact(RATE);
    if !blocks.remainder().is_empty() {
        return Ok(Effect::Fail(vec![well_known::INVALID_INPUT_LENGTH]));
    }
    let overflow = || SyscallFault::Overflow(SyscallName::Keccak);
    let rounds = u64::try_from(blocks.len()).map_err(|_| overflow())?;
    let price = context.env.constants.syscall_price(SyscallName::KeccakRound).base;
    let cost = price.checked_mul(rounds).ok_or_else(overflow)?;
    let Some(left) = context.gas.checked_sub(cost) else {
        return Ok(Effect::Fail(vec![well_known::OUT_OF_GAS]));
    };
    context.gas = left;

    let mut state = [0_u64; 25];
    for block in blocks {
        for (lane, word) in state.iter_mut().zip(block) {
            *lane ^= word;
        }
        keccak::f1600(&mut state);
    }
    // Usage is counted in rounds; an entry with 0 rounds has a cost too (C129).
    context.record.count(SyscallName::Keccak, rounds);

    let [a, b, c, d, ..] = state;
    Ok(Effect::Respond(LowHigh { low: join(a, b), high: join(c, d) }))
}

fn join(low: u64, high: u64) -> Felt {
    Felt::from(u128::from(high) << 64 | u128::from(low))
}
