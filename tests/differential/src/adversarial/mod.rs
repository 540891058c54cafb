//! Adversarial code: classes that no compiler made, run on both engines.
//!
//! Input: a seed. Output: whether the engines agreed on every program, and none of our code panicked; counts
//! of how programs ended are printed. A program on which they differ is shrunk and saved.

mod base;
mod edit;
mod hint;
mod invocation;
mod numbers;
mod panics;
mod program;
mod scratch;
mod tally;
mod watch;
mod word;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::channel;
use std::thread;

use rlimit::Resource;
use serde_json::{Value, json};
use starkiln::block::Engine;
use starkiln::protocol::ProtocolVersion;
use starkiln::state::MemoryState;

use self::base::Base;
use self::edit::Changed;
use self::invocation::{Bounds, Chain, Done, Invocation};
use self::program::Program;
use self::tally::Tally;
use self::watch::{Running, noted, watch};
use crate::arguments::CodeArguments;
use crate::compare::compare;
use crate::generate::Random;
use crate::input::{ClassSource, ClassSources, Input, Way, load_classes};
use crate::limits::Limits;
use crate::reference::blockifier_classes;
use crate::shrink::minimal;

/// One program in this many also runs on `Checked`, which compares memory as well.
const CHECKED: u64 = 4;

/// The most differing programs that are shrunk and saved.
const SAVED: usize = 10;

/// Native stack of a job.
const STACK: usize = 64 << 20;

/// Bytes of address space for the process, so that `cairo-vm`, which has no bound of its own, cannot take the
/// machine's memory: what it asks for beyond, it is refused.
const ADDRESS_SPACE: u64 = 12 << 30;

/// The versions that programs run on: the newest, one of the middle, and one whose revert reasons show VM
/// frames.
const VERSIONS: [ProtocolVersion; 3] =
    [ProtocolVersion::NEWEST, ProtocolVersion::V0_13_5, ProtocolVersion::V0_13_1];

/// The reason for not comparing an invocation that never ends.
const ENDLESS: &str = "it is measured in gas, never looks at it and does not end";

/// The reason for not comparing a run that needs more memory than the process may have: `cairo-vm` has no
/// bound of its own.
const TOO_LARGE: &str = "it needs more than 6 GiB of cells";

/// The data that all programs share.
struct Shared {
    /// Held by the job that needs most of the memory.
    large: Mutex<()>,
    bases: Vec<Base>,
    chains: Vec<Chain>,
    neighbours: ClassSources,
}

/// A difference between engines, or a panic of ours.
struct Finding {
    invocation: Invocation,
    engine: &'static str,
    what: String,
}

/// Runs programs; returns `true` if the engines always agreed and nothing of ours panicked.
pub fn fuzz(arguments: &CodeArguments) -> Result<bool, String> {
    println!("seed {}", arguments.seed);
    Resource::AS.set(ADDRESS_SPACE, ADDRESS_SPACE).map_err(|error| format!("address space: {error}"))?;
    let shared = Shared {
        large: Mutex::default(),
        bases: Base::load_all()?,
        chains: VERSIONS.map(Chain::new).into(),
        neighbours: load_classes(&base::neighbour_entries(), &crate::fixture::contracts())?,
    };
    panics::watch();
    let (first, end) = (arguments.first, arguments.first + arguments.programs);
    let next = AtomicU64::new(first);
    let tally = Mutex::new(Tally::default());
    let running: Vec<Running> = (0..arguments.jobs.max(1)).map(|_| Running::default()).collect();
    let (alive, until) = channel::<()>();
    thread::scope(|scope| {
        for job in &running {
            let (alive, next, shared, tally) = (alive.clone(), &next, &shared, &tally);
            let work = move || {
                let _alive = alive;
                let index = || Some(next.fetch_add(1, Ordering::Relaxed)).filter(|index| *index < end);
                while let Some(index) = index() {
                    let run = || one(shared, index, arguments, job, tally);
                    if catch_unwind(AssertUnwindSafe(run)).is_err() {
                        println!("program {index}: {:?}", panics::take());
                        tally.lock().expect("no thread panics while it holds the lock").panics += 1;
                    }
                }
            };
            thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).expect("threads can be made");
        }
        drop(alive);
        watch(&running, &until);
    });
    Ok(tally.into_inner().map_err(|_| "a job panicked")?.print())
}

/// Makes a program, runs it and counts how it ended.
fn one(shared: &Shared, index: u64, arguments: &CodeArguments, job: &Running, tally: &Mutex<Tally>) {
    let mut random = Random::new(arguments.seed).branch(index);
    let program = Program::any(&shared.bases, VERSIONS.len(), &mut random);
    let is_checked = random.once_in(CHECKED);
    let asks_blockifier = arguments.blockifier > 0 && index.is_multiple_of(arguments.blockifier);
    let lock = || tally.lock().expect("no thread panics while it holds the lock");
    let class = program.class(&shared.bases);
    if arguments.programs == 1 {
        println!("from {}: {:#?}", program.origin(&shared.bases), program.code);
        println!("{}, {}: {:?}", VERSIONS[program.version], program.sierra_version, program.invocations);
    }
    {
        let mut tally = lock();
        tally.programs += 1;
        *tally.origins.entry(program.origin(&shared.bases)).or_default() += 1;
        let every = (arguments.programs / 10).max(1);
        if tally.programs.is_multiple_of(every) {
            println!("{} of {} programs", tally.programs, arguments.programs);
        }
    }
    let loaded = class.as_ref().map(Changed::load);
    let Some(Ok(loaded)) = loaded else {
        lock().refused += 1;
        return;
    };
    let chain = &shared.chains[program.version];
    let state = chain.state(loaded);
    let unending = unending(chain, &program, &shared.bases, job, index);
    let mut found = Vec::new();
    for invocation in &program.invocations {
        if unending.contains(invocation) {
            lock().not_compared(ENDLESS);
            continue;
        }
        let run = |name, engine| noted(job, index, name, || chain.run(&state, invocation, engine));
        let reference = run("cairo-vm", Engine::CairoVm);
        {
            let mut tally = lock();
            *tally.endings.entry(reference.ended.name()).or_default() += 1;
            for panic in &reference.panics {
                tally.cairo_vm_panicked(panic);
            }
        }
        for (name, engine) in engines(is_checked) {
            let mut done = run(name, engine);
            if done.ended.needs_too_much_memory() && !reference.ended.needs_too_much_memory() {
                // Both at once find no other end than the fast engine alone, and look at every cell.
                if engine == Engine::Checked {
                    continue;
                }
                // The bound is ours, and `cairo-vm` has none: it is compared with a bound that is nearly all
                // there is.
                let _alone = shared.large.lock();
                let large = || chain.run_within(Bounds::LARGE, &state, invocation, engine);
                done = noted(job, index, "with more memory", large);
                if done.ended.needs_too_much_memory() {
                    lock().not_compared(TOO_LARGE);
                    continue;
                }
            }
            found.extend(differing(&reference, &done).map(|what| Finding {
                invocation: invocation.clone(),
                engine: name,
                what,
            }));
            lock().time(index, name, done.time);
        }
        lock().time(index, "cairo-vm", reference.time);
    }
    if asks_blockifier && let Some(class) = &class {
        let asked = noted(job, index, "blockifier", || ask_blockifier(shared, &program, class, &state));
        let mut tally = lock();
        for (ending, text) in asked {
            tally.blockifier[ending] += 1;
            if let Some(text) = text {
                println!("program {index}: {text}");
            }
        }
    }
    if found.is_empty() {
        return;
    }
    let mut tally = lock();
    for finding in &found {
        if finding.what.starts_with("panic") {
            tally.panics += 1;
        } else {
            tally.differences += 1;
        }
    }
    tally.saved += 1;
    let is_saved = tally.saved <= SAVED;
    drop(tally);
    if is_saved {
        report(shared, index, &program, &found[0], arguments);
    }
}

/// The invocations of a class that is measured in gas which would not end. Only code that looks at its gas
/// stops when it is used up: what does not end within more steps than the gas could pay for, when it is done
/// as if the class counted steps, never does.
fn unending(chain: &Chain, program: &Program, bases: &[Base], job: &Running, index: u64) -> Vec<Invocation> {
    let in_steps = Program { sierra_version: program::in_steps(), ..program.clone() };
    if in_steps.sierra_version == program.sierra_version {
        return Vec::new();
    }
    let Some(Ok(class)) = in_steps.class(bases).map(|class| class.load()) else { return Vec::new() };
    let state = chain.state(class);
    let ends = |invocation: &Invocation| {
        [Bounds::USUAL, Bounds::LONG].into_iter().any(|bounds| {
            let run = || chain.run_within(bounds, &state, invocation, Engine::CairoVm);
            !noted(job, index, "cairo-vm in steps", run).ended.ran_out_of_steps()
        })
    };
    program.invocations.iter().filter(|invocation| !ends(invocation)).cloned().collect()
}

fn engines(is_checked: bool) -> impl Iterator<Item = (&'static str, Engine)> {
    [("fast", Engine::Fast), ("checked", Engine::Checked)].into_iter().take(if is_checked { 2 } else { 1 })
}

/// The first difference between the run on cairo-vm and another engine's; a panic that cairo-vm's run does
/// not have is that engine's own.
fn differing(reference: &Done, done: &Done) -> Option<String> {
    if let Some(panic) = done.panics.iter().find(|panic| !reference.panics.contains(panic)) {
        return Some(format!("panic: {panic}"));
    }
    (reference.ended != done.ended).then(|| {
        let (reference, done) = (format!("{:?}", reference.ended), format!("{:?}", done.ended));
        // From a little before the first place where they differ.
        let same = reference.bytes().zip(done.bytes()).take_while(|(left, right)| left == right).count();
        let part = |text: &str| {
            let bytes = text.as_bytes();
            String::from_utf8_lossy(&bytes[same.saturating_sub(160)..bytes.len().min(same + 240)])
                .into_owned()
        };
        format!("cairo-vm: ...{}\n    other: ...{}", part(&reference), part(&done))
    })
}

/// Shrinks a program and saves it.
fn report(shared: &Shared, index: u64, program: &Program, finding: &Finding, arguments: &CodeArguments) {
    let is_panic = |what: &str| what.starts_with("panic");
    let shows = |program: &Program| {
        let Some(Ok(class)) = program.class(&shared.bases).map(|class| class.load()) else { return None };
        let chain = &shared.chains[program.version];
        let state = chain.state(class);
        program.invocations.iter().find_map(|invocation| {
            let reference = chain.run(&state, invocation, Engine::CairoVm);
            engines(finding.engine == "checked").find_map(|(name, engine)| {
                let done = chain.run(&state, invocation, engine);
                if done.ended.needs_too_much_memory() {
                    return None;
                }
                let what = differing(&reference, &done)?;
                (name == finding.engine && is_panic(&what) == is_panic(&finding.what)).then_some(what)
            })
        })
    };
    let mut small = Program { invocations: vec![finding.invocation.clone()], ..program.clone() };
    if shows(&small).is_none() {
        small = program.clone();
    }
    let small = small.shrunk(&|program| shows(program).is_some());
    let what = shows(&small).unwrap_or_else(|| finding.what.clone());
    let json = json!({
        "program": index,
        "seed": arguments.seed,
        "version": VERSIONS[small.version].to_string(),
        "sierra_version": small.sierra_version.to_string(),
        "what": what,
        "engine": finding.engine,
        "from": small.origin(&shared.bases),
        "changes": format!("{:?}", small.code),
        "invocations": small.invocations.iter().map(Invocation::json).collect::<Value>(),
        "class": small.class(&shared.bases).map(|class| class.json()),
    });
    let path = arguments.save.join(format!("code-{}-{index}.json", arguments.seed));
    let saved = std::fs::create_dir_all(&arguments.save)
        .and_then(|()| std::fs::write(&path, serde_json::to_string_pretty(&json).unwrap_or_default()));
    println!("program {index}, {} and cairo-vm differ:", finding.engine);
    println!("    {what}");
    println!("    {:?}", small.code);
    match saved {
        Ok(()) => println!("    {}; again with: --first {index} --programs 1", path.display()),
        Err(error) => println!("    {}: {error}", path.display()),
    }
}

/// Runs a program's transactions through blockifier: how many agreed (0), differed (1), could not be run
/// there (2).
fn ask_blockifier(
    shared: &Shared,
    program: &Program,
    class: &Changed,
    state: &MemoryState,
) -> Vec<(usize, Option<String>)> {
    // The outcome differs between processes, and the output is not ours.
    let text = class.json().to_string();
    if [hint::RANDOM_POINT, "random_ec_point", hint::PRINT].iter().any(|name| text.contains(name)) {
        return Vec::new();
    }
    let transactions: Vec<_> = program.invocations.iter().filter_map(Invocation::transaction).collect();
    let class_hash = starknet_api::core::ClassHash(crate::fixture::felt(invocation::PROGRAM));
    let (Some(compiled), Some(ours)) = (class.compiled(), state.classes.get(&class_hash)) else {
        return vec![(2, None)];
    };
    let mut classes = shared.neighbours.clone();
    let ours =
        starkiln::class::DeclaredClass { class: ours.clone(), sierra_program_length: 0, abi_length: 0 };
    classes.insert(class_hash, ClassSource { compiled: compiled.into(), ours });
    let Ok(theirs) = catch_unwind(AssertUnwindSafe(|| blockifier_classes(&classes))) else {
        return vec![(2, None)];
    };
    let world = shared.chains[program.version].world();
    transactions
        .into_iter()
        .map(|transaction| {
            let input = Input {
                env: world.env.clone(),
                block_hash_source: crate::fixture::block_hash_source(),
                state: state.clone(),
                classes: classes.clone(),
                transactions: vec![transaction],
                limits: Limits::none(),
                way: Way::default(),
            };
            // Blockifier may panic when a block is closed, too.
            let Ok(compared) = catch_unwind(AssertUnwindSafe(|| compare(&input, theirs.clone()))) else {
                return (2, None);
            };
            match compared {
                Ok(report) if !report.departures.is_empty() => (2, None),
                Ok(report) => match report.differences.first() {
                    None => (0, None),
                    Some(difference) => (1, Some(difference.to_string())),
                },
                Err(error) => (1, Some(error)),
            }
        })
        .collect()
}

/// The folder for programs on which the engines differ.
pub const SAVE: &str = "target/differences";

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use super::invocation::Ended;
    use super::*;

    #[test]
    fn engines_agree_on_adversarial_code() {
        let arguments = CodeArguments {
            programs: 300,
            seed: 3,
            first: 0,
            jobs: 2,
            blockifier: 60,
            save: Path::new(SAVE).into(),
        };
        assert_eq!(fuzz(&arguments), Ok(true));
    }

    #[test]
    fn what_engines_may_differ_in_is_seen() {
        let done = |ended, panics| Done { ended, panics, time: Duration::ZERO };
        let failed = |text: &str| Ended::Call(Err(text.to_owned()));
        let reference = done(failed("a"), vec!["x".to_owned()]);
        assert_eq!(differing(&reference, &done(failed("a"), vec![])), None);
        assert!(differing(&reference, &done(failed("b"), vec![])).is_some());
        let panicked = done(failed("a"), vec!["x".to_owned(), "y".to_owned()]);
        assert_eq!(differing(&reference, &panicked), Some("panic: y".to_owned()));
    }
}
