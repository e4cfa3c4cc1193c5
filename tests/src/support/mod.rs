//! What the suites share: a whole Muster in memory of one test, a receiver of its webhooks, clients of its API, and stand-ins of
//! the parts of AWS that have no engine for tests.

pub(crate) mod aws_json;
pub(crate) mod binaries;
pub(crate) mod bus;
pub(crate) mod client;
pub(crate) mod clock;
pub(crate) mod contract;
pub(crate) mod counted;
pub(crate) mod dynamo;
pub(crate) mod event_bridge;
pub(crate) mod faults;
pub(crate) mod hooked;
pub(crate) mod lambda;
pub(crate) mod ledger;
pub(crate) mod proxy;
pub(crate) mod queue;
pub(crate) mod receiver;
pub(crate) mod recorded;
pub(crate) mod secrets_manager;
pub(crate) mod slack;
pub(crate) mod sqs;
pub(crate) mod world;
