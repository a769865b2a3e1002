//! The data: what was read, what was left out and changed, and what was assumed.

use maud::{Markup, html};

use crate::report::table::{Cell, Table};
use crate::report::view::View;
use crate::settings::MonthLength;

/// The section as HTML.
pub fn section(view: &View<'_>) -> Markup {
    html! {
        (crate::report::sections::heading(view, "data"))
        (rows(view).markup("rows-table", view.t("data.rows")))
        @if !view.run.outlier_limits.is_empty() {
            h3 { (view.t("data.limits")) }
            p { (view.t("data.limits_note")) }
            (limits(view).markup("limits-table", view.t("data.limits")))
        }
        h3 { (view.t("data.assumed")) }
        ul { @for line in assumptions(view) { li { (line) } } }
        h3 { (view.t("data.files")) }
        (files(view).markup("files-table", view.t("data.files")))
    }
}

/// Row counts, step by step, from the rows of the files to the customers of the page.
fn rows(view: &View<'_>) -> Table {
    let rows = &view.run.rows;
    let mut table = Table::new([view.t("data.step"), view.t("data.count")]);
    let mut line = |name: String, n: usize| {
        table.row([Cell::text(name), Cell::Number(view.whole(n as f64), n as f64)])
    };
    line(view.t("data.read").to_owned(), rows.read);
    for (rule, n) in view.run.rejected.iter() {
        let known = format!("rules.{rule}");
        let rule = view.words.get(&known).unwrap_or(rule);
        line(view.fill("data.rejected", &[("rule", rule)]), *n);
    }
    line(view.t("data.kept").to_owned(), rows.kept);
    let more = [
        ("data.returns", rows.returns_netted),
        ("data.later", rows.after_calibration_end),
        ("data.below", rows.below_min_orders),
    ];
    for (key, n) in more.into_iter().filter(|(_, n)| *n > 0) {
        line(view.t(key).to_owned(), n);
    }
    line(view.t("data.customers").to_owned(), rows.customers);
    table
}

fn limits(view: &View<'_>) -> Table {
    let keys = ["column", "lowest", "highest", "raised", "lowered"];
    let mut table = Table::new(keys.map(|key| view.t(&format!("data.{key}"))));
    for l in &view.run.outlier_limits {
        table.row([
            Cell::text(&l.column),
            Cell::Number(view.number(l.lower_applied), l.lower_applied),
            Cell::Number(view.number(l.upper_applied), l.upper_applied),
            Cell::Number(view.whole(l.raised as f64), l.raised as f64),
            Cell::Number(view.whole(l.lowered as f64), l.lowered as f64),
        ]);
    }
    table
}

fn assumptions(view: &View<'_>) -> Vec<String> {
    let settings = &view.run.settings;
    let month = |length: MonthLength| match length {
        MonthLength::Weeks(weeks) => view.fill("data.weeks_a_month", &[("n", &view.number(weeks))]),
        MonthLength::Calendar => view.t("data.calendar_month").to_owned(),
    };
    let rate = settings.lifetime_value.monthly_discount_rate;
    let value = || {
        view.fill(
            "data.assume.value",
            &[
                ("months", &view.months(settings.lifetime_value.months)),
                ("month", &month(settings.lifetime_value.weeks_per_month)),
                ("rate", &view.words.language.percent(rate, 1)),
            ],
        )
    };
    let margin = settings
        .lifetime_value
        .margin
        .map(|margin| view.fill("data.assume.margin", &[("margin", &view.percent(margin))]));
    let mut assumed = vec![
        view.fill("data.assume.end", &[("date", &view.words.language.date(view.run.as_of))]),
        view.t(&format!("data.assume.{}", settings.summary.frequency.name())).to_owned(),
        view.fill("data.assume.month", &[("month", &month(settings.forecast.weeks_per_month))]),
    ];
    assumed.extend(view.has_money().then(value));
    assumed.extend(margin);
    assumed.extend([
        view.t("data.assume.new").to_owned(),
        view.t(if view.run.purchases.selection.is_some() {
            "data.assume.selected"
        } else {
            "data.assume.everybody"
        })
        .to_owned(),
    ]);
    assumed
}

fn files(view: &View<'_>) -> Table {
    let mut table = Table::new(["file", "bytes", "hash"].map(|key| view.t(&format!("data.{key}"))));
    for input in &view.run.inputs {
        table.row([
            Cell::text(crate::report::sections::input_name(&input.file)),
            Cell::Number(view.whole(input.bytes as f64), input.bytes as f64),
            Cell::text(input.sha256.chars().take(12).collect::<String>()),
        ]);
    }
    table
}
