//! Replaces the bodies of the `stub_*` functions of `syscalls_new.cairo` by library functions that the compiler did not know.

use cairo_lang_sierra::ids::{ConcreteLibfuncId, ConcreteTypeId, UserTypeId, VarId};
use cairo_lang_sierra::program::*;
use num_bigint::BigInt;

/// Replaces one stub of the program, by the name that the command line gives it.
pub fn replace(stub: &str, program: &mut Program) {
    match stub {
        "meta_tx" => syscall(program, "::stub_meta_tx", "meta_tx_v0_syscall", None, None),
        "class_hash_at" => syscall(program, "::stub_class_hash_at", "get_class_hash_at_syscall", None, None),
        "execution_info_v3" => {
            rename_struct(program, "::TxInfoV3", "core::starknet::info::v3::TxInfo");
            rename_struct(program, "::ExecutionInfoV3", "core::starknet::info::v3::ExecutionInfo");
            syscall(program, "::stub_execution_info_v3", "get_execution_info_v3_syscall", None, None);
        }
        "sha512" => {
            declare_simple_type(program, "Sha512StateHandle");
            let (init, digest) = ("sha512_state_handle_init", "sha512_state_handle_digest");
            syscall(program, "::stub_sha512", "sha512_process_block_syscall", Some((init, 2)), Some(digest));
        }
        "blake2s" => {
            plain(program, "::stub_blake2s_compress", "blake2s_compress");
            plain(program, "::stub_blake2s_finalize", "blake2s_finalize");
        }
        _ => panic!("no stub {stub}"),
    }
}

/// The body of a function (gas, system, arguments..) -> (gas, system, Result<T, Array<felt252>>) becomes one syscall.
/// `before` converts the argument at a place on the way in, `after` the result on the way out.
fn syscall(program: &mut Program, stub: &str, name: &str, before: Option<(&str, usize)>, after: Option<&str>) {
    let index = function(program, stub);
    let signature = program.funcs[index].signature.clone();
    let [gas, system, result] = &signature.ret_types[..] else { panic!("{stub} is no syscall") };
    let of = |ty: &ConcreteTypeId| vec![GenericArg::Type(ty.clone())];
    let variant = |number: i32| vec![GenericArg::Type(result.clone()), GenericArg::Value(BigInt::from(number))];
    let call = libfunc(program, name, vec![]);
    let align = libfunc(program, "branch_align", vec![]);
    let (ok, error) = (libfunc(program, "enum_init", variant(0)), libfunc(program, "enum_init", variant(1)));
    let stores = [gas, system, result].map(|ty| libfunc(program, "store_temp", of(ty)));
    let before = before.map(|(name, place)| (libfunc(program, name, vec![]), place));
    let after = after.map(|name| libfunc(program, name, vec![]));

    let parameters = signature.param_types.len() as u64;
    let mut arguments: Vec<u64> = (0..parameters).collect();
    let mut next = parameters;
    let mut variable = || {
        next += 1;
        next - 1
    };
    let mut head = vec![];
    if let Some((convert, place)) = before {
        let converted = variable();
        head.push(line(&convert, &[arguments[place]], &[converted]));
        arguments[place] = converted;
    }
    let mut arm = |init: &ConcreteLibfuncId, convert: Option<&ConcreteLibfuncId>| {
        let [gas, system, raw, wrapped] = std::array::from_fn(|_| variable());
        let mut lines = vec![line(&align, &[], &[])];
        let mut value = raw;
        if let Some(convert) = convert {
            value = variable();
            lines.push(line(convert, &[raw], &[value]));
        }
        lines.push(line(init, &[value], &[wrapped]));
        lines.extend(stores.iter().zip([gas, system, wrapped]).map(|(store, v)| line(store, &[v], &[v])));
        lines.push(Statement::Return(variables(&[gas, system, wrapped])));
        (lines, variables(&[gas, system, raw]))
    };
    let (success, success_results) = arm(&ok, after.as_ref());
    let (failure, failure_results) = arm(&error, None);
    let failure_at = program.funcs[index].entry_point.0 + head.len() + 1 + success.len();
    head.push(Statement::Invocation(Invocation {
        libfunc_id: call,
        args: variables(&arguments),
        branches: vec![
            BranchInfo { target: BranchTarget::Fallthrough, results: success_results },
            BranchInfo { target: BranchTarget::Statement(StatementIdx(failure_at)), results: failure_results },
        ],
    }));
    head.extend(success);
    head.extend(failure);
    set_body(program, index, head);
}

/// The body becomes one library function of the same arguments with one result.
fn plain(program: &mut Program, stub: &str, name: &str) {
    let index = function(program, stub);
    let signature = program.funcs[index].signature.clone();
    let call = libfunc(program, name, vec![]);
    let store = libfunc(program, "store_temp", vec![GenericArg::Type(signature.ret_types[0].clone())]);
    let result = signature.param_types.len() as u64;
    let arguments: Vec<u64> = (0..result).collect();
    let body = vec![line(&call, &arguments, &[result]), line(&store, &[result], &[result]), Statement::Return(variables(&[result]))];
    set_body(program, index, body);
}

/// Exchanges a function's statements and moves every branch and function behind them.
fn set_body(program: &mut Program, index: usize, body: Vec<Statement>) {
    let start = program.funcs[index].entry_point.0;
    let following = program.funcs.iter().map(|function| function.entry_point.0).filter(|entry| *entry > start);
    let end = following.min().unwrap_or(program.statements.len());
    let shift = |at: &mut StatementIdx| {
        if at.0 >= end {
            at.0 = at.0 - (end - start) + body.len();
        }
    };
    for function in &mut program.funcs {
        shift(&mut function.entry_point);
    }
    for (at, statement) in program.statements.iter_mut().enumerate() {
        let Statement::Invocation(invocation) = statement else { continue };
        if (start..end).contains(&at) {
            continue;
        }
        for branch in &mut invocation.branches {
            if let BranchTarget::Statement(target) = &mut branch.target {
                shift(target);
            }
        }
    }
    program.statements.splice(start..end, body);
}

fn function(program: &Program, ending: &str) -> usize {
    let named = |function: &Function| function.id.debug_name.as_ref().is_some_and(|name| name.ends_with(ending));
    program.funcs.iter().position(named).unwrap_or_else(|| panic!("no function {ending}"))
}

/// The declaration of a library function, a new one at the end if there is none yet.
fn libfunc(program: &mut Program, name: &str, arguments: Vec<GenericArg>) -> ConcreteLibfuncId {
    let known = program.libfunc_declarations.iter().find(|d| d.long_id.generic_id.0 == name && d.long_id.generic_args == arguments);
    if let Some(declaration) = known {
        return declaration.id.clone();
    }
    let id = ConcreteLibfuncId::new(program.libfunc_declarations.len() as u64);
    let long_id = ConcreteLibfuncLongId { generic_id: name.to_string().into(), generic_args: arguments };
    program.libfunc_declarations.push(LibfuncDeclaration { id: id.clone(), long_id });
    id
}

fn declare_simple_type(program: &mut Program, name: &str) {
    let id = ConcreteTypeId::new(program.type_declarations.len() as u64);
    let long_id = ConcreteTypeLongId { generic_id: name.to_string().into(), generic_args: vec![] };
    let info = DeclaredTypeInfo { storable: true, droppable: true, duplicatable: true, zero_sized: false };
    program.type_declarations.push(TypeDeclaration { id, long_id, declared_type_info: Some(info) });
}

fn rename_struct(program: &mut Program, ending: &str, name: &str) {
    let named = |d: &&mut TypeDeclaration| {
        d.long_id.generic_id.0 == "Struct" && d.id.debug_name.as_ref().is_some_and(|known| known.ends_with(ending))
    };
    let declaration = program.type_declarations.iter_mut().find(named).unwrap_or_else(|| panic!("no struct {ending}"));
    declaration.long_id.generic_args[0] = GenericArg::UserType(UserTypeId::from_string(name));
}

fn variables(ids: &[u64]) -> Vec<VarId> {
    ids.iter().map(|id| VarId::new(*id)).collect()
}

fn line(libfunc: &ConcreteLibfuncId, arguments: &[u64], results: &[u64]) -> Statement {
    Statement::Invocation(Invocation {
        libfunc_id: libfunc.clone(),
        args: variables(arguments),
        branches: vec![BranchInfo { target: BranchTarget::Fallthrough, results: variables(results) }],
    })
}
