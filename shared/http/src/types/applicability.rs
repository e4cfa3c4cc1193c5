//! Runbooks that fit an incident.

use muster_app::applicability as app;
use muster_domain::applicability as domain;
use muster_domain::ids::{RunbookId, TeamId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::types::page::Limit;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(crate) struct RankingQuery {
    #[param(value_type = Option<u32>, minimum = 1, maximum = 100, default = 20)]
    pub(crate) limit: Option<Limit>,
}

/// The approved runbooks that fit an incident.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Ranking {
    /// The best first; of two that are as good, by name and then by id.
    items: Vec<ApplicableRunbook>,
    /// How many approved runbooks were looked at.
    considered: usize,
    /// There are more runbooks than are looked at: of the team's, and of all for those of no team, the newest 500 each.
    cut: bool,
}

/// A runbook of which at least one rule about the incident holds.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ApplicableRunbook {
    #[schema(value_type = String)]
    runbook_id: RunbookId,
    /// Of the version that would run.
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    /// The newest approved one.
    version: u32,
    /// 0 to 100: the weight of the rules that hold, in percent of the weight of all, moved by the history by at most 10.
    confidence: u32,
    reasons: Vec<FitReason>,
    /// Rules that could not be evaluated; they count as if they did not hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unjudged: Vec<UnjudgedRule>,
}

/// What the confidence is made of.
#[derive(Debug, Serialize, ToSchema)]
struct FitReason {
    from: ReasonSource,
    reason: String,
    /// The weight of a rule; of a history, by how much it moved the confidence.
    points: i32,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
enum ReasonSource {
    Rule,
    History,
}

#[derive(Debug, Serialize, ToSchema)]
struct UnjudgedRule {
    /// What it would have said.
    reason: String,
    weight: u32,
    why: String,
}

impl From<app::Ranking> for Ranking {
    fn from(ranking: app::Ranking) -> Self {
        let app::Ranking { items, considered, cut } = ranking;
        Self { items: items.into_iter().map(ApplicableRunbook::from).collect(), considered, cut }
    }
}

impl From<app::Ranked> for ApplicableRunbook {
    fn from(ranked: app::Ranked) -> Self {
        let app::Ranked { runbook, team, name, version, fit } = ranked;
        Self {
            runbook_id: runbook,
            name,
            team_id: team,
            version,
            confidence: fit.confidence,
            reasons: fit.reasons.into_iter().map(FitReason::from).collect(),
            unjudged: fit.unjudged.into_iter().map(UnjudgedRule::from).collect(),
        }
    }
}

impl From<domain::Reason> for FitReason {
    fn from(reason: domain::Reason) -> Self {
        match reason {
            domain::Reason::Rule { reason, weight } => {
                let points = i32::try_from(weight).unwrap_or(i32::MAX);
                Self { from: ReasonSource::Rule, reason, points }
            }
            domain::Reason::History { helped, runs, points } => {
                let reason = format!("{helped} of the last {runs} runs helped");
                Self { from: ReasonSource::History, reason, points }
            }
        }
    }
}

impl From<domain::Unjudged> for UnjudgedRule {
    fn from(rule: domain::Unjudged) -> Self {
        let domain::Unjudged { reason, weight, why } = rule;
        Self { reason, weight, why }
    }
}
