//! Forecasts by fitted models, for each customer and for the company.
//!
//! # Layout
//! * [`mod@predict`]: expected orders, P(alive), average value, discounted lifetime value of each
//!   customer.
//! * [`company`]: orders and revenue of all customers and of groups, by week and by month.
//! * [`cumulative`]: the sums behind that, interpolated in time. [`periods`]: its weeks and months.
//! * [`prices_ahead`]: how the values of orders go on.
//! * [`intervals`]: how far forecasts can be off. [`model_error`]: what the past says of the model.

pub mod company;
pub mod cumulative;
pub mod intervals;
pub mod model_error;
pub mod periods;
pub mod predict;
pub mod prices_ahead;
