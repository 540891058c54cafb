//! Closing a block: the writes of the protocol after the last transaction, and the diffs of the block.
//!
//! Input: the state of a block whose transactions are all committed. Output: [`Closing`]. Happens once: it
//! consumes the state.

use std::sync::Arc;

use starknet_api::core::{ClassHash, ContractAddress};

use super::super::BlockError;
use super::super::capacity::Migration;
use super::super::worker_pool::StealableTask;
use super::aliases;
use super::changed_contracts::ChangedContracts;
use crate::protocol::BlockEnv;
use crate::state::{BlockState, InitialReads, Journal, StateDiff, StateKey, StateMap, StateReader, StateSet};

/// The diffs and reads of a closed block.
pub(super) struct Closing {
    pub(super) state_diff: StateDiff,
    pub(super) compressed_state_diff: Option<StateDiff>,
    pub(super) initial_reads: InitialReads,
    pub(super) prover_reads: Option<InitialReads>,
}

/// Closes a block: aliases first, then migrations (C195). A free thread of the pool builds one of the diffs.
pub(super) fn close<R: StateReader>(
    mut state: BlockState<R>,
    env: &BlockEnv,
    migrations: &StateMap<ClassHash, Migration>,
    collect_prover_reads: bool,
    pool: Option<&rayon::ThreadPool>,
) -> Result<Closing, BlockError> {
    let mut changed = ChangedContracts::of(&state);
    let is_compressed = env.constants.switches.stateful_compression;
    let aliases = if is_compressed { aliases::allocate(&mut state, &mut changed)? } else { Vec::new() };
    migrate(&mut state, migrations)?;
    let (changed, classes) = (Arc::new(changed), state.diff_of_classes());
    let state_diff = {
        let (changed, classes) = (Arc::clone(&changed), classes.clone());
        StealableTask::new(pool, move || changed.diff(classes.clone()))
    };
    let compressed_state_diff = is_compressed.then(|| changed.compressed(classes, &aliases)).transpose()?;
    let prover_reads = collect_prover_reads.then(|| prover_reads(&state)).transpose()?;
    let initial_reads = state.into_initial_reads();
    let state_diff = state_diff.result();
    Ok(Closing { initial_reads, state_diff, compressed_state_diff, prover_reads })
}

/// Returns the state keys that closing will read of the host, for prefetching. Others, or fewer, change no
/// result.
pub(super) fn keys<R: StateReader>(
    state: &BlockState<R>,
    env: &BlockEnv,
    collect_prover_reads: bool,
) -> StateSet<StateKey> {
    let mut keys = StateSet::default();
    if env.constants.switches.stateful_compression {
        keys.extend(aliases::keys(&ChangedContracts::of(state)));
    }
    if collect_prover_reads {
        let reads = state.initial_reads();
        keys.extend(
            contracts(&reads).into_iter().flat_map(|at| [StateKey::Nonce(at), StateKey::ClassHash(at)]),
        );
        keys.extend(reads.declared.keys().map(|class_hash| StateKey::CompiledClassHash(*class_hash)));
    }
    keys.retain(|key| state.is_unknown(*key));
    keys
}

/// Returns the diff and reads of the transactions, without the writes of closing.
pub(super) fn skip_finalization<R: StateReader>(state: BlockState<R>) -> Closing {
    Closing {
        state_diff: state.diff(),
        compressed_state_diff: None,
        initial_reads: state.into_initial_reads(),
        prover_reads: None,
    }
}

/// Migrates classes that ran to their Blake hashes (C200).
fn migrate<R: StateReader>(
    state: &mut BlockState<R>,
    migrations: &StateMap<ClassHash, Migration>,
) -> Result<(), BlockError> {
    let parts = {
        let mut journal = Journal::new(&*state);
        for (class_hash, migration) in migrations {
            journal.set_compiled_class_hash(*class_hash, migration.to)?;
        }
        journal.into_parts()
    };
    Ok(state.commit(parts)?)
}

/// The reads of the block and, beyond them, the leaves that the OS visits: nonce and class hash of every
/// contract of which anything was read, compiled class hash of every class that was asked for. Whether a
/// class is declared, the OS does not ask.
fn prover_reads<R: StateReader>(state: &BlockState<R>) -> Result<InitialReads, BlockError> {
    let mut reads = state.initial_reads();
    // A key that the block never read was never written: its value now is that before the block.
    let mut journal = Journal::new(state);
    for address in contracts(&reads) {
        if !reads.nonces.contains_key(&address) {
            journal.nonce_at(address)?;
        }
        if !reads.class_hashes.contains_key(&address) {
            journal.class_hash_at(address)?;
        }
    }
    for class_hash in reads.declared.keys() {
        if !reads.compiled_class_hashes.contains_key(class_hash) {
            journal.compiled_class_hash(*class_hash)?;
        }
    }
    reads.merge(journal.initial_reads());
    reads.declared.clear();
    Ok(reads)
}

/// Returns the contracts of which a key was read.
fn contracts(reads: &InitialReads) -> StateSet<ContractAddress> {
    let mut contracts: StateSet<_> = reads.storage.keys().map(|(address, _)| *address).collect();
    contracts.extend(reads.nonces.keys());
    contracts.extend(reads.class_hashes.keys());
    contracts
}
