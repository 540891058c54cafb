// An account that checks a STARK signature [r, s] of the transaction hash and runs a list of calls.
%lang starknet

from starkware.cairo.common.alloc import alloc
from starkware.cairo.common.cairo_builtins import HashBuiltin, SignatureBuiltin
from starkware.cairo.common.memcpy import memcpy
from starkware.cairo.common.signature import verify_ecdsa_signature
from starkware.starknet.common.syscalls import call_contract, get_caller_address, get_tx_info

// Version 0 as a transaction that is only simulated carries it.
const QUERY_VERSION_0 = 2 ** 128;

// One call of a list; its calldata are `data_len` felts of the common calldata, from `data_offset` on.
struct Call {
    to: felt,
    selector: felt,
    data_offset: felt,
    data_len: felt,
}

@storage_var
func Account_public_key() -> (key: felt) {
}

@constructor
func constructor{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    public_key: felt
) {
    Account_public_key.write(public_key);
    return ();
}

@external
func __validate__{
    syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr, ecdsa_ptr: SignatureBuiltin*
}(calls_len: felt, calls: Call*, calldata_len: felt, calldata: felt*) {
    return check_signature();
}

@external
func __validate_declare__{
    syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr, ecdsa_ptr: SignatureBuiltin*
}(class_hash: felt) {
    return check_signature();
}

@external
func __validate_deploy__{
    syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr, ecdsa_ptr: SignatureBuiltin*
}(class_hash: felt, contract_address_salt: felt, public_key: felt) {
    return check_signature();
}

// A transaction of version 0 calls this entry point and no other, so the signature is checked here.
@external
func __execute__{
    syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr, ecdsa_ptr: SignatureBuiltin*
}(calls_len: felt, calls: Call*, calldata_len: felt, calldata: felt*) -> (
    results_len: felt, results: felt*
) {
    alloc_locals;
    let (caller) = get_caller_address();
    with_attr error_message("Account: called by a contract") {
        assert caller = 0;
    }
    check_signature_of_version_0();
    let (local results: felt*) = alloc();
    let (results_len) = run_calls(calls_len, calls, calldata, results);
    return (results_len, results);
}

@view
func public_key{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}() -> (key: felt) {
    return Account_public_key.read();
}

func check_signature_of_version_0{
    syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr, ecdsa_ptr: SignatureBuiltin*
}() {
    let (info) = get_tx_info();
    if (info.version == 0) {
        return check_signature();
    }
    if (info.version == QUERY_VERSION_0) {
        return check_signature();
    }
    return ();
}

func check_signature{
    syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr, ecdsa_ptr: SignatureBuiltin*
}() {
    let (key) = Account_public_key.read();
    let (info) = get_tx_info();
    with_attr error_message("Account: the signature is not two numbers") {
        assert info.signature_len = 2;
    }
    verify_ecdsa_signature(info.transaction_hash, key, info.signature[0], info.signature[1]);
    return ();
}

// Appends what every call returns to `results`; returns the number of felts appended.
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
