//! The proof facts of a client-side proof (0.14.2): the proven program, its block, and the chain's
//! configuration.

use starknet_api::block::StarknetVersion;
use starknet_api::core::OsChainInfo;
use starknet_api::state::StorageKey;
use starknet_api::transaction::fields::ProofFactsVariant;
use starknet_types_core::felt::Felt;

use super::error::{InvalidTransaction, ProofFactsError, Rejection};
use super::plan::Plan;
use crate::protocol::{BlockEnv, well_known};
use crate::state::Journal;
use crate::syscall::FeeTerms;

/// Checks the facts, if the transaction has any; also when no fee is charged.
pub(super) fn check(plan: &Plan, journal: &mut Journal<'_>, env: &BlockEnv) -> Result<(), Rejection> {
    let FeeTerms::Bounds(terms) = &plan.info.terms else { return Ok(()) };
    let facts = match ProofFactsVariant::try_from(&terms.proof_facts) {
        Ok(ProofFactsVariant::Empty) => return Ok(()),
        Ok(ProofFactsVariant::Snos(facts)) => facts,
        Err(error) => return refuse(ProofFactsError::Form(error.to_string())),
    };
    let lists = &env.constants.lists;
    if !lists.proof_versions.contains(&facts.proof_version.as_felt()) {
        return refuse(ProofFactsError::ProofVersion(facts.proof_version));
    }
    if !lists.virtual_os_program_hashes.contains(&facts.program_hash) {
        return refuse(ProofFactsError::Program(facts.program_hash));
    }
    check_block(facts.block_number.0, facts.block_hash.0, journal, env)?;

    let expected = config_hash(env).map_err(InvalidTransaction::ProofFacts)?;
    let proven = facts.config_hash;
    if proven == expected { Ok(()) } else { refuse(ProofFactsError::Config { expected, proven }) }
}

/// Checks the block of the proof: it is old enough to have a stored hash, and has that hash.
fn check_block(
    number: u64,
    proven: Felt,
    journal: &mut Journal<'_>,
    env: &BlockEnv,
) -> Result<(), Rejection> {
    let current = env.block.number;
    let buffer = well_known::STORED_BLOCK_HASH_BUFFER;
    let Some(youngest) = current.0.checked_sub(buffer) else {
        return refuse(ProofFactsError::ShortChain { current, buffer });
    };
    if number > youngest {
        return refuse(ProofFactsError::TooRecent { number, youngest });
    }
    if proven == Felt::ZERO {
        return refuse(ProofFactsError::ZeroHash { number });
    }
    let stored = journal.storage_at(well_known::BLOCK_HASH_CONTRACT, StorageKey::from(number))?;
    if stored == proven { Ok(()) } else { refuse(ProofFactsError::BlockHash { number, proven, stored }) }
}

/// Returns the hash of the chain's configuration, as proofs of this chain have it.
fn config_hash(env: &BlockEnv) -> Result<Felt, ProofFactsError> {
    let chain = OsChainInfo {
        chain_id: env.chain.chain_id.clone(),
        strk_fee_token_address: env.chain.strk_fee_token,
    };
    let no_config = |error: &dyn ToString| ProofFactsError::NoConfig(error.to_string());
    let version = StarknetVersion::try_from(env.constants.version).map_err(|error| no_config(&error))?;
    chain.compute_virtual_os_config_hash(version).map_err(|error| no_config(&error))
}

fn refuse(error: ProofFactsError) -> Result<(), Rejection> {
    Err(InvalidTransaction::ProofFacts(error).into())
}
