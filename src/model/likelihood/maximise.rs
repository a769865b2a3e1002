//! Maximum likelihood with argmin: parameters on the log scale, several starts, and a verdict on
//! convergence.

use std::cell::{Cell, RefCell};

use argmin::core::{CostFunction, Executor, Gradient, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::BFGS;
use argmin_math::ArgminL2Norm;
use rayon::prelude::*;

use crate::math::linear::{hessian_from_gradient, invert_positive_definite};

/// Parameters are kept within e^±40, so that no likelihood overflows during the search.
const LOG_LIMIT: f64 = 40.0;
/// Norm of the gradient of the mean negative log-likelihood at which the solver's first round ends.
/// From a gradient g the value can still fall by about g², which a line search soon cannot tell
/// from rounding. Newton steps take over there: they follow the gradient rather than the value.
const GRADIENT_GOAL: f64 = 1e-5;
/// A fit with a larger gradient norm has not converged, whatever the solver says.
const GRADIENT_ACCEPTED: f64 = 1e-6;
const MOST_ITERATIONS: u64 = 500;
/// After a failed line search, another round starts at the best point with a new Hessian. So does a
/// search along a direction that only flattens out (towards a boundary), where Newton steps fail.
const MOST_ROUNDS: i32 = 12;
/// Rounds after which a search that is still at the limit e^±40 ends.
const ROUNDS_AT_EDGE: i32 = 2;
/// Relative width at which a line search gives up.
const LINE_SEARCH_WIDTH: f64 = 1e-6;
const MOST_NEWTON_STEPS: u32 = 8;
/// A Newton step must shrink the gradient to this share. It is below 1/e, which is all that a step
/// gains where the objective flattens out exponentially.
const MUCH_SMALLER: f64 = 0.3;
/// Newton steps end at this gradient norm: further steps change no digit that is shown.
const GRADIENT_EXACT: f64 = 1e-9;
/// Most values and gradients per round: argmin's line search has no cap of its own, and can ask for
/// the same point forever.
const MOST_CALLS: u32 = 300;

/// A log-likelihood summed over customers, and its gradient, as a function of θ.
pub type LogLikelihood<'a> = Box<dyn Fn(&[f64]) -> (f64, Vec<f64>) + Sync + 'a>;

/// Mean negative log-likelihood per customer plus an L2 penalty, on log parameters.
///
/// # Formula
/// −ℓ(θ)/n + c·Σ θⱼ², θ = e^η; its gradient in η is θⱼ·(−ℓⱼ/n + 2cθⱼ).
pub struct Objective<'a> {
    /// ℓ.
    pub log_likelihood: LogLikelihood<'a>,
    /// n.
    pub customers: f64,
    /// c.
    pub l2_penalty: f64,
}

impl Objective<'_> {
    /// Value and gradient at log parameters η.
    pub fn evaluate(&self, log_parameters: &[f64]) -> (f64, Vec<f64>) {
        let parameters = from_log(log_parameters);
        let (log_likelihood, slope) = (self.log_likelihood)(&parameters);
        let penalty = self.l2_penalty * parameters.iter().map(|p| p * p).sum::<f64>();
        let gradient = parameters
            .iter()
            .zip(&slope)
            .map(|(p, s)| p * (2.0 * self.l2_penalty * p - s / self.customers))
            .collect();
        (penalty - log_likelihood / self.customers, gradient)
    }

    /// The matrix of second derivatives in η.
    pub fn hessian(&self, log_parameters: &[f64]) -> Vec<Vec<f64>> {
        hessian_from_gradient(|at| self.evaluate(at).1, log_parameters)
    }
}

/// θ = e^η, with η kept within the limits.
pub fn from_log(log_parameters: &[f64]) -> Vec<f64> {
    log_parameters.iter().map(|l| l.clamp(-LOG_LIMIT, LOG_LIMIT).exp()).collect()
}

/// The best point over all starts.
#[derive(Debug, Clone, PartialEq)]
pub struct Optimum {
    /// θ.
    pub parameters: Vec<f64>,
    /// Objective at θ.
    pub value: f64,
    /// Euclidean norm of the gradient on the log scale.
    pub gradient_norm: f64,
    /// Solver iterations from the best start.
    pub iterations: u64,
    /// Number of starts that were tried.
    pub starts: usize,
    /// Why the solver stopped, in argmin's words.
    pub termination: String,
}

impl Optimum {
    /// Indices of the parameters that ran to the limit, e^±40.
    pub fn at_edge(&self) -> impl Iterator<Item = usize> {
        let edge = |(_, p): &(usize, &f64)| p.ln().abs() >= LOG_LIMIT - 1e-9;
        self.parameters.iter().enumerate().filter(edge).map(|(i, _)| i)
    }

    /// Whether the gradient vanishes: the only evidence of convergence that is trusted.
    pub fn converged(&self) -> bool {
        self.gradient_norm <= GRADIENT_ACCEPTED
    }
}

/// Minimises `objective` from each start θ (not its logarithm) and keeps the lowest value; among
/// equal values, one that converged.
///
/// Returns `None` when no start reached a finite value.
pub fn minimise(objective: &Objective<'_>, starts: &[Vec<f64>]) -> Option<Optimum> {
    let optima: Vec<Optimum> =
        starts.par_iter().filter_map(|start| from_start(objective, objective, start)).collect();
    let optima: Vec<Optimum> = optima.into_iter().filter(|o| o.value.is_finite()).collect();
    let lowest = optima.iter().map(|o| o.value).min_by(f64::total_cmp)?;
    // Values that differ only by rounding are equal.
    let as_low = |o: &Optimum| o.value <= lowest + 1e-9 * lowest.abs();
    let best = optima.iter().filter(|o| as_low(o)).min_by_key(|o| !o.converged())?;
    Some(Optimum { starts: starts.len(), ..best.clone() })
}

/// [`minimise`] for many customers. The starts are tried on a sample; from its optimum and with its
/// Hessian, the whole needs only a few evaluations.
///
/// Returns `None` when no start reached a finite value.
pub fn minimise_through(
    sample: &Objective<'_>,
    objective: &Objective<'_>,
    starts: &[Vec<f64>],
) -> Option<Optimum> {
    let rough = minimise(sample, starts)?;
    // The sample's Hessian only sets the direction of steps: value and gradient are those of the
    // whole, so convergence is too. Where it misleads, the Hessian of the whole is worth its cost.
    let near = from_start(objective, sample, &rough.parameters)?;
    let optimum =
        if near.converged() { near } else { from_start(objective, objective, &near.parameters)? };
    Some(Optimum { starts: starts.len(), ..optimum })
}

/// Descends from one start θ. `curvature` is `objective` itself, or a cheaper objective with nearly
/// the same Hessian.
///
/// Returns `None` when no point had a finite value.
pub fn from_start(
    objective: &Objective<'_>,
    curvature: &Objective<'_>,
    start: &[f64],
) -> Option<Optimum> {
    let memo =
        Memo { objective, last: RefCell::default(), best: RefCell::default(), calls: Cell::new(0) };
    let mut from: Vec<f64> = start.iter().map(|p| p.ln()).collect();
    let (mut iterations, mut termination) = (0, String::new());
    let mut best: Option<Point> = None;
    for round in 0..MOST_ROUNDS {
        memo.calls.set(0);
        let goal = if round == 0 { GRADIENT_GOAL } else { GRADIENT_ACCEPTED };
        match bfgs(&memo, curvature, &from, goal) {
            Ok((rounds, reason)) => {
                iterations += rounds;
                termination = reason;
            }
            Err(error) => termination = error.to_string(),
        }
        // From the best point seen: argmin's own result is lost when a line search fails.
        let sharp = newton_polish(objective, curvature, memo.best.borrow().clone()?);
        from.clone_from(&sharp.log_parameters);
        let arrived = sharp.gradient.l2_norm() <= GRADIENT_ACCEPTED;
        let at_edge = round >= ROUNDS_AT_EDGE && from.iter().any(|l| l.abs() >= LOG_LIMIT);
        best = Some(sharp);
        if arrived || at_edge {
            break;
        }
    }
    let best = best?;
    Some(Optimum {
        parameters: from_log(&best.log_parameters),
        value: best.value,
        gradient_norm: best.gradient.l2_norm(),
        iterations,
        starts: 1,
        termination,
    })
}

/// Newton steps, as long as each makes the gradient much smaller, as it does near an optimum. In a
/// direction in which the objective only flattens out, a step gains no more than a constant factor,
/// and that ends the steps.
fn newton_polish(objective: &Objective<'_>, curvature: &Objective<'_>, mut point: Point) -> Point {
    for _ in 0..MOST_NEWTON_STEPS {
        let norm = point.gradient.l2_norm();
        if norm <= GRADIENT_EXACT {
            break;
        }
        let hessian = curvature.hessian(&point.log_parameters);
        let Some(inverse) = invert_positive_definite(&hessian) else { break };
        let log_parameters: Vec<f64> = point
            .log_parameters
            .iter()
            .zip(&inverse)
            .map(|(at, row)| at - row.iter().zip(&point.gradient).map(|(h, g)| h * g).sum::<f64>())
            .collect();
        let (value, gradient) = objective.evaluate(&log_parameters);
        // Both are false when the objective is NaN.
        let as_low = value <= point.value + 1e-9 * point.value.abs();
        let flatter = gradient.l2_norm() <= MUCH_SMALLER * norm;
        if !(as_low && flatter) {
            break;
        }
        point = Point { log_parameters, value, gradient };
    }
    point
}

/// One run of argmin's BFGS from a point: iterations, and why it stopped.
fn bfgs(
    memo: &Memo<'_>,
    curvature: &Objective<'_>,
    from: &[f64],
    goal: f64,
) -> Result<(u64, String), argmin::core::Error> {
    // BFGS learns the Hessian in its first steps. Giving it the Hessian at the start saves those,
    // and the line searches that a bad first scale would cost.
    let gradient = memo.at(from, |point| point.gradient.clone())?;
    let inverse_hessian = limit_first_step(first_inverse_hessian(curvature, from), &gradient);
    let line_search = MoreThuenteLineSearch::new().with_width_tolerance(LINE_SEARCH_WIDTH)?;
    let solver = BFGS::new(line_search).with_tolerance_grad(goal)?;
    let result = Executor::new(memo, solver)
        .configure(|state| {
            state.param(from.to_vec()).inv_hessian(inverse_hessian).max_iters(MOST_ITERATIONS)
        })
        .timer(false)
        .run()?;
    Ok((result.state().get_iter(), result.state().get_termination_status().to_string()))
}

/// Inverse of the Hessian at a start. Far from the optimum the Hessian can be indefinite, so a
/// growing ridge on its diagonal makes it positive definite.
fn first_inverse_hessian(objective: &Objective<'_>, at: &[f64]) -> Vec<Vec<f64>> {
    // The last ridge is 52 times the largest entry: enough for any finite matrix of this size. The
    // identity below is for a Hessian that is not finite.
    const MOST_RIDGES: i32 = 20;
    let hessian = objective.hessian(at);
    let scale = hessian.iter().flatten().fold(1e-6f64, |most, h| most.max(h.abs()));
    let ridged = |ridge: f64| {
        let mut matrix = hessian.clone();
        matrix.iter_mut().enumerate().for_each(|(i, row)| row[i] += ridge);
        invert_positive_definite(&matrix)
    };
    let ridges = (0..MOST_RIDGES).map(|k| scale * 1e-4 * 2f64.powi(k));
    ridges.into_iter().find_map(ridged).unwrap_or_else(|| {
        (0..at.len())
            .map(|i| (0..at.len()).map(|j| f64::from(u8::from(i == j))).collect())
            .collect()
    })
}

/// Scales the inverse Hessian down where the first step would be too long: with absurd parameters,
/// far from the start, a line search does not find its way back.
fn limit_first_step(mut inverse_hessian: Vec<Vec<f64>>, gradient: &[f64]) -> Vec<Vec<f64>> {
    // On the log scale: parameters change by a factor of at most e².
    const LONGEST_STEP: f64 = 2.0;
    let along = |row: &Vec<f64>| row.iter().zip(gradient).map(|(h, g)| h * g).sum::<f64>();
    let length = inverse_hessian.iter().map(|row| along(row).powi(2)).sum::<f64>().sqrt();
    if length > LONGEST_STEP {
        inverse_hessian.iter_mut().flatten().for_each(|h| *h *= LONGEST_STEP / length);
    }
    inverse_hessian
}

#[derive(Debug, Clone)]
struct Point {
    log_parameters: Vec<f64>,
    value: f64,
    gradient: Vec<f64>,
}

/// The last point and the best one. argmin asks for value and gradient separately, though one pass
/// over the patterns gives both; and it loses the best point when a line search fails.
struct Memo<'a> {
    objective: &'a Objective<'a>,
    last: RefCell<Option<Point>>,
    best: RefCell<Option<Point>>,
    calls: Cell<u32>,
}

impl Memo<'_> {
    /// Reads value or gradient at a point, evaluating the objective only where the last point was
    /// another one.
    fn at<T>(
        &self,
        log_parameters: &[f64],
        read: impl Fn(&Point) -> T,
    ) -> Result<T, argmin::core::Error> {
        self.calls.set(self.calls.get() + 1);
        if self.calls.get() > MOST_CALLS {
            return Err(argmin::core::Error::msg("the line search circles"));
        }
        if let Some(point) = self.last.borrow().as_ref()
            && point.log_parameters == log_parameters
        {
            return Ok(read(point));
        }
        let (value, gradient) = self.objective.evaluate(log_parameters);
        let point = Point { log_parameters: log_parameters.to_vec(), value, gradient };
        let answer = read(&point);
        let mut best = self.best.borrow_mut();
        let finite = value.is_finite() && point.gradient.iter().all(|g| g.is_finite());
        if finite && best.as_ref().is_none_or(|best| value < best.value) {
            *best = Some(point.clone());
        }
        *self.last.borrow_mut() = Some(point);
        Ok(answer)
    }
}

impl CostFunction for &Memo<'_> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, param: &Self::Param) -> Result<f64, argmin::core::Error> {
        // A line search turns back from a huge value, but not from NaN.
        self.at(param, |point| if point.value.is_finite() { point.value } else { f64::MAX })
    }
}

impl Gradient for &Memo<'_> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, param: &Self::Param) -> Result<Vec<f64>, argmin::core::Error> {
        self.at(param, |point| point.gradient.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// ℓ = −n·((θ₁ − 2)² + 10(θ₂ − 0.5)²).
    fn quadratic(parameters: &[f64]) -> (f64, Vec<f64>) {
        let (a, b) = (parameters[0] - 2.0, parameters[1] - 0.5);
        (-7.0 * (a * a + 10.0 * b * b), vec![-14.0 * a, -140.0 * b])
    }

    #[test]
    fn finds_a_known_maximum_from_every_start() {
        let objective =
            Objective { log_likelihood: Box::new(quadratic), customers: 7.0, l2_penalty: 0.0 };
        for start in [vec![1.0, 1.0], vec![50.0, 0.001]] {
            let optimum = minimise(&objective, &[start]).expect("finite");
            assert!(optimum.converged());
            assert!((optimum.parameters[0] - 2.0).abs() < 1e-8);
            assert!((optimum.parameters[1] - 0.5).abs() < 1e-8);
        }
    }

    #[test]
    fn the_penalty_shrinks_by_the_known_amount() {
        // Minimum of (θ₁ − 2)² + cθ₁² is 2/(1 + c); of 10(θ₂ − ½)² + cθ₂² it is 5/(10 + c).
        let objective =
            Objective { log_likelihood: Box::new(quadratic), customers: 7.0, l2_penalty: 0.25 };
        let optimum = minimise(&objective, &[vec![1.0, 1.0]]).expect("finite");
        assert!((optimum.parameters[0] - 2.0 / 1.25).abs() < 1e-8);
        assert!((optimum.parameters[1] - 5.0 / 10.25).abs() < 1e-8);
    }

    #[test]
    fn a_likelihood_without_a_maximum_has_not_converged() {
        let rising = |p: &[f64]| (p[0], vec![1.0]);
        let objective =
            Objective { log_likelihood: Box::new(rising), customers: 1.0, l2_penalty: 0.0 };
        // The best point is the limit e^40, where the slope in η is that of ℓ = e^η.
        let optimum = minimise(&objective, &[vec![1.0]]).expect("finite");
        assert!(!optimum.converged());
        assert_eq!(optimum.at_edge().collect::<Vec<_>>(), [0]);
        for found in [optimum.parameters[0], -optimum.value, optimum.gradient_norm] {
            assert!((found / 40f64.exp() - 1.0).abs() < 1e-12, "{optimum:?}");
        }
    }

    #[test]
    fn a_likelihood_that_is_never_finite_is_no_fit() {
        let undefined = |_: &[f64]| (f64::NAN, vec![f64::NAN]);
        let objective =
            Objective { log_likelihood: Box::new(undefined), customers: 1.0, l2_penalty: 0.0 };
        assert_eq!(minimise(&objective, &[vec![1.0]]), None);
    }
}
