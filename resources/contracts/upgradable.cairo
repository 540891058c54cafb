//! A counter in steps of one that can replace its class by `upgradable_v2`, and back.
#[starknet::contract]
mod upgradable {
    use starknet::syscalls::{library_call_syscall, replace_class_syscall};
    use starknet::{ClassHash, SyscallResultTrait};

    #[storage]
    struct Storage {
        counter: felt252,
        upgrades: felt252,
    }

    /// Panics after a write when `fail` is 1; any other felt is where the counter begins.
    #[constructor]
    fn constructor(ref self: ContractState, fail: felt252) {
        self.counter.write(fail);
        if fail == 1 {
            panic(array!['CONSTRUCTOR_PANIC', fail]);
        }
    }

    /// The class changes for the next call; this one runs on with the old code.
    #[external(v0)]
    fn upgrade(ref self: ContractState, class_hash: ClassHash) {
        replace_class_syscall(class_hash).unwrap_syscall();
        self.upgrades.write(self.upgrades.read() + 1);
    }

    #[external(v0)]
    fn upgrade_and_panic(ref self: ContractState, class_hash: ClassHash) {
        replace_class_syscall(class_hash).unwrap_syscall();
        panic(array!['UPGRADE_AND_PANIC']);
    }

    /// Upgrades, then asks for the version: by calling itself (the new class answers) and by its own code.
    #[external(v0)]
    fn upgrade_and_ask(ref self: ContractState, class_hash: ClassHash) -> (felt252, felt252) {
        replace_class_syscall(class_hash).unwrap_syscall();
        self.upgrades.write(self.upgrades.read() + 1);
        let here = starknet::get_contract_address();
        let answer = starknet::syscalls::call_contract_syscall(here, selector!("version"), array![].span())
            .unwrap_syscall();
        (*answer.at(0), version(@self))
    }

    /// `replace_class` from within a library call: the caller's own contract changes.
    #[external(v0)]
    fn upgrade_by_library(ref self: ContractState, library: ClassHash, class_hash: ClassHash) {
        library_call_syscall(library, selector!("upgrade"), array![class_hash.into()].span()).unwrap_syscall();
    }

    #[external(v0)]
    fn increase(ref self: ContractState) -> felt252 {
        let counter = self.counter.read() + 1;
        self.counter.write(counter);
        counter
    }

    #[external(v0)]
    fn version(self: @ContractState) -> felt252 {
        1
    }

    #[external(v0)]
    fn state(self: @ContractState) -> (felt252, felt252) {
        (self.counter.read(), self.upgrades.read())
    }
}
