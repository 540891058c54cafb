// A tour of the builtins and of the library functions that have hints.
%lang starknet

from starkware.cairo.common.alloc import alloc
from starkware.cairo.common.bitwise import bitwise_operations
from starkware.cairo.common.builtin_poseidon.poseidon import poseidon_hash
from starkware.cairo.common.cairo_builtins import (
    BitwiseBuiltin,
    EcOpBuiltin,
    HashBuiltin,
    PoseidonBuiltin,
    SignatureBuiltin,
)
from starkware.cairo.common.default_dict import default_dict_finalize, default_dict_new
from starkware.cairo.common.dict import dict_read, dict_squash, dict_update, dict_write
from starkware.cairo.common.dict_access import DictAccess
from starkware.cairo.common.ec import chained_ec_op, ec_add, is_x_on_curve, recover_y
from starkware.cairo.common.ec import ec_op as library_ec_op
from starkware.cairo.common.ec_point import EcPoint
from starkware.cairo.common.find_element import find_element, search_sorted, search_sorted_lower
from starkware.cairo.common.hash import hash2
from starkware.cairo.common.hash_state import (
    hash_finalize,
    hash_init,
    hash_update,
    hash_update_single,
)
from starkware.cairo.common.math import (
    abs_value,
    assert_250_bit,
    assert_in_range,
    assert_le,
    assert_le_felt,
    assert_lt,
    assert_lt_felt,
    assert_nn,
    assert_nn_le,
    assert_not_equal,
    assert_not_zero,
    horner_eval,
    is_quad_residue,
    safe_div,
    safe_mult,
    sign,
    signed_div_rem,
    split_felt,
    split_int,
    sqrt,
    unsigned_div_rem,
)
from starkware.cairo.common.math_cmp import (
    is_in_range,
    is_le,
    is_le_felt,
    is_nn,
    is_nn_le,
    is_not_zero,
)
from starkware.cairo.common.memcpy import memcpy
from starkware.cairo.common.memset import memset
from starkware.cairo.common.pow import pow
from starkware.cairo.common.registers import get_fp_and_pc, get_label_location
from starkware.cairo.common.signature import check_ecdsa_signature, verify_ecdsa_signature
from starkware.cairo.common.squash_dict import squash_dict
from starkware.cairo.common.uint256 import (
    Uint256,
    felt_to_uint256,
    uint256_add,
    uint256_and,
    uint256_check,
    uint256_eq,
    uint256_lt,
    uint256_mul,
    uint256_mul_div_mod,
    uint256_or,
    uint256_pow2,
    uint256_reverse_endian,
    uint256_shl,
    uint256_shr,
    uint256_signed_div_rem,
    uint256_signed_lt,
    uint256_signed_nn,
    uint256_sqrt,
    uint256_sub,
    uint256_unsigned_div_rem,
    uint256_xor,
)
from starkware.cairo.common.usort import usort
from starkware.starknet.common.eth_utils import assert_eth_address_range
from starkware.starknet.common.storage import normalize_address as library_normalize_address

// Builtins.

@external
func range_check{range_check_ptr}(value: felt) {
    assert [range_check_ptr] = value;
    let range_check_ptr = range_check_ptr + 1;
    return ();
}

@external
func pedersen{pedersen_ptr: HashBuiltin*, range_check_ptr}(a: felt, b: felt) -> (hash: felt) {
    let (hash) = hash2{hash_ptr=pedersen_ptr}(a, b);
    return (hash,);
}

@external
func bitwise{range_check_ptr, bitwise_ptr: BitwiseBuiltin*}(a: felt, b: felt) -> (
    both: felt, one: felt, any: felt
) {
    let (both, one, any) = bitwise_operations(a, b);
    return (both, one, any);
}

// p + m * q
@external
func ec_op{range_check_ptr, ec_op_ptr: EcOpBuiltin*}(p: EcPoint, m: felt, q: EcPoint) -> (
    sum: EcPoint
) {
    let (sum) = library_ec_op(p, m, q);
    return (sum,);
}

@external
func ecdsa{range_check_ptr, ecdsa_ptr: SignatureBuiltin*}(hash: felt, key: felt, r: felt, s: felt) {
    verify_ecdsa_signature(hash, key, r, s);
    return ();
}

// The builtin is used, and nobody gives it a signature.
@external
func ecdsa_unsigned{range_check_ptr, ecdsa_ptr: SignatureBuiltin*}(hash: felt, key: felt) {
    assert ecdsa_ptr.message = hash;
    assert ecdsa_ptr.pub_key = key;
    let ecdsa_ptr = ecdsa_ptr + SignatureBuiltin.SIZE;
    return ();
}

@external
func ecdsa_check{range_check_ptr, ec_op_ptr: EcOpBuiltin*}(
    hash: felt, key: felt, r: felt, s: felt
) -> (valid: felt) {
    let (valid) = check_ecdsa_signature(hash, key, r, s);
    return (valid,);
}

@external
func poseidon{range_check_ptr, poseidon_ptr: PoseidonBuiltin*}(a: felt, b: felt) -> (hash: felt) {
    let (hash) = poseidon_hash(a, b);
    return (hash,);
}

// Range check, Pedersen, bitwise and Poseidon, `times` times each.
@external
func builtins{
    pedersen_ptr: HashBuiltin*,
    range_check_ptr,
    bitwise_ptr: BitwiseBuiltin*,
    poseidon_ptr: PoseidonBuiltin*,
}(times: felt) -> (last: felt) {
    alloc_locals;
    if (times == 0) {
        return (0,);
    }
    let (last) = builtins(times - 1);
    let (local hash) = hash2{hash_ptr=pedersen_ptr}(last, times);
    let (local both, _, _) = bitwise_operations(times, 0xff);
    let (last) = poseidon_hash(hash, both);
    assert_nn(times);
    return (last,);
}

@external
func hash_state{pedersen_ptr: HashBuiltin*, range_check_ptr}(values_len: felt, values: felt*) -> (
    hash: felt
) {
    alloc_locals;
    let hash_ptr = pedersen_ptr;
    with hash_ptr {
        let (state) = hash_init();
        let (state) = hash_update(state, values, values_len);
        let (state) = hash_update_single(state, 7);
        let (hash) = hash_finalize(state);
    }
    let pedersen_ptr = hash_ptr;
    return (hash,);
}

// Numbers.

// Fails unless 0 < a < b, both below 2 ** 128.
@external
func assertions{range_check_ptr}(a: felt, b: felt) {
    assert_not_zero(a);
    assert_not_equal(a, b);
    assert_nn(a);
    assert_le(a, b);
    assert_lt(a, b);
    assert_nn_le(a, b);
    assert_in_range(a, 1, b);
    assert_250_bit(a);
    assert_le_felt(a, b);
    assert_lt_felt(a, b);
    assert_eth_address_range(a);
    return ();
}

@external
func less_felt{range_check_ptr}(a: felt, b: felt) {
    assert_lt_felt(a, b);
    return ();
}

@external
func compare{range_check_ptr}(a: felt, b: felt) -> (
    not_zero: felt, nn: felt, le: felt, nn_le: felt, in_range: felt, le_felt: felt
) {
    alloc_locals;
    let not_zero = is_not_zero(a);
    local nn = is_nn(a);
    local le = is_le(a, b);
    local nn_le = is_nn_le(a, b);
    local in_range = is_in_range(a, 10, b);
    local le_felt = is_le_felt(a, b);
    return (not_zero, nn, le, nn_le, in_range, le_felt);
}

@external
func divide{range_check_ptr}(a: felt, b: felt) -> (
    quotient: felt, remainder: felt, signed_quotient: felt, signed_remainder: felt
) {
    alloc_locals;
    let (local quotient, local remainder) = unsigned_div_rem(a, b);
    let (local signed_quotient, local signed_remainder) = signed_div_rem(-a, b, 2 ** 127);
    return (quotient, remainder, signed_quotient, signed_remainder);
}

@external
func safe{range_check_ptr}(a: felt, b: felt) -> (product: felt, quotient: felt) {
    alloc_locals;
    local product = safe_mult(a, b);
    local quotient = safe_div(product, b);
    return (product, quotient);
}

// Absolute value and sign are of a number between -2 ** 128 and 2 ** 128.
@external
func felts{range_check_ptr}(a: felt) -> (
    high: felt, low: felt, absolute: felt, sign: felt, square: felt
) {
    alloc_locals;
    let (local high, local low) = split_felt(a);
    local absolute = abs_value(low);
    local sign_ = sign(low - 2 ** 127);
    local square = is_quad_residue(a);
    return (high, low, absolute, sign_, square);
}

@external
func split{range_check_ptr}(value: felt, n: felt, base: felt, bound: felt) -> (
    limbs_len: felt, limbs: felt*
) {
    alloc_locals;
    let (local limbs: felt*) = alloc();
    split_int(value, n, base, bound, limbs);
    return (n, limbs);
}

@external
func roots_and_powers{range_check_ptr}(a: felt, exponent: felt) -> (
    root: felt, power: felt, polynomial: felt
) {
    alloc_locals;
    local root = sqrt(a);
    let (local power) = pow(a, exponent);
    let (local polynomial) = horner_eval(3, new (1, 2, 3), a);
    return (root, power, polynomial);
}

@external
func normalize_address{range_check_ptr}(address: felt) -> (address: felt) {
    let (address) = library_normalize_address(address);
    return (address,);
}

@external
func u256_add_sub{range_check_ptr}(a: Uint256, b: Uint256) -> (
    sum: Uint256, carry: felt, difference: Uint256
) {
    alloc_locals;
    uint256_check(a);
    let (local sum, local carry) = uint256_add(a, b);
    let (local difference) = uint256_sub(a, b);
    return (sum, carry, difference);
}

@external
func u256_mul_div{range_check_ptr}(a: Uint256, b: Uint256) -> (
    low: Uint256,
    high: Uint256,
    quotient: Uint256,
    remainder: Uint256,
    signed_quotient: Uint256,
    signed_remainder: Uint256,
) {
    alloc_locals;
    let (local low, local high) = uint256_mul(a, b);
    let (local quotient, local remainder) = uint256_unsigned_div_rem(a, b);
    let (local signed_quotient, local signed_remainder) = uint256_signed_div_rem(a, b);
    return (low, high, quotient, remainder, signed_quotient, signed_remainder);
}

@external
func u256_mul_div_mod{range_check_ptr}(a: Uint256, b: Uint256, div: Uint256) -> (
    low: Uint256, high: Uint256, remainder: Uint256
) {
    alloc_locals;
    let (local low, local high, local remainder) = uint256_mul_div_mod(a, b, div);
    return (low, high, remainder);
}

@external
func u256_compare{range_check_ptr}(a: Uint256, b: Uint256) -> (
    lt: felt, signed_lt: felt, eq: felt, nn: felt
) {
    alloc_locals;
    let (local lt) = uint256_lt(a, b);
    let (local signed_lt) = uint256_signed_lt(a, b);
    let (local eq) = uint256_eq(a, b);
    let (local nn) = uint256_signed_nn(a);
    return (lt, signed_lt, eq, nn);
}

@external
func u256_more{range_check_ptr, bitwise_ptr: BitwiseBuiltin*}(a: Uint256, by: felt) -> (
    root: Uint256, left: Uint256, right: Uint256, power: Uint256, reversed: Uint256, felt_: Uint256
) {
    alloc_locals;
    let (local root) = uint256_sqrt(a);
    let (local left) = uint256_shl(a, Uint256(by, 0));
    let (local right) = uint256_shr(a, Uint256(by, 0));
    let (local power) = uint256_pow2(Uint256(by, 0));
    let (local reversed) = uint256_reverse_endian(a);
    let felt_ = felt_to_uint256(by);
    return (root, left, right, power, reversed, felt_);
}

@external
func u256_bits{range_check_ptr, bitwise_ptr: BitwiseBuiltin*}(a: Uint256, b: Uint256) -> (
    both: Uint256, one: Uint256, any: Uint256
) {
    alloc_locals;
    let (local both) = uint256_and(a, b);
    let (local one) = uint256_xor(a, b);
    let (local any) = uint256_or(a, b);
    return (both, one, any);
}

// Lists.

// The list twice and `n` times `value` after it.
@external
func copy_and_set{range_check_ptr}(list_len: felt, list: felt*, n: felt, value: felt) -> (
    result_len: felt, result: felt*
) {
    alloc_locals;
    let (local result: felt*) = alloc();
    memcpy(result, list, list_len);
    memcpy(result + list_len, list, list_len);
    memset(result + 2 * list_len, value, n);
    return (2 * list_len + n, result);
}

// Where it is in the list; fails when it is not there.
@external
func find{range_check_ptr}(key: felt, list_len: felt, list: felt*) -> (index: felt) {
    let (found) = find_element(list, 1, list_len, key);
    return (found - list,);
}

// In a sorted list.
@external
func search{range_check_ptr}(key: felt, list_len: felt, list: felt*) -> (
    lower: felt, index: felt, found: felt
) {
    alloc_locals;
    let (local lower) = search_sorted_lower(list, 1, list_len, key);
    let (local place, local found) = search_sorted(list, 1, list_len, key);
    return (lower - list, place - list, found);
}

@external
func sort{range_check_ptr}(list_len: felt, list: felt*) -> (
    sorted_len: felt, sorted: felt*, times_len: felt, times: felt*
) {
    let (sorted_len, sorted, times) = usort(list_len, list);
    return (sorted_len, sorted, sorted_len, times);
}

// A constant list in the code, and where the frame is.
@external
func constants{range_check_ptr}(index: felt) -> (constant: felt, own: felt) {
    alloc_locals;
    local own = index + 1;
    let (list) = get_label_location(numbers);
    let (__fp__, _) = get_fp_and_pc();
    let frame = &own;
    tempvar constant = [cast(list, felt*) + index];
    assert [frame] = index + 1;
    return (constant, own);

    numbers:
    dw 3;
    dw 1;
    dw 4;
    dw 1;
    dw 5;
}

// Dictionaries.

// Writes all pairs to a dictionary of zeros, reads the keys, adds one to the first, squashes twice. Returns what the
// first key then holds, and the number of keys.
@external
func dictionary{range_check_ptr}(keys_len: felt, keys: felt*, values_len: felt, values: felt*) -> (
    value: felt, n_keys: felt
) {
    alloc_locals;
    let (local start) = default_dict_new(0);
    let dict_ptr = start;
    with dict_ptr {
        write_all(keys_len, keys, values);
        let sum = read_all(keys_len, keys);
        let (value) = dict_read(keys[0]);
        dict_update(keys[0], value, value + 1);
        let (local value) = dict_read(keys[0]);
    }
    let (squashed_start, squashed_end) = default_dict_finalize(start, dict_ptr, 0);
    let (again_start, again_end) = dict_squash(squashed_start, squashed_end);
    return (value, (again_end - again_start) / DictAccess.SIZE);
}

// The contract's own list of accesses: of one key, from `first` to `last` in one step.
@external
func squash{range_check_ptr}(key: felt, first: felt, last: felt) -> (before: felt, after: felt) {
    alloc_locals;
    let (local squashed: DictAccess*) = alloc();
    tempvar accesses = new (
        DictAccess(key, first, 5), DictAccess(key, 5, 5), DictAccess(key, 5, last)
    );
    let start = cast(accesses, DictAccess*);
    let (_) = squash_dict(start, start + 3 * DictAccess.SIZE, squashed);
    return (squashed.prev_value, squashed.new_value);
}

// A previous value that is not what the dictionary holds.
@external
func dictionary_update_wrongly{range_check_ptr}() {
    let (dict_ptr) = default_dict_new(0);
    dict_update{dict_ptr=dict_ptr}(1, 2, 3);
    return ();
}

// The STARK curve.

@external
func curve{range_check_ptr, ec_op_ptr: EcOpBuiltin*}(x: felt, m: felt) -> (
    on_curve: felt, point: EcPoint, double: EcPoint, chain: EcPoint
) {
    alloc_locals;
    local on_curve = is_x_on_curve(x);
    let (local point) = recover_y(x);
    let (local double) = ec_add(point, point);
    tempvar factors = new (m, m + 1);
    tempvar points = new (EcPoint(point.x, point.y), EcPoint(double.x, double.y));
    let (local chain) = chained_ec_op(point, cast(factors, felt*), cast(points, EcPoint*), 2);
    return (on_curve, point, double, chain);
}

func write_all{dict_ptr: DictAccess*}(left: felt, keys: felt*, values: felt*) {
    if (left == 0) {
        return ();
    }
    dict_write([keys], [values]);
    return write_all(left - 1, keys + 1, values + 1);
}

func read_all{dict_ptr: DictAccess*}(left: felt, keys: felt*) -> felt {
    alloc_locals;
    if (left == 0) {
        return 0;
    }
    let (local value) = dict_read([keys]);
    let rest = read_all(left - 1, keys + 1);
    return value + rest;
}
