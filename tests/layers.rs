//! Imports point one way. This test reads the `use crate::` lines of every room and fails on one that points up.

use std::path::{Path, PathBuf};

/// The rooms from the ground up. A room may use those before it, never those after it.
const ROOMS: [&str; 12] = [
    "crypto",
    "parallel",
    "protocol",
    "class",
    "state",
    "syscall",
    "vm",
    "call",
    "fee",
    "transaction",
    "block",
    "replay",
];

/// What every room may use: a file, not a room.
const GROUND: &str = "sync";

/// Rooms that share a floor and must not know of each other: the engine and what a syscall means meet in `call`.
const STRANGERS: [(&str, &str); 1] = [("fee", "vm")];

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// The rooms that a line of code names after `crate::`, one or several in braces.
fn named_rooms(line: &str) -> Vec<String> {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices("crate::")
        .filter(|(at, _)| !code[..*at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
        .flat_map(|(at, found)| {
            let rest = &code[at + found.len()..];
            let list = rest.strip_prefix('{').map_or(rest, |list| list.split('}').next().unwrap_or(list));
            let names = if rest.starts_with('{') { list.split(',').collect() } else { vec![list] };
            names
                .into_iter()
                .map(|name| name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
                .collect::<Vec<String>>()
        })
        .collect()
}

fn floor(room: &str) -> Option<usize> {
    ROOMS.iter().position(|known| *known == room)
}

#[test]
fn imports_point_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut lines = 0;
    let mut wrong = Vec::new();
    for room in ROOMS {
        let own = floor(room).unwrap();
        let files = sources(&src.join(room));
        assert!(!files.is_empty(), "room {room} is empty");
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for (number, line) in text.lines().enumerate() {
                for named in named_rooms(line) {
                    lines += 1;
                    if named == GROUND {
                        continue;
                    }
                    let Some(other) = floor(&named) else {
                        wrong.push(format!("{}:{}: `{named}` is no room", file.display(), number + 1));
                        continue;
                    };
                    if other > own || STRANGERS.contains(&(room, named.as_str())) {
                        wrong.push(format!("{}:{}: {room} uses {named}", file.display(), number + 1));
                    }
                }
            }
        }
    }
    assert!(lines > 100, "only {lines} imports found: is the test still looking at the right thing?");
    assert!(wrong.is_empty(), "imports that point up:\n{}", wrong.join("\n"));
}

#[test]
fn every_room_is_on_a_floor() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for entry in std::fs::read_dir(src).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() && name != "cli" {
            assert!(floor(&name).is_some(), "src/{name} has no floor in tests/layers.rs");
        }
    }
}

/// Only the engine names the VM's types; a class may hold the program that it prepared for it.
#[test]
fn the_vm_crate_is_named_below_the_boundary_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for file in sources(&src) {
        let path = file.strip_prefix(&src).unwrap();
        let allowed = path.starts_with("vm") || path.starts_with("class");
        let text = std::fs::read_to_string(&file).unwrap();
        let named =
            text.lines().any(|line| line.contains("cairo_vm::") && !line.trim_start().starts_with("//"));
        assert!(allowed || !named, "{} names a cairo-vm type", file.display());
    }
}

#[test]
fn the_reader_of_imports_finds_them() {
    assert_eq!(named_rooms("use crate::state::{Journal, StateError};"), ["state"]);
    assert_eq!(named_rooms("use crate::{call, fee::Receipt};"), ["call", "fee"]);
    assert_eq!(
        named_rooms("    text: Some(crate::syscall::SyscallFault::TestHint.to_string()),"),
        ["syscall"]
    );
    assert_eq!(named_rooms("// use crate::block;"), Vec::<String>::new());
}
