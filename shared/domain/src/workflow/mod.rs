//! Workflows: what starts by itself when something happens to an incident.

pub mod actions;
pub mod condition;
pub mod definition;
pub mod graph;
pub mod matching;
pub mod start;
pub mod trigger;
mod validate;
pub mod why;
pub mod why_part;
mod wiring;

use serde::{Deserialize, Serialize};

pub use self::actions::Action;
pub use self::condition::Condition;
pub use self::definition::{Settings, Timeout, WorkflowDefinition};
pub use self::graph::{Branch, Edge, Graph, Node};
pub use self::matching::{Candidate, MatchDecision, MatchOutcome, Predicate, evaluate};
pub use self::start::{age_execution_id, child_execution_id, execution_id, rollback_execution_id};
pub use self::trigger::{StateTransition, Trigger, TriggerKind};
pub use self::why::WhyRecord;
pub use self::why_part::{PartWriter, WhyPart};
use crate::audit::ChainHead;
use crate::digest::Digest;
use crate::ids::{TeamId, UserId, WorkflowId};
use crate::time::Time;

/// The head of a workflow: what is true of all its versions, and what matching needs of the newest one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Workflow {
    pub id: WorkflowId,
    /// Absent: a global workflow. Set at creation and never changed, for permissions hang on it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// Name of the newest version.
    pub name: String,
    /// Whether the newest version may start by itself.
    pub enabled: bool,
    /// Number of the newest version; versions count from 1 without gaps.
    pub version: u32,
    /// The newest version's, so that matching reads heads alone.
    pub trigger: Trigger,
    /// The newest version's, for the storm cap and the misfire window.
    #[serde(default)]
    pub settings: Settings,
    pub created_by: UserId,
    pub created_at: Time,
    pub updated_at: Time,
    /// Set when the workflow was deleted: its history stays readable, it never runs again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Time>,
    pub audit: ChainHead,
}

/// One immutable version of a workflow's definition.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WorkflowVersion {
    pub workflow: WorkflowId,
    pub version: u32,
    pub definition: WorkflowDefinition,
    /// Digest of the definition's canonical JSON.
    pub digest: Digest,
    pub author: UserId,
    pub created_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change_note: Option<String>,
    /// The version this one was copied from by a rollback.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_from: Option<u32>,
}

#[cfg(test)]
mod tests;
