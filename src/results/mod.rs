//! Results of a run as plain values, which can be written and read back.
//!
//! # Layout
//! * [`run_document`]: run.json, which holds most of the others. [`chart_data`]: figures.json.
//! * [`findings`]: what to know about the data and the fit. [`facts`]: values of their messages.
//! * [`advice`]: a suggested action for each segment. [`profiles`]: segments in numbers.
//! * [`outlier_limits`]: outlier limits. [`candidate`]: the fitted models in comparison.
//!   [`model_check`]: the models held against the data. [`spend_method`]: how the model of order
//!   values was fitted. [`price_level`]: how prices moved.
//!   [`forecast`]: the company's forecast, and past orders by week. [`migration`]: customers of an
//!   earlier run.
//! * [`named_values`]: values by name. [`numbers`]: numbers in sentences. `json_text`: the layout of JSON files. [`version`]: version of the file layout, and the program.

pub mod advice;
pub mod calendar;
pub mod candidate;
pub mod chart_data;
pub mod facts;
pub mod findings;
pub mod forecast;
pub(crate) mod json_text;
pub mod migration;
pub mod model_check;
pub mod named_values;
pub mod numbers;
pub mod outlier_limits;
pub mod price_level;
pub mod profiles;
pub mod run_document;
pub mod spend_method;
pub mod version;
