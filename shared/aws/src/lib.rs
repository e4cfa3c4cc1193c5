//! Muster in AWS: adapters of the ports, and what its Lambda functions share.
//!
//! Architecture invariant: no rules of the product are here, and nobody but the functions depends on this crate.

mod batch;
pub mod bus;
pub mod clients;
pub mod composition;
pub mod config;
mod correlation;
mod emf;
mod gateway;
mod jobs;
mod principal;
pub mod queue;
pub mod runtime;
pub mod secrets;
pub mod serve;
pub mod signing_keys;
mod telemetry;
