//! A token that is unlike others when it is paid: what it does depends on the recipient's balance, part of it goes elsewhere, it
//! counts its transfers, and reads and writes each cell as often as it likes.
#[starknet::contract]
mod erc20_odd {
    use starknet::ContractAddress;

    #[storage]
    struct Storage {
        ERC20_balances: LegacyMap<ContractAddress, u256>,
        transfers: felt252,
        burnt: u256,
        kept: LegacyMap<felt252, u256>,
    }

    #[event]
    #[derive(Drop, starknet::Event)]
    enum Event {
        Transfer: Transfer,
    }

    #[derive(Drop, starknet::Event)]
    struct Transfer {
        #[key]
        from: ContractAddress,
        #[key]
        to: ContractAddress,
        before: u256,
        after: u256,
    }

    #[external(v0)]
    fn transfer(ref self: ContractState, recipient: ContractAddress, amount: u256) -> bool {
        let sender = starknet::get_caller_address();
        let count = self.transfers.read();
        self.transfers.write(count + 1);
        let before = self.ERC20_balances.read(recipient);
        let balance = self.ERC20_balances.read(sender);
        assert(balance >= amount, 'ERC20_ODD: balance too low');
        self.ERC20_balances.write(sender, balance - amount);
        if before.low % 3 == 0 {
            // A part is burnt.
            self.burnt.write(self.burnt.read() + 1);
            let now = self.ERC20_balances.read(recipient);
            self.ERC20_balances.write(recipient, now + amount - 1);
        } else if before.low % 3 == 1 {
            // The balance is kept under a key that it decides.
            self.kept.write(before.low.into(), before);
            self.ERC20_balances.write(recipient, before + amount);
        } else {
            // Nothing arrives but one.
            self.ERC20_balances.write(recipient, before + 1);
        }
        let after = self.ERC20_balances.read(recipient);
        self.emit(Event::Transfer(Transfer { from: sender, to: recipient, before, after }));
        // Some fail when it is too late: the money stays where it was.
        assert(before.low % 11 != 5, 'ERC20_ODD: no luck');
        true
    }

    #[external(v0)]
    fn balance_of(self: @ContractState, account: ContractAddress) -> u256 {
        self.ERC20_balances.read(account)
    }
}
