//! ABIs of contracts: entry points with the types of their arguments, and random arguments for them.
//!
//! Input: the ABI of a class of either language. Output: calldata that usually fit and sometimes do not.

use std::collections::BTreeMap;

use serde_json::Value;
use starknet_types_core::felt::Felt;

use super::draft::selector;
use super::random::Random;

/// Which way an entry point is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By transactions and contracts.
    External,
    /// By messages from L1.
    L1Handler,
    /// On deployment.
    Constructor,
}

/// An entry point.
#[derive(Clone, Debug)]
pub struct EntryPoint {
    /// The entry point type.
    pub way: Way,
    /// Its name.
    pub name: String,
    /// Its arguments: names and types.
    inputs: Vec<(String, String)>,
}

/// The parts of an ABI that are needed here.
#[derive(Clone, Debug, Default)]
pub struct Abi {
    /// The entry points.
    pub entry_points: Vec<EntryPoint>,
    /// Members of structures, by the structure's name.
    structs: BTreeMap<String, Vec<(String, String)>>,
    /// Types of variants, by the enumeration's name.
    enums: BTreeMap<String, Vec<String>>,
}

/// The addresses, classes and selectors that arguments may name.
#[derive(Clone, Debug, Default)]
pub struct Names {
    /// Contracts and accounts.
    pub addresses: Vec<Felt>,
    /// Classes.
    pub classes: Vec<Felt>,
    /// Entry points.
    pub selectors: Vec<Felt>,
}

impl EntryPoint {
    /// Its selector.
    pub fn selector(&self) -> Felt {
        if self.name.starts_with("__") && self.name.ends_with("default__") {
            return Felt::ZERO;
        }
        selector(&self.name)
    }
}

impl Abi {
    /// Reads an ABI.
    pub fn new(abi: &Value) -> Self {
        let mut read = Self::default();
        read.items(abi);
        read
    }

    fn items(&mut self, items: &Value) {
        for item in items.as_array().into_iter().flatten() {
            let name = text(&item["name"]);
            let way = match item["type"].as_str() {
                Some("function") => Way::External,
                Some("l1_handler") => Way::L1Handler,
                Some("constructor") => Way::Constructor,
                Some("struct") => {
                    self.structs.insert(name, pairs(&item["members"]));
                    continue;
                }
                Some("enum") => {
                    let variants = pairs(&item["variants"]).into_iter().map(|(_, kind)| kind).collect();
                    self.enums.insert(name, variants);
                    continue;
                }
                _ => {
                    self.items(&item["items"]);
                    continue;
                }
            };
            self.entry_points.push(EntryPoint { way, name, inputs: pairs(&item["inputs"]) });
        }
    }

    /// The entry points of a type.
    pub fn called(&self, way: Way) -> Vec<&EntryPoint> {
        self.entry_points.iter().filter(|entry_point| entry_point.way == way).collect()
    }

    /// Calldata for an entry point.
    pub fn calldata(&self, entry_point: &EntryPoint, names: &Names, random: &mut Random) -> Vec<Felt> {
        let mut out = Vec::new();
        let mut inputs = entry_point.inputs.iter().peekable();
        while let Some((name, kind)) = inputs.next() {
            // In Cairo 0 a length and a pointer are one list.
            let list = inputs.peek().filter(|(_, next)| next.ends_with('*')).cloned();
            if let Some((_, list)) = list {
                inputs.next();
                let length = random.below(4);
                out.push(Felt::from(length));
                let member = list.trim_end_matches('*');
                (0..length).for_each(|_| self.argument(name, member, names, random, 0, &mut out));
            } else {
                self.argument(name, kind, names, random, 0, &mut out);
            }
        }
        match random.below(16) {
            0 => drop(out.pop()),
            1 => out.push(random.felt()),
            2 if !out.is_empty() => {
                let place = random.below(out.len() as u64) as usize;
                out[place] = number(random);
            }
            _ => {}
        }
        out
    }

    fn argument(
        &self,
        name: &str,
        kind: &str,
        names: &Names,
        random: &mut Random,
        depth: usize,
        out: &mut Vec<Felt>,
    ) {
        let short = kind.split("::<").next().unwrap_or(kind).rsplit("::").next().unwrap_or(kind);
        let inner = kind.split_once("::<").map(|(_, inner)| inner.strip_suffix('>').unwrap_or(inner));
        let mut push = |value: Felt| out.push(value);
        match (short, inner) {
            ("u8", _) => push(Felt::from(random.number() >> 56)),
            ("u16", _) => push(Felt::from(random.number() >> 48)),
            ("u32", _) => push(Felt::from(random.number() >> 32)),
            ("u64" | "usize", _) => push(Felt::from(random.number() >> random.below(64))),
            ("u128", _) => push(amount(random)),
            ("u256" | "Uint256", _) => {
                push(amount(random));
                push(if random.once_in(6) { amount(random) } else { Felt::ZERO });
            }
            ("bool", _) => push(Felt::from(random.below(2))),
            ("ContractAddress", _) => push(address(names, random)),
            ("ClassHash", _) => push(*random.pick(&names.classes)),
            ("EthAddress", _) => push(Felt::from(random.number())),
            ("Array" | "Span", Some(inner)) => {
                let length = if depth > 2 { 0 } else { random.below(4) };
                push(Felt::from(length));
                (0..length).for_each(|_| self.argument(name, inner, names, random, depth + 1, out));
            }
            ("Option", Some(inner)) => {
                let is_some = random.once_in(2);
                push(Felt::from(u64::from(!is_some)));
                if is_some {
                    self.argument(name, inner, names, random, depth + 1, out);
                }
            }
            ("ByteArray", _) => {
                let length = random.below(31);
                [Felt::ZERO, Felt::from(random.number() >> 8), Felt::from(length.max(7))]
                    .into_iter()
                    .for_each(push);
            }
            _ => {
                if let Some(members) = self.structs.get(kind).filter(|_| depth < 6) {
                    for (name, kind) in members {
                        self.argument(name, kind, names, random, depth + 1, out);
                    }
                } else if let Some(variants) = self.enums.get(kind).filter(|_| depth < 6) {
                    let variant = random.below(variants.len() as u64) as usize;
                    push(Felt::from(variant));
                    if variants[variant] != "()" {
                        self.argument(name, &variants[variant], names, random, depth + 1, out);
                    }
                } else {
                    push(felt_named(name, names, random));
                }
            }
        }
    }
}

/// A felt for an argument of this name.
fn felt_named(name: &str, names: &Names, random: &mut Random) -> Felt {
    let has = |parts: &[&str]| parts.iter().any(|part| name.contains(part));
    if has(&["class_hash", "implementation"]) {
        *random.pick(&names.classes)
    } else if has(&["selector"]) {
        *random.pick(&names.selectors)
    } else if has(&["deploy_from_zero", "call_foo", "call_write", "is_validate"]) {
        Felt::from(random.below(2))
    } else if has(&[
        "contract_address",
        "code_address",
        "to_address",
        "recipient",
        "spender",
        "sender",
        "owner",
    ]) {
        address(names, random)
    } else if has(&["depth", "count", "index", "n_writes", "num", "salt"]) {
        Felt::from(random.below(60))
    } else if has(&["address"]) {
        if random.once_in(2) { address(names, random) } else { Felt::from(random.below(9)) }
    } else {
        number(random)
    }
}

fn address(names: &Names, random: &mut Random) -> Felt {
    if random.once_in(12) { number(random) } else { *random.pick(&names.addresses) }
}

fn amount(random: &mut Random) -> Felt {
    match random.below(8) {
        0 => Felt::ZERO,
        1 => Felt::from(u128::MAX),
        _ => Felt::from(random.number() >> random.below(64)),
    }
}

/// A number that is small, large, negative or at an edge.
pub fn number(random: &mut Random) -> Felt {
    match random.below(8) {
        0 => Felt::ZERO,
        1 => Felt::from(random.below(10)),
        2 => -Felt::from(1 + random.below(10)),
        3 => Felt::from(u128::MAX),
        4 => Felt::from(u128::MAX) + Felt::ONE,
        5 => random.felt(),
        6 => Felt::MAX * Felt::from(random.below(3)),
        _ => Felt::from(random.number()),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn pairs(list: &Value) -> Vec<(String, String)> {
    let list = list.as_array().into_iter().flatten();
    list.map(|item| (text(&item["name"]), text(&item["type"]))).collect()
}
