//! The facts of a client-side proof (0.14.2): which program proved what, on top of which block.

use starknet_api::block::StarknetVersion;
use starknet_api::core::OsChainInfo;
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::ProofFactsVariant;
use starknet_types_core::felt::Felt;

use super::error::{InvalidTransaction, Rejection};
use super::plan::Plan;
use crate::protocol::{BlockEnv, names};
use crate::state::Journal;
use crate::syscall::FeeTerms;

/// Checks the facts, if there are any. It is done even when no fee is charged.
pub(super) fn check(plan: &Plan, journal: &mut Journal<'_>, env: &BlockEnv) -> Result<(), Rejection> {
    let FeeTerms::Bounds(terms) = &plan.info.terms else { return Ok(()) };
    let facts = match ProofFactsVariant::try_from(&terms.proof_facts) {
        Ok(ProofFactsVariant::Empty) => return Ok(()),
        Ok(ProofFactsVariant::Snos(facts)) => facts,
        Err(error) => return refuse(error.to_string()),
    };
    let lists = &env.constants.lists;
    if !lists.proof_versions.contains(&facts.proof_version.as_felt()) {
        let version = &facts.proof_version;
        return refuse(format!("Proof version {version} is not allowed under this protocol version."));
    }
    if !lists.virtual_os_program_hashes.contains(&facts.program_hash) {
        return refuse(format!("Virtual OS program hash {} is not allowed", facts.program_hash));
    }
    check_block(facts.block_number.0, facts.block_hash.0, journal, env)?;

    let chain = &env.chain;
    let config =
        OsChainInfo { chain_id: chain.chain_id.clone(), strk_fee_token_address: chain.strk_fee_token };
    let version = StarknetVersion::try_from(env.constants.version)
        .map_err(|error| InvalidTransaction::ProofFacts(error.to_string()))?;
    let expected = config
        .compute_virtual_os_config_hash(version)
        .map_err(|error| InvalidTransaction::ProofFacts(error.to_string()))?;
    if facts.config_hash != expected {
        return refuse(format!(
            "Virtual OS config hash mismatch. Computed virtual OS config hash: {expected}, expected virtual OS \
             config hash: {}.",
            facts.config_hash
        ));
    }
    Ok(())
}

/// The block that the proof builds on: old enough to have a stored hash, and with that hash.
fn check_block(number: u64, hash: Felt, journal: &mut Journal<'_>, env: &BlockEnv) -> Result<(), Rejection> {
    let current = env.block.number;
    let buffer = names::STORED_BLOCK_HASH_BUFFER;
    let Some(youngest) = current.0.checked_sub(buffer) else {
        return refuse(format!(
            "The current block number {current} is below the required block-hash retention buffer: {buffer}."
        ));
    };
    if number > youngest {
        return refuse(format!(
            "The proof block number {number} is too recent. The maximum allowed block number is {youngest}."
        ));
    }
    if hash == Felt::ZERO {
        return refuse(format!("Proof block hash is zero for block {number}."));
    }
    let stored = journal.storage_at(names::BLOCK_HASH_CONTRACT, StorageKey::from(number))?;
    if stored != hash {
        return refuse(format!(
            "Block hash mismatch for block {number}. Proof block hash: {hash}, stored block hash: {stored}."
        ));
    }
    Ok(())
}

fn refuse(reason: String) -> Result<(), Rejection> {
    Err(InvalidTransaction::ProofFacts(reason).into())
}
