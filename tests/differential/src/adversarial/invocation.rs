//! The invocations of a program: a call, or a transaction that runs it; and how each ended.
//!
//! Input: a class, a invocation, an engine. Output: an [`Ended`], which is all that a caller can see.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use starkiln::block::{BlockOutcome, Engine, TransactionStatus};
use starkiln::class::ContractClass;
use starkiln::protocol::ProtocolVersion;
use starkiln::state::MemoryState;
use starkiln::transaction::{CallResult, ContractCall, FatalError, Transaction};
use starknet_api::block::GasPrice;
use starknet_api::contract_class::EntryPointType;
use starknet_api::core::{ClassHash, EntryPointSelector, Nonce};
use starknet_api::data_availability::DataAvailabilityMode;
use starknet_api::execution_resources::GasAmount;
use starknet_api::transaction::fields::{
    AllResourceBounds, Calldata, ResourceBounds, TransactionSignature, ValidResourceBounds,
};
use starknet_api::transaction::{InvokeTransaction, InvokeTransactionV3, TransactionHash};
use starknet_types_core::felt::Felt;

use super::panics;
use crate::fixture::{ACCOUNT, FEE_TOKEN, World, address, error_chain, felt};

/// The program's address, which is also its class hash.
pub const PROGRAM: u128 = 0xe61;

/// The limits of a run.
#[derive(Clone, Copy)]
pub struct Bounds {
    /// Steps of a call.
    steps: u64,
    /// Bytes of memory, where our engines run it; as much as executors usually allow, if none.
    memory: Option<usize>,
}

impl Bounds {
    /// The usual limits.
    pub const USUAL: Self = Self { steps: 3_000, memory: None };

    /// More steps than the gas of a call buys: a call that looks at its gas has ended by then.
    pub const LONG: Self = Self { steps: 100_000, memory: None };

    /// Most of what the process may have.
    pub const LARGE: Self = Self { memory: Some(6 << 30), ..Self::USUAL };
}

/// Sierra gas that it may use.
const GAS: u64 = 2_000_000;

/// L2 gas of a transaction: what it is charged for being there, and some.
const L2_GAS: u64 = 3_500_000;

/// An invocation.
#[derive(Clone, Debug, PartialEq)]
pub enum Invocation {
    /// A call.
    Call(EntryPointType, Felt, Vec<Felt>),
    /// An account that checks nothing calls it.
    Invoke(Felt, Vec<Felt>),
    /// The program is the account, and receives this calldata and this signature.
    Itself(Vec<Felt>, Vec<Felt>),
}

/// The ending.
#[derive(Clone, Debug, PartialEq)]
pub enum Ended {
    /// Of a call.
    Call(Result<CallResult, String>),
    /// Of a transaction.
    Block(Result<Box<BlockOutcome>, String>),
}

impl Ended {
    /// Its name in the table.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Call(Ok(CallResult::Finished(info))) if !info.failed => "call returned",
            Self::Call(Ok(CallResult::Finished(_))) => "call panicked",
            Self::Call(Ok(_)) => "call failed",
            Self::Block(Ok(outcome)) => match outcome.transactions.first().map(|outcome| outcome.status()) {
                Some(TransactionStatus::Succeeded) => "transaction succeeded",
                Some(TransactionStatus::Reverted) => "transaction reverted",
                _ => "transaction invalid",
            },
            Self::Call(Err(_)) | Self::Block(Err(_)) => "error of the host's",
        }
    }

    /// Returns `true` if some code in it used up its steps.
    pub fn ran_out_of_steps(&self) -> bool {
        format!("{self:?}").contains("no remaining steps")
    }

    /// Returns `true` if it was abandoned because of the bound on memory.
    pub fn needs_too_much_memory(&self) -> bool {
        let (Self::Call(Err(text)) | Self::Block(Err(text))) = self else { return false };
        text.ends_with(&FatalError::OutOfMemory.to_string())
    }
}

/// The ending, the panics and the time of a run.
pub struct Done {
    /// The ending that a caller sees.
    pub ended: Ended,
    /// Panics during the run, which the executor caught.
    pub panics: Vec<String>,
    /// The duration.
    pub time: Duration,
}

/// A chain with the program on it.
pub struct Chain {
    /// The block and its state, without the program.
    world: World,
}

impl Chain {
    /// At a version.
    pub fn new(version: ProtocolVersion) -> Self {
        let mut world = World::new(version);
        let state = std::mem::take(&mut world.state);
        world.state = state
            .deploy(address(PROGRAM), ClassHash(felt(PROGRAM)))
            .with_balance(address(FEE_TOKEN), address(PROGRAM), u128::MAX / 4)
            .with_balance(address(FEE_TOKEN), address(ACCOUNT), u128::MAX / 4);
        Self { world }
    }

    /// With this class.
    pub fn state(&self, class: ContractClass) -> MemoryState {
        self.world.state.clone().with_class(ClassHash(felt(PROGRAM)), class)
    }

    /// The block's environment.
    pub fn world(&self) -> &World {
        &self.world
    }

    /// Runs an invocation.
    pub fn run(&self, state: &MemoryState, invocation: &Invocation, engine: Engine) -> Done {
        self.run_within(Bounds::USUAL, state, invocation, engine)
    }

    /// Runs an invocation within other limits.
    pub fn run_within(
        &self,
        bounds: Bounds,
        state: &MemoryState,
        invocation: &Invocation,
        engine: Engine,
    ) -> Done {
        let mut executor = starkiln::block::BlockExecutor::new(self.world.env.clone(), state)
            .block_hash_source(crate::fixture::block_hash_source())
            .keep_reverted_calls()
            .engine(engine);
        if let Some(bytes) = bounds.memory {
            executor = executor.memory_limit(bytes);
        }
        panics::take();
        let began = Instant::now();
        let ended = match invocation {
            Invocation::Call(way, selector, calldata) => {
                let call = ContractCall {
                    entry_point_type: *way,
                    caller: address(ACCOUNT),
                    max_sierra_gas: GAS,
                    max_steps: bounds.steps,
                    ..ContractCall::new(
                        address(PROGRAM),
                        EntryPointSelector(*selector),
                        Calldata(calldata.clone().into()),
                    )
                };
                Ended::Call(executor.call(&call).map_err(|error| error_chain(&error)))
            }
            Invocation::Invoke(..) | Invocation::Itself(..) => {
                let outcome = executor.execute(&[invocation.transaction().expect("it is one")]);
                Ended::Block(outcome.map(Box::new).map_err(|error| error_chain(&error)))
            }
        };
        Done { ended, time: began.elapsed(), panics: panics::take() }
    }
}

impl Invocation {
    /// The transaction; `None` for a call.
    pub fn transaction(&self) -> Option<Transaction> {
        let (sender, calldata, signature) = match self {
            Self::Call(..) => return None,
            Self::Invoke(selector, calldata) => {
                let head = [Felt::ONE, felt(PROGRAM), *selector, Felt::from(calldata.len())];
                (ACCOUNT, [head.as_slice(), calldata].concat(), Vec::new())
            }
            Self::Itself(calldata, signature) => (PROGRAM, calldata.clone(), signature.clone()),
        };
        let bounds = |amount| ResourceBounds {
            max_amount: GasAmount(amount),
            max_price_per_unit: GasPrice(1_000_000_000),
        };
        let invoke = InvokeTransactionV3 {
            resource_bounds: ValidResourceBounds::AllResources(AllResourceBounds {
                l1_gas: bounds(100_000),
                l2_gas: bounds(L2_GAS),
                l1_data_gas: bounds(100_000),
            }),
            tip: Default::default(),
            signature: TransactionSignature(signature.into()),
            nonce: Nonce(Felt::ZERO),
            sender_address: address(sender),
            calldata: Calldata(calldata.into()),
            nonce_data_availability_mode: DataAvailabilityMode::L1,
            fee_data_availability_mode: DataAvailabilityMode::L1,
            paymaster_data: Default::default(),
            account_deployment_data: Default::default(),
            proof_facts: Default::default(),
        };
        Some(Transaction::invoke(InvokeTransaction::V3(invoke), TransactionHash(Felt::from(0x7a5_u64))))
    }

    /// For a reader.
    pub fn json(&self) -> Value {
        let felts = |list: &[Felt]| list.iter().map(|felt| json!(format!("{felt:#x}"))).collect::<Value>();
        match self {
            Self::Call(way, selector, calldata) => {
                json!({ "call": format!("{selector:#x}"), "way": format!("{way:?}"), "calldata": felts(calldata) })
            }
            Self::Invoke(selector, calldata) => {
                json!({ "invoke": format!("{selector:#x}"), "calldata": felts(calldata) })
            }
            Self::Itself(calldata, signature) => {
                json!({ "as an account": felts(calldata), "signature": felts(signature) })
            }
        }
    }
}
