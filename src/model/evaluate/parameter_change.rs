//! How far parameter estimates moved between two fits.

use serde::Serialize;

use crate::model::likelihood::estimate::Parameter;

/// One parameter in two fits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Change {
    /// `purchases` or `spend`.
    pub model: &'static str,
    /// Symbol in the paper.
    pub parameter: &'static str,
    /// Earlier estimate; `None` where the earlier fit has none.
    pub before: Option<f64>,
    /// Later estimate; `None` where the later fit has none.
    pub after: Option<f64>,
    /// Standard error of the earlier estimate.
    pub standard_error_before: Option<f64>,
    /// Standard error of the later estimate.
    pub standard_error_after: Option<f64>,
    /// The change in units of its standard error; `None` for a `reason`.
    pub difference: Option<f64>,
    /// Why there is no `difference`.
    pub reason: Option<String>,
}

/// The parameters of one fit.
#[derive(Debug, Clone, Copy)]
pub struct Fit<'a> {
    /// Name of the model in the literature.
    pub title: &'a str,
    /// Coefficient of the L2 penalty.
    pub l2_penalty: f64,
    /// Estimates.
    pub parameters: &'a [Parameter],
}

/// Compares two fits parameter by parameter, in the order of the earlier fit. `same` says that the
/// two are one and the same fit.
///
/// # Formula
/// (after − before) / √(se_before² + se_after²), as if the two fits had no customers in common.
/// Shared customers make the estimates move together, so this understates a real change.
pub fn changes(model: &'static str, before: Fit<'_>, after: Fit<'_>, same: bool) -> Vec<Change> {
    let find = |fit: Fit<'_>, name: &str| fit.parameters.iter().find(|p| p.name == name).cloned();
    let only_after = |p: &&Parameter| find(before, p.name).is_none();
    let names = before.parameters.iter().chain(after.parameters.iter().filter(only_after));
    let change = |name: &'static str| {
        let (was, is) = (find(before, name), find(after, name));
        let reason = without_difference(before, after, &was, &is, same);
        let error = |p: &Option<Parameter>| p.as_ref().and_then(|p| p.standard_error);
        let value = |p: &Option<Parameter>| p.as_ref().filter(|p| p.identified).map(|p| p.value);
        let (first, second) = (error(&was), error(&is));
        let difference = || {
            let errors = (value(&is)? - value(&was)?) / first?.hypot(second?);
            errors.is_finite().then_some(errors)
        };
        Change {
            model,
            parameter: name,
            before: value(&was),
            after: value(&is),
            standard_error_before: first,
            standard_error_after: second,
            difference: if reason.is_none() { difference() } else { None },
            reason,
        }
    };
    names.map(|p| change(p.name)).collect()
}

/// Why a parameter has no difference in standard errors; `None` where it has one.
fn without_difference(
    before: Fit<'_>,
    after: Fit<'_>,
    was: &Option<Parameter>,
    is: &Option<Parameter>,
    same: bool,
) -> Option<String> {
    let unknown = |p: &Option<Parameter>| p.as_ref().is_some_and(|p| !p.identified);
    let without_error =
        |p: &Option<Parameter>| p.as_ref().is_none_or(|p| p.standard_error.is_none());
    let which = |earlier: bool, later: bool| match (earlier, later) {
        (true, true) => "both fits",
        (true, false) => "the earlier fit",
        _ => "the later fit",
    };
    if same {
        Some("same model".to_owned())
    } else if before.title != after.title {
        Some(format!("{} before, {} after", before.title, after.title))
    } else if unknown(was) || unknown(is) {
        Some(format!("not identified in {}", which(unknown(was), unknown(is))))
    } else if before.l2_penalty > 0.0 || after.l2_penalty > 0.0 {
        let which = which(before.l2_penalty > 0.0, after.l2_penalty > 0.0);
        Some(format!("no standard error under the penalty of {which}"))
    } else if without_error(was) || without_error(is) {
        let which = which(without_error(was), without_error(is));
        Some(format!("no standard error in {which}: the data do not determine it well enough"))
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parameter(value: f64, standard_error: Option<f64>, identified: bool) -> Parameter {
        Parameter { name: "r", value, standard_error, identified }
    }

    fn one(before: &Parameter, after: &Parameter, penalty: f64, same: bool) -> Change {
        let fit = |parameter| Fit {
            title: "BG/NBD",
            l2_penalty: penalty,
            parameters: std::slice::from_ref(parameter),
        };
        changes("purchases", fit(before), fit(after), same).remove(0)
    }

    #[test]
    fn a_difference_in_standard_errors() {
        // (3 − 1)/√(0.3² + 0.4²) = 4.
        let (was, is) = (parameter(1.0, Some(0.3), true), parameter(3.0, Some(0.4), true));
        let change = one(&was, &is, 0.0, false);
        assert!((change.difference.expect("both have errors") / 4.0 - 1.0).abs() < 1e-15);
        assert_eq!(change.reason, None);
    }

    #[test]
    fn each_reason_why_there_is_none() {
        let known = parameter(1.0, Some(0.3), true);
        let vanished = parameter(0.0, None, false);
        let without = parameter(1.0, None, true);
        for (was, is, penalty, same, said) in [
            (&known, &known, 0.0, true, "same model"),
            (&known, &vanished, 0.0, false, "not identified in the later fit"),
            (&without, &without, 0.1, false, "penalty of both fits"),
            (&without, &known, 0.0, false, "no standard error in the earlier fit"),
        ] {
            let change = one(was, is, penalty, same);
            assert_eq!(change.difference, None);
            assert!(change.reason.as_ref().is_some_and(|r| r.contains(said)), "{change:?}");
        }
        let empty = Fit { title: "NBD", l2_penalty: 0.0, parameters: &[] };
        let fit =
            Fit { title: "BG/NBD", l2_penalty: 0.0, parameters: std::slice::from_ref(&known) };
        let change = changes("purchases", empty, fit, false).remove(0);
        assert_eq!((change.before, change.after), (None, Some(1.0)));
        assert_eq!(change.reason.as_deref(), Some("NBD before, BG/NBD after"));
    }
}
