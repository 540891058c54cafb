//! The fast engine against cairo-vm at edges that random code rarely reaches: addresses that do not exist,
//! the last cells of a bound on memory, and code over which `cairo-vm` panics.

use crate::fixture::casm::{self, CALLDATA, GAS, Program, SYSCALLS};
use crate::fixture::{ACCOUNT, FEE_TOKEN, World, address, felt, selector};
use serde_json::{Value, json};
use starkiln::block::{BlockError, Engine};
use starkiln::call::FailureCause;
use starkiln::class::{Cairo0Class, Cairo1Class};
use starkiln::protocol::ProtocolVersion;
use starkiln::transaction::{CallResult, ContractCall, FatalError};
use starknet_api::contract_class::SierraVersion;
use starknet_api::core::EntryPointSelector;
use starknet_api::transaction::fields::Calldata;
use starknet_types_core::felt::Felt;

const ADDRESS: u128 = 0xe61;

fn call(name: &str, calldata: &[Felt]) -> ContractCall {
    let (selector, calldata) = (EntryPointSelector(selector(name)), Calldata(calldata.to_vec().into()));
    ContractCall { caller: address(ACCOUNT), ..ContractCall::new(address(ADDRESS), selector, calldata) }
}

/// The result of a call, equal on every engine.
fn agreed(world: &World, call: &ContractCall) -> CallResult {
    let [expected, fast, checked] = world.call_on_engines(call);
    assert_eq!(expected, fast);
    assert_eq!(expected, checked);
    expected.unwrap()
}

/// The end of a program without builtins that is measured in gas: an empty result.
fn end(program: Program) -> Program {
    program.push_fp(GAS).push_fp(SYSCALLS).push(0_u64).push_fp(CALLDATA).push_fp(CALLDATA).ret()
}

fn run(program: &Program) -> CallResult {
    let mut world = World::bare(ProtocolVersion::V0_13_1);
    let json = casm::class(program, &[]).to_string();
    world.put(Cairo1Class::from_casm_json(json, SierraVersion::new(1, 7, 0)).unwrap(), ADDRESS);
    agreed(&world, &call("run", &[]))
}

fn run_cairo0(class: &Value) -> CallResult {
    let mut world = World::bare(ProtocolVersion::V0_13_1);
    world.put(Cairo0Class::from_json(class.to_string()).unwrap(), ADDRESS);
    agreed(&world, &call("run", &[]))
}

/// `ap` may be at the end of the address range, but no cell after it may be accessed: a sum that wraps around
/// would reach one of the frame's own.
#[test]
fn no_operand_is_after_the_last_address() {
    // [ap] = [fp + GAS], with `ap` far away and back again in between.
    let far = |at: i64, value: Option<u64>| {
        let distance = (1_i128 << 64) - 12;
        let to = |distance: i128| Felt::from(distance);
        let program = Program::new().word(0x0407, 1, -1, -1).immediate(to(distance));
        let program = match value {
            Some(value) => program.word(0x4006, 1, -1, at).immediate(value),
            None => program,
        };
        run(&end(program.word(0x0407, 1, -1, -1).immediate(to(-distance))))
    };
    assert!(matches!(far(0, None), CallResult::Finished(_)));
    // `ap` is 2^64 - 6: six cells further an address would be 2^64, which does not exist; twelve further a
    // wrapped one would be 6.
    for at in [6, 7, 12, 13] {
        let CallResult::Failed { cause, stack } = far(at, Some(0)) else { panic!("{at}: it ran") };
        assert_eq!(cause, FailureCause::Program, "{stack}");
    }
}

/// For any number of cells left at a syscall: too few are the host's error, never a revert that other hosts
/// do not see.
#[test]
fn memory_that_runs_out_is_never_a_revert() {
    let mut world = World::new(ProtocolVersion::NEWEST);
    world.deploy("caller", ADDRESS);
    let target = [felt(FEE_TOKEN), selector("balance_of"), felt(1), felt(ACCOUNT)];
    let call = call("call", &target);
    let run = |limit| world.executor().engine(Engine::Fast).memory_limit(limit).call(&call);
    let expected = run(1 << 30).unwrap();
    let (mut refused, mut ran) = (0, 0);
    for limit in (0..1 << 17).step_by(64) {
        match run(limit) {
            Ok(result) => {
                assert_eq!(result, expected, "{limit}");
                ran += 1;
            }
            Err(BlockError::Call(failure)) => {
                assert_eq!(*failure, FatalError::OutOfMemory, "{limit}");
                refused += 1;
            }
            Err(error) => panic!("{limit}: {error}"),
        }
    }
    assert!(refused > 10 && ran > 10, "{refused} refused, {ran} ran");
}

/// A hint that pads by no block: the library's loop would count down from 2^64. It is refused, and the
/// process lives.
#[test]
fn padding_by_no_block_is_refused() {
    let code = "# Add dummy pairs of input and output.\n\
        _keccak_state_size_felts = int(ids.KECCAK_STATE_SIZE_FELTS)\n_block_size = int(ids.BLOCK_SIZE)\n\
        assert 0 <= _keccak_state_size_felts < 100\nassert 0 <= _block_size < 10\n\
        inp = [0] * _keccak_state_size_felts\npadding = (inp + keccak_func(inp)) * _block_size\n\
        segments.write_arg(ids.keccak_ptr_end, padding)";
    let class = |blocks: u64| {
        let hint = json!({
            "accessible_scopes": ["__main__"],
            "code": code,
            "flow_tracking_data": {
                "ap_tracking": {"group": 0, "offset": 0},
                "reference_ids": {"__main__.keccak_ptr_end": 0},
            },
        });
        // The result is empty; what the hint writes goes where the arguments are read from next.
        let program = Program::new().hint(hint).load_fp(-4, 0).push(0_u64).push_fp(-3).ret();
        let mut class = casm::cairo0_class(&program, &[], &["[cast(fp + (-3), felt*)]"]);
        for (name, value) in [("packed_keccak.BLOCK_SIZE", blocks), ("keccak.KECCAK_STATE_SIZE_FELTS", 25)] {
            let name = format!("starkware.cairo.common.cairo_keccak.{name}");
            class["program"]["identifiers"][name] = json!({"type": "const", "value": value});
        }
        class
    };
    let refusal = |blocks| match run_cairo0(&class(blocks)) {
        CallResult::Failed { cause, stack } => (cause, stack.to_string()),
        CallResult::Finished(info) => panic!("{blocks}: {info:?}"),
    };
    let (cause, text) = refusal(0);
    assert_eq!(cause, FailureCause::Program, "{text}");
    assert!(text.contains("block size to be above 0"), "{text}");
    // The library's own bound.
    let (_, text) = refusal(10);
    assert!(text.contains("[0, 10)"), "{text}");
}
