//! The rules of behaviour, C1 to C250 (`resources/rules.md`), and the table of the tests that guard them
//! (`table.md`).
//!
//! Every block that these tests execute can be compared with blockifier:
//!
//! ```sh
//! mkdir -p target/rule-blocks
//! STARKILN_RULE_BLOCKS=$PWD/target/rule-blocks cargo test --release --test main rules::
//! cargo run --release --manifest-path tests/differential/Cargo.toml -- block target/rule-blocks/*.json
//! ```

mod fees;
mod flow;
mod frames;
mod l1_handlers;
mod limits;
mod reasons;
mod reverts;
mod states;
mod syscalls;
mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

const TABLE: &str = include_str!("table.md");

/// The text that ships with the crate as the module `starkiln::rules`.
const TEXT: &str = include_str!("../../resources/rules.md");

/// The number of rules.
const RULES: u32 = 250;

/// The lines of the table: number, title, guards.
fn rows() -> Vec<(u32, String, String)> {
    TABLE
        .lines()
        .filter_map(|line| line.strip_prefix("| C"))
        .map(|line| {
            // No title contains a vertical bar.
            let cells: Vec<&str> = line.trim_end_matches('|').split(" | ").map(str::trim).collect();
            let [number, title, guards] = cells[..] else { panic!("not three cells: {line}") };
            (number.parse().unwrap(), title.to_owned(), guards.to_owned())
        })
        .collect()
}

/// The rules of the text: number and title. A rule begins `<a id="c1"></a>**C1** *The title.*`.
fn rules() -> Vec<(u32, String)> {
    TEXT.lines()
        .filter_map(|line| line.strip_prefix("<a id=\"c"))
        .map(|line| {
            let (anchor, rule) = line.split_once("\"></a>**C").expect(line);
            let (number, rule) = rule.split_once("** *").expect(line);
            let (title, _) = rule.split_once(".*").expect(line);
            assert_eq!(anchor, number, "the anchor of another rule: {line}");
            (number.parse().expect(line), title.to_owned())
        })
        .collect()
}

fn source(file: &str) -> Option<String> {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).ok()
}

/// The faults of a cell of guards.
fn faults(guards: &str) -> Vec<String> {
    if let Some(reason) = guards.strip_prefix("none:") {
        return if reason.trim().len() < 20 { vec!["no reason".to_owned()] } else { vec![] };
    }
    let mut wrong = Vec::new();
    for guard in guards.split(", ") {
        let guard = guard.trim_matches('`');
        // A recipe of the random blocks: `recipe: NAME`, in addition to tests, never instead of them.
        if let Some(recipe) = guard.strip_prefix("recipe: ") {
            if !recipes().contains(recipe) {
                wrong.push(format!("no recipe `{recipe}`"));
            }
            continue;
        }
        let Some((file, name)) = guard.split_once("::") else {
            wrong.push(format!("`{guard}` is no `file::test`"));
            continue;
        };
        match source(file) {
            None => wrong.push(format!("no file `{file}`")),
            Some(text) if !text.contains(&format!("fn {name}(")) => {
                wrong.push(format!("no test `{name}` in {file}"))
            }
            Some(_) => {}
        }
    }
    if guards.split(", ").all(|guard| guard.trim_matches('`').starts_with("recipe: ")) {
        wrong.push("no test".to_owned());
    }
    wrong
}

/// The text of every file below a folder of the repository, by path.
fn texts(folder: &str) -> BTreeMap<PathBuf, String> {
    fn read(folder: &Path, found: &mut BTreeMap<PathBuf, String>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                read(&path, found);
            } else if let Ok(text) = std::fs::read_to_string(&path) {
                found.insert(path, text);
            }
        }
    }
    let mut found = BTreeMap::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut found);
    found
}

/// The strings that begin an entry of a list of recipes.
fn recipes() -> BTreeSet<String> {
    texts("tests/differential/src")
        .values()
        .flat_map(|text| {
            text.match_indices("(\"")
                .filter_map(|(at, _)| text[at + 2..].split('"').next().map(str::to_owned))
        })
        .collect()
}

#[test]
fn every_rule_has_a_test_or_a_reason() {
    let rows = rows();
    let numbers: Vec<u32> = rows.iter().map(|(number, ..)| *number).collect();
    assert_eq!(numbers, (1..=RULES).collect::<Vec<_>>(), "a rule is missing, duplicate or out of order");
    let mut wrong = Vec::new();
    let mut kinds: BTreeMap<&str, u32> = BTreeMap::new();
    for (number, title, guards) in &rows {
        if title.is_empty() {
            wrong.push(format!("C{number}: no title"));
        }
        wrong.extend(faults(guards).into_iter().map(|fault| format!("C{number}: {fault}")));
        let kind = match guards.split_once(':') {
            Some(("none", _)) => "with a reason",
            _ => "with tests",
        };
        *kinds.entry(kind).or_default() += 1;
        if kind != "with tests" {
            println!("C{number}: {guards}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("{RULES} rules: {kinds:?}");
}

#[test]
fn the_table_and_the_text_have_the_same_rules() {
    let table: Vec<(u32, String)> = rows().into_iter().map(|(number, title, _)| (number, title)).collect();
    assert_eq!(rules(), table);
    for (number, title) in table {
        assert_eq!(TEXT.matches(&format!("<a id=\"c{number}\"></a>")).count(), 1, "C{number}: {title}");
    }
}

#[test]
fn every_link_to_a_rule_names_an_existing_rule() {
    let mut links = 0;
    let mut wrong = Vec::new();
    let mut texts = texts("src");
    texts.insert("resources/rules.md".into(), TEXT.to_owned());
    for (path, text) in &texts {
        for target in ["](crate::rules#", "](#"] {
            for (at, _) in text.match_indices(target) {
                let label = text[..at].rsplit('[').next().unwrap();
                let anchor = text[at + target.len()..].split(')').next().unwrap();
                let number = anchor.strip_prefix('c').and_then(|digits| digits.parse::<u32>().ok());
                // An anchor of the same page need not be a rule.
                if target == "](#" && number.is_none() {
                    continue;
                }
                links += 1;
                let exists = number.is_some_and(|number| (1..=RULES).contains(&number));
                if !exists || !label.eq_ignore_ascii_case(anchor) {
                    wrong.push(format!("{}: [{label}]{}{anchor})", path.display(), &target[1..]));
                }
            }
        }
    }
    assert!(links > 0, "no link was found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The rules that a test's name begins with: `c70_c243_...`, `c174_to_c187_...`.
fn named_rules(name: &str) -> Vec<u32> {
    let parts: Vec<&str> = name.split('_').collect();
    let number = |part: &str| part.strip_prefix('c').and_then(|digits| digits.parse::<u32>().ok());
    if let [first, "to", last, ..] = parts[..]
        && let (Some(first), Some(last)) = (number(first), number(last))
    {
        return (first..=last).collect();
    }
    parts.iter().map_while(|part| number(part)).collect()
}

#[test]
fn every_test_that_is_named_after_a_rule_stands_in_its_line() {
    let guards: BTreeMap<u32, String> =
        rows().into_iter().map(|(number, _, guards)| (number, guards)).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/rules");
    let mut named = 0;
    let mut wrong = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let is_chapter = path.extension().is_some_and(|extension| extension == "rs");
        if !is_chapter || path.ends_with("mod.rs") {
            continue;
        }
        let file = format!("tests/rules/{}", path.file_name().unwrap().to_str().unwrap());
        let text = std::fs::read_to_string(&path).unwrap();
        for name in text.split("#[test]\nfn ").skip(1).map(|rest| rest.split('(').next().unwrap()) {
            let rules = named_rules(name);
            assert!(!rules.is_empty(), "{file}: `{name}` names no rule");
            named += rules.len();
            wrong.extend(
                rules
                    .into_iter()
                    .filter(|rule| !guards[rule].contains(&format!("`{file}::{name}`")))
                    .map(|rule| format!("C{rule}: {file}::{name}")),
            );
        }
    }
    assert!(named > 150, "only {named}");
    assert!(wrong.is_empty(), "not in the table:\n{}", wrong.join("\n"));
}

#[test]
fn the_table_is_read_strictly() {
    assert_eq!(faults("`tests/rules/mod.rs::the_table_is_read_strictly`"), [""; 0]);
    assert_eq!(faults("`tests/rules/mod.rs::no_such_test`").len(), 1);
    assert_eq!(faults("`tests/no_such_file.rs::a`").len(), 1);
    assert_eq!(faults("`no_such_form`").len(), 1);
    assert_eq!(faults("").len(), 1);
    assert_eq!(faults("none: ").len(), 1);
    assert_eq!(faults("issue five: something").len(), 1);
    assert_eq!(faults("issue 5: something").len(), 1);
    assert_eq!(faults("none: a reason that is long enough"), [""; 0]);
    assert_eq!(faults("`tests/rules/mod.rs::the_table_is_read_strictly`, `recipe: noisy_call`"), [""; 0]);
    assert_eq!(faults("`recipe: noisy_call`"), ["no test"]);
    assert_eq!(faults("`tests/rules/mod.rs::the_table_is_read_strictly`, `recipe: no such recipe`").len(), 1);
    assert_eq!(named_rules("c70_c243_a_constructor"), [70, 243]);
    assert_eq!(named_rules("c174_to_c177_texts"), [174, 175, 176, 177]);
}
