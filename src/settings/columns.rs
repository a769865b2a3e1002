//! Names of output columns, which other programs rely on, and the input columns that a run reads.

use crate::settings::sections::Columns;
use crate::settings::sections::Settings;
use crate::settings::types::{CappedColumns, DuplicateLines, InputKind, TimeUnit};

/// Identifier of the customer.
pub const CUSTOMER_ID: &str = "customer_id";
/// x: orders counted by the purchase model.
pub const FREQUENCY: &str = "frequency";
/// m: mean value per order.
pub const MONETARY_AVG: &str = "monetary_avg";
/// Probability that the customer has not left.
pub const P_ALIVE: &str = "p_alive";
/// Expected mean value of a future order.
pub const EXP_AVERAGE_VALUE: &str = "exp_average_value";
/// Discounted value expected over the lifetime horizon.
pub const CLTV: &str = "cltv";
/// The share of [`CLTV`] that is margin.
pub const EXPECTED_MARGIN: &str = "expected_margin";
/// Quantile segment of [`CLTV`], or of expected orders where there is no money.
pub const CLTV_SEGMENT: &str = "cltv_segment";

/// RFM's recency: days from the last order to the observation end; not the models' recency.
pub const DAYS_SINCE_LAST_ORDER: &str = "days_since_last_order";
/// Score of [`DAYS_SINCE_LAST_ORDER`]: the fewer days, the higher.
pub const RFM_RECENCY: &str = "rfm_recency";
/// Score of the number of orders.
pub const RFM_FREQUENCY: &str = "rfm_frequency";
/// Score of the total spend.
pub const RFM_MONETARY: &str = "rfm_monetary";
/// Named segment of the recency and frequency scores.
pub const RFM_SEGMENT: &str = "rfm_segment";
/// The RFM scores, lowest to highest.
pub const RFM_SCORES: std::ops::RangeInclusive<u8> = 1..=5;

/// Name of the column of t_x: time from the first to the last order.
pub fn recency(unit: TimeUnit) -> String {
    format!("recency_{}", unit.suffix())
}

/// Name of the column of T: time from the first order to the observation end.
pub fn age(unit: TimeUnit) -> String {
    format!("T_{}", unit.suffix())
}

/// Name of the column of expected orders over a horizon of `months` months.
pub fn expected_orders(months: u32) -> String {
    format!("exp_sales_{months}_month")
}

/// Names of the columns of P(at least one order) over a horizon, and of the lower and upper end of
/// the interval of its orders.
pub fn interval_columns(months: u32) -> [String; 3] {
    [
        format!("p_order_{months}_month"),
        format!("sales_{months}_month_low"),
        format!("sales_{months}_month_high"),
    ]
}

impl Settings {
    /// The columns of customers.parquet before any renaming, in their order.
    pub fn output_columns(&self) -> Vec<String> {
        let unit = self.summary.time_unit;
        let mut names =
            vec![CUSTOMER_ID.to_owned(), FREQUENCY.to_owned(), recency(unit), age(unit)];
        let money = |name: &'static str| self.has_money().then(|| name.to_owned());
        names.extend(money(MONETARY_AVG));
        names.push(P_ALIVE.to_owned());
        names.extend(self.forecast.horizons.iter().map(|h| expected_orders(h.months)));
        names.extend([EXP_AVERAGE_VALUE, CLTV].into_iter().filter_map(money));
        names.extend(self.lifetime_value.margin.map(|_| EXPECTED_MARGIN.to_owned()));
        names.extend(
            [CLTV_SEGMENT, DAYS_SINCE_LAST_ORDER, RFM_RECENCY, RFM_FREQUENCY].map(str::to_owned),
        );
        names.extend(money(RFM_MONETARY));
        names.push(RFM_SEGMENT.to_owned());
        if self.uncertainty.is_some() {
            names.extend(self.forecast.horizons.iter().flat_map(|h| interval_columns(h.months)));
        }
        names.extend(self.input.columns.keep.iter().cloned());
        names
    }

    /// The output column that ranks the customers and divides them into segments: what each is
    /// expected to bring, in money, or where there is none in orders over the longest horizon.
    pub fn ranking_column(&self) -> String {
        match self.has_money() {
            true => CLTV.to_owned(),
            false => expected_orders(self.forecast.longest()),
        }
    }

    /// The input columns that outlier limits apply to.
    pub fn capped_columns(&self) -> Vec<&str> {
        // Without money, values only tell what is an order.
        let columns = &self.input.columns;
        match (&self.outliers.columns, self.input.kind) {
            (_, InputKind::Transactions) => Vec::new(),
            (CappedColumns::Only(names), _) => names.iter().map(String::as_str).collect(),
            (CappedColumns::Auto, _) => {
                let values = columns.value.iter().filter(|_| self.has_money());
                columns.orders.iter().chain(values).map(String::as_str).collect()
            }
        }
    }

    /// Whether a run looks for duplicate lines, for which it compares every column of the file.
    pub fn compares_whole_lines(&self) -> bool {
        self.input.kind == InputKind::Transactions
            && self.transactions.duplicate_lines == DuplicateLines::Drop
    }

    /// The columns on which numbers depend: of those that a run reads, all but the ones that it only
    /// keeps or checks.
    pub fn vital_columns(&self) -> Vec<String> {
        let columns = &self.input.columns;
        let only_kept = |name: &String| {
            let Columns { customer_id, first_order_date, last_order_date, order_date, .. } =
                columns;
            let Columns { orders, value, quantity, unit_price, order_id, .. } = columns;
            let dates = [first_order_date, last_order_date, order_date];
            let others = [quantity, unit_price, order_id];
            let single = dates.into_iter().chain(others).flatten().chain([customer_id]);
            let cancelled = self.transactions.cancelled.iter().flat_map(|c| &c.column);
            !single.chain(orders).chain(value).chain(cancelled).any(|vital| vital == name)
        };
        self.input_columns().into_iter().filter(|name| !only_kept(name)).collect()
    }

    /// The input columns that a run reads, each once, in a stable order.
    pub fn input_columns(&self) -> Vec<String> {
        let columns = &self.input.columns;
        let mut names = vec![&columns.customer_id];
        match self.input.kind {
            InputKind::Customers => {
                names.extend(&columns.first_order_date);
                names.extend(&columns.last_order_date);
                names.extend(&columns.orders);
                names.extend(&columns.value);
            }
            InputKind::Transactions => {
                names.extend(&columns.order_date);
                names.extend(&columns.order_id);
                names.extend(&columns.value);
                names.extend(&columns.quantity);
                names.extend(&columns.unit_price);
                names.extend(self.transactions.cancelled.iter().flat_map(|c| &c.column));
            }
        }
        names.extend(&columns.keep);
        names.extend(self.contract.required.keys());
        // A column can have several roles, and be required by the contract too.
        let mut unique: Vec<String> = Vec::new();
        for name in names {
            if !unique.contains(name) {
                unique.push(name.clone());
            }
        }
        unique
    }
}
