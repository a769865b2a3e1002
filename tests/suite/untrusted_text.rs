//! Text from outside: secrets in addresses, names that steer a terminal, cells that a spreadsheet would
//! compute, conditions that would read other files, and small inputs that unpack to large ones.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use polars::prelude::*;

use crate::support::*;

const SAMPLE: &str = "data/flo_sample.csv";

/// Runs the program with these variables in the environment.
fn cltv_in(environment: &[(&str, &str)], arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cltv"));
    command.current_dir(env!("CARGO_MANIFEST_DIR")).envs(environment.iter().copied());
    command.args(arguments).output().expect("the program starts")
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned() + &stderr(output)
}

#[test]
fn passwords_in_addresses_are_not_repeated() {
    let place = folder();
    let out = place.path().join("out").display().to_string();
    let run = |input: &str, more: &[&str]| -> Vec<String> {
        let arguments = ["run", "pipelines/flo.toml", "--input", input, "--output", &out];
        [&arguments[..], more].concat().into_iter().map(str::to_owned).collect()
    };
    for address in [
        "https://an'na:s3cr3t@host/x.csv",
        "x-https://anna:s3cr3t@host/x.csv",
        "https://anna:s3cr3t@host/x.csv",
        "HTTPS://anna:s3cr3t@host/x.csv",
        "ftp://anna:s3cr3t@host/x.csv",
        "S3://anna:s3cr3t@bucket/x.csv",
        "s3://bucket/x.csv?X-Amz-Signature=s3cr3t",
        "az://container/x.csv?sig=s3cr3t",
    ] {
        let lineage = place.path().join("lineage.ndjson");
        let lineage = lineage.to_str().expect("text");
        let mut attempts = vec![
            run(address, &[]),
            run(address, &["--log-format", "json"]),
            run(address, &["--openlineage", lineage]),
            run(SAMPLE, &["--set", &format!("nonsense.key=\"{address}\"")]),
        ];
        for command in ["check", "init", "report"] {
            attempts.push(vec![command.to_owned(), address.to_owned()]);
        }
        let to = ["run", "pipelines/flo.toml", "--output", address];
        attempts.push(to.map(str::to_owned).to_vec());
        let model = ["promote", "model.json", "--models", address];
        attempts.push(model.map(str::to_owned).to_vec());
        let lineage = format!("lineage.namespace=\"{address}\"");
        attempts.push(run(SAMPLE, &["--set", &lineage]));
        attempts.push(vec!["compare".to_owned(), address.to_owned(), address.to_owned()]);
        attempts.push(vec!["check".to_owned(), address.to_owned(), "--json".to_owned()]);
        for attempt in attempts {
            let output = cltv(&attempt);
            assert!(!output.status.success(), "{attempt:?}");
            assert!(!said(&output).contains("s3cr3t"), "{attempt:?}: {}", said(&output));
        }
        let events = fs::read_to_string(lineage).unwrap_or_default();
        assert!(!events.contains("s3cr3t"), "{events}");
    }
    // Nothing listens there: the error of the store names the address.
    let environment = [
        ("AWS_ENDPOINT_URL", "http://anna:'s3cr3t@127.0.0.1:9"),
        ("AWS_ACCESS_KEY_ID", "key"),
        ("AWS_SECRET_ACCESS_KEY", "s3cr3t"),
        ("AWS_ALLOW_HTTP", "true"),
        ("AWS_REGION", "eu-west-1"),
    ];
    let lineage = place.path().join("store.ndjson");
    let more = ["--openlineage", lineage.to_str().expect("text"), "-v"];
    let arguments = run("s3://bucket/x.csv", &more);
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let output = cltv_in(&environment, &arguments);
    assert!(!output.status.success());
    assert!(!said(&output).contains("s3cr3t"), "{}", said(&output));
    let events = fs::read_to_string(&lineage).expect("events");
    assert!(events.contains("FAIL") && !events.contains("s3cr3t"), "{events}");
}

/// Line ends, colours, and letters that turn the direction of what follows.
const STEERING: [&str; 5] = [
    "a\nerror: everything is fine",
    "a\r\u{1b}[2J\u{1b}]0;title\u{7}",
    "a\u{202e}vsc.\u{2066}b",
    "a\u{200b}\u{feff}b",
    "a\u{9b}31m\u{2028}b",
];

fn steers(text: &str) -> bool {
    let is_steering = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
                | '\u{feff}')
    };
    text.chars().any(is_steering)
}

#[cfg(unix)]
#[test]
fn names_of_files_do_not_steer_a_terminal_or_forge_a_line() {
    let place = folder();
    for name in STEERING {
        let file = place.path().join(format!("{name}.csv"));
        fs::copy(project(SAMPLE), &file).expect("copied");
        let missing = place.path().join(format!("{name}.not"));
        let out = place.path().join(format!("{name}.out"));
        let [file, missing, out] = [&file, &missing, &out].map(|path| path.to_str().expect("text"));
        let run = |input, more: &[&str]| {
            let arguments = ["run", "pipelines/flo.toml", "--input", input, "--output", out];
            cltv([&arguments[..], more].concat())
        };
        let ran = run(file, &[]);
        assert!(ran.status.success(), "{}", stderr(&ran));
        for output in [
            ran,
            run(missing, &[]),
            run(missing, &["--log-format", "json"]),
            run(file, &["--set", &format!("nonsense.{name}=1")]),
            cltv(["check", file]),
            cltv(["check", missing]),
            cltv(["check", file, "--json"]),
            cltv(["report", missing]),
            cltv(["select", out, "--where", &format!("\"{name}\" > 1")]),
            cltv(["run", missing]),
            cltv([&format!("--{name}")]),
        ] {
            let text = said(&output);
            assert!(!steers(&text), "{name:?}: {text:?}");
            let forged = text.lines().any(|line| line.starts_with("error: everything is fine"));
            assert!(!forged, "{name:?}: {text}");
        }
        let lines = run(missing, &["--log-format", "json"]);
        for line in stderr(&lines).lines() {
            serde_json::from_str::<serde_json::Value>(line)
                .unwrap_or_else(|e| panic!("{line}: {e}"));
        }
        let page = fs::read_to_string(Path::new(out).join("report.html")).expect("a page");
        assert!(!steers(&page), "{name:?} is raw in the page");
    }
}

/// A cell is safe if no spreadsheet computes it, whichever of `,` `;` and a tab it splits at.
fn computed(cell: &str) -> bool {
    let starts = |part: &str| {
        let part = part.trim_start_matches(|c: char| {
            c.is_whitespace() || matches!(c, '\u{feff}' | '\u{200b}' | '"')
        });
        part.starts_with(['=', '@', '\u{ff1d}', '\u{ff20}'])
    };
    cell.split([';', '\t', '\n', '\r']).any(starts)
}

#[test]
fn no_cell_is_a_formula_in_any_table() {
    let place = folder();
    let formulas = [
        "=1+1",
        "x;=1+1",
        "x\t=1+1",
        " =1+1",
        "\u{feff}=1+1",
        "\u{ff1d}1+1",
        "\u{a0}@SUM(1)",
        "x;\u{3000}\u{ff1d}1",
        "x\n=1+1",
    ];
    let text = fs::read_to_string(project(SAMPLE)).expect("the sample");
    let mut lines: Vec<String> = text.lines().take(4000).map(str::to_owned).collect();
    let header = "=cmd()";
    lines[0] = format!("{},\"{header}\",\"x;=1\"", lines[0]);
    for (i, line) in lines.iter_mut().enumerate().skip(1) {
        let formula = formulas[i % formulas.len()];
        let rest = line.split_once(',').expect("fields").1.to_owned();
        *line = format!("\"{formula}{i}\",{rest},\"{formula}\",\"{}\"", formulas[i % 3]);
    }
    fs::create_dir(place.path().join("in")).expect("made");
    let input = place.path().join("in/export.csv");
    fs::write(&input, lines.join("\n")).expect("written");
    let out = place.path().join("out");
    let keep = format!("input.columns.keep=[\"{header}\", \"x;=1\"]");
    run_ok(
        "pipelines/flo.toml",
        &input,
        &out,
        &["--set", &keep, "--set", "output.formats=[\"csv\", \"parquet\"]"],
    );
    let list = place.path().join("list.csv");
    let [run, to] = [&out, &list].map(|path| path.to_str().expect("text"));
    let selected = cltv([
        "select",
        run,
        "--where",
        "cltv > 0",
        "--columns",
        "customer_id,=cmd()",
        "--out",
        to,
    ]);
    assert!(selected.status.success(), "{}", stderr(&selected));
    let tables = fs::read_dir(&out).expect("a folder").map(|entry| entry.expect("an entry").path());
    let tables: Vec<PathBuf> =
        tables.filter(|path| path.extension().is_some_and(|e| e == "csv")).collect();
    assert!(tables.len() > 5, "{tables:?}");
    let mut cells = 0;
    for table in tables.iter().chain([&list]) {
        // Read by its own quotes, and as a spreadsheet that splits at ; would.
        let path = PlRefPath::try_from_path(table).expect("a path");
        let frame = LazyCsvReader::new(path)
            .with_has_header(false)
            .with_infer_schema_length(Some(0))
            .finish()
            .and_then(LazyFrame::collect)
            .expect("a CSV file");
        for column in frame.columns() {
            for cell in column.str().expect("text").iter().flatten() {
                assert!(!computed(cell), "{}: {cell:?}", table.display());
                cells += 1;
            }
        }
        for line in fs::read_to_string(table).expect("text").lines() {
            assert!(!computed(line), "{}: {line:?}", table.display());
        }
    }
    assert!(cells > 10_000, "{cells}");
    // The Parquet file has the values as they are.
    let ids = texts(&parquet(&out.join("customers.parquet")), "customer_id");
    assert!(ids.iter().any(|id| id.starts_with("=1+1")));
}

/// `-100,2+A!B1;x` without quotation marks would be a formula where `;` separates cells and numbers have
/// decimal commas.
#[test]
fn a_number_and_the_cell_after_it_are_no_formula() {
    let place = folder();
    let text = fs::read_to_string(project(SAMPLE)).expect("the sample");
    let mut lines: Vec<String> = text.lines().take(4000).map(str::to_owned).collect();
    let formula = "2+cmd|' /C calc'!A0";
    for (i, line) in lines.iter_mut().enumerate().skip(1) {
        let fields: Vec<&str> = line.splitn(3, ',').collect();
        *line = format!("-{i},{formula};x,{}", fields[2]);
    }
    fs::create_dir(place.path().join("in")).expect("made");
    let input = place.path().join("in/export.csv");
    fs::write(&input, lines.join("\n")).expect("written");
    let out = place.path().join("out");
    run_ok("pipelines/flo.toml", &input, &out, &["--quiet"]);
    let run = out.display().to_string();
    let columns = ["--columns", "customer_id,order_channel"];
    let output = cltv([&["select", &run, "--where", "cltv > 0"][..], &columns].concat());
    let list = String::from_utf8(output.stdout).expect("UTF-8");
    let table = fs::read_to_string(out.join("customers.csv")).expect("a table");
    for text in [list, table] {
        assert!(text.contains(&format!("\"{formula};x\"")), "{}", &text[..200]);
        assert!(!text.contains(&format!(",{formula}")));
    }
}

#[test]
fn conditions_are_expressions_over_the_columns_of_the_run() {
    let place = folder();
    let out = place.path().join("out");
    run_ok("pipelines/flo.toml", &project(SAMPLE), &out, &["--quiet"]);
    let secret = place.path().join("secret.csv");
    fs::write(&secret, "password\nhunter2\n").expect("written");
    let (secret, run) = (secret.display().to_string(), out.display().to_string());
    let deep = format!("{}cltv{} > 1", "(".repeat(20_000), ")".repeat(20_000));
    let long = format!("cltv > {}", vec!["1"; 5_000].join(" + "));
    let many = vec!["cltv = 1"; 1_000].join(" OR ");
    let nots = format!("{}cltv > 1", "NOT ".repeat(20_000));
    let minus = format!("cltv > {}1", "- ".repeat(20_000));
    let attacks = [
        format!("customer_id IN (SELECT password FROM read_csv('{secret}'))"),
        format!("customer_id = (SELECT password FROM read_csv('{secret}'))"),
        format!("EXISTS (SELECT * FROM read_csv('{secret}'))"),
        format!("customer_id IN (TABLE read_csv('{secret}'))"),
        format!("cltv > 1 UNION SELECT * FROM read_csv('{secret}')"),
        format!("cltv > 1) OR customer_id IN (SELECT password FROM read_csv('{secret}')"),
        format!("cltv > ANY (SELECT 1 FROM read_csv('{secret}'))"),
        format!("read_csv('{secret}') > 1"),
        "customer_id IN (SELECT x FROM read_parquet('s3://bucket/x.parquet'))".to_owned(),
        "customer_id IN (SELECT customer_id FROM self)".to_owned(),
        "cltv > 1; SELECT 1".to_owned(),
        "cltv > 1 LIMIT 1".to_owned(),
        "cltv > 1 -- \n ORDER BY 1".to_owned(),
        deep,
        long,
        many,
        nots,
        minus,
    ];
    let attacks = attacks.into_iter().chain([
        "LPAD(customer_id, 1000000000, 'x') = 'a'".to_owned(),
        "RPAD(customer_id, 1000000000) = 'a'".to_owned(),
        format!(
            "{}customer_id{} = 'a'",
            "REPLACE(".repeat(5),
            ", 'a', 'aaaaaaaaaaaaaaa')".repeat(5)
        ),
        format!("customer_id RLIKE '{}'", "(a|b)*".repeat(20_000)),
        format!("{} = 'a'", vec!["customer_id"; 200].join(" || ")),
        format!("customer_id || '{}' = 'a'", "x".repeat(100_000)),
    ]);
    for attack in attacks {
        let output = cltv(["select", &run, "--where", &attack]);
        let said = said(&output);
        let short: String = attack.chars().take(80).collect();
        assert_eq!(output.status.code(), Some(2), "{short}: {said}");
        assert!(said.contains("--where"), "{short}: {said}");
        assert!(!said.contains("hunter2"), "{short}: {said}");
        assert!(said.len() < 2_000, "{short}: {} bytes", said.len());
    }
    let customers = texts(&parquet(&out.join("customers.parquet")), "customer_id");
    for failing in ["CAST(customer_id AS INT) > 3", "CAST(customer_id AS DATE) > '2020-01-01'"] {
        let output = cltv(["select", &run, "--where", failing]);
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert_eq!(stderr(&output).lines().count(), 1, "{}", stderr(&output));
        let named = customers.iter().find(|id| said(&output).contains(*id));
        assert_eq!(named, None, "the error of {failing} names a customer");
    }
    let sound = [
        "cltv > 100 AND (cltv_segment IN ('A', 'B') OR NOT p_alive < 0.5)",
        "customer_id LIKE '%a%' AND cltv BETWEEN 10 AND 1000",
        "ROUND(cltv, 0) = 100 OR COALESCE(cltv, 0) > 50",
        "CASE WHEN cltv > 100 THEN p_alive > 0.5 ELSE frequency >= 2 END",
        "cltv IS NOT NULL -- everybody",
        // A list of customers may be long.
        &format!("customer_id IN ('x', {})", vec!["'y'"; 20_000].join(", ")),
    ];
    for condition in sound {
        let output = cltv(["select", &run, "--where", condition]);
        assert!(output.status.success(), "{condition}: {}", stderr(&output));
    }
}

/// Writes a table to a Parquet file with so many rows in each group.
fn parquet_of(path: &Path, mut frame: DataFrame, rows: usize) {
    let file = fs::File::create(path).expect("made");
    ParquetWriter::new(file)
        .with_compression(ParquetCompression::Zstd(None))
        .with_row_group_size(Some(rows))
        .finish(&mut frame)
        .expect("written");
}

#[cfg(target_os = "linux")]
#[test]
fn a_small_file_that_unpacks_to_a_large_one_is_refused_at_once() {
    let place = folder();
    let at = |name: &str| place.path().join(name);
    // A page of 100 MB; twenty of 30 MB; empty rows, which take 24 bytes each.
    let texts = |length: usize, rows: usize| {
        let texts = StringChunked::full("customer_id".into(), &"c".repeat(length), rows);
        DataFrame::new(rows, vec![texts.into_column()]).expect("a table")
    };
    parquet_of(&at("page.parquet"), texts(100_000_000, 1), 1);
    parquet_of(&at("pages.parquet"), texts(30_000_000, 20), 1);
    let empty = [
        StringChunked::full_null("customer_id".into(), 40_000_000).into_column(),
        Float64Chunked::full_null("value".into(), 40_000_000).into_column(),
    ];
    let empty = DataFrame::new(40_000_000, empty.to_vec()).expect("a table");
    parquet_of(&at("empty.parquet"), empty, 40_000_000);
    // 20,000 views of one text of 70 KB: 1.4 GB, once they are copied.
    let same = StringChunked::full("note".into(), &"n".repeat(70_000), 20_000).into_column();
    let ids: StringChunked = (0..20_000).map(|id| Some(format!("id{id}"))).collect();
    let ids = ids.with_name("customer_id".into()).into_column();
    parquet_of(
        &at("same.parquet"),
        DataFrame::new(20_000, vec![ids, same]).expect("a table"),
        20_000,
    );
    let line = format!("customer_id,value\n1,{}\n", "9".repeat(100_000_000));
    fs::write(at("line.csv"), line).expect("written");
    fs::write(at("header.csv"), "a".repeat(100_000_000)).expect("written");
    let quoted = format!("customer_id,value\n1,\"{}\"\n", "9".repeat(100_000_000));
    fs::write(at("quoted.csv"), quoted).expect("written");
    for (file, why) in [
        ("page.parquet", "unpacks to"),
        ("pages.parquet", "unpacks to"),
        ("empty.parquet", "unpacks to"),
        ("line.csv", "line 2 has more than 1 MiB"),
        ("header.csv", "line 1 has more than 1 MiB"),
        ("quoted.csv", "line 2 has more than 1 MiB"),
        ("same.parquet", "cannot tell which column is what"),
    ] {
        let file = at(file).display().to_string();
        // The limit is of address space, of which the program takes far more than it uses.
        let script =
            format!("ulimit -v 3000000; exec '{}' check '{file}'", env!("CARGO_BIN_EXE_cltv"));
        let output = Command::new("sh").args(["-c", &script]).output().expect("a shell");
        assert_eq!(output.status.code(), Some(3), "{file}: {}", stderr(&output));
        assert!(stderr(&output).contains(why), "{file}: {}", stderr(&output));
    }
}

#[cfg(unix)]
#[test]
fn devices_without_end_are_refused() {
    let place = folder();
    let out = place.path().join("out").display().to_string();
    let zero = "/dev/zero";
    for arguments in [
        vec!["check", zero],
        vec!["init", zero],
        vec!["run", zero, "--output", &out],
        vec!["run", "pipelines/flo.toml", "--input", zero, "--output", &out],
        vec!["score", SAMPLE, "--model", zero, "--output", &out],
        vec!["promote", zero, "--models", &out],
        vec!["report", zero],
        vec!["compare", zero, zero],
        vec!["select", zero, "--where", "cltv > 1"],
    ] {
        let script = format!(
            "ulimit -v 3000000; exec '{}' {}",
            env!("CARGO_BIN_EXE_cltv"),
            arguments.iter().map(|word| format!("'{word}' ")).collect::<String>()
        );
        let output = Command::new("sh")
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["-c", &script])
            .output()
            .expect("a shell");
        let code = output.status.code();
        assert!(code.is_some_and(|code| (1..=3).contains(&code)), "{arguments:?}: {code:?}");
        assert!(stderr(&output).starts_with("error: "), "{arguments:?}: {}", stderr(&output));
        assert!(stderr(&output).lines().count() == 1, "{arguments:?}: {}", stderr(&output));
        assert!(!Path::new(&out).exists(), "{arguments:?}");
    }
    // Nor does a model in the place of another hold more than a model.
    for file in ["champion.json", "run.json"] {
        let models = place.path().join("models");
        fs::create_dir_all(&models).expect("made");
        std::os::unix::fs::symlink(zero, models.join(file)).expect("linked");
        let models = models.display().to_string();
        let output = cltv(["score", SAMPLE, "--model", &models, "--output", &out]);
        assert!(matches!(output.status.code(), Some(1..=3)), "{}", stderr(&output));
        let output = cltv(["report", &models]);
        assert!(matches!(output.status.code(), Some(1..=3)), "{}", stderr(&output));
    }
}
