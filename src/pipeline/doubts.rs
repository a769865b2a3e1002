//! What a run says about input that looks right and probably is not: a code, the number of rows, an
//! example and what to do.

use crate::frame::doubts::Doubt;
use crate::frame::rules::returns::Moved;
use crate::results::findings::Finding;

/// The finding of a doubt. What changes the forecast by more than noise is a warning.
pub fn finding(doubt: &Doubt) -> Finding {
    match doubt {
        Doubt::ImplausibleDates { rows, example, first, last } => Finding::warning(
            "implausible_dates",
            format!(
                "{} with dates far from all others, such as {example}, were set aside: orders are \
                 believed from {first} to {last}",
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
                "{} whose customer id is {} were set aside: guests are no single customer",
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
            format!("{} with sums of other rows ({}) were set aside", counted(*rows, "row"), ids.join(", ")),
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
                "{} written in upper and in lower case count as different customers",
                counted(*ids, "id")
            ),
            "write each id one way before the export, for instance e-mail addresses in lower case",
        )
        .with("ids", *ids),
        Doubt::ZerosLost { ids } => Finding::warning(
            "leading_zeros_lost",
            format!(
                "{} stand with and without leading zeros and count as different customers",
                counted(*ids, "id")
            ),
            "export the ids as text in every file: spreadsheets drop leading zeros",
        )
        .with("ids", *ids),
        Doubt::FilesOverlap { lines } => Finding::warning(
            "files_overlap",
            format!("{} stand in more than one file and count each time", counted(*lines, "line")),
            "if the files overlap, set transactions.duplicate_lines = \"drop\"",
        )
        .with("lines", *lines),
        Doubt::RepeatedTotals { column, orders, constant } => Finding::warning(
            "repeated_totals",
            format!(
                "{column:?} is the same on every line of {constant} of {orders} orders with several \
                 lines: if it is the total of the order, it counts once a line"
            ),
            "set transactions.value_of = \"order\" to count it once an order, or name a column with the \
             value of the line",
        )
        .with("column", column.clone())
        .with("orders", *orders)
        .with("constant", *constant),
        Doubt::Currencies { column, rows } => {
            let shown: Vec<String> =
                rows.iter().take(5).map(|(code, rows)| format!("{rows} in {code}")).collect();
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

/// What is to be said of returns that were booked later than the purchase.
pub fn returns(moved: &Moved) -> Vec<Finding> {
    let mut findings = Vec::new();
    let days = moved.by_order + moved.by_date;
    if days > 0 {
        findings.push(
            Finding::note(
                "returns_moved",
                format!(
                    "returns of {:.2} on {} were taken off earlier purchases: {} by order id, {} off \
                     the customer's latest",
                    moved.value,
                    counted(days, "later day"),
                    moved.by_order,
                    moved.by_date
                ),
                "transactions.returns = \"same_day\" or \"drop\" treats them otherwise",
            )
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
                    "returns of {:.2} have no earlier purchase in the log and were dropped",
                    moved.unmatched
                ),
                "their purchases were made before the log begins: use a longer log if there is one",
            )
            .with("value", moved.unmatched),
        );
    }
    findings
}

fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}
