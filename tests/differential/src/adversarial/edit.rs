//! Changes to a class: words of its code, hints, entry points, builtins.
//!
//! Input: a [`Base`], random numbers. Output: edits, and the class that they lead to.

use serde_json::{Value, json};
use starkiln::class::{Cairo0Class, Cairo1Class, ContractClass};
use starknet_api::contract_class::{
    ContractClass as CompiledClass, EntryPointType, SierraVersion, VersionedCasm,
};
use starknet_types_core::felt::Felt;

use super::base::{Base, EntryPoint, Form};
use super::numbers::{number, offset};
use super::{hint, word};
use crate::generate::Random;

/// Builtins that entry points name, in the order that compilers keep, and one that they do not.
const BUILTINS: [&str; 11] = [
    "pedersen",
    "range_check",
    "ecdsa",
    "bitwise",
    "ec_op",
    "poseidon",
    "segment_arena",
    "range_check96",
    "add_mod",
    "mul_mod",
    "keccak",
];

/// A change.
#[derive(Clone, Debug)]
pub enum Edit {
    /// This word becomes that.
    Word(usize, Felt),
    /// Before the instruction there stand these hints.
    Hints(usize, Vec<Value>),
    /// This reference, by which hints find a variable, is that; Cairo 0 only.
    Reference(usize, String),
    /// Replaces the entry point of this type and index.
    EntryPoint { way: EntryPointType, index: usize, selector: Felt, offset: usize, builtins: Vec<String> },
    /// The program names these builtins; Cairo 0 only.
    Builtins(Vec<String>),
    /// The code ends here.
    End(usize),
}

/// Changes around an entry point, a few.
pub fn edits(base: &Base, entry_point: &EntryPoint, random: &mut Random) -> Vec<Edit> {
    let mut edits = Vec::new();
    let most = if random.once_in(3) { 4 } else { 1 };
    for _ in 0..random.between(1, most) {
        match random.below(20) {
            0..12 => edits.push(word_edit(base, entry_point, random)),
            12..17 => edits.extend(hint_edits(base, entry_point, random)),
            17..19 => edits.push(entry_point_edit(base, entry_point, random)),
            _ if random.once_in(6) => edits.push(Edit::End(random.below(base.words.len() as u64) as usize)),
            _ => edits.push(word_edit(base, entry_point, random)),
        }
    }
    edits
}

/// An instruction that runs early, mostly.
fn place(entry_point: &EntryPoint, random: &mut Random) -> usize {
    let far = random.between(1, entry_point.reached.len() as u64);
    let far = if random.once_in(3) { far } else { far.min(60) };
    entry_point.reached[random.below(far) as usize]
}

fn word_edit(base: &Base, entry_point: &EntryPoint, random: &mut Random) -> Edit {
    let at = place(entry_point, random);
    let old = base.words[at];
    let Some(bits) = word::bits(&old) else { return Edit::Word(at, number(random)) };
    let immediate = word::has_immediate(bits) && at + 1 < base.words.len();
    if immediate && random.once_in(3) {
        let old = base.words[at + 1];
        let value = match random.below(4) {
            0 => old + Felt::ONE,
            1 => old - Felt::ONE,
            2 => -old,
            _ => number(random),
        };
        return Edit::Word(at + 1, value);
    }
    let other = |random: &mut Random| base.words[place(entry_point, random)];
    let new = match random.below(16) {
        // A flag.
        0..5 => felt(bits ^ 1 << random.between(48, 62)),
        // An offset.
        5..11 => {
            let which = random.below(3) as u32;
            felt(word::with_offset(bits, which, offset(word::offset(bits, which), random)))
        }
        // Blake, its last block, QM31, and what there is not.
        11 => felt(bits | u128::from(random.between(1, 7)) << 63),
        12 => word::word(
            word::flags(bits),
            0,
            random.below(3) as i64 - 3,
            random.below(3) as i64 - 3,
            random.between(1, 3),
        ),
        13 | 14 => other(random),
        _ => number(random),
    };
    Edit::Word(at, new)
}

fn felt(bits: u128) -> Felt {
    Felt::from(bits)
}

fn hint_edits(base: &Base, entry_point: &EntryPoint, random: &mut Random) -> Vec<Edit> {
    let places = base.hint_places(entry_point);
    if places.is_empty() {
        let is_cairo0 = matches!(base.form, Form::Cairo0(_));
        return if is_cairo0 {
            vec![]
        } else {
            vec![Edit::Hints(entry_point.offset, vec![hint::any(random)])]
        };
    }
    let at = *random.pick(&places);
    let hints = base.hints[&at].clone();
    let other = *random.pick(&places);
    match random.below(12) {
        0 => vec![Edit::Hints(at, vec![])],
        // Exchanged.
        1 | 2 => vec![Edit::Hints(at, base.hints[&other].clone()), Edit::Hints(other, hints)],
        // Moved, or once more.
        3 => vec![Edit::Hints(at, vec![]), Edit::Hints(place(entry_point, random), hints)],
        4 => vec![Edit::Hints(place(entry_point, random), hints)],
        5 | 6 if !base.references.is_empty() => {
            let which = random.below(base.references.len() as u64) as usize;
            vec![Edit::Reference(which, changed_reference(&base.references[which], base, random))]
        }
        // Instead of it, or before it.
        5 if matches!(base.form, Form::Casm(_)) => vec![Edit::Hints(at, vec![hint::any(random)])],
        6 if matches!(base.form, Form::Casm(_)) => {
            vec![Edit::Hints(at, [vec![hint::any(random)], hints].concat())]
        }
        _ => {
            let mut hints = hints;
            let which = random.below(hints.len() as u64) as usize;
            hints[which] = match &base.form {
                Form::Casm(_) => hint::changed(hints[which].clone(), random),
                Form::Cairo0(_) => changed_cairo0(&hints[which], &base.hints[&other][0], random),
            };
            vec![Edit::Hints(at, hints)]
        }
    }
}

/// A hint of Cairo 0 with another's text, or with another's references.
fn changed_cairo0(hint: &Value, other: &Value, random: &mut Random) -> Value {
    let mut hint = hint.clone();
    let part = if random.once_in(2) { "code" } else { "flow_tracking_data" };
    hint[part] = other[part].clone();
    hint
}

/// A reference with another offset, as in `[cast(fp + (-3), felt*)]`, or another one.
fn changed_reference(reference: &str, base: &Base, random: &mut Random) -> String {
    let parts: Vec<&str> = reference.split_inclusive('(').collect();
    let number = |part: &str| part.split_once(')')?.0.parse::<i64>().ok();
    let place = parts.iter().rposition(|part| number(part).is_some());
    match place.and_then(|place| Some((place, number(parts[place])?))) {
        Some((place, old)) if !random.once_in(4) => {
            let rest = &parts[place][old.to_string().len()..];
            let new = offset(old, random);
            format!("{}{new}{rest}{}", parts[..place].concat(), parts[place + 1..].concat())
        }
        _ => random.pick(&base.references).clone(),
    }
}

fn entry_point_edit(base: &Base, entry_point: &EntryPoint, random: &mut Random) -> Edit {
    let EntryPoint { way, index, mut selector, mut offset, mut builtins, .. } = entry_point.clone();
    if matches!(base.form, Form::Cairo0(_)) && random.once_in(2) {
        let some = BUILTINS.iter().filter(|_| random.once_in(3)).map(|name| (*name).to_owned());
        return Edit::Builtins(some.collect());
    }
    match random.below(8) {
        0 | 1 => offset = place(entry_point, random),
        2 => offset = random.below(base.words.len() as u64 + 1) as usize,
        3 => selector = random.pick(&base.entry_points).selector,
        4 => drop(builtins.pop()),
        5 if builtins.len() > 1 => {
            let last = builtins.len() as u64 - 1;
            builtins.swap(random.below(last) as usize, last as usize);
        }
        6 => builtins.push((*random.pick(&BUILTINS)).to_owned()),
        _ => {
            builtins = BUILTINS.iter().filter(|_| random.once_in(3)).map(|name| (*name).to_owned()).collect();
        }
    }
    Edit::EntryPoint { way, index, selector, offset, builtins }
}

/// A changed class.
pub enum Changed {
    /// Compiled from Sierra.
    Casm(Box<VersionedCasm>),
    /// The file of one compiled from Cairo 0.
    Cairo0(Value),
}

/// The class that edits lead to. `None` if there is no such class: a hint that cannot be written down.
pub fn changed(base: &Base, edits: &[Edit], version: &SierraVersion) -> Option<Changed> {
    match &base.form {
        Form::Casm(casm) => {
            let mut casm = Box::new((casm.0.clone(), version.clone()));
            for edit in edits {
                change_casm(&mut casm, edit)?;
            }
            casm.0.hints.sort_by_key(|(at, _)| *at);
            Some(Changed::Casm(casm))
        }
        Form::Cairo0(json) => {
            let mut json = json.clone();
            edits.iter().for_each(|edit| change_cairo0(&mut json, edit));
            Some(Changed::Cairo0(json))
        }
    }
}

fn change_casm((casm, _): &mut VersionedCasm, edit: &Edit) -> Option<()> {
    match edit {
        Edit::Word(at, value) => casm.bytecode.get_mut(*at)?.value = value.to_biguint(),
        Edit::Hints(at, hints) => {
            casm.hints.retain(|(place, _)| place != at);
            if !hints.is_empty() {
                casm.hints.push((*at, serde_json::from_value(json!(hints)).ok()?));
            }
        }
        Edit::EntryPoint { way, index, selector, offset, builtins } => {
            let lists = &mut casm.entry_points_by_type;
            let list = match way {
                EntryPointType::External => &mut lists.external,
                EntryPointType::L1Handler => &mut lists.l1_handler,
                EntryPointType::Constructor => &mut lists.constructor,
            };
            let entry_point = list.get_mut(*index)?;
            entry_point.selector = selector.to_biguint();
            entry_point.offset = *offset;
            entry_point.builtins.clone_from(builtins);
        }
        Edit::Builtins(_) | Edit::Reference(..) => {}
        Edit::End(at) => {
            casm.bytecode.truncate(*at);
            casm.bytecode_segment_lengths = None;
            casm.hints.retain(|(place, _)| place < at);
        }
    }
    Some(())
}

fn change_cairo0(class: &mut Value, edit: &Edit) {
    match edit {
        Edit::Word(at, value) => {
            // The code may end before it by now.
            if let Some(word) = class["program"]["data"].get_mut(*at) {
                *word = json!(format!("{value:#x}"));
            }
        }
        Edit::Hints(at, hints) => {
            let Some(all) = class["program"]["hints"].as_object_mut() else { return };
            if hints.is_empty() {
                all.remove(&at.to_string());
            } else {
                all.insert(at.to_string(), json!(hints));
            }
        }
        Edit::EntryPoint { way, index, selector, offset, .. } => {
            let name = match way {
                EntryPointType::External => "EXTERNAL",
                EntryPointType::L1Handler => "L1_HANDLER",
                EntryPointType::Constructor => "CONSTRUCTOR",
            };
            let entry_point = &mut class["entry_points_by_type"][name][*index];
            *entry_point = json!({ "selector": format!("{selector:#x}"), "offset": format!("{offset:#x}") });
        }
        Edit::Reference(which, value) => {
            let reference = &mut class["program"]["reference_manager"]["references"][*which];
            reference["value"] = json!(value);
        }
        Edit::Builtins(builtins) => class["program"]["builtins"] = json!(builtins),
        Edit::End(at) => {
            if let Some(data) = class["program"]["data"].as_array_mut() {
                data.truncate(*at);
            }
        }
    }
}

impl Changed {
    /// Ready to run; the text of the error if it is refused.
    pub fn load(&self) -> Result<ContractClass, String> {
        match self {
            Self::Casm(casm) => {
                let (casm, version) = (**casm).clone();
                Cairo1Class::from_casm(casm, version).map(ContractClass::from)
            }
            Self::Cairo0(json) => Cairo0Class::from_json(json.to_string()).map(ContractClass::from),
        }
        .map_err(|error| error.to_string())
    }

    /// As a file.
    pub fn json(&self) -> Value {
        match self {
            Self::Casm(casm) => json!(casm.0),
            Self::Cairo0(json) => json.clone(),
        }
    }

    /// As blockifier takes it; nothing if it cannot read the file.
    pub fn compiled(&self) -> Option<CompiledClass> {
        Some(match self {
            Self::Casm(casm) => CompiledClass::V1((**casm).clone()),
            Self::Cairo0(json) => CompiledClass::V0(serde_json::from_value(json.clone()).ok()?),
        })
    }
}
