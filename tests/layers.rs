//! Imports point one way: between the modules of `src` downwards only, and inside a module in no cycle that
//! is not listed.
//!
//! Both tests read the source as text, so that an import through a re-export counts for the file that defines
//! the item.

mod imports;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use self::imports::{Imports, cycles, named_modules};

/// The modules from the bottom up. A module may import those before it, never those after it.
const LAYERS: [&str; 12] = [
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

/// Single files that every module may import.
const BASE: [&str; 2] = ["panic", "sync"];

/// Modules that must not import each other although their order would allow it.
const UNRELATED: [(&str, &str); 1] = [("fee", "vm")];

/// The import cycles inside modules, one a line: the module, then its files. The list may only shrink.
const CYCLES: &str = include_str!("layers/cycles.txt");

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The Rust files below a folder, in order.
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
    files.sort();
    files
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|known| *known == module)
}

#[test]
fn imports_point_down() {
    let mut lines = 0;
    let mut wrong = Vec::new();
    for module in LAYERS {
        let own = layer(module).unwrap();
        let files = sources(&src().join(module));
        assert!(!files.is_empty(), "module {module} has no files");
        for file in files {
            let text = std::fs::read_to_string(&file).unwrap();
            for (number, line) in text.lines().enumerate() {
                for named in named_modules(line) {
                    lines += 1;
                    if BASE.contains(&named.as_str()) {
                        continue;
                    }
                    let place = format!("{}:{}", file.display(), number + 1);
                    let Some(other) = layer(&named) else {
                        wrong.push(format!("{place}: `{named}` is not a module with a layer"));
                        continue;
                    };
                    if other > own || UNRELATED.contains(&(module, named.as_str())) {
                        wrong.push(format!("{place}: {module} imports {named}"));
                    }
                }
            }
        }
    }
    assert!(lines > 100, "only {lines} imports found: the test no longer reads the right files");
    assert!(wrong.is_empty(), "imports that point up:\n{}", wrong.join("\n"));
}

#[test]
fn every_module_has_a_layer() {
    for entry in std::fs::read_dir(src()).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() && !["cli", "documentation"].contains(&name.as_str()) {
            assert!(layer(&name).is_some(), "src/{name} has no layer in tests/layers.rs");
        }
    }
}

#[test]
fn import_cycles_inside_modules_only_shrink() {
    let listed: BTreeSet<String> = CYCLES.lines().map(str::to_owned).collect();
    let mut found = BTreeSet::new();
    let mut imports = 0;
    for module in LAYERS {
        let graph = Imports::of_module(&src(), module);
        imports += graph.values().map(BTreeSet::len).sum::<usize>();
        found.extend(cycles(&graph).into_iter().map(|files| format!("{module}: {}", files.join(" "))));
    }
    assert!(imports > 300, "only {imports} imports found: the test no longer reads the right files");
    let new: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(
        new.is_empty() && gone.is_empty(),
        "import cycles differ from tests/layers/cycles.txt, which may only shrink.\nnew or larger:\n{new:#?}\ngone:\n{gone:#?}"
    );
}

/// Only `vm` names the types of cairo-vm; a class may hold the program that it prepared.
#[test]
fn cairo_vm_is_named_in_vm_and_class_only() {
    for file in sources(&src()) {
        let path = file.strip_prefix(src()).unwrap();
        let allowed = path.starts_with("vm") || path.starts_with("class");
        let text = std::fs::read_to_string(&file).unwrap();
        let named =
            text.lines().any(|line| line.contains("cairo_vm::") && !line.trim_start().starts_with("//"));
        assert!(allowed || !named, "{} names a type of cairo-vm", file.display());
    }
}
