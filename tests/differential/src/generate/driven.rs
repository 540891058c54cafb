//! Recipes that call contracts at random: ours and those of registry packages, by their ABIs.
//!
//! Input: contracts with their ABIs, random numbers. Output: drafts.

use starkiln::transaction::ExecutionFlags;
use starknet_api::core::{ClassHash, CompiledClassHash, ContractAddress, Nonce};
use starknet_api::transaction::fields::Fee;
use starknet_types_core::felt::Felt;

use super::abi::{Names, Way};
use super::accounts::{Account, AccountKind, Newcomer};
use super::at;
use super::draft::{Action, Bounds, Call, Draft, Signing, call, selector, span};
use super::initial::{BALANCE, contract, fund, variable};
use super::library::Library;
use super::random::Random;
use super::special::{Recipe, account, compiled};
use super::world::{Driven, Era, RawContract, World, short_text};
use super::{Boxed, past, raw, usual};

/// Enough for whatever is done here, in wei.
const ENOUGH: Fee = Fee(10_u128.pow(18));

/// Package classes that are not declared before the block.
const UNDECLARED: [&str; 4] = ["example_upgradable", "example_counter", "deployer", "test2_old"];

/// Package classes of accounts: which kind, and where the public key is.
const ACCOUNTS: [(&str, AccountKind, Option<&str>); 9] = [
    ("argent", AccountKind::Signed, Some("_signer")),
    ("open_zeppelin_0.8", AccountKind::Steps, Some("Account_public_key")),
    ("open_zeppelin_1.0", AccountKind::Steps, Some("Account_public_key")),
    ("example_account", AccountKind::Signed, Some("public_key")),
    ("open_zeppelin_old", AccountKind::Old, Some("Account_public_key")),
    ("account_faulty_old", AccountKind::Single, None),
    ("account_dummy_old", AccountKind::Single, None),
    ("account_long_old", AccountKind::Single, None),
    ("block_info_old", AccountKind::Single, None),
];

impl World {
    /// Adds the contracts of packages, and lists the callable contracts.
    pub(super) fn add_packages(&mut self, library: &Library, era: Era, random: &mut Random) {
        for &(place, name) in &self.ours {
            let (class_hash, abi) = (self.class_hashes[name], library.abis[name].clone());
            self.driven.push(Driven { address: place.into(), class_hash, abi });
        }
        let wanted = library.packages.iter().filter(|class| era == Era::Past || !class.is_cairo0());
        let wanted: Vec<_> = wanted.enumerate().collect();
        let mut state = std::mem::take(&mut self.file.state);
        for &(number, class) in &wanted {
            if UNDECLARED.contains(&class.name) {
                self.package_undeclared.push(class.class_hash);
                continue;
            }
            let compiled = match (class.is_cairo0(), number % 2) {
                (true, _) => CompiledClassHash::default(),
                (false, kind) => compiled(self, class.class_hash)[kind],
            };
            state.declared.insert(class.class_hash, compiled);
            let address = ContractAddress::from(0x9ac_0000 + number as u128);
            contract(&mut state, address).class_hash = class.class_hash;
            self.driven.push(Driven {
                address: address.into(),
                class_hash: class.class_hash,
                abi: class.abi.clone(),
            });
            for token in [at::STRK, at::ETH] {
                fund(&mut state, token, address, BALANCE);
            }
            if let Some((_, kind, key)) = ACCOUNTS.iter().find(|(name, ..)| *name == class.name) {
                let private_key = random.felt();
                let public_key = starknet_crypto::get_public_key(&private_key);
                let entry = contract(&mut state, address);
                entry.nonce = Nonce(Felt::from(random.below(2)));
                entry.storage.extend(key.map(|name| (variable(name), public_key)));
                self.package_accounts.push(Account { kind: *kind, address, private_key });
                let arguments = match class.name {
                    // A Starknet signer; no guardian.
                    "argent" => vec![Felt::ZERO, public_key, Felt::ONE],
                    "account_dummy_old" => vec![],
                    "account_faulty_old" | "block_info_old" => vec![Felt::from(random.below(2))],
                    "account_long_old" => vec![Felt::from(random.below(2)), Felt::from(random.below(2))],
                    _ => vec![public_key],
                };
                for salt in 0..2_u64 {
                    let (class_hash, salt) = (class.class_hash, Felt::from(salt));
                    let newcomer = Newcomer { class_hash, salt, private_key, arguments: arguments.clone() };
                    for token in [at::STRK, at::ETH] {
                        fund(&mut state, token, newcomer.address(), BALANCE);
                    }
                    self.package_newcomers.push(newcomer);
                }
            } else if class.name.contains("erc20") || ["strk", "eth"].contains(&class.name) {
                let token = u128::try_from(Felt::from(address)).expect("it is small");
                for account in &self.accounts {
                    fund(&mut state, token, account.address, BALANCE);
                }
            }
        }
        for (number, class) in library.raw.iter().enumerate() {
            let address = ContractAddress::from(0x4a3_0000 + number as u128);
            state.declared.insert(class.class_hash, compiled(self, class.class_hash)[1]);
            contract(&mut state, address).class_hash = class.class_hash;
            let abi = class.changed.map(|name| library.abis[name].clone());
            self.raw.push(RawContract { address: address.into(), abi });
        }
        // The fee token may be any contract that stores balances at the usual keys.
        let tokens =
            ["strk", "erc20", "erc20_old"].map(|name| wanted.iter().find(|(_, class)| class.name == name));
        if let (true, Some((_, class))) = (random.once_in(3), *random.pick(&tokens)) {
            contract(&mut state, ContractAddress::from(at::STRK)).class_hash = class.class_hash;
        }
        self.names = Names {
            addresses: state
                .contracts
                .keys()
                .map(|address| *address.0.key())
                .chain([Felt::from(0xdead)])
                .collect(),
            classes: self
                .file
                .classes
                .keys()
                .map(|class_hash| class_hash.0)
                .chain([Felt::from(0xdead)])
                .collect(),
            selectors: self
                .driven
                .iter()
                .flat_map(|driven| driven.abi.entry_points.iter().map(|entry_point| entry_point.selector()))
                .chain([selector("nothing_like_it")])
                .collect(),
        };
        self.file.state = state;
    }
}

/// A recipe with a weight: its name, its number of entries, its function.
type Several<T> = (&'static str, usize, fn(&World, &mut Random) -> T);

/// The recipes; most of them several times, so that they are drawn more often.
pub fn recipes(era: Era) -> Vec<(String, Boxed)> {
    let mut all: Vec<(String, Boxed)> = Vec::new();
    let calls: [Several<Vec<Call>>; 4] = [
        ("call", 30, |world, random| some_calls(world, random)),
        ("library call", 8, library_call),
        ("nested call", 8, nested_call),
        ("deployment", 6, deployment),
    ];
    for (name, times, recipe) in calls {
        for number in 1..=times {
            let boxed: Boxed = match era {
                Era::Modern => Box::new(move |world, random| usual(world, random, recipe)),
                Era::Past => past::usual(recipe),
            };
            all.push((format!("driven: {name}, {number}"), boxed));
        }
    }
    let raw: [Several<Draft>; 2] = [
        ("call", 24, |world, random| {
            let calls = vec![raw_call(world, random)];
            raw_draft(world, random, calls)
        }),
        ("nested call", 6, |world, random| {
            let calls = nested_raw_call(world, random);
            raw_draft(world, random, calls)
        }),
    ];
    for (name, times, recipe) in raw {
        all.extend((1..=times).map(|number| (format!("raw: {name}, {number}"), Box::new(recipe) as Boxed)));
    }
    for &(name, recipe) in WHOLE {
        for number in 1..=3 {
            all.push((format!("driven: {name}, {number}"), Box::new(recipe)));
        }
    }
    all
}

/// A contract that can be called this way, with a selector and calldata.
fn target(world: &World, random: &mut Random, way: Way) -> (Driven, Felt, Vec<Felt>) {
    let fitting: Vec<_> = world.driven.iter().filter(|driven| !driven.abi.called(way).is_empty()).collect();
    let driven = (*random.pick(&fitting)).clone();
    let entry_point = (*random.pick(&driven.abi.called(way))).clone();
    let calldata = driven.abi.calldata(&entry_point, &world.names, random);
    (driven, entry_point.selector(), calldata)
}

fn some_call(world: &World, random: &mut Random) -> Call {
    let (driven, selector, calldata) = target(world, random, Way::External);
    Call { to: driven.address, selector, calldata }
}

fn some_calls(world: &World, random: &mut Random) -> Vec<Call> {
    let count = if random.once_in(3) { random.between(2, 4) } else { 1 };
    (0..count).map(|_| some_call(world, random)).collect()
}

fn library_call(world: &World, random: &mut Random) -> Vec<Call> {
    let (driven, selector, calldata) = target(world, random, Way::External);
    let calldata = [vec![driven.class_hash.0, selector], span(&calldata)].concat();
    let (to, name) = *random.pick(&[
        (at::SYSCALLS, "library_call"),
        (at::CALLER, "library_call_and_catch"),
        (at::CALLER_STEPS, "library_call_and_catch"),
    ]);
    vec![call(to, name, calldata)]
}

fn nested_call(world: &World, random: &mut Random) -> Vec<Call> {
    let Call { to, selector, calldata } = some_call(world, random);
    let calldata = [vec![to, selector], span(&calldata)].concat();
    let caller = *random.pick(&[at::CALLER, at::CALLER, at::CALLER_STEPS]);
    let name = *random.pick(&["call", "call_and_catch", "call_twice", "call_twice_and_catch", "noisy_call"]);
    vec![call(caller, name, calldata)]
}

/// A call of a class that no compiler would make. What its syscalls may need comes first in its calldata.
fn raw_call(world: &World, random: &mut Random) -> Call {
    let raw = random.pick(&world.raw).clone();
    if let Some(abi) = raw.abi {
        let entry_point = (*random.pick(&abi.called(Way::External))).clone();
        let calldata = abi.calldata(&entry_point, &world.names, random);
        return Call { to: raw.address, selector: entry_point.selector(), calldata };
    }
    let Call { to, selector: inner, calldata } = some_call(world, random);
    let class_hash = *random.pick(&world.names.classes);
    let head = [to, class_hash, inner, random.felt()].into_iter().chain(calldata);
    let calldata = head.take(if random.once_in(8) { 1 } else { 8 }).collect();
    Call { to: raw.address, selector: selector(&raw::entry_point(random.below(raw::ENTRY_POINTS))), calldata }
}

/// Calls that may never end, for so little gas that they soon do.
fn raw_draft(world: &World, random: &mut Random, calls: Vec<Call>) -> Draft {
    let kind =
        *random.pick(&[AccountKind::Signed, AccountKind::Signed, AccountKind::Open, AccountKind::Steps]);
    let bounds = if random.once_in(8) {
        Bounds::L1 { amount: random.between(1000, 4000), price: 200 }
    } else {
        Bounds::All { l1: 100_000, data: 40_000, l2: random.between(8, 20) * 1_000_000, price: 200 }
    };
    Draft::new(Action::Invoke(calls), account(world, random, kind)).bounds(bounds)
}

fn nested_raw_call(world: &World, random: &mut Random) -> Vec<Call> {
    let Call { to, selector, calldata } = raw_call(world, random);
    let calldata = [vec![to, selector], span(&calldata)].concat();
    let name = *random.pick(&["call", "call_and_catch", "call_twice_and_catch"]);
    vec![call(at::CALLER, name, calldata)]
}

fn deployment(world: &World, random: &mut Random) -> Vec<Call> {
    let driven = random.pick(&world.driven).clone();
    let constructor = driven.abi.called(Way::Constructor).first().map(|constructor| (*constructor).clone());
    let arguments = match constructor {
        Some(constructor) => driven.abi.calldata(&constructor, &world.names, random),
        None => random.felts(1).into_iter().filter(|_| random.once_in(4)).collect(),
    };
    let head = [driven.class_hash.0, Felt::from(random.below(3))];
    let calldata = [head.to_vec(), span(&arguments), vec![Felt::from(random.below(2))]].concat();
    vec![call(at::SYSCALLS, "deploy", calldata)]
}

/// The signature of a package's account, or commands for accounts that do not check one.
fn signing(account: &Account, random: &mut Random) -> Signing {
    match account.kind {
        AccountKind::Single => {
            let orders = [random.below(7).into(), random.felt(), random.felt()];
            Signing::Felts(orders[..random.below(4) as usize].to_vec())
        }
        _ if random.once_in(12) => Signing::WrongKey,
        _ if random.once_in(12) => Signing::Felts(random.felts(5)),
        _ => Signing::Right,
    }
}

fn by_account(world: &World, random: &mut Random, calls: Vec<Call>) -> Draft {
    let account = random.pick(&world.package_accounts).clone();
    let action = if random.once_in(3) { Action::InvokeV1(calls, ENOUGH) } else { Action::Invoke(calls) };
    let bounds = if random.once_in(3) { Bounds::ENOUGH_L1 } else { Bounds::ENOUGH };
    Draft::new(action, &account).signing(signing(&account, random)).bounds(bounds)
}

/// Whole transactions.
const WHOLE: &[Recipe] = &[
    ("account", |world, random| {
        let calls = some_calls(world, random);
        by_account(world, random, calls)
    }),
    ("account, plain call", |world, random| {
        let calls = vec![call(at::NFT, "mint", vec![])];
        by_account(world, random, calls)
    }),
    ("account, transfer", |world, random| {
        let to = *random.pick(&world.names.addresses);
        let calls = vec![call(at::STRK, "transfer", vec![to, Felt::from(random.below(1 << 40)), Felt::ZERO])];
        by_account(world, random, calls)
    }),
    ("new account", |world, random| {
        let newcomer = random.pick(&world.package_newcomers).clone();
        let account = Account {
            kind: AccountKind::Signed,
            address: newcomer.address(),
            private_key: newcomer.private_key,
        };
        let is_single = world.package_accounts.iter().any(|account| {
            account.private_key == newcomer.private_key && account.kind == AccountKind::Single
        });
        let account = if is_single { Account { kind: AccountKind::Single, ..account } } else { account };
        let signing = signing(&account, random);
        let action = if random.once_in(2) {
            Action::DeployAccountV1(newcomer, ENOUGH)
        } else {
            Action::DeployAccount(newcomer)
        };
        Draft::new(action, &world.poor).signing(signing)
    }),
    ("declaration", |world, random| {
        let class_hash: ClassHash = *random.pick(&world.package_undeclared);
        let account = random.pick(&world.package_accounts).clone();
        let is_cairo1 = world.classes[&class_hash].ours.class.is_cairo1();
        let action = match (is_cairo1, random.below(3)) {
            (true, 0) => Action::DeclareV2(class_hash, compiled(world, class_hash)[0], ENOUGH),
            (true, kind) => Action::Declare(class_hash, compiled(world, class_hash)[kind as usize - 1]),
            (false, 0) => Action::DeclareV0(class_hash, Fee(0)),
            (false, _) => Action::DeclareV1(class_hash, ENOUGH),
        };
        Draft::new(action, &account).signing(signing(&account, random))
    }),
    ("message", |world, random| {
        let (driven, selector, mut calldata) = target(world, random, Way::L1Handler);
        if random.once_in(2) {
            calldata.insert(0, Felt::from(random.number()));
        }
        let paid = Fee(u128::from(random.below(1 << 40)));
        Draft::new(Action::L1Handler(driven.address, selector, calldata, paid), &world.poor)
    }),
    ("version 0", |world, random| {
        let call = some_call(world, random);
        let flags = ExecutionFlags { charge_fee: false, query: random.once_in(8), ..Default::default() };
        Draft::new(Action::InvokeV0(call, Fee(0)), &world.poor).flags(flags)
    }),
    ("calls by version 1", |world, random| {
        let calls = some_calls(world, random);
        let account = random.pick(&world.accounts[..10]).clone();
        Draft::new(Action::InvokeV1(calls, ENOUGH), &account)
    }),
    ("constructor as a function", |world, random| {
        let (driven, selector, calldata) = target(world, random, Way::Constructor);
        let calls = vec![Call { to: driven.address, selector, calldata }];
        by_account(world, random, calls)
    }),
    ("calldata that are none", |world, random| {
        let (driven, selector, _) = target(world, random, Way::External);
        let mut calldata = random.felts(6);
        calldata.push(short_text("END"));
        by_account(world, random, vec![Call { to: driven.address, selector, calldata }])
    }),
];
