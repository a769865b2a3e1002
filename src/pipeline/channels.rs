//! Files in which everybody ordered in both channels, where the pipeline corrects for the window
//! only: what the correction for both would say.

use crate::model::evaluate::missed::Total;
use crate::model::fit::other_selection::refit_under;
use crate::model::selection::channels::ChannelMix;
use crate::model::selection::probability::SelectionRule;
use crate::pipeline::models::Fit;
use crate::pipeline::prepare::Prepared;
use crate::pipeline::selection::{buyers_of_both, unstated_channels};
use crate::results::findings::Finding;
use crate::results::numbers::whole;
use crate::settings::Settings;

/// Orders over the longest horizon by two corrections.
struct Answers {
    months: u32,
    /// For the stated selection.
    stated: Total,
    /// For both channels besides.
    both: Total,
}

/// What both corrections say of a file in which everybody ordered in both channels; `None` of another
/// file, or where there is nothing to compare.
pub(crate) fn both_answers(prepared: &Prepared, fit: &Fit, settings: &Settings) -> Option<Finding> {
    let signs = &prepared.signs;
    unstated_channels(signs, fit.selection)?;
    let answers = answers(prepared, fit, settings)?;
    let finding = compared(&buyers_of_both(signs), &answers);
    Some(finding.with("one_channel", signs.strays.one_channel))
}

fn compared(who: &str, answers: &Answers) -> Finding {
    let Answers { months, stated, both } = answers;
    let ([low, high], [other_low, other_high]) = (stated.interval(), both.interval());
    let said = format!(
        "{who}: corrected for that too, the model expects {} orders in {months} months ({} to {}) \
         instead of {} ({} to {})",
        whole(both.expected),
        whole(other_low),
        whole(other_high),
        whole(stated.expected),
        whole(low),
        whole(high)
    );
    let meet = low <= other_high && other_low <= high;
    let finding = match meet {
        true => Finding::note(
            "selection_by_channels",
            format!("{said}: the two agree within their intervals"),
            "both_channels = true in [selection] is the fuller description of the file",
        )
        .with_variant("agree"),
        false => Finding::warning(
            "selection_by_channels",
            format!("{said}: the intervals do not meet, so the truth may be anywhere between"),
            "plan with both numbers; an export of every customer ever acquired needs no correction",
        )
        .with_variant("disagree"),
    };
    finding
        .with("months", *months)
        .with("stated", stated.expected)
        .with("low", low)
        .with("high", high)
        .with("both", both.expected)
        .with("both_low", other_low)
        .with("both_high", other_high)
}

/// Both answers, where the pipeline states a selection and asks for intervals: the second fit takes
/// seconds.
fn answers(prepared: &Prepared, fit: &Fit, settings: &Settings) -> Option<Answers> {
    let rule = fit.selection.filter(|_| settings.uncertainty.is_some() && !fit.given)?;
    let histories = &prepared.histories;
    let orders: Vec<f64> = histories.frequency().iter().map(|x| x + 1.0).collect();
    let mix = ChannelMix::fit(histories.first_channel()?, &orders).ok()?;
    let both = SelectionRule { both_channels: Some(mix), repeat_order: true, ..rule };
    let other = refit_under(&fit.purchases, &fit.patterns.patterns, both)?;
    let months = settings.forecast.longest();
    let horizon = fit.time.ahead(f64::from(months) * settings.forecast.weeks_per_month.days());
    let of = |fitted| Total::of(fitted, &fit.patterns, horizon, 0.0);
    Some(Answers { months, stated: of(&fit.purchases)?, both: of(&other)? })
}
