//! Bootstrap: refits with random weights, for cases in which the normal approximation fails, such
//! as estimates near a boundary or few customers.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::error::Error;
use crate::model::calendar::operational_time::OperationalTime;
use crate::model::fit::data::Data;
use crate::model::fit::purchases::FittedPurchases;
use crate::model::fit::steady::SteadyRate;
use crate::model::likelihood::maximise::{from_start, minimise};
use crate::model::likelihood::patterns::Patterns;
use crate::model::purchase_model::PurchaseModel;
use crate::model::simulation::gamma;

/// Largest share of the refits that may fail to converge.
const MOST_LOST: f64 = 0.1;

impl FittedPurchases {
    /// Fits the same model under the same selection again, with a random weight per customer.
    ///
    /// # Formula
    /// Weights wᵢ ~ Exp(1), independent; their sum over the n customers of one pattern is
    /// Gamma(n, 1). The refits vary around the estimate as the estimate varies around the truth.
    ///
    /// # Errors
    /// [`Error::Model`] when more than one in ten refits does not converge.
    ///
    /// # Reference
    /// Newton & Raftery (1994), "Approximate Bayesian Inference with the Weighted Likelihood
    /// Bootstrap", Journal of the Royal Statistical Society B 56(1), 3–48.
    pub fn refits(
        &self,
        patterns: &Patterns,
        time: &OperationalTime,
        draws: u32,
        seed: u64,
    ) -> Result<Vec<PurchaseModel>, Error> {
        let selection = self.selection.as_ref().map(|fit| fit.selection.in_time(time));
        let data = Data::new(patterns, 0.0, selection);
        if let Some(steady) = self.steady {
            return Ok(data.steady_refits(steady, draws, seed));
        }
        let estimate: Vec<f64> = self.parameters.iter().map(|p| p.value).collect();
        // The estimate is the best start, unless it is not identified (a dropout reported as 0).
        let near = self.parameters.iter().all(|p| p.identified);
        let refit = |draw: u32| {
            let mut rng = stream(seed, draw);
            let weighted = data.scaled.weighted(|row| gamma(row.count, 1.0, &mut rng));
            let objective = data.objective(self.family, &weighted);
            let optimum = if near {
                from_start(&objective, &objective, &data.in_scaled_unit(self.family, &estimate))
            } else {
                minimise(&objective, &data.starts(self.family))
            };
            let optimum = optimum.filter(crate::model::likelihood::maximise::Optimum::converged)?;
            Some(self.family.model(&data.in_data_unit(self.family, &optimum.parameters)))
        };
        let models: Vec<PurchaseModel> = (1..=draws).into_par_iter().filter_map(refit).collect();
        let lost = f64::from(draws) - models.len() as f64;
        if lost > MOST_LOST * f64::from(draws) {
            return Err(Error::model(format!(
                "{lost} of {draws} refits did not converge, so the bootstrap says nothing"
            )));
        }
        Ok(models)
    }
}

impl Data {
    /// Refits of the one rate of all customers, which always exist; draws from the distribution of
    /// the rate where it is an assumption, so that there is nothing to refit.
    fn steady_refits(&self, steady: SteadyRate, draws: u32, seed: u64) -> Vec<PurchaseModel> {
        let refit = |draw: u32| {
            let mut rng = stream(seed, draw);
            if steady.assumed {
                return PurchaseModel::Nbd(steady.drawn(self.longest, &mut rng));
            }
            let weighted = self.scaled.weighted(|row| gamma(row.count, 1.0, &mut rng));
            let (scaled, _) = SteadyRate::of(&weighted, self.selection.as_ref());
            PurchaseModel::Nbd(scaled.in_time_unit(self.longest).nbd(self.longest))
        };
        (1..=draws).into_par_iter().map(refit).collect()
    }
}

/// The random numbers of one refit.
fn stream(seed: u64, draw: u32) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    // Streams of their own, above those from which `intervals` draws orders.
    rng.set_stream((1 << 32) + u64::from(draw));
    rng
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::bg_nbd::BgNbd;
    use crate::model::fit::purchases::tests::mites;
    use crate::model::fit::purchases::{SelectionFit, fit_purchases};
    use crate::model::selection::channels::ChannelMix;
    use crate::model::selection::probability::SelectionRule;
    use crate::model::testing::even;
    use crate::settings::TimeUnit;
    use crate::settings::{Family, PurchaseModelName, Purchases};

    fn fit(
        patterns: &Patterns,
        model: PurchaseModelName,
        selection: Option<SelectionRule>,
    ) -> FittedPurchases {
        let settings = Purchases { model, k: None, l2_penalty: 0.0 };
        fit_purchases(patterns, &settings, selection).expect("a fit")
    }

    /// Logarithms of the parameters of each refit.
    fn logs(models: &[PurchaseModel]) -> Vec<Vec<f64>> {
        models.iter().map(|m| m.parameters().iter().map(|p| p.ln()).collect()).collect()
    }

    /// Means, and the matrix of covariances.
    fn moments(logs: &[Vec<f64>]) -> (Vec<f64>, Vec<Vec<f64>>) {
        let (n, k) = (logs.len() as f64, logs[0].len());
        let mean: Vec<f64> =
            (0..k).map(|i| logs.iter().map(|row| row[i]).sum::<f64>() / n).collect();
        let product = |i: usize, j: usize| {
            logs.iter().map(|row| (row[i] - mean[i]) * (row[j] - mean[j])).sum::<f64>() / n
        };
        let spread = (0..k).map(|i| (0..k).map(|j| product(i, j)).collect()).collect();
        (mean, spread)
    }

    /// To first order a refit moves by C Σ (wᵢ − 1)gᵢ, C the inverse information and gᵢ the slope
    /// of one customer, so that its covariance is C (Σ gᵢgᵢᵀ) C.
    #[test]
    fn refits_are_spread_as_weights_of_variance_one_imply() {
        // A hundred leaves for each, so that first order is all there is.
        let patterns = mites(0, 4.0).weighted(|row| 100.0 * row.count);
        let fitted = fit(&patterns, PurchaseModelName::Nbd, None);
        let at = fitted.model.parameters();
        let inverse = fitted.covariance.clone().expect("a maximum").log_scale;
        let mut scores = [[0.0; 2]; 2];
        for row in &patterns.rows {
            let one = Patterns { rows: vec![*row], ..patterns.clone() }.weighted(|_| 1.0);
            let slope = Family::Nbd.log_likelihood(&one)(&at).1;
            for (i, sum) in scores.iter_mut().flatten().enumerate() {
                *sum += row.count * slope[i / 2] * at[i / 2] * slope[i % 2] * at[i % 2];
            }
        }
        let draws = 1_000;
        let (mean, spread) = moments(&logs(
            &fitted.refits(&patterns, even(TimeUnit::Week), draws, 3).expect("refits"),
        ));
        for i in 0..2 {
            for j in 0..2 {
                let pairs = (0..4).map(|k| (k / 2, k % 2));
                let expected: f64 =
                    pairs.map(|(k, l)| inverse[i][k] * scores[k][l] * inverse[l][j]).sum();
                // A variance of n draws has the relative error √(2/n) = 4.5 %, a covariance at the
                // correlation ρ √((1 + 1/ρ²)/n): four of the former.
                let error = (spread[i][j] / expected - 1.0).abs();
                assert!(error < 0.18, "{i} {j}: {} {expected}", spread[i][j]);
            }
            let error = (spread[i][i] / f64::from(draws)).sqrt();
            assert!((mean[i] - at[i].ln()).abs() < 5.0 * error, "{i}: {} {error}", mean[i]);
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_refits_and_more_begin_with_fewer() {
        let patterns = mites(0, 4.0);
        let fitted = fit(&patterns, PurchaseModelName::Nbd, None);
        let refits = |draws, seed| {
            fitted.refits(&patterns, even(TimeUnit::Week), draws, seed).expect("refits")
        };
        let ten = refits(10, 7);
        assert_eq!(ten.len(), 10);
        assert_eq!(refits(10, 7), ten);
        assert_eq!(refits(4, 7), ten[..4]);
        // Within one seed and between two, no refit is like another.
        let all = [ten, refits(10, 8)].concat();
        for (i, one) in all.iter().enumerate() {
            assert!(!all[..i].contains(one), "{i}");
        }
    }

    #[test]
    fn refits_keep_the_selection() {
        // Around the conditional estimate; without the condition the mean r/α is far above it.
        let patterns = mites(1, 4.0).weighted(|row| 100.0 * row.count);
        let everyone = SelectionRule::to(f64::INFINITY);
        let fitted = fit(&patterns, PurchaseModelName::Nbd, Some(everyone));
        let rate = |parameters: &[f64]| parameters[0] / parameters[1];
        let models = fitted.refits(&patterns, even(TimeUnit::Week), 100, 3).expect("refits");
        let rates: Vec<f64> = models.iter().map(|model| rate(&model.parameters())).collect();
        let mean = rates.iter().sum::<f64>() / 100.0;
        let spread = rates.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / 100.0;
        let estimate = rate(&fitted.model.parameters());
        assert!((mean - estimate).abs() < 5.0 * (spread / 100.0).sqrt(), "{mean} {estimate}");
        let ignored = rate(&fitted.selection.as_ref().expect("a selection").ignored.parameters());
        assert!(ignored > estimate + 20.0 * spread.sqrt(), "{ignored} {estimate}");
    }

    #[test]
    fn a_dropout_that_vanished_is_looked_for_again() {
        let patterns = mites(0, 9.0);
        let fitted = fit(&patterns, PurchaseModelName::BgNbd, None);
        assert!(!fitted.knows_dropout());
        // Whatever the weights, nobody can have left, and the rates are those of the NBD: the mean
        // r/α·T is 172/150 with Var(ln) = (1/m + 1/k)/N, k = 1.0246.
        let models = fitted.refits(&patterns, even(TimeUnit::Week), 20, 3).expect("refits");
        assert!(models.len() >= 18, "{}", models.len());
        let dropout_and_rate = |model: &PurchaseModel| match model {
            PurchaseModel::BgNbd(BgNbd { r, alpha, a, b }) => (a / (a + b), (r / alpha).ln()),
            other => panic!("{other:?}"),
        };
        let (dropouts, rates): (Vec<f64>, Vec<f64>) = models.iter().map(dropout_and_rate).unzip();
        assert!(dropouts.iter().all(|dropout| *dropout < 1e-5), "{dropouts:?}");
        let m: f64 = 172.0 / 150.0;
        let error = ((1.0 / m + 1.0 / 1.0246) / 150.0 / rates.len() as f64).sqrt();
        let mean = rates.iter().sum::<f64>() / rates.len() as f64;
        assert!((mean - (m / 10.0).ln()).abs() < 5.0 * error, "{mean} {error}");
    }

    #[test]
    fn refits_that_are_lost_are_an_error() {
        // Pareto/NBD has no probability of ordering in both channels, so no refit has a likelihood.
        let patterns = mites(0, 4.0);
        let fitted = fit(&patterns, PurchaseModelName::Nbd, None);
        let mix = ChannelMix { first: 1.0, second: 1.0 };
        let selection = SelectionRule { both_channels: Some(mix), ..SelectionRule::to(5.0) };
        let ignored = SelectionFit {
            selection,
            acquired: 150.0,
            ignored: fitted.model,
            ignored_log_likelihood: 0.0,
        };
        let lost = FittedPurchases {
            family: Family::ParetoNbd,
            parameters: [&fitted.parameters[..]; 2].concat(),
            selection: Some(ignored),
            ..fitted
        };
        let error =
            lost.refits(&patterns, even(TimeUnit::Week), 10, 3).expect_err("no refit").to_string();
        assert!(error.contains("10 of 10 refits did not converge"), "{error}");
    }
}
