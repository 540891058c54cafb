// Hands every call that it does not know to another class.
%lang starknet

from starkware.cairo.common.cairo_builtins import HashBuiltin
from starkware.starknet.common.syscalls import library_call, library_call_l1_handler

@storage_var
func Proxy_implementation() -> (class_hash: felt) {
}

// A selector other than 0 is called in the implementation, to set it up.
@constructor
func constructor{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    class_hash: felt, selector: felt, calldata_len: felt, calldata: felt*
) {
    Proxy_implementation.write(class_hash);
    if (selector == 0) {
        return ();
    }
    library_call(class_hash, selector, calldata_len, calldata);
    return ();
}

@external
func upgrade{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(class_hash: felt) {
    Proxy_implementation.write(class_hash);
    return ();
}

@view
func implementation{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}() -> (
    class_hash: felt
) {
    return Proxy_implementation.read();
}

@external
@raw_input
@raw_output
func __default__{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    selector: felt, calldata_size: felt, calldata: felt*
) -> (retdata_size: felt, retdata: felt*) {
    let (class_hash) = Proxy_implementation.read();
    let (retdata_size, retdata) = library_call(class_hash, selector, calldata_size, calldata);
    return (retdata_size, retdata);
}

@l1_handler
@raw_input
func __l1_default__{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    selector: felt, calldata_size: felt, calldata: felt*
) {
    let (class_hash) = Proxy_implementation.read();
    library_call_l1_handler(class_hash, selector, calldata_size, calldata);
    return ();
}
