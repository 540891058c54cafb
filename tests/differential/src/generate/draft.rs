//! A draft of a transaction: its action, sender and mistakes; and its completion to a signed transaction.
//!
//! Input: recipes write drafts. Output: a transaction of a block file with its real hash and a real
//! signature.

use starkiln::protocol::TokenPrices;
use starkiln::replay::{FileTransaction, FileTransactionBody};
use starkiln::transaction::ExecutionFlags;
use starknet_api::abi::abi_utils::selector_from_name;
use starknet_api::block::GasPrice;
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, EntryPointSelector, Nonce};
use starknet_api::data_availability::DataAvailabilityMode;
use starknet_api::execution_resources::GasAmount;
use starknet_api::transaction::fields::{
    AllResourceBounds, Calldata, ContractAddressSalt, Fee, ProofFacts, ResourceBounds, Tip,
    TransactionSignature, ValidResourceBounds,
};
use starknet_api::transaction::{
    DeclareTransaction, DeclareTransactionV0V1, DeclareTransactionV2, DeclareTransactionV3,
    DeployAccountTransaction, DeployAccountTransactionV1, DeployAccountTransactionV3, InvokeTransaction,
    InvokeTransactionV0, InvokeTransactionV1, InvokeTransactionV3, L1HandlerTransaction, TransactionHash,
    TransactionHasher, TransactionVersion,
};
use starknet_types_core::felt::Felt;

use super::accounts::{Account, AccountKind, Newcomer};
use super::fit::Fit;
use super::world::World;
use crate::fixture::workload::sign;

/// A call from an account.
#[derive(Clone, Debug)]
pub struct Call {
    /// The contract.
    pub to: Felt,
    /// The entry point.
    pub selector: Felt,
    /// The arguments.
    pub calldata: Vec<Felt>,
}

/// A call of a named entry point.
pub fn call(to: u128, name: &str, calldata: Vec<Felt>) -> Call {
    Call { to: Felt::from(to), selector: selector(name), calldata }
}

/// The selector of a name.
pub fn selector(name: &str) -> Felt {
    selector_from_name(name).0
}

/// A list as Cairo reads it: its length, then its members.
pub fn span(list: &[Felt]) -> Vec<Felt> {
    let mut out = vec![Felt::from(list.len())];
    out.extend(list);
    out
}

/// A 256-bit number: low half, high half.
pub fn wide(low: u128) -> Vec<Felt> {
    vec![Felt::from(low), Felt::ZERO]
}

/// The resource bounds.
#[derive(Clone, Debug)]
pub enum Bounds {
    /// Amounts of all three gases, and a factor for the block's prices in hundredths.
    All {
        /// L1 gas.
        l1: u64,
        /// L1 data gas.
        data: u64,
        /// L2 gas.
        l2: u64,
        /// 100 is the block's price.
        price: u128,
    },
    /// Only L1 gas.
    L1 {
        /// The amount.
        amount: u64,
        /// 100 is the block's price.
        price: u128,
    },
    /// Exact bounds: L1 gas, L1 data gas, L2 gas; each with an amount and a price.
    Exactly([(u64, u128); 3]),
}

impl Bounds {
    /// Bounds that suffice for every demo transaction.
    pub const ENOUGH: Self = Self::All { l1: 300_000, data: 60_000, l2: 300_000_000, price: 200 };
    /// The same with L1 gas alone.
    pub const ENOUGH_L1: Self = Self::L1 { amount: 600_000, price: 200 };

    fn bounds(&self, prices: &TokenPrices) -> ValidResourceBounds {
        let bound = |amount, price: GasPrice, factor: u128| ResourceBounds {
            max_amount: GasAmount(amount),
            max_price_per_unit: GasPrice(price.0.saturating_mul(factor) / 100),
        };
        match *self {
            Self::All { l1, data, l2, price } => ValidResourceBounds::AllResources(AllResourceBounds {
                l1_gas: bound(l1, prices.l1_gas, price),
                l2_gas: bound(l2, prices.l2_gas, price),
                l1_data_gas: bound(data, prices.l1_data_gas, price),
            }),
            Self::L1 { amount, price } => ValidResourceBounds::L1Gas(bound(amount, prices.l1_gas, price)),
            Self::Exactly([l1, data, l2]) => {
                let exactly = |(amount, price)| bound(amount, GasPrice(price), 100);
                ValidResourceBounds::AllResources(AllResourceBounds {
                    l1_gas: exactly(l1),
                    l2_gas: exactly(l2),
                    l1_data_gas: exactly(data),
                })
            }
        }
    }
}

/// The signature.
#[derive(Clone, Debug)]
pub enum Signing {
    /// Properly.
    Right,
    /// With another key.
    WrongKey,
    /// With these felts.
    Felts(Vec<Felt>),
}

/// The action.
#[derive(Clone, Debug)]
pub enum Action {
    /// Calls.
    Invoke(Vec<Call>),
    /// Calls `__execute__` with calldata that may be nonsense.
    InvokeRaw(Vec<Felt>),
    /// Deploys an account.
    DeployAccount(Newcomer),
    /// Declares a class: its hash, its compiled class hash, as version 3.
    Declare(ClassHash, CompiledClassHash),
    /// Declares a class as version 2, at most for this fee.
    DeclareV2(ClassHash, CompiledClassHash, Fee),
    /// Calls as version 1, at most for this fee.
    InvokeV1(Vec<Call>, Fee),
    /// One call as version 0, which may be sent to any contract by anyone, at most for this fee. The sender
    /// signs.
    InvokeV0(Call, Fee),
    /// Deploys an account as version 1, at most for this fee.
    DeployAccountV1(Newcomer, Fee),
    /// Declares a Cairo 0 class as version 0.
    DeclareV0(ClassHash, Fee),
    /// Declares a Cairo 0 class as version 1, at most for this fee.
    DeclareV1(ClassHash, Fee),
    /// A message from L1: contract, entry point, calldata, what was paid.
    L1Handler(Felt, Felt, Vec<Felt>, Fee),
}

/// A transaction in the making.
#[derive(Clone, Debug)]
pub struct Draft {
    /// The action.
    pub action: Action,
    /// The sender; unused for messages from L1 and new accounts.
    pub sender: Account,
    /// The resource bounds.
    pub bounds: Bounds,
    /// The tip.
    pub tip: u64,
    /// The signature.
    pub signing: Signing,
    /// The offset added to the right nonce.
    pub nonce_off: i64,
    /// The execution flags.
    pub flags: ExecutionFlags,
    /// The limit that is fitted to the outcome.
    pub fit: Option<Fit>,
    /// The proof facts.
    pub proof_facts: Vec<Felt>,
}

impl Draft {
    /// A draft without mistakes.
    pub fn new(action: Action, sender: &Account) -> Self {
        Self {
            action,
            sender: sender.clone(),
            bounds: Bounds::ENOUGH,
            tip: 0,
            signing: Signing::Right,
            nonce_off: 0,
            flags: ExecutionFlags::default(),
            fit: None,
            proof_facts: Vec::new(),
        }
    }

    /// With other bounds.
    pub fn bounds(self, bounds: Bounds) -> Self {
        Self { bounds, ..self }
    }

    /// With a tip.
    pub fn tip(self, tip: u64) -> Self {
        Self { tip, ..self }
    }

    /// Signed otherwise.
    pub fn signing(self, signing: Signing) -> Self {
        Self { signing, ..self }
    }

    /// With a wrong nonce.
    pub fn nonce_off(self, nonce_off: i64) -> Self {
        Self { nonce_off, ..self }
    }

    /// Treated otherwise.
    pub fn flags(self, flags: ExecutionFlags) -> Self {
        Self { flags, ..self }
    }

    /// With proof facts.
    pub fn proof_facts(self, proof_facts: Vec<Felt>) -> Self {
        Self { proof_facts, ..self }
    }

    /// The account whose nonce it needs.
    pub fn nonce_address(&self) -> ContractAddress {
        match &self.action {
            Action::DeployAccount(newcomer) | Action::DeployAccountV1(newcomer, _) => newcomer.address(),
            _ => self.sender.address,
        }
    }

    /// Completes it: `nonce` is the sender's next.
    pub fn complete(self, world: &World, nonce: Nonce) -> FileTransaction {
        let nonce = Nonce(nonce.0 + Felt::from(self.nonce_off));
        let bounds = self.bounds.bounds(&world.file.block.prices.fri);
        let tip = Tip(self.tip);
        let (sender_address, mode) = (self.sender.address, DataAvailabilityMode::L1);
        let chain = &world.file.chain.chain_id;
        let mut key = self.sender.private_key;
        let hashed = |transaction: &dyn Hashed| transaction.hash_at(world);
        let (hash, mut body) = match self.action {
            Action::Invoke(_) | Action::InvokeRaw(_) => {
                let calldata = match &self.action {
                    Action::Invoke(calls) => self.sender.execute_calldata(calls),
                    Action::InvokeRaw(calldata) => calldata.clone(),
                    _ => Vec::new(),
                };
                let invoke = InvokeTransactionV3 {
                    resource_bounds: bounds,
                    tip,
                    signature: TransactionSignature::default(),
                    nonce,
                    sender_address,
                    calldata: Calldata(calldata.into()),
                    nonce_data_availability_mode: mode,
                    fee_data_availability_mode: mode,
                    paymaster_data: Default::default(),
                    account_deployment_data: Default::default(),
                    proof_facts: ProofFacts(self.proof_facts.into()),
                };
                (hashed(&invoke), FileTransactionBody::Invoke(InvokeTransaction::V3(invoke)))
            }
            Action::DeployAccount(newcomer) => {
                key = newcomer.private_key;
                let deploy = DeployAccountTransactionV3 {
                    resource_bounds: bounds,
                    tip,
                    signature: TransactionSignature::default(),
                    nonce,
                    class_hash: newcomer.class_hash,
                    contract_address_salt: ContractAddressSalt(newcomer.salt),
                    constructor_calldata: Calldata(newcomer.arguments.clone().into()),
                    nonce_data_availability_mode: mode,
                    fee_data_availability_mode: mode,
                    paymaster_data: Default::default(),
                };
                (hashed(&deploy), FileTransactionBody::DeployAccount(DeployAccountTransaction::V3(deploy)))
            }
            Action::Declare(class_hash, compiled_class_hash) => {
                let declare = DeclareTransactionV3 {
                    resource_bounds: bounds,
                    tip,
                    signature: TransactionSignature::default(),
                    nonce,
                    class_hash,
                    compiled_class_hash,
                    sender_address,
                    nonce_data_availability_mode: mode,
                    fee_data_availability_mode: mode,
                    paymaster_data: Default::default(),
                    account_deployment_data: Default::default(),
                };
                (hashed(&declare), FileTransactionBody::Declare(DeclareTransaction::V3(declare)))
            }
            Action::DeclareV2(class_hash, compiled_class_hash, max_fee) => {
                let declare = DeclareTransactionV2 {
                    max_fee,
                    signature: TransactionSignature::default(),
                    nonce,
                    class_hash,
                    compiled_class_hash,
                    sender_address,
                };
                let hash = declare.calculate_transaction_hash(chain, &TransactionVersion::TWO);
                (
                    hash.expect("it can be hashed"),
                    FileTransactionBody::Declare(DeclareTransaction::V2(declare)),
                )
            }
            Action::InvokeV1(calls, max_fee) => {
                let invoke = InvokeTransactionV1 {
                    max_fee,
                    signature: TransactionSignature::default(),
                    nonce,
                    sender_address,
                    calldata: Calldata(self.sender.execute_calldata(&calls).into()),
                };
                let hash = invoke.calculate_transaction_hash(chain, &TransactionVersion::ONE);
                (hash.expect("it can be hashed"), FileTransactionBody::Invoke(InvokeTransaction::V1(invoke)))
            }
            Action::InvokeV0(call, max_fee) => {
                let invoke = InvokeTransactionV0 {
                    max_fee,
                    signature: TransactionSignature::default(),
                    contract_address: ContractAddress::try_from(call.to).expect("an address of ours"),
                    entry_point_selector: EntryPointSelector(call.selector),
                    calldata: Calldata(call.calldata.into()),
                };
                let hash = invoke.calculate_transaction_hash(chain, &TransactionVersion::ZERO);
                (hash.expect("it can be hashed"), FileTransactionBody::Invoke(InvokeTransaction::V0(invoke)))
            }
            Action::DeployAccountV1(newcomer, max_fee) => {
                key = newcomer.private_key;
                let deploy = DeployAccountTransactionV1 {
                    max_fee,
                    signature: TransactionSignature::default(),
                    nonce,
                    class_hash: newcomer.class_hash,
                    contract_address_salt: ContractAddressSalt(newcomer.salt),
                    constructor_calldata: Calldata(newcomer.arguments.clone().into()),
                };
                let hash = deploy.calculate_transaction_hash(chain, &TransactionVersion::ONE);
                let body = FileTransactionBody::DeployAccount(DeployAccountTransaction::V1(deploy));
                (hash.expect("it can be hashed"), body)
            }
            Action::DeclareV0(class_hash, max_fee) => {
                let declare =
                    old_declare(class_hash, max_fee, Nonce::default(), ContractAddress::from(1_u128));
                // Its hash has no nonce and no fee; the executors take what they are given.
                let hash =
                    TransactionHash(starknet_crypto::pedersen_hash(&class_hash.0, &Felt::from(max_fee.0)));
                (hash, FileTransactionBody::Declare(DeclareTransaction::V0(declare)))
            }
            Action::DeclareV1(class_hash, max_fee) => {
                let declare = old_declare(class_hash, max_fee, nonce, sender_address);
                let hash = DeclareTransaction::V1(declare.clone())
                    .calculate_transaction_hash(chain, &TransactionVersion::ONE)
                    .expect("it can be hashed");
                (hash, FileTransactionBody::Declare(DeclareTransaction::V1(declare)))
            }
            Action::L1Handler(to, selector, calldata, paid_fee_on_l1) => {
                let transaction = L1HandlerTransaction {
                    version: TransactionVersion::ZERO,
                    nonce,
                    contract_address: ContractAddress::try_from(to).expect("an address of ours"),
                    entry_point_selector: EntryPointSelector(selector),
                    calldata: Calldata(calldata.into()),
                };
                let hash = transaction.calculate_transaction_hash(chain, &TransactionVersion::ZERO);
                let body = FileTransactionBody::L1Handler { transaction, paid_fee_on_l1 };
                (hash.expect("it can be hashed"), body)
            }
        };
        let felts = match self.signing {
            Signing::Right => sign(&key, &hash.0),
            Signing::WrongKey => sign(&(key + Felt::ONE), &hash.0),
            Signing::Felts(felts) => felts,
        };
        let signed = TransactionSignature(felts.into());
        if let Some(signature) = signature(&mut body) {
            *signature = signed;
        }
        FileTransaction { hash, body, flags: self.flags }
    }
}

/// A version 3 transaction that can be hashed.
trait Hashed {
    fn hash_at(&self, world: &World) -> TransactionHash;
}

impl<T: TransactionHasher> Hashed for T {
    fn hash_at(&self, world: &World) -> TransactionHash {
        self.calculate_transaction_hash(&world.file.chain.chain_id, &TransactionVersion::THREE)
            .expect("it can be hashed")
    }
}

/// The signature of a transaction.
fn signature(body: &mut FileTransactionBody) -> Option<&mut TransactionSignature> {
    Some(match body {
        FileTransactionBody::Invoke(InvokeTransaction::V0(transaction)) => &mut transaction.signature,
        FileTransactionBody::Invoke(InvokeTransaction::V1(transaction)) => &mut transaction.signature,
        FileTransactionBody::Invoke(InvokeTransaction::V3(transaction)) => &mut transaction.signature,
        FileTransactionBody::DeployAccount(DeployAccountTransaction::V1(transaction)) => {
            &mut transaction.signature
        }
        FileTransactionBody::DeployAccount(DeployAccountTransaction::V3(transaction)) => {
            &mut transaction.signature
        }
        FileTransactionBody::Declare(
            DeclareTransaction::V0(transaction) | DeclareTransaction::V1(transaction),
        ) => &mut transaction.signature,
        FileTransactionBody::Declare(DeclareTransaction::V2(transaction)) => &mut transaction.signature,
        FileTransactionBody::Declare(DeclareTransaction::V3(transaction)) => &mut transaction.signature,
        _ => return None,
    })
}

fn old_declare(
    class_hash: ClassHash,
    max_fee: Fee,
    nonce: Nonce,
    sender_address: ContractAddress,
) -> DeclareTransactionV0V1 {
    DeclareTransactionV0V1 {
        max_fee,
        signature: TransactionSignature::default(),
        nonce,
        class_hash,
        sender_address,
    }
}

impl Account {
    /// The calldata of `__execute__`.
    pub fn execute_calldata(&self, calls: &[Call]) -> Vec<Felt> {
        match self.kind {
            AccountKind::Old | AccountKind::OldOpen => old_execute_calldata(calls),
            AccountKind::Signed | AccountKind::Open | AccountKind::Steps => execute_calldata(calls),
            AccountKind::Single => calls
                .first()
                .map_or_else(Vec::new, |call| [vec![call.to, call.selector], span(&call.calldata)].concat()),
        }
    }
}

/// Calls encoded for Cairo 1 accounts.
pub fn execute_calldata(calls: &[Call]) -> Vec<Felt> {
    let mut out = vec![Felt::from(calls.len())];
    for call in calls {
        out.extend([call.to, call.selector]);
        out.extend(span(&call.calldata));
    }
    out
}

/// Calls encoded for Cairo 0 accounts: their heads first, then one list of all arguments.
pub fn old_execute_calldata(calls: &[Call]) -> Vec<Felt> {
    let mut out = vec![Felt::from(calls.len())];
    let mut arguments = Vec::new();
    for call in calls {
        out.extend([call.to, call.selector, Felt::from(arguments.len()), Felt::from(call.calldata.len())]);
        arguments.extend(&call.calldata);
    }
    out.extend(span(&arguments));
    out
}
