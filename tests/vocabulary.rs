//! The vocabulary: words that are retired appear nowhere in `src`, `tests`, `benches` and the pages.
//!
//! The list is `tests/data/retired_words.txt`. An identifier counts as its words: `JudgeFrame` and `judge_frame` both hold "judge".

use std::path::{Path, PathBuf};

const RETIRED: &str = include_str!("data/retired_words.txt");

/// Folders and files that the check reads, from the repository's root.
const READ: [&str; 5] = ["src", "tests", "benches", "README.md", ".github"];

/// Extensions of what a person reads.
const EXTENSIONS: [&str; 4] = ["rs", "md", "toml", "sh"];

/// The entries of the list: a phrase and the term that stands for it.
fn retired() -> Vec<(String, &'static str)> {
    let entries = RETIRED.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    entries
        .map(|line| {
            let (phrase, term) = line.split_once(" -> ").expect("`word -> term`");
            (format!(" {phrase} "), term)
        })
        .collect()
}

/// A line as lower-case words between single spaces.
fn words(line: &str) -> String {
    let mut words = String::from(" ");
    let mut previous = ' ';
    for c in line.chars() {
        let starts_word = previous.is_lowercase() && c.is_uppercase();
        if (starts_word || !c.is_alphanumeric()) && !words.ends_with(' ') {
            words.push(' ');
        }
        if c.is_alphanumeric() {
            words.extend(c.to_lowercase());
        }
        previous = c;
    }
    if !words.ends_with(' ') {
        words.push(' ');
    }
    words
}

fn files(path: &Path, found: &mut Vec<PathBuf>) {
    if path.is_dir() {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.file_name().is_none_or(|name| name != "target") {
                files(&path, found);
            }
        }
    } else if path.extension().is_some_and(|extension| EXTENSIONS.iter().any(|known| extension == *known)) {
        found.push(path.to_owned());
    }
}

#[test]
fn retired_words_are_gone() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let retired = retired();
    let mut read = Vec::new();
    READ.iter().for_each(|part| files(&root.join(part), &mut read));
    assert!(read.len() > 300, "only {} files: the check no longer reads the tree", read.len());
    let mut hits = Vec::new();
    for path in read {
        let text = std::fs::read_to_string(&path).unwrap();
        for (number, line) in text.lines().enumerate() {
            let words = words(line);
            for (phrase, term) in retired.iter().filter(|(phrase, _)| words.contains(phrase.as_str())) {
                let place = path.strip_prefix(root).unwrap().display();
                hits.push(format!("{place}:{}: \"{}\", write: {term}", number + 1, phrase.trim()));
            }
        }
    }
    assert!(hits.is_empty(), "{} retired words:\n{}", hits.len(), hits.join("\n"));
}

#[test]
fn identifiers_are_read_as_their_words() {
    assert_eq!(words("    let x = VmCell::held_back(3); // Or."), " let x vm cell held back 3 or ");
    assert!(retired().iter().any(|(phrase, _)| words("JudgeFrame").contains(phrase.as_str())));
}
