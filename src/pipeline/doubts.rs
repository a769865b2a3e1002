//! What a run says about input that looks right and probably is not: a code, the number of rows, an
//! example and what to do.

use crate::frame::doubts::Doubt;
use crate::frame::input::plain::Remark;
use crate::frame::rules::returns::Moved;
use crate::results::facts::VARIANT;
use crate::results::findings::Finding;
use crate::results::numbers::{count, money};
use crate::settings::Settings;

/// The finding of a doubt. What changes the forecast by more than noise is a warning.
pub fn finding(doubt: &Doubt) -> Finding {
    match doubt {
        Doubt::ImplausibleDates { rows, example, first, last } => Finding::warning(
            "implausible_dates",
            format!(
                "set aside: {} with dates far from all others, such as {example}; orders are believed \
                 from {first} to {last}",
                counted(*rows, "row")
            ),
            "mend the dates; or say which are right with contract.earliest_date and latest_date, or \
             change contract.date_gap_days (0 believes every date)",
        )
        .with("rows", *rows)
        .with("example", *example)
        .with("first", *first)
        .with("last", *last),
        Doubt::Guests { rows, ids } => Finding::warning(
            "guest_ids",
            format!(
                "set aside: {} whose customer id is {}; guests are no single customer",
                counted(*rows, "row"),
                ids.join(", ")
            ),
            "export an id that guests have too, such as the e-mail address; other ids that are no \
             customers can be named in input.guest_ids",
        )
        .with("rows", *rows)
        .with("ids", ids.clone()),
        Doubt::Totals { rows, ids } => Finding::warning(
            "total_rows",
            format!("set aside: {} with sums of other rows ({})", counted(*rows, "row"), ids.join(", ")),
            "export without total rows",
        )
        .with("rows", *rows)
        .with("ids", ids.clone()),
        Doubt::FrequentId { id, share } => Finding::warning(
            "frequent_id",
            format!(
                "{:.0} % of all orders have the customer id {id}, far more than any other: is it a \
                 guest, a till or a reseller?",
                100.0 * share
            ),
            "if it is no customer, name it in input.guest_ids",
        )
        .with("id", id.clone())
        .with("share", *share),
        Doubt::IdsInTwoCases { ids } => Finding::warning(
            "ids_in_two_cases",
            format!(
                "{} also written in another case: each spelling counts as a customer",
                counted(*ids, "id")
            ),
            "write each id one way before the export, for instance e-mail addresses in lower case",
        )
        .with("ids", *ids),
        Doubt::ZerosLost { ids } => Finding::warning(
            "leading_zeros_lost",
            format!(
                "{} with and without leading zeros: each spelling counts as a customer",
                counted(*ids, "id")
            ),
            "export the ids as text in every file: spreadsheets drop leading zeros",
        )
        .with("ids", *ids),
        Doubt::FilesOverlap { lines } => Finding::warning(
            "files_overlap",
            format!("{} in more than one file: each counts every time", counted(*lines, "line")),
            "if the files overlap, set transactions.duplicate_lines = \"drop\"",
        )
        .with("lines", *lines),
        Doubt::RepeatedTotals { column, orders, constant } => Finding::warning(
            "repeated_totals",
            format!(
                "{column:?} is the same on every line of {} of {} orders with several \
                 lines: if it is the total of the order, it counts once a line",
                count(*constant),
                count(*orders)
            ),
            "set transactions.value_of = \"order\" to count it once an order, or name a column with the \
             value of the line",
        )
        .with("column", column.clone())
        .with("orders", *orders)
        .with("constant", *constant),
        Doubt::MoreWithoutCustomer { before, now } => Finding::warning(
            "more_rows_without_customer",
            format!(
                "{:.1} % of the rows have no customer, and in the run before {:.1} %",
                100.0 * now,
                100.0 * before
            ),
            "look whether ids got lost in the export",
        )
        .with("before", *before)
        .with("now", *now),
        Doubt::TypeChanged { column, before, now } => Finding::warning(
            "column_type_changed",
            format!("{column:?} has the type {now}, and in the run before {before}"),
            "look whether it is still the same column, and whether ids have lost leading zeros",
        )
        .with("column", column.clone())
        .with("before", before.clone())
        .with("now", now.clone()),
        Doubt::IdsOnFirstLines { lines } => Finding::warning(
            "ids_on_first_lines",
            format!(
                "{} without a customer id in orders that have one on another line: what they cost is lost",
                counted(*lines, "line")
            ),
            "fill the ids down before the export; or set transactions.value_of = \"order\" if the value \
             is that of the order",
        )
        .with("lines", *lines),
        Doubt::PassedOver { column, kind } => Finding::note(
            "column_passed_over",
            format!("{column:?} is {kind} and was left empty"),
            "leave it out of input.columns.keep, or export it as text",
        )
        .with("column", column.clone())
        .with("type", *kind),
        Doubt::SelectedByCleaning { rows, share } => Finding::note(
            "selection_not_examined",
            format!(
                "so much was set aside ({}, {:.1} %) that whether the export was filtered cannot be \
                 told from the customers that are left",
                counted(*rows, "row"),
                100.0 * share
            ),
            "mend the rows, and look again with cltv check",
        )
        .with("rows", *rows)
        .with("share", *share),
        Doubt::SelectionStrays { silent, few_orders, one_channel, last_day, customers } => {
            let named = [
                (silent, "silent since before the period"),
                (few_orders, "with too few orders"),
                (one_channel, "with orders in one channel only"),
                (last_day, "with all their orders on the last day"),
            ];
            let shown = named.iter().filter(|(number, _)| **number > 0);
            let shown: Vec<String> =
                shown.map(|(number, words)| format!("{} {words}", count(**number))).collect();
            let strays: usize = named.iter().map(|(number, _)| **number).sum();
            Finding::note(
                "selection_strays",
                format!(
                    "set aside: {} of {} customers, who contradict [selection] ({}); so few are taken \
                     for strays and are not in the forecast",
                    count(strays),
                    count(*customers),
                    shown.join(", ")
                ),
                "look at them in quarantine.parquet; if they belong to the file, correct [selection], or \
                 remove it if the file holds everybody",
            )
            .with("strays", strays)
            .with("silent", *silent)
            .with("few_orders", *few_orders)
            .with("one_channel", *one_channel)
            .with("last_day", *last_day)
            .with("customers", *customers)
        }
        Doubt::File { file, remark } => of_file(file, remark),
        Doubt::Currencies { column, rows } => {
            let shown: Vec<String> =
                rows.iter().take(5).map(|(code, rows)| format!("{} in {code}", count(*rows))).collect();
            Finding::warning(
                "several_currencies",
                format!("{column:?} names several currencies ({}), and the amounts were added up as if \
                     they were one", shown.join(", ")),
                "convert the amounts into one currency, or make a file of each",
            )
            .with("column", column.clone())
            .with("currencies", rows.iter().map(|(code, _)| code.clone()).collect::<Vec<_>>())
        }
    }
}

/// What is to be said of a file that was not plain.
fn of_file(file: &str, remark: &Remark) -> Finding {
    let finding = match remark {
        Remark::Encoding { name } => Finding::note(
            "encoding_found",
            format!("{file} was read as {name}, which its bytes suggest"),
            "set input.encoding if letters are wrong",
        )
        .with("encoding", *name),
        Remark::StrayBytes { count, first_line, columns } => Finding::note(
            "stray_bytes",
            format!(
                "{file} has {} that is no text, from line {first_line} on, in columns that no number \
                 depends on ({})",
                counted(*count as usize, "byte"),
                columns.join(", ")
            ),
            "set input.encoding if the file has another encoding",
        )
        .with("count", *count as usize)
        .with("line", *first_line as usize),
        Remark::LinesBeforeHeader { lines } => Finding::note(
            "lines_before_header",
            format!("passed over before the header of {file}: {}", counted(*lines as usize, "line")),
            "nothing, if the columns are right",
        )
        .with("lines", *lines as usize),
        Remark::Sheet { name, others } => Finding::note(
            "sheet_chosen",
            format!("of {file}, the worksheet {name:?} was read, and not {}", others.join(", ")),
            "name the worksheet as input.sheet",
        )
        .with("sheet", name.clone())
        .with("others", others.clone()),
        Remark::Quotes { line } => Finding::note(
            "odd_quotes",
            format!(
                "{file} has quotes that are not well-formed, first in line {line}: every row was read, \
                 with the quotes as text"
            ),
            "export with quotes inside texts doubled",
        )
        .with("line", *line as usize),
        Remark::CutOff { line, fields, expected } => Finding::warning(
            "file_cut_off",
            format!(
                "{file} ends in the middle of line {line}, after {fields} of {expected} fields: it is \
                 probably cut off"
            ),
            "export or fetch the file again",
        )
        .with("line", *line as usize)
        .with("fields", *fields)
        .with("expected", *expected),
    };
    finding.with("file", file.to_owned())
}

/// What is to be said of returns that were booked later than the purchase: amounts, or the pieces of
/// a log without money.
pub fn returns(moved: &Moved, settings: &Settings) -> Vec<Finding> {
    let currency = settings.output.currency.as_deref();
    let (amount, variant): (&dyn Fn(f64) -> String, _) = match settings.input.columns.has_money() {
        true => (&|value| money(value, 2, currency), None),
        false => (&|pieces| counted(pieces.round() as usize, "piece"), Some("pieces")),
    };
    let mut findings = Vec::new();
    let days = moved.by_order + moved.by_date;
    if days > 0 {
        findings.push(
            Finding::note(
                "returns_moved",
                format!(
                    "returns of {} on {} were taken off earlier purchases: {} by order id, {} by their \
                     value or date",
                    amount(moved.value),
                    counted(days, "later day"),
                    count(moved.by_order),
                    count(moved.by_date)
                ),
                "transactions.returns = \"same_day\" or \"drop\" treats them otherwise",
            )
            .maybe(VARIANT, variant)
            .with("value", moved.value)
            .with("days", days)
            .with("by_order", moved.by_order)
            .with("by_date", moved.by_date),
        );
    }
    if moved.unmatched > 0.0 {
        findings.push(
            Finding::note(
                "returns_unmatched",
                format!(
                    "returns of {} have no earlier purchase in the log and were dropped",
                    amount(moved.unmatched)
                ),
                "their purchases were made before the log begins: use a longer log if there is one",
            )
            .maybe(VARIANT, variant)
            .with("value", moved.unmatched),
        );
    }
    findings
}

fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {what}{plural}", count(number))
}
