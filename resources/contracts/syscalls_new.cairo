//! Syscalls and an opcode that are younger than compiler 2.8.2: meta_tx_v0, get_class_hash_at, the third execution info,
//! the SHA-512 and Blake2s compressions.
//!
//! The functions named `stub_*` only hold the place: in the compiled Sierra each body was replaced by the library function that
//! its comment names (README.md says how), so this source alone does not reproduce the artefact.
#[starknet::contract]
mod syscalls_new {
    use core::box::BoxTrait;
    use starknet::info::{v2::ResourceBounds, BlockInfo};
    use starknet::syscalls::{call_contract_syscall, emit_event_syscall, get_block_hash_syscall};
    use starknet::{ClassHash, ContractAddress, SyscallResult, SyscallResultTrait};

    #[storage]
    struct Storage {
        called_by: felt252,
    }

    /// Renamed to core::starknet::info::v3::ExecutionInfo in the Sierra.
    #[derive(Copy, Drop)]
    struct ExecutionInfoV3 {
        block_info: Box<BlockInfo>,
        tx_info: Box<TxInfoV3>,
        caller_address: ContractAddress,
        contract_address: ContractAddress,
        entry_point_selector: felt252,
    }

    /// Renamed to core::starknet::info::v3::TxInfo in the Sierra.
    #[derive(Copy, Drop, Serde)]
    struct TxInfoV3 {
        version: felt252,
        account_contract_address: ContractAddress,
        max_fee: u128,
        signature: Span<felt252>,
        transaction_hash: felt252,
        chain_id: felt252,
        nonce: felt252,
        resource_bounds: Span<ResourceBounds>,
        tip: u128,
        paymaster_data: Span<felt252>,
        nonce_data_availability_mode: u32,
        fee_data_availability_mode: u32,
        account_deployment_data: Span<felt252>,
        proof_facts: Span<felt252>,
    }

    #[external(v0)]
    fn meta_tx(
        ref self: ContractState,
        to: ContractAddress,
        selector: felt252,
        calldata: Span<felt252>,
        signature: Span<felt252>
    ) -> Span<felt252> {
        stub_meta_tx(to, selector, calldata, signature).unwrap_syscall()
    }

    /// (ok, what the callee returned or the error)
    #[external(v0)]
    fn meta_tx_and_catch(
        ref self: ContractState,
        to: ContractAddress,
        selector: felt252,
        calldata: Span<felt252>,
        signature: Span<felt252>
    ) -> (bool, Span<felt252>) {
        match stub_meta_tx(to, selector, calldata, signature) {
            Result::Ok(data) => (true, data),
            Result::Err(error) => (false, error.span()),
        }
    }

    #[external(v0)]
    fn class_hash_at(self: @ContractState, address: ContractAddress) -> ClassHash {
        stub_class_hash_at(address).unwrap_syscall()
    }

    /// All fields in order, spans with their length before them; after the transaction: caller, contract, selector.
    #[external(v0)]
    fn execution_info_v3(self: @ContractState) -> Array<felt252> {
        info_felts()
    }

    /// Emits execution_info_v3 as the data of an event, for what returns nothing to its caller (a called account, for one).
    #[external(v0)]
    fn emit_info(ref self: ContractState) {
        emit_event_syscall(array!['INFO'].span(), info_felts().span()).unwrap_syscall()
    }

    /// `__execute__` of an account that only reports how it was called: the callee of a meta transaction.
    /// Takes any calldata, returns execution_info_v3 and keeps the caller in a cell.
    #[external(v0)]
    fn __execute__(ref self: ContractState, calldata: Span<felt252>) -> Array<felt252> {
        self.called_by.write(starknet::get_caller_address().into());
        info_felts()
    }

    /// One round of the compression: 8 words of state, 16 words of message, 64 bits each.
    #[external(v0)]
    fn sha512_block(self: @ContractState, state: Span<u64>, message: Span<u64>) -> Array<u64> {
        let mut state = state;
        let mut message = message;
        let state: Box<[u64; 8]> = *state.multi_pop_front().unwrap();
        let message: Box<[u64; 16]> = *message.multi_pop_front().unwrap();
        let [a, b, c, d, e, f, g, h] = stub_sha512(state, message).unwrap_syscall().unbox();
        array![a, b, c, d, e, f, g, h]
    }

    /// One Blake2s compression: 8 words of state, bytes so far, 16 words of message, 32 bits each.
    #[external(v0)]
    fn blake2s_compress(
        self: @ContractState, state: Span<u32>, byte_count: u32, message: Span<u32>
    ) -> Array<u32> {
        let (state, message) = blake_boxes(state, message);
        let [a, b, c, d, e, f, g, h] = stub_blake2s_compress(state, byte_count, message).unbox();
        array![a, b, c, d, e, f, g, h]
    }

    /// The same for the last block of a message.
    #[external(v0)]
    fn blake2s_finalize(
        self: @ContractState, state: Span<u32>, byte_count: u32, message: Span<u32>
    ) -> Array<u32> {
        let (state, message) = blake_boxes(state, message);
        let [a, b, c, d, e, f, g, h] = stub_blake2s_finalize(state, byte_count, message).unbox();
        array![a, b, c, d, e, f, g, h]
    }

    /// `count` compressions one after the other.
    #[external(v0)]
    fn blake2s_many(
        self: @ContractState, state: Span<u32>, message: Span<u32>, count: u32
    ) -> Array<u32> {
        let (mut state, message) = blake_boxes(state, message);
        let mut left = count;
        while left != 0 {
            state = stub_blake2s_compress(state, 64, message);
            left -= 1;
        };
        let [a, b, c, d, e, f, g, h] = state.unbox();
        array![a, b, c, d, e, f, g, h]
    }

    fn blake_boxes(state: Span<u32>, message: Span<u32>) -> (Box<[u32; 8]>, Box<[u32; 16]>) {
        let mut state = state;
        let mut message = message;
        let state: Box<[u32; 8]> = *state.multi_pop_front().unwrap();
        let message: Box<[u32; 16]> = *message.multi_pop_front().unwrap();
        (state, message)
    }

    fn info_felts() -> Array<felt252> {
        let info = stub_execution_info_v3().unwrap_syscall().unbox();
        let mut out: Array<felt252> = array![];
        info.block_info.unbox().serialize(ref out);
        info.tx_info.unbox().serialize(ref out);
        out.append(info.caller_address.into());
        out.append(info.contract_address.into());
        out.append(info.entry_point_selector);
        out
    }

    /// meta_tx_v0_syscall
    #[inline(never)]
    fn stub_meta_tx(
        to: ContractAddress, selector: felt252, calldata: Span<felt252>, signature: Span<felt252>
    ) -> SyscallResult<Span<felt252>> {
        call_contract_syscall(to, selector, calldata)
    }

    /// get_class_hash_at_syscall
    #[inline(never)]
    fn stub_class_hash_at(address: ContractAddress) -> SyscallResult<ClassHash> {
        match get_block_hash_syscall(0) {
            Result::Ok(_) => Result::Ok(starknet::class_hash::class_hash_const::<0>()),
            Result::Err(error) => Result::Err(error),
        }
    }

    /// get_execution_info_v3_syscall
    #[inline(never)]
    fn stub_execution_info_v3() -> SyscallResult<Box<ExecutionInfoV3>> {
        match get_block_hash_syscall(0) {
            Result::Ok(_) => Result::Err(array![]),
            Result::Err(error) => Result::Err(error),
        }
    }

    /// sha512_state_handle_init, sha512_process_block_syscall, sha512_state_handle_digest
    #[inline(never)]
    fn stub_sha512(state: Box<[u64; 8]>, message: Box<[u64; 16]>) -> SyscallResult<Box<[u64; 8]>> {
        match get_block_hash_syscall(0) {
            Result::Ok(_) => Result::Ok(state),
            Result::Err(error) => Result::Err(error),
        }
    }

    /// blake2s_compress
    #[inline(never)]
    fn stub_blake2s_compress(state: Box<[u32; 8]>, byte_count: u32, message: Box<[u32; 16]>) -> Box<[u32; 8]> {
        state
    }

    /// blake2s_finalize
    #[inline(never)]
    fn stub_blake2s_finalize(state: Box<[u32; 8]>, byte_count: u32, message: Box<[u32; 16]>) -> Box<[u32; 8]> {
        state
    }
}
