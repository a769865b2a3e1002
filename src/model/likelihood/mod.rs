//! Maximum likelihood: the data, the optimiser and the covariance of the estimates, the same for
//! every model.
//!
//! # Layout
//! * [`patterns`]: distinct purchase histories, each evaluated once.
//! * [`maximise`]: the optimiser (argmin), with several starts and a verdict on convergence.
//! * [`estimate`]: an estimated parameter, and how a fit ended.
//! * [`covariance`]: how precisely the parameters are known.

pub mod covariance;
pub mod estimate;
pub mod maximise;
pub mod patterns;
