//! The endpoints, one file an area. Each handler parses, asks one use case, and shows its answer.

pub(crate) mod accounts;
pub(crate) mod approvals;
pub(crate) mod audit;
pub(crate) mod bodies;
pub(crate) mod break_glass;
mod change_note;
pub(crate) mod decisions;
pub(crate) mod events;
pub(crate) mod execute;
pub(crate) mod executions;
pub(crate) mod freezes;
pub(crate) mod gates;
pub(crate) mod hooks;
pub(crate) mod idempotency;
pub(crate) mod incidents;
pub(crate) mod integrations;
pub(crate) mod kill_switches;
pub(crate) mod notifications;
pub(crate) mod people;
pub(crate) mod queue;
pub(crate) mod runbooks;
pub(crate) mod service;
pub(crate) mod teams;
pub(crate) mod versions;
pub(crate) mod workflow_runs;
pub(crate) mod workflow_versions;
pub(crate) mod workflows;
