//! The imports of a source file, read as text: `use` trees, and which file of a module defines what they
//! name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::sources;

/// The imports among the files of one module: file → files. A file is named by its path below the module,
/// `mod` for the root.
pub(super) type Graph = BTreeMap<String, BTreeSet<String>>;

/// The modules that a line of code names after `crate::`, one or several in braces.
pub(super) fn named_modules(line: &str) -> Vec<String> {
    let code = line.split("//").next().unwrap_or_default();
    code.match_indices("crate::")
        .filter(|(at, _)| !code[..*at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
        .flat_map(|(at, found)| {
            let tail = &code[at + found.len()..];
            let list = tail.strip_prefix('{').map_or(tail, |list| list.split('}').next().unwrap_or(list));
            let names = if tail.starts_with('{') { list.split(',').collect() } else { vec![list] };
            names
                .into_iter()
                .map(|name| name.trim().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
                .collect::<Vec<String>>()
        })
        .collect()
}

/// One file of a module: the path of its Rust module, its imports, and the names that it re-exports.
struct Source {
    imports: Vec<Vec<String>>,
    exports: BTreeMap<String, Vec<String>>,
}

/// The files of one module.
pub(super) struct Imports {
    root: Vec<String>,
    files: BTreeMap<Vec<String>, Source>,
}

impl Imports {
    /// Reads a module's files and resolves what they import from each other.
    pub(super) fn of_module(src: &Path, module: &str) -> Graph {
        let root = vec![module.to_owned()];
        let mut files = BTreeMap::new();
        for path in sources(&src.join(module)) {
            let relative = path.strip_prefix(src).unwrap().with_extension("");
            let mut segments: Vec<String> =
                relative.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
            if segments.last().is_some_and(|last| last == "mod") {
                segments.pop();
            }
            let text = std::fs::read_to_string(&path).unwrap();
            files.insert(segments.clone(), Source::read(&text, &segments));
        }
        Self { root, files }.graph()
    }

    fn graph(&self) -> Graph {
        let mut graph = Graph::new();
        for (file, source) in &self.files {
            let targets = source.imports.iter().filter_map(|path| self.defining_file(path));
            let targets = targets.filter(|target| *target != file).map(|target| self.name(target)).collect();
            graph.insert(self.name(file), targets);
        }
        graph
    }

    /// The file that defines what a path names: re-exports are followed.
    fn defining_file(&self, path: &[String]) -> Option<&Vec<String>> {
        let mut path = path.to_vec();
        for _ in 0..8 {
            let (file, source) = (1..=path.len()).rev().find_map(|n| self.files.get_key_value(&path[..n]))?;
            let item = path.get(file.len());
            match item.and_then(|item| source.exports.get(item)) {
                Some(target) => path = [target.as_slice(), &path[file.len() + 1..]].concat(),
                None => return Some(file),
            }
        }
        None
    }

    fn name(&self, file: &[String]) -> String {
        let below = file[self.root.len()..].join("/");
        if below.is_empty() { "mod".to_owned() } else { below }
    }
}

impl Source {
    fn read(text: &str, module: &[String]) -> Self {
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        let code: String = code.lines().map(|line| line.split("//").next().unwrap_or_default()).fold(
            String::new(),
            |mut all, line| {
                all.push_str(line);
                all.push('\n');
                all
            },
        );
        let mut source = Self { imports: Vec::new(), exports: BTreeMap::new() };
        let mut tail = code.as_str();
        while let Some(at) = tail.find("use ") {
            let (before, statement) = tail.split_at(at);
            let line = before.rsplit('\n').next().unwrap_or_default().trim();
            let end = statement.find(';').unwrap_or(statement.len());
            if line.is_empty() || line.starts_with("pub") {
                let mut paths = Vec::new();
                expand(&statement["use ".len()..end], &[], &mut paths);
                let paths = paths.into_iter().filter_map(|path| absolute(&path, module));
                if line.is_empty() {
                    source.imports.extend(paths);
                } else {
                    source
                        .exports
                        .extend(paths.filter_map(|path| path.last().cloned().map(|name| (name, path))));
                }
            }
            tail = &statement["use ".len()..];
        }
        source
    }
}

/// The paths of a `use` tree. A renamed import counts under its own name.
fn expand(tree: &str, prefix: &[String], paths: &mut Vec<Vec<String>>) {
    let tree = tree.trim();
    if let Some((head, list)) = tree.split_once('{') {
        let list = list.rsplit_once('}').map_or(list, |(list, _)| list);
        let prefix = [prefix, &segments(head)].concat();
        let (mut depth, mut start) = (0, 0);
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 0 => {
                    expand(&list[start..at], &prefix, paths);
                    start = at + 1;
                }
                _ => {}
            }
        }
        if !list[start..].trim().is_empty() {
            expand(&list[start..], &prefix, paths);
        }
    } else if !tree.is_empty() {
        let path = tree.split(" as ").next().unwrap_or(tree);
        paths.push([prefix, &segments(path)].concat());
    }
}

fn segments(path: &str) -> Vec<String> {
    path.split("::").map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// A path from the crate's root; `None` for a path into another crate.
fn absolute(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let mut base = match path.first()?.as_str() {
        "crate" => Vec::new(),
        "self" => module.to_vec(),
        "super" => module[..module.len() - 1].to_vec(),
        _ => return None,
    };
    for part in &path[1..] {
        match part.as_str() {
            "super" => {
                base.pop();
            }
            "self" => {}
            part => base.push(part.to_owned()),
        }
    }
    Some(base)
}

/// The groups of files that import each other in a circle, each sorted.
pub(super) fn cycles(graph: &Graph) -> Vec<Vec<String>> {
    let reach = |from: &String| {
        let mut seen = BTreeSet::new();
        let mut open: Vec<&String> = graph.get(from).into_iter().flatten().collect();
        while let Some(file) = open.pop() {
            if seen.insert(file.clone()) {
                open.extend(graph.get(file).into_iter().flatten());
            }
        }
        seen
    };
    let reached: BTreeMap<&String, BTreeSet<String>> = graph.keys().map(|file| (file, reach(file))).collect();
    let mut groups = BTreeSet::new();
    for (file, others) in &reached {
        if others.contains(*file) {
            let group: Vec<String> = others
                .iter()
                .filter(|other| reached.get(other).is_some_and(|back| back.contains(*file)))
                .cloned()
                .collect();
            groups.insert(group);
        }
    }
    groups.into_iter().collect()
}

#[test]
fn named_modules_are_found_in_a_line() {
    assert_eq!(named_modules("use crate::state::{Journal, StateError};"), ["state"]);
    assert_eq!(named_modules("use crate::{call, fee::Receipt};"), ["call", "fee"]);
    assert_eq!(
        named_modules("    text: Some(crate::syscall::SyscallFault::TestHint.to_string()),"),
        ["syscall"]
    );
    assert_eq!(named_modules("// use crate::block;"), Vec::<String>::new());
}

#[test]
fn use_trees_are_expanded_and_resolved() {
    let mut paths = Vec::new();
    expand("super::{a::B, c::{D, self}, e as f}", &[], &mut paths);
    let module = ["m".to_owned(), "n".to_owned()];
    let paths: Vec<String> = paths.iter().map(|path| absolute(path, &module).unwrap().join("::")).collect();
    assert_eq!(paths, ["m::a::B", "m::c::D", "m::c", "m::e"]);
    assert_eq!(absolute(&["std".to_owned()], &module), None);
}

#[test]
fn a_cycle_is_found() {
    let edges = [("a", "b"), ("b", "c"), ("c", "b"), ("c", "d")];
    let mut graph = Graph::new();
    for (from, to) in edges {
        graph.entry(from.to_owned()).or_default().insert(to.to_owned());
    }
    assert_eq!(cycles(&graph), [["b", "c"]]);
}
