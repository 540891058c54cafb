// A counter without a constructor.
%lang starknet

from starkware.cairo.common.cairo_builtins import HashBuiltin

@storage_var
func Counter_value() -> (value: felt) {
}

@external
func increase{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}() -> (value: felt) {
    let (value) = Counter_value.read();
    Counter_value.write(value + 1);
    return (value + 1,);
}

@view
func value{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}() -> (value: felt) {
    return Counter_value.read();
}
