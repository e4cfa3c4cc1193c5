//! The phased form of a runbook (D1): phases in order, and in each of them steps and groups of steps.

pub mod approval;
pub mod definition;
pub mod entry;
mod layout;
pub mod limits;
mod members;
pub mod step;
#[cfg(test)]
pub(crate) mod tests;
mod validate;
pub mod verification;

pub use self::approval::Approval;
pub use self::definition::{Applicability, Environments, PhasedRunbook, Prerequisite};
pub use self::entry::{Entry, Group, GroupJoin, Phase};
pub(crate) use self::layout::{Layout, Target};
pub use self::limits::{Anomaly, Escalation, Limits, Rollback, Trouble};
pub use self::members::Without;
pub use self::step::{Callback, Case, FailurePolicy, Irreversible, Retry, RiskLevel, Step, StepType};
pub use self::verification::{Probe, Verification};
