//! Tests of the binary and of the public interface.
//!
//! Tests that need more than Rust are ignored with the reason, and their names end in what they need:
//! `_on_reference_data` (the folder named by `CLTV_REFERENCE`, which may not be redistributed),
//! `_in_python`, `_in_a_browser`, and `_as_root` (root who may make devices and mounts). `scripts/test.sh` includes those that it can run.

mod architecture;
mod bad_input;
mod behaviour;
mod calendar;
mod cdnow;
mod check;
mod compare;
mod contract;
mod documents;
mod downstream;
mod evaluation;
mod exactness;
mod family;
mod figures;
mod first_run;
mod fits_that_fail;
mod hostile;
mod init;
mod model_checks;
mod models;
mod no_money;
mod object_store;
mod one_writer;
mod order_log;
mod prices;
mod properties;
mod published;
mod real_files;
mod recovery;
mod regular;
mod report;
mod segments;
mod shared_places;
mod simulated;
mod strays;
mod support;
mod terminal;
mod unattended;
mod uneven_worlds;
mod untrusted_text;
mod wheel;
mod words;
