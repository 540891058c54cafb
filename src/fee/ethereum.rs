//! The L1 gas that Ethereum charges for each part of a block that is published there.
//!
//! Output: constants for `gas`. They are facts of Ethereum and of the proof verifier, the same at every
//! Starknet version. Knows nothing of transactions.
//!
//! The constants are written as the sums they come from, to be checked against the Ethereum yellow paper
//! (appendix G), EIP-2028 (calldata), EIP-2929 (storage access) and EIP-4844 (blobs).

/// Bytes in one EVM word; a felt takes one word.
pub(super) const WORD_BYTES: u64 = 32;

/// L1 gas of a calldata byte that is not zero (EIP-2028).
pub(super) const CALLDATA_BYTE: u64 = 16;

/// L1 gas of a zero calldata byte.
pub(super) const CALLDATA_ZERO_BYTE: u64 = 4;

/// L1 gas of a calldata word without zero bytes: 512.
pub(super) const CALLDATA_WORD: u64 = CALLDATA_BYTE * WORD_BYTES;

/// L1 data gas of one felt in a blob: 2^17 gas per blob of 2^12 felts (EIP-4844), so 32 (C154).
pub(super) const BLOB_FELT: u64 = (1 << 17) / (1 << 12);

/// L1 gas of turning a zero storage cell non-zero: the counter of a message that goes to L1.
pub(super) const STORAGE_SET: u64 = 20_000;

/// L1 gas of the first access to a storage cell plus its change from non-zero: 2100 + 2900, for counting down
/// a message to L2.
pub(super) const COUNTER_DECREASE: u64 = 2_100 + 2_900;

/// L1 gas of an event (`LOG`), without topics and data.
pub(super) const LOG: u64 = 375;

/// L1 gas of each topic of an event. The event's own signature is a topic too.
pub(super) const LOG_TOPIC: u64 = 375;

/// L1 gas of each data word of an event: 8 per byte, so 256.
pub(super) const LOG_WORD: u64 = 8 * WORD_BYTES;

/// L1 gas that the proof verifier spends on one word of the program's output: a calldata word plus 100
/// (measured), so 612.
pub(super) const VERIFIER_WORD: u64 = CALLDATA_WORD + 100;

/// L1 gas of one felt of state diff when it travels as calldata: a verifier word less a tenth (61, rounded
/// down), so 551 (C154).
pub(super) const STATE_DIFF_WORD: u64 = VERIFIER_WORD - VERIFIER_WORD / 10;

/// Discount per modified contract: the second word of its entry holds at most 6 non-zero bytes (1 of
/// class-hash flag, 2 of update count, 3 of nonce), so 512 - 200 = 312 (C154).
pub(super) const CONTRACT_DISCOUNT: u64 = CALLDATA_WORD - calldata_word(1 + 2 + 3);

/// Discount per transaction: the fee payer's new balance has at most 12 non-zero bytes, so 512 - 272 = 240
/// (C154).
pub(super) const FEE_BALANCE_DISCOUNT: u64 = CALLDATA_WORD - calldata_word(12);

/// L1 gas of a calldata word of which `non_zero` bytes (at most 32) are not zero.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "evaluated at compile time, where an overflow is an error"
)]
const fn calldata_word(non_zero: u64) -> u64 {
    non_zero * CALLDATA_BYTE + (WORD_BYTES - non_zero) * CALLDATA_ZERO_BYTE
}

/// Words that precede a message's payload in the block's output: L2 to L1 has receiver, sender, payload
/// length (C160).
pub(super) const MESSAGE_TO_L1_HEADER: u64 = 3;

/// Words that precede the payload of a consumed message: sender, receiver, nonce, selector, payload length
/// (C160).
pub(super) const MESSAGE_TO_L2_HEADER: u64 = 5;

/// L1 gas of the event `LogMessageToL1` with an empty payload: 2012. Topics: signature, sender and receiver;
/// data: offset and length of the payload array.
pub(super) const MESSAGE_TO_L1_EVENT: u64 = event(3, 2);

/// L1 gas of the event `ConsumedMessageToL2` with an empty payload: 2643. Topics: signature, sender, receiver
/// and selector; data: nonce, offset and length of the payload array.
pub(super) const MESSAGE_TO_L2_EVENT: u64 = event(4, 3);

/// L1 gas of an event with `topics` topics and `words` words of data.
#[expect(
    clippy::arithmetic_side_effects,
    reason = "evaluated at compile time, where an overflow is an error"
)]
const fn event(topics: u64, words: u64) -> u64 {
    LOG + topics * LOG_TOPIC + words * LOG_WORD
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_those_of_the_rules() {
        assert_eq!(
            [CALLDATA_WORD, BLOB_FELT, COUNTER_DECREASE, LOG_WORD, VERIFIER_WORD, STATE_DIFF_WORD],
            [512, 32, 5_000, 256, 612, 551]
        );
        assert_eq!(
            [CONTRACT_DISCOUNT, FEE_BALANCE_DISCOUNT, MESSAGE_TO_L1_EVENT, MESSAGE_TO_L2_EVENT],
            [312, 240, 2_012, 2_643]
        );
    }
}
