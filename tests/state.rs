//! The module `state` against naive models: the journal against complete snapshots, the block against one
//! map. Readers that count and readers that fail implement the trait that hosts implement.
//!
//! `STARKILN_SEED` (a number) repeats a run; each test prints the seed it used.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use starkiln::class::{Cairo1Class, ContractClass};
use starkiln::state::{
    BlockState, Checkpoint, InitialReads, Journal, JournalClasses, JournalParts, MemoryState, ReadError,
    StateChanges, StateDiff, StateError, StateKey, StateReader,
};
use starknet_api::contract_class::SierraVersion;
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::state::StorageKey;
use starknet_types_core::felt::Felt;

// ---- a small universe ----

const SIZE: u8 = 4;

fn address(value: u8) -> ContractAddress {
    ContractAddress::from(value)
}

fn key(value: u8) -> StorageKey {
    StorageKey::from(value)
}

fn class_hash(value: u8) -> ClassHash {
    ClassHash(Felt::from(value))
}

fn compiled(value: u8) -> CompiledClassHash {
    CompiledClassHash(Felt::from(value))
}

/// Two dozen classes that differ by one felt.
fn class(value: u8) -> ContractClass {
    static CLASSES: LazyLock<Vec<ContractClass>> = LazyLock::new(|| {
        (0..24)
            .map(|value| {
                let casm = serde_json::json!({
                    "prime": "0x800000000000011000000000000000000000000000000000000000000000001",
                    "compiler_version": "2.11.4",
                    "bytecode": ["0x208b7fff7fff7ffe", format!("{value:#x}")],
                    "hints": [],
                    "entry_points_by_type": { "EXTERNAL": [], "L1_HANDLER": [], "CONSTRUCTOR": [] },
                });
                Cairo1Class::from_casm_json(casm.to_string(), SierraVersion::LATEST).unwrap().into()
            })
            .collect()
    });
    CLASSES[usize::from(value)].clone()
}

/// A reader over a state in memory that counts the answers per cell and fails at chosen reads.
#[derive(Clone, Default)]
struct Probe {
    state: MemoryState,
    seen: Rc<RefCell<Seen>>,
}

#[derive(Default)]
struct Seen {
    answers: BTreeMap<StateKey, usize>,
    reads: usize,
    /// The reads (counted from 0) that fail.
    failing: BTreeSet<usize>,
    last: Option<StateKey>,
}

impl Probe {
    fn ask(&self, cell: StateKey) -> Result<(), ReadError> {
        let mut seen = self.seen.borrow_mut();
        let number = seen.reads;
        seen.reads += 1;
        seen.last = Some(cell);
        if seen.failing.contains(&number) {
            return Err(ReadError::message(format!("read {number} failed")));
        }
        *seen.answers.entry(cell).or_default() += 1;
        Ok(())
    }

    fn assert_each_cell_once(&self) {
        for (cell, answers) in &self.seen.borrow().answers {
            assert_eq!(*answers, 1, "{cell}");
        }
    }
}

impl StateReader for Probe {
    fn storage_at(&self, address: ContractAddress, key: StorageKey) -> Result<Felt, ReadError> {
        self.ask(StateKey::Storage(address, key))?;
        self.state.storage_at(address, key)
    }

    fn nonce_at(&self, address: ContractAddress) -> Result<Nonce, ReadError> {
        self.ask(StateKey::Nonce(address))?;
        self.state.nonce_at(address)
    }

    fn class_hash_at(&self, address: ContractAddress) -> Result<ClassHash, ReadError> {
        self.ask(StateKey::ClassHash(address))?;
        self.state.class_hash_at(address)
    }

    fn class(&self, class_hash: ClassHash) -> Result<Option<ContractClass>, ReadError> {
        self.ask(StateKey::Class(class_hash))?;
        self.state.class(class_hash)
    }

    fn compiled_class_hash(&self, class_hash: ClassHash) -> Result<CompiledClassHash, ReadError> {
        self.ask(StateKey::CompiledClassHash(class_hash))?;
        self.state.compiled_class_hash(class_hash)
    }
}

#[derive(Clone, Debug)]
enum Step {
    Storage(u8, u8),
    Nonce(u8),
    ClassHash(u8),
    CompiledClassHash(u8),
    Class(u8),
    SetStorage(u8, u8, u8),
    IncrementNonce(u8),
    SetClassHash(u8, u8),
    SetCompiledClassHash(u8, u8),
    Declare(u8, u8),
    Checkpoint,
    /// A revert to any checkpoint ever taken, also one that an earlier revert made stale.
    Revert(prop::sample::Index),
    ChangesSince(prop::sample::Index),
}

fn step() -> impl Strategy<Value = Step> {
    let cell = || 0..SIZE;
    prop_oneof![
        2 => (cell(), cell()).prop_map(|(a, k)| Step::Storage(a, k)),
        1 => cell().prop_map(Step::Nonce),
        1 => cell().prop_map(Step::ClassHash),
        1 => cell().prop_map(Step::CompiledClassHash),
        2 => cell().prop_map(Step::Class),
        6 => (cell(), cell(), 0..3_u8).prop_map(|(a, k, v)| Step::SetStorage(a, k, v)),
        1 => cell().prop_map(Step::IncrementNonce),
        2 => (cell(), 0..3_u8).prop_map(|(a, c)| Step::SetClassHash(a, c)),
        2 => (cell(), 0..3_u8).prop_map(|(c, h)| Step::SetCompiledClassHash(c, h)),
        2 => (cell(), 10..20_u8).prop_map(|(c, class)| Step::Declare(c, class)),
        3 => Just(Step::Checkpoint),
        2 => any::<prop::sample::Index>().prop_map(Step::Revert),
        2 => any::<prop::sample::Index>().prop_map(Step::ChangesSince),
    ]
}

fn memory() -> impl Strategy<Value = MemoryState> {
    let cells = prop::collection::vec((0..SIZE, 0..SIZE, 0..3_u8), 0..8);
    let others = prop::collection::vec((0..4_u8, 0..SIZE, 0..3_u8), 0..12);
    (cells, others).prop_map(|(cells, others)| {
        let mut state = MemoryState::default();
        for (a, k, v) in cells {
            state = state.with_storage(address(a), key(k), v.into());
        }
        for (kind, cell, value) in others {
            state = match kind {
                0 => state.with_nonce(address(cell), Nonce(value.into())),
                1 => state.deploy(address(cell), class_hash(value)),
                2 => state.with_class(class_hash(cell), class(value)),
                _ => state.with_compiled_class_hash(class_hash(cell), compiled(value)),
            };
        }
        state
    })
}

fn check<S: Strategy>(name: &str, cases: u32, strategy: S, test: impl Fn(S::Value)) {
    let seed = std::env::var("STARKILN_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or_else(|| {
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
        now.as_nanos() as u64
    });
    println!("{name}: STARKILN_SEED={seed}");
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let outcome = runner.run(&strategy, |value| {
        test(value);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{name}, STARKILN_SEED={seed}: {failure}"));
}

// ---- the model ----

/// The state as plain maps, copied completely at every checkpoint.
#[derive(Clone, Debug, Default, PartialEq)]
struct Model {
    storage: BTreeMap<(ContractAddress, StorageKey), Felt>,
    nonces: BTreeMap<ContractAddress, Nonce>,
    class_hashes: BTreeMap<ContractAddress, ClassHash>,
    compiled: BTreeMap<ClassHash, CompiledClassHash>,
    classes: BTreeMap<ClassHash, ContractClass>,
    /// Declared since the base.
    declared: BTreeSet<ClassHash>,
}

impl Model {
    /// Every cell of the universe.
    fn of(state: &MemoryState) -> Self {
        let mut model = Self::default();
        for a in 0..SIZE {
            for k in 0..SIZE {
                model.storage.insert((address(a), key(k)), state.storage_at(address(a), key(k)).unwrap());
            }
            model.nonces.insert(address(a), state.nonce_at(address(a)).unwrap());
            model.class_hashes.insert(address(a), state.class_hash_at(address(a)).unwrap());
            model.compiled.insert(class_hash(a), state.compiled_class_hash(class_hash(a)).unwrap());
            if let Some(class) = state.class(class_hash(a)).unwrap() {
                model.classes.insert(class_hash(a), class);
            }
        }
        model
    }

    /// The cells that differ from `old`; `reads` decides whether a redeclaration is a change (C191).
    fn changes(&self, old: &Self, reads: &InitialReads) -> StateChanges {
        fn differing<K: Copy + Ord + std::hash::Hash, V: Copy + PartialEq>(
            new: &BTreeMap<K, V>,
            old: &BTreeMap<K, V>,
        ) -> starkiln::state::StateMap<K, V> {
            new.iter()
                .filter(|(key, value)| old[*key] != **value)
                .map(|(key, value)| (*key, *value))
                .collect()
        }
        let storage = differing(&self.storage, &old.storage);
        StateChanges {
            allocated: storage.keys().filter(|cell| old.storage[*cell] == Felt::ZERO).copied().collect(),
            storage,
            nonces: differing(&self.nonces, &old.nonces),
            class_hashes: differing(&self.class_hashes, &old.class_hashes),
            compiled_class_hashes: differing(&self.compiled, &old.compiled),
            declared: self
                .declared
                .difference(&old.declared)
                .filter(|class_hash| reads.declared.get(*class_hash) != Some(&true))
                .copied()
                .collect(),
        }
    }

    fn assert_shown_by(&self, reader: &dyn StateReader) {
        for (&(address, key), &value) in &self.storage {
            assert_eq!(reader.storage_at(address, key), Ok(value));
        }
        for (&address, &nonce) in &self.nonces {
            assert_eq!(reader.nonce_at(address), Ok(nonce));
        }
        for (&address, &class_hash) in &self.class_hashes {
            assert_eq!(reader.class_hash_at(address), Ok(class_hash));
        }
        for (&class_hash, &compiled) in &self.compiled {
            assert_eq!(reader.compiled_class_hash(class_hash), Ok(compiled));
            assert_eq!(reader.class(class_hash), Ok(self.classes.get(&class_hash).cloned()));
        }
    }
}

/// Runs steps on a journal and on the model at once.
struct Pair<'r> {
    journal: Journal<'r>,
    /// The state before the journal.
    before: Model,
    now: Model,
    reads: InitialReads,
    /// Every checkpoint ever taken, with the model at that point. After a revert the newer ones mean the same
    /// point.
    checkpoints: Vec<(Checkpoint, Model)>,
}

impl<'r> Pair<'r> {
    fn new(reader: &'r dyn StateReader, mut before: Model) -> Self {
        before.declared.clear();
        let journal = Journal::new(reader);
        let checkpoints = vec![(journal.checkpoint(), before.clone())];
        Self { journal, now: before.clone(), before, reads: InitialReads::default(), checkpoints }
    }

    /// Runs one step. An error leaves both sides as they were.
    fn run(&mut self, step: &Step) -> Result<(), StateError> {
        let Self { journal, before, now, reads, checkpoints } = self;
        match *step {
            Step::Storage(a, k) => {
                let cell = (address(a), key(k));
                assert_eq!(journal.storage_at(cell.0, cell.1)?, now.storage[&cell]);
                reads.storage.insert(cell, before.storage[&cell]);
            }
            Step::Nonce(a) => {
                assert_eq!(journal.nonce_at(address(a))?, now.nonces[&address(a)]);
                reads.nonces.insert(address(a), before.nonces[&address(a)]);
            }
            Step::ClassHash(a) => {
                assert_eq!(journal.class_hash_at(address(a))?, now.class_hashes[&address(a)]);
                reads.class_hashes.insert(address(a), before.class_hashes[&address(a)]);
            }
            Step::CompiledClassHash(c) => {
                let class_hash = class_hash(c);
                let answer = journal.compiled_class_hash(class_hash)?;
                // Once it was found undeclared, its hash counts as read, with 0 (C38).
                let initial =
                    *reads.compiled_class_hashes.entry(class_hash).or_insert(before.compiled[&class_hash]);
                before.compiled.insert(class_hash, initial);
                assert_eq!(answer, now.compiled[&class_hash]);
            }
            Step::Class(c) => {
                let class_hash = class_hash(c);
                let answer = journal.find_class(class_hash)?;
                assert_eq!(answer.as_ref(), now.classes.get(&class_hash));
                let shown = journal.class(class_hash);
                assert_eq!(shown, answer.ok_or(StateError::UndeclaredClass(class_hash)));
                if !now.declared.contains(&class_hash) {
                    let declared = before.classes.contains_key(&class_hash);
                    reads.declared.insert(class_hash, declared);
                    if !declared && !reads.compiled_class_hashes.contains_key(&class_hash) {
                        reads.compiled_class_hashes.insert(class_hash, compiled(0));
                        // The universe may hold a compiled hash without a class; from here on it is 0 for
                        // this journal.
                        for model in checkpoints.iter_mut().map(|(_, model)| model).chain([before, now]) {
                            model.compiled.insert(class_hash, compiled(0));
                        }
                    }
                }
            }
            Step::SetStorage(a, k, v) => {
                let cell = (address(a), key(k));
                journal.set_storage(cell.0, cell.1, v.into())?;
                reads.storage.insert(cell, before.storage[&cell]);
                now.storage.insert(cell, v.into());
            }
            Step::IncrementNonce(a) => {
                journal.increment_nonce(address(a))?;
                reads.nonces.insert(address(a), before.nonces[&address(a)]);
                let nonce = now.nonces.get_mut(&address(a)).unwrap();
                *nonce = Nonce(nonce.0 + Felt::ONE);
            }
            Step::SetClassHash(0, c) => {
                let error = journal.set_class_hash(address(0), class_hash(c)).unwrap_err();
                assert_eq!(error, StateError::OutOfRangeAddress(address(0)));
            }
            Step::SetClassHash(a, c) => {
                journal.set_class_hash(address(a), class_hash(c))?;
                reads.class_hashes.insert(address(a), before.class_hashes[&address(a)]);
                now.class_hashes.insert(address(a), class_hash(c));
            }
            Step::SetCompiledClassHash(c, h) => {
                let class_hash = class_hash(c);
                journal.set_compiled_class_hash(class_hash, compiled(h))?;
                reads.compiled_class_hashes.insert(class_hash, before.compiled[&class_hash]);
                now.compiled.insert(class_hash, compiled(h));
            }
            Step::Declare(c, id) => {
                journal.declare_class(class_hash(c), class(id));
                now.classes.insert(class_hash(c), class(id));
                now.declared.insert(class_hash(c));
            }
            Step::Checkpoint => checkpoints.push((journal.checkpoint(), now.clone())),
            Step::Revert(index) => {
                let index = index.index(checkpoints.len());
                let (checkpoint, model) = checkpoints[index].clone();
                journal.revert_to(checkpoint);
                for (_, newer) in &mut checkpoints[index..] {
                    newer.clone_from(&model);
                }
                *now = model;
            }
            Step::ChangesSince(index) => {
                let (checkpoint, model) = &checkpoints[index.index(checkpoints.len())];
                assert_eq!(journal.changes_since(*checkpoint), now.changes(model, reads));
            }
        }
        Ok(())
    }

    fn assert_alike(&self) {
        assert_eq!(self.journal.initial_reads(), self.reads);
        let changes = self.now.changes(&self.before, &self.reads);
        assert_eq!(self.journal.changes(), changes);
        assert_eq!(self.journal.diff(), StateDiff::new(&changes, &self.reads));
    }
}

// ---- properties ----

#[test]
fn journal_is_like_complete_snapshots() {
    let input = (memory(), prop::collection::vec(step(), 0..80));
    check("journal_is_like_complete_snapshots", 2000, input, |(state, steps)| {
        let before = Model::of(&state);
        let probe = Probe { state, ..Probe::default() };
        let mut pair = Pair::new(&probe, before);
        for step in &steps {
            pair.run(step).unwrap();
        }
        pair.assert_alike();
        probe.assert_each_cell_once();
        let answered = probe.seen.borrow().answers.len();
        let implied = pair
            .reads
            .compiled_class_hashes
            .len()
            .min(pair.reads.declared.values().filter(|known| !**known).count());
        assert!(pair.reads.len() - implied <= answered && answered <= pair.reads.len());
    });
}

#[test]
fn failed_reads_leave_the_journal_as_it_was() {
    let failing = prop::collection::btree_set(0..20_usize, 1..6);
    let input = (memory(), prop::collection::vec(step(), 0..80), failing);
    check("failed_reads_leave_the_journal_as_it_was", 2000, input, |(state, steps, failing)| {
        let before = Model::of(&state);
        let probe = Probe { state, ..Probe::default() };
        probe.seen.borrow_mut().failing = failing;
        let mut pair = Pair::new(&probe, before);
        for step in &steps {
            match pair.run(step) {
                Ok(()) => {}
                Err(StateError::Read { cell, source }) => {
                    let seen = probe.seen.borrow();
                    assert_eq!(seen.last, Some(cell));
                    assert_eq!(source.to_string(), format!("read {} failed", seen.reads - 1));
                }
                Err(error) => panic!("{error}"),
            }
            pair.assert_alike();
        }
        probe.assert_each_cell_once();
    });
}

/// A universe in which no class has a compiled class hash without being declared, so that a block-wide model
/// is exact.
fn consistent_memory() -> impl Strategy<Value = MemoryState> {
    memory().prop_map(|mut state| {
        let classes = state.classes.clone();
        state.compiled_class_hashes.retain(|class_hash, _| classes.contains_key(class_hash));
        state
    })
}

/// Returns `true` if the step keeps to the same rule: a compiled class hash is only set for a class that the
/// journal can see. Reverts keep to it too, because they undo the later of two writes first.
fn allowed(step: &Step, pair: &Pair<'_>) -> bool {
    match step {
        Step::SetCompiledClassHash(c, _) => pair.now.classes.contains_key(&class_hash(*c)),
        _ => true,
    }
}

#[test]
fn block_is_like_one_map() {
    let transaction = (prop::collection::vec(step(), 0..25), prop::bool::weighted(0.75));
    let input = (consistent_memory(), prop::collection::vec(transaction, 0..8));
    check("block_is_like_one_map", 1000, input, |(state, transactions)| {
        let base = Model::of(&state);
        let mut one_map = state.clone();
        let mut now = base.clone();
        let mut reads = InitialReads::default();
        let mut declared = BTreeSet::new();
        let probe = Probe { state, ..Probe::default() };
        let mut block = BlockState::new(&probe);
        for (steps, accepted) in &transactions {
            let mut pair = Pair::new(&block, now.clone());
            for step in steps {
                if allowed(step, &pair) {
                    pair.run(step).unwrap();
                }
            }
            pair.assert_alike();
            let diff = pair.journal.diff();
            let (after, transaction_reads) = (pair.now, pair.reads);
            let JournalParts { changes, initial_reads: seen, classes } = pair.journal.into_parts();

            // The block records those reads of the transaction that nothing in the block had written before.
            let mut first = transaction_reads.clone();
            first.declared.retain(|class_hash, _| !declared.contains(class_hash));
            for (cell, value) in first.storage {
                reads.storage.entry(cell).or_insert(value);
            }
            for (cell, value) in first.nonces {
                reads.nonces.entry(cell).or_insert(value);
            }
            for (cell, value) in first.class_hashes {
                reads.class_hashes.entry(cell).or_insert(value);
            }
            for (cell, value) in first.compiled_class_hashes {
                reads.compiled_class_hashes.entry(cell).or_insert(value);
            }
            for (cell, value) in first.declared {
                reads.declared.entry(cell).or_insert(value);
            }

            if *accepted {
                declared.extend(changes.declared.iter().copied());
                one_map.apply(&diff, classes.declared.clone());
                // A class that was known to be declared is not declared again: the block keeps the one it
                // has.
                assert!(classes.declared.keys().all(|class_hash| changes.declared.contains(class_hash)));
                assert_eq!(classes.declared.len(), changes.declared.len());
                now = after;
                for class_hash in std::mem::take(&mut now.declared) {
                    if !changes.declared.contains(&class_hash) {
                        now.classes.insert(class_hash, pair.before.classes[&class_hash].clone());
                    }
                }
                block.commit(JournalParts { changes, initial_reads: seen, classes }).unwrap();
            } else {
                block.absorb_reads(seen);
                block.absorb_classes(classes.loaded);
            }
        }
        now.declared = declared;
        let changes = now.changes(&base, &reads);
        assert_eq!(block.initial_reads(), reads);
        assert_eq!(block.changes(), changes);
        assert_eq!(block.diff(), StateDiff::new(&changes, &reads));
        probe.assert_each_cell_once();
        now.assert_shown_by(&block);
        now.assert_shown_by(&one_map);

        // The witness contains all that was read.
        let classes = block.classes();
        let witness = MemoryState::from_witness(&block.initial_reads(), classes.loaded);
        for (&(address, key), &value) in &reads.storage {
            assert_eq!(witness.storage_at(address, key), Ok(value));
        }
        // Serialised and deserialised.
        let text = serde_json::to_string(&reads).unwrap();
        assert_eq!(serde_json::from_str::<InitialReads>(&text).unwrap(), reads);
    });
}

// ---- single cases ----

#[test]
fn a_reader_works_behind_every_pointer() {
    fn answer(reader: impl StateReader) -> Felt {
        reader.storage_at(address(1), key(1)).unwrap()
    }
    let state = MemoryState::default().with_storage(address(1), key(1), Felt::THREE);
    let boxed: Box<dyn StateReader> = Box::new(state.clone());
    let shared: Arc<dyn StateReader + Send + Sync> = Arc::new(state.clone());
    assert_eq!(answer(&state), Felt::THREE);
    assert_eq!(answer(&state as &dyn StateReader), Felt::THREE);
    assert_eq!(answer(&boxed), Felt::THREE);
    assert_eq!(answer(shared.clone()), Felt::THREE);
    let block = BlockState::new(boxed);
    assert_eq!(Journal::new(&block).storage_at(address(1), key(1)), Ok(Felt::THREE));
    assert_eq!(answer(BlockState::new(shared)), Felt::THREE);
}

#[test]
fn a_block_can_be_read_from_many_threads() {
    let block = BlockState::new(MemoryState::default().with_storage(address(1), key(1), Felt::THREE));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(Journal::new(&block).storage_at(address(1), key(1)), Ok(Felt::THREE)));
        }
    });
}

#[test]
fn an_undeclared_class_is_in_the_witness_with_hash_zero_and_a_declared_one_without() {
    let state = MemoryState::default().with_class(class_hash(1), class(1));
    let mut journal = Journal::new(&state);
    assert_eq!(journal.class(class_hash(1)), Ok(class(1)));
    assert_eq!(journal.class(class_hash(2)), Err(StateError::UndeclaredClass(class_hash(2))));
    let reads = journal.initial_reads();
    assert_eq!(
        reads.declared.into_iter().collect::<Vec<_>>(),
        [(class_hash(1), true), (class_hash(2), false)]
    );
    assert_eq!(reads.compiled_class_hashes.into_iter().collect::<Vec<_>>(), [(class_hash(2), compiled(0))]);
}

#[test]
fn a_failed_read_of_a_class_is_not_an_undeclared_class() {
    let probe = Probe::default();
    probe.seen.borrow_mut().failing = BTreeSet::from([0]);
    let mut journal = Journal::new(&probe);
    let cell = StateKey::Class(class_hash(1));
    assert!(
        matches!(journal.class(class_hash(1)), Err(StateError::Read { cell: named, .. }) if named == cell)
    );
    assert!(journal.initial_reads().is_empty());
    assert_eq!(journal.class(class_hash(1)), Err(StateError::UndeclaredClass(class_hash(1))));
}

#[test]
fn a_declaration_is_visible_until_it_is_reverted() {
    let state = MemoryState::default();
    let mut journal = Journal::new(&state);
    assert_eq!(journal.find_class(class_hash(1)), Ok(None));
    let checkpoint = journal.checkpoint();
    journal.declare_class(class_hash(1), class(5));
    journal.set_compiled_class_hash(class_hash(1), compiled(7)).unwrap();
    assert_eq!(journal.class(class_hash(1)), Ok(class(5)));
    let diff = journal.diff();
    assert_eq!(diff.declared.get(&class_hash(1)), Some(&compiled(7)));
    assert!(diff.deprecated_declared.is_empty());
    journal.revert_to(checkpoint);
    assert_eq!(journal.find_class(class_hash(1)), Ok(None));
    let JournalParts { changes, classes, .. } = journal.into_parts();
    assert!(changes.is_empty());
    assert_eq!(classes, JournalClasses::default());
}

#[test]
fn the_last_nonce_cannot_be_incremented() {
    let state = MemoryState::default().with_nonce(address(1), Nonce(Felt::MAX));
    let mut journal = Journal::new(&state);
    assert_eq!(journal.increment_nonce(address(1)), Err(StateError::NonceOverflow(address(1))));
    assert!(journal.changes().is_empty());
}

/// Changes without the reads that a journal makes, as only a host could construct them.
#[test]
fn a_commit_reads_unread_cells_or_commits_nothing() {
    let state = MemoryState::default()
        .with_storage(address(1), key(1), Felt::ONE)
        .with_nonce(address(1), Nonce(Felt::ONE));
    let probe = Probe { state, ..Probe::default() };
    let mut changes = StateChanges::default();
    changes.storage.insert((address(1), key(1)), Felt::TWO);
    changes.nonces.insert(address(1), Nonce(Felt::TWO));
    let parts = || JournalParts { changes: changes.clone(), ..JournalParts::default() };

    probe.seen.borrow_mut().failing = BTreeSet::from([1]);
    let mut block = BlockState::new(&probe);
    let error = block.commit(parts()).unwrap_err();
    assert!(matches!(error, StateError::Read { cell: StateKey::Nonce(named), .. } if named == address(1)));
    assert!(block.changes().is_empty() && block.initial_reads().is_empty());

    block.commit(parts()).unwrap();
    assert_eq!(block.changes(), changes);
    assert_eq!(block.initial_reads().storage[&(address(1), key(1))], Felt::ONE);

    // A -> B -> A over two transactions is not a change of the block (C194).
    let mut back = StateChanges::default();
    back.storage.insert((address(1), key(1)), Felt::ONE);
    back.nonces.insert(address(1), Nonce(Felt::ONE));
    block.commit(JournalParts { changes: back, ..JournalParts::default() }).unwrap();
    assert!(block.diff().is_empty());
}

#[test]
fn contracts_are_deployed_or_replaced_by_the_state_before_the_block() {
    let state = MemoryState::default().deploy(address(1), class_hash(1));
    let mut block = BlockState::new(state);
    let mut transactions = Vec::new();
    for target in [2, 3] {
        let mut journal = Journal::new(&block);
        journal.set_class_hash(address(1), class_hash(target)).unwrap();
        journal.set_class_hash(address(2), class_hash(target)).unwrap();
        transactions.push(journal.diff());
        let parts = journal.into_parts();
        block.commit(parts).unwrap();
    }
    assert!(transactions[0].deployed.contains_key(&address(2)));
    // Relative to the transaction before, the second one replaced both; relative to the block, the contract
    // is new.
    assert!(transactions[1].deployed.is_empty());
    let diff = block.diff();
    assert_eq!(diff.deployed.into_iter().collect::<Vec<_>>(), [(address(2), class_hash(3))]);
    assert_eq!(diff.replaced.into_iter().collect::<Vec<_>>(), [(address(1), class_hash(3))]);
}
