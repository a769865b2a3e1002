//! The report for management: one HTML file with everything in it. It needs no network, and shows
//! only what the run has computed.
//!
//! # Layout
//! * `agreement`: whether run.json ([`crate::results::run_document`]) and figures.json
//!   ([`crate::results::chart_data`]) match.
//! * [`texts`]: the texts of each language. [`locale`]: formats of numbers and dates. `view`: the
//!   data and texts that every section gets.
//! * `table`, `chart`: tables, and charts as SVG.
//! * [`sections`]: the sections of the page.
//!
//! # Choice
//! The charts are drawn here as SVG rather than in the browser by a library: mail programs and
//! previews show attachments without scripts, print has none, and every mark can be tested against
//! the run's files. The page has one script of its own, for values under the pointer, legends,
//! search and downloads. The content security policy names it by its hash, so that nothing from the
//! data can run.

pub(crate) mod agreement;
mod chart;
pub mod locale;
pub mod sections;
mod table;
pub mod texts;
pub(crate) mod view;

use base64::Engine;
use base64::prelude::BASE64_STANDARD as STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};
use view::View;

use crate::report::sections::input_name;
use crate::safe_text::printable::printable_lines;

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The whole page as HTML.
pub(crate) fn page(view: &View<'_>) -> String {
    let sections = [
        ("overview", sections::overview::section(view)),
        ("segments", sections::segments::section(view)),
        ("forecast", sections::forecast::section(view)),
        ("customers", sections::customers::section(view)),
        ("rfm", sections::rfm::section(view)),
        (
            "migration",
            view.migration
                .map(|migration| sections::migration::section(view, migration))
                .unwrap_or_default(),
        ),
        ("model", sections::model::section(view)),
        ("data", sections::data::section(view)),
    ];
    // An empty section, such as migration without an earlier run, has no entry in the contents.
    let shown = || sections.iter().filter(|(_, section)| !section.0.is_empty());
    let page = html! {
        (DOCTYPE)
        html lang=(view.words.language.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="referrer" content="no-referrer";
                meta http-equiv="Content-Security-Policy" content=(policy());
                title { (title(view)) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#overview" { (view.t("page.skip")) }
                (header(view))
                nav aria-label=(view.t("page.contents")) {
                    ul { @for (id, _) in shown() {
                        li { a href=(format!("#{id}")) { (view.t(&format!("nav.{id}"))) } }
                    } }
                }
                main { @for (id, body) in shown() { section id=(id) { (body) } } }
                footer { p { (colophon(view)) } }
                div #tip hidden {}
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    // Names may hold letters that turn the direction of writing.
    printable_lines(&page.into_string())
}

/// The content security policy: only the page's own script runs, whatever the data contain.
fn policy() -> String {
    let hash = STANDARD.encode(Sha256::digest(SCRIPT.as_bytes()));
    format!(
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hash}'; \
         base-uri 'none'; form-action 'none'"
    )
}

fn title(view: &View<'_>) -> String {
    format!("{} · {}", view.run.pipeline.name, view.words.language.date(view.run.as_of))
}

fn header(view: &View<'_>) -> Markup {
    let run = view.run;
    html! {
        header {
            p.brand { (view.t("page.brand")) }
            h1 { (run.pipeline.name) }
            p.facts {
                span { (view.fill("page.customers", &[("n", &view.whole(run.rows.customers as f64))])) }
                span { (view.fill("page.as_of", &[("date", &view.words.language.date(run.as_of))])) }
                span { (view.fill("page.orders_between", &[
                    ("from", &view.words.language.date(run.first_order)), ("to", &view.words.language.date(run.last_order)),
                ])) }
                span.file { (input_name(&run.settings.input.path)) }
            }
        }
    }
}

fn colophon(view: &View<'_>) -> String {
    let tool = &view.run.tool;
    view.fill(
        "page.colophon",
        &[("tool", &tool.name), ("version", &tool.version), ("model", &view.run.model.id)],
    )
}
