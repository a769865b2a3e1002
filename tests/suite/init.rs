//! `cltv init`: the pipeline file that it writes runs unchanged, and gives the same results as the
//! pipeline written by hand.

use std::path::{Path, PathBuf};

use polars::prelude::*;
use tempfile::TempDir;

use crate::cdnow::Log;
use crate::support::*;

/// Writes a pipeline file for `input` and runs it. Returns its text and the customers.
fn init_and_run(out: &TempDir, input: &Path, more: &[&str]) -> (String, DataFrame) {
    let pipeline = out.path().join("guessed.toml");
    let written = cltv([
        "init".as_ref(),
        input.as_os_str(),
        "--out".as_ref(),
        pipeline.as_os_str(),
        "--force".as_ref(),
    ]);
    assert!(written.status.success(), "{}", stderr(&written));
    let folder = out.path().join("guessed");
    run_ok(&pipeline.display().to_string(), input, &folder, more);
    let text = std::fs::read_to_string(&pipeline).expect("a pipeline file");
    (text, parquet(&folder.join("customers.parquet")))
}

fn by_hand(out: &TempDir, pipeline: &str, input: &Path, more: &[&str]) -> DataFrame {
    let folder = out.path().join("by_hand");
    run_ok(pipeline, input, &folder, more);
    parquet(&folder.join("customers.parquet"))
}

/// Every column of `guessed` is in `expected`, with equal values, under the same name or the one in
/// `renamed`.
#[track_caller]
fn same(guessed: &DataFrame, expected: &DataFrame, renamed: &[(&str, &str)]) {
    assert_eq!(guessed.height(), expected.height());
    for column in guessed.columns() {
        let name = column.name().as_str();
        let name = renamed.iter().find(|(new, _)| *new == name).map_or(name, |(_, old)| old);
        let other = expected.column(name).expect("a column of both tables");
        assert!(column.as_materialized_series().equals(other.as_materialized_series()), "{name}");
    }
}

/// A copy of a sample with another header.
fn renamed(out: &TempDir, sample: &str, header: &str) -> PathBuf {
    let text = std::fs::read_to_string(project(sample)).expect("a sample");
    let (_, rows) = text.split_once('\n').expect("a header");
    let path = out.path().join("renamed.csv");
    std::fs::write(&path, format!("{header}\n{rows}")).expect("written");
    path
}

const FLO: &str = "data/flo_sample.csv";
const KEPT: [&str; 3] = ["order_channel", "last_order_channel", "interested_in_categories_12"];

#[test]
fn the_flo_sample_gives_the_selection_aware_pipeline() {
    let out = folder();
    let (text, guessed) = init_and_run(&out, &project(FLO), &[]);
    let expected = by_hand(&out, "pipelines/flo_selection_aware.toml", &project(FLO), &[]);
    same(&guessed, &expected, &[]);
    assert!(KEPT.iter().all(|name| guessed.column(name).is_ok()));
    let selection = "[selection]\nlast_order_within_days = 366\nmin_orders = 2\n";
    assert!(text.contains(selection), "{text}");
    assert!(text.contains("frequency = \"repeat_orders\""), "{text}");
}

#[test]
fn the_flo_sample_in_turkish() {
    let out = folder();
    let header = "müşteri_no,SİPARİŞ KANALI,Son Sipariş Kanalı,ilk_siparis_tarihi,\
        SON SİPARİŞ TARİHİ,son_siparis_tarihi_online,son_siparis_tarihi_offline,\
        online_sipariş_sayısı,offline_sipariş_sayısı,offline_ciro,online_ciro,\
        ilgilenilen_kategoriler_12";
    let input = renamed(&out, FLO, header);
    let (text, guessed) = init_and_run(&out, &input, &[]);
    let expected = by_hand(&out, "pipelines/flo_selection_aware.toml", &project(FLO), &[]);
    let names = ["SİPARİŞ KANALI", "Son Sipariş Kanalı", "ilgilenilen_kategoriler_12"];
    let pairs: Vec<(&str, &str)> = names.into_iter().zip(KEPT).collect();
    assert!(names.iter().all(|name| guessed.column(name).is_ok()), "{text}");
    same(&guessed, &expected, &pairs);
    assert!(text.contains("channel_column = \"SİPARİŞ KANALI\""), "{text}");
    assert!(text.contains("categories_column = \"ilgilenilen_kategoriler_12\""), "{text}");
}

/// The real file, in which everybody ordered on or after 2020-05-30.
#[test]
#[ignore = "needs CLTV_REFERENCE"]
fn the_flo_export_on_reference_data() {
    let reference = reference();
    let out = folder();
    let input = reference.join("flo/flo_data_20k.csv");
    let (_, guessed) = init_and_run(&out, &input, &[]);
    let expected = by_hand(&out, "pipelines/flo_selection_aware.toml", &input, &[]);
    same(&guessed, &expected, &[]);
    assert!(KEPT.iter().all(|name| guessed.column(name).is_ok()));
}

const LOG: &str = "data/orders_sample.csv";
/// The observation end in pipelines/transactions.toml, one day after the last order of the sample.
const END: [&str; 2] = ["--as-of", "2011-12-09"];

#[test]
fn an_order_log_gives_the_transactions_pipeline() {
    let out = folder();
    let (text, guessed) = init_and_run(&out, &project(LOG), &END);
    let expected = by_hand(&out, "pipelines/transactions.toml", &project(LOG), &END);
    same(&guessed, &expected, &[]);
    assert!(guessed.column("Country").is_ok());
    assert!(text.contains("cancelled = { column = \"Invoice\", prefix = \"C\" }"), "{text}");
    assert!(!text.contains("\n[selection]"), "{text}");
}

#[test]
fn an_order_log_in_turkish() {
    let out = folder();
    let header = "Fatura No,Stok Kodu,Açıklama,ADET,Fatura Tarihi,Birim Fiyat,Müşteri No,Ülke";
    let (text, guessed) = init_and_run(&out, &renamed(&out, LOG, header), &END);
    let expected = by_hand(&out, "pipelines/transactions.toml", &project(LOG), &END);
    same(&guessed, &expected, &[("Ülke", "Country")]);
    assert!(guessed.column("Ülke").is_ok());
    assert!(text.contains("cancelled = { column = \"Fatura No\", prefix = \"C\" }"), "{text}");
}

/// CDNOW has free orders. The guessed pipeline sets them aside, takes the last order for the end of
/// the log, and leaves the model to AIC.
#[test]
#[ignore = "needs CLTV_REFERENCE"]
fn cdnow_on_reference_data() {
    let reference = reference();
    let out = folder();
    let input = Log::sample(&reference).written(&out);
    let (text, guessed) = init_and_run(&out, &input, &[]);
    let whole = ["--set", "transactions.calibration_end=1998-06-30"];
    let paid = ["--set", "transactions.keep_zero_value=false"];
    let best = ["--set", "purchases.model=auto"];
    let expected = by_hand(&out, "pipelines/cdnow.toml", &input, &[whole, paid, best].concat());
    same(&guessed, &expected, &[]);
    assert!(text.contains("order_date = \"date\""), "{text}");
}

#[test]
fn a_status_that_says_cancelled() {
    let out = folder();
    let text = std::fs::read_to_string(project(LOG)).expect("a sample");
    let mut lines = text.lines();
    let mut log = format!("{},Durum\n", lines.next().expect("a header"));
    for line in lines {
        let status = if line.starts_with('C') { "İPTAL" } else { "tamam" };
        log += &format!("{},{status}\n", line.trim_start_matches('C'));
    }
    let input = out.path().join("log.csv");
    std::fs::write(&input, log).expect("written");
    let (text, guessed) = init_and_run(&out, &input, &END);
    assert!(text.contains("cancelled = { column = \"Durum\", equals = [\"İPTAL\"] }"), "{text}");
    same(&guessed, &by_hand(&out, "pipelines/transactions.toml", &project(LOG), &END), &[]);
}

#[test]
fn a_file_that_is_there_is_not_written_over() {
    let out = folder();
    let file = out.path().join("mine.toml");
    std::fs::write(&file, "mine").expect("written");
    let arguments = ["init", "data/orders_sample.csv", "--out"].map(std::ffi::OsStr::new);
    let refused = cltv(arguments.iter().copied().chain([file.as_os_str()]));
    assert_eq!(refused.status.code(), Some(2), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("--force"), "{}", stderr(&refused));
    assert_eq!(std::fs::read_to_string(&file).expect("a file"), "mine");
    let forced = cltv(arguments.iter().copied().chain([file.as_os_str(), "--force".as_ref()]));
    assert!(forced.status.success(), "{}", stderr(&forced));
    assert!(std::fs::read_to_string(&file).expect("a file").contains("[input]"));
    let shown = cltv(["init", "data/orders_sample.csv", "--out", "-"]);
    assert!(String::from_utf8_lossy(&shown.stdout).contains("customer_id = \"Customer ID\""));
    assert!(!project("-").exists() && !project("orders_sample.toml").exists());
}

#[test]
fn a_file_without_such_columns_is_refused_with_what_it_has() {
    let out = folder();
    let input = out.path().join("prices.csv");
    let rows = "ürün,fiyat\nayakkabı,\"1.299,90\"\nterlik,\"99,50\"\n";
    std::fs::write(&input, rows).expect("written");
    let refused = cltv(["init".as_ref(), input.as_os_str(), "--out".as_ref(), "-".as_ref()]);
    assert_eq!(refused.status.code(), Some(3), "{}", stderr(&refused));
    for word in ["\"ürün\" (text)", "\"fiyat\" (number)", "[input.columns]"] {
        assert!(stderr(&refused).contains(word), "{word} is not in {}", stderr(&refused));
    }
}

/// If day and month cannot be told apart, the command line names the date format.
#[test]
fn dates_that_the_file_leaves_open() {
    let out = folder();
    let mut log = "müşteri no;tarih;ciro\n".to_owned();
    for order in 0..400 {
        let (day, month) = (1 + order % 12, 1 + (order / 12) % 12);
        log += &format!("{};{day:02}/{month:02}/2021;{}.5\n", order % 70, 10 + order % 9);
    }
    let input = out.path().join("log.csv");
    std::fs::write(&input, log).expect("written");
    let init = |more: &[&str]| {
        let arguments = ["init".as_ref(), input.as_os_str(), "--out".as_ref(), "-".as_ref()];
        cltv(arguments.into_iter().chain(more.iter().map(std::ffi::OsStr::new)))
    };
    let refused = init(&[]);
    assert_eq!(refused.status.code(), Some(3), "{}", stderr(&refused));
    assert!(stderr(&refused).contains("--date-format"), "{}", stderr(&refused));
    let settled = init(&["--date-format", "%d/%m/%Y"]);
    assert!(settled.status.success(), "{}", stderr(&settled));
    let text = String::from_utf8_lossy(&settled.stdout).into_owned();
    for line in ["date_format = \"%d/%m/%Y\"", "customer_id = \"müşteri no\"", "value = \"ciro\""]
    {
        assert!(text.contains(line), "{line} is not in {text}");
    }
}

/// Parquet with columns of dates, times and integers gives the same results as CSV.
#[test]
fn a_typed_parquet_file() {
    let out = folder();
    let date = |name: &str| {
        let format = Some("%Y-%m-%d".into());
        col(name).str().to_date(StrptimeOptions { format, ..Default::default() })
    };
    let time = date("last_order_date").cast(DataType::Datetime(TimeUnit::Milliseconds, None));
    let counts = col("order_num_total_ever_online").cast(DataType::Int64);
    let mut frame = csv(&project(FLO))
        .lazy()
        .with_columns([date("first_order_date"), time, counts])
        .collect()
        .expect("typed columns");
    let input = out.path().join("export.parquet");
    let file = std::fs::File::create(&input).expect("a file");
    ParquetWriter::new(file).finish(&mut frame).expect("written");
    let (text, guessed) = init_and_run(&out, &input, &[]);
    assert!(text.contains("min_orders = 2"), "{text}");
    let expected = by_hand(&out, "pipelines/flo_selection_aware.toml", &project(FLO), &[]);
    same(&guessed, &expected, &[]);
}

/// A file of 400 rows, each made from its row number.
fn table(header: &str, row: impl Fn(u32) -> String) -> String {
    let rows: Vec<String> = (0..400).map(row).collect();
    format!("{header}\n{}\n", rows.join("\n"))
}

/// The pipeline file for a CSV text, or the message that says why there is none.
fn drafted(text: &str) -> Result<String, String> {
    let out = folder();
    let input = out.path().join("made_up.csv");
    std::fs::write(&input, text).expect("written");
    let output = cltv(["init".as_ref(), input.as_os_str(), "--out".as_ref(), "-".as_ref()]);
    match output.status.code() {
        Some(0) => Ok(String::from_utf8(output.stdout).expect("UTF-8")),
        code => {
            assert_eq!(code, Some(3), "{}", stderr(&output));
            Err(stderr(&output))
        }
    }
}

/// The line of a key has the value, and the comment behind it names every column of `others`.
#[track_caller]
fn chosen(text: &str, key: &str, value: &str, others: &[&str]) {
    let begins = format!("{key} = {value}");
    let line = text.lines().find(|line| line.starts_with(&begins));
    let line = line.unwrap_or_else(|| panic!("no {begins} in {text}"));
    let remark = line.strip_prefix(&begins).unwrap_or_default();
    for other in others {
        assert!(remark.contains(other), "{other} is not in {line}");
    }
}

/// A date such as `2020-03-04` for a number of days, in a calendar in which months have 28 days.
fn day(days: u32) -> String {
    format!("{}-{:02}-{:02}", 2019 + days / 336, 1 + days / 28 % 12, 1 + days % 28)
}

/// The dates of the first and last order, and the number of orders, of an invented customer.
fn history(i: u32) -> String {
    format!("{},{},{}", day(i % 300), day(400 + i * 7 % 300), 2 + i % 7)
}

#[test]
fn order_numbers_are_no_customers() {
    let header = "order_id,date,delivery_date,customer_id,quantity,price_total";
    let row = |i: u32| {
        format!("{i},{},{},K{},{},{}.5", day(i), day(i + 3), i % 90, 1 + i % 3, 9 + i % 50)
    };
    let text = drafted(&table(header, row)).expect("a log");
    chosen(&text, "kind", "\"transactions\"", &[]);
    chosen(&text, "customer_id", "\"customer_id\"", &[]);
    chosen(&text, "order_date", "\"date\"", &["\"delivery_date\""]);
    // The total of a line is not multiplied by its quantity again.
    chosen(&text, "value", "\"price_total\"", &[]);

    let row = |i: u32| format!("{i},{},{}.5", history(i), 20 + i);
    let text = table("sipariş no,ilk tarih,son tarih,adet,ciro", row);
    assert!(drafted(&text).is_err_and(|why| why.contains("cannot tell which column is what")));
}

#[test]
fn customers_come_before_users_and_members() {
    let row = |i: u32| format!("F{i},{},{},u{},{}.5", day(i), 1000 + i % 90, i % 9, 9 + i % 50);
    let text = drafted(&table("order_no,order_date,customer_id,user_id,amount", row));
    chosen(&text.expect("a log"), "customer_id", "\"customer_id\"", &["\"user_id\""]);
    let text = drafted(&table("order_no,order_date,customer_number,member_id,amount", row));
    chosen(&text.expect("a log"), "customer_id", "\"customer_number\"", &["\"member_id\""]);
    let text = drafted(&table("order_no,order_date,user_id,store_user,amount", row));
    chosen(&text.expect("a log"), "customer_id", "\"user_id\"", &[]);
}

#[test]
fn what_is_paid_for_goods_comes_before_tips_and_shipping() {
    let row = |i: u32| format!("{i},{},K{},5.5,{}.5", day(i), i % 90, 9 + i % 50);
    for (header, value) in [
        (
            "order_id,order_date,customer_id,tip_value,purchase_total_amount",
            "purchase_total_amount",
        ),
        ("order_id,order_date,customer_id,shipping_amount,order_amount", "order_amount"),
        ("sipariş no,sipariş tarihi,müşteri no,kargo tutarı,toplam tutar", "toplam tutar"),
    ] {
        let text = drafted(&table(header, row)).expect("a log");
        chosen(&text, "value", &format!("\"{value}\""), &[]);
    }
}

#[test]
fn a_login_is_no_order() {
    let header = "customer_id,first_order_date,last_order_date,order_count,last_login,total_spend";
    let row = |i: u32| format!("C{i},{},{},{}.5", history(i), day(900 - i % 30), 20 + i);
    let text = drafted(&table(header, row)).expect("an export");
    chosen(&text, "last_order_date", "\"last_order_date\"", &["\"last_login\""]);
    let header = header.replace("last_order_date", "updated");
    let why = drafted(&table(&header, row)).expect_err("no last order");
    assert!(why.contains("\"last_login\" is not"), "{why}");
}

#[test]
fn dates_of_channels_alone_are_refused() {
    let header = "customer_id,first_order_date,last_order_date_online,order_count,\
        last_order_date_offline,total_spend";
    let row = |i: u32| format!("C{i},{},{},{}.5", history(i), day(350 + i % 40), 20 + i);
    let why = drafted(&table(header, row)).expect_err("no date over all channels");
    for words in ["no date of the last order over all channels", "\"last_order_date_offline\""] {
        assert!(why.contains(words), "{words} is not in {why}");
    }
}

#[test]
fn a_total_is_not_added_to_its_parts() {
    let header =
        "musteri_no,ilk_siparis,son_siparis,siparis_sayisi,ciro_2020,ciro_2021,ciro_toplam";
    let row = |i: u32| format!("C{i},{},{i}.25,{i}.5,{}.75", history(i), 2 * i);
    let text = drafted(&table(header, row)).expect("an export");
    chosen(&text, "value", "[\"ciro_toplam\"]", &["\"ciro_2020\"", "\"ciro_2021\""]);
    let years = drafted(&table(&header.replace("ciro_toplam", "not_used"), row));
    chosen(&years.expect("an export"), "value", "[\"ciro_2020\", \"ciro_2021\"]", &[]);
}

#[test]
fn what_came_to_nothing_is_not_added() {
    let header = "customer_id,first_order_date,last_order_date,order_count,\
        cancelled_order_count,spend_online,spend_offline,refund_amount,iade_tutari";
    let row = |i: u32| format!("C{i},{},{},{i}.25,{i}.5,1.5,2.5", history(i), i % 3);
    let text = drafted(&table(header, row)).expect("an export");
    chosen(&text, "orders", "[\"order_count\"]", &["\"cancelled_order_count\""]);
    let left = ["\"refund_amount\"", "\"iade_tutari\""];
    chosen(&text, "value", "[\"spend_online\", \"spend_offline\"]", &left);
}

/// A log in which one line in five has the status `rare`, and the others `common`.
fn with_status(column: &str, rare: &str, common: &str) -> String {
    let header = format!("order_no,order_date,customer_id,{column},amount");
    let status = |i: u32| if i.is_multiple_of(5) { rare } else { common }.to_owned();
    let row = |i: u32| format!("F{i},{},K{},{},{}.5", day(i), i % 90, status(i), 9 + i % 50);
    drafted(&table(&header, row)).expect("a log")
}

#[test]
fn not_cancelled_is_not_cancelled() {
    for (column, rare, common) in [
        ("status", "cancelled", "not cancelled"),
        ("iptal_durumu", "İptal edildi", "İptal edilmedi"),
        ("iptal", "iptal", "iptal değil"),
    ] {
        let mark = format!("{{ column = \"{column}\", equals = [\"{rare}\"] }}");
        chosen(&with_status(column, rare, common), "cancelled", &mark, &[]);
    }
    for (column, rare, common) in [
        ("status", "not cancelled", "completed"),
        ("status", "İptal edilemez", "beklemede"),
        ("delivery", "void where prohibited", "shipped"),
        ("status", "completed", "cancelled"), // four in five are cancelled: too many
    ] {
        let text = with_status(column, rare, common);
        assert!(text.contains("No mark of cancelled orders was found"), "{text}");
    }
}

/// `2.832` may mean 2832.
#[test]
fn points_before_three_digits_are_refused() {
    let header = "müşteri no,ilk sipariş,son sipariş,sipariş sayısı,ciro";
    let with = |value: fn(u32) -> String| {
        drafted(&table(header, |i| format!("C{i},{},{}", history(i), value(i))))
    };
    let spent =
        |i: u32| if i.is_multiple_of(3) { "247".to_owned() } else { format!("{}.832", 1 + i % 7) };
    let why = with(spent).expect_err("thousands or decimals");
    for words in ["\"ciro\"", "more than a thousand", "number_format = \"1.234,56\""] {
        assert!(why.contains(words), "{words} is not in {why}");
    }
    assert!(with(|i| format!("{}.832", 1000 + i)).is_ok());
    assert!(with(|i| if i == 399 { "24.5".to_owned() } else { format!("{}.832", 1 + i) }).is_ok());
}
