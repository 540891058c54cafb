// Keccak and the signatures of Ethereum, by library functions with hints.
%lang starknet

from starkware.cairo.common.alloc import alloc
from starkware.cairo.common.cairo_builtins import BitwiseBuiltin
from starkware.cairo.common.cairo_keccak.keccak import cairo_keccak, finalize_keccak
from starkware.cairo.common.cairo_secp.signature import verify_eth_signature_uint256
from starkware.cairo.common.uint256 import Uint256

// `words` are 64 bits each, the first byte lowest.
@external
func keccak{range_check_ptr, bitwise_ptr: BitwiseBuiltin*}(
    n_bytes: felt, words_len: felt, words: felt*
) -> (hash: Uint256) {
    alloc_locals;
    let (local start: felt*) = alloc();
    let keccak_ptr = start;
    with keccak_ptr {
        let (local hash) = cairo_keccak(words, n_bytes);
    }
    finalize_keccak(start, keccak_ptr);
    return (hash,);
}

// Fails when `address` did not sign.
@external
func eth_signature{range_check_ptr, bitwise_ptr: BitwiseBuiltin*}(
    hash: Uint256, r: Uint256, s: Uint256, v: felt, address: felt
) {
    alloc_locals;
    let (local start: felt*) = alloc();
    let keccak_ptr = start;
    with keccak_ptr {
        verify_eth_signature_uint256(hash, r, s, v, address);
    }
    finalize_keccak(start, keccak_ptr);
    return ();
}
