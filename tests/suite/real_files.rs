//! Files as people really have them: each is a clean log or export, written in another way or with a
//! fault. It must give the same result as the clean file, or say what it doubts, or be refused.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};

use chrono::{Datelike, Days, NaiveDate};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::*;
use crate::words::{findings_said, told};

/// An order of a clean log.
#[derive(Clone)]
struct Order {
    number: usize,
    id: String,
    day: NaiveDate,
    /// Value in hundredths.
    cents: i64,
    city: &'static str,
}

fn day(year: i32, month: u32, day: u32) -> NaiveDate {
    NaiveDate::from_ymd_opt(year, month, day).expect("a day")
}

/// The first and the last day of the log.
const FIRST: (i32, u32, u32) = (2009, 12, 9);
const LAST: (i32, u32, u32) = (2011, 12, 8);

fn last_day() -> NaiveDate {
    day(LAST.0, LAST.1, LAST.2)
}

/// The paid orders of the sample log, one line each, in another currency: some are above 1,000.
fn orders() -> Vec<Order> {
    let cities = ["İstanbul", "Muğla", "Eskişehir"];
    let mut sums: BTreeMap<(String, String, String), i64> = BTreeMap::new();
    let mut reader = csv::Reader::from_path(project("data/orders_sample.csv")).expect("the sample");
    for line in reader.records() {
        let line = line.expect("a line");
        let number = |column: usize| line[column].parse::<f64>().expect("a number");
        if !line[0].starts_with('C') && !line[6].is_empty() {
            let id = line[6].trim_end_matches(".0").to_owned();
            let key = (line[4][..10].to_owned(), id, line[0].to_owned());
            *sums.entry(key).or_default() += (300.0 * number(3) * number(5)).round() as i64;
        }
    }
    let paid = sums.into_iter().filter(|(_, cents)| *cents > 0);
    let orders: Vec<Order> = paid
        .enumerate()
        .map(|(position, ((day, id, _), cents))| Order {
            number: 50_001 + position,
            city: cities[id.parse::<usize>().expect("a number") % 3],
            id: format!("K{id}"),
            day: day.parse().expect("a day"),
            cents,
        })
        .collect();
    let ends = [orders[0].day, orders[orders.len() - 1].day];
    assert_eq!(ends, [day(FIRST.0, FIRST.1, FIRST.2), last_day()]);
    assert!(orders.iter().any(|order| order.cents > 100_000));
    orders
}

fn plain(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

/// With separators of thousands.
fn grouped(cents: i64, thousands: &str, decimal: &str) -> String {
    let (whole, part) = (cents / 100, cents % 100);
    let whole = if whole < 1000 {
        whole.to_string()
    } else {
        format!("{}{thousands}{:03}", whole / 1000, whole % 1000)
    };
    format!("{whole}{decimal}{part:02}")
}

/// How a log is written.
struct Style {
    separator: &'static str,
    day: fn(NaiveDate) -> String,
    amount: fn(i64) -> String,
    id: fn(&str) -> String,
}

const PLAIN: Style =
    Style { separator: ",", day: |day| day.to_string(), amount: plain, id: |id| id.to_owned() };

const HEADER: [&str; 5] = ["order_id", "customer_id", "order_date", "amount", "city"];

fn written(orders: &[Order], style: &Style) -> String {
    let quoted = |cell: String| match cell.contains(style.separator) {
        true => format!("\"{cell}\""),
        false => cell,
    };
    let mut text = HEADER.join(style.separator) + "\n";
    for order in orders {
        let cells = [
            order.number.to_string(),
            (style.id)(&order.id),
            (style.day)(order.day),
            (style.amount)(order.cents),
            order.city.to_owned(),
        ];
        text += &(cells.map(quoted).join(style.separator) + "\n");
    }
    text
}

fn log(style: Style) -> String {
    written(&orders(), &style)
}

fn clean() -> String {
    log(PLAIN)
}

/// What `cltv init` and `cltv run` make of a file.
enum Outcome {
    Refused(String),
    Run(Box<Value>),
}

/// A folder with the pipeline that `init` writes for a clean log.
struct Place {
    folder: TempDir,
    total: f64,
}

impl Place {
    fn new() -> Self {
        let folder = folder();
        std::fs::write(folder.path().join("clean.csv"), clean()).expect("written");
        let place = Self { folder, total: 0.0 };
        let clean = place.path("clean.csv");
        let pipeline = place.path("clean.toml");
        let init =
            cltv(["init".as_ref(), clean.as_os_str(), "--out".as_ref(), pipeline.as_os_str()]);
        assert!(init.status.success(), "{}", stderr(&init));
        let Outcome::Run(document) = place.run(&pipeline, &clean, &[]) else {
            panic!("the clean file is refused");
        };
        let findings = document["warnings"].as_array().expect("a list");
        assert!(findings.iter().all(|finding| finding["severity"] == "note"), "{findings:?}");
        Self { total: number(&document, "/company/total_cltv"), ..place }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn file(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, bytes).expect("written");
        path
    }

    /// Runs a pipeline on a file, and checks that an error is one line without a customer's row.
    fn run(&self, pipeline: &Path, input: &Path, more: &[&str]) -> Outcome {
        let out = self.folder.path().join("out");
        let _ = std::fs::remove_dir_all(&out);
        let mut arguments: Vec<&std::ffi::OsStr> = vec!["run".as_ref(), pipeline.as_os_str()];
        arguments.extend(["--input".as_ref(), input.as_os_str()]);
        arguments.extend(["--output".as_ref(), out.as_os_str(), "--quiet".as_ref()]);
        arguments.extend(more.iter().map(|one| std::ffi::OsStr::new(*one)));
        let output = cltv(arguments);
        let said = stderr(&output);
        match output.status.code() {
            Some(0) => {
                let run = json(&out.join("run.json"));
                // The report has words for everything that was found.
                findings_said(&told(&run, "warnings"));
                Outcome::Run(Box::new(run))
            }
            Some(3) => {
                assert!(!said.contains("Eskişehir,") && !said.contains(",İstanbul"), "{said}");
                assert!(!out.join("run.json").exists(), "a half-written output");
                Outcome::Refused(said)
            }
            code => panic!("{}: exit code {code:?}: {said}", input.display()),
        }
    }

    /// In the pipeline of the clean file, as a scheduled job has it.
    fn pipe(&self, input: &Path) -> Outcome {
        self.run(&self.path("clean.toml"), input, &[])
    }

    /// Alone: with the pipeline that `init` writes for the file itself.
    fn alone(&self, input: &Path) -> Outcome {
        let pipeline = self.path("own.toml");
        let _ = std::fs::remove_file(&pipeline);
        let init =
            cltv(["init".as_ref(), input.as_os_str(), "--out".as_ref(), pipeline.as_os_str()]);
        match init.status.code() {
            Some(0) => self.run(&pipeline, input, &[]),
            Some(3) => Outcome::Refused(stderr(&init)),
            code => panic!("{}: exit code {code:?}: {}", input.display(), stderr(&init)),
        }
    }

    #[track_caller]
    fn same(&self, name: &str, bytes: impl AsRef<[u8]>) {
        let file = self.file(name, bytes);
        self.same_path(&file);
    }

    /// Both ways give the total of the clean file, to the last digits, with nothing set aside.
    #[track_caller]
    fn same_path(&self, file: &Path) {
        for outcome in [self.alone(file), self.pipe(file)] {
            match outcome {
                Outcome::Refused(said) => panic!("{} is refused: {said}", file.display()),
                Outcome::Run(run) => {
                    let total = number(&run, "/company/total_cltv");
                    close(&file.display().to_string(), total, self.total, 1e-12);
                    assert_eq!(run["rows"]["rejected"], 0, "{}", file.display());
                }
            }
        }
    }

    /// As [`Self::same`], and a note says what was done.
    #[track_caller]
    fn noted(&self, name: &str, bytes: impl AsRef<[u8]>, code: &str) {
        let file = self.file(name, bytes);
        self.same_path(&file);
        let Outcome::Run(run) = self.pipe(&file) else { panic!("{name} is refused") };
        assert!(has(&run, code, "note"), "{name}: no {code} in {}", run["warnings"]);
    }

    #[track_caller]
    fn refused(&self, name: &str, bytes: impl AsRef<[u8]>, words: &[&str]) {
        let file = self.file(name, bytes);
        for outcome in [self.alone(&file), self.pipe(&file)] {
            match outcome {
                Outcome::Run(_) => panic!("{name} is read"),
                Outcome::Refused(said) => {
                    for word in words {
                        assert!(said.contains(word), "{name}: {word:?} is not in {said}");
                    }
                    assert_eq!(said.trim_end().lines().count(), 1, "{said}");
                }
            }
        }
    }

    /// Runs with a warning; `total` is of the rows that are right.
    #[track_caller]
    fn warned(&self, name: &str, bytes: impl AsRef<[u8]>, code: &str, right: Option<&[Order]>) {
        let file = self.file(name, bytes);
        let expected = right.map(|right| {
            let right = self.file("right.csv", written(right, &PLAIN));
            match self.pipe(&right) {
                Outcome::Run(run) => number(&run, "/company/total_cltv"),
                Outcome::Refused(said) => panic!("{said}"),
            }
        });
        for outcome in [self.alone(&file), self.pipe(&file)] {
            let Outcome::Run(run) = outcome else { panic!("{name} is refused") };
            let warnings = run["warnings"].as_array().expect("a list");
            let found = warnings.iter().find(|w| w["code"] == code && w["severity"] == "warning");
            assert!(found.is_some(), "{name}: no {code} in {warnings:?}");
            if let Some(expected) = expected {
                close(name, number(&run, "/company/total_cltv"), expected, 1e-12);
            }
        }
    }
}

fn has(run: &Value, code: &str, severity: &str) -> bool {
    let findings = run["warnings"].as_array().expect("a list");
    findings.iter().any(|one| one["code"] == code && one["severity"] == severity)
}

#[test]
fn numbers_in_every_notation() {
    let place = Place::new();
    let semicolons = |amount| Style { separator: ";", amount, ..PLAIN };
    place.same("comma.csv", log(semicolons(|c| plain(c).replace('.', ","))));
    place.same("turkish.csv", log(semicolons(|c| grouped(c, ".", ","))));
    place.same("english.csv", log(Style { amount: |c| grouped(c, ",", "."), ..PLAIN }));
    place.same("blank.csv", log(semicolons(|c| grouped(c, " ", ","))));
    place.same("thin.csv", log(semicolons(|c| grouped(c, "\u{202f}", ","))));
    place.same("no_break.csv", log(semicolons(|c| grouped(c, "\u{a0}", ","))));
    place.same("apostrophe.csv", log(Style { amount: |c| grouped(c, "'", "."), ..PLAIN }));
    place.same("dollar.csv", log(Style { amount: |c| format!("${}", plain(c)), ..PLAIN }));
    place.same("lira.csv", log(semicolons(|c| format!("₺{}", grouped(c, ".", ",")))));
    place.same("tl.csv", log(semicolons(|c| format!("{} TL", grouped(c, ".", ",")))));
    place.same("code.csv", log(Style { amount: |c| format!("EUR {}", plain(c)), ..PLAIN }));
    let protected = |c| format!("=\"\"{}\"\"", plain(c)).replace("\"\"", "\"");
    place.same("protected.csv", log(Style { separator: ";", amount: protected, ..PLAIN }));
}

#[test]
fn numbers_that_cannot_be_told_are_refused() {
    let place = Place::new();
    let some = |c: i64| if c % 31 == 0 { plain(c).replace('.', ",") } else { plain(c) };
    let mixed = log(Style { separator: ";", amount: some, ..PLAIN });
    place.refused("mixed.csv", mixed, &["\"amount\"", "written in two ways", "in row "]);
    let thousands = |c: i64| format!("{}.{:03}", (c + 1000) / 1000, c % 1000);
    let open = log(Style { separator: ";", amount: thousands, ..PLAIN });
    let words = ["two ways", "number_format = \"1234.56\"", "number_format = \"1.234,56\""];
    place.refused("open.csv", &open, &words);
    let file = place.file("open.csv", open);
    for (format, factor) in [("1234.56", 1.0), ("1.234,56", 1000.0)] {
        let set = format!("input.number_format={format}");
        let Outcome::Run(run) = place.run(&place.path("clean.toml"), &file, &["--set", &set])
        else {
            panic!("the key does not settle it");
        };
        let expected: f64 =
            orders().iter().map(|order| factor * (order.cents + 1000) as f64 / 1000.0).sum();
        close(format, number(&run, "/revenue"), expected, 1e-9);
    }
    let some = |c: i64| format!("{}{}", if c % 31 == 0 { "$" } else { "" }, plain(c));
    let some = log(Style { amount: some, ..PLAIN });
    place.refused("some_dollars.csv", some, &["have a currency ($)", "in one currency?"]);
    let odd =
        |c: i64| if c > 100_000 { format!("{}_{:05}", c / 100_000, c % 100_000) } else { plain(c) };
    let odd = log(Style { amount: odd, ..PLAIN });
    place.refused("odd.csv", odd, &["a notation that is not read", "in row"]);
    let two = |c: i64| format!("{}{}", if c % 5 == 0 { "€" } else { "$" }, plain(c));
    let two = log(Style { amount: two, ..PLAIN });
    place.refused("two_currencies.csv", two, &["more than one currency", "in $", "in €"]);
}

/// Seconds from 1970-01-01 to the afternoon of a day, in UTC.
fn seconds(day: NaiveDate) -> i64 {
    i64::from(day.to_epoch_days()) * 86_400 + 50_000
}

#[test]
fn dates_in_every_form() {
    let place = Place::new();
    let with = |day| Style { day, ..PLAIN };
    const TURKISH: [&str; 12] = [
        "Ocak", "Şubat", "Mart", "Nisan", "Mayıs", "Haziran", "Temmuz", "Ağustos", "Eylül", "Ekim",
        "Kasım", "Aralık",
    ];
    place.same("named.csv", log(with(|d| d.format("%d %b %Y").to_string())));
    place.same("named_short.csv", log(with(|d| d.format("%d-%b-%y").to_string())));
    let us = Style { separator: ";", day: |d| d.format("%B %d, %Y").to_string(), ..PLAIN };
    place.same("named_us.csv", log(us));
    let turkish =
        |d: NaiveDate| format!("{} {} {}", d.day(), TURKISH[d.month0() as usize], d.year());
    place.same("turkish.csv", log(with(turkish)));
    place.same("short_first.csv", log(with(|d| d.format("%y-%m-%d").to_string())));
    place.same("short_last.csv", log(with(|d| d.format("%d.%m.%y").to_string())));
    place.same("short_us.csv", log(with(|d| d.format("%m/%d/%y").to_string())));
    place.same("twelve.csv", log(with(|d| d.format("%m/%d/%Y 03:15 PM").to_string())));
    place.same("digits.csv", log(with(|d| d.format("%Y%m%d").to_string())));
    place.same("float.csv", log(with(|d| d.format("%Y%m%d.0").to_string())));
    place.same("epoch.csv", log(with(|d| seconds(d).to_string())));
    place.same("epoch_ms.csv", log(with(|d| (seconds(d) * 1000 + 7).to_string())));
    place.same("serial.csv", log(with(|d| (d.to_epoch_days() + 25_569).to_string())));
    place.same("serial_time.csv", log(with(|d| format!("{}.75", d.to_epoch_days() + 25_569))));
    place.same("offset.csv", log(with(|d| format!("{d}T23:30:00-0400"))));
    place.same("offset_east.csv", log(with(|d| format!("{d} 00:30:00+03:00"))));
    let utc = |d: NaiveDate| format!("{d} 23:30:00 -0400");
    let file = place.file("z.csv", log(with(utc)));
    let format = ["--date-format", "%Y-%m-%d %H:%M:%S %z"];
    let Outcome::Run(run) = place.run(&place.path("clean.toml"), &file, &format) else {
        panic!("refused");
    };
    close("the day as written", number(&run, "/company/total_cltv"), place.total, 1e-12);
}

#[test]
fn dates_in_two_orders_are_refused() {
    let place = Place::new();
    let some = |d: NaiveDate| {
        let other = d.num_days_from_ce() % 5 == 0;
        d.format(if other { "%m/%d/%Y" } else { "%d/%m/%Y" }).to_string()
    };
    let mixed = log(Style { day: some, ..PLAIN });
    place.refused("mixed.csv", mixed, &["more than one way", "--date-format", "date_format"]);
    let early: Vec<Order> = orders().into_iter().filter(|o| o.day.day() <= 12).collect();
    let open = written(&early, &Style { day: |d| d.format("%d/%m/%Y").to_string(), ..PLAIN });
    place.refused("open.csv", open, &["cannot be told apart", "--date-format"]);
}

#[test]
fn dates_far_from_the_rest_are_set_aside() {
    let place = Place::new();
    for (name, wrong) in [
        ("late", day(2042, 3, 1)),
        ("next_year", day(2012, 12, 3)),
        ("early", day(1900, 1, 1)),
        ("epoch", day(1970, 1, 1)),
    ] {
        let mut with = orders();
        let mut right = with.clone();
        right.remove(200);
        with[200].day = wrong;
        let name = format!("{name}.csv");
        place.warned(&name, written(&with, &PLAIN), "implausible_dates", Some(&right));
    }
    // --strict refuses it, and the limits can be set.
    let mut with = orders();
    with[200].day = day(2042, 3, 1);
    let file = place.file("strict.csv", written(&with, &PLAIN));
    let pipeline = place.path("clean.toml");
    let arguments = ["--strict", "--output"].map(std::ffi::OsStr::new);
    let out = place.path("strict");
    let input = ["--input".as_ref(), file.as_os_str()];
    let strict = cltv(
        [&["run".as_ref(), pipeline.as_os_str()][..], &input, &arguments, &[out.as_os_str()]]
            .concat(),
    );
    assert_eq!(strict.status.code(), Some(4), "{}", stderr(&strict));
    let Outcome::Run(run) = place.run(&pipeline, &file, &["--set", "contract.date_gap_days=0"])
    else {
        panic!("refused");
    };
    assert_eq!(run["last_order"], "2042-03-01");
}

#[test]
fn ids_that_are_no_customers() {
    let place = Place::new();
    let right: Vec<Order> = orders().into_iter().filter(|o| o.number % 9 != 0).collect();
    for guest in ["GUEST", "misafir", "null", "0", "-1", "00000000-0000-0000-0000-000000000000"] {
        let mut with = orders();
        with.iter_mut().filter(|o| o.number % 9 == 0).for_each(|o| o.id = guest.to_owned());
        place.warned("guests.csv", written(&with, &PLAIN), "guest_ids", Some(&right));
    }
    let mut with = orders();
    with.iter_mut().filter(|o| o.number % 9 == 0).for_each(|o| o.id = "K777".to_owned());
    place.warned("till.csv", written(&with, &PLAIN), "frequent_id", None);
    let mut with = orders();
    with.push(Order { id: "Genel Toplam".to_owned(), cents: 9_999_999, ..with[0].clone() });
    place.warned("total.csv", written(&with, &PLAIN), "total_rows", Some(&orders()));
}

#[test]
fn ids_that_were_damaged() {
    let place = Place::new();
    let scientific = |id: &str| format!("{}.{}E+12", &id[1..2], &id[2..4]);
    let words = ["\"customer_id\"", "last digits", "as text"];
    place.refused("scientific.csv", log(Style { id: scientific, ..PLAIN }), &words);
    let mut with = orders();
    for order in &mut with {
        let id = order.id.to_lowercase();
        let upper = order.number % 2 == 0;
        order.id = format!("{}@x.test", if upper { id.to_uppercase() } else { id });
    }
    place.warned("cases.csv", written(&with, &PLAIN), "ids_in_two_cases", None);
    let mut with = orders();
    for order in &mut with {
        let zeros = if order.number % 2 == 0 { "000" } else { "" };
        order.id = format!("{zeros}{}", &order.id[1..]);
    }
    place.warned("zeros.csv", written(&with, &PLAIN), "leading_zeros_lost", None);
}

#[test]
fn encodings() {
    let place = Place::new();
    for name in ["windows-1254", "iso-8859-9"] {
        let encoding = encoding_rs::Encoding::for_label(name.as_bytes()).expect("an encoding");
        place.noted(&format!("{name}.csv"), encoding.encode(&clean()).0, "encoding_found");
    }
    let units = |swap: bool| -> Vec<u8> {
        let order = |unit: u16| if swap { unit.to_be_bytes() } else { unit.to_le_bytes() };
        std::iter::once(0xfeff).chain(clean().encode_utf16()).flat_map(order).collect()
    };
    place.same("utf16le.csv", units(false));
    place.same("utf16be.csv", units(true));
    place.same("bom.csv", format!("\u{feff}{}", clean()));
    // A byte that is wrong in a column on which no number depends is no reason to stop.
    let text = clean();
    let at = text.rfind("Muğla").expect("a city");
    let mut bytes = text.clone().into_bytes();
    bytes.splice(at..at + 1, [0xe9]);
    place.noted("stray.csv", &bytes, "stray_bytes");
    // In an id it is.
    let at = text.rfind(",K").expect("an id") + 1;
    let mut bytes = text.into_bytes();
    bytes[at] = 0xe9;
    let file = place.file("stray_id.csv", bytes);
    match place.pipe(&file) {
        Outcome::Refused(said) => assert!(said.contains("input.encoding"), "{said}"),
        Outcome::Run(_) => panic!("a wrong byte in an id is passed over"),
    }
}

#[test]
fn lines_and_headers() {
    let place = Place::new();
    let semicolons = || log(Style { separator: ";", ..PLAIN });
    place.same("sep.csv", format!("sep=;\n{}", semicolons()));
    place
        .same("titles.csv", format!("Sales report\nDecember 2009 to December 2011\n\n{}", clean()));
    place.same("padded.csv", format!("Satış raporu,,,,\n,,,,\n{}", clean()));
    place.same("comment.csv", format!("# made by a shop\n{}", clean()));
    place.same("cr.csv", clean().replace('\n', "\r"));
    place.same("crlf.csv", clean().replace('\n', "\r\n"));
    let (_, rows) =
        clean().split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("rows");
    place.refused("no_header.csv", &rows, &["looks like data", "names of the columns"]);
    let twice = format!("order_id,customer_id,order_date,amount,amount\n{rows}");
    place.refused("twice.csv", twice, &["\"amount\"", "stands twice"]);
    let cut = clean();
    let cut = cut.trim_end().rsplit_once(',').expect("a comma").0;
    let cut = cut.rsplit_once(',').expect("a comma").0;
    let file = place.file("cut.csv", cut);
    let Outcome::Run(run) = place.pipe(&file) else { panic!("refused") };
    let warnings = run["warnings"].as_array().expect("a list");
    assert!(warnings.iter().any(|w| w["code"] == "file_cut_off"), "{warnings:?}");
}

#[test]
fn quotes() {
    let place = Place::new();
    let city = |with: &str| {
        let mut text = String::new();
        for (position, line) in clean().lines().enumerate() {
            let line = match position % 100 {
                37 => format!("{},{with}", line.rsplit_once(',').expect("a city").0),
                _ => line.to_owned(),
            };
            text += &(line + "\n");
        }
        text
    };
    place.noted("inch.csv", city("12\" boot"), "odd_quotes");
    place.same("inch_quoted.csv", city("\"12\" boot\""));
    place.same("backslash.csv", city("\"12\\\" boot\""));
    place.same("doubled.csv", city("\"12\"\" boot\""));
    place.same("newline.csv", city("\"a\nb\""));
    let unclosed = clean().replacen("İstanbul", "\"İstanbul", 1);
    place.refused("unclosed.csv", unclosed, &["the quote that opens in line"]);
    let more = clean().replacen("Muğla", "Muğla,48000", 1);
    place.refused("more_fields.csv", more, &["fields", "line"]);
}

#[test]
fn packed_files_and_folders() {
    let place = Place::new();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(clean().as_bytes()).expect("packed");
    let gzip = gzip.finish().expect("packed");
    place.same("log.csv.gz", &gzip);
    place.same("log.csv.zst", zstd::encode_all(clean().as_bytes(), 1).expect("packed"));
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    archive.start_file("log.csv", zip::write::SimpleFileOptions::default()).expect("a file");
    archive.write_all(clean().as_bytes()).expect("packed");
    place.same("log.zip", archive.finish().expect("packed").into_inner());
    place.refused("half.csv.gz", &gzip[..gzip.len() / 2], &["cut off or damaged"]);
    for year in [2009, 2010, 2011] {
        let of_year: Vec<Order> = orders().into_iter().filter(|o| o.day.year() == year).collect();
        place.file(&format!("hive/year={year}/part-0.csv"), written(&of_year, &PLAIN));
    }
    place.same_path(&place.path("hive"));
    let all = orders();
    place.file("parts/a.csv", written(&all[..all.len() * 2 / 3], &PLAIN));
    place.file("parts/b.csv", written(&all[all.len() / 2..], &PLAIN));
    let parts = place.path("parts");
    for outcome in [place.alone(&parts), place.pipe(&parts)] {
        let Outcome::Run(run) = outcome else { panic!("refused") };
        let warnings = run["warnings"].as_array().expect("a list");
        let found = warnings.iter().find(|w| w["code"] == "files_overlap").expect("a warning");
        assert_eq!(found["facts"]["lines"], (all.len() * 2 / 3 - all.len() / 2) as f64);
    }
    let drop = ["--set", "transactions.duplicate_lines=drop"];
    let Outcome::Run(run) = place.run(&place.path("clean.toml"), &parts, &drop) else {
        panic!("refused");
    };
    close("without the overlap", number(&run, "/company/total_cltv"), place.total, 1e-12);
}

/// A worksheet with texts, and numbers and dates where a column has them.
fn worksheet(rows: &[Vec<String>]) -> String {
    let mut xml = String::from(
        "<worksheet xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>",
    );
    for (row, cells) in (1..).zip(rows) {
        xml += &format!("<row r=\"{row}\">");
        for (column, cell) in ('A'..).zip(cells) {
            let is_number = cell.parse::<f64>().is_ok();
            xml += &match is_number {
                true => format!("<c r=\"{column}{row}\"><v>{cell}</v></c>"),
                false => {
                    format!("<c r=\"{column}{row}\" t=\"inlineStr\"><is><t>{cell}</t></is></c>")
                }
            };
        }
        xml += "</row>";
    }
    xml + "</sheetData></worksheet>"
}

fn workbook(sheets: &[(&str, String)]) -> Vec<u8> {
    let mut book = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let mut add = |name: &str, text: &str| {
        book.start_file(name, zip::write::SimpleFileOptions::default()).expect("a part");
        book.write_all(text.as_bytes()).expect("written");
    };
    let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
    let office = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
    let packages = "http://schemas.openxmlformats.org/package/2006/relationships";
    let (mut list, mut targets) = (String::new(), String::new());
    for (number, (name, xml)) in (1..).zip(sheets) {
        list += &format!("<sheet name=\"{name}\" sheetId=\"{number}\" r:id=\"r{number}\"/>");
        targets += &format!(
            "<Relationship Id=\"r{number}\" Type=\"{office}/worksheet\" \
             Target=\"worksheets/sheet{number}.xml\"/>"
        );
        add(&format!("xl/worksheets/sheet{number}.xml"), xml);
    }
    add(
        "xl/workbook.xml",
        &format!(
            "<workbook xmlns=\"{main}\" xmlns:r=\"{office}\"><sheets>{list}</sheets></workbook>"
        ),
    );
    add(
        "_rels/.rels",
        &format!(
            "<Relationships xmlns=\"{packages}\"><Relationship Id=\"r1\" \
             Type=\"{office}/officeDocument\" Target=\"xl/workbook.xml\"/></Relationships>"
        ),
    );
    let relationships = format!("<Relationships xmlns=\"{packages}\">{targets}</Relationships>");
    add("xl/_rels/workbook.xml.rels", &relationships);
    book.finish().expect("packed").into_inner()
}

#[test]
fn workbooks() {
    let place = Place::new();
    let cells = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<String>>();
    let table: Vec<Vec<String>> = clean().lines().map(cells).collect();
    let about = worksheet(&[vec!["About".to_owned()], vec!["Sales of two years".to_owned()]]);
    place.same("one.xlsx", workbook(&[("Sheet1", worksheet(&table))]));
    let two = workbook(&[("Notes", about), ("Data", worksheet(&table))]);
    place.noted("two.xlsx", &two, "sheet_chosen");
    let mut titled = vec![vec!["Sales report".to_owned()], Vec::new()];
    titled.extend(table);
    place.noted("titled.xlsx", workbook(&[("Data", worksheet(&titled))]), "lines_before_header");
    let file = place.file("named.xlsx", two);
    match place.run(&place.path("clean.toml"), &file, &["--set", "input.sheet=Date"]) {
        Outcome::Refused(said) => assert!(said.contains("\"Data\""), "{said}"),
        Outcome::Run(_) => panic!("a worksheet that is not there"),
    }
}

#[test]
fn parquet_types() {
    use polars::prelude::*;
    let place = Place::new();
    let orders = orders();
    let bytes_of = |id: &str| -> Vec<u8> {
        (0..16).map(|at| id.as_bytes()[at % id.len()].wrapping_mul(7 + at as u8)).collect()
    };
    let mut frame = df!(
        "order_id" => orders.iter().map(|o| o.number as i64).collect::<Vec<_>>(),
        "customer_id" => orders.iter().map(|o| o.id.clone()).collect::<Vec<_>>(),
        "order_date" => orders.iter().map(|o| o.day).collect::<Vec<_>>(),
        "amount" => orders.iter().map(|o| o.cents as f64 / 100.0).collect::<Vec<_>>(),
        "city" => orders.iter().map(|o| o.city).collect::<Vec<_>>(),
    )
    .expect("a frame");
    let write = |frame: &mut DataFrame, name: &str| {
        let path = place.path(name);
        let file = std::fs::File::create(&path).expect("a file");
        ParquetWriter::new(file).finish(frame).expect("written");
        path
    };
    place.same_path(&write(&mut frame, "plain.parquet"));
    // A struct that is only kept is left empty, and said.
    let pair = as_struct(vec![col("city"), col("amount")]).alias("city");
    let mut odd = frame.clone().lazy().with_column(pair).collect().expect("a frame");
    let file = write(&mut odd, "struct.parquet");
    place.same_path(&file);
    let Outcome::Run(run) = place.pipe(&file) else { panic!("refused") };
    assert!(has(&run, "column_passed_over", "note"), "{}", run["warnings"]);
    let needed = ["--set", "input.columns.order_id=city"];
    match place.run(&place.path("clean.toml"), &file, &needed) {
        Outcome::Refused(said) => assert!(said.contains("\"city\" is a struct"), "{said}"),
        Outcome::Run(_) => panic!("an id that is a struct"),
    }
    // Ids of sixteen bytes.
    let ids: Vec<Vec<u8>> = orders.iter().map(|order| bytes_of(&order.id)).collect();
    let ids = BinaryChunked::from_iter_values("customer_id".into(), ids.iter().map(Vec::as_slice));
    let mut binary = frame.clone();
    binary.with_column(ids.into_column()).expect("a column");
    place.same_path(&write(&mut binary, "uuid.parquet"));
    // The same column with another type than in the run before.
    let out = place.path("kept");
    let pipeline = place.path("clean.toml");
    run_ok(&pipeline.display().to_string(), &place.path("plain.parquet"), &out, &[]);
    let text = col("order_id").cast(DataType::String);
    let mut changed = frame.lazy().with_column(text).collect().expect("a frame");
    let file = write(&mut changed, "changed.parquet");
    run_ok(&pipeline.display().to_string(), &file, &out, &[]);
    let run = json(&out.join("run.json"));
    assert!(has(&run, "column_type_changed", "warning"), "{}", run["warnings"]);
}

/// The same customers a quarter later, their ids without leading zeros or in capital letters.
#[test]
fn ids_that_changed_between_two_runs() {
    let place = Place::new();
    let (pipeline, before) = (place.path("clean.toml").display().to_string(), place.path("before"));
    let spelled = |id: fn(&str) -> String| log(Style { id, ..PLAIN });
    for (name, first, then) in [
        (
            "ids_changed-zeros",
            spelled(|id| format!("00{}", &id[1..])),
            spelled(|id| id[1..].to_owned()),
        ),
        ("ids_changed-cases", spelled(|id| id.to_lowercase()), clean()),
    ] {
        let (first, then) = (place.file("first.csv", first), place.file("then.csv", then));
        let after = place.path(name);
        let _ = std::fs::remove_dir_all(&before);
        run_ok(&pipeline, &first, &before, &[]);
        run_ok(&pipeline, &then, &after, &["--as-of", "2011-12-15"]);
        let out = place.path("compared");
        let _ = std::fs::remove_dir_all(&out);
        let compared = cltv([
            "compare".as_ref(),
            before.as_os_str(),
            after.as_os_str(),
            "--output".as_ref(),
            out.as_os_str(),
        ]);
        assert!(compared.status.success(), "{}", stderr(&compared));
        let document = json(&out.join("comparison.json"));
        let findings: Vec<cltv::results::findings::Finding> = told(&document, "warnings");
        assert!(findings_said(&findings).contains(name), "{findings:?}");
    }
}

#[test]
fn more_rows_without_a_customer_than_before() {
    let place = Place::new();
    let (pipeline, out) = (place.path("clean.toml").display().to_string(), place.path("kept"));
    run_ok(&pipeline, &place.path("clean.csv"), &out, &[]);
    let mut with = orders();
    with.iter_mut().filter(|o| o.number % 7 == 0).for_each(|o| o.id = String::new());
    run_ok(&pipeline, &place.file("less.csv", written(&with, &PLAIN)), &out, &[]);
    let run = json(&out.join("run.json"));
    assert!(has(&run, "more_rows_without_customer", "warning"), "{}", run["warnings"]);
    // Lines without a customer are usual in the log of a till: by themselves they are a note.
    assert!(has(&run, "rows_set_aside", "note"), "{}", run["warnings"]);
}

#[test]
fn a_small_file_that_unpacks_to_very_much_is_refused() {
    let place = Place::new();
    let packed = |bytes: &[u8]| {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
        gzip.write_all(bytes).expect("packed");
        gzip.finish().expect("packed")
    };
    // Files of gzip one after the other are one file.
    let zeros = packed(&vec![b'0'; 1 << 20]);
    let mut bomb = packed(b"order_id,customer_id,order_date,amount,city\n");
    (0..1_100).for_each(|_| bomb.extend(&zeros));
    assert!(bomb.len() < 8 << 20, "a small file");
    place.refused("bomb.csv.gz", bomb, &["more than 200 times its size"]);
}

#[test]
fn standard_input() {
    use std::process::{Command, Stdio};
    let place = Place::new();
    let out = place.path("piped");
    let mut child = Command::new(env!("CARGO_BIN_EXE_cltv"))
        .args(["run".as_ref(), place.path("clean.toml").as_os_str(), "--input".as_ref()])
        .args(["-".as_ref(), "--output".as_ref(), out.as_os_str()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("the program starts");
    let mut pipe = child.stdin.take().expect("a pipe");
    pipe.write_all(clean().as_bytes()).expect("written");
    drop(pipe);
    assert!(child.wait().expect("it ends").success());
    let run = json(&out.join("run.json"));
    close("from standard input", number(&run, "/company/total_cltv"), place.total, 1e-12);
    assert_eq!(run["inputs"][0]["file"], "-");
}

/// Each return is booked nine days after its purchase, under another order id.
#[test]
fn later_returns_are_taken_off_their_purchases() {
    let place = Place::new();
    let all = orders();
    // A customer's returns only of orders that no other order follows within nine days.
    let is_returned = |order: &&Order| {
        let next = all.iter().find(|o| o.id == order.id && o.day > order.day);
        order.number.is_multiple_of(11)
            && next.is_none_or(|next| (next.day - order.day).num_days() > 9)
    };
    let returned: Vec<&Order> = all.iter().filter(is_returned).collect();
    assert!(returned.len() > 20);
    let right: Vec<Order> =
        all.iter().filter(|o| !returned.iter().any(|r| r.number == o.number)).cloned().collect();
    let expected = match place.pipe(&place.file("right.csv", written(&right, &PLAIN))) {
        Outcome::Run(run) => number(&run, "/company/total_cltv"),
        Outcome::Refused(said) => panic!("{said}"),
    };
    for own_id in [true, false] {
        let mut text = written(&all, &PLAIN);
        for order in &returned {
            let number = if own_id { order.number } else { order.number + 200_000 };
            let (id, amount) = (&order.id, plain(order.cents));
            let day = (order.day + Days::new(9)).min(last_day());
            text += &format!("{number},{id},{day},-{amount},{}\n", order.city);
        }
        let Outcome::Run(run) = place.pipe(&place.file("returns.csv", text)) else {
            panic!("refused");
        };
        close("without what came back", number(&run, "/company/total_cltv"), expected, 1e-12);
        let warnings = run["warnings"].as_array().expect("a list");
        let note = warnings.iter().find(|w| w["code"] == "returns_moved").expect("a note");
        let by = if own_id { "by_order" } else { "by_date" };
        assert_eq!(note["facts"][by], returned.len() as f64);
    }
    // What was bought before the log begins cannot be found in it.
    let early = format!("{}1,K00001,2009-12-10,-500.00,Muğla\n", clean());
    let Outcome::Run(run) = place.pipe(&place.file("early.csv", early)) else { panic!("refused") };
    assert!(has(&run, "returns_unmatched", "note"), "{}", run["warnings"]);
    close("dropped", number(&run, "/company/total_cltv"), place.total, 1e-12);
}

#[test]
fn totals_repeated_on_each_line_and_currencies() {
    let place = Place::new();
    let mut text = String::from("order_id,customer_id,order_date,product,amount,city\n");
    for order in orders() {
        for line in 0..1 + order.number % 3 {
            let (number, id, day) = (order.number, &order.id, order.day);
            text += &format!("{number},{id},{day},p{line},{},{}\n", plain(order.cents), order.city);
        }
    }
    let file = place.file("repeated.csv", text);
    let Outcome::Run(run) = place.alone(&file) else { panic!("refused") };
    close("once an order", number(&run, "/company/total_cltv"), place.total, 1e-12);
    let Outcome::Run(run) = place.pipe(&file) else { panic!("refused") };
    let warnings = run["warnings"].as_array().expect("a list");
    assert!(warnings.iter().any(|w| w["code"] == "repeated_totals"), "{warnings:?}");
    let (header, rows) =
        clean().split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("rows");
    let rows = rows.lines().enumerate().map(|(position, row)| {
        format!("{row},{}\n", if position % 10 == 0 { "EUR" } else { "TRY" })
    });
    let two = format!("{header},currency\n{}", rows.collect::<String>());
    place.warned("currencies.csv", two, "several_currencies", None);
}

/// An export of the clean log: one row per customer, with two channels.
fn export(blank: &str) -> String {
    let mut text = String::from(
        "customer_id,first_order_date,last_order_date,orders_online,orders_offline,spend_online,\
         spend_offline\n",
    );
    let all = orders();
    let mut ids: Vec<&str> = all.iter().map(|o| o.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    for (position, id) in ids.into_iter().enumerate() {
        let own: Vec<&Order> = all.iter().filter(|o| o.id == id).collect();
        let (first, last) = (own[0].day, own[own.len() - 1].day);
        let spent = plain(own.iter().map(|o| o.cents).sum());
        let (count, none) = (own.len().to_string(), blank.to_owned());
        let cells = match position % 2 {
            0 => [count, none.clone(), spent, none],
            _ => [none.clone(), count, none, spent],
        };
        text += &format!("{id},{first},{last},{}\n", cells.join(","));
    }
    text
}

#[test]
fn a_blank_channel_is_one_that_was_never_used() {
    let place = Place::new();
    let total = |name: &str, blank: &str| match place.alone(&place.file(name, export(blank))) {
        Outcome::Run(run) => {
            assert_eq!(run["rows"]["rejected"], 0);
            number(&run, "/company/total_cltv")
        }
        Outcome::Refused(said) => panic!("{said}"),
    };
    let zeros = total("zeros.csv", "0");
    for (name, blank) in [("blank.csv", ""), ("null.csv", "NULL")] {
        close(name, total(name, blank), zeros, 1e-12);
    }
}

/// The first 20,000 rows decide how columns are written only if all later rows agree.
#[test]
fn what_the_first_rows_say_is_checked_on_all() {
    let place = Place::new();
    let mut many: Vec<Order> = Vec::new();
    for copy in 0..28 {
        many.extend(orders().into_iter().map(|o| Order { id: format!("{}x{copy}", o.id), ..o }));
    }
    many.sort_by_key(|order| order.cents >= 100_000);
    (1..).zip(&mut many).for_each(|(number, order)| order.number = number);
    assert!(many.len() > 23_000 && many[..22_000].iter().all(|order| order.cents < 100_000));
    let total = |name: &str, text: &str| {
        let file = place.file(name, text);
        let [alone, piped] = [place.alone(&file), place.pipe(&file)].map(|outcome| match outcome {
            Outcome::Run(run) => number(&run, "/company/total_cltv"),
            Outcome::Refused(said) => panic!("{name}: {said}"),
        });
        close(name, alone, piped, 1e-12);
        piped
    };
    let plain_text = written(&many, &PLAIN);
    let expected = total("many.csv", &plain_text);
    let late_thousands = Style { amount: |c| grouped(c, ",", "."), ..PLAIN };
    close("thousands", total("thousands.csv", &written(&many, &late_thousands)), expected, 1e-12);
    let late_times: String = plain_text
        .lines()
        .enumerate()
        .map(|(row, line)| {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            if row > 22_000 {
                cells[2] += " 10:15:00";
            }
            cells.join(",") + "\n"
        })
        .collect();
    close("times", total("times.csv", &late_times), expected, 1e-12);
    let late_comma = Style { separator: ";", ..PLAIN };
    let text = written(&many, &late_comma);
    let (first, rest) = text.split_at(text.len() - 2_000);
    place.refused("comma.csv", format!("{first}{}", rest.replace('.', ",")), &["two ways"]);
}

#[test]
fn a_stated_date_format_leaves_the_time_of_day_out() {
    let place = Place::new();
    let style = Style { day: |d| d.format("%d/%m/%Y 10:15").to_string(), ..PLAIN };
    let file = place.file("times.csv", log(style));
    let stated = ["--date-format", "%d/%m/%Y"];
    let Outcome::Run(run) = place.run(&place.path("clean.toml"), &file, &stated) else {
        panic!("refused");
    };
    close("stated", number(&run, "/company/total_cltv"), place.total, 1e-12);
}

#[test]
fn required_types_know_the_notation() {
    let place = Place::new();
    let turkish = Style { separator: ";", amount: |c| grouped(c, ".", ","), ..PLAIN };
    let file = place.file("turkish.csv", log(turkish));
    let required = ["--set", "contract.required={ amount = \"number\", order_date = \"date\" }"];
    let Outcome::Run(run) = place.run(&place.path("clean.toml"), &file, &required) else {
        panic!("refused");
    };
    close("required", number(&run, "/company/total_cltv"), place.total, 1e-12);
}

/// What the pipeline states is no doubt: ids and dates that it names are set aside without a warning.
#[test]
fn what_the_pipeline_leaves_out_is_no_warning() {
    let place = Place::new();
    let mut with = orders();
    with.iter_mut().filter(|o| o.number % 9 == 0).for_each(|o| o.id = "K777".to_owned());
    with[10].day = day(2042, 3, 1);
    let file = place.file("till.csv", written(&with, &PLAIN));
    let set = ["--set", "input.guest_ids=[\"K777\"]", "--set", "contract.latest_date=2011-12-08"];
    let Outcome::Run(run) = place.run(&place.path("clean.toml"), &file, &set) else {
        panic!("refused");
    };
    let findings = run["warnings"].as_array().expect("a list");
    assert!(findings.iter().all(|one| one["severity"] == "note"), "{findings:?}");
    assert_eq!(run["rejected"]["date_out_of_range"], 1);
    assert!(run["rejected"]["left_out_id"].as_u64().is_some_and(|rows| rows > 50));
}

#[test]
fn ids_that_stand_on_the_first_line_of_an_order_only() {
    let place = Place::new();
    let mut text = String::from("order_id,customer_id,order_date,amount,city\n");
    for order in orders() {
        let (number, day, half) = (order.number, order.day, plain(order.cents / 2 + 1));
        text += &format!("{number},{},{day},{half},x\n{number},,{day},{half},x\n", order.id);
    }
    let Outcome::Run(run) = place.pipe(&place.file("first.csv", text)) else { panic!("refused") };
    assert!(has(&run, "ids_on_first_lines", "warning"), "{}", run["warnings"]);
}

/// Values of whole orders need ids that stand for one order.
#[test]
fn order_ids_that_two_customers_share_are_refused() {
    let place = Place::new();
    let mut with = orders();
    with.iter_mut().for_each(|order| order.number %= 300);
    let file = place.file("shared.csv", written(&with, &PLAIN));
    let set = ["--set", "transactions.value_of=order"];
    match place.run(&place.path("clean.toml"), &file, &set) {
        Outcome::Refused(said) => assert!(said.contains("several customers"), "{said}"),
        Outcome::Run(_) => panic!("orders of two customers are one"),
    }
}

/// What the cleaning leaves is no sign of how customers came to be in the file.
#[test]
fn a_selection_that_the_cleaning_made_is_not_reported() {
    let place = Place::new();
    let text = export("0");
    let negative = text.lines().enumerate().map(|(position, line)| {
        let of_one_channel = position % 2 == 1;
        if of_one_channel { line.replace(",0,", ",-1,") + "\n" } else { format!("{line}\n") }
    });
    let file = place.file("negative.csv", negative.collect::<String>());
    let Outcome::Run(run) = place.alone(&file) else { panic!("refused") };
    assert!(has(&run, "selection_not_examined", "note"), "{}", run["warnings"]);
    let findings = run["warnings"].to_string();
    assert!(!findings.contains("selected_customers") && !findings.contains("by_channels"));
}

/// An export is not taken for a log because its numbers are written strangely.
#[test]
fn an_export_with_odd_numbers_is_no_log() {
    let place = Place::new();
    let (header, rows) =
        export("0").split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).expect("rows");
    let odd: String = rows
        .lines()
        .map(|line| {
            let mut cells: Vec<String> = line.split(',').map(str::to_owned).collect();
            cells[5] += " pcs of gold";
            cells[6] += " pcs of gold";
            cells.join(",") + "\n"
        })
        .collect();
    let file = place.file("odd.csv", format!("{header}\n{odd}"));
    match place.alone(&file) {
        Outcome::Refused(said) => assert!(said.contains("customer export"), "{said}"),
        Outcome::Run(_) => panic!("odd numbers are read"),
    }
}

#[test]
fn too_many_unreadable_values_stop_a_run() {
    let place = Place::new();
    let some = |c: i64| if c % 9 == 0 { "n/a".to_owned() } else { plain(c) };
    let words = ["unreadable_value", "contract.unreadable_at is 0.05", "n/a"];
    place.refused("unreadable.csv", log(Style { amount: some, ..PLAIN }), &words);
}

#[test]
fn a_file_that_lost_rows_since_the_run_before_stops() {
    let place = Place::new();
    let (out, pipeline) = (place.path("kept"), place.path("clean.toml"));
    let run = |input: &Path, more: &[&str]| {
        let arguments =
            ["run".as_ref(), pipeline.as_os_str(), "--input".as_ref(), input.as_os_str()];
        let rest = ["--output".as_ref(), out.as_os_str(), "--quiet".as_ref()];
        cltv(arguments.into_iter().chain(rest).chain(more.iter().map(std::ffi::OsStr::new)))
    };
    assert!(run(&place.path("clean.csv"), &[]).status.success());
    let all = orders();
    let half: Vec<Order> = all.iter().filter(|o| o.number % 2 == 0).cloned().collect();
    let half = place.file("half.csv", written(&half, &PLAIN));
    let refused = run(&half, &[]);
    assert_eq!(refused.status.code(), Some(3));
    let said = stderr(&refused);
    assert!(said.contains("fewer rows than in the run of 2011-12-08"), "{said}");
    assert!(said.contains("--set contract.max_fall="), "{said}");
    let older: Vec<Order> = all.iter().filter(|o| o.day < day(2011, 11, 1)).cloned().collect();
    let older = place.file("older.csv", written(&older, &PLAIN));
    let end = ["--as-of", "2011-12-08"];
    let said = stderr(&run(&older, &end));
    assert!(said.contains("the newest order is of"), "{said}");
    let cheap = place.file("cents.csv", log(Style { amount: |c| c.to_string(), ..PLAIN }));
    let said = stderr(&run(&cheap, &[]));
    assert!(said.contains("value_unit_changed") && said.contains("100 times higher"), "{said}");
    let allowed = run(&half, &["--set", "contract.max_fall=0.6"]);
    assert!(allowed.status.success(), "{}", stderr(&allowed));
}

#[test]
fn score_holds_an_export_against_that_of_the_model() {
    let place = Place::new();
    let fit = place.path("fit");
    let pipeline = place.path("clean.toml");
    let fitted = cltv(["fit".as_ref(), pipeline.as_os_str(), "--output".as_ref(), fit.as_os_str()]);
    assert!(fitted.status.success(), "{}", stderr(&fitted));
    let score = |input: &Path| {
        let out = place.path("scored");
        let _ = std::fs::remove_dir_all(&out);
        let model = fit.join("model.json");
        cltv([
            "score".as_ref(),
            "--model".as_ref(),
            model.as_os_str(),
            input.as_os_str(),
            "--output".as_ref(),
            out.as_os_str(),
        ])
    };
    assert!(score(&place.path("clean.csv")).status.success());
    let thousandth = |c: i64| format!("{}.{:05}", c / 100_000, c % 100_000);
    let changed = place.file("thousandth.csv", log(Style { amount: thousandth, ..PLAIN }));
    let output = score(&changed);
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("value_unit_changed"), "{}", stderr(&output));
    let cut = clean().lines().take(150).map(|line| format!("{line}\n")).collect::<String>();
    let output = score(&place.file("cut.csv", cut));
    assert_eq!(output.status.code(), Some(3));
    assert!(stderr(&output).contains("fewer rows"), "{}", stderr(&output));
}

/// Exports of shop systems, with the names of their columns.
#[test]
fn init_knows_shop_systems() {
    let place = Place::new();
    let paid: Vec<Order> = orders().into_iter().filter(|o| o.number % 12 != 0).collect();
    let Outcome::Run(right) = place.pipe(&place.file("paid.csv", written(&paid, &PLAIN))) else {
        panic!("refused");
    };
    let expected = number(&right, "/company/total_cltv");
    let mut shopify = String::from(
        "Name,Email,Financial Status,Paid at,Currency,Total,Created at,Lineitem quantity,Lineitem name,\
         Lineitem price\n",
    );
    let mut woo =
        String::from("order_id,status,order_date,customer_id,billing_email,order_total\n");
    let mut magento =
        String::from("increment_id,status,created_at,customer_email,grand_total,store_name\n");
    for order in orders() {
        let (number, day, total) = (order.number, order.day, plain(order.cents));
        let mail = format!("{}@x.test", order.id);
        let unpaid = number % 12 == 0;
        let status = if unpaid { "refunded" } else { "paid" };
        let paid = format!("{status},{day} 10:00:00 +0300,TRY,{total}");
        shopify += &format!("#{number},{mail},{paid},{day} 10:00:00 +0300,1,Item A,5.00\n");
        shopify += &format!("#{number},{mail},,,,,{day} 10:00:00 +0300,2,Item B,7.00\n");
        let status = if unpaid { "wc-failed" } else { "wc-completed" };
        let account = if number % 5 == 0 { "0" } else { &order.id[1..] };
        woo += &format!("{number},{status},{day} 10:00:00,{account},{mail},{total}\n");
        let status = if unpaid { "closed" } else { "complete" };
        magento += &format!("{number},{status},{day} 10:00:00,{mail},{total},Main\n");
    }
    for (name, text) in [("shopify.csv", shopify), ("woo.csv", woo), ("magento.csv", magento)] {
        let Outcome::Run(run) = place.alone(&place.file(name, text)) else {
            panic!("{name} is refused");
        };
        close(name, number(&run, "/company/total_cltv"), expected, 1e-12);
    }
    // A column that asks whether an order was cancelled, and one with the day.
    for (name, column, yes, no) in [
        ("flag.csv", "is_cancelled", "1", "0"),
        ("evet.csv", "İptal mi?", "Evet", "Hayır"),
        ("bool.csv", "cancelled", "True", "False"),
        ("date.csv", "cancelled_at", "2011-12-01", ""),
    ] {
        let mut text = format!("order_id,customer_id,order_date,amount,{column}\n");
        for order in orders() {
            let mark = if order.number % 12 == 0 { yes } else { no };
            let (number, id, day, total) = (order.number, order.id, order.day, plain(order.cents));
            text += &format!("{number},{id},{day},{total},{mark}\n");
        }
        let Outcome::Run(run) = place.alone(&place.file(name, text)) else {
            panic!("{name} is refused");
        };
        close(name, number(&run, "/company/total_cltv"), expected, 1e-12);
    }
    // An id per order beside the id per person.
    let mut joined = String::from(
        "order_id,customer_id,customer_unique_id,order_purchase_timestamp,payment_value\n",
    );
    for order in orders() {
        let (number, day, total) = (order.number, order.day, plain(order.cents));
        joined += &format!("o{number},c{number},{},{day} 10:00:00,{total}\n", order.id);
    }
    let Outcome::Run(run) = place.alone(&place.file("joined.csv", joined)) else {
        panic!("refused");
    };
    close("by person", number(&run, "/company/total_cltv"), place.total, 1e-12);
}
