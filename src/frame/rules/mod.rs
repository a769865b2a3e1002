//! Which rows are valid, and which go to the quarantine.
//!
//! # Layout
//! * [`export`]: the rules of a customer export.
//! * [`log`]: the rules of an order log, and its sums by customer and day.
//! * [`whole_orders`]: lines whose value is that of the order.
//! * [`returns`]: returns that were booked later than the purchase.
//! * [`column_types`]: marks rows for the rule `wrong_type`, which the contract sets.
//! * [`outside`]: customers whom the stated `[selection]` excludes.
//! * [`judged`]: valid rows and quarantine, for both kinds of input.

pub mod column_types;
pub mod export;
pub mod judged;
pub mod log;
pub mod outside;
pub mod returns;
pub mod whole_orders;
