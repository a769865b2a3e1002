//! Poisson regression with an offset: counts against what is expected of each.

use crate::math::linear::invert_positive_definite;

/// Most Newton steps; from a reasonable start, a dozen are enough.
const MOST_STEPS: u32 = 50;
/// The search has converged when a step changes the log-likelihood by less than this.
const ACCURACY: f64 = 1e-9;

/// A coefficient whose variance is so many times that of one alone cannot be told from the others.
const COLLINEAR: f64 = 1e8;

/// A fitted regression.
#[derive(Debug, Clone, PartialEq)]
pub struct PoissonFit {
    /// Coefficients: of the constant, then of each column.
    pub coefficients: Vec<f64>,
    /// Their standard errors.
    pub standard_errors: Vec<f64>,
    /// Log-likelihood, but for terms without a parameter.
    pub log_likelihood: f64,
}

/// Fits ln E\[countᵢ\] = ln expectedᵢ + β₀ + Σ βₖ·columnₖᵢ. Every slice has one entry per count;
/// expectations are above 0.
///
/// Returns `None` when the columns are collinear, or the likelihood has no maximum.
///
/// # Formula
/// Newton's method on Σ countᵢ·ηᵢ − expectedᵢ·e^ηᵢ, which is concave in β.
///
/// # Reference
/// McCullagh & Nelder (1989), Generalized Linear Models, 2nd edition, chapter 6.
pub fn poisson_regression(
    counts: &[f64],
    expected: &[f64],
    columns: &[&[f64]],
) -> Option<PoissonFit> {
    let n = 1 + columns.len();
    let entry = |k: usize, i: usize| if k == 0 { 1.0 } else { columns[k - 1][i] };
    let eta = |beta: &[f64], i: usize| -> f64 {
        beta.iter().enumerate().map(|(k, b)| b * entry(k, i)).sum()
    };
    let log_likelihood = |beta: &[f64]| -> f64 {
        let one = |i: usize| {
            let eta = eta(beta, i);
            counts[i] * eta - expected[i] * eta.exp()
        };
        (0..counts.len()).map(one).sum()
    };
    let mut beta = vec![0.0; n];
    let (all, foreseen): (f64, f64) = (counts.iter().sum(), expected.iter().sum());
    if all <= 0.0 || foreseen <= 0.0 {
        return None;
    }
    beta[0] = (all / foreseen).ln();
    let mut value = log_likelihood(&beta);
    for _ in 0..MOST_STEPS {
        let means: Vec<f64> =
            (0..counts.len()).map(|i| expected[i] * eta(&beta, i).exp()).collect();
        let over = |of: &dyn Fn(usize) -> f64| (0..counts.len()).map(of).sum::<f64>();
        let slope: Vec<f64> =
            (0..n).map(|j| over(&|i| entry(j, i) * (counts[i] - means[i]))).collect();
        let row = |j: usize| -> Vec<f64> {
            (0..n).map(|k| over(&|i| entry(j, i) * entry(k, i) * means[i])).collect()
        };
        let information: Vec<Vec<f64>> = (0..n).map(row).collect();
        let covariance = invert_positive_definite(&information)?;
        // Of collinear columns rounding may leave a positive definite rest: their variances explode.
        if (0..n).any(|k| information[k][k] * covariance[k][k] > COLLINEAR) {
            return None;
        }
        let step: Vec<f64> =
            covariance.iter().map(|row| row.iter().zip(&slope).map(|(c, s)| c * s).sum()).collect();
        let (next, reached) = shortened(&beta, &step, value, &log_likelihood)?;
        let gain = reached - value;
        (beta, value) = (next, reached);
        if gain < ACCURACY {
            let standard_errors = (0..n).map(|k| covariance[k][k].sqrt()).collect();
            return Some(PoissonFit { coefficients: beta, standard_errors, log_likelihood: value });
        }
    }
    None
}

/// The step, halved until it does not lower the log-likelihood.
fn shortened(
    beta: &[f64],
    step: &[f64],
    value: f64,
    log_likelihood: &dyn Fn(&[f64]) -> f64,
) -> Option<(Vec<f64>, f64)> {
    let mut length = 1.0;
    for _ in 0..40 {
        let next: Vec<f64> = beta.iter().zip(step).map(|(b, s)| b + length * s).collect();
        let reached = log_likelihood(&next);
        // Rounding can make the last step look like a loss.
        if reached.is_finite() && reached >= value - ACCURACY {
            return Some((next, reached.max(value)));
        }
        length /= 2.0;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With one group column the estimates are ln of each group's ratio, and their variances
    /// 1/count.
    #[test]
    fn two_groups_by_hand() {
        let fit = poisson_regression(
            &[30.0, 50.0, 10.0, 8.0],
            &[20.0, 60.0, 20.0, 16.0],
            &[&[0.0, 0.0, 1.0, 1.0]],
        )
        .expect("a fit");
        let [constant, group] = fit.coefficients[..] else { panic!("two coefficients") };
        assert!(constant.abs() < 1e-9, "80 of 80: {constant}");
        assert!((group / 0.5f64.ln() - 1.0).abs() < 1e-9, "18 of 36: {group}");
        let [first, second] = fit.standard_errors[..] else { panic!("two errors") };
        assert!((first * 80f64.sqrt() - 1.0).abs() < 1e-6, "{first}");
        assert!((second / (1.0f64 / 80.0 + 1.0 / 18.0).sqrt() - 1.0).abs() < 1e-6, "{second}");
    }

    #[test]
    fn collinear_columns_and_empty_counts_have_no_fit() {
        let column: &[f64] = &[1.0, 1.0];
        assert_eq!(poisson_regression(&[3.0, 4.0], &[3.0, 4.0], &[column]), None);
        assert_eq!(poisson_regression(&[0.0, 0.0], &[3.0, 4.0], &[]), None);
    }
}
