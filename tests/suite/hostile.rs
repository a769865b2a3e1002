//! Malicious or damaged input: no panic, no hang, nothing that a terminal or a spreadsheet would
//! run.
//!
//! The fuzz tests change random bytes of valid input. By default they try a few inputs; with
//! `CLTV_FUZZ_SECONDS` they run for that long. Inputs that once failed are stored in tests/corpus
//! and tried first.

use std::panic::catch_unwind;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cltv::pipeline;
use cltv::pipeline::ModelFile;
use cltv::settings::{Overrides, load, parse, restore};
use polars::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::support::*;

/// No input of these tests may take longer than this.
const LONGEST: Duration = Duration::from_secs(60);
/// Bytes that have a meaning for some parser.
const TOKENS: &[&[u8]] = &[
    b"\"",
    b"\"\"",
    b",",
    b";",
    b"\t",
    b"\n",
    b"\r\n",
    b"\r",
    b"\0",
    b"-",
    b"0",
    b"-0",
    b"1e308",
    b"-1e999",
    b"9999999999999999999",
    b"NaN",
    b"inf",
    b"null",
    b"[",
    b"]",
    b"{",
    b"}",
    b"=",
    b"'''",
    b"\\u0000",
    b"\xff\xfe",
    b"\xef\xbb\xbf",
    b"\xc3\x28",
    b"PAR1",
    b"0000-00-00",
    b"99999-12-31",
    b"2021-02-30",
    b"\x1b[2J",
    b"%",
    b"true",
    b".",
    b"#",
];

/// How long a fuzz test runs, and the greatest number of inputs. Without `CLTV_FUZZ_SECONDS`, every
/// machine tries the same few.
fn budget() -> (Duration, usize) {
    const FEW: usize = 25;
    match std::env::var("CLTV_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()) {
        Some(seconds) => (Duration::from_secs(seconds), usize::MAX),
        None => (LONGEST, FEW),
    }
}

/// A few random changes: bits flipped, bytes cut out, repeated, or replaced by something with a
/// meaning for parsers.
fn changed(bytes: &[u8], rng: &mut ChaCha8Rng) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..rng.random_range(1..=4) {
        let at = rng.random_range(0..=bytes.len());
        let end = (at + rng.random_range(0..40)).min(bytes.len());
        match rng.random_range(0..6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << rng.random_range(0..8),
            1 => drop(bytes.drain(at..end)),
            2 => {
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece.repeat(rng.random_range(1..20)));
            }
            3 => bytes.truncate(at),
            4 => {
                let token = TOKENS[rng.random_range(0..TOKENS.len())];
                bytes.splice(at..at, token.iter().copied());
            }
            _ => {
                let token = TOKENS[rng.random_range(0..TOKENS.len())];
                bytes.splice(at..end, token.iter().copied());
            }
        }
    }
    bytes
}

/// Tries the stored inputs whose names begin with `name`, and then changed seeds until the budget
/// is used up. Writes an input to the corpus if `attempt` panics on it or takes too long.
fn fuzz(name: &str, seeds: &[Vec<u8>], attempt: impl Fn(&[u8]) + std::panic::RefUnwindSafe) {
    let corpus = project("tests/corpus");
    let kept: Vec<PathBuf> = std::fs::read_dir(&corpus)
        .expect("the corpus")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.file_name().is_some_and(|n| n.to_string_lossy().starts_with(name)))
        .collect();
    let tried = |bytes: &[u8]| {
        let since = Instant::now();
        let sound = catch_unwind(|| attempt(bytes)).is_ok();
        (sound, since.elapsed())
    };
    for path in &kept {
        let (sound, took) = tried(&std::fs::read(path).expect("readable"));
        assert!(sound && took < LONGEST, "{}: {took:?}", path.display());
    }
    let mut rng = ChaCha8Rng::seed_from_u64(
        std::env::var("CLTV_FUZZ_SEED")
            .map_or(1, |text| text.parse().expect("CLTV_FUZZ_SEED is a number")),
    );
    let since = Instant::now();
    let mut attempts = 0;
    let (time, most) = budget();
    while since.elapsed() < time && attempts < most {
        let bytes = changed(&seeds[rng.random_range(0..seeds.len())], &mut rng);
        let (sound, took) = tried(&bytes);
        if !sound || took > LONGEST {
            let path = corpus.join(format!("{name}-{attempts}"));
            std::fs::write(&path, &bytes).expect("the corpus can be written");
            panic!("{} fails ({took:?})", path.display());
        }
        attempts += 1;
    }
    eprintln!("{name}: {attempts} inputs in {:.0} s", since.elapsed().as_secs_f64());
    assert!(attempts > 0);
}

fn head(path: &str, lines: usize) -> Vec<u8> {
    let text = std::fs::read_to_string(project(path)).expect("a sample");
    text.split_inclusive('\n').take(lines).collect::<String>().into_bytes()
}

/// Reads and summarises a file with a pipeline of this repository; an error must have a message.
fn look_at(pipeline: &str, file: &Path) {
    let input = Some(file.display().to_string());
    let overrides = Overrides { input, ..Overrides::default() };
    let settings = load(&project(pipeline), &overrides).expect("a valid pipeline");
    if let Err(error) = pipeline::prepare(&settings) {
        let said = error.to_string();
        assert!(said.len() > 20, "{said}");
        // Polars' Parquet reader is known to panic on damaged files; nothing else may.
        let parquet = file.extension().is_some_and(|extension| extension == "parquet");
        assert!(parquet || !said.contains("the reader failed on this file"), "{said}");
    }
    let _ =
        cltv::internal::inspect(&file.display().to_string(), &cltv::internal::Stated::default());
}

#[test]
fn fuzzed_csv() {
    let place = folder();
    let seeds = [head("data/flo_sample.csv", 40), head("data/orders_sample.csv", 60)];
    fuzz("csv", &seeds, |bytes| {
        let file = place.path().join("input.csv");
        std::fs::write(&file, bytes).expect("written");
        look_at("pipelines/flo.toml", &file);
        look_at("pipelines/transactions.toml", &file);
    });
}

#[test]
fn fuzzed_parquet() {
    let place = folder();
    let of = |name: &str, lines: usize| {
        let file = place.path().join("seed.csv");
        std::fs::write(&file, head(name, lines)).expect("written");
        let mut frame = csv(&file);
        let mut bytes = Vec::new();
        ParquetWriter::new(&mut bytes).finish(&mut frame).expect("written");
        bytes
    };
    let seeds = [of("data/flo_sample.csv", 40), of("data/orders_sample.csv", 60)];
    fuzz("parquet", &seeds, |bytes| {
        let file = place.path().join("input.parquet");
        std::fs::write(&file, bytes).expect("written");
        look_at("pipelines/flo.toml", &file);
        look_at("pipelines/transactions.toml", &file);
    });
}

#[test]
fn fuzzed_pipelines() {
    let seeds: Vec<Vec<u8>> = ["flo", "flo_selection_aware", "cdnow", "transactions"]
        .iter()
        .map(|name| std::fs::read(project(&format!("pipelines/{name}.toml"))).expect("a pipeline"))
        .collect();
    fuzz("pipeline", &seeds, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Err(faults) = parse(&text, &Overrides::default()) {
            assert!(!faults.is_empty());
        }
    });
}

#[test]
fn fuzzed_models() {
    let out = folder();
    let fit = |pipeline: &str| {
        let path = out.path().join("model.json");
        let arguments = ["fit", pipeline, "--quiet", "--output"].map(Into::into);
        let output = cltv(arguments.into_iter().chain([out.path().as_os_str().to_owned()]));
        assert!(output.status.success(), "{}", stderr(&output));
        std::fs::read(path).expect("a model")
    };
    let seeds = ["pipelines/flo_selection_aware.toml", "pipelines/transactions.toml"].map(fit);
    fuzz("model", &seeds, |bytes| match ModelFile::parse(bytes) {
        Ok(model) => {
            model.fits().expect("a parsed model can be used");
            let _ = restore(&model.settings, &Overrides::default());
        }
        Err(fault) => assert!(fault.len() > 20, "{fault}"),
    });
}

/// The sample with one more customer. `id` is the identifier, written as a CSV field.
fn with_id(place: &Path, id: &str) -> PathBuf {
    let mut text = String::from_utf8(head("data/flo_sample.csv", 4000)).expect("text");
    let last = text.lines().last().expect("a line").to_owned();
    let rest = last.split_once(',').expect("fields").1;
    text.push_str(&format!("{id},{rest}\n"));
    let file = place.join("export.csv");
    std::fs::write(&file, text).expect("written");
    file
}

#[test]
fn identifiers_with_everything_in_them() {
    let hostile = [
        "a \"quoted\" id",
        "two\nlines",
        "comma, and; semicolon",
        "=cmd|' /C calc'!A0",
        "@SUM(1+1)",
        "-2+3",
        "+HYPERLINK(1)",
        "\u{1b}[2J\u{1b}]0;title\u{7}",
        "<script>alert(1)</script>",
        "../../etc/passwd",
        "üğışçö İ 🦶",
    ];
    for id in hostile {
        let place = folder();
        let file = with_id(place.path(), &format!("\"{}\"", id.replace('"', "\"\"")));
        let out = place.path().join("out");
        let output = run_ok("pipelines/flo.toml", &file, &out, &["--set", "output.top=4000"]);
        let shown = String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(&output);
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{7}'), "{id:?} reached a terminal");
        let ids = texts(&parquet(&out.join("customers.parquet")), "customer_id");
        assert_eq!(ids.last().map(String::as_str), Some(id));
        let in_csv = texts(&csv(&out.join("customers.csv")), "customer_id");
        let first = id.chars().next().expect("not empty");
        let expected = if "=@+-".contains(first) { format!("'{id}") } else { id.to_owned() };
        assert_eq!(in_csv.last(), Some(&expected));
    }
}

#[test]
fn a_telephone_number_is_no_formula() {
    let place = folder();
    let file = with_id(place.path(), "+90 532 000 00 00");
    let out = place.path().join("out");
    run_ok("pipelines/flo.toml", &file, &out, &[]);
    let ids = texts(&csv(&out.join("customers.csv")), "customer_id");
    assert_eq!(ids.last().map(String::as_str), Some("+90 532 000 00 00"));
}

#[test]
fn a_path_with_everything_in_it() {
    let place = folder();
    let odd = place.path().join("it's a \"folder\" with\nlines ü, %20 and # [x]");
    std::fs::create_dir(&odd).expect("made");
    let file = odd.join("export (1).csv");
    std::fs::write(&file, head("data/flo_sample.csv", 4000)).expect("written");
    let out = odd.join("out");
    let output = run_ok("pipelines/flo.toml", &file, &out, &[]);
    assert!(out.join("run.json").is_file(), "{}", stderr(&output));
}

/// The exit code and the messages of a run on a file.
fn refused(bytes: &[u8]) -> (Option<i32>, String) {
    let place = folder();
    let file = place.path().join("export.csv");
    std::fs::write(&file, bytes).expect("written");
    let out = place.path().join("out");
    let arguments =
        ["run".into(), project("pipelines/flo.toml").into_os_string(), "--input".into()];
    let more = [file.into_os_string(), "--output".into(), out.clone().into_os_string()];
    let limit = ["--set".into(), "resources.memory_limit=2 GiB".into()];
    let output = cltv(arguments.into_iter().chain(more).chain(limit));
    assert!(output.status.success() || !out.exists(), "something was written");
    (output.status.code(), stderr(&output))
}

#[test]
fn a_million_columns_are_refused_at_once() {
    let since = Instant::now();
    let mut header = String::from_utf8(head("data/flo_sample.csv", 1)).expect("text");
    header.truncate(header.trim_end().len());
    (0..1_000_000).for_each(|i| header.push_str(&format!(",c{i}")));
    let (code, said) = refused(header.as_bytes());
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("at most 16384"), "{said}");
    assert!(since.elapsed() < LONGEST);
}

#[test]
fn a_cell_of_a_million_bytes_is_a_bad_row_or_a_long_name() {
    let mut text = String::from_utf8(head("data/flo_sample.csv", 4000)).expect("text");
    let last = text.lines().last().expect("a line").to_owned();
    let fields: Vec<&str> = last.splitn(5, ',').collect();
    let long = "x".repeat(1_000_000);
    text.push_str(&format!("{long},{}\n", fields[1..].join(",")));
    text.push_str(&format!("other,{},{},{long},{}\n", fields[1], fields[2], fields[4]));
    let (code, said) = refused(text.as_bytes());
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("1 unreadable_date"), "{said}");
}

#[test]
fn other_encodings() {
    let text = String::from_utf8(head("data/flo_sample.csv", 4000)).expect("text");
    let with_mark = [b"\xef\xbb\xbf", text.as_bytes()].concat();
    assert_eq!(
        refused(&with_mark).0,
        Some(0),
        "a byte order mark was taken as part of the first column name"
    );
    let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let (code, said) = refused(&[b"\xff\xfe", &wide[..]].concat());
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = refused(&wide);
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = refused(text.replace("2020", "20\u{0}0").as_bytes());
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("NUL"), "{said}");
}
