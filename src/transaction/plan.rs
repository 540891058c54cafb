//! The door: every kind and version of transaction becomes one plan. Behind it nobody asks for either.

use std::sync::Arc;

use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, EntryPointSelector, Nonce};
use starknet_api::transaction::fields::{
    AccountDeploymentData, Calldata, Fee, ProofFacts, TransactionSignature,
};
use starknet_api::transaction::{
    DeclareTransaction, DeployAccountTransaction, DeployTransaction, InvokeTransaction, TransactionVersion,
};
use starknet_types_core::felt::Felt;

use super::cached_validation::CachedValidation;
use super::error::InvalidTransaction;
use super::input::{ExecutionFlags, Transaction, TransactionBody};
use crate::class::DeclaredClass;
use crate::protocol::{TransactionKind, well_known};
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
    /// The same as it was carried out before, if it was.
    pub validated: Option<Arc<CachedValidation>>,
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
        /// The compiled class hash that the transaction commits to; Cairo 0 has none.
        compiled_class_hash: Option<CompiledClassHash>,
        /// Whether that must be the class's hash of the second kind, where the version demands it (C39).
        is_hash_checked: bool,
        /// The class.
        class: DeclaredClass,
    },
    /// Deploy the account, or any contract.
    Deploy {
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
            TransactionBody::Invoke(invoke) => plan_invoke(invoke),
            TransactionBody::Declare { transaction, class } => plan_declare(transaction, class)?,
            TransactionBody::DeployAccount { transaction, address } => {
                plan_deploy_account(transaction, *address)
            }
            TransactionBody::Deploy { transaction, address } => plan_deploy(transaction, *address),
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
        plan.validated.clone_from(&transaction.validated);
        // Deploying never cost anything.
        plan.flags.charge_fee &= plan.kind != TransactionKind::Deploy;
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
            validated: None,
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

fn plan_invoke(transaction: &InvokeTransaction) -> Plan {
    let (identity, terms, selector, calldata, proof_facts) = match transaction {
        InvokeTransaction::V0(invoke) => (
            Identity {
                version: TransactionVersion::ZERO,
                sender: invoke.contract_address,
                signature: &invoke.signature,
                nonce: Nonce::default(),
            },
            FeeTerms::MaxFee(invoke.max_fee),
            invoke.entry_point_selector,
            &invoke.calldata,
            0,
        ),
        InvokeTransaction::V1(invoke) => (
            Identity {
                version: TransactionVersion::ONE,
                sender: invoke.sender_address,
                signature: &invoke.signature,
                nonce: invoke.nonce,
            },
            FeeTerms::MaxFee(invoke.max_fee),
            well_known::EXECUTE,
            &invoke.calldata,
            0,
        ),
        InvokeTransaction::V3(invoke) => (
            Identity {
                version: TransactionVersion::THREE,
                sender: invoke.sender_address,
                signature: &invoke.signature,
                nonce: invoke.nonce,
            },
            bound_terms!(invoke, invoke.account_deployment_data.clone(), invoke.proof_facts.clone()),
            well_known::EXECUTE,
            &invoke.calldata,
            length(&invoke.proof_facts.0),
        ),
    };
    // Version 0 calls any entry point, unasked and irrevocably; later ones are validated with the execution's own arguments.
    let is_validated = identity.version != TransactionVersion::ZERO;
    let validation =
        is_validated.then(|| EntryCall { selector: well_known::VALIDATE, calldata: calldata.clone() });
    let work = Work::Invoke(EntryCall { selector, calldata: calldata.clone() });
    let mut plan = Plan::base(TransactionKind::Invoke, identity.info(terms), validation, work);
    plan.is_revertible = is_validated;
    plan.extended_calldata_length = length(&calldata.0).saturating_add(proof_facts);
    plan
}

fn plan_declare(transaction: &DeclareTransaction, class: &DeclaredClass) -> Result<Plan, InvalidTransaction> {
    let (identity, terms, class_hash, compiled_class_hash) = match transaction {
        DeclareTransaction::V0(declare) | DeclareTransaction::V1(declare) => (
            Identity {
                version: transaction.version(),
                sender: declare.sender_address,
                signature: &declare.signature,
                nonce: declare.nonce,
            },
            FeeTerms::MaxFee(declare.max_fee),
            declare.class_hash,
            None,
        ),
        DeclareTransaction::V2(declare) => (
            Identity {
                version: TransactionVersion::TWO,
                sender: declare.sender_address,
                signature: &declare.signature,
                nonce: declare.nonce,
            },
            FeeTerms::MaxFee(declare.max_fee),
            declare.class_hash,
            Some(declare.compiled_class_hash),
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
            Some(declare.compiled_class_hash),
        ),
    };
    let version = identity.version;
    if class.class.is_cairo1() != compiled_class_hash.is_some() {
        return Err(InvalidTransaction::ClassLanguage { version });
    }
    let is_version_3 = version == TransactionVersion::THREE;
    let bootstrap = Felt::from_hex_unchecked(BOOTSTRAP_SENDER);
    let is_bootstrap =
        is_version_3 && *identity.sender.0.key() == bootstrap && identity.nonce == Nonce::default();
    let validation = (version != TransactionVersion::ZERO).then(|| EntryCall {
        selector: well_known::VALIDATE_DECLARE,
        calldata: Calldata(vec![class_hash.0].into()),
    });
    let work = Work::Declare {
        class_hash,
        compiled_class_hash,
        is_hash_checked: is_version_3,
        class: class.clone(),
    };
    let mut plan = Plan::base(TransactionKind::Declare, identity.info(terms), validation, work);
    plan.is_bootstrap = is_bootstrap;
    plan.code_size = class.code_size();
    Ok(plan)
}

fn plan_deploy_account(transaction: &DeployAccountTransaction, address: ContractAddress) -> Plan {
    let (version, terms, signature, nonce, class_hash, salt, constructor) = match transaction {
        DeployAccountTransaction::V1(deploy) => (
            TransactionVersion::ONE,
            FeeTerms::MaxFee(deploy.max_fee),
            &deploy.signature,
            deploy.nonce,
            deploy.class_hash,
            deploy.contract_address_salt,
            &deploy.constructor_calldata,
        ),
        DeployAccountTransaction::V3(deploy) => (
            TransactionVersion::THREE,
            bound_terms!(deploy, AccountDeploymentData::default(), ProofFacts::default()),
            &deploy.signature,
            deploy.nonce,
            deploy.class_hash,
            deploy.contract_address_salt,
            &deploy.constructor_calldata,
        ),
    };
    let mut arguments = vec![class_hash.0, salt.0];
    arguments.extend(constructor.0.iter().copied());
    let validation =
        EntryCall { selector: well_known::VALIDATE_DEPLOY, calldata: Calldata(arguments.into()) };
    let work = Work::Deploy { class_hash, calldata: constructor.clone() };
    let info = Identity { version, sender: address, signature, nonce }.info(terms);
    let mut plan = Plan::base(TransactionKind::DeployAccount, info, Some(validation), work);
    plan.extended_calldata_length = length(&constructor.0);
    plan
}

fn plan_deploy(transaction: &DeployTransaction, address: ContractAddress) -> Plan {
    let identity = Identity {
        version: transaction.version,
        sender: address,
        signature: &TransactionSignature::default(),
        nonce: Nonce::default(),
    };
    let calldata = transaction.constructor_calldata.clone();
    let length = length(&calldata.0);
    let work = Work::Deploy { class_hash: transaction.class_hash, calldata };
    let info = identity.info(FeeTerms::MaxFee(Fee(0)));
    let mut plan = Plan::base(TransactionKind::Deploy, info, None, work);
    plan.has_nonce = false;
    plan.extended_calldata_length = length;
    plan
}
