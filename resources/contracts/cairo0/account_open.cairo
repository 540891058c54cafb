// An account that checks nothing, and misbehaves while validating on request: see `validate`.
%lang starknet

from starkware.cairo.common.alloc import alloc
from starkware.cairo.common.cairo_builtins import HashBuiltin
from starkware.cairo.common.math import assert_not_equal
from starkware.cairo.common.memcpy import memcpy
from starkware.starknet.common.messages import send_message_to_l1
from starkware.starknet.common.syscalls import (
    DELEGATE_CALL_SELECTOR,
    CallContract,
    CallContractRequest,
    call_contract,
    deploy,
    get_block_number,
    get_block_timestamp,
    get_sequencer_address,
    get_tx_signature,
    library_call,
    replace_class,
    storage_read,
    storage_write,
)

struct Call {
    to: felt,
    selector: felt,
    data_offset: felt,
    data_len: felt,
}

// What validations do when the signature is empty.
@storage_var
func Account_mode() -> (mode: (felt, felt, felt)) {
}

// What validations leave behind.
@storage_var
func Account_scratch() -> (value: felt) {
}

@event
func VALIDATE_EVENT(value: felt) {
}

@event
func VALIDATE_BLOCK(number: felt, timestamp: felt) {
}

@constructor
func constructor{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    mode: felt, second: felt, third: felt
) {
    with_attr error_message("CONSTRUCTOR_FAILED") {
        assert_not_equal(mode, 'FAIL');
    }
    Account_mode.write((mode, second, third));
    return ();
}

@external
func __validate__{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    calls_len: felt, calls: Call*, calldata_len: felt, calldata: felt*
) {
    return validate();
}

@external
func __validate_declare__{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    class_hash: felt
) {
    return validate();
}

@external
func __validate_deploy__{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    class_hash: felt, contract_address_salt: felt, mode: felt, second: felt, third: felt
) {
    return validate();
}

@external
func __execute__{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    calls_len: felt, calls: Call*, calldata_len: felt, calldata: felt*
) -> (results_len: felt, results: felt*) {
    alloc_locals;
    let (local results: felt*) = alloc();
    let (results_len) = run_calls(calls_len, calls, calldata, results);
    return (results_len, results);
}

@external
func set_mode{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    mode: felt, second: felt, third: felt
) {
    Account_mode.write((mode, second, third));
    return ();
}

@view
func scratch{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}() -> (value: felt) {
    return Account_scratch.read();
}

// The mode is [mode, second, third, ...] of the signature, or of the storage when there is none.
func validate{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}() {
    alloc_locals;
    let (len, signature) = get_tx_signature();
    if (len == 0) {
        let (mode) = Account_mode.read();
        return behave(mode[0], mode[1], mode[2], 0, signature);
    }
    if (len == 1) {
        return behave(signature[0], 0, 0, 0, signature);
    }
    if (len == 2) {
        return behave(signature[0], signature[1], 0, 0, signature);
    }
    return behave(signature[0], signature[1], signature[2], len - 3, signature + 3);
}

func behave{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    mode: felt, second: felt, third: felt, rest_len: felt, rest: felt*
) {
    alloc_locals;
    if (mode == 1) {
        with_attr error_message("VALIDATE_FAILED {second}") {
            assert mode = 0;
        }
        return ();
    }
    if (mode == 2) {
        tempvar nothing = second / (mode - 2);
        return ();
    }
    if (mode == 3) {
        loop_forever:
        jmp loop_forever;
    }
    if (mode == 4) {
        call_contract(second, third, rest_len, rest);
        return ();
    }
    if (mode == 5) {
        let (number) = get_block_number();
        Account_scratch.write(number);
        return ();
    }
    if (mode == 6) {
        Account_scratch.write(second);
        return ();
    }
    if (mode == 7) {
        VALIDATE_EVENT.emit(second);
        return ();
    }
    if (mode == 8) {
        deploy(second, third, rest_len, rest, 0);
        return ();
    }
    if (mode == 9) {
        let (payload: felt*) = alloc();
        assert payload[0] = third;
        send_message_to_l1(second, 1, payload);
        return ();
    }
    if (mode == 10) {
        replace_class(second);
        return ();
    }
    if (mode == 11) {
        library_call(second, third, rest_len, rest);
        return ();
    }
    if (mode == 12) {
        let (value) = storage_read(second);
        with_attr error_message("VALIDATE_CELL {value}") {
            assert value = third;
        }
        storage_write(second, value + 1);
        return ();
    }
    if (mode == 13) {
        loop(second);
        return ();
    }
    if (mode == 14) {
        let (number) = get_block_number();
        let (timestamp) = get_block_timestamp();
        Account_scratch.write(number);
        VALIDATE_BLOCK.emit(number, timestamp);
        return ();
    }
    if (mode == 15) {
        let (sequencer) = get_sequencer_address();
        Account_scratch.write(sequencer);
        return ();
    }
    if (mode == 16) {
        let (timestamp) = get_block_timestamp();
        Account_scratch.write(timestamp);
        return ();
    }
    if (mode == 17) {
        delegate_call(second, third, rest_len, rest);
        return ();
    }
    return ();
}

// The library of this compiler version has no function for this syscall.
func delegate_call{syscall_ptr: felt*}(
    address: felt, selector: felt, calldata_len: felt, calldata: felt*
) -> (retdata_len: felt, retdata: felt*) {
    let syscall = [cast(syscall_ptr, CallContract*)];
    assert syscall.request = CallContractRequest(
        DELEGATE_CALL_SELECTOR, address, selector, calldata_len, calldata
    );
    %{ syscall_handler.delegate_call(segments=segments, syscall_ptr=ids.syscall_ptr) %}
    let syscall_ptr = syscall_ptr + CallContract.SIZE;
    return (syscall.response.retdata_size, syscall.response.retdata);
}

func loop(times: felt) {
    if (times == 0) {
        return ();
    }
    return loop(times - 1);
}

func run_calls{syscall_ptr: felt*}(
    calls_len: felt, calls: Call*, calldata: felt*, results: felt*
) -> (results_len: felt) {
    alloc_locals;
    if (calls_len == 0) {
        return (0,);
    }
    let (local size, data) = call_contract(
        calls.to, calls.selector, calls.data_len, calldata + calls.data_offset
    );
    memcpy(results, data, size);
    let (rest) = run_calls(calls_len - 1, calls + Call.SIZE, calldata, results + size);
    return (size + rest,);
}
