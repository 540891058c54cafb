//! Every published constant of every protocol version, compared with [`Constants`].
//!
//! `tests/data/published_constants.json` lists the constants under their published names: per constant the
//! versions at which it changed and its values, `"absent"` where it does not exist. The test fails for a name
//! that it does not know, and for a cost of ours that no published constant covers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use starkiln::protocol::{
    ArchivalPrice, Builtin, Constants, OsCost, ProtocolVersion, Ratio, SyscallName, TransactionKind,
    VersionPolicy, VmResources, well_known,
};
use starknet_api::core::{ClassHash, ContractAddress, EntryPointSelector};
use starknet_api::execution_resources::GasVector;
use starknet_types_core::felt::Felt;

/// A value in a form that both our constants and the published ones convert to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum ConstantValue {
    Absent,
    Integer(i128),
    Flag(bool),
    Text(String),
    Ratio(u64, u64),
    /// Felts in the order of the publication.
    Felts(Vec<Felt>),
    /// Felts without an order.
    FeltSet(BTreeSet<Felt>),
}

impl From<u64> for ConstantValue {
    fn from(value: u64) -> Self {
        Self::Integer(value.into())
    }
}

impl From<bool> for ConstantValue {
    fn from(value: bool) -> Self {
        Self::Flag(value)
    }
}

impl From<Ratio> for ConstantValue {
    fn from(value: Ratio) -> Self {
        Self::Ratio(value.numerator, value.denominator)
    }
}

fn hexadecimal(felt: Felt) -> ConstantValue {
    ConstantValue::Text(format!("{felt:#x}"))
}

fn selector(selector: EntryPointSelector) -> ConstantValue {
    hexadecimal(selector.0)
}

fn address(address: ContractAddress) -> ConstantValue {
    let digits = address.0.key().to_biguint().to_string();
    ConstantValue::Integer(digits.parse().unwrap())
}

fn short_string(felt: Felt) -> ConstantValue {
    let bytes = felt.to_bytes_be();
    ConstantValue::Text(String::from_utf8(bytes.into_iter().skip_while(|byte| *byte == 0).collect()).unwrap())
}

fn classes(classes: &BTreeSet<ClassHash>) -> ConstantValue {
    ConstantValue::FeltSet(classes.iter().map(|class| class.0).collect())
}

/// The published value, read as the variant of our value.
fn published(value: &Value, ours: &ConstantValue) -> ConstantValue {
    let unsigned = |value: &Value| value.to_string().parse().expect("an unsigned number");
    match value {
        Value::String(text) if text == "absent" => ConstantValue::Absent,
        Value::String(text) => ConstantValue::Text(text.clone()),
        Value::Bool(flag) => ConstantValue::Flag(*flag),
        Value::Number(_) => ConstantValue::Integer(value.to_string().parse().expect("an integer")),
        Value::Array(items) if matches!(ours, ConstantValue::Ratio(..)) => match items.as_slice() {
            [numerator, denominator] => ConstantValue::Ratio(unsigned(numerator), unsigned(denominator)),
            _ => panic!("{value} is not a ratio"),
        },
        Value::Array(items) => {
            let felts = items.iter().map(|item| Felt::from_hex(item.as_str().unwrap()).unwrap());
            match ours {
                ConstantValue::FeltSet(_) => ConstantValue::FeltSet(felts.collect()),
                _ => ConstantValue::Felts(felts.collect()),
            }
        }
        Value::Null | Value::Object(_) => panic!("{value} is not a value"),
    }
}

/// Our value of a published constant, and the name of its quantity: the publication writes
/// some quantities under different names in different versions. `None`: the name is not known.
fn our_value(constants: &Constants, name: &str) -> Option<(String, ConstantValue)> {
    let path: Vec<&str> = name.split('.').collect();
    let same = |value: ConstantValue| Some((name.to_owned(), value));
    let same_if_known = |value: Option<ConstantValue>| same(value?);
    match path.as_slice() {
        ["allocation_cost", "blob_cost", gas] => {
            same_if_known(of_gas_vector(&constants.allocation.blob, gas))
        }
        ["allocation_cost", "gas_cost", gas] => {
            same_if_known(of_gas_vector(&constants.allocation.calldata, gas))
        }
        ["archival_data_gas_costs", price] => same_if_known(of_archival(&constants.archival.l2, price)),
        ["deprecated_l2_resource_gas_costs", price] => {
            same_if_known(of_archival(&constants.archival.l1, price))
        }
        ["vm_resource_fee_cost", "n_steps"] => same(constants.vm_fee.step.into()),
        ["vm_resource_fee_cost", "builtins", builtin] => {
            same(constants.vm_fee.builtin(Builtin::from_name(builtin)?).into())
        }
        ["os_resources", "execute_syscalls", syscall, cost @ ..] => {
            of_cost(constants.os.syscall(SyscallName::from_name(syscall)?), syscall, cost)
        }
        ["os_resources", "execute_txs_inner", kind, cost @ ..] => {
            of_cost(constants.os.transaction(transaction_kind(kind)?), kind, cost)
        }
        ["os_resources", "compute_os_kzg_commitment_info", resource @ ..] => {
            same_if_known(of_resources(&constants.os.kzg_per_felt, resource))
        }
        ["os_constants", "syscall_gas_costs", syscall, part @ ..] => {
            same_if_known(of_listed_price(constants, SyscallName::from_name(syscall)?, part))
        }
        ["os_constants", path @ ..] => same_if_known(of_os_constants(constants, path)),
        path => same_if_known(of_top_level(constants, path)),
    }
}

fn of_gas_vector(gas: &GasVector, name: &str) -> Option<ConstantValue> {
    let amount = match name {
        "l1_gas" => gas.l1_gas,
        "l1_data_gas" => gas.l1_data_gas,
        "l2_gas" => gas.l2_gas,
        _ => return None,
    };
    Some(amount.0.into())
}

fn of_archival(price: &ArchivalPrice, name: &str) -> Option<ConstantValue> {
    let ratio = match name {
        "gas_per_data_felt" => price.data_felt,
        "event_key_factor" => price.event_key_factor,
        "gas_per_code_byte" => price.code_byte,
        "gas_per_proof" => price.proof,
        _ => return None,
    };
    Some(ratio.into())
}

fn transaction_kind(name: &str) -> Option<TransactionKind> {
    Some(match name {
        "Declare" => TransactionKind::Declare,
        "DeployAccount" => TransactionKind::DeployAccount,
        "InvokeFunction" => TransactionKind::Invoke,
        "L1Handler" => TransactionKind::L1Handler,
        _ => return None,
    })
}

fn of_resources(resources: &VmResources, path: &[&str]) -> Option<ConstantValue> {
    let count = match path {
        ["n_steps"] => resources.steps,
        ["n_memory_holes"] => resources.memory_holes,
        ["builtin_instance_counter", builtin] => resources.builtins.get(Builtin::from_name(builtin)?),
        _ => return None,
    };
    Some(count.into())
}

/// The publication writes a cost that does not grow plainly, one that grows under `constant` and
/// `calldata_factor`, and a factor that is shared by several items under `resources` and `scaling_factor`.
fn of_cost(cost: &OsCost, owner: &str, path: &[&str]) -> Option<(String, ConstantValue)> {
    let (part, resources, resource) = match path {
        ["calldata_factor", "scaling_factor"] => {
            return Some((format!("{owner} scale"), cost.scale.get().into()));
        }
        ["calldata_factor", "resources", resource @ ..] | ["calldata_factor", resource @ ..] => {
            ("per item", &cost.per_item, resource)
        }
        ["constant", resource @ ..] | resource => ("constant", &cost.constant, resource),
    };
    Some((format!("{owner} {part} {}", resource.join(" ")), of_resources(resources, resource)?))
}

fn of_listed_price(constants: &Constants, syscall: SyscallName, path: &[&str]) -> Option<ConstantValue> {
    let listed = constants.listed_syscalls.as_ref();
    let price = listed.map(|listed| listed.get(&syscall).copied().unwrap_or_default());
    let of = |builtin| price.map(|price| price.resources.builtins.get(builtin));
    let part = match path {
        [] => price.map(|price| price.gas),
        ["step_gas_cost"] => price.map(|price| price.resources.steps),
        ["memory_hole_gas_cost"] => price.map(|price| price.resources.memory_holes),
        ["syscall_base_gas_cost"] => price.map(|price| price.base_calls),
        ["range_check"] => of(Builtin::RangeCheck),
        ["bitwise"] => of(Builtin::Bitwise),
        _ => return None,
    };
    Some(part.map_or(ConstantValue::Absent, ConstantValue::from))
}

fn of_os_constants(constants: &Constants, path: &[&str]) -> Option<ConstantValue> {
    let Constants { limits, gas, lists, .. } = constants;
    let in_steps = |amount: u64| {
        assert_eq!(amount % gas.step, 0);
        ConstantValue::from(amount / gas.step)
    };
    Some(match path {
        ["step_gas_cost"] => gas.step.into(),
        ["memory_hole_gas_cost"] => gas.memory_hole.into(),
        ["builtin_gas_costs", "ecop"] => gas.builtin(Builtin::EcOp).into(),
        ["builtin_gas_costs", builtin] => gas.builtin(Builtin::from_short_name(builtin)?).into(),
        ["syscall_base_gas_cost", "step_gas_cost"] => in_steps(gas.syscall_base),
        ["entry_point_initial_budget", "step_gas_cost"] => in_steps(gas.entry_point_initial_budget),
        ["default_initial_gas_cost", "step_gas_cost"] => in_steps(gas.default_initial_gas),
        ["execute_max_sierra_gas"] => limits.execute_max_sierra_gas.into(),
        ["validate_max_sierra_gas"] => limits.validate_max_sierra_gas.into(),
        ["l1_handler_max_amount_bounds", gas] => of_gas_vector(&limits.l1_handler_max, gas)?,
        ["validate_rounding_consts", "validate_block_number_rounding"] => limits.block_number_rounding.into(),
        ["validate_rounding_consts", "validate_timestamp_rounding"] => limits.timestamp_rounding.into(),
        ["v1_bound_accounts_max_tip"] => hexadecimal(limits.v1_bound_max_tip.0.into()),
        ["v1_bound_accounts_cairo0"] => classes(&lists.v1_bound_accounts_cairo0),
        ["v1_bound_accounts_cairo1"] => classes(&lists.v1_bound_accounts_cairo1),
        ["data_gas_accounts"] => classes(&lists.data_gas_accounts),
        ["allowed_proof_versions"] => ConstantValue::Felts(lists.proof_versions.clone()),
        ["allowed_virtual_os_program_hashes"] => {
            ConstantValue::Felts(lists.virtual_os_program_hashes.clone())
        }
        ["execute_entry_point_selector"] => selector(well_known::EXECUTE),
        ["validate_entry_point_selector"] => selector(well_known::VALIDATE),
        ["validate_declare_entry_point_selector"] => selector(well_known::VALIDATE_DECLARE),
        ["validate_deploy_entry_point_selector"] => selector(well_known::VALIDATE_DEPLOY),
        ["transfer_entry_point_selector"] => selector(well_known::TRANSFER),
        ["constructor_entry_point_selector"] => selector(well_known::CONSTRUCTOR),
        ["default_entry_point_selector"] => selector(well_known::DEFAULT),
        ["validated"] => short_string(well_known::VALID),
        ["error_out_of_gas"] => short_string(well_known::OUT_OF_GAS),
        ["error_entry_point_not_found"] => short_string(well_known::ENTRYPOINT_NOT_FOUND),
        ["error_entry_point_failed"] => short_string(well_known::ENTRYPOINT_FAILED),
        ["error_invalid_argument"] => short_string(well_known::INVALID_ARGUMENT),
        ["error_invalid_input_len"] => short_string(well_known::INVALID_INPUT_LENGTH),
        ["error_block_number_out_of_range"] => short_string(well_known::BLOCK_NUMBER_OUT_OF_RANGE),
        ["l1_gas"] => short_string(well_known::L1_GAS),
        ["l2_gas"] => short_string(well_known::L2_GAS),
        ["l1_data_gas"] => short_string(well_known::L1_DATA_GAS),
        ["os_contract_addresses", "block_hash_contract_address"] => address(well_known::BLOCK_HASH_CONTRACT),
        ["os_contract_addresses", "alias_contract_address"] => address(well_known::ALIAS_CONTRACT),
        ["stored_block_hash_buffer"] => well_known::STORED_BLOCK_HASH_BUFFER.into(),
        // Published values that this crate does not use.
        ["l1_gas_index"] => ConstantValue::Integer(0),
        ["l2_gas_index"] => ConstantValue::Integer(1),
        ["l1_data_gas_index"] => ConstantValue::Integer(2),
        ["entry_point_type_external"] => ConstantValue::Integer(0),
        ["entry_point_type_l1_handler"] => ConstantValue::Integer(1),
        ["entry_point_type_constructor"] => ConstantValue::Integer(2),
        ["l1_handler_version"] => ConstantValue::Integer(0),
        ["nop_entry_point_offset"] => ConstantValue::Integer(-1),
        ["os_contract_addresses", "reserved_contract_address"] => ConstantValue::Integer(3),
        ["sierra_array_len_bound"] => ConstantValue::Integer(1 << 32),
        _ => return None,
    })
}

fn of_top_level(constants: &Constants, path: &[&str]) -> Option<ConstantValue> {
    let Constants { limits, switches, .. } = constants;
    Some(match path {
        ["invoke_tx_max_n_steps"] => limits.execute_max_steps.into(),
        ["validate_max_n_steps"] => limits.validate_max_steps.into(),
        ["max_recursion_depth"] => limits.max_call_depth.into(),
        ["tx_event_limits", "max_data_length"] => limits.event_max_data.into(),
        ["tx_event_limits", "max_keys_length"] => limits.event_max_keys.into(),
        ["tx_event_limits", "max_n_emitted_events"] => limits.event_max_count.into(),
        ["gateway", "max_calldata_length"] => limits.gateway.max_calldata_felts.into(),
        ["gateway", "max_contract_bytecode_size"] => limits.gateway.max_bytecode_felts.into(),
        ["gateway", "max_proof_size"] => limits.gateway.max_proof_size.into(),
        ["min_sierra_version_for_sierra_gas"] => {
            let (major, minor, patch) = switches.min_sierra_version_for_gas;
            ConstantValue::Text(format!("{major}.{minor}.{patch}"))
        }
        ["enable_reverts"] => switches.reverts.into(),
        ["enable_tip"] => switches.tip.into(),
        ["comprehensive_state_diff"] => switches.comprehensive_state_diff.into(),
        ["enable_stateful_compression"] => switches.stateful_compression.into(),
        ["enable_casm_hash_migration"] => switches.casm_hash_migration.into(),
        ["block_casm_hash_v1_declares"] => switches.casm_hash_v1_declares_blocked.into(),
        ["disable_cairo0_redeclaration"] => switches.cairo0_redeclaration_disabled.into(),
        ["block_direct_execute_call"] => switches.direct_execute_blocked.into(),
        ["disable_deploy_in_validation_mode"] => switches.deploy_in_validate_disabled.into(),
        ["ignore_inner_event_resources"] => switches.inner_event_resources_ignored.into(),
        ["segment_arena_cells"] => switches.segment_arena_cells.into(),
        ["strip_vm_frames_in_sierra_gas"] => switches.vm_frames_stripped.into(),
        _ => return None,
    })
}

/// The value of a quantity that the publication does not mention under any name.
fn unmentioned(quantity: &str) -> ConstantValue {
    if quantity.starts_with("os_constants.syscall_gas_costs.") {
        ConstantValue::Absent
    } else {
        ConstantValue::Integer(quantity.ends_with(" scale").into())
    }
}

type History = Vec<(ProtocolVersion, Value)>;

fn history(changes: &Value) -> History {
    let changes = changes.as_array().unwrap().iter();
    changes.map(|change| (change[0].as_str().unwrap().parse().unwrap(), change[1].clone())).collect()
}

/// The value in force at a version.
fn at(history: &History, version: ProtocolVersion) -> &Value {
    let (_, value) =
        history.iter().rev().find(|(since, _)| *since <= version).expect("a value for every version");
    value
}

fn constants(version: ProtocolVersion) -> Arc<Constants> {
    Constants::for_version(version, VersionPolicy::Exact).unwrap()
}

fn publication() -> BTreeMap<String, History> {
    let publication: Value = serde_json::from_str(include_str!("data/published_constants.json")).unwrap();
    let versions = publication["versions"].as_array().unwrap().iter();
    let versions = versions.map(|version| version.as_str().unwrap().parse::<ProtocolVersion>().unwrap());
    assert!(versions.eq(ProtocolVersion::SUPPORTED));
    let constants = publication["constants"].as_object().unwrap();
    constants.iter().map(|(name, changes)| (name.clone(), history(changes))).collect()
}

#[test]
fn every_published_constant() {
    let publication = publication();
    assert_eq!(publication.len(), 407, "constants");
    let mut compared = 0;
    let mut wrong = Vec::new();
    for version in ProtocolVersion::SUPPORTED {
        let constants = constants(version);
        // Quantities that are mentioned at this version, under whichever name, and those that are not.
        let mut mentioned = BTreeMap::new();
        let mut silent = BTreeMap::new();
        for (name, history) in &publication {
            let (quantity, ours) =
                our_value(&constants, name).unwrap_or_else(|| panic!("unknown constant {name}"));
            compared += 1;
            match published(at(history, version), &ours) {
                ConstantValue::Absent => {
                    silent.insert(quantity, ours);
                }
                theirs => {
                    if ours != theirs {
                        wrong.push(format!("{version} {name}: ours {ours:?}, published {theirs:?}"));
                    }
                    assert_eq!(mentioned.insert(quantity, name), None, "{version} {name}: mentioned twice");
                }
            }
        }
        for (quantity, ours) in silent {
            if !mentioned.contains_key(&quantity) && ours != unmentioned(&quantity) {
                wrong.push(format!("{version} {quantity}: ours {ours:?}, not published"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} constants differ:\n{}", wrong.len(), wrong.join("\n"));
    assert_eq!(compared, 407 * 14);
    println!("{compared} values compared");
}

/// Every cost or price of ours above zero is covered by a published constant.
#[test]
fn every_cost_is_published() {
    let publication = publication();
    for version in ProtocolVersion::SUPPORTED {
        let constants = constants(version);
        let mut known = BTreeSet::new();
        known.extend(publication.keys().map(|name| our_value(&constants, name).unwrap().0));
        let check = |prefix: String, resources: &VmResources| {
            let builtins = resources.builtins.iter().map(|(builtin, _)| builtin.name());
            for builtin in builtins {
                let quantity = format!("{prefix}builtin_instance_counter {builtin}");
                assert!(known.contains(&quantity), "{version}: {quantity}");
            }
            for (count, name) in [(resources.steps, "n_steps"), (resources.memory_holes, "n_memory_holes")] {
                assert!(
                    count == 0 || known.contains(&format!("{prefix}{name}")),
                    "{version}: {prefix}{name}"
                );
            }
        };
        let transactions = TransactionKind::ALL.map(|kind| match kind {
            TransactionKind::Invoke => "InvokeFunction".to_owned(),
            kind => format!("{kind:?}"),
        });
        let costs = transactions.into_iter().zip(&constants.os.transactions);
        let syscalls = SyscallName::ALL.map(|syscall| syscall.name().to_owned());
        for (owner, cost) in costs.chain(syscalls.into_iter().zip(&constants.os.syscalls)) {
            check(format!("{owner} constant "), &cost.constant);
            check(format!("{owner} per item "), &cost.per_item);
        }
        for builtin in Builtin::ALL {
            let short = if builtin == Builtin::EcOp { "ecop" } else { builtin.short_name() };
            let gas = format!("os_constants.builtin_gas_costs.{short}");
            assert!(constants.gas.builtin(builtin) == 0 || known.contains(&gas), "{version}: {gas}");
            let fee = format!("vm_resource_fee_cost.builtins.{builtin}");
            assert!(constants.vm_fee.builtin(builtin).is_zero() || known.contains(&fee), "{version}: {fee}");
        }
        for (syscall, price) in constants.listed_syscalls.iter().flatten() {
            let prefix = format!("os_constants.syscall_gas_costs.{syscall}");
            let expected = if price.gas == 0 { format!("{prefix}.step_gas_cost") } else { prefix };
            assert!(known.contains(&expected), "{version}: {expected}");
            let priced = |(builtin, _)| matches!(builtin, Builtin::RangeCheck | Builtin::Bitwise);
            assert!(price.resources.builtins.iter().all(priced), "{version}: {syscall}");
        }
    }
}

/// The derived syscall prices, compared with a table that was computed independently of this crate.
#[test]
fn every_syscall_price() {
    let table: Value = serde_json::from_str(include_str!("data/syscall_prices.json")).unwrap();
    let table: BTreeMap<SyscallName, History> = table
        .as_object()
        .unwrap()
        .iter()
        .map(|(name, changes)| (SyscallName::from_name(name).unwrap(), history(changes)))
        .collect();
    let priced = SyscallName::ALL.into_iter().filter(|syscall| !syscall.is_cairo0_only());
    assert!(table.keys().copied().eq(priced));
    for version in ProtocolVersion::SUPPORTED {
        let constants = constants(version);
        for syscall in SyscallName::ALL {
            let price = constants.syscall_price(syscall);
            let ours = format!("[{},{}]", price.base, price.per_item);
            let theirs =
                table.get(&syscall).map_or("[0,0]".to_owned(), |history| at(history, version).to_string());
            assert_eq!(ours, theirs, "{syscall} at {version}");
        }
    }
}
