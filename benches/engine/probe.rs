//! Code that does one thing again and again, so that what the thing costs stands apart from what surrounds it.
//!
//! In: what a round writes to a builtin, or which syscalls it makes. Out: a class. Its entry point `run` takes a number of rounds, a
//! first value and whatever else rounds point at. A round is a call of itself: it has its pointers, the calldata, a value that is
//! another one in every round, and the number of rounds that are left as arguments, and hands them to the next round.

use serde_json::json;
use starkiln::class::{Cairo0Class, Cairo1Class, ContractClass};
use starknet_api::contract_class::SierraVersion;
use starknet_types_core::felt::Felt;

use super::fixture::casm::{self, Program};

/// Arguments of a round, from `fp`.
const LEFT: i64 = -3;
const VALUE: i64 = -4;
const CALLDATA: i64 = -5;
const SYSCALLS: i64 = -6;
const GAS: i64 = -7;
const BUILTIN: i64 = -8;

/// The syscall pointer as hints of Cairo 0 find it.
const SYSCALL_REFERENCE: &str = "[cast(fp + (-6), felt**)]";

/// Which syscall it is, the request says.
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
    /// What is another number in every round.
    Value,
    /// A pointer to that place of the calldata.
    PointerTo(i64),
    /// A cell of the answers that the round has got.
    Answer(i64),
}

/// What the next round's value is.
#[derive(Clone, Copy)]
pub(crate) enum Next {
    /// One more.
    OneMore,
    /// That cell of the builtin's instance.
    Cell(i64),
}

/// What is done again and again.
#[derive(Clone)]
pub(crate) struct Round {
    language: Language,
    builtin: Option<&'static str>,
    body: Program,
    /// Cells that a round uses of the builtin and of the syscall segment.
    builtin_cells: i64,
    syscall_cells: i64,
    /// Where the last answer has the gas that is left.
    gas: Option<i64>,
    next: Next,
}

impl Round {
    /// Nothing.
    pub(crate) fn empty(language: Language, builtin: Option<&'static str>) -> Self {
        Self {
            language,
            builtin,
            body: Program::new(),
            builtin_cells: 0,
            syscall_cells: 0,
            gas: None,
            next: Next::OneMore,
        }
    }

    /// An instance of a builtin: inputs written, then so many outputs read.
    pub(crate) fn of_builtin(builtin: &'static str, inputs: &[Source], outputs: i64, next: Next) -> Self {
        let mut round = Self::empty(Language::Cairo1, Some(builtin));
        for input in inputs {
            round.body = round.pushed(*input).store_fp(BUILTIN, round.builtin_cells);
            round.builtin_cells += 1;
        }
        for _ in 0..outputs {
            round.body = round.body.load_fp(BUILTIN, round.builtin_cells);
            round.builtin_cells += 1;
        }
        Self { next, ..round }
    }

    /// And a syscall with that request, whose answer has so many cells.
    pub(crate) fn syscall(mut self, name: &str, request: &[Source], answer: i64) -> Self {
        let start = self.syscall_cells;
        self = self.requesting(Source::Number(Felt::from_bytes_be_slice(name.as_bytes())));
        if self.language == Language::Cairo1 {
            // The gas that is left: of the last answer, or as the round found it.
            self.body = match self.gas {
                Some(cell) => self.body.load_fp(SYSCALLS, cell),
                None => self.body.push_fp(GAS),
            };
            self = self.written();
        }
        for source in request {
            self = self.requesting(*source);
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
                // It has not failed.
                self.body = self.body.syscall_at(SYSCALLS, start);
                self.gas = Some(self.syscall_cells);
                self.body = self.body.push(0_u64).store_fp(SYSCALLS, self.syscall_cells + 1);
                self.syscall_cells += 2;
            }
        }
        self.syscall_cells += answer;
        self
    }

    fn requesting(mut self, source: Source) -> Self {
        self.body = self.pushed(source);
        self.written()
    }

    /// The top goes to the next cell of the syscall segment.
    fn written(mut self) -> Self {
        self.body = self.body.store_fp(SYSCALLS, self.syscall_cells);
        self.syscall_cells += 1;
        self
    }

    fn pushed(&self, source: Source) -> Program {
        let body = self.body.clone();
        match source {
            Source::Number(number) => body.push(number),
            Source::Value => body.push_fp(VALUE),
            Source::PointerTo(place) => body.push_fp_plus(CALLDATA, place),
            Source::Answer(cell) => body.load_fp(SYSCALLS, cell),
        }
    }

    /// The class that does it.
    pub(crate) fn class(&self) -> ContractClass {
        let program = self.program();
        let builtins: Vec<&str> = self.builtin.into_iter().collect();
        match self.language {
            Language::Cairo0 => {
                let json = casm::cairo0_class(&program, &builtins, &[SYSCALL_REFERENCE]);
                Cairo0Class::from_json(json.to_string()).expect("it is a class").into()
            }
            Language::Cairo1 => {
                // What a meta transaction calls has this name.
                let json = casm::class_with(&program, &builtins, &["run", "__execute__"]);
                let version = SierraVersion::new(1, 7, 0);
                Cairo1Class::from_casm_json(json.to_string(), version).expect("it is a class").into()
            }
        }
    }

    /// The entry point makes the arguments of the first round; rounds lie behind it.
    fn program(&self) -> Program {
        let entry = self.entry();
        let round = entry.len() as i64;
        let end = self.end(Program::new());
        let behind_end = 2 + end.len() as i64;
        let mut program = self.end(entry.jump_if_fp(LEFT, behind_end)).then(&self.body);
        if self.builtin.is_some() {
            program = program.push_fp_plus(BUILTIN, self.builtin_cells);
        }
        program = match self.gas {
            Some(cell) => program.load_fp(SYSCALLS, cell),
            None => program.push_fp(GAS),
        };
        program = program.push_fp_plus(SYSCALLS, self.syscall_cells).push_fp(CALLDATA);
        program = match self.next {
            Next::OneMore => program.push_fp_plus(VALUE, 1_u64),
            Next::Cell(cell) => program.load_fp(BUILTIN, cell),
        };
        program = program.push_fp_plus(LEFT, -1_i64);
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
        // Value and number of rounds; the first round lies behind the `ret`.
        program.load_fp(calldata, 1).load_fp(calldata, 0).call(3).ret()
    }

    /// What the entry point returns, when no round is left: nothing.
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
