//! Hints at random, and hints with other operands.
//!
//! Input: random numbers. Output: hints as a compiled class's file holds them.

use serde_json::{Value, json};

use super::numbers::{number, offset};
use crate::generate::Random;

/// The fields of a hint: operands (`o`) and cells (`c`), by name.
type Takes = &'static [(&'static str, char)];

/// Every hint that compilers ever wrote, and those that only tools write.
const HINTS: [(&str, Takes); 41] = [
    ("AllocSegment", &[("dst", 'c')]),
    ("TestLessThan", &[("lhs", 'o'), ("rhs", 'o'), ("dst", 'c')]),
    ("TestLessThanOrEqual", &[("lhs", 'o'), ("rhs", 'o'), ("dst", 'c')]),
    ("TestLessThanOrEqualAddress", &[("lhs", 'o'), ("rhs", 'o'), ("dst", 'c')]),
    ("WideMul128", &[("lhs", 'o'), ("rhs", 'o'), ("high", 'c'), ("low", 'c')]),
    ("DivMod", &[("lhs", 'o'), ("rhs", 'o'), ("quotient", 'c'), ("remainder", 'c')]),
    (
        "Uint256DivMod",
        &[
            ("dividend0", 'o'),
            ("dividend1", 'o'),
            ("divisor0", 'o'),
            ("divisor1", 'o'),
            ("quotient0", 'c'),
            ("quotient1", 'c'),
            ("remainder0", 'c'),
            ("remainder1", 'c'),
        ],
    ),
    (
        "Uint512DivModByUint256",
        &[
            ("dividend0", 'o'),
            ("dividend1", 'o'),
            ("dividend2", 'o'),
            ("dividend3", 'o'),
            ("divisor0", 'o'),
            ("divisor1", 'o'),
            ("quotient0", 'c'),
            ("quotient1", 'c'),
            ("quotient2", 'c'),
            ("quotient3", 'c'),
            ("remainder0", 'c'),
            ("remainder1", 'c'),
        ],
    ),
    ("SquareRoot", &[("value", 'o'), ("dst", 'c')]),
    (
        "Uint256SquareRoot",
        &[
            ("value_low", 'o'),
            ("value_high", 'o'),
            ("sqrt0", 'c'),
            ("sqrt1", 'c'),
            ("remainder_low", 'c'),
            ("remainder_high", 'c'),
            ("sqrt_mul_2_minus_remainder_ge_u128", 'c'),
        ],
    ),
    ("LinearSplit", &[("value", 'o'), ("scalar", 'o'), ("max_x", 'o'), ("x", 'c'), ("y", 'c')]),
    ("AllocFelt252Dict", &[("segment_arena_ptr", 'o')]),
    ("Felt252DictEntryInit", &[("dict_ptr", 'o'), ("key", 'o')]),
    ("Felt252DictEntryUpdate", &[("dict_ptr", 'o'), ("value", 'o')]),
    ("GetSegmentArenaIndex", &[("dict_end_ptr", 'o'), ("dict_index", 'c')]),
    (
        "InitSquashData",
        &[
            ("dict_accesses", 'o'),
            ("ptr_diff", 'o'),
            ("n_accesses", 'o'),
            ("big_keys", 'c'),
            ("first_key", 'c'),
        ],
    ),
    ("GetCurrentAccessIndex", &[("range_check_ptr", 'o')]),
    ("ShouldSkipSquashLoop", &[("should_skip_loop", 'c')]),
    ("GetCurrentAccessDelta", &[("index_delta_minus1", 'c')]),
    ("ShouldContinueSquashLoop", &[("should_continue", 'c')]),
    ("GetNextDictKey", &[("next_key", 'c')]),
    ("AssertLeFindSmallArcs", &[("range_check_ptr", 'o'), ("a", 'o'), ("b", 'o')]),
    ("AssertLeIsFirstArcExcluded", &[("skip_exclude_a_flag", 'c')]),
    ("AssertLeIsSecondArcExcluded", &[("skip_exclude_b_minus_a", 'c')]),
    ("RandomEcPoint", &[("x", 'c'), ("y", 'c')]),
    ("FieldSqrt", &[("val", 'o'), ("sqrt", 'c')]),
    ("AllocConstantSize", &[("size", 'o'), ("dst", 'c')]),
    (
        "U256InvModN",
        &[
            ("b0", 'o'),
            ("b1", 'o'),
            ("n0", 'o'),
            ("n1", 'o'),
            ("g0_or_no_inv", 'c'),
            ("g1_option", 'c'),
            ("s_or_r0", 'c'),
            ("s_or_r1", 'c'),
            ("t_or_k0", 'c'),
            ("t_or_k1", 'c'),
        ],
    ),
    (
        "EvalCircuit",
        &[("n_add_mods", 'o'), ("add_mod_builtin", 'o'), ("n_mul_mods", 'o'), ("mul_mod_builtin", 'o')],
    ),
    ("AssertAllAccessesUsed", &[("n_used_accesses", 'c')]),
    ("AssertLtAssertValidInput", &[("a", 'o'), ("b", 'o')]),
    ("Felt252DictRead", &[("dict_ptr", 'o'), ("key", 'o'), ("value_dst", 'c')]),
    ("Felt252DictWrite", &[("dict_ptr", 'o'), ("key", 'o'), ("value", 'o')]),
    ("SystemCall", &[("system", 'o')]),
    ("AddRelocationRule", &[("src", 'o'), ("dst", 'o')]),
    ("WriteRunParam", &[("index", 'o'), ("dst", 'c')]),
    ("AddTrace", &[("flag", 'o')]),
    (PRINT, &[("start", 'o'), ("end", 'o')]),
    ("AssertCurrentAccessIndicesIsEmpty", &[]),
    ("AssertAllKeysUsed", &[]),
    ("AssertLeAssertThirdArcExcluded", &[]),
];

/// The name of the hint that writes to standard output, at blockifier.
pub const PRINT: &str = "DebugPrint";

/// The name of the hint whose result is random: it differs between processes.
pub const RANDOM_POINT: &str = "RandomEcPoint";

/// Any hint with any operands.
pub fn any(random: &mut Random) -> Value {
    let (name, takes) = *random.pick(&HINTS);
    if takes.is_empty() {
        return json!(name);
    }
    let mut next = random.between(0, 2) as i64;
    let mut part = |kind| match kind {
        'o' => operand(random),
        // New cells, mostly: what is known already cannot be written.
        _ if random.once_in(12) => cell(random),
        _ => {
            next += 1;
            json!({ "register": "AP", "offset": next - 1 })
        }
    };
    let parts = takes.iter().map(|(name, kind)| ((*name).to_owned(), part(*kind)));
    let parts: serde_json::Map<_, _> = parts.collect();
    json!({ name: parts })
}

fn cell(random: &mut Random) -> Value {
    // Arguments are below fp, results below ap.
    let (register, offset) = if random.once_in(2) { ("FP", -3) } else { ("AP", -1) };
    json!({ "register": register, "offset": offset - random.below(8) as i64 + random.below(2) as i64 })
}

fn immediate(random: &mut Random) -> Value {
    json!({ "Immediate": format!("{:#x}", number(random)) })
}

fn operand(random: &mut Random) -> Value {
    match random.below(8) {
        0..3 => json!({ "Deref": cell(random) }),
        3 => json!({ "DoubleDeref": [cell(random), random.below(6)] }),
        4..6 => immediate(random),
        _ => {
            let right = right_operand(random);
            let operation = if random.once_in(3) { "Mul" } else { "Add" };
            json!({ "BinOp": { "op": operation, "a": cell(random), "b": right } })
        }
    }
}

/// The right-hand operand of an operation.
fn right_operand(random: &mut Random) -> Value {
    if random.once_in(2) { immediate(random) } else { json!({ "Deref": cell(random) }) }
}

/// The same hint with one operand, cell or number changed. Hints of Cairo 0 are text: theirs are not.
pub fn changed(mut hint: Value, random: &mut Random) -> Value {
    let count = places(&hint);
    if count > 0 {
        let mut left = random.below(count as u64);
        change(&mut hint, operand, &mut left, random);
    }
    hint
}

fn is_place(value: &Value) -> bool {
    let has = |name: &str| value.get(name).is_some();
    has("register") || ["Deref", "DoubleDeref", "Immediate", "BinOp"].into_iter().any(has)
}

fn places(value: &Value) -> usize {
    let inner = match value {
        Value::Object(parts) => parts.values().map(places).sum(),
        Value::Array(parts) => parts.iter().map(places).sum(),
        _ => 0,
    };
    inner + usize::from(is_place(value))
}

/// Changes the `n`-th place, to an operand of that kind if it is one; returns `true` if it was found.
fn change(value: &mut Value, operand: fn(&mut Random) -> Value, left: &mut u64, random: &mut Random) -> bool {
    if is_place(value) {
        if *left == 0 {
            *value = match value.get("register").and_then(Value::as_str) {
                Some(register) => {
                    let old = value["offset"].as_i64().unwrap_or_default();
                    if random.once_in(3) {
                        let other = if register == "AP" { "FP" } else { "AP" };
                        json!({ "register": other, "offset": old })
                    } else {
                        json!({ "register": register, "offset": offset(old, random) })
                    }
                }
                None => operand(random),
            };
            return true;
        }
        *left -= 1;
    }
    match value {
        Value::Object(parts) => {
            let is_operation = parts.contains_key("op");
            parts.iter_mut().any(|(name, part)| {
                let operand = if is_operation && name == "b" { right_operand } else { self::operand };
                change(part, operand, left, random)
            })
        }
        Value::Array(parts) => parts.iter_mut().any(|part| change(part, operand, left, random)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_hint_is_one_that_classes_may_have() {
        let mut random = Random::new(1);
        let mut seen = std::collections::BTreeSet::new();
        for _ in 0..2_000 {
            let hint = any(&mut random);
            seen.insert(
                hint.as_object()
                    .and_then(|hint| hint.keys().next().cloned())
                    .unwrap_or_else(|| hint.as_str().expect("a name or a name with parts").to_owned()),
            );
            for hint in [changed(hint.clone(), &mut random), hint] {
                let class = json!({
                    "prime": "0x800000000000011000000000000000000000000000000000000000000000001",
                    "compiler_version": "2.8.2",
                    "bytecode": ["0x208b7fff7fff7ffe"],
                    "hints": [[0, [hint.clone()]]],
                    "entry_points_by_type": { "EXTERNAL": [], "L1_HANDLER": [], "CONSTRUCTOR": [] },
                });
                let loaded = starkiln::class::Cairo1Class::from_casm_json(
                    class.to_string(),
                    "1.7.0".parse().expect("it is a version"),
                );
                assert!(loaded.is_ok(), "{hint}: {:?}", loaded.err());
            }
        }
        assert_eq!(seen.len(), HINTS.len());
    }
}
