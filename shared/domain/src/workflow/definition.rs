//! The definition of a workflow that a person writes (C2).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Graph, Trigger};
use crate::digest::Digest;
use crate::ids::TeamId;

/// When a workflow starts, what it does, and within which limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WorkflowDefinition {
    /// 1 to 200 characters.
    pub name: String,
    /// At most 4,000 characters.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The owning team; absent for a global workflow, which sees the incidents of all teams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<TeamId>,
    /// While false, only a person can start it.
    #[serde(default = "default_enabled")]
    pub enabled: bool,
    pub trigger: Trigger,
    /// What it does.
    pub definition: Graph,
    #[serde(default)]
    pub settings: Settings,
}

impl WorkflowDefinition {
    /// The content digest that executions pin.
    pub fn digest(&self) -> Digest {
        Digest::of_json(&serde_json::to_value(self).unwrap_or_default())
    }
}

/// The limits of a workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Settings {
    /// How long the whole workflow may take, from its stored start.
    pub timeout: Timeout,
    /// The storm cap: how many executions events may start within a minute, 1 to 1,000 (H2).
    pub max_starts_per_minute: u32,
    /// How late an age trigger may still fire after an outage, in minutes, 1 to 1,440 (G4).
    pub misfire_minutes: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { timeout: Timeout::default(), max_starts_per_minute: 30, misfire_minutes: 15 }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Timeout {
    #[serde(rename = "1min")]
    OneMinute,
    #[default]
    #[serde(rename = "5min")]
    FiveMinutes,
    #[serde(rename = "15min")]
    FifteenMinutes,
}

impl Timeout {
    pub const fn duration(self) -> Duration {
        match self {
            Self::OneMinute => Duration::from_secs(60),
            Self::FiveMinutes => Duration::from_secs(5 * 60),
            Self::FifteenMinutes => Duration::from_secs(15 * 60),
        }
    }
}

fn default_enabled() -> bool {
    true
}
