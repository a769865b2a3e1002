//! Chooses one column, or several to add up, from the candidates. The others are named, so that
//! nobody takes a guess for knowledge.

use crate::frame::guess::named::Named;
use crate::frame::guess::words::Topic;

/// The chosen column and the other candidates.
pub(crate) struct Choice<'a> {
    pub(crate) best: &'a Named<'a>,
    pub(crate) others: Vec<&'a Named<'a>>,
}

impl<'a> Choice<'a> {
    /// The column with the lowest rank; of equals, the one with the shortest name.
    pub(crate) fn of(
        named: &'a [Named<'a>],
        rank: impl Fn(&Named<'_>) -> Option<u8>,
    ) -> Option<Self> {
        let ranked = named.iter().filter_map(|one| rank(one).map(|rank| (rank, one)));
        let mut ranked: Vec<(u8, &Named<'_>)> = ranked.collect();
        ranked.sort_by_key(|(rank, one)| (*rank, one.words.length()));
        let mut found = ranked.into_iter().map(|(_, one)| one);
        Some(Self { best: found.next()?, others: found.collect() })
    }

    /// The column that passes. Returns `None` unless there is exactly one.
    pub(crate) fn only(
        named: &'a [Named<'a>],
        passes: impl Fn(&Named<'_>) -> bool,
    ) -> Option<Self> {
        let found = Self::of(named, |one| passes(one).then_some(0));
        found.filter(|choice| choice.others.is_empty())
    }

    pub(crate) fn name(&self) -> String {
        self.best.column.name.clone()
    }

    /// The reason for the choice, with the names of the other candidates.
    pub(crate) fn remark(&self, text: &str) -> String {
        with_others(text, &self.others)
    }
}

fn with_others(text: &str, others: &[&Named<'_>]) -> String {
    let names: Vec<String> = others.iter().map(|one| format!("{:?}", one.column.name)).collect();
    match (text, names.as_slice()) {
        (text, []) => text.to_owned(),
        ("", names) => format!("not {}", names.join(", ")),
        (text, names) => format!("{text}; not {}", names.join(", ")),
    }
}

/// Columns to add up, and those left out because they would count something twice or count what
/// was cancelled.
pub(crate) struct Parts<'a> {
    pub(crate) taken: Vec<&'a Named<'a>>,
    pub(crate) left: Vec<&'a Named<'a>>,
}

impl<'a> Parts<'a> {
    /// Takes the total where there is one, else the channels where there are several, else all.
    pub(crate) fn of(columns: Vec<&'a Named<'a>>) -> Self {
        let (aside, live): (Vec<_>, Vec<_>) =
            columns.iter().copied().partition(|one| one.words.about(Topic::Aside));
        let is_channel = |one: &&Named<'_>| one.words.about(Topic::OneChannel);
        let (channels, other): (Vec<_>, Vec<_>) = live.iter().copied().partition(is_channel);
        let taken = match total(&live) {
            Some(total) => vec![total],
            None if channels.len() > 1 => channels,
            None => [channels, other].concat(),
        };
        let is_left = |one: &&Named<'_>| !taken.iter().any(|t| t.column.name == one.column.name);
        let left = [live, aside].concat().into_iter().filter(is_left).collect();
        Self { taken, left }
    }

    pub(crate) fn remark(&self, text: &str) -> String {
        with_others(text, &self.left)
    }
}

/// The column that is the sum of the others: the one whose name says nothing specific, or that is
/// called a total when others are not.
fn total<'a>(columns: &[&'a Named<'a>]) -> Option<&'a Named<'a>> {
    let matter = [Topic::Customer, Topic::Order, Topic::Count, Topic::Value, Topic::Total];
    let is_sum = |one: &Named<'_>| one.words.about(Topic::Sum);
    let whole = columns
        .iter()
        .copied()
        .filter(|one| !one.words.about(Topic::OneChannel) && !one.words.has_number());
    let plainest = |one: &&Named<'_>| (!is_sum(one), one.words.length());
    let plain = whole.clone().filter(|one| one.words.is_only_of(&matter)).min_by_key(plainest);
    let beside_parts = columns.iter().any(|one| !is_sum(one));
    plain.or_else(|| whole.filter(|one| beside_parts && is_sum(one)).min_by_key(plainest))
}

/// The column of customer ids, by name. Users and members rank lower: they may not be customers.
pub(crate) fn identifier<'a>(named: &'a [Named<'a>]) -> Option<Choice<'a>> {
    let no_id =
        [Topic::Date, Topic::Value, Topic::Channel, Topic::Order, Topic::Invoice, Topic::Attribute];
    Choice::of(named, |one| {
        let words = &one.words;
        let full = words.about(Topic::Customer)
            && words.about(Topic::Identifier)
            && !words.about_any(&no_id);
        let rank = match (full, words.about(Topic::Account)) {
            (true, false) => 0,
            (true, true) => 1,
            (false, false) if words.is_only(Topic::Customer) => 2,
            (false, true) if words.is_only(Topic::Customer) => 3,
            (false, _) if words.is_only(Topic::Identifier) => 4,
            _ => return None,
        };
        one.is_code().then_some(rank)
    })
}
