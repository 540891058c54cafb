//! The SHA-256 and SHA-512 syscalls: one compression each.
//!
//! Input: pointers to a state and to a block of words. Output: a pointer to the new state.

use num_traits::ToPrimitive;
use sha2::digest::generic_array::GenericArray;
use starknet_types_core::felt::Felt;

use super::context::SyscallContext;
use super::effect::{Effect, Outcome};
use super::fault::SyscallFault;
use super::memory::{Pointer, SyscallMemory, Value};
use super::request::ShaBlock;

/// The number of words in a message block.
const BLOCK_WORDS: usize = 16;
/// The number of words in a state.
const STATE_WORDS: usize = 8;

/// `sha256_process_block`.
pub(super) fn sha256_process_block(
    request: ShaBlock,
    context: &mut SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Outcome<Pointer> {
    let block: [u32; BLOCK_WORDS] = read_words(memory, request.words, Felt::to_u32)?;
    let mut state: [u32; STATE_WORDS] = read_words(memory, request.state, Felt::to_u32)?;
    let bytes: Vec<u8> = block.iter().flat_map(|word| word.to_be_bytes()).collect();
    sha2::compress256(&mut state, &[GenericArray::clone_from_slice(&bytes)]);
    let end = &mut context.record.handles.sha256_end;
    write_state(memory, end, &state.map(Felt::from))
}

/// `sha512_process_block`.
pub(super) fn sha512_process_block(
    request: ShaBlock,
    context: &mut SyscallContext<'_, '_>,
    memory: &mut dyn SyscallMemory,
) -> Outcome<Pointer> {
    let block: [u64; BLOCK_WORDS] = read_words(memory, request.words, Felt::to_u64)?;
    let mut state: [u64; STATE_WORDS] = read_words(memory, request.state, Felt::to_u64)?;
    let bytes: Vec<u8> = block.iter().flat_map(|word| word.to_be_bytes()).collect();
    sha2::compress512(&mut state, &[GenericArray::clone_from_slice(&bytes)]);
    let end = &mut context.record.handles.sha512_end;
    write_state(memory, end, &state.map(Felt::from))
}

/// Reads `N` words. Code compiled from Sierra only passes words in range; CASM that is not can pass any felt,
/// for which blockifier panics.
fn read_words<T: Default + Copy, const N: usize>(
    memory: &dyn SyscallMemory,
    start: Pointer,
    to_word: fn(&Felt) -> Option<T>,
) -> Result<[T; N], SyscallFault> {
    let mut words = [T::default(); N];
    for (word, input) in words.iter_mut().zip(memory.felts(start, N)?) {
        *word = to_word(&input).ok_or_else(|| SyscallFault::InvalidInput {
            input,
            info: "A word of the block or of the state is out of range.".to_owned(),
        })?;
    }
    Ok(words)
}

/// Appends a state to the frame's segment of states. A segment is allocated on every call, even if it is not
/// used: segment numbers can appear in revert reasons (C84).
fn write_state(
    memory: &mut dyn SyscallMemory,
    end: &mut Option<Pointer>,
    state: &[Felt; STATE_WORDS],
) -> Outcome<Pointer> {
    let fresh = memory.new_segment();
    let start = end.unwrap_or(fresh);
    *end = Some(memory.load(start, &state.map(Value::Felt))?);
    Ok(Effect::Respond(start))
}
