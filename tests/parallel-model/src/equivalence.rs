//! Random blocks on real threads against sequential execution.

use proptest::prelude::*;

use crate::mock::{Block, Program, Step};
use crate::parallel::{Panicked, ParallelConfig};
use crate::workers::{config, run, stream};

fn step(keys: u8) -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..keys).prop_map(Step::Read),
        4 => (0..keys, 0..5_u64).prop_map(|(key, amount)| Step::Add(key, amount)),
        2 => (0..keys, 0..3_u64).prop_map(|(key, value)| Step::Set(key, value)),
        1 => (0..keys, 0..3_u64).prop_map(|(key, value)| Step::Blind(key, value)),
        3 => Just(Step::ReadAnywhere),
        3 => (0..5_u64).prop_map(Step::AddAnywhere),
        1 => Just(Step::Wander),
        1 => (50..500_u64).prop_map(Step::FailIf),
        1 => Just(Step::ReadAccumulator),
    ]
}

fn program(keys: u8) -> impl Strategy<Value = Program> {
    let fee = prop_oneof![1 => Just(None), 3 => (0..keys, 1..9_u64).prop_map(Some)];
    (proptest::collection::vec(step(keys), 0..8), fee, proptest::bool::weighted(0.1))
        .prop_map(|(steps, fee, is_odd)| Program { steps, fee, is_odd })
}

fn block() -> impl Strategy<Value = Block> {
    (1..24_u8).prop_flat_map(|keys| {
        (
            proptest::collection::vec(program(keys), 0..60),
            proptest::collection::btree_set(0..keys, 0..2),
            proptest::option::weighted(0.2, 0..60_usize),
            any::<bool>(),
            0..4_usize,
        )
            .prop_map(move |(programs, broken_keys, stop_at, resumes, predecessors)| Block {
                keys,
                programs,
                broken_keys,
                stop_at,
                panic_at: None,
                resumes,
                predecessors,
                has_state: predecessors % 2 == 0,
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn equals_sequential_execution(
        block in block(),
        helpers in 0..7_usize,
        window in prop_oneof![Just(1_usize), Just(4), Just(256)],
        batch in prop_oneof![Just(1_usize), Just(7), Just(1000)],
        speculates_fees: bool,
    ) {
        let config = ParallelConfig { speculates_fees, ..config(helpers, window) };
        let (outcome, stats) = run(&block, config, batch).unwrap();
        prop_assert_eq!(&outcome, &block.sequentially());
        prop_assert!(stats.max_incarnations <= 6, "{:?}", stats);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_stream_equals_sequential_execution(
        block in block(),
        helpers in 1..7_usize,
        window in prop_oneof![Just(1_usize), Just(4), Just(256)],
        batch in prop_oneof![Just(1_usize), Just(7), Just(1000)],
        undelivered in prop_oneof![Just(1_usize), Just(3), Just(1000)],
        speculates_fees: bool,
    ) {
        let config = ParallelConfig { has_main: false, speculates_fees, ..config(helpers, window) };
        prop_assert_eq!(stream(&block, config, batch, undelivered), block.sequentially());
    }
}

#[test]
fn a_panic_ends_the_block_and_nothing_else() {
    let programs = vec![Program { steps: vec![Step::Add(0, 1)], fee: None, is_odd: false }; 40];
    let block = Block { keys: 1, programs, panic_at: Some(20), ..Block::default() };
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = run(&block, config(3, 256), 1000);
    std::panic::set_hook(hook);
    assert_eq!(result.err(), Some(Panicked("the sink panics, as asked".to_owned())));
}

#[test]
fn a_chain_wastes_few_executions() {
    let programs = vec![Program { steps: vec![Step::Add(0, 1)], fee: Some((1, 1)), is_odd: false }; 2_000];
    let block = Block { keys: 2, programs, ..Block::default() };
    let (outcome, stats) = run(&block, config(3, 256), 2_000).unwrap();
    assert_eq!(outcome, block.sequentially());
    assert!(stats.executions < 2_600, "{stats:?}");
}

#[test]
fn independent_tasks_are_executed_once() {
    let programs = (0..200_u8)
        .map(|key| Program { steps: vec![Step::Add(key, 1)], fee: Some((key, 3)), is_odd: false })
        .collect();
    let block = Block { keys: 200, programs, ..Block::default() };
    let (outcome, stats) = run(&block, config(3, 256), 2_000).unwrap();
    assert_eq!(outcome, block.sequentially());
    assert_eq!((stats.executions, stats.fee_phases, stats.fee_re_executions), (200, 200, 0));
}
