//! Instructions as words: flags above three offsets.

use starknet_types_core::felt::Felt;

/// Bits of the flags.
pub mod flag {
    /// The destination is relative to fp.
    pub const DST_FP: u64 = 1;
    /// The first operand is relative to fp.
    pub const OP0_FP: u64 = 1 << 1;
    /// The second operand is the next word.
    pub const OP1_IMMEDIATE: u64 = 1 << 2;
    /// The second operand is relative to fp.
    pub const OP1_FP: u64 = 1 << 3;
    /// The second operand is relative to ap.
    pub const OP1_AP: u64 = 1 << 4;
    /// The result is a sum.
    pub const ADD: u64 = 1 << 5;
    /// The result is a product.
    pub const MUL: u64 = 1 << 6;
    /// An absolute jump.
    pub const JUMP: u64 = 1 << 7;
    /// A relative jump.
    pub const JUMP_BY: u64 = 1 << 8;
    /// A relative jump unless the destination is 0.
    pub const JUMP_IF: u64 = 1 << 9;
    /// ap grows by the result.
    pub const AP_ADD: u64 = 1 << 10;
    /// ap grows by one.
    pub const AP_NEXT: u64 = 1 << 11;
    /// A call.
    pub const CALL: u64 = 1 << 12;
    /// A return.
    pub const RETURN: u64 = 1 << 13;
    /// The destination equals the result.
    pub const ASSERT: u64 = 1 << 14;
}

/// A word: flags, offsets of destination and operands, and the opcodes above the flags (1 Blake, 2 its last
/// block, 3 QM31).
pub fn word(flags: u64, dst: i64, op0: i64, op1: i64, extension: u64) -> Felt {
    let biased = |offset: i64| u128::from((offset + 0x8000) as u64 & 0xffff);
    let low = biased(dst) | biased(op0) << 16 | biased(op1) << 32;
    Felt::from(low | u128::from(flags) << 48 | u128::from(extension) << 63)
}

/// A word's bits, if it can be an instruction.
pub fn bits(word: &Felt) -> Option<u128> {
    let [low, high, 0, 0] = word.to_le_digits() else { return None };
    Some(u128::from(low) | u128::from(high) << 64)
}

/// An instruction's flags.
pub fn flags(bits: u128) -> u64 {
    (bits >> 48) as u64 & 0x7fff
}

/// Returns `true` if the next word is the instruction's immediate.
pub fn has_immediate(bits: u128) -> bool {
    flags(bits) & flag::OP1_IMMEDIATE != 0
}

/// An offset: 0 of the destination, 1 and 2 of the operands.
pub fn offset(bits: u128, which: u32) -> i64 {
    ((bits >> (16 * which)) as i64 & 0xffff) - 0x8000
}

/// The same with another offset.
pub fn with_offset(bits: u128, which: u32, offset: i64) -> u128 {
    let place = 16 * which;
    bits & !(0xffff << place) | u128::from((offset + 0x8000) as u64 & 0xffff) << place
}

/// The possible successors of an instruction, as far as its words determine them.
pub fn next(words: &[Felt], at: usize) -> Vec<usize> {
    let Some(bits) = words.get(at).and_then(bits) else { return Vec::new() };
    let flags = flags(bits);
    let size = if has_immediate(bits) { 2 } else { 1 };
    let mut next = Vec::new();
    let relative = flag::JUMP_BY | flag::JUMP_IF;
    if let (true, true, Some(by)) = (has_immediate(bits), flags & relative != 0, words.get(at + 1)) {
        next.extend(moved(at, by));
    }
    let goes_away = flags & (flag::JUMP | flag::JUMP_BY) != 0 && flags & flag::CALL == 0;
    if !goes_away && flags & flag::RETURN == 0 {
        next.push(at + size);
    }
    next
}

/// An address plus a signed offset.
fn moved(at: usize, by: &Felt) -> Option<usize> {
    let small = |by: &Felt| match by.to_le_digits() {
        [small, 0, 0, 0] => usize::try_from(small).ok(),
        _ => None,
    };
    match small(by) {
        Some(by) => at.checked_add(by),
        None => at.checked_sub(small(&-*by)?),
    }
}
