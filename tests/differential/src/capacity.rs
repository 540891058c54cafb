//! Random blocks under limits: the weights of every transaction, the cut of the block, the outputs for the
//! sequencer.
//!
//! Input: the classes, what to do. Output: whether the two never differed and every limit cut some block.
//! Limits are taken from what the block's weights without limits, so that the cut is inside the block, and
//! often exactly at a transaction's boundary.

use std::collections::BTreeMap;
use std::thread;

use starkiln::block::{BlockEnd, BlockExecutor, TransactionOutcome, Weight, Weights};

use crate::arguments::FuzzArguments;
use crate::compare::{Report, compare};
use crate::fixture::error_chain;
use crate::generate::{Era, Library, Purpose, Random, Request, generate};
use crate::input::Input;
use crate::limits::Limits;

/// Fewest and most transactions of a block.
const SIZE: (u64, u64) = (25, 80);
/// The number of limits for each block, besides none and mainnet's.
const LIMITS: usize = 4;
/// Nested calls of blockifier nest on the native stack.
const STACK: usize = 256 << 20;

/// The counts of the comparison.
#[derive(Default)]
struct Totals {
    compared: usize,
    differences: usize,
    blocks: usize,
    runs: usize,
    full: BTreeMap<Weight, usize>,
    too_large: BTreeMap<Weight, usize>,
}

/// Runs blocks until enough has been compared.
pub fn fuzz(library: &Library, arguments: &FuzzArguments) -> Result<bool, String> {
    println!("seed {}", arguments.seed);
    thread::scope(|scope| {
        let work = || run(library, arguments);
        let thread = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work);
        thread.expect("threads can be made").join().map_err(|_| "a comparison panicked".to_owned())?
    })
}

fn run(library: &Library, arguments: &FuzzArguments) -> Result<bool, String> {
    let versions = arguments.version.list();
    let eras = arguments.era.map_or_else(|| vec![Era::Modern, Era::Past], |era| vec![era]);
    let mut totals = Totals::default();
    while totals.compared < arguments.transactions {
        let mut random = Random::new(arguments.seed).branch(totals.blocks as u64);
        let request = Request {
            version: versions[totals.blocks % versions.len()],
            era: eras[(totals.blocks + totals.blocks / versions.len()) % eras.len()],
            transactions: random.between(SIZE.0, SIZE.1) as usize,
            seed: random.number(),
            purpose: Purpose::Fuzz,
            recipes: arguments.recipes.clone(),
        };
        totals.blocks += 1;
        let block = generate(library, &request)?;
        let mut input = Input::with_classes(&block.file, library.classes.clone())?;
        input.way = arguments.way.way();
        let outcome = BlockExecutor::new(input.env.clone(), &input.state)
            .block_hash_source(input.block_hash_source)
            .capacity(input.limits.ours())
            .execute(&input.transactions)
            .map_err(|error| error_chain(&error))?;
        let mut trials = vec![Limits::none(), Limits::mainnet()];
        trials.extend((0..LIMITS).map(|_| limits(&outcome.transactions, &mut random)));
        for limits in trials {
            input.limits = limits;
            let report = compare(&input, library.blockifier_classes.clone())?;
            totals.add(&report);
            for difference in report.differences.iter().take(arguments.show) {
                println!(
                    "{}, {:?}, block seed {}: {:?}",
                    request.version, request.era, request.seed, input.limits
                );
                println!("{difference}");
            }
        }
    }
    Ok(totals.print())
}

/// Limits for one to three of the weights.
fn limits(outcomes: &[TransactionOutcome], random: &mut Random) -> Limits {
    let mut limits = Limits::none();
    for _ in 0..random.between(1, 3) {
        let weight = *random.pick(&Weight::ALL);
        let at = random.below(outcomes.len() as u64) as usize;
        let until = outcomes[..=at].iter().map(|outcome| outcome.weights.get(weight)).sum::<u64>();
        let limit = match random.below(6) {
            // The transaction fits exactly.
            0..3 => until,
            // It lacks one.
            3 => until.saturating_sub(1),
            // It is too large for any block, or nearly so.
            4 => outcomes[at].weights.get(weight).saturating_sub(1),
            _ => until / 2,
        };
        set(&mut limits.weights, weight, limit);
        if weight == Weight::ProvingGas {
            // Prices near mainnet's. Blockifier derives them from the limit.
            let mainnet = Limits::mainnet();
            let scaled = |count: u64| {
                let scaled = u128::from(count) * u128::from(limit) / u128::from(mainnet.weights.proving_gas);
                u64::try_from(scaled).expect("less than the limit").max(1)
            };
            limits.instances =
                mainnet.instances.iter().map(|(builtin, count)| (*builtin, scaled(*count))).collect();
        }
    }
    limits
}

fn set(weights: &mut Weights, weight: Weight, limit: u64) {
    let slot = match weight {
        Weight::L1Gas => &mut weights.l1_gas,
        Weight::MessageSegmentLength => &mut weights.message_segment_length,
        Weight::Events => &mut weights.events,
        Weight::Transactions => &mut weights.transactions,
        Weight::StateDiffSize => &mut weights.state_diff_size,
        Weight::SierraGas => &mut weights.sierra_gas,
        Weight::ProvingGas => &mut weights.proving_gas,
        Weight::ReceiptL2Gas => &mut weights.receipt_l2_gas,
        _ => unreachable!("there are eight"),
    };
    *slot = limit;
}

impl Totals {
    fn add(&mut self, report: &Report) {
        self.runs += 1;
        self.compared += report.compared.len();
        self.differences += report.differences.len();
        if let Some(BlockEnd::Full { reason, .. }) = &report.end {
            for exceeded in &reason.exceeded {
                *self.full.entry(exceeded.weight).or_default() += 1;
            }
        }
        for weight in &report.too_large {
            *self.too_large.entry(*weight).or_default() += 1;
        }
    }

    /// Prints the counts; returns `true` if there was no difference and every limit was reached.
    fn print(&self) -> bool {
        println!("{:24}{:>12}{:>12}", "", "block full", "too large");
        for weight in Weight::ALL {
            let count = |counts: &BTreeMap<Weight, usize>| counts.get(&weight).copied().unwrap_or_default();
            println!("{:24}{:>12}{:>12}", weight.to_string(), count(&self.full), count(&self.too_large));
        }
        println!("{} blocks, {} runs under different limits", self.blocks, self.runs);
        println!("{} transactions compared, {} differences", self.compared, self.differences);
        let unmet: Vec<_> = Weight::ALL.iter().filter(|weight| !self.full.contains_key(weight)).collect();
        if !unmet.is_empty() {
            println!("never full: {unmet:?}");
        }
        self.differences == 0 && unmet.is_empty()
    }
}
