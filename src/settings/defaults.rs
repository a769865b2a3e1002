//! Default values of the keys that a pipeline file may leave out.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::settings::dates::AnalysisDate;
use crate::settings::sections::{
    Forecast, Horizon, LifetimeValue, Lineage, Outliers, Output, Rfm, RfmSegment, Segments,
    Selection, Summary, Transactions, Uncertainty,
};
use crate::settings::types::{
    CappedColumns, DuplicateLines, Format, FrequencyKind, MonetaryKind, MonthLength, Returns, Ties,
    TimeUnit, UncertaintyMethod, ValueOf,
};

impl Default for Transactions {
    fn default() -> Self {
        Self {
            cancelled: None,
            returns: Returns::Net,
            value_of: ValueOf::Line,
            duplicate_lines: DuplicateLines::Keep,
            merge_same_day: true,
            keep_zero_value: false,
            observation_end: None,
            calibration_end: None,
        }
    }
}

impl Default for Outliers {
    fn default() -> Self {
        Self { quantiles: [0.01, 0.99], fence: 1.5, round: true, columns: CappedColumns::Auto }
    }
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            analysis_date: AnalysisDate::AfterLastOrder { days: 2 },
            time_unit: TimeUnit::Week,
            frequency: FrequencyKind::RepeatOrders,
            monetary_value: MonetaryKind::RepeatOrders,
            min_orders: 1,
        }
    }
}

impl Default for Forecast {
    fn default() -> Self {
        Self {
            horizons: vec![Horizon { months: 3 }, Horizon { months: 6 }],
            weeks_per_month: MonthLength::Calendar,
        }
    }
}

impl Default for LifetimeValue {
    fn default() -> Self {
        Self {
            months: 6,
            weeks_per_month: MonthLength::Calendar,
            monthly_discount_rate: 0.01,
            margin: None,
        }
    }
}

impl Default for Segments {
    fn default() -> Self {
        Self {
            labels: ["D", "C", "B", "A"].map(str::to_owned).to_vec(),
            channel_column: None,
            categories_column: None,
        }
    }
}

impl Default for Rfm {
    /// The ten segments of the common recency × frequency grid.
    fn default() -> Self {
        let segment = |name: &str, recency, frequency| RfmSegment {
            name: name.to_owned(),
            recency,
            frequency,
        };
        Self {
            ties: Ties::Together,
            segments: vec![
                segment("champions", [5, 5], [4, 5]),
                segment("loyal_customers", [3, 4], [4, 5]),
                segment("potential_loyalists", [4, 5], [2, 3]),
                segment("new_customers", [5, 5], [1, 1]),
                segment("promising", [4, 4], [1, 1]),
                segment("need_attention", [3, 3], [3, 3]),
                segment("about_to_sleep", [3, 3], [1, 2]),
                segment("at_risk", [1, 2], [3, 4]),
                segment("cannot_lose_them", [1, 2], [5, 5]),
                segment("hibernating", [1, 2], [1, 2]),
            ],
        }
    }
}

impl Default for Selection {
    fn default() -> Self {
        Self {
            last_order_on_or_after: None,
            last_order_within_days: None,
            min_orders: 1,
            both_channels: false,
        }
    }
}

impl Default for Uncertainty {
    fn default() -> Self {
        Self { level: 0.9, method: UncertaintyMethod::Normal, draws: 1000, seed: 1 }
    }
}

impl Default for Lineage {
    fn default() -> Self {
        Self { namespace: "cltv".to_owned() }
    }
}

impl Default for Output {
    fn default() -> Self {
        Self {
            path: PathBuf::from("output"),
            partition: None,
            mode: None,
            formats: vec![Format::Parquet],
            top: 20,
            rename: BTreeMap::new(),
            currency: None,
        }
    }
}
