//! A plain ERC-20 token. Balances lie at ERC20_balances, where Starknet expects those of a fee token.
#[starknet::contract]
mod erc20 {
    use starknet::ContractAddress;

    #[storage]
    struct Storage {
        ERC20_name: felt252,
        ERC20_symbol: felt252,
        ERC20_total_supply: u256,
        ERC20_balances: LegacyMap<ContractAddress, u256>,
        ERC20_allowances: LegacyMap<(ContractAddress, ContractAddress), u256>,
    }

    #[event]
    #[derive(Drop, starknet::Event)]
    enum Event {
        Transfer: Transfer,
        Approval: Approval,
    }

    #[derive(Drop, starknet::Event)]
    struct Transfer {
        #[key]
        from: ContractAddress,
        #[key]
        to: ContractAddress,
        value: u256,
    }

    #[derive(Drop, starknet::Event)]
    struct Approval {
        #[key]
        owner: ContractAddress,
        #[key]
        spender: ContractAddress,
        value: u256,
    }

    #[constructor]
    fn constructor(
        ref self: ContractState, name: felt252, symbol: felt252, supply: u256, recipient: ContractAddress
    ) {
        self.ERC20_name.write(name);
        self.ERC20_symbol.write(symbol);
        self.ERC20_total_supply.write(supply);
        self.ERC20_balances.write(recipient, supply);
        self.emit(Event::Transfer(Transfer { from: 0.try_into().unwrap(), to: recipient, value: supply }));
    }

    #[external(v0)]
    fn name(self: @ContractState) -> felt252 {
        self.ERC20_name.read()
    }

    #[external(v0)]
    fn symbol(self: @ContractState) -> felt252 {
        self.ERC20_symbol.read()
    }

    #[external(v0)]
    fn decimals(self: @ContractState) -> u8 {
        18
    }

    #[external(v0)]
    fn total_supply(self: @ContractState) -> u256 {
        self.ERC20_total_supply.read()
    }

    #[external(v0)]
    fn balance_of(self: @ContractState, account: ContractAddress) -> u256 {
        self.ERC20_balances.read(account)
    }

    #[external(v0)]
    fn allowance(self: @ContractState, owner: ContractAddress, spender: ContractAddress) -> u256 {
        self.ERC20_allowances.read((owner, spender))
    }

    #[external(v0)]
    fn transfer(ref self: ContractState, recipient: ContractAddress, amount: u256) -> bool {
        move_tokens(ref self, starknet::get_caller_address(), recipient, amount);
        true
    }

    #[external(v0)]
    fn transfer_from(
        ref self: ContractState, sender: ContractAddress, recipient: ContractAddress, amount: u256
    ) -> bool {
        let spender = starknet::get_caller_address();
        let allowed = self.ERC20_allowances.read((sender, spender));
        assert(allowed >= amount, 'ERC20: allowance too low');
        self.ERC20_allowances.write((sender, spender), allowed - amount);
        move_tokens(ref self, sender, recipient, amount);
        true
    }

    #[external(v0)]
    fn approve(ref self: ContractState, spender: ContractAddress, amount: u256) -> bool {
        let owner = starknet::get_caller_address();
        self.ERC20_allowances.write((owner, spender), amount);
        self.emit(Event::Approval(Approval { owner: owner, spender: spender, value: amount }));
        true
    }

    fn move_tokens(ref self: ContractState, from: ContractAddress, to: ContractAddress, amount: u256) {
        let from_balance = self.ERC20_balances.read(from);
        assert(from_balance >= amount, 'ERC20: balance too low');
        self.ERC20_balances.write(from, from_balance - amount);
        let to_balance = self.ERC20_balances.read(to);
        self.ERC20_balances.write(to, to_balance + amount);
        self.emit(Event::Transfer(Transfer { from: from, to: to, value: amount }));
    }
}
