//! An account without a signature check, which misbehaves while validating when the first felt of the signature asks it to.
#[starknet::contract]
mod account_open {
    use starknet::account::Call;
    use starknet::{ClassHash, ContractAddress, SyscallResultTrait};
    use starknet::syscalls::{
        call_contract_syscall, deploy_syscall, emit_event_syscall, get_block_hash_syscall, library_call_syscall,
        replace_class_syscall, send_message_to_l1_syscall, storage_read_syscall, storage_write_syscall
    };

    #[storage]
    struct Storage {
        public_key: felt252,
        scratch: felt252,
    }

    /// `public_key` may be anything; the word 'FAIL' makes the constructor panic.
    #[constructor]
    fn constructor(ref self: ContractState, public_key: felt252) {
        assert(public_key != 'FAIL', 'CONSTRUCTOR_ASKED_TO_FAIL');
        self.public_key.write(public_key);
    }

    #[external(v0)]
    fn __validate__(ref self: ContractState, calls: Array<Call>) -> felt252 {
        validate(ref self)
    }

    #[external(v0)]
    fn __validate_declare__(ref self: ContractState, class_hash: felt252) -> felt252 {
        validate(ref self)
    }

    #[external(v0)]
    fn __validate_deploy__(
        ref self: ContractState, class_hash: felt252, salt: felt252, public_key: felt252
    ) -> felt252 {
        validate(ref self)
    }

    /// Like `account`, except that any caller may enter.
    #[external(v0)]
    fn __execute__(ref self: ContractState, calls: Array<Call>) -> Array<Span<felt252>> {
        let mut calls = calls;
        let mut results: Array<Span<felt252>> = array![];
        loop {
            match calls.pop_front() {
                Option::Some(call) => {
                    match call_contract_syscall(call.to, call.selector, call.calldata) {
                        Result::Ok(data) => results.append(data),
                        Result::Err(error) => panic(error),
                    }
                },
                Option::None => { break; },
            };
        };
        results
    }

    #[external(v0)]
    fn public_key(self: @ContractState) -> felt252 {
        self.public_key.read()
    }

    #[external(v0)]
    fn scratch(self: @ContractState) -> felt252 {
        self.scratch.read()
    }

    fn at(signature: Span<felt252>, index: usize) -> felt252 {
        match signature.get(index) {
            Option::Some(value) => *value.unbox(),
            Option::None => 0,
        }
    }

    fn validate(ref self: ContractState) -> felt252 {
        let signature = starknet::get_tx_info().unbox().signature;
        let mode = at(signature, 0);
        let second = at(signature, 1);
        let third = at(signature, 2);
        if mode == 1 {
            let mut data = array!['VALIDATE_PANIC'];
            data.append(second);
            panic(data);
        } else if mode == 2 {
            return 'INVALID';
        } else if mode == 3 {
            let mut count: felt252 = 0;
            loop {
                count += 1;
                if count == 0 {
                    break;
                }
            };
        } else if mode == 4 {
            let to: ContractAddress = second.try_into().unwrap();
            call_contract_syscall(to, third, rest(signature, 3)).unwrap_syscall();
        } else if mode == 5 {
            let number: u64 = second.try_into().unwrap();
            let hash = get_block_hash_syscall(number).unwrap_syscall();
            self.scratch.write(hash);
        } else if mode == 6 {
            self.scratch.write(second);
        } else if mode == 7 {
            emit_event_syscall(array!['VALIDATE_EVENT'].span(), array![second].span()).unwrap_syscall();
        } else if mode == 8 {
            let class_hash: ClassHash = second.try_into().unwrap();
            deploy_syscall(class_hash, third, rest(signature, 3), false).unwrap_syscall();
        } else if mode == 9 {
            send_message_to_l1_syscall(second, array![third].span()).unwrap_syscall();
        } else if mode == 10 {
            let class_hash: ClassHash = second.try_into().unwrap();
            replace_class_syscall(class_hash).unwrap_syscall();
        } else if mode == 11 {
            let class_hash: ClassHash = second.try_into().unwrap();
            library_call_syscall(class_hash, third, rest(signature, 3)).unwrap_syscall();
        } else if mode == 12 {
            let key: starknet::StorageAddress = second.try_into().unwrap();
            let value = storage_read_syscall(0, key).unwrap_syscall();
            assert(value == third, 'VALIDATE_CELL_DIFFERS');
            storage_write_syscall(0, key, value + 1).unwrap_syscall();
        } else if mode == 13 {
            let mut left = second;
            loop {
                if left == 0 {
                    break;
                }
                left -= 1;
            };
        } else if mode == 14 {
            let block = starknet::get_block_info().unbox();
            self.scratch.write(block.block_number.into());
            emit_event_syscall(
                array!['VALIDATE_BLOCK'].span(),
                array![
                    block.block_number.into(), block.block_timestamp.into(), block.sequencer_address.into()
                ]
                    .span()
            )
                .unwrap_syscall();
        }
        'VALID'
    }

    /// The felts of `signature` from place `start` on.
    fn rest(signature: Span<felt252>, start: usize) -> Span<felt252> {
        if signature.len() <= start {
            return array![].span();
        }
        signature.slice(start, signature.len() - start)
    }
}
