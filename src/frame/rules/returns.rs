//! Returns that were booked on a later day than the purchase.
//!
//! A return lowers what the customer spent on its day. Where it outweighs that day's purchases, the
//! rest is taken off the purchase that it belongs to: that of the same order id, else the latest
//! earlier purchase of exactly that value, else the customer's latest earlier purchases. A purchase
//! of which nothing is left is no purchase. What no earlier purchase can take was bought before the
//! log begins, and is dropped with its day.

use polars::prelude::*;
use rustc_hash::FxHashMap;

use crate::frame::columns::{DAY, LINES, ORDERS, PART, PARTS, RETURNS, VALUE, WHOLE, money};
use crate::settings::columns::CUSTOMER_ID;

/// What happened to the returns of earlier purchases.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Moved {
    /// Days of returns that found their purchase by its order id.
    pub by_order: usize,
    /// Days of returns that were taken off a purchase of the same value or the latest earlier ones.
    pub by_date: usize,
    /// Money taken off earlier purchases.
    pub value: f64,
    /// Money for which there was no earlier purchase.
    pub unmatched: f64,
}

/// The result of moving returns to their purchases.
pub struct Netted {
    /// All days of all customers, without those in `removed`.
    pub days: DataFrame,
    /// Customer and day of purchases that were returned in full, and of returns without a purchase
    /// that is left to carry their lines.
    pub removed: DataFrame,
    /// What was moved.
    pub moved: Moved,
}

/// A customer's day: money in billionths, so that sums are exact.
struct Day {
    row: IdxSize,
    day: i32,
    money: i128,
    lines: u32,
    returns: u32,
    is_left: bool,
    /// Position of the last purchase that a return was taken off and that is left.
    carrier: Option<usize>,
}

/// For each customer's day with returns, the days of the purchases that they belong to by their order
/// ids, and how much of each came back, in billionths.
pub type Purchases = FxHashMap<(String, i32), Vec<(i32, i128)>>;

/// Takes the returns on days in `outweighed` off earlier purchases.
///
/// # Errors
/// When the frame has other columns than the rules of a log give it: a bug in this program.
pub fn net(
    days: &DataFrame,
    outweighed: &DataFrame,
    purchases: &Purchases,
) -> PolarsResult<Netted> {
    let of_customers = outweighed.clone().lazy().select([col(CUSTOMER_ID).unique()]);
    let semi = JoinArgs::new(JoinType::Semi);
    let concerned = days
        .clone()
        .lazy()
        .join(of_customers.clone(), [col(CUSTOMER_ID)], [col(CUSTOMER_ID)], semi)
        .sort([CUSTOMER_ID, DAY], SortMultipleOptions::default())
        .collect()?;
    let anti = JoinArgs::new(JoinType::Anti);
    let untouched =
        days.clone().lazy().join(of_customers, [col(CUSTOMER_ID)], [col(CUSTOMER_ID)], anti);
    let (mut rows, mut moved) = (Vec::new(), Moved::default());
    let customers = concerned.column(CUSTOMER_ID)?.str()?;
    let all = read(&concerned)?;
    let mut rest = all.into_iter().peekable();
    while let Some(first) = rest.next() {
        let customer = customers.get(first.row as usize).unwrap_or_default();
        let mut own = vec![first];
        let is_own = |day: &Day| customers.get(day.row as usize) == Some(customer);
        while let Some(next) = rest.next_if(is_own) {
            own.push(next);
        }
        of_customer(customer, &mut own, purchases, &mut moved);
        rows.extend(own);
    }
    let (left, gone): (Vec<Day>, Vec<Day>) = rows.into_iter().partition(|day| day.is_left);
    let rows = |days: &mut dyn Iterator<Item = &Day>| {
        IdxCa::from_vec("row".into(), days.map(|day| day.row).collect())
    };
    let kept = concerned.take(&rows(&mut left.iter()))?;
    let gone = concerned.take(&rows(&mut gone.iter().filter(|day| day.lines > 0)))?;
    let changed = changed(kept, &left)?;
    let union = UnionArgs::default();
    let days = concat([untouched, changed.lazy()], union)?.collect()?;
    Ok(Netted { days, removed: gone.select([CUSTOMER_ID, DAY])?, moved })
}

/// The days of customers with a return, in order.
fn read(concerned: &DataFrame) -> PolarsResult<Vec<Day>> {
    let days = concerned.column(DAY)?.cast(&DataType::Int32)?;
    let days = days.i32()?.iter();
    let wholes = concerned.column(WHOLE)?.i64()?.iter();
    let parts = concerned.column(PART)?.i64()?.iter();
    let lines = concerned.column(LINES)?.u32()?.iter();
    let returns = concerned.column(RETURNS)?.u32()?.iter();
    let rows = days.zip(wholes).zip(parts).zip(lines).zip(returns).enumerate();
    let one = |(row, ((((day, whole), part), lines), returns))| {
        let (whole, part): (Option<i64>, Option<i64>) = (whole, part);
        Day {
            row: row as IdxSize,
            day: Option::unwrap_or_default(day),
            money: i128::from(whole.unwrap_or(0)) * PARTS as i128 + i128::from(part.unwrap_or(0)),
            lines: Option::unwrap_or_default(lines),
            returns: Option::unwrap_or_default(returns),
            is_left: true,
            carrier: None,
        }
    };
    Ok(rows.map(one).collect())
}

/// Takes the returns of one customer, whose days ascend, off earlier purchases.
fn of_customer(customer: &str, days: &mut [Day], purchases: &Purchases, moved: &mut Moved) {
    let outweighed = |day: &Day| day.money < 0 || (day.money == 0 && day.returns > 0);
    for position in 0..days.len() {
        if !outweighed(&days[position]) {
            continue;
        }
        let (earlier, later) = days.split_at_mut(position);
        let Some(back) = later.first_mut() else {
            continue;
        };
        let mut owed = -back.money;
        back.is_left = false;
        let by_order = purchases.get(&(customer.to_owned(), back.day)).into_iter().flatten();
        let of_order = by_order.filter_map(|(bought, amount)| {
            Some((earlier.iter().position(|day| day.day == *bought)?, *amount))
        });
        let of_order: Vec<(usize, i128)> = of_order.collect();
        let ordered: i128 = of_order
            .iter()
            .map(|(from, amount)| take(earlier, *from, *amount, &mut owed, back))
            .sum();
        let same_value = earlier.iter().rposition(|day| day.is_left && day.money == owed);
        let latest = same_value.into_iter().chain((0..position).rev());
        let dated: i128 = latest.map(|from| take(earlier, from, i128::MAX, &mut owed, back)).sum();
        moved.by_order += usize::from(ordered > 0);
        moved.by_date += usize::from(ordered == 0 && dated > 0);
        moved.value += (ordered + dated) as f64 / PARTS;
        moved.unmatched += owed as f64 / PARTS;
    }
    carry_lines(days);
}

/// Takes what is owed, at most `most`, off a purchase, and returns how much that is.
fn take(days: &mut [Day], from: usize, most: i128, owed: &mut i128, back: &mut Day) -> i128 {
    let purchase = &mut days[from];
    let taken = most.min(*owed).min(purchase.money);
    if !purchase.is_left || taken <= 0 {
        return 0;
    }
    purchase.money -= taken;
    purchase.is_left = purchase.money > 0;
    *owed -= taken;
    if purchase.is_left {
        back.carrier = Some(from);
    }
    taken
}

/// Counts the lines of returns with the purchases that they were taken off, if those are left.
fn carry_lines(days: &mut [Day]) {
    for position in 0..days.len() {
        let Some(carrier) = days[position].carrier.filter(|carrier| days[*carrier].is_left) else {
            continue;
        };
        let (lines, returns) = (days[position].lines, days[position].returns);
        days[carrier].lines += lines;
        days[carrier].returns += returns;
        days[position].lines = 0;
    }
}

/// The kept rows with what is left of their money, and the lines they carry.
fn changed(kept: DataFrame, days: &[Day]) -> PolarsResult<DataFrame> {
    let parts = PARTS as i128;
    let whole: Vec<i64> = days.iter().map(|day| day.money.div_euclid(parts) as i64).collect();
    let part: Vec<i64> = days.iter().map(|day| day.money.rem_euclid(parts) as i64).collect();
    let lines: Vec<u32> = days.iter().map(|day| day.lines).collect();
    let returns: Vec<u32> = days.iter().map(|day| day.returns).collect();
    let columns: Vec<Expr> = kept.get_column_names_owned().into_iter().map(col).collect();
    let mut kept = kept;
    for column in [
        Column::new(WHOLE.into(), whole),
        Column::new(PART.into(), part),
        Column::new(LINES.into(), lines),
        Column::new(RETURNS.into(), returns),
    ] {
        kept.with_column(column)?;
    }
    kept.lazy().with_column(money(WHOLE, PART).alias(VALUE)).select(columns).collect()
}

/// Days on which the returns of a customer equal or outweigh the purchases.
pub fn outweighed(days: &DataFrame) -> PolarsResult<DataFrame> {
    let nothing = col(VALUE).lt(lit(0.0)).or(col(ORDERS).eq(lit(0)));
    let given_back = col(VALUE).eq(lit(0.0)).and(col(RETURNS).gt(lit(0)));
    let days = days.clone().lazy().filter(nothing.or(given_back));
    days.select([col(CUSTOMER_ID), col(DAY)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Days of one customer: day, money and lines; a negative amount is a return.
    fn netted(
        days: &[(i32, i64)],
        purchases: &Purchases,
    ) -> (Vec<(i32, f64, u32)>, Vec<i32>, Moved) {
        let frame = df!(
            CUSTOMER_ID => vec!["a"; days.len()],
            DAY => days.iter().map(|(day, _)| *day).collect::<Vec<_>>(),
            WHOLE => days.iter().map(|(_, money)| *money).collect::<Vec<_>>(),
            PART => vec![0i64; days.len()],
            LINES => vec![1u32; days.len()],
            RETURNS => days.iter().map(|(_, money)| u32::from(*money < 0)).collect::<Vec<_>>(),
            ORDERS => days.iter().map(|(_, money)| u32::from(*money > 0)).collect::<Vec<_>>(),
        );
        let frame = frame
            .expect("a frame")
            .lazy()
            .with_columns([col(DAY).cast(DataType::Date), money(WHOLE, PART).alias(VALUE)]);
        let frame = frame.collect().expect("a frame");
        let away = outweighed(&frame).expect("days of returns");
        let Netted { days, removed, moved } = net(&frame, &away, purchases).expect("netted");
        let number = |frame: &DataFrame, name: &str| {
            frame
                .column(name)
                .and_then(|c| c.cast(&DataType::Int32))
                .expect("days")
                .i32()
                .expect("days")
                .to_vec()
        };
        let left = number(&days, DAY);
        let values = days.column(VALUE).expect("values").f64().expect("values");
        let lines = days.column(LINES).expect("lines").u32().expect("lines");
        let left = left
            .into_iter()
            .zip(values.iter())
            .zip(lines.iter())
            .map(|((day, value), lines)| {
                (day.expect("a day"), value.expect("a value"), lines.expect("lines"))
            })
            .collect();
        let removed = number(&removed, DAY).into_iter().flatten().collect();
        (left, removed, moved)
    }

    #[test]
    fn a_return_is_taken_off_the_latest_earlier_purchases() {
        let (left, removed, moved) = netted(&[(1, 100), (5, 40), (9, -60)], &Purchases::default());
        assert_eq!(left, [(1, 80.0, 2)]);
        assert_eq!(removed, [5]);
        assert_eq!((moved.by_date, moved.value, moved.unmatched), (1, 60.0, 0.0));
    }

    #[test]
    fn a_purchase_that_came_back_in_full_is_none() {
        let (left, removed, _) = netted(&[(1, 100), (5, 40), (9, -40)], &Purchases::default());
        assert_eq!(left, [(1, 100.0, 1)]);
        assert_eq!(removed, [5, 9]);
    }

    #[test]
    fn the_order_id_names_the_purchase() {
        let own = Purchases::from_iter([(("a".to_owned(), 9), vec![(1, 30 * PARTS as i128)])]);
        let (left, _, moved) = netted(&[(1, 100), (5, 40), (9, -30)], &own);
        assert_eq!(left, [(1, 70.0, 2), (5, 40.0, 1)]);
        assert_eq!(moved.by_order, 1);
    }

    #[test]
    fn two_orders_that_come_back_on_one_day_are_two_purchases() {
        let parts = PARTS as i128;
        let own =
            Purchases::from_iter([(("a".to_owned(), 9), vec![(1, 30 * parts), (5, 40 * parts)])]);
        let (left, removed, _) = netted(&[(1, 100), (5, 40), (9, -70)], &own);
        assert_eq!(left, [(1, 70.0, 2)]);
        assert_eq!(removed, [5]);
    }

    #[test]
    fn a_return_before_any_purchase_is_dropped_and_said() {
        let (left, removed, moved) = netted(&[(1, -30), (5, 40)], &Purchases::default());
        assert_eq!(left, [(5, 40.0, 1)]);
        assert_eq!(removed, [1]);
        assert_eq!((moved.value, moved.unmatched), (0.0, 30.0));
    }

    #[test]
    fn lines_carried_by_a_purchase_that_later_comes_back_are_not_lost() {
        let (left, removed, _) = netted(&[(1, 100), (5, -30), (9, -70)], &Purchases::default());
        assert!(left.is_empty());
        assert_eq!(removed, [1, 5, 9]);
    }
}
