//! A constant-product pool of two ERC-20 tokens. Both reserves are cells that every swap reads and writes.
#[starknet::interface]
trait Token<T> {
    fn transfer(ref self: T, recipient: starknet::ContractAddress, amount: u256) -> bool;
    fn transfer_from(
        ref self: T, sender: starknet::ContractAddress, recipient: starknet::ContractAddress, amount: u256
    ) -> bool;
}

#[starknet::contract]
mod pool {
    use starknet::ContractAddress;
    use super::{TokenDispatcher, TokenDispatcherTrait};

    #[storage]
    struct Storage {
        token_a: ContractAddress,
        token_b: ContractAddress,
        reserve_a: u256,
        reserve_b: u256,
        shares: LegacyMap<ContractAddress, u256>,
        total_shares: u256,
        swaps: felt252,
    }

    #[event]
    #[derive(Drop, starknet::Event)]
    enum Event {
        LiquidityAdded: LiquidityAdded,
        Swapped: Swapped,
    }

    #[derive(Drop, starknet::Event)]
    struct LiquidityAdded {
        #[key]
        provider: ContractAddress,
        amount_a: u256,
        amount_b: u256,
        shares: u256,
    }

    #[derive(Drop, starknet::Event)]
    struct Swapped {
        #[key]
        trader: ContractAddress,
        #[key]
        token_in: ContractAddress,
        amount_in: u256,
        amount_out: u256,
    }

    #[constructor]
    fn constructor(ref self: ContractState, token_a: ContractAddress, token_b: ContractAddress) {
        assert(token_a != token_b, 'POOL: same token');
        self.token_a.write(token_a);
        self.token_b.write(token_b);
    }

    /// Both amounts are pulled from the caller, who must have approved them. Shares grow by amount_a for the first and by the
    /// share of reserve_a after; the caller keeps the proportion.
    #[external(v0)]
    fn add_liquidity(ref self: ContractState, amount_a: u256, amount_b: u256) -> u256 {
        let provider = starknet::get_caller_address();
        let here = starknet::get_contract_address();
        let reserve_a = self.reserve_a.read();
        let total = self.total_shares.read();
        let minted = if total == 0 {
            amount_a
        } else {
            amount_a * total / reserve_a
        };
        assert(minted != 0, 'POOL: nothing minted');
        TokenDispatcher { contract_address: self.token_a.read() }.transfer_from(provider, here, amount_a);
        TokenDispatcher { contract_address: self.token_b.read() }.transfer_from(provider, here, amount_b);
        self.reserve_a.write(reserve_a + amount_a);
        self.reserve_b.write(self.reserve_b.read() + amount_b);
        self.shares.write(provider, self.shares.read(provider) + minted);
        self.total_shares.write(total + minted);
        self.emit(Event::LiquidityAdded(LiquidityAdded { provider, amount_a, amount_b, shares: minted }));
        minted
    }

    /// Pulls `amount` of `token_in` from the caller and pays the other token, keeping three in a thousand.
    /// Returns what it paid; panics below `min_out`.
    #[external(v0)]
    fn swap(ref self: ContractState, token_in: ContractAddress, amount: u256, min_out: u256) -> u256 {
        let trader = starknet::get_caller_address();
        let here = starknet::get_contract_address();
        let token_a = self.token_a.read();
        let token_b = self.token_b.read();
        let a_to_b = token_in == token_a;
        assert(a_to_b || token_in == token_b, 'POOL: unknown token');
        let reserve_a = self.reserve_a.read();
        let reserve_b = self.reserve_b.read();
        let (reserve_in, reserve_out, token_out) = if a_to_b {
            (reserve_a, reserve_b, token_b)
        } else {
            (reserve_b, reserve_a, token_a)
        };
        let paid_in = amount * 997;
        let amount_out = paid_in * reserve_out / (reserve_in * 1000 + paid_in);
        assert(amount_out >= min_out, 'POOL: too little out');
        TokenDispatcher { contract_address: token_in }.transfer_from(trader, here, amount);
        TokenDispatcher { contract_address: token_out }.transfer(trader, amount_out);
        if a_to_b {
            self.reserve_a.write(reserve_a + amount);
            self.reserve_b.write(reserve_b - amount_out);
        } else {
            self.reserve_b.write(reserve_b + amount);
            self.reserve_a.write(reserve_a - amount_out);
        }
        self.swaps.write(self.swaps.read() + 1);
        self.emit(Event::Swapped(Swapped { trader, token_in, amount_in: amount, amount_out }));
        amount_out
    }

    /// What a swap would pay now.
    #[external(v0)]
    fn quote(self: @ContractState, token_in: ContractAddress, amount: u256) -> u256 {
        let (reserve_in, reserve_out) = if token_in == self.token_a.read() {
            (self.reserve_a.read(), self.reserve_b.read())
        } else {
            (self.reserve_b.read(), self.reserve_a.read())
        };
        let paid_in = amount * 997;
        paid_in * reserve_out / (reserve_in * 1000 + paid_in)
    }

    #[external(v0)]
    fn reserves(self: @ContractState) -> (u256, u256) {
        (self.reserve_a.read(), self.reserve_b.read())
    }

    #[external(v0)]
    fn shares_of(self: @ContractState, provider: ContractAddress) -> u256 {
        self.shares.read(provider)
    }
}
