//! Groups of customers that forecasts are summed over.

/// What a group of customers has in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// Nothing: all customers.
    Total,
    /// Their segment.
    Segment,
    /// Their channel.
    Channel,
}

impl Scope {
    /// Its name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Segment => "segment",
            Self::Channel => "channel",
        }
    }
}

/// The groups that a forecast is made for: all customers first, then segments, then channels.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Groups {
    /// Scope and name of each.
    pub names: Vec<(Scope, String)>,
    /// For each customer, the index of its segment among `names`; empty without segments.
    pub segment_of: Vec<usize>,
    /// For each customer, the index of its channel among `names`; empty without channels.
    pub channel_of: Vec<usize>,
}

impl Groups {
    /// All customers as the only group.
    pub fn everybody() -> Self {
        Self { names: vec![(Scope::Total, "all".to_owned())], ..Self::default() }
    }

    /// The indices among `names` of the groups that a customer belongs to.
    pub fn of(&self, customer: usize) -> impl Iterator<Item = usize> {
        let segment = self.segment_of.get(customer).copied();
        let channel = self.channel_of.get(customer).copied();
        [Some(0), segment, channel].into_iter().flatten()
    }

    /// Number of customers in each group; `customers` is the number of all.
    pub fn sizes(&self, customers: usize) -> Vec<f64> {
        let mut sizes = vec![0.0; self.names.len()];
        (0..customers).flat_map(|customer| self.of(customer)).for_each(|group| sizes[group] += 1.0);
        sizes
    }
}
