//! Bootstrap: refits with random weights, for cases in which the normal approximation fails, such
//! as estimates near a boundary or few customers.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use crate::error::Error;
use crate::model::fit::purchases::{Data, FittedPurchases};
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
        draws: u32,
        seed: u64,
    ) -> Result<Vec<PurchaseModel>, Error> {
        let selection = self.selection.as_ref().map(|fit| fit.selection);
        let data = Data::new(patterns, 0.0, selection);
        let estimate: Vec<f64> = self.parameters.iter().map(|p| p.value).collect();
        // The estimate is the best start, unless it is not identified (a dropout reported as 0).
        let near = self.parameters.iter().all(|p| p.identified);
        let refit = |draw: u32| {
            let mut rng = ChaCha8Rng::seed_from_u64(seed);
            // Streams of their own, above those from which `intervals` draws orders.
            rng.set_stream((1 << 32) + u64::from(draw));
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
            return Err(Error::Model(format!(
                "{lost} of {draws} refits did not converge, so the bootstrap says nothing"
            )));
        }
        Ok(models)
    }
}
