//! The data of a report's charts. A run computes it once and writes it as figures.json; the report
//! draws it and computes nothing. Counts by segment are in segment order, lowest first.

use serde::{Deserialize, Serialize};

/// Version of the layout of figures.json.
pub const SCHEMA_VERSION: u32 = 1;

/// All chart data that is not in run.json already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChartData {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Labels of the segments, lowest first.
    pub segments: Vec<String>,
    /// Histograms of lifetime value, of expected orders over each horizon, and of expected order
    /// value; without money, of orders alone.
    pub distributions: Vec<Distribution>,
    /// Customers by time since their first order.
    pub ages: Ages,
    /// Customers by recency and frequency.
    pub recency_frequency: RecencyFrequency,
    /// P(alive) and expected orders by recency and frequency.
    pub surface: Surface,
    /// Customers expected by the fit against observed ones.
    pub fit: FitAgainstData,
    /// Quantities derived from the parameters.
    #[serde(rename = "meaning")]
    pub derived: Vec<Quantity>,
    /// Probability that an interval of `derived` contains the true value.
    pub level: f64,
    /// Customers by RFM's recency and frequency scores.
    pub rfm_grid: Vec<RfmCell>,
    /// The customers with the highest lifetime value, or without money the most expected orders,
    /// highest first; ties are in input order.
    pub customers: Vec<CustomerLine>,
    /// P(alive) over time of the first of `customers`; empty unless the input is an order log.
    pub survival: Vec<Survival>,
    /// The forecast against what happened; `None` unless the input is an order log with a
    /// calibration end.
    pub holdout: Option<HoldoutChart>,
}

/// A histogram of one column of the customer table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Name of the column, before any renaming.
    pub measure: String,
    /// n + 1 increasing edges of n bins; a bin includes its lower edge and excludes its upper one.
    pub edges: Vec<f64>,
    /// For each segment, customers in each bin.
    pub counts: Vec<Vec<u64>>,
    /// For each segment, customers at or above the last edge.
    pub above: Vec<u64>,
}

/// Customers by T, in years of 365.25 days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ages {
    /// Lower edges of the bins, in years; the last bin is open.
    pub from_years: Vec<f64>,
    /// For each segment, customers in each bin.
    pub counts: Vec<Vec<u64>>,
}

/// Customers by recency t_x and frequency x.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecencyFrequency {
    /// n + 1 increasing edges of n bins of t_x, in the time unit of the run; the last bin includes
    /// its upper edge.
    pub recency_edges: Vec<f64>,
    /// Lower edges of the bins of x; the last bin is open.
    pub frequency_from: Vec<u64>,
    /// For each segment and bin of t_x, customers in each bin of x.
    pub counts: Vec<Vec<Vec<u64>>>,
}

/// Predictions for a customer of median T, by t_x and x. `None` where no customer can be: at x = 0,
/// t_x is 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Surface {
    /// T of the customer, in the time unit of the run.
    pub age: f64,
    /// Months of the horizon of `expected_orders`, the longest one.
    pub months: u32,
    /// x of each column.
    pub frequency: Vec<u64>,
    /// t_x of each row, in the time unit of the run.
    pub recency: Vec<f64>,
    /// P(alive) by row and column.
    pub p_alive: Vec<Vec<Option<f64>>>,
    /// Expected orders by row and column.
    pub expected_orders: Vec<Vec<Option<f64>>>,
}

/// Observed customers against those that the fitted model expects, given the T of each (and, under
/// a selection, given that they are in the file).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitAgainstData {
    /// By frequency x.
    pub frequency: Vec<FitBin>,
    /// By days from the last order to the observation end.
    pub silence_days: Vec<FitBin>,
    /// Number of simulated customers behind the expected counts.
    pub draws: u64,
}

/// One bin of [`FitAgainstData`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitBin {
    /// Lower edge, which is in the bin.
    pub from: f64,
    /// Upper edge, which is not in the bin; `None` for the last bin, which is open.
    pub to: Option<f64>,
    /// Customers in the file.
    pub observed: u64,
    /// Customers that the model expects.
    pub expected: f64,
    /// Variance of `expected`, which comes from a simulation; not written.
    #[serde(skip)]
    pub variance: f64,
}

/// A quantity derived from the parameters, with its interval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quantity {
    /// Which quantity.
    pub name: DerivedQuantity,
    /// Estimate.
    pub value: f64,
    /// Lower and upper end, by the delta method on the log scale; `None` without standard errors.
    pub interval: Option<[f64; 2]>,
}

/// The quantities that can be derived from parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DerivedQuantity {
    /// α/r: time between two orders of a customer with the mean order rate, in the time unit of the
    /// run.
    TimeBetweenOrders,
    /// a/(a+b): share of customers who leave after an order (BG/NBD: a repeat order; MBG/NBD: any
    /// order).
    LeaveAfterOrder,
    /// β/s: lifetime of a customer with the mean dropout rate, in the time unit of the run
    /// (Pareto/NBD).
    Lifetime,
    /// p·v/(q − 1): mean order value of the population (Gamma-Gamma).
    MeanOrderValue,
}

/// Customers with one recency score and one frequency score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RfmCell {
    /// Recency score, 1 to 5.
    pub recency: u8,
    /// Frequency score, 1 to 5.
    pub frequency: u8,
    /// Number of customers.
    pub customers: u64,
    /// Mean lifetime value; `None` without customers or money.
    pub mean_cltv: Option<f64>,
}

/// One customer in the list of the highest lifetime values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomerLine {
    /// Identifier.
    pub customer_id: String,
    /// Label of the segment.
    pub segment: String,
    /// Name of the RFM segment.
    pub rfm_segment: String,
    /// Frequency, x.
    pub frequency: f64,
    /// Recency, t_x, in the time unit of the run.
    pub recency: f64,
    /// T, in the time unit of the run.
    pub age: f64,
    /// Monetary value, m: mean value per order; `None` without money, as the other amounts.
    pub monetary_avg: Option<f64>,
    /// Days from the last order to the observation end.
    pub days_since_last_order: f64,
    /// P(alive), 0 to 1.
    pub p_alive: f64,
    /// Expected orders over each horizon of the pipeline.
    pub expected_orders: Vec<f64>,
    /// Expected value of an order.
    pub exp_average_value: Option<f64>,
    /// Discounted value over the lifetime horizon.
    pub cltv: Option<f64>,
    /// The margin in it; `None` where the pipeline names none.
    #[serde(default)]
    pub expected_margin: Option<f64>,
    /// Values of the columns to keep, in the pipeline's order, as text.
    #[serde(rename = "kept")]
    pub kept_columns: Vec<String>,
}

/// P(alive) of one customer from the first order on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Survival {
    /// Identifier.
    pub customer_id: String,
    /// Day of the first order, as 2021-06-01.
    pub first_order: String,
    /// Days since the first order at which `p_alive` is given, increasing; the last one is the
    /// observation end.
    pub days: Vec<f64>,
    /// P(alive) at the end of each of `days`, given the orders up to then.
    pub p_alive: Vec<f64>,
    /// Days of the repeat orders, counted from the first order.
    pub orders: Vec<f64>,
}

/// A forecast from the calibration end against what happened in the holdout.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldoutChart {
    /// Last day of the calibration.
    pub calibration_end: String,
    /// Last day of the holdout.
    pub holdout_end: String,
    /// The model of the run first, then the naive forecasts.
    pub methods: Vec<HoldoutMethod>,
    /// The model's forecast by decile, lowest first.
    pub deciles: Vec<Decile>,
}

/// How accurate one forecast method was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldoutMethod {
    /// Its name in tables.
    pub name: String,
    /// Whether it is a naive forecast.
    pub baseline: bool,
    /// Σ forecast orders.
    pub expected_orders: f64,
    /// Σ actual orders.
    pub actual_orders: f64,
    /// Σ forecast orders / Σ actual orders − 1; `None` when nobody ordered.
    pub bias: Option<f64>,
    /// Mean absolute error of the orders per customer.
    pub mae: f64,
    /// Root mean squared error of the orders per customer.
    pub rmse: f64,
    /// Σ forecast value; `None` without money.
    pub expected_value: Option<f64>,
    /// Σ actual value; `None` without money.
    pub actual_value: Option<f64>,
}

/// One decile of the customers by their forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decile {
    /// Number of the decile; 1 is the lowest.
    pub decile: u32,
    /// Number of customers.
    pub customers: u64,
    /// Σ forecast orders.
    pub expected_orders: f64,
    /// Σ actual orders.
    pub actual_orders: f64,
}
