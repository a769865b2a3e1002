//! The fit of a model and a calendar together.

use crate::model::calendar::fitted::CalendarFit;
use crate::model::calendar::likelihood::{CalendarLikelihood, DayPatterns};
use crate::model::calendar::shape::Shape;
use crate::model::fit::failure::Failure;
use crate::model::likelihood::covariance::Covariance;
use crate::model::likelihood::maximise::{minimise, minimise_through};
use crate::settings::Family;

/// Histories on which starts are tried and curvature is measured where there are more than twice as
/// many.
const SAMPLE: usize = 15_000;

/// Fits a model and a calendar by maximum likelihood. `start` are parameters to begin with, in the
/// time unit of the data; without it the usual starts of the model are tried.
///
/// # Errors
/// Why there is no fit.
pub(crate) fn fit_calendar(
    family: Family,
    data: &DayPatterns,
    shape: &Shape,
    unit_days: f64,
    start: Option<&[f64]>,
) -> Result<CalendarFit, Failure> {
    let orders = data.orders();
    if orders <= 0.0 {
        return Err(Failure::NobodyRepeated);
    }
    // Time in units of the longest history, as in every fit.
    let longest = f64::from(data.end - data.start).max(1.0);
    let to_data = longest / unit_days;
    let starts = starts(family, data, longest, start.map(|at| family.in_unit(at, 1.0 / to_data)));
    let none = vec![1.0; shape.columns()];
    let starts: Vec<Vec<f64>> =
        starts.into_iter().map(|theta| [theta, none.clone()].concat()).collect();
    let all = CalendarLikelihood::new(family, data, shape, longest);
    let sampled = data.sample(SAMPLE);
    let sample = sampled.as_ref().map(|data| CalendarLikelihood::new(family, data, shape, longest));
    let optimum = match &sample {
        None => minimise(&all.objective(), &starts),
        Some(sample) => minimise_through(&sample.objective(), &all.objective(), &starts),
    };
    let optimum = Failure::unless_converged(optimum, family)?;
    let (value, _) = all.evaluate(&optimum.parameters);
    // The curvature per customer is that of the sample to a few per cent, at a fraction of the cost.
    let curvature = sample.as_ref().unwrap_or(&all).objective();
    let share = curvature.customers / data.customers;
    let covariance = Covariance::at(&curvature, &optimum.parameters);
    let (theta, factors) = optimum.parameters.split_at(family.parameters().len());
    let coefficients: Vec<f64> = factors.iter().map(|factor| factor.ln()).collect();
    let (level, slopes) = shape.level(&coefficients);
    // Λ ran e^level times as fast as it does with a season of mean 1.
    let parameters = family.in_unit(theta, to_data / level.exp());
    Ok(CalendarFit {
        family,
        parameters,
        shape: shape.clone(),
        log_likelihood: value - orders * to_data.ln(),
        covariance: covariance.map(|found| normalised(found, family, &slopes, share)),
        coefficients,
    })
}

fn starts(
    family: Family,
    data: &DayPatterns,
    longest: f64,
    start: Option<Vec<f64>>,
) -> Vec<Vec<f64>> {
    if let Some(start) = start {
        return vec![start];
    }
    let end = data.end - data.start;
    let time: f64 = data.rows.iter().map(|row| row.count * f64::from(end - row.first as i32)).sum();
    family.starts((data.orders() * longest / time.max(1.0)).max(1e-6))
}

/// The covariance for a season of mean 1, of all customers where it was computed from a share.
///
/// # Formula
/// ln α' = ln α − c(β), so J C Jᵀ with the slopes of c in the row of α.
fn normalised(found: Covariance, family: Family, slopes: &[f64], share: f64) -> Covariance {
    let k = family.parameters().len();
    let n = found.log_scale.len();
    let jacobian = |i: usize, j: usize| match (i, j) {
        _ if i == j => 1.0,
        _ if j >= k && i < k && family.is_time(i) => -slopes[j - k],
        _ => 0.0,
    };
    let product = |i: usize, j: usize| -> f64 {
        let term = |a: usize, b: usize| jacobian(i, a) * found.log_scale[a][b] * jacobian(j, b);
        (0..n).flat_map(|a| (0..n).map(move |b| (a, b))).map(|(a, b)| term(a, b)).sum()
    };
    let log_scale = (0..n).map(|i| (0..n).map(|j| share * product(i, j)).collect()).collect();
    Covariance { log_scale, ..found }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::customers::{History, OrderDay, OrderPath};
    use crate::model::bg_nbd::BgNbd;
    use crate::model::calendar::operational_time::OperationalTime;
    use crate::model::calendar::shape::SeasonShape;
    use crate::model::purchase_model::PurchaseModel;
    use crate::model::testing::relative;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    pub(crate) const END: i32 = 18_700;
    pub(crate) const DAYS: i32 = 1_100;

    /// Order paths of customers who joined evenly over the first `joined` days and order in the time
    /// of `shape`.
    pub(crate) fn paths(
        shape: &Shape,
        coefficients: &[f64],
        customers: usize,
        joined: i32,
        seed: u64,
    ) -> Vec<OrderPath> {
        let start = END - DAYS;
        let factors = shape.factors(coefficients, start, END + 400);
        let time = OperationalTime::of(7.0, END, start, &factors);
        let model = PurchaseModel::BgNbd(BgNbd { r: 0.6, alpha: 8.0, a: 0.8, b: 4.0 });
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let one = |i: usize| {
            let first = start + (i as i32 * joined) / customers as i32;
            let mut days = vec![first];
            let mut future = model.draw_future(History::NEW, &mut rng);
            while let Some(at) = future.as_mut().and_then(|f| f.next_order(&mut rng)) {
                let day = time.day_after(f64::from(first), at).ceil() as i32;
                if day > END {
                    break;
                }
                if days.last() != Some(&day) {
                    days.push(day);
                }
            }
            days.into_iter().map(|day| OrderDay { day, orders: 1.0, value: 1.0 }).collect()
        };
        (0..customers).map(one).collect()
    }

    /// Coefficients come back within four standard errors, and those are small.
    #[test]
    fn a_season_and_a_trend_are_recovered() {
        let shape = Shape {
            season: SeasonShape::Waves(1),
            trend: true,
            reference: END,
            ..Shape::default()
        };
        let truth = [0.4, -0.3, 0.2];
        let paths = paths(&shape, &truth, 3_000, DAYS, 1);
        let data = DayPatterns::of_paths(&paths, END);
        let fit = fit_calendar(Family::BgNbd, &data, &shape, 7.0, None).expect("a fit");
        let errors = fit.covariance.as_ref().expect("errors").log_standard_errors();
        let found = fit.coefficients.iter().zip(&truth).zip(&errors[4..]);
        for ((found, truth), error) in found {
            assert!((found - truth).abs() < 4.0 * error, "{found} {truth} {error}");
            assert!(*error < 0.06, "{error}");
        }
        // α is that of the end of the observation, in weeks of an average season.
        assert!((fit.parameters[1] / 8.0).ln().abs() < 4.0 * errors[1], "{:?}", fit.parameters);
        assert!(errors[1] < 0.2, "{errors:?}");
        let plain = fit_calendar(Family::BgNbd, &data, &Shape::default(), 7.0, None);
        assert!(fit.aic() < plain.expect("a fit").aic() - 100.0);
    }

    /// Without a calendar it is the fit of the model, whatever the start.
    #[test]
    fn without_a_calendar_it_is_the_plain_fit() {
        let paths = paths(&Shape::default(), &[], 1_000, DAYS, 2);
        let data = DayPatterns::of_paths(&paths, END);
        let fit = fit_calendar(Family::BgNbd, &data, &Shape::default(), 7.0, None).expect("a fit");
        let again =
            fit_calendar(Family::BgNbd, &data, &Shape::default(), 7.0, Some(&fit.parameters));
        let again = again.expect("a fit");
        for (one, other) in fit.parameters.iter().zip(&again.parameters) {
            assert!(relative(*one, *other) < 1e-5, "{one} {other}");
        }
        let patterns = data.in_time(&OperationalTime::even(7.0, END));
        let plain = crate::model::fit::purchases::fit_purchases(
            &patterns,
            &crate::settings::Purchases {
                model: crate::settings::PurchaseModelName::BgNbd,
                ..Default::default()
            },
            None,
        );
        let plain = plain.expect("a fit");
        assert!(relative(fit.log_likelihood, plain.log_likelihood) < 1e-10);
        for (one, other) in fit.parameters.iter().zip(plain.model.parameters()) {
            assert!(relative(*one, other) < 1e-5, "{one} {other}");
        }
    }
}
