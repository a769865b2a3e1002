//! What was checked of the model: what held, what did not, and what was not checked, with the reason.

use maud::{Markup, html};

use crate::report::view::View;
use crate::results::model_check::ModelCheck;

/// The list; nothing for a run of a version that made no checks.
pub fn list(view: &View<'_>) -> Markup {
    let checks = &view.run.model_checks;
    let with = |passed: Option<bool>| -> Vec<&ModelCheck> {
        checks.iter().filter(|check| check.passed == passed).collect()
    };
    html! {
        @if !checks.is_empty() {
            h3 #checks { (view.t("checks.title")) }
            (part(view, "checks.failed", &with(Some(false)), |check| name(view, check)))
            (part(view, "checks.held", &with(Some(true)), |check| held(view, check)))
            (part(view, "checks.not_made", &with(None), |check| not_made(view, check)))
        }
    }
}

fn part(
    view: &View<'_>,
    title: &str,
    checks: &[&ModelCheck],
    say: impl Fn(&ModelCheck) -> String,
) -> Markup {
    html! {
        @if !checks.is_empty() {
            p.quiet { (view.t(title)) }
            ul.checks { @for check in checks { li data-check=(check.name) { (say(check)) } } }
        }
    }
}

fn name(view: &View<'_>, check: &ModelCheck) -> String {
    view.words.name("checks.names", &check.name).to_owned()
}

/// What a check that held says: prices hold in another sense where they were corrected, and regular
/// buyers are no surprise to a model of regular buyers.
fn held(view: &View<'_>, check: &ModelCheck) -> String {
    let said = match &*check.name {
        "prices" if view.money_of().is_some() => "prices_corrected",
        "time_between_orders" if view.run.purchases.k.is_some() => "time_between_orders_of_regular",
        name => name,
    };
    view.words.name("checks.said", said).to_owned()
}

fn not_made(view: &View<'_>, check: &ModelCheck) -> String {
    let why = check.not_made.map_or("", |why| why.name());
    let why = view.words.name("checks.why", why);
    view.fill("checks.reason", &[("what", &name(view, check)), ("why", why)])
}
