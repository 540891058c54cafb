//! Plans: every kind and version of transaction becomes one [`Plan`], which says as data what to validate, to
//! run and to charge.
//!
//! Input: a [`Transaction`]. Output: a plan, or the reason why there is none. The phases ask the plan, never
//! the transaction; the kind is used after this only to look up prices that the protocol states by kind, the
//! version only where contracts see it.

use std::sync::Arc;

use starknet_api::contract_class::EntryPointType;
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, EntryPointSelector, Nonce};
use starknet_api::transaction::fields::{
    AccountDeploymentData, Calldata, Fee, GasVectorComputationMode, ProofFacts, TransactionSignature,
};
use starknet_api::transaction::{
    DeclareTransaction, DeployAccountTransaction, DeployTransaction, InvokeTransaction, L1HandlerTransaction,
    TransactionVersion,
};
use starknet_types_core::felt::Felt;

use super::cached_validation::CachedValidation;
use super::error::InvalidTransaction;
use super::input::{ExecutionFlags, Transaction, TransactionBody};
use crate::class::DeclaredClass;
use crate::protocol::{TransactionKind, well_known};
use crate::syscall::{BoundTerms, FeeTerms, TransactionInfo};

/// Everything that the phases of a transaction need to know of it.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    /// The kind, for prices by kind.
    pub kind: TransactionKind,
    /// The transaction as contracts see it.
    pub info: Arc<TransactionInfo>,
    /// The host's flags; fees are charged to accounts only.
    pub flags: ExecutionFlags,
    /// The validation call; `None` when the kind, the version or the flags exclude one (C15).
    pub validation: Option<EntryCall>,
    /// The result of the validation call, if it was carried out before.
    pub cached_validation: Option<Arc<CachedValidation>>,
    /// The work.
    pub work: Work,
    /// The constructor runs before validation (C12).
    pub executes_first: bool,
    /// A failed execution is reverted and charged, not rejected (C11, C44).
    pub is_revertible: bool,
    /// A sequencer without accounts declares its first classes: no admission, no validation, no receipt.
    pub is_bootstrap: bool,
    /// The sender is an account; false for messages from L1 and for deployments of version 0.
    pub has_account: bool,
    /// The account's nonce is checked and incremented (C3).
    pub has_nonce: bool,
    /// The payer of the fee.
    pub payer: Payer,
    /// Length of calldata and proof facts, or of a message from L1 without its sender, in felts (C48, C150).
    pub extended_calldata_length: u64,
    /// Size of the declared code, in bytes.
    pub code_size: u64,
}

/// The payer of a transaction's fee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Payer {
    /// The sender, by a fee transfer.
    Sender,
    /// The sender of a message, on L1 and in advance (C46, C47).
    L1 {
        /// The amount, in wei.
        paid: Fee,
    },
    /// None: deployments cost nothing, nor do declarations of version 0, by which the first account of a
    /// chain is declared.
    None,
}

/// An entry point with its arguments.
#[derive(Clone, Debug)]
pub(crate) struct EntryCall {
    /// The entry point.
    pub selector: EntryPointSelector,
    /// The arguments.
    pub calldata: Calldata,
}

/// The work of a transaction, besides its validation.
#[derive(Clone, Debug)]
pub(crate) enum Work {
    /// Calls the account, or the handler of a message.
    Call {
        /// External or L1 handler.
        entry_point_type: EntryPointType,
        /// The entry point.
        call: EntryCall,
    },
    /// Declares a class.
    Declare {
        /// The class's hash.
        class_hash: ClassHash,
        /// The compiled class hash that the transaction commits to; Cairo 0 has none.
        compiled_class_hash: Option<CompiledClassHash>,
        /// The compiled class hash must be the Blake hash of the class, where the protocol version demands it
        /// (C39).
        is_hash_checked: bool,
        /// The class.
        class: DeclaredClass,
    },
    /// Deploys the account, or a contract.
    Deploy {
        /// The class hash of the contract.
        class_hash: ClassHash,
        /// The constructor's arguments.
        calldata: Calldata,
    },
}

/// The means of validating a transaction before it is in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum PreValidation {
    /// None: no account sends it.
    None,
    /// Admission and the validation call.
    Validate,
    /// Execution: its validation cannot be separated from the work.
    Execute,
}

/// The sender as which a sequencer without accounts declares its first classes: `BOOTSTRAP` as a short
/// string.
const BOOTSTRAP_SENDER: &str = "0x424f4f545354524150";

impl Plan {
    /// Plans a transaction. A declaration whose class does not fit its version is refused before the state is
    /// read (C5).
    pub(crate) fn new(transaction: &Transaction) -> Result<Self, InvalidTransaction> {
        let mut plan = match &transaction.body {
            TransactionBody::Invoke(invoke) => plan_invoke(invoke),
            TransactionBody::Declare { transaction, class } => plan_declare(transaction, class)?,
            TransactionBody::DeployAccount { transaction, address } => {
                plan_deploy_account(transaction, *address)
            }
            TransactionBody::Deploy { transaction, address } => plan_deploy(transaction, *address),
            TransactionBody::L1Handler { transaction, paid_fee_on_l1 } => {
                plan_l1_handler(transaction, *paid_fee_on_l1)
            }
        };
        let flags = transaction.flags;
        plan.flags = ExecutionFlags { charge_fee: flags.charge_fee && plan.has_account, ..flags };
        plan.is_bootstrap &= !flags.charge_fee;
        if plan.is_bootstrap || !flags.validate {
            plan.validation = None;
        }
        plan.has_nonce &= plan.has_account && !plan.is_bootstrap;
        plan.cached_validation.clone_from(&transaction.cached_validation);
        let info = Arc::make_mut(&mut plan.info);
        info.hash = transaction.hash;
        info.query = flags.query && !matches!(plan.payer, Payer::L1 { .. });
        Ok(plan)
    }

    fn base(kind: TransactionKind, info: TransactionInfo, validation: Option<EntryCall>, work: Work) -> Self {
        Self {
            kind,
            flags: ExecutionFlags::default(),
            validation,
            cached_validation: None,
            work,
            executes_first: false,
            is_revertible: false,
            is_bootstrap: false,
            has_account: true,
            has_nonce: info.version != TransactionVersion::ZERO,
            payer: Payer::Sender,
            extended_calldata_length: 0,
            code_size: 0,
            info: Arc::new(info),
        }
    }

    /// Returns how the transaction can be validated before it is in a block.
    pub(crate) fn pre_validation(&self) -> PreValidation {
        match self.work {
            _ if !self.has_account => PreValidation::None,
            Work::Call { .. } => PreValidation::Validate,
            Work::Declare { .. } | Work::Deploy { .. } => PreValidation::Execute,
        }
    }

    /// Returns how the receipt counts L2 gas: as a resource of its own, or in units of L1 gas (C47).
    pub(crate) fn gas_mode(&self) -> GasVectorComputationMode {
        match self.payer {
            Payer::L1 { .. } => GasVectorComputationMode::All,
            Payer::Sender | Payer::None => self.info.gas_mode(),
        }
    }

    /// The length of the signature, in felts.
    pub(crate) fn signature_length(&self) -> u64 {
        length(&self.info.signature.0)
    }

    /// The payload length of the message from L1 that is consumed, in felts.
    pub(crate) fn l1_handler_payload(&self) -> Option<u64> {
        matches!(self.payer, Payer::L1 { .. }).then_some(self.extended_calldata_length)
    }

    /// Returns `true` if the transaction has a client-side proof.
    pub(crate) fn has_proof(&self) -> bool {
        matches!(&self.info.terms, FeeTerms::Bounds(terms) if !terms.proof_facts.0.is_empty())
    }
}

fn length<T>(felts: &[T]) -> u64 {
    u64::try_from(felts.len()).unwrap_or(u64::MAX)
}

/// The version, sender, signature and nonce of a transaction.
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

/// The fee terms of a version 3 transaction; the field names are the same for all kinds.
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
    // Version 0 calls any entry point, without validation or revert; later versions are validated with the
    // execution's arguments.
    let is_validated = identity.version != TransactionVersion::ZERO;
    let validation =
        is_validated.then(|| EntryCall { selector: well_known::VALIDATE, calldata: calldata.clone() });
    let call = EntryCall { selector, calldata: calldata.clone() };
    let work = Work::Call { entry_point_type: EntryPointType::External, call };
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
    if version == TransactionVersion::ZERO {
        plan.payer = Payer::None;
    }
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
    plan.executes_first = true;
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
    plan.has_account = false;
    plan.payer = Payer::None;
    plan.extended_calldata_length = length;
    plan
}

fn plan_l1_handler(transaction: &L1HandlerTransaction, paid: Fee) -> Plan {
    let identity = Identity {
        version: transaction.version,
        sender: transaction.contract_address,
        signature: &TransactionSignature::default(),
        nonce: transaction.nonce,
    };
    let call =
        EntryCall { selector: transaction.entry_point_selector, calldata: transaction.calldata.clone() };
    let work = Work::Call { entry_point_type: EntryPointType::L1Handler, call };
    let info = identity.info(FeeTerms::MaxFee(Fee(0)));
    let mut plan = Plan::base(TransactionKind::L1Handler, info, None, work);
    plan.has_account = false;
    plan.is_revertible = true;
    plan.payer = Payer::L1 { paid };
    plan.extended_calldata_length = length(&transaction.calldata.0).saturating_sub(1);
    plan
}
