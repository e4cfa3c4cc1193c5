//! What bounds a runbook, how it is taken back, and who hears of trouble.

use serde::{Deserialize, Serialize};

use crate::approval::Approver;

/// How long a run may take if the definition does not say, in seconds.
pub const DEFAULT_MAX_DURATION_SECONDS: u64 = 60 * 60;
/// How long after its end a run may be taken back if the definition does not say, in seconds.
pub const DEFAULT_ROLLBACK_WINDOW_SECONDS: u64 = 24 * 60 * 60;

/// The safety limits (D7); one that is absent does not bind.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Limits {
    /// For the whole run, 1 second to 30 days; its clock stops while a person pauses it. Absent: an hour.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_duration_seconds: Option<u64>,
    /// A template that names what the run works on, as in `{{incident.metadata.service}}`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    /// How many runs may work on one target at once, 1 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub concurrency_per_target: Option<u32>,
    /// Between two runs on one target, 1 second to 7 days.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cooldown_seconds: Option<u64>,
    /// Of this runbook, 1 to 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub executions_per_hour: Option<u32>,
    /// On one target, 1 to 1,000.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rate_per_target_per_hour: Option<u32>,
    /// What follows if a step behaves unlike its history.
    #[serde(skip_serializing_if = "Anomaly::is_default")]
    pub anomaly: Anomaly,
    /// After how many ineffective runs on one incident it gives up and escalates, 1 to 20.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ineffective_runs: Option<u32>,
}

impl Limits {
    /// How long the whole run may take, in seconds.
    pub fn max_duration_seconds(&self) -> u64 {
        self.max_duration_seconds.unwrap_or(DEFAULT_MAX_DURATION_SECONDS)
    }

    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Anomaly {
    #[default]
    Off,
    /// It is told and the run goes on.
    Flag,
    /// The run stops.
    Stop,
}

impl Anomaly {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// How what was done is taken back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Rollback {
    /// Whether a step that fails unwinds the run unless its own `onFailure` says otherwise.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub on_failure: bool,
    /// How long after its end a person may ask for it, 1 minute to 30 days; absent: a day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window_seconds: Option<u64>,
}

impl Rollback {
    /// How long after its end a run may be taken back, in seconds.
    pub fn window_seconds(&self) -> u64 {
        self.window_seconds.unwrap_or(DEFAULT_ROLLBACK_WINDOW_SECONDS)
    }

    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// Who hears of which trouble.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Escalation {
    /// At least one.
    pub on: Vec<Trouble>,
    /// 1 to 20 of `team:<id>:<role>`, `platform-admin` and `user:<id>`.
    pub to: Vec<Approver>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Trouble {
    /// The run failed.
    Failed,
    /// What was done could not be taken back.
    UndoFailed,
    /// Nobody can know whether a call took effect.
    NeedsReview,
    /// The run succeeded and did not help.
    Ineffective,
}
