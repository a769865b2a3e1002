//! Maximum likelihood with argmin, the same way for every model.

pub mod covariance;
pub mod estimate;
pub mod maximise;
pub mod patterns;
