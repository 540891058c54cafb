//! An account that checks a STARK signature of the transaction hash and executes a list of calls.
#[starknet::contract]
mod account {
    use starknet::account::Call;
    use starknet::syscalls::call_contract_syscall;

    #[storage]
    struct Storage {
        public_key: felt252,
    }

    #[constructor]
    fn constructor(ref self: ContractState, public_key: felt252) {
        self.public_key.write(public_key);
    }

    #[external(v0)]
    fn __validate__(self: @ContractState, calls: Array<Call>) -> felt252 {
        check_signature(self.public_key.read())
    }

    #[external(v0)]
    fn __validate_declare__(self: @ContractState, class_hash: felt252) -> felt252 {
        check_signature(self.public_key.read())
    }

    #[external(v0)]
    fn __validate_deploy__(
        self: @ContractState, class_hash: felt252, salt: felt252, public_key: felt252
    ) -> felt252 {
        check_signature(self.public_key.read())
    }

    /// Runs the calls in order; the first one that fails ends the transaction with its own error data.
    #[external(v0)]
    fn __execute__(ref self: ContractState, calls: Array<Call>) -> Array<Span<felt252>> {
        let caller: felt252 = starknet::get_caller_address().into();
        assert(caller == 0, 'CALLER_NOT_ZERO');
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

    fn check_signature(public_key: felt252) -> felt252 {
        let tx = starknet::get_tx_info().unbox();
        let signature = tx.signature;
        assert(signature.len() == 2, 'SIGNATURE_LENGTH');
        let valid = core::ecdsa::check_ecdsa_signature(
            tx.transaction_hash, public_key, *signature[0], *signature[1]
        );
        assert(valid, 'SIGNATURE_INVALID');
        'VALID'
    }
}
