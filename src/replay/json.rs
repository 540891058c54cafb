//! The complete outcome of a block as JSON.
//!
//! Input: a block's outcome. Output: one JSON object with `transactions`, `state_diff` and `initial_reads`,
//! for people and scripts; not in the shapes of JSON-RPC. Must not know: files.

use std::io::{self, Write};

use serde::Serialize;
use starknet_api::core::{ContractAddress, L1Address};
use starknet_api::transaction::{Event, L2ToL1Payload, TransactionHash};

use crate::block::{BlockOutcome, TransactionDisposition, TransactionOutcome, TransactionStatus};
use crate::call::CallInfo;
use crate::fee::Receipt;
use crate::protocol::TransactionKind;
use crate::state::{InitialReads, StateDiff};
use crate::transaction::Execution;

/// Writes an outcome as JSON, indented.
pub fn write_outcome(mut out: impl Write, outcome: &BlockOutcome) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut out, &BlockJson::of(outcome))?;
    out.write_all(b"\n")?;
    out.flush()
}

/// The name of a transaction kind in block files and JSON-RPC.
pub fn kind_name(kind: TransactionKind) -> &'static str {
    match kind {
        TransactionKind::Declare => "DECLARE",
        TransactionKind::DeployAccount => "DEPLOY_ACCOUNT",
        TransactionKind::Invoke => "INVOKE",
        TransactionKind::Deploy => "DEPLOY",
        TransactionKind::L1Handler => "L1_HANDLER",
    }
}

#[derive(Serialize)]
struct BlockJson<'a> {
    transactions: Vec<TransactionJson<'a>>,
    state_diff: &'a StateDiff,
    initial_reads: &'a InitialReads,
}

#[derive(Serialize)]
struct TransactionJson<'a> {
    transaction_hash: TransactionHash,
    #[serde(rename = "type")]
    kind: &'static str,
    status: TransactionStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    execution: Option<ExecutionJson<'a>>,
    state_diff: &'a StateDiff,
}

#[derive(Serialize)]
struct ExecutionJson<'a> {
    receipt: &'a Receipt,
    events: Vec<Event>,
    messages: Vec<MessageJson>,
    validate_call: Option<&'a CallInfo>,
    execute_call: Option<&'a CallInfo>,
    fee_transfer_call: Option<&'a CallInfo>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reverted_call: Option<&'a CallInfo>,
}

#[derive(Serialize)]
struct MessageJson {
    from_address: ContractAddress,
    to_address: L1Address,
    payload: L2ToL1Payload,
}

impl<'a> BlockJson<'a> {
    fn of(outcome: &'a BlockOutcome) -> Self {
        Self {
            transactions: outcome.transactions.iter().map(TransactionJson::of).collect(),
            state_diff: &outcome.state_diff,
            initial_reads: &outcome.initial_reads,
        }
    }
}

impl<'a> TransactionJson<'a> {
    fn of(outcome: &'a TransactionOutcome) -> Self {
        let (reason, execution) = match &outcome.disposition {
            TransactionDisposition::Executed(execution) => (
                execution.revert_reason.as_ref().map(ToString::to_string),
                Some(ExecutionJson::of(execution)),
            ),
            TransactionDisposition::Invalid(error) => (Some(error.to_string()), None),
            TransactionDisposition::TooLarge(error) => (Some(error.to_string()), None),
        };
        Self {
            transaction_hash: outcome.hash,
            kind: kind_name(outcome.kind),
            status: outcome.status(),
            reason,
            execution,
            state_diff: &outcome.state_diff,
        }
    }
}

impl<'a> ExecutionJson<'a> {
    fn of(execution: &'a Execution) -> Self {
        let messages = execution.messages().into_iter();
        Self {
            receipt: &execution.receipt,
            events: execution.events(),
            messages: messages
                .map(|(from_address, message)| MessageJson {
                    from_address,
                    to_address: message.to_address,
                    payload: message.payload,
                })
                .collect(),
            validate_call: execution.validate_call.as_ref(),
            execute_call: execution.execute_call.as_ref(),
            fee_transfer_call: execution.fee_transfer_call.as_ref(),
            reverted_call: execution.reverted_call.as_deref(),
        }
    }
}
