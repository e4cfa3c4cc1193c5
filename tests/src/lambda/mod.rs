//! The real binaries of the Lambda functions: driven through the Runtime API with the events of `events/`, on the real
//! DynamoDB client and an engine that speaks its protocol.

mod adapters;
mod approvals;
mod batches;
mod callbacks;
mod dead_letters;
mod documented;
mod events;
mod gateway;
mod hooks;
pub(crate) mod installation;
mod lens;
mod life;
mod logs;
mod matcher;
mod permissions;
mod policy;
mod readme;
mod recorded_calls;
mod samples;
mod start;
mod sweeps;
mod template;
mod workflows;
