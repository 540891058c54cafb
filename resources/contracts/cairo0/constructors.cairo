// A constructor that does what it is told, for deployments of every kind.
%lang starknet

from starkware.cairo.common.cairo_builtins import HashBuiltin
from starkware.starknet.common.messages import send_message_to_l1
from starkware.starknet.common.syscalls import (
    call_contract,
    deploy,
    get_caller_address,
    get_contract_address,
    library_call,
    replace_class,
    storage_read,
    storage_write,
)

@storage_var
func Constructors_mode() -> (mode: felt) {
}

@storage_var
func Constructors_caller() -> (caller: felt) {
}

@event
func Constructed(mode: felt, address: felt, caller: felt) {
}

@constructor
func constructor{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    mode: felt, a: felt, b: felt, data_len: felt, data: felt*
) {
    alloc_locals;
    let (caller) = get_caller_address();
    Constructors_mode.write(mode);
    Constructors_caller.write(caller);
    if (mode == 1) {
        with_attr error_message("CONSTRUCTOR_FAILED {a}") {
            assert mode = 0;
        }
        return ();
    }
    if (mode == 2) {
        let (address) = get_contract_address();
        Constructed.emit(mode, address, caller);
        return ();
    }
    if (mode == 3) {
        send_message_to_l1(a, data_len, data);
        return ();
    }
    if (mode == 4) {
        call_contract(a, b, data_len, data);
        return ();
    }
    if (mode == 5) {
        let (address) = deploy(a, b, data_len, data, 0);
        Constructed.emit(mode, address, caller);
        return ();
    }
    if (mode == 6) {
        storage_write(a, b);
        return ();
    }
    if (mode == 7) {
        replace_class(a);
        return ();
    }
    if (mode == 8) {
        library_call(a, b, data_len, data);
        return ();
    }
    if (mode == 9) {
        let (address) = get_contract_address();
        call_contract(address, b, data_len, data);
        return ();
    }
    if (mode == 10) {
        forever:
        jmp forever;
    }
    return ();
}

@view
func mode{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}() -> (mode: felt) {
    return Constructors_mode.read();
}

@view
func caller{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}() -> (caller: felt) {
    return Constructors_caller.read();
}

@view
func read{syscall_ptr: felt*}(key: felt) -> (value: felt) {
    return storage_read(key);
}
