// One entry point per syscall, requests that no library function would make, and handlers of messages from L1.
%lang starknet

from starkware.cairo.common.alloc import alloc
from starkware.cairo.common.cairo_builtins import HashBuiltin
from starkware.cairo.common.memcpy import memcpy
from starkware.starknet.common.messages import send_message_to_l1 as library_send_message_to_l1
from starkware.starknet.common.storage import normalize_address as library_normalize_address
from starkware.starknet.common.syscalls import (
    DELEGATE_CALL_SELECTOR,
    DELEGATE_L1_HANDLER_SELECTOR,
    STORAGE_READ_SELECTOR,
    CallContract,
    CallContractRequest,
    StorageRead,
    StorageReadRequest,
    TxInfo,
    call_contract as library_call_contract,
    deploy as library_deploy,
    emit_event as library_emit_event,
    get_block_number as library_get_block_number,
    get_block_timestamp as library_get_block_timestamp,
    get_caller_address as library_get_caller_address,
    get_contract_address as library_get_contract_address,
    get_sequencer_address as library_get_sequencer_address,
    get_tx_info as library_get_tx_info,
    get_tx_signature as library_get_tx_signature,
    library_call as library_library_call,
    library_call_l1_handler as library_library_call_l1_handler,
    replace_class as library_replace_class,
    storage_read as library_storage_read,
    storage_write as library_storage_write,
)

@storage_var
func Syscalls_handled() -> (values: (felt, felt, felt, felt)) {
}

// Syscalls.

@external
@raw_output
func call_contract{syscall_ptr: felt*, range_check_ptr}(
    address: felt, selector: felt, calldata_len: felt, calldata: felt*
) -> (retdata_size: felt, retdata: felt*) {
    let (retdata_size, retdata) = library_call_contract(address, selector, calldata_len, calldata);
    return (retdata_size, retdata);
}

@external
@raw_output
func library_call{syscall_ptr: felt*, range_check_ptr}(
    class_hash: felt, selector: felt, calldata_len: felt, calldata: felt*
) -> (retdata_size: felt, retdata: felt*) {
    let (retdata_size, retdata) = library_library_call(
        class_hash, selector, calldata_len, calldata
    );
    return (retdata_size, retdata);
}

@external
@raw_output
func library_call_l1_handler{syscall_ptr: felt*, range_check_ptr}(
    class_hash: felt, selector: felt, calldata_len: felt, calldata: felt*
) -> (retdata_size: felt, retdata: felt*) {
    let (retdata_size, retdata) = library_library_call_l1_handler(
        class_hash, selector, calldata_len, calldata
    );
    return (retdata_size, retdata);
}

// The library of this compiler version has no function for this syscall.
@external
@raw_output
func delegate_call{syscall_ptr: felt*, range_check_ptr}(
    address: felt, selector: felt, calldata_len: felt, calldata: felt*
) -> (retdata_size: felt, retdata: felt*) {
    let syscall = [cast(syscall_ptr, CallContract*)];
    assert syscall.request = CallContractRequest(
        DELEGATE_CALL_SELECTOR, address, selector, calldata_len, calldata
    );
    %{ syscall_handler.delegate_call(segments=segments, syscall_ptr=ids.syscall_ptr) %}
    let syscall_ptr = syscall_ptr + CallContract.SIZE;
    return (syscall.response.retdata_size, syscall.response.retdata);
}

// The library of this compiler version has no function for this syscall.
@external
@raw_output
func delegate_l1_handler{syscall_ptr: felt*, range_check_ptr}(
    address: felt, selector: felt, calldata_len: felt, calldata: felt*
) -> (retdata_size: felt, retdata: felt*) {
    let syscall = [cast(syscall_ptr, CallContract*)];
    assert syscall.request = CallContractRequest(
        DELEGATE_L1_HANDLER_SELECTOR, address, selector, calldata_len, calldata
    );
    %{ syscall_handler.delegate_l1_handler(segments=segments, syscall_ptr=ids.syscall_ptr) %}
    let syscall_ptr = syscall_ptr + CallContract.SIZE;
    return (syscall.response.retdata_size, syscall.response.retdata);
}

// `from_zero` is 0 or 1; any other value is malformed.
@external
func deploy{syscall_ptr: felt*, range_check_ptr}(
    class_hash: felt, salt: felt, calldata_len: felt, calldata: felt*, from_zero: felt
) -> (address: felt) {
    let (address) = library_deploy(class_hash, salt, calldata_len, calldata, from_zero);
    return (address,);
}

@external
func emit_event{syscall_ptr: felt*, range_check_ptr}(
    keys_len: felt, keys: felt*, data_len: felt, data: felt*
) {
    library_emit_event(keys_len, keys, data_len, data);
    return ();
}

@external
func emit_events{syscall_ptr: felt*, range_check_ptr}(
    count: felt, keys_len: felt, keys: felt*, data_len: felt, data: felt*
) {
    if (count == 0) {
        return ();
    }
    library_emit_event(keys_len, keys, data_len, data);
    return emit_events(count - 1, keys_len, keys, data_len, data);
}

@external
func send_message_to_l1{syscall_ptr: felt*, range_check_ptr}(
    to: felt, payload_len: felt, payload: felt*
) {
    library_send_message_to_l1(to, payload_len, payload);
    return ();
}

@external
func replace_class{syscall_ptr: felt*, range_check_ptr}(class_hash: felt) {
    library_replace_class(class_hash);
    return ();
}

@external
func storage_read{syscall_ptr: felt*, range_check_ptr}(key: felt) -> (value: felt) {
    let (value) = library_storage_read(key);
    return (value,);
}

@external
func storage_write{syscall_ptr: felt*, range_check_ptr}(key: felt, value: felt) {
    library_storage_write(key, value);
    return ();
}

// The cells from `key` on get `value`, `value + 1` and so on.
@external
func storage_write_many{syscall_ptr: felt*, range_check_ptr}(key: felt, count: felt, value: felt) {
    if (count == 0) {
        return ();
    }
    library_storage_write(key, value);
    return storage_write_many(key + 1, count - 1, value + 1);
}

@external
func get_block_number{syscall_ptr: felt*, range_check_ptr}() -> (number: felt) {
    let (number) = library_get_block_number();
    return (number,);
}

@external
func get_block_timestamp{syscall_ptr: felt*, range_check_ptr}() -> (timestamp: felt) {
    let (timestamp) = library_get_block_timestamp();
    return (timestamp,);
}

@external
func get_caller_address{syscall_ptr: felt*, range_check_ptr}() -> (caller: felt) {
    let (caller) = library_get_caller_address();
    return (caller,);
}

@external
func get_contract_address{syscall_ptr: felt*, range_check_ptr}() -> (address: felt) {
    let (address) = library_get_contract_address();
    return (address,);
}

@external
func get_sequencer_address{syscall_ptr: felt*, range_check_ptr}() -> (sequencer: felt) {
    let (sequencer) = library_get_sequencer_address();
    return (sequencer,);
}

@external
func get_tx_info{syscall_ptr: felt*, range_check_ptr}() -> (
    version: felt,
    account: felt,
    max_fee: felt,
    hash: felt,
    chain_id: felt,
    nonce: felt,
    signature_len: felt,
    signature: felt*,
) {
    let (info) = library_get_tx_info();
    return (
        info.version,
        info.account_contract_address,
        info.max_fee,
        info.transaction_hash,
        info.chain_id,
        info.nonce,
        info.signature_len,
        info.signature,
    );
}

@external
func get_tx_signature{syscall_ptr: felt*, range_check_ptr}() -> (
    signature_len: felt, signature: felt*
) {
    let (signature_len, signature) = library_get_tx_signature();
    return (signature_len, signature);
}

// Three requests one after the other: 1 when the pointers of all three are the same, 0 when they differ within a
// segment; across segments the subtraction fails.
@external
func same_tx_info{syscall_ptr: felt*, range_check_ptr}() -> (same: felt) {
    let (first) = library_get_tx_info();
    let (second) = library_get_tx_info();
    let (_, signature) = library_get_tx_signature();
    let same_info = first - second;
    let same_signature = first.signature - signature;
    if (same_info != 0) {
        return (0,);
    }
    if (same_signature != 0) {
        return (0,);
    }
    return (1,);
}

// Every kind of information into 11 cells from `key` on: version, account, max fee, signature length, hash, chain,
// nonce, caller, contract, block number, timestamp.
@external
func store_info{syscall_ptr: felt*, range_check_ptr}(key: felt) {
    alloc_locals;
    let (local info) = library_get_tx_info();
    let (local caller) = library_get_caller_address();
    let (local address) = library_get_contract_address();
    let (local number) = library_get_block_number();
    let (local timestamp) = library_get_block_timestamp();
    library_storage_write(key, info.version);
    library_storage_write(key + 1, info.account_contract_address);
    library_storage_write(key + 2, info.max_fee);
    library_storage_write(key + 3, info.signature_len);
    library_storage_write(key + 4, info.transaction_hash);
    library_storage_write(key + 5, info.chain_id);
    library_storage_write(key + 6, info.nonce);
    library_storage_write(key + 7, caller);
    library_storage_write(key + 8, address);
    library_storage_write(key + 9, number);
    library_storage_write(key + 10, timestamp);
    return ();
}

// `key`, brought below the bound of storage addresses, and what its cell holds.
@external
func normalize_address{syscall_ptr: felt*, range_check_ptr}(key: felt) -> (key: felt, value: felt) {
    alloc_locals;
    let (local key) = library_normalize_address(key);
    let (value) = library_storage_read(key);
    return (key, value);
}

// Requests that no library function makes. What the contract claims, and what it leaves behind, may be wrong.

// `words` is the request; `claimed` is how many cells the contract then says were used; returns the `answers` cells
// that follow the request.
@external
func raw_syscall{syscall_ptr: felt*, range_check_ptr}(
    claimed: felt, answers: felt, words_len: felt, words: felt*
) -> (answer_len: felt, answer: felt*) {
    alloc_locals;
    memcpy(syscall_ptr, words, words_len);
    %{ syscall_handler.storage_read(segments=segments, syscall_ptr=ids.syscall_ptr) %}
    let answer = syscall_ptr + words_len;
    let syscall_ptr = syscall_ptr + claimed;
    return (answers, answer);
}

// A request and its answer, both written by the contract: nobody is asked.
@external
func forged_storage_read{syscall_ptr: felt*, range_check_ptr}(key: felt, value: felt) -> (
    value: felt
) {
    assert [cast(syscall_ptr, StorageRead*)].request = StorageReadRequest(
        STORAGE_READ_SELECTOR, key
    );
    assert [cast(syscall_ptr, StorageRead*)].response.value = value;
    let syscall_ptr = syscall_ptr + StorageRead.SIZE;
    return (value,);
}

// The answer is there before it is asked for; it stands when it is right.
@external
func foretold_storage_read{syscall_ptr: felt*, range_check_ptr}(key: felt, value: felt) -> (
    value: felt
) {
    assert [cast(syscall_ptr, StorageRead*)].response.value = value;
    let (value) = library_storage_read(key);
    return (value,);
}

// Lengths that need not be those of the lists.
@external
func raw_emit_event{syscall_ptr: felt*, range_check_ptr}(
    claimed_keys: felt, claimed_data: felt, words_len: felt, words: felt*
) {
    library_emit_event(claimed_keys, words, claimed_data, words);
    return ();
}

@external
@raw_output
func raw_call_contract{syscall_ptr: felt*, range_check_ptr}(
    address: felt, selector: felt, claimed: felt, calldata_len: felt, calldata: felt*
) -> (retdata_size: felt, retdata: felt*) {
    let (retdata_size, retdata) = library_call_contract(address, selector, claimed, calldata);
    return (retdata_size, retdata);
}

// An event whose data are a pointer.
@external
func emit_pointer{syscall_ptr: felt*, range_check_ptr}() {
    let (data: felt*) = alloc();
    assert data[0] = cast(syscall_ptr, felt);
    library_emit_event(0, data, 1, data);
    return ();
}

@external
func storage_write_pointer{syscall_ptr: felt*, range_check_ptr}(key: felt) {
    library_storage_write(key, cast(syscall_ptr, felt));
    return ();
}

// Memory that is not the contract's to write, and builtins moved without use.

@external
func write_past_calldata{syscall_ptr: felt*, range_check_ptr}(data_len: felt, data: felt*) {
    assert data[data_len] = 1;
    return ();
}

@external
func write_past_signature{syscall_ptr: felt*, range_check_ptr}() {
    let (signature_len, signature) = library_get_tx_signature();
    assert signature[signature_len] = 1;
    return ();
}

@external
func write_past_tx_info{syscall_ptr: felt*, range_check_ptr}() {
    let (info) = library_get_tx_info();
    assert [cast(info, felt*) + TxInfo.SIZE] = 1;
    return ();
}

@external
func write_past_result{syscall_ptr: felt*, range_check_ptr}(
    address: felt, selector: felt, calldata_len: felt, calldata: felt*
) {
    let (size, data) = library_call_contract(address, selector, calldata_len, calldata);
    assert data[size] = 1;
    return ();
}

@external
func move_range_check{syscall_ptr: felt*, range_check_ptr}(by: felt) {
    let range_check_ptr = range_check_ptr + by;
    return ();
}

@external
func move_pedersen{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(by: felt) {
    let pedersen_ptr = pedersen_ptr + by * HashBuiltin.SIZE;
    return ();
}

@external
func swap_pointers{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}() {
    tempvar was = cast(syscall_ptr, felt);
    let syscall_ptr = cast(pedersen_ptr, felt*);
    let pedersen_ptr = cast(was, HashBuiltin*);
    return ();
}

// Results as they are.

@external
@raw_output
func return_raw{syscall_ptr: felt*, range_check_ptr}(
    claimed: felt, data_len: felt, data: felt*
) -> (retdata_size: felt, retdata: felt*) {
    return (claimed, data);
}

@external
@raw_output
func return_pointer{syscall_ptr: felt*, range_check_ptr}() -> (retdata_size: felt, retdata: felt*) {
    let (data: felt*) = alloc();
    assert data[0] = cast(syscall_ptr, felt);
    return (1, data);
}

@external
@raw_input
@raw_output
func echo{syscall_ptr: felt*, range_check_ptr}(
    selector: felt, calldata_size: felt, calldata: felt*
) -> (retdata_size: felt, retdata: felt*) {
    return (calldata_size, calldata);
}

// Messages from L1.

@l1_handler
func handle{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    from_address: felt, a: felt, b: felt
) {
    let (values) = Syscalls_handled.read();
    Syscalls_handled.write((from_address, a, b, values[3] + 1));
    return ();
}

@l1_handler
func handle_and_fail{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    from_address: felt, a: felt, b: felt
) {
    handle(from_address, a, b);
    with_attr error_message("HANDLER_FAILED {a}") {
        assert 1 = 0;
    }
    return ();
}

@l1_handler
func handle_and_answer{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    from_address: felt, payload_len: felt, payload: felt*
) {
    library_emit_event(1, new ('HANDLED',), payload_len, payload);
    library_send_message_to_l1(from_address, payload_len, payload);
    return ();
}

@view
func handled{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}() -> (
    from_address: felt, a: felt, b: felt, count: felt
) {
    let (values) = Syscalls_handled.read();
    return (values[0], values[1], values[2], values[3]);
}
