//! One step of a phased runbook.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Approval;
use crate::ids::StepId;
use crate::workflow::Action;

/// Every type has its own selection of these fields; what does not belong to it is a fault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Step {
    /// Unique over the whole runbook; others read its result as `steps.<id>`.
    pub id: StepId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(rename = "type")]
    pub kind: StepType,
    /// A rule; if it does not hold, the step is skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub when: Option<String>,
    #[serde(default, skip_serializing_if = "RiskLevel::is_default")]
    pub risk_level: RiskLevel,
    /// What to tell people, 1 second to 30 days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected_duration_seconds: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<FailurePolicy>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// A rule about `response`; if it does not hold, the step fails.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<String>,
    /// What is kept of the answer: a name, and a dotted path into it. At most 8.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, String>,
    /// How long one attempt may take, 1 to 20 seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_seconds: Option<u32>,
    /// Absent: three attempts. A check with it asks again until the answer is as expected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry: Option<Retry>,
    /// Whether the receiver may get the same call twice without harm; absent: it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotent: Option<bool>,
    /// The call that takes a remediation back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undo: Option<Action>,
    /// Why nothing can take a remediation back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub irreversible: Option<Irreversible>,
    /// After the receiver took the call, the step waits for it to call back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback: Option<Callback>,
    /// What a check without an action asserts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<Approval>,
    /// How long a delay takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seconds: Option<u64>,
    /// 1 to 16; the first whose rule holds decides.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<Case>,
    /// Where a branch leads if no rule holds: a later step, group or phase, or `end`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub otherwise: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum StepType {
    /// A call that only looks.
    Diagnostic,
    /// A call that changes something.
    Remediation,
    /// An assertion: a rule, or a call and what is expected of its answer.
    Check,
    /// Waits for people's decision.
    Approval,
    Delay,
    /// Chooses how to go on.
    Branch,
    /// Tells people.
    Notify,
    /// Executes another runbook.
    Runbook,
}

impl StepType {
    pub const ALL: [Self; 8] = [
        Self::Diagnostic,
        Self::Remediation,
        Self::Check,
        Self::Approval,
        Self::Delay,
        Self::Branch,
        Self::Notify,
        Self::Runbook,
    ];

    /// Whether it changes something, itself or by what it executes.
    pub const fn changes(self) -> bool {
        match self {
            Self::Remediation | Self::Runbook => true,
            Self::Diagnostic | Self::Check | Self::Approval | Self::Delay | Self::Branch | Self::Notify => {
                false
            }
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Diagnostic => "diagnostic",
            Self::Remediation => "remediation",
            Self::Check => "check",
            Self::Approval => "approval",
            Self::Delay => "delay",
            Self::Branch => "branch",
            Self::Notify => "notify",
            Self::Runbook => "runbook",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum RiskLevel {
    #[default]
    Low,
    Medium,
    High,
    Critical,
}

impl RiskLevel {
    fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

/// What follows if a step or a group fails.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum FailurePolicy {
    /// The run fails.
    Abort,
    /// The next one begins.
    Continue,
    /// The run fails, and what was done is taken back.
    Rollback,
    /// It goes on at a later step, group or phase, or at the `end`.
    Goto(String),
}

/// How often a call is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub struct Retry {
    /// The first included, 1 to 10.
    pub max_attempts: u32,
    /// The wait before the second, 100 to 60,000; it doubles with each further one.
    pub base_delay_ms: u64,
}

impl Default for Retry {
    fn default() -> Self {
        Self { max_attempts: 3, base_delay_ms: 1_000 }
    }
}

/// Why nothing takes a step back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Irreversible {
    /// 1 to 500 characters.
    pub reason: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Callback {
    /// How long the step waits, up to what the run may take.
    pub timeout_seconds: u64,
}

/// One way of a branch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// A rule.
    pub when: String,
    /// A later step, group or phase, or `end`.
    pub goto: String,
}

impl Step {
    /// Whether it sends something, which an approval may bind.
    pub fn calls(&self) -> bool {
        self.action.is_some()
    }
}
