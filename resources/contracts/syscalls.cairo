//! One entry point per syscall, and per piece of arithmetic that brings a builtin into play.
//! The syscalls that the compiler does not know yet are in `syscalls_new`; circuits are in `circuit`.
#[starknet::contract]
mod syscalls {
    use core::box::BoxTrait;
    use core::dict::Felt252DictTrait;
    use core::ec::{EcPointTrait, EcStateTrait};
    use core::poseidon::{hades_permutation, poseidon_hash_span};
    use starknet::secp256_trait::{
        is_valid_signature, recover_public_key, Secp256PointTrait, Secp256Trait, Signature
    };
    use starknet::secp256k1::Secp256k1Point;
    use starknet::secp256r1::Secp256r1Point;
    use starknet::syscalls::{
        call_contract_syscall, deploy_syscall, emit_event_syscall, get_block_hash_syscall,
        get_execution_info_syscall, get_execution_info_v2_syscall, keccak_syscall, library_call_syscall,
        replace_class_syscall, send_message_to_l1_syscall, sha256_process_block_syscall,
        storage_read_syscall, storage_write_syscall
    };
    use starknet::{ClassHash, ContractAddress, EthAddress, StorageAddress, SyscallResultTrait};

    extern fn sha256_state_handle_init(state: Box<[u32; 8]>) -> core::sha256::Sha256StateHandle nopanic;
    extern fn sha256_state_handle_digest(state: core::sha256::Sha256StateHandle) -> Box<[u32; 8]> nopanic;

    #[storage]
    struct Storage {
        handled_from: felt252,
        handled_a: felt252,
        handled_b: felt252,
        handled_count: felt252,
    }

    // ---- storage

    #[external(v0)]
    fn storage_read(self: @ContractState, key: StorageAddress) -> felt252 {
        storage_read_syscall(0, key).unwrap_syscall()
    }

    #[external(v0)]
    fn storage_write(ref self: ContractState, key: StorageAddress, value: felt252) {
        storage_write_syscall(0, key, value).unwrap_syscall()
    }

    #[external(v0)]
    fn storage_read_domain(self: @ContractState, domain: u32, key: StorageAddress) -> felt252 {
        storage_read_syscall(domain, key).unwrap_syscall()
    }

    #[external(v0)]
    fn storage_write_domain(ref self: ContractState, domain: u32, key: StorageAddress, value: felt252) {
        storage_write_syscall(domain, key, value).unwrap_syscall()
    }

    /// Adds `by` to a cell and returns what it holds then.
    #[external(v0)]
    fn storage_add(ref self: ContractState, key: StorageAddress, by: felt252) -> felt252 {
        let value = storage_read_syscall(0, key).unwrap_syscall() + by;
        storage_write_syscall(0, key, value).unwrap_syscall();
        value
    }

    /// Writes `value` to the `count` cells from `first` on.
    #[external(v0)]
    fn storage_write_many(ref self: ContractState, first: felt252, count: u32, value: felt252) {
        let mut key = first;
        let mut left = count;
        while left != 0 {
            storage_write_syscall(0, key.try_into().unwrap(), value).unwrap_syscall();
            key += 1;
            left -= 1;
        }
    }

    /// The sum of the `count` cells from `first` on.
    #[external(v0)]
    fn storage_read_many(self: @ContractState, first: felt252, count: u32) -> felt252 {
        let mut key = first;
        let mut left = count;
        let mut sum = 0;
        while left != 0 {
            sum += storage_read_syscall(0, key.try_into().unwrap()).unwrap_syscall();
            key += 1;
            left -= 1;
        };
        sum
    }

    // ---- events and messages

    #[external(v0)]
    fn emit_event(ref self: ContractState, keys: Span<felt252>, data: Span<felt252>) {
        emit_event_syscall(keys, data).unwrap_syscall()
    }

    #[external(v0)]
    fn emit_events(ref self: ContractState, count: u32, keys: Span<felt252>, data: Span<felt252>) {
        let mut left = count;
        while left != 0 {
            emit_event_syscall(keys, data).unwrap_syscall();
            left -= 1;
        }
    }

    /// One event with `keys` keys and `data` data felts, numbered from zero.
    #[external(v0)]
    fn emit_sized(ref self: ContractState, keys: u32, data: u32) {
        emit_event_syscall(count_up(keys), count_up(data)).unwrap_syscall()
    }

    #[external(v0)]
    fn send_message(ref self: ContractState, to: felt252, payload: Span<felt252>) {
        send_message_to_l1_syscall(to, payload).unwrap_syscall()
    }

    #[external(v0)]
    fn send_messages(ref self: ContractState, count: u32, to: felt252, payload: Span<felt252>) {
        let mut left = count;
        while left != 0 {
            send_message_to_l1_syscall(to, payload).unwrap_syscall();
            left -= 1;
        }
    }

    // ---- information about the execution

    /// number, timestamp, sequencer, version, account, max_fee, signature, hash, chain, nonce, caller, contract, selector
    #[external(v0)]
    fn execution_info(self: @ContractState) -> Array<felt252> {
        let info = get_execution_info_syscall().unwrap_syscall().unbox();
        let mut out: Array<felt252> = array![];
        info.block_info.unbox().serialize(ref out);
        info.tx_info.unbox().serialize(ref out);
        out.append(info.caller_address.into());
        out.append(info.contract_address.into());
        out.append(info.entry_point_selector);
        out
    }

    /// The same, with resource bounds, tip, paymaster data, data availability modes and deployment data after the nonce.
    #[external(v0)]
    fn execution_info_v2(self: @ContractState) -> Array<felt252> {
        let info = get_execution_info_v2_syscall().unwrap_syscall().unbox();
        let mut out: Array<felt252> = array![];
        info.block_info.unbox().serialize(ref out);
        info.tx_info.unbox().serialize(ref out);
        out.append(info.caller_address.into());
        out.append(info.contract_address.into());
        out.append(info.entry_point_selector);
        out
    }

    /// Keeps the transaction's information in the cells from `first` on, for what returns nothing to its caller.
    #[external(v0)]
    fn store_info(ref self: ContractState, first: felt252) {
        let info = get_execution_info_v2_syscall().unwrap_syscall().unbox();
        let tx = info.tx_info.unbox();
        let mut values = array![
            tx.version,
            tx.account_contract_address.into(),
            tx.max_fee.into(),
            tx.signature.len().into(),
            tx.transaction_hash,
            tx.chain_id,
            tx.nonce,
            tx.resource_bounds.len().into(),
            info.caller_address.into(),
            info.contract_address.into(),
            info.entry_point_selector,
            info.block_info.unbox().block_number.into(),
            info.block_info.unbox().block_timestamp.into(),
            info.block_info.unbox().sequencer_address.into()
        ];
        let mut key = first;
        while let Option::Some(value) = values.pop_front() {
            storage_write_syscall(0, key.try_into().unwrap(), value).unwrap_syscall();
            key += 1;
        }
    }

    #[external(v0)]
    fn block_hash(self: @ContractState, number: u64) -> felt252 {
        get_block_hash_syscall(number).unwrap_syscall()
    }

    /// (1, hash), or (0, first felt of the error) without failing.
    #[external(v0)]
    fn try_block_hash(self: @ContractState, number: u64) -> (bool, felt252) {
        match get_block_hash_syscall(number) {
            Result::Ok(hash) => (true, hash),
            Result::Err(error) => (false, *error.at(0)),
        }
    }

    // ---- calls, deployment, classes

    #[external(v0)]
    fn call_contract(
        ref self: ContractState, to: ContractAddress, selector: felt252, calldata: Span<felt252>
    ) -> Span<felt252> {
        call_contract_syscall(to, selector, calldata).unwrap_syscall()
    }

    #[external(v0)]
    fn library_call(
        ref self: ContractState, class_hash: ClassHash, selector: felt252, calldata: Span<felt252>
    ) -> Span<felt252> {
        library_call_syscall(class_hash, selector, calldata).unwrap_syscall()
    }

    #[external(v0)]
    fn deploy(
        ref self: ContractState, class_hash: ClassHash, salt: felt252, calldata: Span<felt252>, from_zero: bool
    ) -> (ContractAddress, Span<felt252>) {
        deploy_syscall(class_hash, salt, calldata, from_zero).unwrap_syscall()
    }

    #[external(v0)]
    fn replace_class(ref self: ContractState, class_hash: ClassHash) {
        replace_class_syscall(class_hash).unwrap_syscall()
    }

    // ---- hashes behind syscalls

    #[external(v0)]
    fn keccak(self: @ContractState, words: Span<u64>) -> u256 {
        keccak_syscall(words).unwrap_syscall()
    }

    /// (1, low, high), or (0, first felt of the error, 0) without failing.
    #[external(v0)]
    fn try_keccak(self: @ContractState, words: Span<u64>) -> (bool, felt252, felt252) {
        match keccak_syscall(words) {
            Result::Ok(hash) => (true, hash.low.into(), hash.high.into()),
            Result::Err(error) => (false, *error.at(0), 0),
        }
    }

    /// Hashes `blocks` times 17 zero words.
    #[external(v0)]
    fn keccak_blocks(self: @ContractState, blocks: u32) -> u256 {
        let mut words: Array<u64> = array![];
        let mut left = blocks * 17;
        while left != 0 {
            words.append(0);
            left -= 1;
        };
        keccak_syscall(words.span()).unwrap_syscall()
    }

    #[external(v0)]
    fn keccak_u256s(self: @ContractState, numbers: Span<u256>) -> u256 {
        core::keccak::keccak_u256s_be_inputs(numbers)
    }

    /// SHA-256 of 32-bit words followed by `last_bytes` (0 to 3) bytes of `last_word`.
    #[external(v0)]
    fn sha256(self: @ContractState, words: Array<u32>, last_word: u32, last_bytes: u32) -> Array<u32> {
        words_of(core::sha256::compute_sha256_u32_array(words, last_word, last_bytes))
    }

    /// One round of the compression: 8 words of state, 16 words of message.
    #[external(v0)]
    fn sha256_block(self: @ContractState, state: Span<u32>, message: Span<u32>) -> Array<u32> {
        let mut state = state;
        let mut message = message;
        let state: Box<[u32; 8]> = *state.multi_pop_front().unwrap();
        let message: Box<[u32; 16]> = *message.multi_pop_front().unwrap();
        let handle = sha256_process_block_syscall(sha256_state_handle_init(state), message).unwrap_syscall();
        words_of(sha256_state_handle_digest(handle).unbox())
    }

    // ---- secp256k1 and secp256r1. A point is (x, y), a number two felts; an absent point is answered as (0, 0, 0).

    #[external(v0)]
    fn secp256k1_new(self: @ContractState, x: u256, y: u256) -> (bool, u256, u256) {
        k1_shown(Secp256Trait::<Secp256k1Point>::secp256_ec_new_syscall(x, y).unwrap_syscall())
    }

    #[external(v0)]
    fn secp256k1_point_from_x(self: @ContractState, x: u256, y_parity: bool) -> (bool, u256, u256) {
        k1_shown(Secp256Trait::<Secp256k1Point>::secp256_ec_get_point_from_x_syscall(x, y_parity).unwrap_syscall())
    }

    #[external(v0)]
    fn secp256k1_add(self: @ContractState, x0: u256, y0: u256, x1: u256, y1: u256) -> (u256, u256) {
        k1(x0, y0).add(k1(x1, y1)).unwrap_syscall().get_coordinates().unwrap_syscall()
    }

    #[external(v0)]
    fn secp256k1_mul(self: @ContractState, x: u256, y: u256, scalar: u256) -> (u256, u256) {
        k1(x, y).mul(scalar).unwrap_syscall().get_coordinates().unwrap_syscall()
    }

    #[external(v0)]
    fn secp256k1_get_xy(self: @ContractState, x: u256, y: u256) -> (u256, u256) {
        k1(x, y).get_coordinates().unwrap_syscall()
    }

    #[external(v0)]
    fn secp256k1_recover(self: @ContractState, hash: u256, r: u256, s: u256, y_parity: bool) -> (bool, u256, u256) {
        k1_shown(recover_public_key::<Secp256k1Point>(hash, Signature { r, s, y_parity }))
    }

    #[external(v0)]
    fn secp256k1_verify(self: @ContractState, hash: u256, r: u256, s: u256, x: u256, y: u256) -> bool {
        is_valid_signature::<Secp256k1Point>(hash, r, s, k1(x, y))
    }

    #[external(v0)]
    fn verify_eth_signature(
        self: @ContractState, hash: u256, r: u256, s: u256, y_parity: bool, address: EthAddress
    ) {
        starknet::eth_signature::verify_eth_signature(hash, Signature { r, s, y_parity }, address)
    }

    #[external(v0)]
    fn secp256r1_new(self: @ContractState, x: u256, y: u256) -> (bool, u256, u256) {
        r1_shown(Secp256Trait::<Secp256r1Point>::secp256_ec_new_syscall(x, y).unwrap_syscall())
    }

    #[external(v0)]
    fn secp256r1_point_from_x(self: @ContractState, x: u256, y_parity: bool) -> (bool, u256, u256) {
        r1_shown(Secp256Trait::<Secp256r1Point>::secp256_ec_get_point_from_x_syscall(x, y_parity).unwrap_syscall())
    }

    #[external(v0)]
    fn secp256r1_add(self: @ContractState, x0: u256, y0: u256, x1: u256, y1: u256) -> (u256, u256) {
        r1(x0, y0).add(r1(x1, y1)).unwrap_syscall().get_coordinates().unwrap_syscall()
    }

    #[external(v0)]
    fn secp256r1_mul(self: @ContractState, x: u256, y: u256, scalar: u256) -> (u256, u256) {
        r1(x, y).mul(scalar).unwrap_syscall().get_coordinates().unwrap_syscall()
    }

    #[external(v0)]
    fn secp256r1_get_xy(self: @ContractState, x: u256, y: u256) -> (u256, u256) {
        r1(x, y).get_coordinates().unwrap_syscall()
    }

    #[external(v0)]
    fn secp256r1_recover(self: @ContractState, hash: u256, r: u256, s: u256, y_parity: bool) -> (bool, u256, u256) {
        r1_shown(recover_public_key::<Secp256r1Point>(hash, Signature { r, s, y_parity }))
    }

    #[external(v0)]
    fn secp256r1_verify(self: @ContractState, hash: u256, r: u256, s: u256, x: u256, y: u256) -> bool {
        is_valid_signature::<Secp256r1Point>(hash, r, s, r1(x, y))
    }

    // ---- messages from L1

    #[l1_handler]
    fn handle(ref self: ContractState, from_address: felt252, a: felt252, b: felt252) {
        self.handled_from.write(from_address);
        self.handled_a.write(a);
        self.handled_b.write(b);
        self.handled_count.write(self.handled_count.read() + 1);
    }

    /// Writes first, then panics with the payload.
    #[l1_handler]
    fn handle_and_panic(ref self: ContractState, from_address: felt252, a: felt252, b: felt252) {
        self.handled_from.write(from_address);
        self.handled_count.write(self.handled_count.read() + 1);
        panic(array!['L1_HANDLER_PANIC', a, b]);
    }

    /// Answers with an event and a message to the sender.
    #[l1_handler]
    fn handle_and_answer(ref self: ContractState, from_address: felt252, payload: Span<felt252>) {
        emit_event_syscall(array!['L1_HANDLED', from_address].span(), payload).unwrap_syscall();
        send_message_to_l1_syscall(from_address, payload).unwrap_syscall();
    }

    #[external(v0)]
    fn handled(self: @ContractState) -> (felt252, felt252, felt252, felt252) {
        (self.handled_from.read(), self.handled_a.read(), self.handled_b.read(), self.handled_count.read())
    }

    // ---- builtins and arithmetic

    #[external(v0)]
    fn pedersen(self: @ContractState, a: felt252, b: felt252) -> felt252 {
        core::pedersen::pedersen(a, b)
    }

    #[external(v0)]
    fn poseidon(self: @ContractState, a: felt252, b: felt252, c: felt252) -> (felt252, felt252, felt252) {
        hades_permutation(a, b, c)
    }

    #[external(v0)]
    fn poseidon_many(self: @ContractState, values: Span<felt252>) -> felt252 {
        poseidon_hash_span(values)
    }

    /// (and, or, xor)
    #[external(v0)]
    fn bitwise(self: @ContractState, a: u128, b: u128) -> (u128, u128, u128) {
        (a & b, a | b, a ^ b)
    }

    /// scalar * (x, y) on the STARK curve; (0, 0) is the point at infinity.
    #[external(v0)]
    fn ec_mul(self: @ContractState, x: felt252, y: felt252, scalar: felt252) -> (felt252, felt252) {
        let mut state = EcStateTrait::init();
        state.add_mul(scalar, EcPointTrait::new_nz(x, y).expect('NOT_ON_CURVE'));
        match state.finalize_nz() {
            Option::Some(point) => point.coordinates(),
            Option::None => (0, 0),
        }
    }

    #[external(v0)]
    fn ec_add(self: @ContractState, x0: felt252, y0: felt252, x1: felt252, y1: felt252) -> (felt252, felt252) {
        let mut state = EcStateTrait::init();
        state.add(EcPointTrait::new_nz(x0, y0).expect('NOT_ON_CURVE'));
        state.add(EcPointTrait::new_nz(x1, y1).expect('NOT_ON_CURVE'));
        match state.finalize_nz() {
            Option::Some(point) => point.coordinates(),
            Option::None => (0, 0),
        }
    }

    /// A point with this x, if there is one.
    #[external(v0)]
    fn ec_point_from_x(self: @ContractState, x: felt252) -> (bool, felt252, felt252) {
        match EcPointTrait::new_nz_from_x(x) {
            Option::Some(point) => {
                let (x, y) = point.coordinates();
                (true, x, y)
            },
            Option::None => (false, 0, 0),
        }
    }

    #[external(v0)]
    fn ecdsa_check(self: @ContractState, hash: felt252, public_key: felt252, r: felt252, s: felt252) -> bool {
        core::ecdsa::check_ecdsa_signature(hash, public_key, r, s)
    }

    /// (sum, product, quotient, remainder) with the panics of checked arithmetic.
    #[external(v0)]
    fn u128_ops(self: @ContractState, a: u128, b: u128) -> (u128, u128, u128, u128) {
        (a + b, a * b, a / b, a % b)
    }

    /// (a * b as high and low, square root of a, bytes of a reversed)
    #[external(v0)]
    fn u128_more(self: @ContractState, a: u128, b: u128) -> (u128, u128, u64, u128) {
        let (high, low) = core::integer::u128_wide_mul(a, b);
        (high, low, core::integer::u128_sqrt(a), core::integer::u128_byte_reverse(a))
    }

    /// (sum, difference)
    #[external(v0)]
    fn u256_add_sub(self: @ContractState, a: u256, b: u256) -> (u256, u256) {
        (a + b, a - b)
    }

    #[external(v0)]
    fn u256_mul(self: @ContractState, a: u256, b: u256) -> u256 {
        a * b
    }

    /// (quotient, remainder)
    #[external(v0)]
    fn u256_div(self: @ContractState, a: u256, b: u256) -> (u256, u256) {
        (a / b, a % b)
    }

    #[external(v0)]
    fn u256_root(self: @ContractState, a: u256) -> u128 {
        core::integer::u256_sqrt(a)
    }

    #[external(v0)]
    fn u256_mul_mod(self: @ContractState, a: u256, b: u256, n: u256) -> u256 {
        core::math::u256_mul_mod_n(a, b, n.try_into().unwrap())
    }

    /// The inverse of `a` modulo `n`, 0 if there is none.
    #[external(v0)]
    fn u256_inverse(self: @ContractState, a: u256, n: u256) -> u256 {
        match core::math::u256_inv_mod(a, n.try_into().unwrap()) {
            Option::Some(inverse) => inverse.into(),
            Option::None => 0,
        }
    }

    #[external(v0)]
    fn felt_div(self: @ContractState, a: felt252, b: felt252) -> felt252 {
        core::felt252_div(a, b.try_into().unwrap())
    }

    /// (a + b, a - b, a * b, a < b seen as 256-bit numbers)
    #[external(v0)]
    fn felt_ops(self: @ContractState, a: felt252, b: felt252) -> (felt252, felt252, felt252, bool) {
        let wide_a: u256 = a.into();
        let wide_b: u256 = b.into();
        (a + b, a - b, a * b, wide_a < wide_b)
    }

    /// Signed and small integers.
    #[external(v0)]
    fn small_ops(self: @ContractState, a: u8, b: u64, c: i16, d: i128) -> (u8, u64, i16, i128) {
        (a + 1, b * 3, c - 5, d + 7)
    }

    /// Adds up values under keys in a dictionary, twice per pair, and returns what the first key holds.
    #[external(v0)]
    fn dictionary(self: @ContractState, keys: Span<felt252>, values: Span<felt252>) -> felt252 {
        let mut dict: Felt252Dict<felt252> = Default::default();
        let mut at = 0;
        while at != keys.len() {
            let key = *keys.at(at);
            let old = dict.get(key);
            dict.insert(key, old + *values.at(at));
            at += 1;
        };
        dict.get(*keys.at(0))
    }

    /// `dicts` dictionaries with `keys` keys each: segment arena and squashing at length.
    #[external(v0)]
    fn dictionaries(self: @ContractState, dicts: u32, keys: u32) -> felt252 {
        let mut sum = 0;
        let mut round = dicts;
        while round != 0 {
            let mut dict: Felt252Dict<u128> = Default::default();
            let mut key = keys;
            while key != 0 {
                dict.insert(key.into() * 0x100000000000000000000000000000001, key.into());
                key -= 1;
            };
            sum += dict.get(0x100000000000000000000000000000001).into();
            round -= 1;
        };
        sum
    }

    /// A string: formatting, `ByteArray`, `bytes31`.
    #[external(v0)]
    fn text(self: @ContractState, word: felt252) -> ByteArray {
        format!("word {} and a tail that is longer than thirty-one bytes", word)
    }

    // ---- running and failing

    /// Burns steps.
    #[external(v0)]
    fn loop_n(self: @ContractState, n: felt252) -> felt252 {
        let mut left = n;
        let mut sum = 0;
        while left != 0 {
            sum += left;
            left -= 1;
        };
        sum
    }

    /// Recursion without tail: burns stack of the virtual machine.
    #[external(v0)]
    fn recurse_n(self: @ContractState, n: felt252) -> felt252 {
        recurse(n)
    }

    #[external(v0)]
    fn loop_forever(self: @ContractState) {
        let mut count: felt252 = 0;
        loop {
            count += 1;
            if count == 0 {
                break;
            }
        }
    }

    #[external(v0)]
    fn panic_with(self: @ContractState, data: Array<felt252>) {
        panic(data)
    }

    /// A panic with a string, as `panic!` makes it.
    #[external(v0)]
    fn panic_text(self: @ContractState, word: felt252) {
        panic!("panicked with {}", word)
    }

    #[external(v0)]
    fn echo(self: @ContractState, data: Span<felt252>) -> Span<felt252> {
        data
    }

    #[external(v0)]
    fn nothing(self: @ContractState) {}

    fn recurse(n: felt252) -> felt252 {
        if n == 0 {
            return 0;
        }
        recurse(n - 1) + n
    }

    fn count_up(count: u32) -> Span<felt252> {
        let mut out: Array<felt252> = array![];
        let mut at: u32 = 0;
        while at != count {
            out.append(at.into());
            at += 1;
        };
        out.span()
    }

    fn words_of(words: [u32; 8]) -> Array<u32> {
        let [a, b, c, d, e, f, g, h] = words;
        array![a, b, c, d, e, f, g, h]
    }

    fn k1(x: u256, y: u256) -> Secp256k1Point {
        Secp256Trait::<Secp256k1Point>::secp256_ec_new_syscall(x, y).unwrap_syscall().expect('NO_POINT')
    }

    fn k1_shown(point: Option<Secp256k1Point>) -> (bool, u256, u256) {
        match point {
            Option::Some(point) => {
                let (x, y) = point.get_coordinates().unwrap_syscall();
                (true, x, y)
            },
            Option::None => (false, 0, 0),
        }
    }

    fn r1(x: u256, y: u256) -> Secp256r1Point {
        Secp256Trait::<Secp256r1Point>::secp256_ec_new_syscall(x, y).unwrap_syscall().expect('NO_POINT')
    }

    fn r1_shown(point: Option<Secp256r1Point>) -> (bool, u256, u256) {
        match point {
            Option::Some(point) => {
                let (x, y) = point.get_coordinates().unwrap_syscall();
                (true, x, y)
            },
            Option::None => (false, 0, 0),
        }
    }
}
