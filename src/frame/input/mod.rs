//! From files to lazy, typed columns.

pub mod dates;
pub mod kinds;
pub mod load;
pub mod pages;
pub mod schema;
pub mod typed;
