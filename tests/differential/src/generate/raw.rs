//! Cairo 1 classes that no compiler would make: entry points that make syscalls of any shape, and contracts
//! of ours with some cells of their bytecode changed.
//!
//! Input: random numbers, the CASM of our contracts. Output: classes as compiled JSON, trusted to have the
//! hashes they are given.

use std::path::Path;

use serde_json::{Value, json};
use starkiln::replay::{ClassEntry, ClassText};
use starknet_api::core::ClassHash;
use starknet_types_core::felt::Felt;

use super::abi::number;
use super::draft::selector;
use super::random::Random;
use super::world::short_text;

/// The number of classes of each sort.
const CLASSES: u64 = 6;

/// The number of entry points of each assembled class.
pub const ENTRY_POINTS: u64 = 24;

/// The contracts that are changed.
const CHANGED: [&str; 4] = ["caller", "syscalls", "nft", "erc20"];

/// A class that no compiler would make.
#[derive(Clone, Debug)]
pub struct RawClass {
    /// Its made-up hash.
    pub class_hash: ClassHash,
    /// Its code.
    pub entry: ClassEntry,
    /// The contract of ours it was made from, if it was not assembled here.
    pub changed: Option<&'static str>,
}

/// The name of an assembled entry point.
pub fn entry_point(number: u64) -> String {
    format!("raw_{number}")
}

/// Makes the classes. `contracts` is the folder of our contracts.
pub fn classes(contracts: &Path, random: &mut Random) -> Result<Vec<RawClass>, String> {
    let mut classes = Vec::new();
    for number in 0..CLASSES {
        let casm = assembled(random);
        classes.push(raw(number, &casm, None));
    }
    for number in 0..CLASSES {
        let name = CHANGED[number as usize % CHANGED.len()];
        let path = contracts.join(format!("{name}.casm.json"));
        let text = std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let casm = serde_json::from_str(&text).map_err(|error| format!("{}: {error}", path.display()))?;
        classes.push(raw(CLASSES + number, &changed(casm, random), Some(name)));
    }
    Ok(classes)
}

fn raw(number: u64, casm: &Value, changed: Option<&'static str>) -> RawClass {
    // One of three is measured in steps.
    let sierra_version = if number % 3 == 2 { "1.3.0" } else { "1.7.0" }.to_owned();
    RawClass {
        class_hash: ClassHash(Felt::from(0x4a3_0000 + number)),
        entry: ClassEntry::Casm { casm: ClassText::Inline(casm.to_string()), sierra_version, sierra: None },
        changed,
    }
}

/// Some cells of the bytecode become others of it, or nearby numbers, or anything.
fn changed(mut casm: Value, random: &mut Random) -> Value {
    let bytecode = casm["bytecode"].as_array_mut().expect("bytecode is a list");
    for _ in 0..random.between(2, 12) {
        let place = random.below(bytecode.len() as u64) as usize;
        let old = Felt::from_hex_unchecked(bytecode[place].as_str().unwrap_or_default());
        let new = match random.below(5) {
            0 => return_instruction(),
            1 => old + Felt::ONE,
            2 => old + Felt::from(1_u64 << random.below(63)),
            3 => number(random),
            _ => {
                let other = random.pick(bytecode);
                Felt::from_hex_unchecked(other.as_str().unwrap_or_default())
            }
        };
        bytecode[place] = json!(format!("{new:#x}"));
    }
    casm
}

fn return_instruction() -> Felt {
    Felt::from(0x208b_7fff_7fff_7ffe_u64)
}

/// The cells of the arguments of an entry point without builtins.
mod at_fp {
    pub const GAS: i64 = -6;
    pub const SYSCALLS: i64 = -5;
    pub const CALLDATA: i64 = -4;
    pub const CALLDATA_END: i64 = -3;
}

/// Bytecode in the making.
#[derive(Default)]
struct Assembler {
    bytecode: Vec<Felt>,
    hints: Vec<Value>,
}

/// A cell that an entry point computes.
#[derive(Clone, Copy)]
enum Cell {
    /// A number.
    Number(Felt),
    /// An argument of the entry point.
    Argument(i64),
    /// The cell at an offset from an argument that is a pointer.
    Pointed(i64, u64),
    /// An argument plus an offset.
    Beyond(i64, u64),
}

fn instruction(flags: u64, op1: i64, op0: i64, dst: i64) -> Felt {
    let biased = |offset: i64| u64::from((offset + 0x8000) as u16);
    Felt::from(flags << 48 | biased(op1) << 32 | biased(op0) << 16 | biased(dst))
}

impl Assembler {
    /// `[ap] = cell; ap++`.
    fn push(&mut self, cell: Cell) {
        match cell {
            Cell::Number(value) => self.bytecode.extend([instruction(0x4806, 1, -1, 0), value]),
            Cell::Argument(argument) => self.bytecode.push(instruction(0x480a, argument, -1, 0)),
            Cell::Pointed(argument, offset) => {
                self.bytecode.push(instruction(0x4802, offset as i64, argument, 0));
            }
            Cell::Beyond(argument, offset) => {
                self.bytecode.extend([instruction(0x4826, 1, argument, 0), Felt::from(offset)]);
            }
        }
    }

    /// Writes a cell of the syscall segment.
    fn request(&mut self, offset: u64, cell: Cell) {
        self.push(cell);
        self.bytecode.push(instruction(0x4002, offset as i64, at_fp::SYSCALLS, -1));
    }

    /// A syscall before the next instruction.
    fn syscall(&mut self, offset: u64) {
        let pointer = json!({ "register": "FP", "offset": at_fp::SYSCALLS });
        let number = json!({ "Immediate": format!("{offset:#x}") });
        let system = json!({ "BinOp": { "op": "Add", "a": pointer, "b": number } });
        self.hints.push(json!([self.bytecode.len(), [{ "SystemCall": { "system": system } }]]));
    }
}

/// An input of a syscall.
#[derive(Clone, Copy)]
enum Request {
    Address,
    Class,
    Selector,
    Array,
    Small,
    Flag,
    Wide,
    Pointer,
    Felt,
}

/// Syscalls with their inputs and the number of response cells, gas and flag included.
const SYSCALLS: &[(&str, &[Request], u64)] = &{
    use Request::{Address, Array, Class, Felt, Flag, Pointer, Selector, Small, Wide};
    [
        ("CallContract", &[Address, Selector, Array] as &[Request], 4),
        ("LibraryCall", &[Class, Selector, Array], 4),
        ("Deploy", &[Class, Felt, Array, Flag], 5),
        ("GetExecutionInfo", &[], 3),
        ("GetBlockHash", &[Small], 3),
        ("GetClassHashAt", &[Address], 3),
        ("StorageRead", &[Flag, Small], 3),
        ("StorageWrite", &[Flag, Small, Felt], 2),
        ("EmitEvent", &[Array, Array], 2),
        ("SendMessageToL1", &[Small, Array], 2),
        ("ReplaceClass", &[Class], 2),
        ("Keccak", &[Array], 4),
        ("Sha256ProcessBlock", &[Pointer, Pointer], 3),
        ("Sha512ProcessBlock", &[Pointer, Pointer], 3),
        ("MetaTxV0", &[Address, Selector, Array, Array], 4),
        ("Secp256k1New", &[Wide, Wide], 4),
        ("Secp256k1Add", &[Pointer, Pointer], 3),
        ("Secp256k1Mul", &[Pointer, Wide], 3),
        ("Secp256k1GetPointFromX", &[Wide, Flag], 4),
        ("Secp256k1GetXy", &[Pointer], 6),
        ("Secp256r1New", &[Wide, Wide], 4),
        ("Secp256r1Add", &[Pointer, Pointer], 3),
        ("Secp256r1Mul", &[Pointer, Wide], 3),
        ("Secp256r1GetPointFromX", &[Wide, Flag], 4),
        ("Secp256r1GetXy", &[Pointer], 6),
        ("GetCallerAddress", &[], 1),
        ("KeccakRound", &[Felt], 3),
        ("DelegateCall", &[Address, Selector, Array], 4),
        ("NoSuchSyscall", &[Felt], 2),
    ]
};

/// A class whose entry points each make a syscall or three.
fn assembled(random: &mut Random) -> Value {
    let mut assembler = Assembler::default();
    let mut entry_points = Vec::new();
    for number in 0..ENTRY_POINTS {
        let selector = selector(&entry_point(number));
        let offset = assembler.bytecode.len();
        entry_points.push((
            selector,
            json!({ "selector": format!("{selector:#x}"), "offset": offset, "builtins": [] }),
        ));
        make_entry_point(&mut assembler, random);
    }
    entry_points.sort_by_key(|(selector, _)| *selector);
    let bytecode: Vec<_> = assembler.bytecode.iter().map(|cell| format!("{cell:#x}")).collect();
    json!({
        "prime": "0x800000000000011000000000000000000000000000000000000000000000001",
        "compiler_version": "2.10.0",
        "bytecode": bytecode,
        "bytecode_segment_lengths": bytecode.len(),
        "hints": assembler.hints,
        "pythonic_hints": null,
        "entry_points_by_type": {
            "EXTERNAL": entry_points.into_iter().map(|(_, entry_point)| entry_point).collect::<Vec<_>>(),
            "L1_HANDLER": [],
            "CONSTRUCTOR": [],
        },
    })
}

fn make_entry_point(assembler: &mut Assembler, random: &mut Random) {
    let mut end = 0;
    let mut gas = Cell::Argument(at_fp::GAS);
    for _ in 0..random.between(1, 3) {
        let (name, takes, answers) = *random.pick(SYSCALLS);
        let start = end;
        let selector = if random.once_in(40) { number(random) } else { short_text(name) };
        let given = match random.below(24) {
            0 => Cell::Number(number(random)),
            1 => Cell::Number(Felt::from(random.below(40_000))),
            2 => Cell::Argument(at_fp::SYSCALLS),
            _ => gas,
        };
        let mut cells = vec![Cell::Number(selector), given];
        for request in takes {
            cells.extend(requested(*request, random));
        }
        if random.once_in(24) {
            cells.pop();
        }
        for cell in cells {
            assembler.request(end, cell);
            end += 1;
        }
        assembler.syscall(if random.once_in(30) { start + 1 } else { start });
        gas = Cell::Pointed(at_fp::SYSCALLS, end);
        // Its failure is as long as the answer of a call.
        end += if random.once_in(12) { 4 } else { answers };
    }
    let returned = match random.below(12) {
        0 => Cell::Number(number(random)),
        1 => Cell::Argument(at_fp::GAS),
        _ => gas,
    };
    assembler.push(returned);
    assembler.push(Cell::Beyond(at_fp::SYSCALLS, if random.once_in(12) { end + 1 } else { end }));
    let failed = match random.below(8) {
        0 => Felt::ONE,
        1 => Felt::TWO,
        _ => Felt::ZERO,
    };
    assembler.push(Cell::Number(failed));
    let [from, to] = match random.below(8) {
        // The syscall segment itself, pointers and all.
        0 => [Cell::Argument(at_fp::SYSCALLS), Cell::Beyond(at_fp::SYSCALLS, end.min(random.between(1, 9)))],
        1 => array(random),
        _ => [Cell::Argument(at_fp::CALLDATA), Cell::Argument(at_fp::CALLDATA_END)],
    };
    assembler.push(from);
    assembler.push(to);
    assembler.bytecode.push(return_instruction());
}

fn array(random: &mut Random) -> [Cell; 2] {
    let start = Cell::Argument(at_fp::CALLDATA);
    let number = |random: &mut Random| Cell::Number(Felt::from(random.below(3)));
    match random.below(16) {
        0 => [Cell::Number(Felt::ZERO), Cell::Number(Felt::ZERO)],
        1 => [Cell::Number(Felt::ONE), Cell::Number(Felt::ONE)],
        2 => [number(random), number(random)],
        3 => [start, number(random)],
        4 => [number(random), start],
        5 => [Cell::Argument(at_fp::CALLDATA_END), start],
        6 => [start, Cell::Argument(at_fp::SYSCALLS)],
        7 => [start, Cell::Beyond(at_fp::CALLDATA, random.below(12))],
        8 => [Cell::Argument(at_fp::SYSCALLS), Cell::Beyond(at_fp::SYSCALLS, random.below(4))],
        9 | 10 => [start, start],
        11 => [start, Cell::Beyond(at_fp::CALLDATA, 1)],
        _ => [start, Cell::Argument(at_fp::CALLDATA_END)],
    }
}

fn requested(request: Request, random: &mut Random) -> Vec<Cell> {
    // Calldata are known to hold, in this order: an address, a class hash, a selector, anything.
    let calldata = |offset| Cell::Pointed(at_fp::CALLDATA, offset);
    if random.once_in(30) {
        return vec![Cell::Argument(*random.pick(&[at_fp::CALLDATA, at_fp::SYSCALLS]))];
    }
    if random.once_in(30) {
        return vec![Cell::Number(number(random))];
    }
    match request {
        Request::Address => vec![calldata(0)],
        Request::Class => vec![calldata(1)],
        Request::Selector => vec![calldata(2)],
        Request::Array => array(random).to_vec(),
        Request::Small => vec![Cell::Number(Felt::from(random.below(8)))],
        Request::Flag => {
            vec![Cell::Number(Felt::from(if random.once_in(8) { 2 } else { random.below(4) / 3 }))]
        }
        Request::Wide => {
            let low = if random.once_in(2) { Felt::from(random.below(4)) } else { number(random) };
            let high = if random.once_in(2) { Felt::ZERO } else { number(random) };
            vec![Cell::Number(low), Cell::Number(high)]
        }
        Request::Pointer => vec![match random.below(4) {
            // Right where an earlier syscall may have answered with a point.
            0 => Cell::Pointed(at_fp::SYSCALLS, random.between(3, 10)),
            1 => Cell::Argument(at_fp::SYSCALLS),
            _ => Cell::Argument(at_fp::CALLDATA),
        }],
        Request::Felt => vec![calldata(3)],
    }
}
