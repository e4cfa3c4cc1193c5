//! How risky a run is, and what a team demands of risky ones.

use muster_domain::approval::Approver;
use muster_domain::risk as domain;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The risk of a run, found before it: the same facts always give the same score.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Risk {
    /// 0 to 100.
    score: u32,
    /// What makes the score up, the heaviest first.
    factors: Vec<Factor>,
    /// Who has to approve the run before its first step, one of them; absent if nobody has to.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    demands: Vec<Approver>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Factor {
    name: String,
    points: u32,
    why: String,
}

impl From<domain::Risk> for Risk {
    fn from(risk: domain::Risk) -> Self {
        let factor = |factor: domain::Factor| {
            let domain::Factor { name, points, why } = factor;
            Factor { name, points, why }
        };
        let demands = risk.demands.into_iter().flat_map(|spec| spec.levels).flat_map(|level| level.of);
        Self {
            score: risk.score,
            factors: risk.factors.into_iter().map(factor).collect(),
            demands: demands.collect(),
        }
    }
}

/// What a team demands of risky runs.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RiskPolicy {
    /// From this score on, 1 to 100, one of `approvers` has to approve a run before its first step.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    approval_from: Option<u32>,
    /// 1 to 20 of `team:<id>:<role>`, `platform-admin` and `user:<id>`, if `approvalFrom` is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>)]
    approvers: Vec<Approver>,
    /// From this score on, 1 to 100, a run is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused_from: Option<u32>,
}

impl From<RiskPolicy> for domain::RiskPolicy {
    fn from(policy: RiskPolicy) -> Self {
        let RiskPolicy { approval_from, approvers, refused_from } = policy;
        Self { approval_from, approvers, refused_from }
    }
}

impl From<domain::RiskPolicy> for RiskPolicy {
    fn from(policy: domain::RiskPolicy) -> Self {
        let domain::RiskPolicy { approval_from, approvers, refused_from } = policy;
        Self { approval_from, approvers, refused_from }
    }
}
