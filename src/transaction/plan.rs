//! The door: every kind and version of transaction becomes one plan. Behind it nobody asks for either.

use std::sync::Arc;

use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, EntryPointSelector, Nonce};
use starknet_api::transaction::fields::{
    AccountDeploymentData, Calldata, Fee, ProofFacts, TransactionSignature,
};
use starknet_api::transaction::{
    DeclareTransaction, DeployAccountTransaction, InvokeTransaction, TransactionVersion,
};

use super::error::{InvalidTransaction, UnsupportedTransaction};
use super::input::{ExecutionFlags, Transaction, TransactionBody};
use crate::class::DeclaredClass;
use crate::protocol::{TransactionKind, names};
use crate::syscall::{BoundTerms, FeeTerms, TransactionInfo};

/// What to validate, to run and to charge.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// For the prices that go by kind.
    pub kind: TransactionKind,
    /// What contracts see of it.
    pub info: Arc<TransactionInfo>,
    /// How to treat it.
    pub flags: ExecutionFlags,
    /// The validation call; `None` when the kind, the version or the flags know none (C15).
    pub validation: Option<EntryCall>,
    /// What to run.
    pub work: Work,
    /// Whether a failed execution is reverted rather than rejected (C11).
    pub is_revertible: bool,
    /// Whether a sequencer without accounts declares its first classes with it.
    pub is_bootstrap: bool,
    /// Whether the account's nonce is checked and moved on (C3).
    pub has_nonce: bool,
    /// Calldata and proof facts, in felts.
    pub extended_calldata_length: u64,
    /// Size of the declared code, in bytes.
    pub code_size: u64,
}

/// An entry point with its arguments.
#[derive(Clone, Debug)]
pub(crate) struct EntryCall {
    /// Which.
    pub selector: EntryPointSelector,
    /// The arguments.
    pub calldata: Calldata,
}

/// What a transaction runs besides its validation.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// Call the account.
    Invoke(EntryCall),
    /// Declare a class.
    Declare {
        /// The class's hash.
        class_hash: ClassHash,
        /// The compiled class hash that the transaction commits to.
        compiled_class_hash: CompiledClassHash,
        /// Whether that must be the class's hash of the second kind, where the version demands it (C39).
        is_hash_checked: bool,
        /// The class.
        class: DeclaredClass,
    },
    /// Deploy the account.
    DeployAccount {
        /// Its class.
        class_hash: ClassHash,
        /// The constructor's arguments.
        calldata: Calldata,
    },
    /// Handle a message.
    L1Handler {
        /// The handler.
        call: EntryCall,
        /// Length of the message, without its sender, in felts.
        payload_length: u64,
        /// What was paid for it, in wei.
        paid_fee: Fee,
    },
}

/// The sender that a sequencer without accounts declares its first classes as: `BOOTSTRAP` as a short string.
const BOOTSTRAP_SENDER: &str = "0x424f4f545354524150";

impl Plan {
    /// Plans a transaction; unknown versions are refused before anything is read (C5).
    pub(crate) fn new(transaction: &Transaction) -> Result<Self, InvalidTransaction> {
        let mut plan = match &transaction.body {
            TransactionBody::Invoke(invoke) => plan_invoke(invoke)?,
            TransactionBody::Declare { transaction, class } => plan_declare(transaction, class)?,
            TransactionBody::DeployAccount { transaction, address } => {
                plan_deploy_account(transaction, *address)?
            }
            TransactionBody::L1Handler { transaction, paid_fee_on_l1 } => {
                let payload_length = length(&transaction.calldata.0).saturating_sub(1);
                let info = TransactionInfo {
                    hash: Default::default(),
                    version: transaction.version,
                    query: false,
                    sender: transaction.contract_address,
                    signature: TransactionSignature::default(),
                    nonce: transaction.nonce,
                    terms: FeeTerms::MaxFee(Fee(0)),
                };
                let call = EntryCall {
                    selector: transaction.entry_point_selector,
                    calldata: transaction.calldata.clone(),
                };
                let work = Work::L1Handler { call, payload_length, paid_fee: *paid_fee_on_l1 };
                let mut plan = Self::base(TransactionKind::L1Handler, info, None, work);
                plan.extended_calldata_length = payload_length;
                plan
            }
        };
        plan.flags = transaction.flags;
        if !transaction.flags.validate {
            plan.validation = None;
        }
        let info = Arc::make_mut(&mut plan.info);
        info.hash = transaction.hash;
        info.query = transaction.flags.query && plan.kind != TransactionKind::L1Handler;
        plan.is_bootstrap = plan.is_bootstrap && !transaction.flags.charge_fee;
        Ok(plan)
    }

    fn base(kind: TransactionKind, info: TransactionInfo, validation: Option<EntryCall>, work: Work) -> Self {
        Self {
            kind,
            has_nonce: info.version != TransactionVersion::ZERO,
            info: Arc::new(info),
            flags: ExecutionFlags::default(),
            validation,
            work,
            is_revertible: false,
            is_bootstrap: false,
            extended_calldata_length: 0,
            code_size: 0,
        }
    }

    /// Whether there is no account behind it.
    pub(crate) fn is_l1_handler(&self) -> bool {
        matches!(self.work, Work::L1Handler { .. })
    }

    /// Length of the signature, in felts.
    pub(crate) fn signature_length(&self) -> u64 {
        length(&self.info.signature.0)
    }

    /// Whether it comes with a client-side proof.
    pub(crate) fn has_proof(&self) -> bool {
        matches!(&self.info.terms, FeeTerms::Bounds(terms) if !terms.proof_facts.0.is_empty())
    }
}

fn length<T>(felts: &[T]) -> u64 {
    u64::try_from(felts.len()).unwrap_or(u64::MAX)
}

/// Who sends a transaction, with what signature and nonce, in which version.
struct Identity<'a> {
    version: TransactionVersion,
    sender: ContractAddress,
    signature: &'a TransactionSignature,
    nonce: Nonce,
}

impl Identity<'_> {
    fn info(self, terms: FeeTerms) -> TransactionInfo {
        TransactionInfo {
            hash: Default::default(),
            version: self.version,
            query: false,
            sender: self.sender,
            signature: self.signature.clone(),
            nonce: self.nonce,
            terms,
        }
    }
}

/// Terms of a version 3 transaction; all kinds name their fields alike.
macro_rules! bound_terms {
    ($transaction:expr, $deployment:expr, $facts:expr) => {
        FeeTerms::Bounds(Arc::new(BoundTerms {
            bounds: $transaction.resource_bounds,
            tip: $transaction.tip,
            nonce_data_availability: $transaction.nonce_data_availability_mode,
            fee_data_availability: $transaction.fee_data_availability_mode,
            paymaster_data: $transaction.paymaster_data.clone(),
            account_deployment_data: $deployment,
            proof_facts: $facts,
        }))
    };
}

fn plan_invoke(transaction: &InvokeTransaction) -> Result<Plan, InvalidTransaction> {
    let InvokeTransaction::V3(invoke) = transaction else {
        return Err(unsupported(TransactionKind::Invoke, transaction.version()));
    };
    let terms = bound_terms!(invoke, invoke.account_deployment_data.clone(), invoke.proof_facts.clone());
    let identity = Identity {
        version: TransactionVersion::THREE,
        sender: invoke.sender_address,
        signature: &invoke.signature,
        nonce: invoke.nonce,
    };
    let calldata = &invoke.calldata;
    // Validation gets the same arguments as the execution.
    let validation = EntryCall { selector: names::VALIDATE, calldata: calldata.clone() };
    let work = Work::Invoke(EntryCall { selector: names::EXECUTE, calldata: calldata.clone() });
    let mut plan = Plan::base(TransactionKind::Invoke, identity.info(terms), Some(validation), work);
    plan.is_revertible = true;
    plan.extended_calldata_length = length(&calldata.0).saturating_add(length(&invoke.proof_facts.0));
    Ok(plan)
}

fn plan_declare(transaction: &DeclareTransaction, class: &DeclaredClass) -> Result<Plan, InvalidTransaction> {
    let (identity, terms, class_hash, compiled_class_hash) = match transaction {
        DeclareTransaction::V2(declare) => (
            Identity {
                version: TransactionVersion::TWO,
                sender: declare.sender_address,
                signature: &declare.signature,
                nonce: declare.nonce,
            },
            FeeTerms::MaxFee(declare.max_fee),
            declare.class_hash,
            declare.compiled_class_hash,
        ),
        DeclareTransaction::V3(declare) => (
            Identity {
                version: TransactionVersion::THREE,
                sender: declare.sender_address,
                signature: &declare.signature,
                nonce: declare.nonce,
            },
            bound_terms!(declare, declare.account_deployment_data.clone(), ProofFacts::default()),
            declare.class_hash,
            declare.compiled_class_hash,
        ),
        older => return Err(unsupported(TransactionKind::Declare, older.version())),
    };
    let is_version_3 = identity.version == TransactionVersion::THREE;
    let bootstrap = starknet_types_core::felt::Felt::from_hex_unchecked(BOOTSTRAP_SENDER);
    let is_bootstrap =
        is_version_3 && *identity.sender.0.key() == bootstrap && identity.nonce == Nonce::default();
    let validation =
        EntryCall { selector: names::VALIDATE_DECLARE, calldata: Calldata(vec![class_hash.0].into()) };
    let work = Work::Declare {
        class_hash,
        compiled_class_hash,
        is_hash_checked: is_version_3,
        class: class.clone(),
    };
    let mut plan = Plan::base(TransactionKind::Declare, identity.info(terms), Some(validation), work);
    plan.is_bootstrap = is_bootstrap;
    plan.code_size = class.code_size();
    Ok(plan)
}

fn plan_deploy_account(
    transaction: &DeployAccountTransaction,
    address: ContractAddress,
) -> Result<Plan, InvalidTransaction> {
    let DeployAccountTransaction::V3(deploy) = transaction else {
        return Err(unsupported(TransactionKind::DeployAccount, transaction.version()));
    };
    let terms = bound_terms!(deploy, AccountDeploymentData::default(), ProofFacts::default());
    let identity = Identity {
        version: TransactionVersion::THREE,
        sender: address,
        signature: &deploy.signature,
        nonce: deploy.nonce,
    };
    let constructor = &deploy.constructor_calldata;
    let mut arguments = vec![deploy.class_hash.0, deploy.contract_address_salt.0];
    arguments.extend(constructor.0.iter().copied());
    let validation = EntryCall { selector: names::VALIDATE_DEPLOY, calldata: Calldata(arguments.into()) };
    let work = Work::DeployAccount { class_hash: deploy.class_hash, calldata: constructor.clone() };
    let mut plan = Plan::base(TransactionKind::DeployAccount, identity.info(terms), Some(validation), work);
    plan.extended_calldata_length = length(&constructor.0);
    Ok(plan)
}

fn unsupported(kind: TransactionKind, version: TransactionVersion) -> InvalidTransaction {
    UnsupportedTransaction { kind, version }.into()
}
