//! The sections of the page, one file each.

pub mod customers;
pub mod data;
pub mod forecast;
pub mod migration;
pub mod model;
pub mod overview;
pub mod profiles;
pub mod rfm;
pub mod segments;
