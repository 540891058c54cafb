//! Programs that no compiler makes, assembled by hand: for rules that only such programs can touch.
//!
//! An entry point finds its arguments below `fp`: its builtins, then gas (`fp - 6`), the syscall pointer (`fp - 5`), the start
//! (`fp - 4`) and the end (`fp - 3`) of its calldata. It leaves its builtins, gas, syscall pointer, failure flag, start and end of
//! its result on top.

use serde_json::{Value, json};
use starknet_types_core::felt::Felt;

/// Where the entry point finds its arguments, from `fp`.
pub(crate) const GAS: i64 = -6;
pub(crate) const SYSCALLS: i64 = -5;
pub(crate) const CALLDATA: i64 = -4;
pub(crate) const CALLDATA_END: i64 = -3;

/// Bytecode in the making.
#[derive(Clone, Default)]
pub(crate) struct Program {
    code: Vec<Felt>,
    hints: Vec<Value>,
}

fn offset(value: i64) -> u128 {
    u128::try_from(value + 0x8000).unwrap()
}

impl Program {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Felts of code so far.
    pub(crate) fn len(&self) -> usize {
        self.code.len()
    }

    fn word(mut self, flags: u128, op1: i64, op0: i64, dst: i64) -> Self {
        self.code.push(Felt::from(flags << 48 | offset(op1) << 32 | offset(op0) << 16 | offset(dst)));
        self
    }

    fn immediate(mut self, value: impl Into<Felt>) -> Self {
        self.code.push(value.into());
        self
    }

    /// `[ap] = value; ap++`.
    pub(crate) fn push(self, value: impl Into<Felt>) -> Self {
        self.word(0x4806, 1, -1, 0).immediate(value)
    }

    /// `[ap] = [fp + at]; ap++`.
    pub(crate) fn push_fp(self, at: i64) -> Self {
        self.word(0x480a, at, -1, 0)
    }

    /// `[ap] = [fp + at] + value; ap++`.
    pub(crate) fn push_fp_plus(self, at: i64, value: impl Into<Felt>) -> Self {
        self.word(0x4826, 1, at, 0).immediate(value)
    }

    /// `[ap] = [ap - 1] + value; ap++`.
    pub(crate) fn push_top_plus(self, value: impl Into<Felt>) -> Self {
        self.word(0x4824, 1, -1, 0).immediate(value)
    }

    /// `[ap] = [[fp + at] + cell]; ap++`.
    pub(crate) fn load_fp(self, at: i64, cell: i64) -> Self {
        self.word(0x4802, cell, at, 0)
    }

    /// `[ap] = [[ap + at] + cell]; ap++`.
    pub(crate) fn load_ap(self, at: i64, cell: i64) -> Self {
        self.word(0x4800, cell, at, 0)
    }

    /// `[ap - 1] = [[fp + at] + cell]`: stores the top.
    pub(crate) fn store_fp(self, at: i64, cell: i64) -> Self {
        self.word(0x4002, cell, at, -1)
    }

    /// `[ap - 1] = [[ap + at] + cell]`.
    pub(crate) fn store_ap(self, at: i64, cell: i64) -> Self {
        self.word(0x4000, cell, at, -1)
    }

    /// `call rel by`.
    pub(crate) fn call(self, by: i64) -> Self {
        self.word(0x1104, 1, 1, 0).immediate(by)
    }

    pub(crate) fn ret(mut self) -> Self {
        self.code.push(Felt::from_hex_unchecked("0x208b7fff7fff7ffe"));
        self
    }

    /// Writes a felt to a cell of the syscall segment.
    pub(crate) fn request(self, cell: i64, value: impl Into<Felt>) -> Self {
        self.push(value).store_fp(SYSCALLS, cell)
    }

    /// Asks for the syscall whose request begins at `cell` of the syscall segment. The next instruction carries the hint.
    pub(crate) fn syscall(mut self, cell: i64) -> Self {
        let system = json!({"BinOp": {
            "op": "Add",
            "a": {"register": "FP", "offset": SYSCALLS},
            "b": {"Immediate": format!("{cell:#x}")},
        }});
        let system =
            if cell == 0 { json!({"Deref": {"register": "FP", "offset": SYSCALLS}}) } else { system };
        self.hints.push(json!([self.len(), [{"SystemCall": {"system": system}}]]));
        self
    }

    /// Writes an argument, at `fp + at`, to a cell of the syscall segment.
    pub(crate) fn request_fp(self, cell: i64, at: i64) -> Self {
        self.push_fp(at).store_fp(SYSCALLS, cell)
    }

    /// Copies a cell of the syscall segment to another.
    pub(crate) fn copy(self, from: i64, to: i64) -> Self {
        self.load_fp(SYSCALLS, from).store_fp(SYSCALLS, to)
    }

    /// Copies what lies `index` behind the pointer in a cell of the syscall segment.
    pub(crate) fn copy_behind(self, pointer: i64, index: i64, to: i64) -> Self {
        self.load_fp(SYSCALLS, pointer).load_ap(-1, index).store_fp(SYSCALLS, to)
    }

    /// Returns: the given gas (pushed by `gas`), a syscall pointer moved on by `used`, a failure flag, and as result the cells
    /// `from..to` of the syscall segment, where answers lie and programs may write.
    pub(crate) fn finish(
        self,
        gas: impl FnOnce(Self) -> Self,
        used: i64,
        failure: u64,
        from: i64,
        to: i64,
    ) -> Self {
        gas(self)
            .push_fp_plus(SYSCALLS, used)
            .push(failure)
            .push_fp_plus(SYSCALLS, from)
            .push_fp_plus(SYSCALLS, to)
            .ret()
    }

    /// The same with the gas as it came and without failure.
    pub(crate) fn answer(self, used: i64, from: i64, to: i64) -> Self {
        self.finish(|program| program.push_fp(GAS), used, 0, from, to)
    }
}

/// A compiled class whose only external entry point, `run`, is this program.
pub(crate) fn class(program: &Program, builtins: &[&str]) -> Value {
    let entry = json!({
        "selector": format!("{:#x}", super::world::selector("run")),
        "offset": 0,
        "builtins": builtins,
    });
    json!({
        "prime": "0x800000000000011000000000000000000000000000000000000000000000001",
        "compiler_version": "2.8.2",
        "bytecode": program.code.iter().map(|felt| format!("{felt:#x}")).collect::<Vec<_>>(),
        "hints": program.hints,
        "entry_points_by_type": {"EXTERNAL": [entry], "L1_HANDLER": [], "CONSTRUCTOR": []},
    })
}
