//! The decisions of one round of one gate: only ever added to or marked as withdrawn.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Approver;
use crate::digest::Digest;
use crate::ids::{ExecutionId, StepId, UserId};
use crate::time::Time;

/// Who said what to what. Written by the approval routes alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ledger {
    pub execution: ExecutionId,
    pub step: StepId,
    pub round: u32,
    /// What was decided about; decisions on anything else approve nothing.
    pub subject: Digest,
    pub decisions: Vec<Decision>,
}

/// One answer of one person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    pub by: UserId,
    /// Counts from 0.
    pub level: usize,
    /// As what the person was let answer.
    pub right: Approver,
    pub verdict: Verdict,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What was filled in, with defaults applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub form: Option<Value>,
    pub at: Time,
    pub via: Via,
    /// Who said whom the Slack user is that gave it; absent of an answer by token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vouched_by: Option<UserId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawn: Option<Withdrawn>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    Approve,
    Reject,
}

/// The way by which an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Via {
    Api,
    Slack,
}

impl Decision {
    /// Whose word it is: whoever decided, and whoever said that this is them.
    pub fn authors(&self) -> impl Iterator<Item = &UserId> {
        [Some(&self.by), self.vouched_by.as_ref()].into_iter().flatten()
    }
}

/// Who took a decision back, and why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Withdrawn {
    pub by: UserId,
    pub at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Ledger {
    /// The decisions that were not taken back.
    pub fn live(&self) -> impl Iterator<Item = &Decision> {
        self.decisions.iter().filter(|decision| decision.withdrawn.is_none())
    }
}
