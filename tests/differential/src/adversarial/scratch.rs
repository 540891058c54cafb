//! Small programs made from nothing: instructions of every form around arguments at the addresses of the
//! calling convention, hints before them, builtins written to and read from; most of them end as the
//! convention demands.
//!
//! Input: random numbers. Output: lines of code, and the class they make. A line can be left out and the rest
//! still is a program, which is what shrinking needs.

use serde_json::{Value, json};
use starknet_api::contract_class::{SierraVersion, VersionedCasm};
use starknet_types_core::felt::Felt;

use super::base::{Base, Form};
use super::hint;
use super::invocation::PROGRAM;
use super::numbers::{number, offset, point};
use super::word::{flag, word};
use crate::fixture::{self, FEE_TOKEN, felt};
use crate::generate::Random;

/// Builtins that an entry point may have, in the order that is demanded, with the cells of an instance and
/// those that are given.
const BUILTINS: [(&str, u64, u64); 9] = [
    ("pedersen", 3, 2),
    ("range_check", 1, 1),
    ("bitwise", 5, 2),
    ("ec_op", 7, 5),
    ("poseidon", 6, 3),
    ("segment_arena", 3, 3),
    ("range_check96", 1, 1),
    ("add_mod", 7, 7),
    ("mul_mod", 7, 7),
];

/// Syscalls, what they ask for, and the cells of their answers behind gas and flag. What they ask for: an
/// address (`a`), a class (`c`), a selector (`s`), a key (`k`), a number (`n`), one of 128 bits (`u`), a bit
/// (`b`), start and end of the calldata (`p`, `e`), a point that an earlier answer may have (`h`).
const SYSCALLS: [(&str, &str, u64); 25] = [
    ("StorageRead", "bk", 1),
    ("StorageWrite", "bkn", 0),
    ("EmitEvent", "pepe", 0),
    ("SendMessageToL1", "npe", 0),
    ("GetBlockHash", "k", 1),
    ("GetExecutionInfo", "", 1),
    ("CallContract", "aspe", 2),
    ("LibraryCall", "cspe", 2),
    ("Deploy", "cnpeb", 3),
    ("ReplaceClass", "c", 0),
    ("GetClassHashAt", "a", 1),
    ("MetaTxV0", "aspepe", 2),
    ("Keccak", "pe", 2),
    ("Sha256ProcessBlock", "pp", 1),
    ("Sha512ProcessBlock", "pp", 1),
    ("Secp256k1New", "uuuu", 2),
    ("Secp256k1Add", "hh", 1),
    ("Secp256k1Mul", "huu", 1),
    ("Secp256k1GetPointFromX", "uub", 2),
    ("Secp256k1GetXy", "h", 4),
    ("Secp256r1New", "uuuu", 2),
    ("Secp256r1Add", "hh", 1),
    ("Secp256r1Mul", "huu", 1),
    ("Secp256r1GetPointFromX", "uub", 2),
    ("Secp256r1GetXy", "h", 4),
];

/// The place of an entry point's last argument, below fp.
const LAST: i64 = -3;

/// A line: hints, and words that stand together.
#[derive(Clone, Debug)]
pub struct Line {
    hints: Vec<Value>,
    words: Vec<Felt>,
}

/// A program.
#[derive(Clone, Debug)]
pub struct Scratch {
    /// Its lines.
    pub lines: Vec<Line>,
    /// The entry point's builtins.
    pub builtins: Vec<&'static str>,
}

/// Writes a program.
struct Author<'r> {
    random: &'r mut Random,
    lines: Vec<Line>,
    builtins: Vec<(&'static str, u64, u64)>,
    /// Cells of each builtin that are written or read.
    used: Vec<u64>,
    /// Cells of the syscall segment that are.
    asked: u64,
    /// The number of values kept in a segment of their own, to be returned: its pointer is the frame's first
    /// cell.
    kept: Option<u64>,
}

/// The entry point's selector.
pub fn selector() -> Felt {
    Felt::from(0x5e1_u64)
}

impl Scratch {
    /// Any program.
    pub fn any(random: &mut Random) -> Self {
        let builtins: Vec<_> = BUILTINS.into_iter().filter(|_| random.once_in(3)).collect();
        let used = vec![0; builtins.len()];
        let mut author = Author { random, lines: Vec::new(), builtins, used, asked: 0, kept: None };
        author.begin();
        let most = if author.random.once_in(4) { 24 } else { 8 };
        for _ in 0..author.random.between(1, most) {
            author.line();
        }
        author.end();
        let builtins = author.builtins.iter().map(|(name, ..)| *name).collect();
        Self { lines: author.lines, builtins }
    }

    /// The class. `base` is any class compiled from Sierra, for what all classes have.
    pub fn class(&self, base: &Base, version: &SierraVersion) -> Option<VersionedCasm> {
        let Form::Casm(casm) = &base.form else { return None };
        let mut casm = casm.0.clone();
        let mut cell = casm.bytecode.first()?.clone();
        casm.bytecode.clear();
        let mut hints = Vec::new();
        for line in &self.lines {
            if !line.hints.is_empty() {
                hints.push(json!([casm.bytecode.len(), line.hints]));
            }
            for word in &line.words {
                cell.value = word.to_biguint();
                casm.bytecode.push(cell.clone());
            }
        }
        casm.hints = serde_json::from_value(Value::Array(hints)).ok()?;
        casm.bytecode_segment_lengths = None;
        let lists = &mut casm.entry_points_by_type;
        lists.l1_handler.clear();
        lists.constructor.clear();
        lists.external.truncate(1);
        let entry_point = lists.external.first_mut()?;
        entry_point.selector = selector().to_biguint();
        entry_point.offset = 0;
        entry_point.builtins = self.builtins.iter().map(|name| (*name).to_owned()).collect();
        Some((casm, version.clone()))
    }
}

impl Author<'_> {
    /// Makes room for values to return, mostly.
    fn begin(&mut self) {
        if self.random.once_in(6) {
            return;
        }
        let alloc = json!({ "AllocSegment": { "dst": { "register": "AP", "offset": 0 } } });
        let flags = flag::DST_FP | flag::OP0_FP | flag::OP1_IMMEDIATE | flag::AP_ADD;
        self.lines.push(Line { hints: vec![alloc], words: vec![word(flags, -1, -1, 1, 0), Felt::ONE] });
        self.kept = Some(0);
    }

    /// Keeps the last value, sometimes.
    fn keep(&mut self) {
        if let Some(kept) = self.kept.filter(|_| !self.random.once_in(3)) {
            self.plain(&[word(flag::OP0_FP | flag::ASSERT, -1, 0, kept as i64, 0)]);
            self.kept = Some(kept + 1);
        }
    }

    fn push(&mut self, words: &[Felt]) {
        let hints = if self.random.once_in(20) { vec![hint::any(self.random)] } else { vec![] };
        self.lines.push(Line { hints, words: words.to_vec() });
    }

    /// `[ap] = value; ap++`.
    fn value(&mut self, value: Felt) {
        let flags = flag::OP0_FP | flag::OP1_IMMEDIATE | flag::AP_NEXT | flag::ASSERT;
        self.push(&[word(flags, 0, -1, 1, 0), value]);
    }

    /// An argument, counted from the last: calldata's end, calldata, syscalls, gas, builtins from the last
    /// one on.
    fn argument(&self, number: usize) -> i64 {
        LAST - number as i64
    }

    fn any_argument(&mut self) -> i64 {
        let number = self.random.below(4 + self.builtins.len() as u64);
        self.argument(number as usize)
    }

    /// The cell of a builtin's pointer.
    fn builtin(&self, which: usize) -> i64 {
        self.argument(4 + self.builtins.len() - 1 - which)
    }

    fn recent(&mut self) -> i64 {
        -1 - self.random.below(5) as i64
    }

    fn line(&mut self) {
        match self.random.below(28) {
            0..4 => {
                let value = number(self.random);
                self.value(value);
                self.keep();
            }
            4..8 => {
                self.arithmetic();
                self.keep();
            }
            8..10 => {
                self.read_behind();
                self.keep();
            }
            10..16 => self.instance(),
            16 => self.jump(),
            17 => self.grow(),
            18 => self.blake(),
            19 => {
                let argument = self.any_argument();
                let flags = flag::OP0_FP | flag::OP1_FP | flag::AP_NEXT | flag::ASSERT;
                self.push(&[word(flags, 0, -1, argument, 0)]);
            }
            20 => self.qm31(),
            21 => {
                let hint = hint::any(self.random);
                self.push(&[]);
                if let Some(line) = self.lines.last_mut() {
                    line.hints = vec![hint];
                }
                self.grow();
            }
            22 => self.assert_known(),
            23..27 => self.syscall(),
            _ => self.anything(),
        }
    }

    /// `[ap] = a + b; ap++`, of recent values, arguments and numbers.
    fn arithmetic(&mut self) {
        let operation = if self.random.once_in(2) { flag::ADD } else { flag::MUL };
        let (op0, op0_flag) =
            if self.random.once_in(6) { (self.any_argument(), flag::OP0_FP) } else { (self.recent(), 0) };
        let common = operation | op0_flag | flag::AP_NEXT | flag::ASSERT;
        match self.random.below(4) {
            0 => {
                let argument = self.any_argument();
                self.push(&[word(common | flag::OP1_FP, 0, op0, argument, 0)]);
            }
            1 => {
                let recent = self.recent();
                self.push(&[word(common | flag::OP1_AP, 0, op0, recent, 0)]);
            }
            _ => {
                let value = number(self.random);
                self.push(&[word(common | flag::OP1_IMMEDIATE, 0, op0, 1, 0), value]);
            }
        }
    }

    /// `[ap] = [[argument] + k]; ap++`.
    fn read_behind(&mut self) {
        let argument = self.any_argument();
        let offset = self.random.below(6) as i64;
        self.push(&[word(flag::OP0_FP | flag::AP_NEXT | flag::ASSERT, 0, argument, offset, 0)]);
    }

    /// An instance of a builtin: what is given is written, the rest is read; sometimes written.
    fn instance(&mut self) {
        if self.builtins.is_empty() {
            return self.read_behind();
        }
        let which = self.random.below(self.builtins.len() as u64) as usize;
        let (name, cells, given) = self.builtins[which];
        let start = if self.random.once_in(12) { self.used[which] + 1 } else { self.used[which] };
        let pointer = self.builtin(which);
        let [x, y] = point(self.random);
        let [other_x, other_y] = point(self.random);
        let on_curve = [x, y, other_x, other_y];
        let scalar = number(self.random);
        for cell in 0..cells {
            let place = (start + cell) as i64;
            if cell >= given && !self.random.once_in(10) {
                if !self.random.once_in(4) {
                    self.push(&[word(flag::OP0_FP | flag::AP_NEXT | flag::ASSERT, 0, pointer, place, 0)]);
                    self.keep();
                }
                continue;
            }
            if self.random.once_in(40) {
                continue;
            }
            let value = match name {
                "ec_op" if cell < 4 && !self.random.once_in(10) => on_curve[cell as usize],
                "ec_op" => scalar,
                "range_check" | "range_check96" if !self.random.once_in(8) => {
                    Felt::from(self.random.number() >> self.random.below(64))
                }
                _ => number(self.random),
            };
            self.value(value);
            self.push(&[word(flag::OP0_FP | flag::ASSERT, -1, pointer, place, 0)]);
        }
        self.used[which] = start + cells;
    }

    /// A syscall as it is asked for, mostly, and its answer.
    fn syscall(&mut self) {
        let (name, request, answer) = *self.random.pick(&SYSCALLS);
        let (calldata_end, calldata, syscalls, gas) =
            (self.argument(0), self.argument(1), self.argument(2), self.argument(3));
        let start = self.asked;
        let ask = |author: &mut Self| {
            let place = author.asked as i64;
            author.push(&[word(flag::OP0_FP | flag::ASSERT, -1, syscalls, place, 0)]);
            author.asked += 1;
        };
        let copied = flag::OP0_FP | flag::OP1_FP | flag::AP_NEXT | flag::ASSERT;
        let read = flag::OP0_FP | flag::AP_NEXT | flag::ASSERT;
        self.value(Felt::from_bytes_be_slice(name.as_bytes()));
        ask(self);
        self.push(&[word(copied, 0, -1, gas, 0)]);
        ask(self);
        for kind in request.chars() {
            let any = number(self.random);
            let kind = if self.random.once_in(30) { 'n' } else { kind };
            match kind {
                'p' => self.push(&[word(copied, 0, -1, calldata, 0)]),
                'e' => self.push(&[word(copied, 0, -1, calldata_end, 0)]),
                // Of the last answer: its last cell, which is where a point is.
                'h' => self.push(&[word(read, 0, syscalls, start.saturating_sub(1) as i64, 0)]),
                'a' if self.random.once_in(6) => self.value(felt(PROGRAM)),
                'a' => self.value(felt(FEE_TOKEN)),
                'c' if self.random.once_in(6) => self.value(felt(PROGRAM)),
                'c' => self.value(fixture::class("erc20").0.0),
                's' if self.random.once_in(3) => self.value(selector()),
                's' => self.value(fixture::selector("decimals")),
                'k' => {
                    let small = self.random.below(4);
                    self.value(Felt::from(small));
                }
                'u' => {
                    let half = self.random.number() >> self.random.below(64);
                    self.value(Felt::from(half));
                }
                'b' => {
                    let bit = u64::from(self.random.once_in(8));
                    self.value(Felt::from(bit));
                }
                _ => self.value(any),
            }
            ask(self);
        }
        let place = json!({ "BinOp": {
            "op": "Add",
            "a": { "register": "FP", "offset": syscalls },
            "b": { "Immediate": format!("{start:#x}") },
        } });
        // The first cell of the response is known once the hint has run.
        let hints = vec![json!({ "SystemCall": { "system": place } })];
        let words = vec![word(read, 0, syscalls, self.asked as i64, 0)];
        self.lines.push(Line { hints, words });
        self.asked += 1;
        for _ in 0..=answer {
            if !self.random.once_in(3) {
                self.push(&[word(read, 0, syscalls, self.asked as i64, 0)]);
                self.keep();
            }
            self.asked += 1;
        }
    }

    fn jump(&mut self) {
        let by =
            if self.random.once_in(4) { number(self.random) } else { Felt::from(self.random.between(2, 6)) };
        let recent = self.recent();
        let jump = flag::OP0_FP | flag::OP1_IMMEDIATE;
        let words = match self.random.below(6) {
            0..3 => [word(jump | flag::JUMP_IF, recent, -1, 1, 0), by],
            3 => [word(jump | flag::DST_FP | flag::JUMP_BY, -1, -1, 1, 0), by],
            // A call saves fp and the return address.
            4 => [word(flag::OP1_IMMEDIATE | flag::JUMP_BY | flag::CALL, 0, 1, 1, 0), by],
            _ => [word(jump | flag::DST_FP | flag::JUMP, -1, -1, 1, 0), by],
        };
        self.push(&words);
    }

    /// `ap += k`.
    fn grow(&mut self) {
        let by = if self.random.once_in(8) { number(self.random) } else { Felt::from(self.random.below(4)) };
        let flags = flag::DST_FP | flag::OP0_FP | flag::OP1_IMMEDIATE | flag::AP_ADD;
        self.push(&[word(flags, -1, -1, 1, 0), by]);
    }

    /// A block of Blake: state and message are calldata, the result goes to a new segment.
    fn blake(&mut self) {
        let count =
            if self.random.once_in(4) { number(self.random) } else { Felt::from(self.random.number() >> 32) };
        self.value(count);
        let calldata = self.argument(1);
        let alloc = json!({ "AllocSegment": { "dst": { "register": "AP", "offset": 0 } } });
        let (op1_flag, op1) =
            if self.random.once_in(6) { (flag::OP1_AP, -1) } else { (flag::OP1_FP, calldata) };
        let words =
            vec![word(flag::OP0_FP | op1_flag | flag::AP_NEXT, -1, calldata, op1, self.random.between(1, 2))];
        let hints = if self.random.once_in(8) { vec![] } else { vec![alloc] };
        self.lines.push(Line { hints, words });
        // A word of the result.
        let offset = self.random.below(9) as i64;
        self.push(&[word(flag::AP_NEXT | flag::ASSERT, 0, -1, offset, 0)]);
        self.keep();
    }

    /// A sum or a product of packed numbers.
    fn qm31(&mut self) {
        for _ in 0..2 {
            let packed = |random: &mut Random| {
                (0..4).fold(Felt::ZERO, |sum, _| {
                    sum * Felt::TWO.pow(36_u64) + Felt::from(random.number() >> random.between(33, 60))
                })
            };
            let value = if self.random.once_in(8) { number(self.random) } else { packed(self.random) };
            self.value(value);
        }
        let operation = if self.random.once_in(2) { flag::ADD } else { flag::MUL };
        let common = operation | flag::ASSERT | flag::AP_NEXT;
        let shape = self.random.below(3);
        let words = match shape {
            0 => vec![word(common | flag::OP1_AP, 0, -2, -1, 3)],
            1 => {
                vec![word(common | flag::OP1_IMMEDIATE, 0, -1, 1, 3), Felt::from(self.random.number() >> 40)]
            }
            // The first operand is what is not known.
            _ => vec![word(operation | flag::ASSERT | flag::OP1_AP | flag::AP_NEXT, -1, 0, -2, 3)],
        };
        self.push(&words);
        self.keep();
    }

    /// Two known cells are said to be equal, or the unknown one of three is found.
    fn assert_known(&mut self) {
        let (left, right) = (self.recent(), self.recent());
        let operation = [0, flag::ADD, flag::MUL][self.random.below(3) as usize];
        let op0 = self.random.below(3) as i64;
        self.push(&[word(operation | flag::ASSERT | flag::OP1_AP, left, op0, right, 0)]);
    }

    fn anything(&mut self) {
        let mut offsets = [0; 3].map(|zero| offset(zero, self.random));
        if self.random.once_in(2) {
            offsets = offsets.map(|offset| offset.clamp(-6, 1));
        }
        let extension = if self.random.once_in(6) { self.random.below(5) } else { 0 };
        let flags = self.random.number() & self.random.number() & 0x7fff;
        let first = word(flags, offsets[0], offsets[1], offsets[2], extension);
        let value = number(self.random);
        let immediate = flags & flag::OP1_IMMEDIATE != 0;
        self.push(&[vec![first], if immediate { vec![value] } else { vec![] }].concat());
    }

    /// Returns what the convention demands: the builtins' pointers, gas, syscalls, whether it panicked, data.
    fn end(&mut self) {
        for which in 0..self.builtins.len() {
            let used =
                if self.random.once_in(20) { number(self.random) } else { Felt::from(self.used[which]) };
            let flags = flag::OP0_FP | flag::OP1_IMMEDIATE | flag::ADD | flag::AP_NEXT | flag::ASSERT;
            let words = [word(flags, 0, self.builtin(which), 1, 0), used];
            self.plain(&words);
        }
        let copy = flag::OP0_FP | flag::OP1_FP | flag::AP_NEXT | flag::ASSERT;
        for number in [3, 2] {
            let argument = self.argument(number);
            self.plain(&[word(copy, 0, -1, argument, 0)]);
        }
        let panicked = if self.random.once_in(6) { number(self.random) } else { Felt::ZERO };
        let value = flag::OP0_FP | flag::OP1_IMMEDIATE | flag::AP_NEXT | flag::ASSERT;
        self.plain(&[word(value, 0, -1, 1, 0), panicked]);
        if let Some(kept) = self.kept {
            self.plain(&[word(copy, 0, -1, 0, 0)]);
            let sum = flag::OP0_FP | flag::OP1_IMMEDIATE | flag::ADD | flag::AP_NEXT | flag::ASSERT;
            self.plain(&[word(sum, 0, 0, 1, 0), Felt::from(kept)]);
        } else {
            for number in [1, 0] {
                let argument = self.argument(number);
                self.plain(&[word(copy, 0, -1, argument, 0)]);
            }
        }
        let leave = flag::DST_FP | flag::OP0_FP | flag::OP1_FP | flag::JUMP | flag::RETURN;
        self.plain(&[word(leave, -2, -1, -1, 0)]);
    }

    fn plain(&mut self, words: &[Felt]) {
        self.lines.push(Line { hints: Vec::new(), words: words.to_vec() });
    }
}
