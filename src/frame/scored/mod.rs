//! What is done with customers once they have predictions.

pub mod compare;
pub mod customer_lines;
pub mod kept_columns;
pub mod predictions;
pub mod profile;
pub mod rfm;
pub mod segment;
pub mod select;
