//! Closing a block: what the protocol writes after the last transaction, and what is made of the whole.
//!
//! In: a block whose transactions are all committed. Out: [`Closing`]. Happens once: it consumes the block's
//! state.

use std::sync::Arc;

use starknet_api::core::{ClassHash, ContractAddress};

use super::super::BlockError;
use super::super::capacity::Migration;
use super::super::worker_pool::Offer;
use super::aliases;
use super::changed_contracts::Changed;
use crate::protocol::BlockEnv;
use crate::state::{BlockState, InitialReads, Journal, StateDiff, StateKey, StateMap, StateReader, StateSet};

/// What a closed block leaves.
pub(super) struct Closing {
    pub(super) state_diff: StateDiff,
    pub(super) compressed_state_diff: Option<StateDiff>,
    pub(super) initial_reads: InitialReads,
    pub(super) prover_reads: Option<InitialReads>,
}

/// Closes a block: aliases first, then migrations (C195). A thread of the pool helps, if one is free.
pub(super) fn close<R: StateReader>(
    mut state: BlockState<R>,
    env: &BlockEnv,
    migrations: &StateMap<ClassHash, Migration>,
    collect_prover_reads: bool,
    pool: Option<&rayon::ThreadPool>,
) -> Result<Closing, BlockError> {
    let mut changed = Changed::of(&state);
    let is_compressed = env.constants.switches.stateful_compression;
    let aliases = if is_compressed { aliases::allocate(&mut state, &mut changed)? } else { Vec::new() };
    migrate(&mut state, migrations)?;
    let (changed, classes) = (Arc::new(changed), state.diff_of_classes());
    let state_diff = {
        let (changed, classes) = (Arc::clone(&changed), classes.clone());
        Offer::new(pool, move || changed.diff(classes.clone()))
    };
    let compressed_state_diff = is_compressed.then(|| changed.compressed(classes, &aliases)).transpose()?;
    let prover_reads = collect_prover_reads.then(|| prover_reads(&state)).transpose()?;
    let initial_reads = state.into_initial_reads();
    let state_diff = state_diff.result();
    Ok(Closing { initial_reads, state_diff, compressed_state_diff, prover_reads })
}

/// The cells that closing will ask the host for, so that they can be asked for at once. Reading others, or
/// fewer, does no harm.
pub(super) fn cells<R: StateReader>(
    state: &BlockState<R>,
    env: &BlockEnv,
    collect_prover_reads: bool,
) -> StateSet<StateKey> {
    let mut cells = StateSet::default();
    if env.constants.switches.stateful_compression {
        cells.extend(aliases::cells(&Changed::of(state)));
    }
    if collect_prover_reads {
        let reads = state.initial_reads();
        cells.extend(
            contracts(&reads).into_iter().flat_map(|at| [StateKey::Nonce(at), StateKey::ClassHash(at)]),
        );
        cells.extend(reads.declared.keys().map(|class_hash| StateKey::CompiledClassHash(*class_hash)));
    }
    cells.retain(|cell| state.is_unknown(*cell));
    cells
}

/// Leaves a block open: its state diff and its reads are those of its transactions.
pub(super) fn skip_finalization<R: StateReader>(state: BlockState<R>) -> Closing {
    Closing {
        state_diff: state.diff(),
        compressed_state_diff: None,
        initial_reads: state.into_initial_reads(),
        prover_reads: None,
    }
}

/// Moves classes that ran to the Blake hash (C200).
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
    // What the block never read it never wrote: the value now is the value before the block.
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

/// The contracts of which anything was read.
fn contracts(reads: &InitialReads) -> StateSet<ContractAddress> {
    let mut contracts: StateSet<_> = reads.storage.keys().map(|(address, _)| *address).collect();
    contracts.extend(reads.nonces.keys());
    contracts.extend(reads.class_hashes.keys());
    contracts
}
