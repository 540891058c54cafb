//! Classes that repeat one operation, to measure it without the call around it.
//!
//! Input: the builtin instances that a round writes, or the syscalls that it makes. Output: a class. Its
//! entry point `run` takes a number of rounds, a first value, and the data that rounds point to. A round is a
//! recursive function: its arguments are pointers, the calldata, a value that differs in every round, and the
//! number of remaining rounds.

use serde_json::json;
use starkiln::class::{Cairo0Class, Cairo1Class, ContractClass};
use starknet_api::contract_class::SierraVersion;
use starknet_types_core::felt::Felt;

use super::fixture::casm::{self, Program};

/// The offsets of the arguments of a round from `fp`.
const ROUNDS: i64 = -3;
const VALUE: i64 = -4;
const CALLDATA: i64 = -5;
const SYSCALLS: i64 = -6;
const GAS: i64 = -7;
const BUILTIN: i64 = -8;

/// The reference by which hints of Cairo 0 find the syscall pointer.
const SYSCALL_REFERENCE: &str = "[cast(fp + (-6), felt**)]";

/// The hint of every syscall: the selector in the request determines the syscall.
const SYSCALL_HINT: &str = "syscall_handler.storage_read(segments=segments, syscall_ptr=ids.syscall_ptr)";

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Language {
    Cairo0,
    Cairo1,
}

/// A felt that a round writes.
#[derive(Clone, Copy)]
pub(crate) enum Source {
    Number(Felt),
    /// The value that differs in every round.
    Value,
    /// A pointer to an offset in the calldata.
    PointerTo(i64),
    /// A cell of the syscall segment, counted from the first request of the round.
    Response(i64),
}

/// The value of the next round.
#[derive(Clone, Copy)]
pub(crate) enum NextValue {
    /// The value plus one.
    OneMore,
    /// A cell of the builtin instance.
    Cell(i64),
}

/// The operation that is repeated.
#[derive(Clone)]
pub(crate) struct Round {
    language: Language,
    builtin: Option<&'static str>,
    body: Program,
    /// Number of cells that a round uses in the builtin segment and in the syscall segment.
    builtin_cells: i64,
    syscall_cells: i64,
    /// The cell of the remaining gas in the last response.
    gas: Option<i64>,
    next: NextValue,
}

impl Round {
    /// A round without an operation.
    pub(crate) fn empty(language: Language, builtin: Option<&'static str>) -> Self {
        Self {
            language,
            builtin,
            body: Program::new(),
            builtin_cells: 0,
            syscall_cells: 0,
            gas: None,
            next: NextValue::OneMore,
        }
    }

    /// A round that uses one instance of a builtin: it writes the inputs, then reads `outputs` outputs.
    pub(crate) fn of_builtin(
        builtin: &'static str,
        inputs: &[Source],
        outputs: i64,
        next: NextValue,
    ) -> Self {
        let mut round = Self::empty(Language::Cairo1, Some(builtin));
        for input in inputs {
            round.body = round.push(*input).store_fp(BUILTIN, round.builtin_cells);
            round.builtin_cells += 1;
        }
        for _ in 0..outputs {
            round.body = round.body.load_fp(BUILTIN, round.builtin_cells);
            round.builtin_cells += 1;
        }
        Self { next, ..round }
    }

    /// Adds a syscall with this request, whose response has `response_cells` cells after gas and failure
    /// flag.
    pub(crate) fn syscall(mut self, name: &str, request: &[Source], response_cells: i64) -> Self {
        let start = self.syscall_cells;
        self = self.write_request(Source::Number(Felt::from_bytes_be_slice(name.as_bytes())));
        if self.language == Language::Cairo1 {
            // The remaining gas: from the last response, or from the arguments.
            self.body = match self.gas {
                Some(cell) => self.body.load_fp(SYSCALLS, cell),
                None => self.body.push_fp(GAS),
            };
            self = self.store_top();
        }
        for source in request {
            self = self.write_request(*source);
        }
        match self.language {
            Language::Cairo0 => {
                self.body = self.body.hint(json!({
                    "accessible_scopes": ["__main__", "__main__.run"],
                    "code": SYSCALL_HINT,
                    "flow_tracking_data": {
                        "ap_tracking": {"group": 0, "offset": 0},
                        "reference_ids": {"__main__.run.syscall_ptr": 0},
                    },
                }));
            }
            Language::Cairo1 => {
                // Asserts that the failure flag is 0.
                self.body = self.body.syscall_at(SYSCALLS, start);
                self.gas = Some(self.syscall_cells);
                self.body = self.body.push(0_u64).store_fp(SYSCALLS, self.syscall_cells + 1);
                self.syscall_cells += 2;
            }
        }
        self.syscall_cells += response_cells;
        self
    }

    fn write_request(mut self, source: Source) -> Self {
        self.body = self.push(source);
        self.store_top()
    }

    /// Stores the top of the stack in the next cell of the syscall segment.
    fn store_top(mut self) -> Self {
        self.body = self.body.store_fp(SYSCALLS, self.syscall_cells);
        self.syscall_cells += 1;
        self
    }

    fn push(&self, source: Source) -> Program {
        let body = self.body.clone();
        match source {
            Source::Number(number) => body.push(number),
            Source::Value => body.push_fp(VALUE),
            Source::PointerTo(offset) => body.push_fp_plus(CALLDATA, offset),
            Source::Response(cell) => body.load_fp(SYSCALLS, cell),
        }
    }

    /// The class that repeats the round.
    pub(crate) fn class(&self) -> ContractClass {
        let program = self.program();
        let builtins: Vec<&str> = self.builtin.into_iter().collect();
        match self.language {
            Language::Cairo0 => {
                let json = casm::cairo0_class(&program, &builtins, &[SYSCALL_REFERENCE]);
                Cairo0Class::from_json(json.to_string()).expect("the class is valid").into()
            }
            Language::Cairo1 => {
                // `meta_tx_v0` calls `__execute__`.
                let json = casm::class_with(&program, &builtins, &["run", "__execute__"]);
                let version = SierraVersion::new(1, 7, 0);
                Cairo1Class::from_casm_json(json.to_string(), version).expect("the class is valid").into()
            }
        }
    }

    /// The entry point, which pushes the arguments of the first round, and after it the function of a round.
    fn program(&self) -> Program {
        let entry = self.entry();
        let round = entry.len() as i64;
        let end = self.end(Program::new());
        let body_offset = 2 + end.len() as i64;
        let mut program = self.end(entry.jump_if_fp(ROUNDS, body_offset)).then(&self.body);
        if self.builtin.is_some() {
            program = program.push_fp_plus(BUILTIN, self.builtin_cells);
        }
        program = match self.gas {
            Some(cell) => program.load_fp(SYSCALLS, cell),
            None => program.push_fp(GAS),
        };
        program = program.push_fp_plus(SYSCALLS, self.syscall_cells).push_fp(CALLDATA);
        program = match self.next {
            NextValue::OneMore => program.push_fp_plus(VALUE, 1_u64),
            NextValue::Cell(cell) => program.load_fp(BUILTIN, cell),
        };
        program = program.push_fp_plus(ROUNDS, -1_i64);
        let here = program.len() as i64;
        program.call(round - here).ret()
    }

    fn entry(&self) -> Program {
        let mut program = Program::new();
        let calldata = match self.language {
            Language::Cairo0 => {
                // Selector, implicit arguments, length of the calldata, calldata.
                const IMPLICIT: i64 = -5;
                const CALLDATA: i64 = -3;
                if self.builtin.is_some() {
                    program = program.load_fp(IMPLICIT, 1);
                }
                program = program.push(0_u64).load_fp(IMPLICIT, 0).push_fp(CALLDATA);
                CALLDATA
            }
            Language::Cairo1 => {
                if self.builtin.is_some() {
                    program = program.push_fp(casm::GAS - 1);
                }
                program = program.push_fp(casm::GAS).push_fp(casm::SYSCALLS).push_fp(casm::CALLDATA);
                casm::CALLDATA
            }
        };
        // The first value and the number of rounds. The function of a round begins after the `ret`.
        program.load_fp(calldata, 1).load_fp(calldata, 0).call(3).ret()
    }

    /// Appends the return after the last round: no data.
    fn end(&self, mut program: Program) -> Program {
        if self.language == Language::Cairo0 {
            program = program.push_fp(SYSCALLS);
        }
        if self.builtin.is_some() {
            program = program.push_fp(BUILTIN);
        }
        match self.language {
            Language::Cairo0 => program.push(0_u64).push_fp(CALLDATA).ret(),
            Language::Cairo1 => {
                let program = program.push_fp(GAS).push_fp(SYSCALLS).push(0_u64);
                program.push_fp(CALLDATA).push_fp(CALLDATA).ret()
            }
        }
    }
}
