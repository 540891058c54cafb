//! Tokens numbered by one counter cell that every mint reads and writes.
#[starknet::contract]
mod nft {
    use starknet::ContractAddress;

    #[storage]
    struct Storage {
        next_id: felt252,
        owners: LegacyMap<felt252, ContractAddress>,
        balances: LegacyMap<ContractAddress, felt252>,
    }

    #[event]
    #[derive(Drop, starknet::Event)]
    enum Event {
        Mint: Mint,
        Transfer: Transfer,
    }

    #[derive(Drop, starknet::Event)]
    struct Mint {
        #[key]
        to: ContractAddress,
        id: felt252,
    }

    #[derive(Drop, starknet::Event)]
    struct Transfer {
        #[key]
        from: ContractAddress,
        #[key]
        to: ContractAddress,
        id: felt252,
    }

    /// The caller gets the next token; its number is returned. Numbers begin at zero.
    #[external(v0)]
    fn mint(ref self: ContractState) -> felt252 {
        let to = starknet::get_caller_address();
        let id = self.next_id.read();
        self.next_id.write(id + 1);
        self.owners.write(id, to);
        self.balances.write(to, self.balances.read(to) + 1);
        self.emit(Event::Mint(Mint { to, id }));
        id
    }

    #[external(v0)]
    fn transfer(ref self: ContractState, to: ContractAddress, id: felt252) {
        let from = starknet::get_caller_address();
        assert(self.owners.read(id) == from, 'NFT: not the owner');
        self.owners.write(id, to);
        self.balances.write(from, self.balances.read(from) - 1);
        self.balances.write(to, self.balances.read(to) + 1);
        self.emit(Event::Transfer(Transfer { from, to, id }));
    }

    #[external(v0)]
    fn owner_of(self: @ContractState, id: felt252) -> ContractAddress {
        self.owners.read(id)
    }

    #[external(v0)]
    fn balance_of(self: @ContractState, owner: ContractAddress) -> felt252 {
        self.balances.read(owner)
    }

    #[external(v0)]
    fn next_id(self: @ContractState) -> felt252 {
        self.next_id.read()
    }
}
