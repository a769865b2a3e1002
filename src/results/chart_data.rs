//! What the charts of a report show, computed once by the run and written as figures.json; the report
//! draws it and computes nothing. Counts by segment are in the order of the segments, lowest first.

use serde::{Deserialize, Serialize};

/// Version of the layout of figures.json.
pub const SCHEMA_VERSION: u32 = 1;

/// Everything that is drawn, beside what run.json has already.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChartData {
    /// [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// Labels of the segments, lowest first.
    pub segments: Vec<String>,
    /// How customers are distributed by lifetime value, expected orders of each horizon and expected
    /// order value.
    pub distributions: Vec<Distribution>,
    /// How long ago customers ordered first.
    pub ages: Ages,
    /// How many customers have which recency and frequency.
    pub recency_frequency: RecencyFrequency,
    /// What the model says of customers by recency and frequency.
    pub surface: Surface,
    /// The fit beside the data.
    pub fit: FitAgainstData,
    /// What the parameters mean.
    #[serde(rename = "meaning")]
    pub derived: Vec<Quantity>,
    /// Probability that an interval of `derived` holds the truth.
    pub level: f64,
    /// Customers by RFM's recency and frequency scores.
    pub rfm_grid: Vec<RfmCell>,
    /// The customers worth most, first by lifetime value, then in input order.
    pub customers: Vec<CustomerLine>,
    /// P(alive) of the first of them over time; an order log only.
    pub survival: Vec<Survival>,
    /// The forecast beside what happened; an order log with a calibration end only.
    pub holdout: Option<HoldoutFigures>,
}

/// A histogram of one column of the customers' table.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// Name of the column, before any renaming.
    pub measure: String,
    /// Rising edges of n bins, n + 1 of them; a bin holds its lower edge, not its upper one.
    pub edges: Vec<f64>,
    /// For each segment, customers in each bin.
    pub counts: Vec<Vec<u64>>,
    /// For each segment, customers at or above the last edge.
    pub above: Vec<u64>,
}

/// Customers by T, in years of 365.25 days.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ages {
    /// Lower ends of the bins; the last one is open.
    pub from_years: Vec<f64>,
    /// For each segment, customers in each bin.
    pub counts: Vec<Vec<u64>>,
}

/// Customers by recency t_x and frequency x.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecencyFrequency {
    /// Rising edges of n bins of t_x, n + 1 of them, in the time unit of the run; the last bin holds
    /// its upper edge.
    pub recency_edges: Vec<f64>,
    /// Lower ends of the bins of x; the last one is open.
    pub frequency_from: Vec<u64>,
    /// For each segment and bin of t_x, customers in each bin of x.
    pub counts: Vec<Vec<Vec<u64>>>,
}

/// What the model says of a customer of median T, by t_x and x. None where no customer can be: a t_x
/// above 0 without orders.
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

/// Customers as they are and as the fitted model has them, given the T of each (and, under a
/// selection, given that they are in the file).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitAgainstData {
    /// By frequency x.
    pub frequency: Vec<FitBin>,
    /// By days from the last order to the observation end.
    pub silence_days: Vec<FitBin>,
    /// Simulated customers that the expectation is the mean of.
    pub draws: u64,
}

/// One bin of [`FitAgainstData`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FitBin {
    /// Lowest value.
    pub from: f64,
    /// First value that is not in the bin; none for the last bin, which is open.
    pub to: Option<f64>,
    /// Customers in the file.
    pub observed: u64,
    /// Customers by the model.
    pub expected: f64,
}

/// A number that says what parameters mean, with its interval where there are standard errors.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Quantity {
    /// Which.
    pub name: DerivedQuantity,
    /// Estimate.
    pub value: f64,
    /// Lower and upper end, by the delta method on the log scale.
    pub interval: Option<[f64; 2]>,
}

/// What a [`Quantity`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DerivedQuantity {
    /// α/r: time between two orders of a customer of mean order rate, in the time unit of the run.
    TimeBetweenOrders,
    /// a/(a+b): share that leaves after an order (BG/NBD: a repeat order; MBG/NBD: any order).
    LeaveAfterOrder,
    /// β/s: lifetime of a customer of mean dropout rate, in the time unit of the run (Pareto/NBD).
    Lifetime,
    /// p·v/(q − 1): mean order value of the population (Gamma-Gamma).
    MeanOrderValue,
}

/// Customers of one recency score and one frequency score.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RfmCell {
    /// 1 to 5.
    pub recency: u8,
    /// 1 to 5.
    pub frequency: u8,
    /// How many.
    pub customers: u64,
    /// Mean lifetime value; none where there is nobody.
    pub mean_cltv: Option<f64>,
}

/// One customer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CustomerLine {
    /// Identifier.
    pub customer_id: String,
    /// Label of the segment.
    pub segment: String,
    /// Name of the RFM segment.
    pub rfm_segment: String,
    /// x
    pub frequency: f64,
    /// t_x, in the time unit of the run.
    pub recency: f64,
    /// T, in the time unit of the run.
    pub age: f64,
    /// m
    pub monetary_avg: f64,
    /// Days from the last order to the observation end.
    pub days_since_last_order: f64,
    /// P(alive)
    pub p_alive: f64,
    /// Expected orders over each horizon of the pipeline.
    pub expected_orders: Vec<f64>,
    /// Expected value of an order.
    pub exp_average_value: f64,
    /// Discounted value over the lifetime horizon.
    pub cltv: f64,
    /// Kept columns, in the pipeline's order, as text.
    #[serde(rename = "kept")]
    pub kept_columns: Vec<String>,
}

/// P(alive) of one customer from the first order on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Survival {
    /// Identifier.
    pub customer_id: String,
    /// Day of the first order.
    pub first_order: String,
    /// Days since then that `p_alive` is of: rising, the last one the observation end.
    pub days: Vec<f64>,
    /// P(alive) at the end of each of the days, by the orders up to then.
    pub p_alive: Vec<f64>,
    /// Days since the first order with repeat orders.
    pub orders: Vec<f64>,
}

/// A forecast from the end of the calibration, beside what happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldoutFigures {
    /// Last day of the calibration.
    pub calibration_end: String,
    /// Last day of the holdout.
    pub holdout_end: String,
    /// The model of the run first, then forecasts that need no model.
    pub methods: Vec<HoldoutMethod>,
    /// The model by tenth of its forecast, lowest first.
    pub deciles: Vec<Decile>,
}

/// How good one way to forecast was.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HoldoutMethod {
    /// Its name in tables.
    pub name: String,
    /// Whether it needs no model.
    pub baseline: bool,
    /// Σ forecast orders.
    pub expected_orders: f64,
    /// Σ orders.
    pub actual_orders: f64,
    /// Σ forecast orders / Σ orders − 1; none when nobody ordered.
    pub bias: Option<f64>,
    /// Mean absolute error of orders.
    pub mae: f64,
    /// Root of the mean squared error of orders.
    pub rmse: f64,
    /// Σ forecast value.
    pub expected_value: f64,
    /// Σ value.
    pub actual_value: f64,
}

/// A tenth of the customers by forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decile {
    /// 1 the lowest.
    pub decile: u32,
    /// How many.
    pub customers: u64,
    /// Σ forecast orders.
    pub expected_orders: f64,
    /// Σ orders.
    pub actual_orders: f64,
}
