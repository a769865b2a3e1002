//! The floors of src: a folder imports only those below it, and no two files import each other, not
//! even over several steps. Every file of src must be in a folder that the list knows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::Range;
use std::path::Path;

use crate::support::project;

/// Folders and files at the top of src, the lowest floor first. Those on one floor do not know each
/// other.
const FLOORS: &[&[&str]] = &[
    &["math", "safe_text"],
    &["error", "progress"],
    &["storage"],
    &["settings", "customers"],
    &["results"],
    &["frame", "model", "report"],
    &["simulate", "model_file"],
    &["run"],
    &["output"],
    &["pipeline", "comparison"],
    &["evaluation"],
    &["cli"],
];

/// The crate root and the program: they name what is public, and import nothing for themselves.
const ROOTS: &[&str] = &["lib", "main"];

/// Crates that only some folders or files may name; `polars` stands for `polars_parquet` too, and
/// so on.
const OUTSIDE: &[(&str, &[&str])] = &[
    (
        "polars",
        &[
            "frame",
            "error",
            "simulate",
            "run",
            "output/formats",
            "output/table_columns",
            "output/tables",
            "output/datasets",
            "output/folder/staging",
            "comparison",
            "evaluation",
            "storage/transfer",
            "cli/run_page",
            "pipeline/prepare",
            "pipeline/prices",
            "pipeline/segments",
        ],
    ),
    ("calamine", &["frame/input/plain"]),
    ("csv", &["frame/input/plain", "frame/input/dated_factors"]),
    ("encoding_rs", &["frame/input/plain"]),
    ("flate2", &["frame/input/plain"]),
    ("zip", &["frame/input/plain"]),
    ("zstd", &["frame/input/plain"]),
    ("argmin", &["model/likelihood"]),
    ("statrs", &["math", "model/charts/interpretation"]),
    ("rand", &["model", "simulate"]),
    ("sqlparser", &["frame/scored/condition"]),
    ("tokio", &["storage/transfer"]),
    ("maud", &["report"]),
    ("toml", &["settings", "report/texts", "cli/pipeline_text"]),
    ("clap", &["cli"]),
    ("anyhow", &["cli"]),
    ("comfy_table", &["cli"]),
    ("indicatif", &["cli"]),
];

/// The source files as modules (a path of names below src) with their code, without comments.
fn modules() -> BTreeMap<Vec<String>, String> {
    let mut found = BTreeMap::new();
    collect(&project("src"), &mut Vec::new(), &mut found);
    assert!(found.len() > 150, "{} files", found.len());
    found
}

fn collect(folder: &Path, above: &mut Vec<String>, found: &mut BTreeMap<Vec<String>, String>) {
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        if path.is_dir() {
            above.push(name);
            collect(&path, above, found);
            above.pop();
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let own = above.iter().cloned().chain((name != "mod").then_some(name));
            let text = fs::read_to_string(&path).expect("a source file");
            found.insert(own.collect(), without_comments(&text));
        }
    }
}

/// The text without what follows `//`, unless that is in an address such as `s3://`.
fn without_comments(text: &str) -> String {
    let code = text.lines().map(|line| {
        let comment = line.match_indices("//").find(|(at, _)| !line[..*at].ends_with(':'));
        comment.map_or(line, |(at, _)| &line[..at])
    });
    code.collect::<Vec<_>>().join("\n")
}

/// Every path that begins with `crate`, `super`, `self` or the name of a child module, made
/// absolute and with braces expanded: `crate::{a, b::{c, d}}` names `a`, `b::c` and `b::d`.
fn named(module: &[String], code: &str, is_module: &dyn Fn(&[String]) -> bool) -> Paths {
    let mut paths = BTreeSet::new();
    let inline = inline_modules(code);
    for (at, _) in code.match_indices("::") {
        let head = code[..at].rsplit(|c: char| !is_name(c)).next().unwrap_or_default();
        let before = code[..at - head.len()].chars().next_back();
        // Only the beginning of a path counts: `super::super::x` is taken at its first word.
        if before == Some(':') {
            continue;
        }
        let child: Vec<String> = module.iter().cloned().chain([head.to_owned()]).collect();
        let mut start = match head {
            "crate" => Vec::new(),
            "self" => module.to_vec(),
            // From a module within the file, such as its tests, one step leads to the file.
            "super" if inline.iter().any(|range| range.contains(&at)) => module.to_vec(),
            "super" => module[..module.len().saturating_sub(1)].to_vec(),
            _ if is_module(&child) => child,
            _ => continue,
        };
        let mut rest = &code[at + 2..];
        while let Some(after) = rest.strip_prefix("super::") {
            start.pop();
            rest = after;
        }
        expand(start, rest, &mut paths);
    }
    paths
}

type Paths = BTreeSet<Vec<String>>;

/// Where the modules are that a file has within itself: from `mod name {` to a brace at the margin.
fn inline_modules(code: &str) -> Vec<Range<usize>> {
    let opened = code.match_indices("mod ").filter(|(at, word)| {
        let line = code[at + word.len()..].lines().next().unwrap_or_default();
        line.trim_end().ends_with('{')
    });
    opened.map(|(at, _)| at..code[at..].find("\n}").map_or(code.len(), |end| at + end)).collect()
}

/// Adds the paths that begin at `rest`; returns what follows them.
fn expand<'a>(start: Vec<String>, rest: &'a str, paths: &mut BTreeSet<Vec<String>>) -> &'a str {
    let rest = rest.trim_start();
    if let Some(mut inner) = rest.strip_prefix('{') {
        loop {
            inner = inner.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            match inner.strip_prefix('}') {
                Some(after) => return after,
                None if inner.is_empty() => return inner,
                None => inner = expand(start.clone(), inner, paths),
            }
        }
    }
    let length = rest.find(|c| !is_name(c)).unwrap_or(rest.len());
    let (name, after) = rest.split_at(length);
    let mut path = start;
    match name {
        "" => return rest.get(1..).unwrap_or_default(),
        "self" => {}
        name => path.push(name.to_owned()),
    }
    match after.strip_prefix("::") {
        Some(more) => expand(path, more, paths),
        None => {
            paths.insert(path);
            let alias = after.trim_start().strip_prefix("as ");
            alias.map_or(after, |alias| alias.trim_start_matches(is_name))
        }
    }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The module that a path leads to: its longest beginning that is a file.
fn target(path: &[String], modules: &BTreeMap<Vec<String>, String>) -> Option<Vec<String>> {
    let beginnings = (1..=path.len()).rev().map(|length| path[..length].to_vec());
    beginnings.into_iter().find(|beginning| modules.contains_key(beginning))
}

/// For each module, the modules that it names.
fn imports(
    modules: &BTreeMap<Vec<String>, String>,
) -> BTreeMap<Vec<String>, BTreeSet<Vec<String>>> {
    let is_module = |path: &[String]| modules.contains_key(path);
    let of = |(module, code): (&Vec<String>, &String)| {
        let paths = named(module, code, &is_module);
        let targets = paths.iter().filter_map(|path| target(path, modules));
        (module.clone(), targets.filter(|target| target != module).collect())
    };
    modules.iter().map(of).collect()
}

fn floor_of(name: &str) -> Option<usize> {
    FLOORS.iter().position(|floor| floor.contains(&name))
}

#[test]
fn every_file_is_on_a_floor() {
    for module in modules().keys() {
        let top = module[0].as_str();
        assert!(floor_of(top).is_some() || ROOTS.contains(&top), "src/{top} is on no floor");
    }
}

/// Nothing is imported from the crate root, over which every folder could be reached.
#[test]
fn imports_name_folders() {
    let modules = modules();
    let is_module = |path: &[String]| modules.contains_key(path);
    let mut faults = Vec::new();
    for (module, code) in &modules {
        for path in named(module, code, &is_module) {
            if floor_of(&path[0]).is_none() {
                faults.push(format!("{} imports {}", module.join("/"), path.join("::")));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn imports_point_down() {
    let mut faults = Vec::new();
    for (module, targets) in imports(&modules()) {
        let Some(own) = floor_of(&module[0]) else {
            continue;
        };
        for target in targets.iter().filter(|target| target[0] != module[0]) {
            if floor_of(&target[0]).is_none_or(|floor| floor >= own) {
                faults.push(format!("{} imports {}", module.join("/"), target.join("/")));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

#[test]
fn no_files_import_each_other() {
    let imports = imports(&modules());
    let mut faults = Vec::new();
    for module in imports.keys().filter(|module| !ROOTS.contains(&module[0].as_str())) {
        let mut reached = BTreeSet::new();
        let mut next: Vec<_> = imports[module].iter().collect();
        while let Some(step) = next.pop() {
            if reached.insert(step) {
                next.extend(&imports[step]);
            }
        }
        if reached.contains(module) {
            faults.push(module.join("/"));
        }
    }
    assert_eq!(faults, Vec::<String>::new(), "these files lead back to themselves");
}

#[test]
fn other_crates_stay_where_they_belong() {
    let mut faults = Vec::new();
    for (module, code) in modules() {
        let place = module.join("/");
        for (outside, places) in OUTSIDE {
            let names = code.match_indices(outside).any(|(at, _)| {
                let begins = !code[..at].ends_with(|c| is_name(c) || c == ':');
                begins && code[at..].trim_start_matches(is_name).starts_with("::")
            });
            let may = places.iter().any(|known| {
                place.strip_prefix(known).is_some_and(|r| r.is_empty() || r.starts_with('/'))
            });
            if names && !may {
                faults.push(format!("{place} names {outside}"));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

/// The test itself sees every form of an import.
#[test]
fn imports_are_seen_in_every_form() {
    let module = ["frame".to_owned(), "guess".to_owned(), "choice".to_owned()];
    let code = "use crate::{frame, output::{self, tables as t, page::page}};
        use super::named::Named;
        pub use part::Part;
        fn f() { crate::pipeline::notices::findings(); super::super::columns::money(1) }
mod tests {
    use super::Choice;
}
";
    let is_module = |path: &[String]| path.last().is_some_and(|name| name == "part");
    let paths = named(&module, code, &is_module);
    let paths: Vec<String> = paths.iter().map(|path| path.join("::")).collect();
    let expected = [
        "frame",
        "frame::columns::money",
        "frame::guess::choice::Choice",
        "frame::guess::choice::part::Part",
        "frame::guess::named::Named",
        "output",
        "output::page::page",
        "output::tables",
        "pipeline::notices::findings",
    ];
    assert_eq!(paths, expected);
}
