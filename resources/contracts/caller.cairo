//! Calls that nest, fail, and are caught. A caught result is (ok, data): what the callee returned, or its error.
#[starknet::contract]
mod caller {
    use starknet::syscalls::{
        call_contract_syscall, deploy_syscall, emit_event_syscall, library_call_syscall, send_message_to_l1_syscall,
        storage_read_syscall, storage_write_syscall
    };
    use starknet::{ClassHash, ContractAddress, StorageAddress, SyscallResult, SyscallResultTrait};

    #[storage]
    struct Storage {
        before: felt252,
        after: felt252,
        depth_reached: felt252,
    }

    // ---- one call

    #[external(v0)]
    fn call(
        ref self: ContractState, to: ContractAddress, selector: felt252, calldata: Span<felt252>
    ) -> Span<felt252> {
        call_contract_syscall(to, selector, calldata).unwrap_syscall()
    }

    #[external(v0)]
    fn call_and_catch(
        ref self: ContractState, to: ContractAddress, selector: felt252, calldata: Span<felt252>
    ) -> (bool, Span<felt252>) {
        caught(call_contract_syscall(to, selector, calldata))
    }

    #[external(v0)]
    fn library_call(
        ref self: ContractState, class_hash: ClassHash, selector: felt252, calldata: Span<felt252>
    ) -> Span<felt252> {
        library_call_syscall(class_hash, selector, calldata).unwrap_syscall()
    }

    #[external(v0)]
    fn library_call_and_catch(
        ref self: ContractState, class_hash: ClassHash, selector: felt252, calldata: Span<felt252>
    ) -> (bool, Span<felt252>) {
        caught(library_call_syscall(class_hash, selector, calldata))
    }

    /// (ok, data, address); the address is zero when the deployment failed.
    #[external(v0)]
    fn deploy_and_catch(
        ref self: ContractState, class_hash: ClassHash, salt: felt252, calldata: Span<felt252>, from_zero: bool
    ) -> (bool, Span<felt252>, felt252) {
        match deploy_syscall(class_hash, salt, calldata, from_zero) {
            Result::Ok((address, data)) => (true, data, address.into()),
            Result::Err(error) => (false, error.span(), 0),
        }
    }

    /// Deploys, then calls the new contract and catches.
    #[external(v0)]
    fn deploy_and_call(
        ref self: ContractState,
        class_hash: ClassHash,
        salt: felt252,
        constructor_calldata: Span<felt252>,
        selector: felt252,
        calldata: Span<felt252>
    ) -> (ContractAddress, bool, Span<felt252>) {
        let (address, _) = deploy_syscall(class_hash, salt, constructor_calldata, false).unwrap_syscall();
        let (ok, data) = caught(call_contract_syscall(address, selector, calldata));
        (address, ok, data)
    }

    // ---- several calls

    /// The same call twice; what both returned, one after the other.
    #[external(v0)]
    fn call_twice(
        ref self: ContractState, to: ContractAddress, selector: felt252, calldata: Span<felt252>
    ) -> (Span<felt252>, Span<felt252>) {
        let first = call_contract_syscall(to, selector, calldata).unwrap_syscall();
        let second = call_contract_syscall(to, selector, calldata).unwrap_syscall();
        (first, second)
    }

    #[external(v0)]
    fn call_twice_and_catch(
        ref self: ContractState, to: ContractAddress, selector: felt252, calldata: Span<felt252>
    ) -> (bool, Span<felt252>, bool, Span<felt252>) {
        let (first_ok, first) = caught(call_contract_syscall(to, selector, calldata));
        let (second_ok, second) = caught(call_contract_syscall(to, selector, calldata));
        (first_ok, first, second_ok, second)
    }

    /// `count` times the same call; fails with the first that fails.
    #[external(v0)]
    fn call_n(ref self: ContractState, count: u32, to: ContractAddress, selector: felt252, calldata: Span<felt252>) {
        let mut left = count;
        while left != 0 {
            call_contract_syscall(to, selector, calldata).unwrap_syscall();
            left -= 1;
        }
    }

    /// An inner call that may succeed, then a panic: nothing of it may remain.
    #[external(v0)]
    fn call_then_panic(
        ref self: ContractState, to: ContractAddress, selector: felt252, calldata: Span<felt252>, reason: felt252
    ) {
        call_contract_syscall(to, selector, calldata).unwrap_syscall();
        panic(array!['CALL_THEN_PANIC', reason]);
    }

    /// Writes the cell before the call, catches, and writes it again after.
    /// Returns (ok, data, the cell as the call left it); `key` may be a cell that the callee writes too, by a library call.
    #[external(v0)]
    fn write_call_write(
        ref self: ContractState,
        key: StorageAddress,
        value_before: felt252,
        value_after: felt252,
        to: ContractAddress,
        selector: felt252,
        calldata: Span<felt252>
    ) -> (bool, Span<felt252>, felt252) {
        storage_write_syscall(0, key, value_before).unwrap_syscall();
        let (ok, data) = caught(call_contract_syscall(to, selector, calldata));
        let seen = storage_read_syscall(0, key).unwrap_syscall();
        storage_write_syscall(0, key, value_after).unwrap_syscall();
        (ok, data, seen)
    }

    /// The same with a library call.
    #[external(v0)]
    fn write_library_call_write(
        ref self: ContractState,
        key: StorageAddress,
        value_before: felt252,
        value_after: felt252,
        class_hash: ClassHash,
        selector: felt252,
        calldata: Span<felt252>
    ) -> (bool, Span<felt252>, felt252) {
        storage_write_syscall(0, key, value_before).unwrap_syscall();
        let (ok, data) = caught(library_call_syscall(class_hash, selector, calldata));
        let seen = storage_read_syscall(0, key).unwrap_syscall();
        storage_write_syscall(0, key, value_after).unwrap_syscall();
        (ok, data, seen)
    }

    /// Storage, an event and a message before and after a caught call: their order must come out as written.
    #[external(v0)]
    fn noisy_call(
        ref self: ContractState, to: ContractAddress, selector: felt252, calldata: Span<felt252>
    ) -> (bool, Span<felt252>) {
        self.before.write(self.before.read() + 1);
        emit_event_syscall(array!['BEFORE'].span(), calldata).unwrap_syscall();
        send_message_to_l1_syscall(0xb, calldata).unwrap_syscall();
        let (ok, data) = caught(call_contract_syscall(to, selector, calldata));
        self.after.write(self.after.read() + 1);
        emit_event_syscall(array!['AFTER', ok.into()].span(), data).unwrap_syscall();
        send_message_to_l1_syscall(0xa, data).unwrap_syscall();
        (ok, data)
    }

    /// The same noise, and then a panic: for catching from outside.
    #[external(v0)]
    fn noisy_panic(ref self: ContractState, reason: felt252) {
        self.before.write(self.before.read() + 1);
        emit_event_syscall(array!['BEFORE'].span(), array![reason].span()).unwrap_syscall();
        send_message_to_l1_syscall(0xb, array![reason].span()).unwrap_syscall();
        panic(array!['NOISY_PANIC', reason]);
    }

    // ---- recursion. `leaf`: 0 returns, 1 panics, 2 burns gas for ever, 3 calls a missing entry point,
    //      4 calls an undeployed address, 5 library-calls an undeclared class.

    /// Calls itself `depth` times by call_contract and lets errors through; returns the depth.
    #[external(v0)]
    fn recurse(ref self: ContractState, depth: felt252, leaf: felt252) -> felt252 {
        if depth == 0 {
            return at_leaf(leaf);
        }
        let here = starknet::get_contract_address();
        let data = call_contract_syscall(here, selector!("recurse"), array![depth - 1, leaf].span()).unwrap_syscall();
        *data.at(0) + 1
    }

    /// The same by library calls of `class_hash`, which is this class.
    #[external(v0)]
    fn recurse_library(ref self: ContractState, depth: felt252, leaf: felt252, class_hash: ClassHash) -> felt252 {
        if depth == 0 {
            return at_leaf(leaf);
        }
        let data = library_call_syscall(
            class_hash, selector!("recurse_library"), array![depth - 1, leaf, class_hash.into()].span()
        )
            .unwrap_syscall();
        *data.at(0) + 1
    }

    /// Calls and library calls in turn.
    #[external(v0)]
    fn recurse_mixed(ref self: ContractState, depth: felt252, leaf: felt252, class_hash: ClassHash) -> felt252 {
        if depth == 0 {
            return at_leaf(leaf);
        }
        let here = starknet::get_contract_address();
        let calldata = array![depth - 1, leaf, class_hash.into()].span();
        let wide: u256 = depth.into();
        let data = if wide.low % 2 == 0 {
            call_contract_syscall(here, selector!("recurse_mixed"), calldata).unwrap_syscall()
        } else {
            library_call_syscall(class_hash, selector!("recurse_mixed"), calldata).unwrap_syscall()
        };
        *data.at(0) + 1
    }

    /// Catches at every depth. Each level writes the cell `depth` and emits an event before its inner call and after it,
    /// and panics itself with ['LEVEL', depth] where `panics_at` equals its depth. Returns how many levels succeeded.
    #[external(v0)]
    fn recurse_and_catch(ref self: ContractState, depth: felt252, leaf: felt252, panics_at: felt252) -> felt252 {
        if depth == 0 {
            return at_leaf(leaf);
        }
        let key: StorageAddress = depth.try_into().unwrap();
        let old = storage_read_syscall(0, key).unwrap_syscall();
        storage_write_syscall(0, key, old + 1).unwrap_syscall();
        self.depth_reached.write(depth);
        emit_event_syscall(array!['DOWN', depth].span(), array![].span()).unwrap_syscall();
        let here = starknet::get_contract_address();
        let (ok, data) = caught(
            call_contract_syscall(
                here, selector!("recurse_and_catch"), array![depth - 1, leaf, panics_at].span()
            )
        );
        storage_write_syscall(0, key, old + 2).unwrap_syscall();
        emit_event_syscall(array!['UP', depth, ok.into()].span(), data).unwrap_syscall();
        send_message_to_l1_syscall(depth, data).unwrap_syscall();
        if depth == panics_at {
            panic(array!['LEVEL', depth]);
        }
        if ok {
            *data.at(0) + 1
        } else {
            1
        }
    }

    /// A tree of calls: each level calls itself `width` times. Returns the number of leaves.
    #[external(v0)]
    fn tree(ref self: ContractState, depth: felt252, width: u32) -> felt252 {
        if depth == 0 {
            return 1;
        }
        let here = starknet::get_contract_address();
        let mut leaves = 0;
        let mut left = width;
        while left != 0 {
            let data = call_contract_syscall(here, selector!("tree"), array![depth - 1, width.into()].span())
                .unwrap_syscall();
            leaves += *data.at(0);
            left -= 1;
        };
        leaves
    }

    // ---- calls that cannot succeed

    #[external(v0)]
    fn call_missing_entry_point(ref self: ContractState, to: ContractAddress) -> (bool, Span<felt252>) {
        caught(call_contract_syscall(to, selector!("there_is_no_such_entry_point"), array![].span()))
    }

    #[external(v0)]
    fn call_undeployed(ref self: ContractState) -> (bool, Span<felt252>) {
        caught(call_contract_syscall(0xdead.try_into().unwrap(), selector!("nothing"), array![].span()))
    }

    #[external(v0)]
    fn library_call_undeclared(ref self: ContractState) -> (bool, Span<felt252>) {
        caught(library_call_syscall(0xdead.try_into().unwrap(), selector!("nothing"), array![].span()))
    }

    #[external(v0)]
    fn deploy_undeclared(ref self: ContractState) -> (bool, Span<felt252>) {
        match deploy_syscall(0xdead.try_into().unwrap(), 0, array![].span(), false) {
            Result::Ok((_, data)) => (true, data),
            Result::Err(error) => (false, error.span()),
        }
    }

    // ---- what the calls left

    #[external(v0)]
    fn counters(self: @ContractState) -> (felt252, felt252, felt252) {
        (self.before.read(), self.after.read(), self.depth_reached.read())
    }

    #[external(v0)]
    fn write(ref self: ContractState, key: StorageAddress, value: felt252) {
        storage_write_syscall(0, key, value).unwrap_syscall()
    }

    #[external(v0)]
    fn write_and_panic(ref self: ContractState, key: StorageAddress, value: felt252) {
        storage_write_syscall(0, key, value).unwrap_syscall();
        panic(array!['WRITE_AND_PANIC', value]);
    }

    #[external(v0)]
    fn read(self: @ContractState, key: StorageAddress) -> felt252 {
        storage_read_syscall(0, key).unwrap_syscall()
    }

    /// Panics with these felts, an empty list included.
    #[external(v0)]
    fn fail(self: @ContractState, data: Array<felt252>) {
        panic(data)
    }

    fn caught(result: SyscallResult<Span<felt252>>) -> (bool, Span<felt252>) {
        match result {
            Result::Ok(data) => (true, data),
            Result::Err(error) => (false, error.span()),
        }
    }

    fn at_leaf(leaf: felt252) -> felt252 {
        if leaf == 1 {
            panic(array!['LEAF_PANIC']);
        } else if leaf == 2 {
            let mut count: felt252 = 0;
            loop {
                count += 1;
                if count == 0 {
                    break;
                }
            };
        } else if leaf == 3 {
            let here = starknet::get_contract_address();
            call_contract_syscall(here, selector!("there_is_no_such_entry_point"), array![].span()).unwrap_syscall();
        } else if leaf == 4 {
            call_contract_syscall(0xdead.try_into().unwrap(), selector!("nothing"), array![].span()).unwrap_syscall();
        } else if leaf == 5 {
            library_call_syscall(0xdead.try_into().unwrap(), selector!("nothing"), array![].span()).unwrap_syscall();
        }
        0
    }
}
