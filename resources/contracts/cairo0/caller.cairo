// Calls that nest, the traces they leave, and every way to fail.
%lang starknet

from starkware.cairo.common.alloc import alloc
from starkware.cairo.common.cairo_builtins import HashBuiltin
from starkware.cairo.common.math import assert_lt, assert_nn, assert_not_zero
from starkware.cairo.common.memcpy import memcpy
from starkware.starknet.common.messages import send_message_to_l1
from starkware.starknet.common.syscalls import (
    DELEGATE_CALL_SELECTOR,
    CallContract,
    CallContractRequest,
    call_contract,
    get_caller_address,
    get_contract_address,
    library_call,
    storage_read,
    storage_write,
)

// sn_keccak of the names of entry points of this contract, for its calls to itself.
const RECURSE = 0x1143aa89c8e3ebf8ed14df2a3606c1cd2dd513fac8040b0f8ab441f5c52fe4;
const RECURSE_LIBRARY = 0x3ca3e62dd7156515575b38cc37ad0881494d400b779c2da2f7fe06b3068bb8;
const RECURSE_DELEGATE = 0x23ead9d4d379ce7d2dc37305e89a0455e4fc83de04ac100f130020e1f327cd0;
const RECURSE_NOISY = 0xbd895e8a287c4df3afcd37fc65a2fb92d495dd1f231d1e1cc1738f56c8a834;
const TREE = 0x2510336c6497719adadc7ade198c988520f3349445f074dc729df0f3c2b12ad;
const NO_SUCH = 0x2d67549f19aa826409861d67b9fbb1cbc4e31a1ee3e9cfad9b175df8f51bc1a;

struct Call {
    to: felt,
    selector: felt,
    data_offset: felt,
    data_len: felt,
}

@storage_var
func Caller_before() -> (count: felt) {
}

@storage_var
func Caller_after() -> (count: felt) {
}

@event
func Before(depth: felt, caller: felt) {
}

@event
func After(depth: felt, caller: felt) {
}

// One after the other; what they return is appended.
@external
func call_all{syscall_ptr: felt*, range_check_ptr}(
    calls_len: felt, calls: Call*, calldata_len: felt, calldata: felt*
) -> (results_len: felt, results: felt*) {
    alloc_locals;
    let (local results: felt*) = alloc();
    let (results_len) = run_calls(calls_len, calls, calldata, results);
    return (results_len, results);
}

@external
func call_then_fail{syscall_ptr: felt*, range_check_ptr}(
    to: felt, selector: felt, calldata_len: felt, calldata: felt*
) {
    call_contract(to, selector, calldata_len, calldata);
    with_attr error_message("CALL_THEN_FAIL") {
        assert 1 = 0;
    }
    return ();
}

// Returns what the call left in the cell.
@external
func write_call_write{syscall_ptr: felt*, range_check_ptr}(
    key: felt,
    before: felt,
    after: felt,
    to: felt,
    selector: felt,
    calldata_len: felt,
    calldata: felt*,
) -> (left: felt) {
    alloc_locals;
    storage_write(key, before);
    call_contract(to, selector, calldata_len, calldata);
    let (local left) = storage_read(key);
    storage_write(key, after);
    return (left,);
}

@external
func write_library_call_write{syscall_ptr: felt*, range_check_ptr}(
    key: felt,
    before: felt,
    after: felt,
    class_hash: felt,
    selector: felt,
    calldata_len: felt,
    calldata: felt*,
) -> (left: felt) {
    alloc_locals;
    storage_write(key, before);
    library_call(class_hash, selector, calldata_len, calldata);
    let (local left) = storage_read(key);
    storage_write(key, after);
    return (left,);
}

// A counter, an event and a message on each side of the call.
@external
func noisy_call{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    to: felt, selector: felt, calldata_len: felt, calldata: felt*
) {
    noise_before(0);
    call_contract(to, selector, calldata_len, calldata);
    noise_after(0);
    return ();
}

@external
func noisy_fail{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(reason: felt) {
    alloc_locals;
    noise_before(0);
    noise_after(0);
    with_attr error_message("NOISY_FAIL {reason}") {
        assert 1 = 0;
    }
    return ();
}

// Recursion. Leaf: 0 returns, 1 fails with a message, 2 never ends, 3 calls a missing entry point, 4 an undeployed
// address, 5 an undeclared class, 6 divides by zero, 7 fails a range check.

@external
func recurse{syscall_ptr: felt*, range_check_ptr}(depth: felt, leaf: felt) -> (depth: felt) {
    alloc_locals;
    if (depth == 0) {
        run_leaf(leaf);
        return (0,);
    }
    let (address) = get_contract_address();
    let (_, data) = call_contract(address, RECURSE, 2, new (depth - 1, leaf));
    return (data[0] + 1,);
}

@external
func recurse_library{syscall_ptr: felt*, range_check_ptr}(
    depth: felt, leaf: felt, class_hash: felt
) -> (depth: felt) {
    alloc_locals;
    if (depth == 0) {
        run_leaf(leaf);
        return (0,);
    }
    let (_, data) = library_call(class_hash, RECURSE_LIBRARY, 3, new (depth - 1, leaf, class_hash));
    return (data[0] + 1,);
}

@external
func recurse_delegate{syscall_ptr: felt*, range_check_ptr}(
    depth: felt, leaf: felt, address: felt
) -> (depth: felt) {
    alloc_locals;
    if (depth == 0) {
        run_leaf(leaf);
        return (0,);
    }
    let (_, data) = delegate_call(address, RECURSE_DELEGATE, 3, new (depth - 1, leaf, address));
    return (data[0] + 1,);
}

// Noise at every level, on each side of the call.
@external
func recurse_noisy{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    depth: felt, leaf: felt
) {
    alloc_locals;
    noise_before(depth);
    if (depth == 0) {
        run_leaf(leaf);
        noise_after(depth);
        return ();
    }
    let (address) = get_contract_address();
    call_contract(address, RECURSE_NOISY, 2, new (depth - 1, leaf));
    noise_after(depth);
    return ();
}

// `width` calls at every level; returns the number of leaves.
@external
func tree{syscall_ptr: felt*, range_check_ptr}(depth: felt, width: felt) -> (leaves: felt) {
    alloc_locals;
    if (depth == 0) {
        return (1,);
    }
    let (address) = get_contract_address();
    let (leaves) = branches(address, depth, width, width);
    return (leaves,);
}

// Running long.

@external
func loop{range_check_ptr}(times: felt) {
    if (times == 0) {
        return ();
    }
    return loop(times - 1);
}

@external
func loop_forever{range_check_ptr}() {
    forever:
    jmp forever;
}

// Failing.

@external
func fail{range_check_ptr}() {
    with_attr error_message("FAILED") {
        assert 1 = 0;
    }
    return ();
}

// The message names values that are where the frame is.
@external
func fail_with_value{range_check_ptr}(a: felt, b: felt) {
    alloc_locals;
    local sum = a + b;
    with_attr error_message("FAILED: {a} + {b} = {sum}") {
        assert sum = sum + 1;
    }
    return ();
}

// The message names a value that is where `ap` was.
@external
func fail_with_ap_value{range_check_ptr}(a: felt) {
    tempvar twice = 2 * a;
    with_attr error_message("FAILED: {a}, {twice}") {
        assert twice = 2 * a + 1;
    }
    return ();
}

// One message inside another, over two functions.
@external
func fail_nested{range_check_ptr}(a: felt) {
    with_attr error_message("OUTER") {
        with_attr error_message("MIDDLE {a}") {
            fail_inside(a);
        }
    }
    return ();
}

// Signs that need care in a text.
@external
func fail_oddly{range_check_ptr}() {
    with_attr error_message("FAILED: 100%, [1] 'it' /* */ //") {
        assert 1 = 0;
    }
    return ();
}

@external
func fail_unexplained{range_check_ptr}(a: felt, b: felt) {
    assert a = b;
    return ();
}

@external
func fail_division{range_check_ptr}(a: felt, b: felt) -> (quotient: felt) {
    return (a / b,);
}

// Any number of 128 bits passes.
@external
func fail_range_check{range_check_ptr}(a: felt) {
    assert [range_check_ptr] = a;
    let range_check_ptr = range_check_ptr + 1;
    return ();
}

// These fail in the hint, before the check.
@external
func fail_not_zero{range_check_ptr}(a: felt) {
    assert_not_zero(a);
    return ();
}

@external
func fail_negative{range_check_ptr}(a: felt) {
    with_attr error_message("NEGATIVE {a}") {
        assert_nn(a);
    }
    return ();
}

@external
func fail_less{range_check_ptr}(a: felt, b: felt) {
    assert_lt(a, b);
    return ();
}

@external
func fail_unknown_memory{range_check_ptr}() -> (value: felt) {
    let (empty: felt*) = alloc();
    return (empty[7],);
}

@external
func fail_rewritten_memory{range_check_ptr}() {
    let (cell: felt*) = alloc();
    assert cell[0] = 1;
    assert cell[0] = 2;
    return ();
}

@external
func fail_jump{range_check_ptr}(by: felt) {
    jmp rel by;
}

@external
func fail_felt_as_pointer{range_check_ptr}(a: felt) -> (value: felt) {
    return ([cast(a, felt*)],);
}

@view
func counters{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}() -> (
    before: felt, after: felt
) {
    alloc_locals;
    let (local before) = Caller_before.read();
    let (after) = Caller_after.read();
    return (before, after);
}

@view
func read{syscall_ptr: felt*, range_check_ptr}(key: felt) -> (value: felt) {
    let (value) = storage_read(key);
    return (value,);
}

@external
func write{syscall_ptr: felt*, range_check_ptr}(key: felt, value: felt) {
    storage_write(key, value);
    return ();
}

@external
func write_and_fail{syscall_ptr: felt*, range_check_ptr}(key: felt, value: felt) {
    storage_write(key, value);
    with_attr error_message("WRITE_AND_FAIL") {
        assert 1 = 0;
    }
    return ();
}

func fail_inside(a: felt) {
    with_attr error_message("INNER {a}") {
        assert 1 = 0;
    }
    return ();
}

func run_leaf{syscall_ptr: felt*, range_check_ptr}(leaf: felt) {
    if (leaf == 1) {
        with_attr error_message("LEAF_FAILED") {
            assert leaf = 0;
        }
        return ();
    }
    if (leaf == 2) {
        forever:
        jmp forever;
    }
    if (leaf == 3) {
        let (address) = get_contract_address();
        call_contract(address, NO_SUCH, 0, new ());
        return ();
    }
    if (leaf == 4) {
        call_contract(0x404, NO_SUCH, 0, new ());
        return ();
    }
    if (leaf == 5) {
        library_call(0x404, NO_SUCH, 0, new ());
        return ();
    }
    if (leaf == 6) {
        tempvar quotient = leaf / (leaf - 6);
        return ();
    }
    if (leaf == 7) {
        assert [range_check_ptr] = -1;
        let range_check_ptr = range_check_ptr + 1;
        return ();
    }
    return ();
}

func branches{syscall_ptr: felt*}(address: felt, depth: felt, width: felt, left: felt) -> (
    leaves: felt
) {
    alloc_locals;
    if (left == 0) {
        return (0,);
    }
    let (_, local data) = call_contract(address, TREE, 2, new (depth - 1, width));
    let (rest) = branches(address, depth, width, left - 1);
    return (data[0] + rest,);
}

func noise_before{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(depth: felt) {
    let (count) = Caller_before.read();
    Caller_before.write(count + 1);
    let (caller) = get_caller_address();
    Before.emit(depth, caller);
    send_message_to_l1(0xb, 1, new (depth,));
    return ();
}

func noise_after{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(depth: felt) {
    let (count) = Caller_after.read();
    Caller_after.write(count + 1);
    let (caller) = get_caller_address();
    After.emit(depth, caller);
    send_message_to_l1(0xa, 1, new (depth,));
    return ();
}

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
