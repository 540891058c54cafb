//! Accounts: those that exist before the block, and those that it may deploy.

use starknet_api::core::{ClassHash, ContractAddress, calculate_contract_address};
use starknet_api::transaction::fields::{Calldata, ContractAddressSalt};
use starknet_types_core::felt::Felt;

/// The code of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountKind {
    /// Checks signatures, in Cairo 0.
    Old,
    /// Does not, in Cairo 0, and misbehaves on request.
    OldOpen,
    /// Checks signatures.
    Signed,
    /// Does not, and misbehaves on request.
    Open,
    /// Checks signatures, and is measured in steps.
    Steps,
    /// Makes one call, in Cairo 0, and checks no signature.
    Single,
}

/// An account.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its code.
    pub kind: AccountKind,
    /// The address.
    pub address: ContractAddress,
    /// The private key.
    pub private_key: Felt,
}

/// An account that may be deployed: its address is known and funded.
#[derive(Clone, Debug)]
pub struct Newcomer {
    /// Its class.
    pub class_hash: ClassHash,
    /// Its salt.
    pub salt: Felt,
    /// The private key.
    pub private_key: Felt,
    /// The arguments of its constructor.
    pub arguments: Vec<Felt>,
}

/// The address of an account.
pub fn account_address(number: u64) -> ContractAddress {
    ContractAddress::from(0xacc0_0000 + u128::from(number))
}

impl Newcomer {
    /// The address after deployment.
    pub fn address(&self) -> ContractAddress {
        calculate_contract_address(
            ContractAddressSalt(self.salt),
            self.class_hash,
            &Calldata(self.arguments.clone().into()),
            ContractAddress::default(),
        )
        .expect("the address of a deployment is in range")
    }
}
