//! Transactions of the rule tests, as entries of a block file.

use std::sync::Arc;

use starkiln::replay::FileTransactionBody;
use starkiln::transaction::ExecutionFlags;
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, EntryPointSelector, Nonce};
use starknet_api::data_availability::DataAvailabilityMode;
use starknet_api::transaction::fields::{
    Calldata, ContractAddressSalt, Fee, Tip, TransactionSignature, ValidResourceBounds,
};
use starknet_api::transaction::{
    DeclareTransaction, DeclareTransactionV0V1, DeclareTransactionV2, DeclareTransactionV3,
    DeployAccountTransaction, DeployAccountTransactionV3, InvokeTransaction, InvokeTransactionV0,
    InvokeTransactionV1, L1HandlerTransaction, TransactionVersion,
};
use starknet_types_core::felt::Felt;

use super::values::*;
use crate::fixture::invoke_v3;

/// A transaction for a world.
#[derive(Clone)]
pub(crate) struct Tx {
    pub(crate) body: FileTransactionBody,
    pub(super) flags: ExecutionFlags,
    pub(super) nonce: Option<u64>,
}

/// Calls of the Cairo 1 accounts.
pub(crate) fn calls(list: &[(u128, &str, Vec<Felt>)]) -> Vec<Felt> {
    let mut calldata = vec![Felt::from(list.len())];
    for (to, name, arguments) in list {
        calldata.extend(target(*to, name, arguments));
    }
    calldata
}

/// Calls of the Cairo 0 accounts.
pub(crate) fn old_calls(list: &[(u128, &str, Vec<Felt>)]) -> Vec<Felt> {
    let mut heads = vec![Felt::from(list.len())];
    let mut data: Vec<Felt> = Vec::new();
    for (to, name, arguments) in list {
        heads.extend([felt(*to), selector(name), Felt::from(data.len()), Felt::from(arguments.len())]);
        data.extend(arguments);
    }
    heads.extend(span(&data));
    heads
}

/// An invoke of version 3 with sufficient bounds.
pub(crate) fn invoke(to: u128, name: &str, calldata: Vec<Felt>) -> Tx {
    invoke_raw(ACCOUNT, calls(&[(to, name, calldata)]))
}

/// An invoke of version 3 by the Cairo 0 account.
pub(crate) fn old_invoke(to: u128, name: &str, calldata: Vec<Felt>) -> Tx {
    invoke_raw(OLD_ACCOUNT, old_calls(&[(to, name, calldata)]))
}

/// An invoke with any calldata.
pub(crate) fn invoke_raw(sender: u128, calldata: Vec<Felt>) -> Tx {
    let bounds = bounds(1_000_000, 1_000_000, 2_000_000_000);
    Tx::of(FileTransactionBody::Invoke(InvokeTransaction::V3(invoke_v3(sender, 0, calldata, bounds))))
}

/// An invoke of version 1.
pub(crate) fn invoke_v1(max_fee: u128, to: u128, name: &str, calldata: Vec<Felt>) -> Tx {
    Tx::of(FileTransactionBody::Invoke(InvokeTransaction::V1(InvokeTransactionV1 {
        max_fee: Fee(max_fee),
        signature: TransactionSignature::default(),
        nonce: Nonce::default(),
        sender_address: address(ACCOUNT),
        calldata: Calldata(Arc::new(calls(&[(to, name, calldata)]))),
    })))
}

/// An invoke of version 0: a call of the contract itself.
pub(crate) fn invoke_v0(max_fee: u128, to: u128, name: &str, calldata: Vec<Felt>) -> Tx {
    Tx::of(FileTransactionBody::Invoke(InvokeTransaction::V0(InvokeTransactionV0 {
        max_fee: Fee(max_fee),
        signature: TransactionSignature::default(),
        contract_address: address(to),
        entry_point_selector: EntryPointSelector(selector(name)),
        calldata: Calldata(Arc::new(calldata)),
    })))
}

/// A message from L1 with a fee paid on L1.
pub(crate) fn message(to: u128, name: &str, calldata: Vec<Felt>) -> Tx {
    Tx::of(FileTransactionBody::L1Handler {
        transaction: L1HandlerTransaction {
            version: TransactionVersion::ZERO,
            nonce: Nonce::default(),
            contract_address: address(to),
            entry_point_selector: EntryPointSelector(selector(name)),
            calldata: Calldata(Arc::new(calldata)),
        },
        paid_fee_on_l1: Fee(1),
    })
}

/// A declaration of version 3.
pub(crate) fn declare(class_hash: ClassHash, compiled_class_hash: CompiledClassHash) -> Tx {
    Tx::of(FileTransactionBody::Declare(DeclareTransaction::V3(DeclareTransactionV3 {
        resource_bounds: bounds(1_000_000, 1_000_000, 2_000_000_000),
        tip: Tip::ZERO,
        signature: TransactionSignature::default(),
        nonce: Nonce::default(),
        class_hash,
        compiled_class_hash,
        sender_address: address(ACCOUNT),
        nonce_data_availability_mode: DataAvailabilityMode::L1,
        fee_data_availability_mode: DataAvailabilityMode::L1,
        paymaster_data: Default::default(),
        account_deployment_data: Default::default(),
    })))
}

/// A declaration of version 2.
pub(crate) fn declare_v2(class_hash: ClassHash, compiled_class_hash: CompiledClassHash) -> Tx {
    Tx::of(FileTransactionBody::Declare(DeclareTransaction::V2(DeclareTransactionV2 {
        max_fee: Fee(MAX_FEE),
        signature: TransactionSignature::default(),
        nonce: Nonce::default(),
        class_hash,
        compiled_class_hash,
        sender_address: address(ACCOUNT),
    })))
}

/// A declaration of a Cairo 0 class, as version 0 or 1.
pub(crate) fn declare_old(version: u8, class_hash: ClassHash) -> Tx {
    let declare = DeclareTransactionV0V1 {
        max_fee: Fee(MAX_FEE),
        signature: TransactionSignature::default(),
        nonce: Nonce::default(),
        class_hash,
        sender_address: address(if version == 0 { 1 } else { ACCOUNT }),
    };
    Tx::of(FileTransactionBody::Declare(if version == 0 {
        DeclareTransaction::V0(declare)
    } else {
        DeclareTransaction::V1(declare)
    }))
}

/// A sufficient maximal fee for any transaction, in wei.
pub(crate) const MAX_FEE: u128 = 1_000_000_000_000_000;

/// The deployment of an account, version 3.
pub(crate) fn deploy_account(class_hash: ClassHash, calldata: &[Felt]) -> Tx {
    Tx::of(FileTransactionBody::DeployAccount(DeployAccountTransaction::V3(DeployAccountTransactionV3 {
        resource_bounds: bounds(1_000_000, 1_000_000, 2_000_000_000),
        tip: Tip::ZERO,
        signature: TransactionSignature::default(),
        nonce: Nonce::default(),
        class_hash,
        contract_address_salt: ContractAddressSalt(Felt::ONE),
        constructor_calldata: Calldata(Arc::new(calldata.to_vec())),
        nonce_data_availability_mode: DataAvailabilityMode::L1,
        fee_data_availability_mode: DataAvailabilityMode::L1,
        paymaster_data: Default::default(),
    })))
}

impl Tx {
    fn of(body: FileTransactionBody) -> Self {
        Self { body, flags: ExecutionFlags::default(), nonce: None }
    }

    /// The account's address, or the called contract's.
    pub(crate) fn sender(&self) -> ContractAddress {
        match &self.body {
            FileTransactionBody::Invoke(invoke) => invoke.sender_address(),
            FileTransactionBody::Declare(declare) => declare.sender_address(),
            FileTransactionBody::DeployAccount(deploy) => {
                use starknet_api::transaction::CalculateContractAddress;
                deploy.calculate_contract_address().unwrap()
            }
            FileTransactionBody::L1Handler { transaction, .. } => transaction.contract_address,
            other => panic!("{other:?}"),
        }
    }

    /// With this nonce instead of the next one.
    pub(crate) fn nonce(self, nonce: u64) -> Self {
        Self { nonce: Some(nonce), ..self }
    }

    /// With this signature, which commands the test account.
    pub(crate) fn signed(self, felts: &[Felt]) -> Self {
        self.with(|fields| *fields.signature = TransactionSignature(Arc::new(felts.to_vec())))
    }

    pub(crate) fn bounds(mut self, bounds: ValidResourceBounds) -> Self {
        match &mut self.body {
            FileTransactionBody::Invoke(InvokeTransaction::V3(invoke)) => invoke.resource_bounds = bounds,
            FileTransactionBody::Declare(DeclareTransaction::V3(declare)) => declare.resource_bounds = bounds,
            FileTransactionBody::DeployAccount(DeployAccountTransaction::V3(deploy)) => {
                deploy.resource_bounds = bounds
            }
            other => panic!("no bounds: {other:?}"),
        }
        self
    }

    pub(crate) fn tip(mut self, tip: u64) -> Self {
        match &mut self.body {
            FileTransactionBody::Invoke(InvokeTransaction::V3(invoke)) => invoke.tip = Tip(tip),
            other => panic!("no tip: {other:?}"),
        }
        self
    }

    pub(crate) fn proof(mut self, facts: Vec<Felt>) -> Self {
        match &mut self.body {
            FileTransactionBody::Invoke(InvokeTransaction::V3(invoke)) => invoke.proof_facts = facts.into(),
            other => panic!("no proof: {other:?}"),
        }
        self
    }

    /// With this fee paid on L1.
    pub(crate) fn paid(mut self, fee: u128) -> Self {
        if let FileTransactionBody::L1Handler { paid_fee_on_l1, .. } = &mut self.body {
            *paid_fee_on_l1 = Fee(fee);
        }
        self
    }

    pub(crate) fn from(mut self, sender: u128) -> Self {
        match &mut self.body {
            FileTransactionBody::Invoke(InvokeTransaction::V1(invoke)) => {
                invoke.sender_address = address(sender)
            }
            FileTransactionBody::Invoke(InvokeTransaction::V3(invoke)) => {
                invoke.sender_address = address(sender)
            }
            FileTransactionBody::Declare(DeclareTransaction::V3(declare)) => {
                declare.sender_address = address(sender)
            }
            other => panic!("{other:?}"),
        }
        self
    }

    /// Without a fee.
    pub(crate) fn free(self) -> Self {
        Self { flags: ExecutionFlags { charge_fee: false, ..self.flags }, ..self }
    }

    pub(crate) fn unvalidated(self) -> Self {
        Self { flags: ExecutionFlags { validate: false, ..self.flags }, ..self }
    }

    pub(crate) fn query(self) -> Self {
        Self { flags: ExecutionFlags { query: true, ..self.flags }, ..self }
    }

    pub(crate) fn any_later_nonce(self) -> Self {
        Self { flags: ExecutionFlags { strict_nonce: false, ..self.flags }, ..self }
    }

    pub(super) fn with(mut self, change: impl FnOnce(Fields<'_>)) -> Self {
        let fields = match &mut self.body {
            FileTransactionBody::Invoke(InvokeTransaction::V0(t)) => {
                Fields { signature: &mut t.signature, nonce: None }
            }
            FileTransactionBody::Invoke(InvokeTransaction::V1(t)) => {
                Fields { signature: &mut t.signature, nonce: Some(&mut t.nonce) }
            }
            FileTransactionBody::Invoke(InvokeTransaction::V3(t)) => {
                Fields { signature: &mut t.signature, nonce: Some(&mut t.nonce) }
            }
            FileTransactionBody::Declare(DeclareTransaction::V0(t)) => {
                Fields { signature: &mut t.signature, nonce: None }
            }
            FileTransactionBody::Declare(DeclareTransaction::V1(t)) => {
                Fields { signature: &mut t.signature, nonce: Some(&mut t.nonce) }
            }
            FileTransactionBody::Declare(DeclareTransaction::V2(t)) => {
                Fields { signature: &mut t.signature, nonce: Some(&mut t.nonce) }
            }
            FileTransactionBody::Declare(DeclareTransaction::V3(t)) => {
                Fields { signature: &mut t.signature, nonce: Some(&mut t.nonce) }
            }
            FileTransactionBody::DeployAccount(DeployAccountTransaction::V1(t)) => {
                Fields { signature: &mut t.signature, nonce: Some(&mut t.nonce) }
            }
            FileTransactionBody::DeployAccount(DeployAccountTransaction::V3(t)) => {
                Fields { signature: &mut t.signature, nonce: Some(&mut t.nonce) }
            }
            _ => return self,
        };
        change(fields);
        self
    }
}

pub(super) struct Fields<'a> {
    signature: &'a mut TransactionSignature,
    pub(super) nonce: Option<&'a mut Nonce>,
}
