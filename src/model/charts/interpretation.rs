//! Interpretation: quantities derived from the parameters that a reader can picture, with intervals
//! by the delta method.

use statrs::function::erf::erf_inv;

use crate::model::bg_nbd::BgNbd;
use crate::model::cnbd::Cnbd;
use crate::model::fit::purchases::FittedPurchases;
use crate::model::fit::spend::FittedSpend;
use crate::model::gamma_gamma::GammaGamma;
use crate::model::likelihood::covariance::Covariance;
use crate::model::mbg_nbd::MbgNbd;
use crate::model::nbd::Nbd;
use crate::model::pareto_nbd::ParetoNbd;
use crate::model::purchase_model::PurchaseModel;
use crate::results::chart_data::{DerivedQuantity, Quantity};

/// Standard error of ln x above which x is reported without an interval: it is not known at all.
const UNKNOWN: f64 = 3.0;
/// A variance below this share of the sum of its absolute terms is rounding left by cancellation.
const CANCELLED: f64 = 1e-6;

/// The quantities derived from the fitted models. There is no interval under a penalty or for a
/// quantity that is not known, and no dropout quantity where nobody leaves.
///
/// # Formula
/// x·e^(±z·SE), where z is the normal quantile of the level and SE = √(gᵀCg) the standard error of
/// ln x by the delta method: C is the covariance of ln θ and g the gradient of ln x in ln θ.
pub fn derived_quantities(
    purchases: &FittedPurchases,
    spend: Option<&FittedSpend>,
    level: f64,
) -> Vec<Quantity> {
    let of_orders = purchases.covariance.as_ref();
    let orders = derived(&purchases.model).into_iter().map(|one| one.quantity(of_orders, level));
    let values = spend.and_then(|spend| {
        Some(mean_order_value(&spend.model)?.quantity(spend.covariance.as_ref(), level))
    });
    orders.chain(values).collect()
}

/// A function of the parameters.
struct Derived {
    name: DerivedQuantity,
    value: f64,
    /// g: the derivative of ln `value` in the logarithm of each parameter.
    slope: Vec<f64>,
}

/// The quantities of a purchase model.
fn derived(model: &PurchaseModel) -> Vec<Derived> {
    // The NBD has only two parameters; `log_error` pairs slopes with rows of the covariance, so the
    // other slopes drop out.
    let between = |r: f64, alpha: f64| Derived {
        name: DerivedQuantity::TimeBetweenOrders,
        value: alpha / r,
        slope: vec![-1.0, 1.0, 0.0, 0.0],
    };
    let leave = |a: f64, b: f64| Derived {
        name: DerivedQuantity::LeaveAfterOrder,
        value: a / (a + b),
        slope: vec![0.0, 0.0, b / (a + b), -b / (a + b)],
    };
    match *model {
        PurchaseModel::Nbd(Nbd { r, alpha }) => vec![between(r, alpha)],
        PurchaseModel::BgNbd(BgNbd { r, alpha, a, b })
        | PurchaseModel::MbgNbd(MbgNbd { r, alpha, a, b }) => {
            vec![between(r, alpha), leave(a, b)]
        }
        PurchaseModel::Cnbd(Cnbd { r, alpha, a, b, k, .. }) => {
            // An order takes k stages.
            let one = between(r, alpha);
            let value = f64::from(k) * one.value;
            vec![Derived { value, ..one }, leave(a, b)]
        }
        PurchaseModel::ParetoNbd(ParetoNbd { r, alpha, s, beta }) => {
            let slope = vec![0.0, 0.0, -1.0, 1.0];
            vec![
                between(r, alpha),
                Derived { name: DerivedQuantity::Lifetime, value: beta / s, slope },
            ]
        }
    }
}

/// The population mean of Gamma-Gamma; `None` where it does not exist.
fn mean_order_value(model: &GammaGamma) -> Option<Derived> {
    let slope = vec![1.0, -model.q / (model.q - 1.0), 1.0];
    let value = model.population_mean()?;
    Some(Derived { name: DerivedQuantity::MeanOrderValue, value, slope })
}

impl Derived {
    fn quantity(self, covariance: Option<&Covariance>, level: f64) -> Quantity {
        let Self { name, value, ref slope } = self;
        let error = covariance.and_then(|covariance| log_error(slope, covariance));
        let interval = error.map(|error| {
            // √2·erf⁻¹(level) is the normal quantile z of (1 + level)/2.
            let factor = (std::f64::consts::SQRT_2 * erf_inv(level) * error).exp();
            [value / factor, value * factor]
        });
        Quantity { name, value, interval }
    }
}

/// Standard error √(gᵀ C g) of the logarithm.
///
/// Returns `None` when it is so large that the quantity is not known, or when it is only rounding:
/// huge terms cancel where two parameters are known by their ratio alone.
fn log_error(slope: &[f64], covariance: &Covariance) -> Option<f64> {
    let (mut variance, mut size) = (0.0, 0.0);
    for (row, g) in covariance.log_scale.iter().zip(slope) {
        for (c, h) in row.iter().zip(slope) {
            variance += g * c * h;
            size += (g * c * h).abs();
        }
    }
    let known = variance > CANCELLED * size && variance.sqrt() <= UNKNOWN;
    known.then(|| variance.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Family;

    /// Standard errors 0.1, 0.2, 0.3, 0.4 and a correlation of 1/2 each.
    fn covariance(n: usize) -> Covariance {
        let error = |i: usize| 0.1 * (i + 1) as f64;
        let entry = |i: usize, j: usize| error(i) * error(j) * if i == j { 1.0 } else { 0.5 };
        Covariance {
            log_scale: (0..n).map(|i| (0..n).map(|j| entry(i, j)).collect()).collect(),
            condition_number: 1.0,
            flattest: vec![0.0; n],
        }
    }

    fn by_name(name: DerivedQuantity, theta: &[f64]) -> f64 {
        match name {
            DerivedQuantity::TimeBetweenOrders => theta[1] / theta[0],
            DerivedQuantity::LeaveAfterOrder => theta[2] / (theta[2] + theta[3]),
            DerivedQuantity::Lifetime => theta[3] / theta[2],
            DerivedQuantity::MeanOrderValue => theta[0] * theta[2] / (theta[1] - 1.0),
        }
    }

    /// The standard error with slopes by finite differences.
    fn error_by_differences(name: DerivedQuantity, theta: &[f64]) -> f64 {
        let h = 1e-6;
        let slope: Vec<f64> = (0..theta.len())
            .map(|i| {
                let moved = |h: f64| {
                    let mut theta = theta.to_vec();
                    theta[i] *= f64::exp(h);
                    by_name(name, &theta).ln()
                };
                (moved(h) - moved(-h)) / (2.0 * h)
            })
            .collect();
        let c = covariance(theta.len()).log_scale;
        let pairs = (0..slope.len()).flat_map(|i| (0..slope.len()).map(move |j| (i, j)));
        pairs.map(|(i, j)| slope[i] * c[i][j] * slope[j]).sum::<f64>().sqrt()
    }

    fn holds(quantity: &Quantity, theta: &[f64]) {
        let close = |a: f64, b: f64| assert!((a / b - 1.0).abs() < 1e-8, "{quantity:?}: {a} {b}");
        close(quantity.value, by_name(quantity.name, theta));
        let [low, high] = quantity.interval.expect("an interval");
        // 1.644853627: the 95 % quantile of the normal distribution.
        let z = 1.644_853_626_951_472_2;
        let error = error_by_differences(quantity.name, theta);
        close(high / quantity.value, (z * error).exp());
        close(low * high, quantity.value * quantity.value);
    }

    #[test]
    fn intervals_equal_those_by_differences() {
        let theta = [0.6, 6.0, 0.8, 2.5];
        let names = |family: Family| {
            let found = derived(&family.model(&theta));
            let covariance = covariance(family.parameters().len());
            let all: Vec<Quantity> =
                found.into_iter().map(|one| one.quantity(Some(&covariance), 0.9)).collect();
            let known = &theta[..family.parameters().len()];
            all.iter().for_each(|quantity| holds(quantity, known));
            all.iter().map(|quantity| quantity.name).collect::<Vec<_>>()
        };
        assert_eq!(names(Family::Nbd), [DerivedQuantity::TimeBetweenOrders]);
        for family in [Family::BgNbd, Family::MbgNbd] {
            assert_eq!(
                names(family),
                [DerivedQuantity::TimeBetweenOrders, DerivedQuantity::LeaveAfterOrder]
            );
        }
        assert_eq!(
            names(Family::ParetoNbd),
            [DerivedQuantity::TimeBetweenOrders, DerivedQuantity::Lifetime]
        );
        let spend = mean_order_value(&GammaGamma { p: 4.0, q: 9.0, v: 310.0 }).expect("a mean");
        holds(&spend.quantity(Some(&covariance(3)), 0.9), &[4.0, 9.0, 310.0]);
    }

    #[test]
    fn without_a_mean_or_an_error_there_is_none() {
        assert!(mean_order_value(&GammaGamma { p: 4.0, q: 0.9, v: 310.0 }).is_none());
        let model = PurchaseModel::Nbd(Nbd { r: 0.5, alpha: 4.0 });
        let interval = |covariance: Option<&Covariance>| {
            derived(&model).remove(0).quantity(covariance, 0.9).interval
        };
        assert_eq!(interval(None), None);
        let mut flat = covariance(2);
        flat.log_scale[0][0] = 16.0;
        assert_eq!(interval(Some(&flat)), None);
        // α and r are known only together: the variance of ln(α/r) is rounding.
        flat.log_scale = vec![vec![4.0, 4.0], vec![4.0, 4.0 + 1e-9]];
        assert_eq!(interval(Some(&flat)), None);
    }
}
