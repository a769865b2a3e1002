//! Tests of the binary and of the public interface.
//!
//! Reference data is not part of the project. Tests that need it read the folder named by
//! `CLTV_REFERENCE`, and report that they were left out when it is not set.

mod architecture;
mod bad_input;
mod behaviour;
mod cdnow;
mod check;
mod compare;
mod contract;
mod downstream;
mod evaluation;
mod exactness;
mod family;
mod figures;
mod hostile;
mod init;
mod models;
mod object_store;
mod order_log;
mod properties;
mod published;
mod recovery;
mod report;
mod segments;
mod support;
mod unattended;
mod words;
