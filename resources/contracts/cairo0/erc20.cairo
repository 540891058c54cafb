// A token. Balances lie where those of a fee token do: `ERC20_balances`, two cells per owner, low before high.
%lang starknet

from starkware.cairo.common.bool import TRUE
from starkware.cairo.common.cairo_builtins import HashBuiltin
from starkware.cairo.common.uint256 import (
    Uint256,
    uint256_add,
    uint256_check,
    uint256_le,
    uint256_sub,
)
from starkware.starknet.common.syscalls import get_caller_address

@storage_var
func ERC20_name() -> (name: felt) {
}

@storage_var
func ERC20_symbol() -> (symbol: felt) {
}

@storage_var
func ERC20_total_supply() -> (supply: Uint256) {
}

@storage_var
func ERC20_balances(account: felt) -> (balance: Uint256) {
}

@storage_var
func ERC20_allowances(owner: felt, spender: felt) -> (amount: Uint256) {
}

@event
func Transfer(from_: felt, to: felt, value: Uint256) {
}

@event
func Approval(owner: felt, spender: felt, value: Uint256) {
}

@constructor
func constructor{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    name: felt, symbol: felt, supply: Uint256, recipient: felt
) {
    ERC20_name.write(name);
    ERC20_symbol.write(symbol);
    mint(recipient, supply);
    return ();
}

@view
func name{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}() -> (name: felt) {
    return ERC20_name.read();
}

@view
func symbol{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}() -> (symbol: felt) {
    return ERC20_symbol.read();
}

@view
func decimals() -> (decimals: felt) {
    return (18,);
}

@view
func totalSupply{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}() -> (
    supply: Uint256
) {
    return ERC20_total_supply.read();
}

@view
func balanceOf{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(account: felt) -> (
    balance: Uint256
) {
    return ERC20_balances.read(account);
}

@view
func allowance{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    owner: felt, spender: felt
) -> (amount: Uint256) {
    return ERC20_allowances.read(owner, spender);
}

@external
func transfer{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    recipient: felt, amount: Uint256
) -> (success: felt) {
    alloc_locals;
    let (sender) = get_caller_address();
    move(sender, recipient, amount);
    return (TRUE,);
}

@external
func transferFrom{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    sender: felt, recipient: felt, amount: Uint256
) -> (success: felt) {
    alloc_locals;
    let (spender) = get_caller_address();
    let (allowed) = ERC20_allowances.read(sender, spender);
    with_attr error_message("ERC20: allowance too low") {
        let left = subtract(allowed, amount);
    }
    ERC20_allowances.write(sender, spender, left);
    move(sender, recipient, amount);
    return (TRUE,);
}

@external
func approve{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    spender: felt, amount: Uint256
) -> (success: felt) {
    uint256_check(amount);
    let (owner) = get_caller_address();
    ERC20_allowances.write(owner, spender, amount);
    Approval.emit(owner, spender, amount);
    return (TRUE,);
}

func mint{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    recipient: felt, amount: Uint256
) {
    alloc_locals;
    uint256_check(amount);
    let (supply) = ERC20_total_supply.read();
    let supply = add(supply, amount);
    ERC20_total_supply.write(supply);
    let (balance) = ERC20_balances.read(recipient);
    let balance = add(balance, amount);
    ERC20_balances.write(recipient, balance);
    Transfer.emit(0, recipient, amount);
    return ();
}

func move{syscall_ptr: felt*, pedersen_ptr: HashBuiltin*, range_check_ptr}(
    sender: felt, recipient: felt, amount: Uint256
) {
    alloc_locals;
    uint256_check(amount);
    let (balance) = ERC20_balances.read(sender);
    with_attr error_message("ERC20: balance too low") {
        let left = subtract(balance, amount);
    }
    ERC20_balances.write(sender, left);
    let (balance) = ERC20_balances.read(recipient);
    let balance = add(balance, amount);
    ERC20_balances.write(recipient, balance);
    Transfer.emit(sender, recipient, amount);
    return ();
}

func add{range_check_ptr}(a: Uint256, b: Uint256) -> Uint256 {
    let (sum, carry) = uint256_add(a, b);
    with_attr error_message("ERC20: too many tokens") {
        assert carry = 0;
    }
    return sum;
}

func subtract{range_check_ptr}(a: Uint256, b: Uint256) -> Uint256 {
    alloc_locals;
    let (enough) = uint256_le(b, a);
    assert enough = TRUE;
    let (difference) = uint256_sub(a, b);
    return difference;
}
