//! The pages of the repository: every path exists, and the lists of files that a change touches are exact.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

const README: &str = include_str!("../README.md");
const CONTRIBUTING: &str = include_str!("../.github/CONTRIBUTING.md");

/// Columns of a line of a page.
const WIDTH: usize = 132;

/// The folders whose files a page names by path.
const FOLDERS: [&str; 7] = ["src/", "tests/", "benches/", "resources/", ".ci/", ".github/", "README.md"];

/// A list of `CONTRIBUTING.md`, and the words by which the files of its example are found.
struct Example {
    heading: &'static str,
    words: &'static [&'static str],
    folders: &'static [&'static str],
}

const EXAMPLES: [Example; 8] = [
    Example {
        heading: "A syscall",
        words: &["Sha512", "sha512"],
        folders: &["src", "tests", "benches", "resources/protocol", "resources/contracts"],
    },
    Example {
        heading: "A Starknet version",
        words: &["V0_14_3", "0.14.3"],
        folders: &["src", "resources/protocol", "tests/data"],
    },
    Example {
        heading: "A switch",
        words: &["vm_frames_stripped"],
        folders: &["src", "tests", "resources/protocol"],
    },
    Example {
        heading: "A version of a transaction kind",
        words: &["InvokeTransaction::V3", "DeclareTransaction::V3", "DeployAccountTransaction::V3"],
        folders: &["src"],
    },
    Example {
        heading: "A transaction kind",
        words: &[
            "TransactionKind::DeployAccount",
            "TransactionBody::DeployAccount",
            "FileTransactionBody::DeployAccount",
            "Self::DeployAccount",
            "deploy_account",
        ],
        folders: &["src"],
    },
    Example {
        heading: "A kind of state cell",
        words: &["StateKey::Nonce", "Self::Nonce(", "cell::Nonce", "nonces"],
        folders: &["src/state", "src/block"],
    },
    Example { heading: "A Cairo 1 hint", words: &["WideMul128"], folders: &["src"] },
    Example { heading: "A Cairo 0 hint", words: &["hint_code::UNSIGNED_DIV_REM"], folders: &["src"] },
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The files below a folder, as paths from the repository's root.
fn files(folder: &str) -> Vec<String> {
    fn read(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if !path.is_dir() {
                found.push(path);
            } else if path.file_name().is_none_or(|name| name != "target") {
                read(&path, found);
            }
        }
    }
    let mut found = Vec::new();
    read(&root().join(folder), &mut found);
    found.into_iter().map(|path| path.strip_prefix(root()).unwrap().display().to_string()).collect()
}

/// The path and the text of a file; of a source file of the crate, its code without comments and unit tests.
fn content(file: &str) -> String {
    let text = std::fs::read_to_string(root().join(file)).unwrap_or_default();
    let code = if file.starts_with("src/") {
        let code = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        code.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
    } else {
        text
    };
    format!("{file}\n{code}")
}

/// The text between single backquotes.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('`').skip(1).step_by(2)
}

/// The section of a heading of the third level.
fn section(heading: &str) -> &'static str {
    let start = format!("### {heading}\n");
    let text = CONTRIBUTING.split(start.as_str()).nth(1).unwrap_or_else(|| panic!("no section: {heading}"));
    text.split("\n### ").next().unwrap()
}

#[test]
fn every_path_exists() {
    let mut missing = Vec::new();
    for (page, text) in [("README.md", README), ("CONTRIBUTING.md", CONTRIBUTING)] {
        let prose = text.split("```").step_by(2);
        for path in
            prose.flat_map(quoted).filter(|path| FOLDERS.iter().any(|folder| path.starts_with(folder)))
        {
            if !root().join(path).exists() {
                missing.push(format!("{page}: {path}"));
            }
        }
    }
    assert!(missing.is_empty(), "{}", missing.join("\n"));
}

#[test]
fn the_lists_of_files_are_exact() {
    let mut wrong = Vec::new();
    for Example { heading, words, folders } in EXAMPLES {
        let items = section(heading).lines().filter_map(|line| line.strip_prefix("* "));
        let paths = items.flat_map(|item| quoted(item.split(": ").next().unwrap()));
        let listed: BTreeSet<String> = paths.map(str::to_owned).collect();
        let found: BTreeSet<String> = folders
            .iter()
            .flat_map(|folder| files(folder))
            .filter(|file| file != "tests/documentation.rs")
            .filter(|file| {
                let content = content(file);
                words.iter().any(|word| content.contains(word))
            })
            .collect();
        wrong.extend(
            listed.difference(&found).map(|file| format!("{heading}: {file} is listed, and need not change")),
        );
        wrong.extend(found.difference(&listed).map(|file| format!("{heading}: {file} is not listed")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The lines of an `impl` in an example, from the first one to the closing brace.
fn implementation<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let from_start = lines.skip_while(|line| *line != "impl StateReader for Database {");
    from_start.take_while(|line| *line != "}").collect()
}

#[test]
fn the_readme_and_the_crate_show_the_same_reader() {
    let library = include_str!("../src/lib.rs").lines().filter_map(|line| line.strip_prefix("//! "));
    let shown = implementation(README.lines());
    assert!(shown.len() > 10, "{shown:?}");
    assert_eq!(shown, implementation(library));
}

#[test]
fn no_line_of_a_page_is_too_wide() {
    for (page, text) in [("README.md", README), ("CONTRIBUTING.md", CONTRIBUTING)] {
        let wide: Vec<&str> = text.lines().filter(|line| line.chars().count() > WIDTH).collect();
        assert!(wide.is_empty(), "{page}:\n{}", wide.join("\n"));
    }
}
