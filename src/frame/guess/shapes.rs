//! Exports of shop systems, known by the names of their columns: which column is what there, which
//! orders were never paid, and whether the value of an order stands on each of its lines.

use crate::error::Error;
use crate::frame::guess::cancellations::{self, marked};
use crate::frame::guess::inspect::{Column, Overview};
use crate::frame::guess::named::Guess;
use crate::frame::input::letters::folded_word;
use crate::settings::{Cancelled, Columns, InputKind, ValueOf};

/// The export of a shop system. Names are folded; of several, the first that is there counts.
struct Shape {
    /// What it is called.
    name: &'static str,
    /// Columns that only this system has together.
    needs: &'static [&'static str],
    customer: &'static [&'static str],
    date: &'static [&'static str],
    order: &'static [&'static str],
    value: &'static [&'static str],
    status: &'static str,
    /// Statuses of orders that were not paid, or were paid back, without `wc-` before them.
    unpaid: &'static [&'static str],
}

/// What the systems export, by their documentation:
/// Shopify, "Exporting orders"; WooCommerce, `wp_wc_orders` and its order statuses; Magento 2, the
/// grid of orders and `sales_order`.
const SHAPES: [Shape; 3] = [
    Shape {
        name: "orders of Shopify",
        needs: &["financialstatus", "lineitemname"],
        customer: &["email", "customerid"],
        date: &["createdat", "paidat"],
        order: &["name"],
        value: &["total"],
        status: "financialstatus",
        unpaid: &["refunded", "voided", "pending", "authorized", "expired", "unpaid"],
    },
    Shape {
        name: "orders of WooCommerce",
        needs: &["billingemail"],
        customer: &["billingemail"],
        date: &["orderdate", "datecreated", "datecreatedgmt", "date"],
        order: &["orderid", "ordernumber", "id"],
        value: &["ordertotal", "totalamount", "total"],
        status: "status",
        unpaid: &[
            "cancelled",
            "canceled",
            "refunded",
            "failed",
            "pending",
            "pendingpayment",
            "onhold",
            "trash",
            "checkoutdraft",
            "iptaledildi",
            "basarisiz",
            "iadeedildi",
            "odemebekleniyor",
            "odemesibekleniyor",
            "beklemede",
            "draft",
        ],
    },
    Shape {
        name: "orders of Magento",
        needs: &["customeremail"],
        customer: &["customeremail"],
        date: &["createdat", "purchasedate"],
        order: &["incrementid", "id", "order"],
        value: &["grandtotal", "grandtotalpurchased", "basegrandtotal", "grandtotalbase"],
        status: "status",
        unpaid: &[
            "canceled",
            "cancelled",
            "closed",
            "pending",
            "pendingpayment",
            "holded",
            "onhold",
            "fraud",
            "suspectedfraud",
            "paymentreview",
        ],
    },
];
/// Highest share of unpaid orders: beyond it, the statuses mean something else.
const MOST_UNPAID: f64 = 0.9;

/// The guess for an export of a known shop system. `Ok(None)` when it is none.
///
/// # Errors
/// [`Error::Input`] when the file cannot be read.
pub(crate) fn known(overview: &Overview) -> Result<Option<Guess>, Error> {
    for shape in &SHAPES {
        if let Some(guess) = shape.guess(overview) {
            let guess = shape.without_unpaid(guess, overview)?;
            return cancellations::complete(guess, overview).map(Some);
        }
    }
    Ok(None)
}

/// The first of several folded names that a file has.
fn column<'a>(overview: &'a Overview, names: &[&str]) -> Option<&'a Column> {
    let named =
        |name: &&str| overview.columns.iter().find(|column| folded_word(&column.name) == **name);
    names.iter().find_map(named)
}

impl Shape {
    fn guess(&self, overview: &Overview) -> Option<Guess> {
        let all = self.needs.iter().all(|name| column(overview, &[name]).is_some());
        column(overview, &[self.status]).filter(|_| all)?;
        let order = column(overview, self.order)?;
        let customer = column(overview, self.customer)?;
        let columns = Columns {
            customer_id: customer.name.clone(),
            order_date: Some(column(overview, self.date)?.name.clone()),
            order_id: Some(order.name.clone()),
            value: vec![column(overview, self.value)?.name.clone()],
            ..Columns::default()
        };
        let has_lines = order.repeated > 0;
        let person = "guests have it too, other than an account";
        let reasons = vec![
            ("kind", format!("taken for {}, by the names of its columns", self.name)),
            ("customer_id", format!("{} different; {person}", customer.distinct)),
            ("order_id", "several lines are one order".to_owned()),
            ("value", "of the whole order, with shipping and taxes".to_owned()),
            ("value_of", "the total stands on one or all lines of an order".to_owned()),
        ];
        Some(Guess {
            kind: InputKind::Transactions,
            columns,
            cancelled: None,
            value_of: if has_lines { ValueOf::Order } else { ValueOf::Line },
            channel: None,
            categories: None,
            reasons,
        })
    }

    /// Adds the statuses of orders that were never paid, or were paid back.
    fn without_unpaid(&self, mut guess: Guess, overview: &Overview) -> Result<Guess, Error> {
        let Some(status) = column(overview, &[self.status]) else {
            return Ok(guess);
        };
        let is_unpaid = |value: &str| {
            let word = folded_word(value);
            self.unpaid.contains(&word.strip_prefix("wc").unwrap_or(&word))
        };
        let equals = marked(overview, &status.name, is_unpaid, MOST_UNPAID)?;
        if !equals.is_empty() {
            let column = Some(status.name.clone());
            guess.cancelled = Some(Cancelled { column, equals, ..Cancelled::default() });
            guess.reasons.push(("cancelled", "orders that were not paid, or paid back".to_owned()));
        }
        Ok(guess)
    }
}
