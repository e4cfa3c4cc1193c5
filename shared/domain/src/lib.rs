//! What Muster decides, and nothing it does: types, state machines, rules and hashes.
//!
//! Architecture invariant: this crate is pure. It reaches no runtime, clock, randomness, environment or I/O;
//! whatever a rule needs, `now` included, is passed in. `tests/src/architecture.rs` checks the dependency tree.

pub mod account;
pub mod anomaly;
pub mod answer;
pub mod applicability;
pub mod approval;
pub mod audit;
pub mod callback;
pub mod control;
pub mod digest;
pub mod execution;
pub mod fault;
pub mod freeze;
pub mod giving_up;
pub mod ids;
pub mod incident;
pub mod integration;
pub mod keyed;
pub mod limits;
pub mod notification;
pub mod outcome;
pub mod plan;
pub mod policy;
pub mod presence;
pub mod render;
pub mod request;
pub mod risk;
pub mod rule;
pub mod runbook;
pub mod schema;
pub mod secret;
pub mod sources;
pub mod template;
pub mod time;
pub mod webhook;
pub mod workflow;
