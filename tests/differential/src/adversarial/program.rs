//! A program: a changed or invented class, and its invocations.
//!
//! Input: classes to change, random numbers. Output: [`Program`]s, and smaller ones that still show
//! something.

use starknet_api::abi::abi_utils::selector_from_name;
use starknet_api::contract_class::{EntryPointType, SierraVersion};
use starknet_types_core::felt::Felt;

use super::base::{Base, EntryPoint, Form};
use super::edit::{Changed, Edit, changed, edits};
use super::invocation::{Invocation, PROGRAM};
use super::minimal;
use super::numbers::{number, point};
use super::scratch::{self, Scratch};
use crate::fixture::{self, ACCOUNT, FEE_TOKEN, felt};
use crate::generate::{Names, Random};

/// Classes compiled from this Sierra version are measured in steps; from the next one on, in gas.
pub fn in_steps() -> SierraVersion {
    SierraVersion::new(1, 6, 0)
}

/// One program in this many is made from nothing.
const SCRATCH: u64 = 3;

/// The origin of a program.
#[derive(Clone, Debug)]
pub enum Code {
    /// A class, by its place in the list, with changes.
    Changed(usize, Vec<Edit>),
    /// Nothing.
    Scratch(Scratch),
}

/// A program.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its code.
    pub code: Code,
    /// The Sierra version of its class, which decides between gas and steps.
    pub sierra_version: SierraVersion,
    /// The protocol version, by its place in the list.
    pub version: usize,
    /// Its invocations.
    pub invocations: Vec<Invocation>,
}

impl Program {
    /// Any program.
    pub fn any(bases: &[Base], versions: usize, random: &mut Random) -> Self {
        let sierra_version = if random.once_in(2) { SierraVersion::new(1, 7, 0) } else { in_steps() };
        // Half of them under the newest rules.
        let version = if random.once_in(2) { 0 } else { random.below(versions as u64) as usize };
        let has_bounds = version < versions - 1;
        let mut invocations = Vec::new();
        let code = if random.once_in(SCRATCH) {
            let scratch = Scratch::any(random);
            let selector = scratch::selector();
            for _ in 0..2 {
                invocations.push(Invocation::Call(
                    EntryPointType::External,
                    selector,
                    calldata(bases, None, random),
                ));
            }
            if has_bounds && random.once_in(3) {
                invocations.push(Invocation::Invoke(selector, calldata(bases, None, random)));
            }
            Code::Scratch(scratch)
        } else {
            let which = any_base(bases, random);
            let base = &bases[which];
            let focus = random.pick(&base.entry_points);
            for _ in 0..random.between(1, 3) {
                let entry_point = if random.once_in(4) { random.pick(&base.entry_points) } else { focus };
                let calldata = calldata(bases, Some((base, entry_point)), random);
                invocations.push(Invocation::Call(entry_point.way, entry_point.selector, calldata));
            }
            if has_bounds && random.once_in(3) {
                invocations
                    .push(Invocation::Invoke(focus.selector, calldata(bases, Some((base, focus)), random)));
            }
            if has_bounds && base.is_account() && random.once_in(2) {
                invocations.push(account_invocation(base, random));
            }
            Code::Changed(which, edits(base, focus, random))
        };
        Self { code, sierra_version, version, invocations }
    }

    /// The name of its origin.
    pub fn origin(&self, bases: &[Base]) -> &'static str {
        match &self.code {
            Code::Changed(which, _) => bases[*which].name,
            Code::Scratch(_) => "nothing",
        }
    }

    /// Its class; `None` if it cannot be written down.
    pub fn class(&self, bases: &[Base]) -> Option<Changed> {
        match &self.code {
            Code::Changed(which, edits) => changed(&bases[*which], edits, &self.sierra_version),
            Code::Scratch(scratch) => {
                scratch.class(bases.first()?, &self.sierra_version).map(|casm| Changed::Casm(casm.into()))
            }
        }
    }

    /// The smallest program that still shows it.
    pub fn shrunk(self, shows: &dyn Fn(&Self) -> bool) -> Self {
        let code = match &self.code {
            Code::Changed(which, edits) => {
                let with = |edits: &[Edit]| Code::Changed(*which, edits.to_vec());
                with(&minimal(edits.clone(), &|kept| shows(&Self { code: with(kept), ..self.clone() })))
            }
            Code::Scratch(scratch) => {
                let with = |lines: &[_]| Code::Scratch(Scratch { lines: lines.to_vec(), ..scratch.clone() });
                with(&minimal(scratch.lines.clone(), &|kept| {
                    shows(&Self { code: with(kept), ..self.clone() })
                }))
            }
        };
        let small = Self { code, ..self };
        let invocations = minimal(small.invocations.clone(), &|kept| {
            shows(&Self { invocations: kept.to_vec(), ..small.clone() })
        });
        Self { invocations, ..small }
    }
}

fn any_base(bases: &[Base], random: &mut Random) -> usize {
    let total = bases.iter().map(|base| base.weight).sum();
    let mut left = random.below(total);
    for (which, base) in bases.iter().enumerate() {
        match left.checked_sub(base.weight) {
            Some(rest) => left = rest,
            None => return which,
        }
    }
    0
}

impl Base {
    fn is_account(&self) -> bool {
        let execute = selector_from_name("__execute__").0;
        self.entry_points.iter().any(|entry_point| entry_point.selector == execute)
    }
}

/// Calldata: what the entry point takes, mostly.
fn calldata(bases: &[Base], entry_point: Option<(&Base, &EntryPoint)>, random: &mut Random) -> Vec<Felt> {
    let fitting = entry_point.and_then(|(base, entry_point)| {
        let of_abi = base.abi.entry_points.iter();
        let known = of_abi.filter(|known| known.selector() == entry_point.selector).collect::<Vec<_>>();
        known.first().map(|known| base.abi.calldata(known, &names(bases), random))
    });
    match fitting {
        Some(fitting) if !random.once_in(5) => fitting,
        _ => (0..random.below(10)).map(|_| any(random)).collect(),
    }
}

fn names(bases: &[Base]) -> Names {
    let selectors = bases.iter().flat_map(|base| base.entry_points.first()).map(|entry| entry.selector);
    Names {
        addresses: [PROGRAM, ACCOUNT, FEE_TOKEN, 0xdead].map(felt).to_vec(),
        classes: [felt(PROGRAM), fixture::class("erc20").0.0, Felt::ONE].to_vec(),
        selectors: selectors.chain([selector_from_name("transfer").0, scratch::selector()]).collect(),
    }
}

fn any(random: &mut Random) -> Felt {
    match random.below(8) {
        0 => felt(PROGRAM),
        1 => felt(FEE_TOKEN),
        2 => point(random)[0],
        // A word of Blake's.
        3 => Felt::from(random.number() >> 32),
        _ => number(random),
    }
}

/// A transaction of the program's own, which transfers nothing, or anything.
fn account_invocation(base: &Base, random: &mut Random) -> Invocation {
    let transfer = [felt(FEE_TOKEN), selector_from_name("transfer").0];
    let arguments = [felt(ACCOUNT), Felt::ZERO, Felt::ZERO];
    let length = Felt::THREE;
    let calldata = match &base.form {
        _ if random.once_in(6) => (0..random.below(8)).map(|_| any(random)).collect(),
        Form::Casm(_) => [&[Felt::ONE], transfer.as_slice(), &[length], &arguments].concat(),
        Form::Cairo0(_) => {
            [&[Felt::ONE], transfer.as_slice(), &[Felt::ZERO, length, length], &arguments].concat()
        }
    };
    let signature = (0..random.below(4)).map(|_| any(random)).collect();
    Invocation::Itself(calldata, signature)
}
