//! Names of the files that each command writes, and may replace or remove.

/// `cltv run` and `cltv score`; some are only written for certain settings or inputs.
pub(super) const RUN: &[&str] = &[
    "customers.parquet",
    "customers.csv",
    "customers.arrow",
    "segments.csv",
    "top_customers.csv",
    "profiles.csv",
    "rfm.csv",
    "forecast.csv",
    "next_month.csv",
    "tracking.csv",
    "figures.json",
    "report.html",
    "quarantine.parquet",
    "model.json",
    "run.json",
];

/// `cltv evaluate`.
pub(crate) const EVALUATION: [&str; 3] =
    ["evaluation.csv", "evaluation_groups.csv", "evaluation.json"];

/// `cltv compare`.
pub(crate) const COMPARISON: [&str; 3] =
    ["comparison.json", "comparison.parquet", "comparison_customers.parquet"];
