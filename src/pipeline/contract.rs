//! What the pipeline's `[contract]` says about bad rows and old files, held against the input. The
//! types of required columns are checked in [`crate::frame::rules::column_types`].

use chrono::NaiveDate;

use crate::error::Error;
use crate::frame::rules::export::last_order;
use crate::frame::rules::judged::{Cleaned, Rejected, first_of};
use crate::frame::rules::outside::OUTSIDE;
use crate::frame::summary::log;
use crate::results::findings::Finding;
use crate::results::numbers::count;
use crate::settings::{BadRows, Input, InputKind, Settings};

/// Rules of rows that a sound input has too: they are set aside because the pipeline asks for it.
/// Customers who ordered after the observation end are not among them: to leave those out, who are
/// the active ones, spoils a customer export.
const AS_ASKED: &[&str] = &[
    "cancelled",
    "return",
    "returned",
    "order_after_observation_end",
    "duplicate_line",
    "left_out_id",
    "date_out_of_range",
];
/// Rules of rows that any log has, which are not worth a warning.
const EXPECTED: &[&str] = &[
    "cancelled",
    "return",
    "returned",
    "order_after_observation_end",
    "left_out_id",
    "date_out_of_range",
];
/// Rules of rows that have a finding of their own.
const SAID: &[&str] = &["guest_id", "total_row", "implausible_date"];
/// Rules of rows with a value that cannot be read, or cannot be true.
const UNREADABLE: &[&str] = &[
    "unreadable_date",
    "unreadable_value",
    "unreadable_order_count",
    "value_out_of_range",
    "wrong_type",
];

/// Holds the input against the contract; forgets the bad rows themselves where it says so.
///
/// # Errors
/// [`Error::Input`] when there are too many bad rows, or the newest order is too old.
pub fn enforce(mut cleaned: Cleaned, settings: &Settings) -> Result<Cleaned, Error> {
    let mut faults: Vec<String> = too_many(&cleaned, settings).into_iter().collect();
    faults.extend(too_few(&cleaned, settings));
    if let (Some(days), Some(end)) = (settings.contract.max_age_days, settings.stated_end()) {
        faults.extend(too_old(newest(&cleaned, &settings.input)?, end, days));
    }
    if !faults.is_empty() {
        return Err(Error::Input { place: settings.input.path.clone(), faults });
    }
    if settings.contract.bad_rows == BadRows::Drop {
        cleaned.quarantine = cleaned.quarantine.clear();
    }
    Ok(cleaned)
}

/// Rows that break a rule, other than those that are set aside as the pipeline asks.
pub fn bad_rows(rejected: &[Rejected]) -> usize {
    let is_bad = |rule: &str| !AS_ASKED.contains(&rule) && !OUTSIDE.contains(&rule);
    rejected.iter().filter(|r| is_bad(&r.rule)).map(|r| r.rows).sum()
}

/// Too many bad rows for the contract; where it sets no limit, too many unreadable ones.
fn too_many(cleaned: &Cleaned, settings: &Settings) -> Option<String> {
    let contract = &settings.contract;
    let share = |rows: usize| rows as f64 / cleaned.rows_read.max(1) as f64;
    let bad = bad_rows(&cleaned.rejected);
    let unreadable = rows_of(&cleaned.rejected, UNREADABLE);
    let (rows, limit) = match (contract.bad_rows, contract.fail_at) {
        _ if bad == 0 => return None,
        (BadRows::Fail, _) => (bad, "contract.bad_rows = \"fail\" lets none pass".to_owned()),
        (_, Some(most)) if share(bad) >= most => (bad, format!("contract.fail_at is {most}")),
        (_, None) if share(unreadable) > contract.unreadable_at => {
            (unreadable, format!("contract.unreadable_at is {}", contract.unreadable_at))
        }
        _ => return None,
    };
    let only_unreadable = rows == unreadable && rows != bad;
    let is_bad = |r: &&Rejected| {
        let rule = &r.rule.as_str();
        if only_unreadable { UNREADABLE.contains(rule) } else { !AS_ASKED.contains(rule) }
    };
    let rules: Vec<String> = cleaned
        .rejected
        .iter()
        .filter(is_bad)
        .map(|r| format!("{} {}", count(r.rows), r.rule))
        .collect();
    let worst = cleaned.rejected.iter().find(is_bad).map_or("", |r| r.rule.as_str());
    Some(format!(
        "{} of {} rows ({:.1} %) break a rule ({}), and {limit}; one of them: {}; mend the file, or \
         change [contract]",
        count(rows),
        count(cleaned.rows_read),
        100.0 * share(rows),
        rules.join(", "),
        first_of(&cleaned.quarantine, worst, &settings.input)
    ))
}

fn rows_of(rejected: &[Rejected], rules: &[&str]) -> usize {
    rejected.iter().filter(|r| rules.contains(&r.rule.as_str())).map(|r| r.rows).sum()
}

/// Fewer rows than the contract asks for.
fn too_few(cleaned: &Cleaned, settings: &Settings) -> Option<String> {
    let least = settings.contract.min_rows?;
    ((cleaned.rows_read as u64) < least).then(|| {
        format!(
            "there are {} rows, and contract.min_rows is {least}: is the file complete? Export again, \
             or change [contract]",
            count(cleaned.rows_read)
        )
    })
}

/// The newest order of the rows that keep the rules.
fn newest(cleaned: &Cleaned, input: &Input) -> Result<NaiveDate, Error> {
    match input.kind {
        InputKind::Customers => last_order(&cleaned.valid),
        InputKind::Transactions => Ok(log::first_and_last(&cleaned.valid)?.1),
    }
}

fn too_old(newest: NaiveDate, end: NaiveDate, most: u32) -> Option<String> {
    let age = (end - newest).num_days();
    (age > i64::from(most)).then(|| {
        format!(
            "the newest order is of {newest}, {age} days before {end}, and contract.max_age_days is \
             {most}: export again, give the --as-of that the file was made for, or change [contract]"
        )
    })
}

/// What a run says about the rows it set aside: a warning for bad rows, or for the share of them
/// that the contract names; otherwise a note.
pub fn rejected_rows(cleaned: &Cleaned, settings: &Settings) -> Option<Finding> {
    let (rejected, rows_read) = (&cleaned.rejected, cleaned.rows_read);
    // Lines without a customer are usual in the log of a till.
    let is_usual = |rule: &str| {
        EXPECTED.contains(&rule)
            || (rule == "missing_customer_id" && settings.input.kind == InputKind::Transactions)
    };
    let is_said = |rule: &str| SAID.contains(&rule) || OUTSIDE.contains(&rule);
    let rejected: Vec<Rejected> = rejected.iter().filter(|r| !is_said(&r.rule)).cloned().collect();
    let rows: usize = rejected.iter().map(|r| r.rows).sum();
    let rules: Vec<String> = rejected
        .iter()
        .map(|r| {
            let share = 100.0 * r.rows as f64 / rows_read.max(1) as f64;
            format!("{} {} ({share:.1} %)", count(r.rows), r.rule)
        })
        .collect();
    // Where values cannot be read, one of them says most.
    let is_unreadable = |r: &&Rejected| UNREADABLE.contains(&r.rule.as_str());
    let unreadable =
        rejected.iter().find(is_unreadable).filter(|_| cleaned.quarantine.height() > 0);
    let example = unreadable.map_or(String::new(), |r| {
        format!("; one of them: {}", first_of(&cleaned.quarantine, &r.rule, &settings.input))
    });
    let message = format!(
        "{} rows break a rule and were set aside: {}{example}",
        count(rows),
        rules.join(", ")
    );
    let (variant, remedy) = match settings.contract.bad_rows {
        BadRows::Drop => {
            ("dropped", "set contract.bad_rows = \"quarantine\" to see them in quarantine.parquet")
        }
        _ => ("quarantined", "look at quarantine.parquet: file, row, rule and raw values"),
    };
    let warns = match settings.contract.warn_at {
        None => rejected.iter().any(|r| !is_usual(&r.rule)),
        Some(share) => {
            let bad = bad_rows(&rejected);
            bad > 0 && bad as f64 >= share * rows_read as f64
        }
    };
    let finding = if warns {
        Finding::warning("rows_set_aside", message, remedy)
    } else if rows > 0 {
        Finding::note("rows_set_aside", message, remedy)
    } else {
        return None;
    };
    let rules: Vec<String> = rejected.iter().map(|r| r.rule.clone()).collect();
    let finding = finding.with_variant(variant).with("rules", rules);
    Some(finding.with("rows", rows).with("rows_read", rows_read))
}
