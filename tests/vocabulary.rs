//! The language of comments and names: retired words, the first word of a doc, the width of comments.
//!
//! The list of retired words is `tests/data/retired_words.txt`. An identifier counts as its words: `VmCell`
//! and `vm_cell` both hold "cell".

use std::path::{Path, PathBuf};

const RETIRED: &str = include_str!("data/retired_words.txt");

/// Folders and files that the check reads, from the repository's root.
const READ: [&str; 5] = ["src", "tests", "benches", "README.md", ".github"];

/// Extensions of what a person reads.
const EXTENSIONS: [&str; 4] = ["rs", "md", "toml", "sh"];

/// Words that do not begin a doc comment: a noun phrase or a verb in the third person does.
const NOT_FIRST: [&str; 10] =
    ["What", "Whether", "Who", "Whose", "Which", "Why", "How", "It", "Its", "Where"];

/// Columns of a comment line, as `max_width` in `.rustfmt.toml` for code.
const WIDTH: usize = 110;

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

/// Calls `check` with each line of the files, the line before it, and its place.
fn for_each_line(parts: &[&str], mut check: impl FnMut(&str, &str, &str)) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut read = Vec::new();
    parts.iter().for_each(|part| files(&root.join(part), &mut read));
    assert!(read.len() > 200, "only {} files: the check no longer reads the tree", read.len());
    for path in read {
        let text = std::fs::read_to_string(&path).unwrap();
        let mut previous = "";
        for (number, line) in text.lines().enumerate() {
            let place = format!("{}:{}", path.strip_prefix(root).unwrap().display(), number + 1);
            check(previous, line, &place);
            previous = line;
        }
    }
}

#[test]
fn retired_words_are_gone() {
    let retired = retired();
    let mut hits = Vec::new();
    for_each_line(&READ, |_, line, place| {
        let words = words(line);
        for (phrase, term) in retired.iter().filter(|(phrase, _)| words.contains(phrase.as_str())) {
            hits.push(format!("{place}: \"{}\", write: {term}", phrase.trim()));
        }
    });
    assert!(hits.is_empty(), "{} retired words:\n{}", hits.len(), hits.join("\n"));
}

#[test]
fn docs_begin_with_a_noun_or_a_verb() {
    let mut hits = Vec::new();
    for_each_line(&["src"], |previous, line, place| {
        let Some(doc) = line.trim_start().strip_prefix("/// ") else { return };
        let is_first = !previous.trim_start().starts_with("///");
        if is_first && NOT_FIRST.iter().any(|word| doc.split([' ', ',', '.', '\'']).next() == Some(word)) {
            hits.push(format!("{place}: {doc}"));
        }
    });
    assert!(hits.is_empty(), "{} docs:\n{}", hits.len(), hits.join("\n"));
}

#[test]
fn comments_keep_to_the_width_of_code() {
    let mut hits = Vec::new();
    let mut is_code = false;
    for_each_line(&["src", "tests", "benches"], |_, line, place| {
        let comment = line.trim_start();
        is_code ^= comment.starts_with("//") && comment.contains("```");
        let is_breakable = comment.trim_start_matches(['/', '!']).trim().contains(' ');
        let is_table = comment.contains(" | ");
        if comment.starts_with("//") && !is_code && is_breakable && !is_table && line.chars().count() > WIDTH
        {
            hits.push(place.to_owned());
        }
    });
    assert!(hits.is_empty(), "{} comments over {WIDTH} columns:\n{}", hits.len(), hits.join("\n"));
}

#[test]
fn identifiers_are_read_as_their_words() {
    assert_eq!(words("    let x = VmCell::held_back(3); // Or."), " let x vm cell held back 3 or ");
    assert!(retired().iter().any(|(phrase, _)| words(&["Cr", "ew"].concat()).contains(phrase.as_str())));
}
