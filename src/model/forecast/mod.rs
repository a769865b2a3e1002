//! What a fitted model expects of customers and of the company.

pub mod company;
pub mod cumulative;
pub mod intervals;
pub mod periods;
pub mod predict;
