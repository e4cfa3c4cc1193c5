//! What the API takes and gives, apart from the domain's own types: those may change without the API changing, and the API
//! without them.

pub(crate) mod account;
pub(crate) mod audit;
pub(crate) mod decision;
pub(crate) mod definition;
pub(crate) mod delivery;
pub(crate) mod execution;
pub(crate) mod incident;
pub(crate) mod incident_event;
pub(crate) mod integration;
pub(crate) mod kill_switch;
pub(crate) mod moment;
pub(crate) mod notification;
pub(crate) mod page;
pub(crate) mod queue;
pub(crate) mod request;
pub(crate) mod runbook;
pub(crate) mod search;
pub(crate) mod step;
pub(crate) mod stop;
pub(crate) mod team;
pub(crate) mod trail;
pub(crate) mod trial;
pub(crate) mod version;
pub(crate) mod why;
pub(crate) mod workflow;
