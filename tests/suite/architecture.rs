//! Who may import whom: `model` and `frame` never meet but in `customers`; `math` knows nobody.

use std::fs;
use std::path::Path;

use crate::support::project;

/// A folder or file of src, and what it must not name.
const FORBIDDEN: &[(&str, &[&str])] = &[
    (
        "math",
        &["polars", "argmin", "crate::frame", "crate::model", "crate::settings", "crate::error"],
    ),
    ("model", &["polars", "crate::frame", "crate::output", "crate::pipeline", "clap", "anyhow"]),
    ("frame", &["argmin", "statrs", "crate::output", "crate::pipeline", "clap", "anyhow"]),
    ("settings", &["polars", "argmin", "crate::frame", "crate::model", "crate::output"]),
    ("customers.rs", &["polars", "argmin", "crate::"]),
    ("selection.rs", &["polars", "argmin", "crate::frame", "crate::output", "crate::pipeline"]),
    ("output", &["argmin", "clap", "anyhow"]),
    ("figures.rs", &["polars", "argmin", "crate::"]),
    ("report", &["polars", "argmin", "clap", "anyhow"]),
    ("simulate", &["argmin", "clap", "anyhow", "crate::pipeline", "crate::output"]),
];

/// frame/predictions.rs joins what the models predicted: the one place that knows both.
const MEETING: &str = "predictions.rs";

#[test]
fn imports_point_one_way() {
    let mut faults = Vec::new();
    for (place, words) in FORBIDDEN {
        for (name, text) in sources(&project("src").join(place)) {
            for word in *words {
                let named = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                if named.into_iter().any(|line| line.contains(word)) {
                    faults.push(format!("{place}: {name} names {word}"));
                }
            }
            if *place == "frame" && name != MEETING && text.contains("crate::model") {
                faults.push(format!("frame: {name} names crate::model"));
            }
        }
    }
    assert_eq!(faults, Vec::<String>::new());
}

fn sources(path: &Path) -> Vec<(String, String)> {
    let read = |path: &Path| {
        let name = path.file_name().expect("a name").to_string_lossy().into_owned();
        (name, fs::read_to_string(path).expect("a source file"))
    };
    if path.is_file() {
        return vec![read(path)];
    }
    let entries = fs::read_dir(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let files: Vec<_> = entries.map(|e| e.expect("an entry").path()).collect();
    assert!(!files.is_empty());
    files.iter().filter(|f| f.extension().is_some_and(|e| e == "rs")).map(|f| read(f)).collect()
}
