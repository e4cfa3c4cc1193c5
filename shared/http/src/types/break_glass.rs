//! Broken glass as people ask for it and review it, and as the API shows it.

use std::time::Duration;

use muster_app::freezes::{ShownGlass, Which};
use muster_domain::control::Scope;
use muster_domain::freeze as domain;
use muster_domain::ids::{BreakGlassId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::moment::Moment;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct StartBreakGlass {
    /// Whose changes it lets begin: `global`, `team:<teamId>` or `runbook:<runbookId>`.
    #[schema(value_type = String)]
    scope: Scope,
    /// Why, 1 to 500 characters.
    reason: String,
    /// For how long, 60 to 14400; absent: an hour.
    #[serde(default)]
    duration_seconds: Option<u64>,
}

impl From<StartBreakGlass> for domain::NewBreakGlass {
    fn from(start: StartBreakGlass) -> Self {
        let lasts = start.duration_seconds.map_or(domain::USUAL_GLASS, Duration::from_secs);
        Self { scope: start.scope, reason: start.reason, lasts }
    }
}

/// Nothing need be said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeGlass {}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReviewGlass {
    /// What was found, 1 to 500 characters.
    pub(crate) note: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct GlassQuery {
    /// Only what waits for review.
    #[param(value_type = Option<bool>)]
    unreviewed: Option<Unreviewed>,
}

/// As a query writes it.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Unreviewed {
    True,
    False,
}

impl GlassQuery {
    pub(crate) const fn which(&self) -> Which {
        match self.unreviewed {
            Some(Unreviewed::True) => Which::Unreviewed,
            Some(Unreviewed::False) | None => Which::All,
        }
    }
}

/// One time that somebody broke the glass.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct BreakGlass {
    #[schema(value_type = String)]
    id: BreakGlassId,
    /// `global`, `team:<teamId>` or `runbook:<runbookId>`.
    #[schema(value_type = String)]
    scope: Scope,
    reason: String,
    #[schema(value_type = String)]
    by: UserId,
    at: Moment,
    expires_at: Moment,
    /// Whether it lets changes begin now.
    active: bool,
    /// Who ended it before its time.
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked: Option<Revocation>,
    /// Absent: it waits for review.
    #[serde(skip_serializing_if = "Option::is_none")]
    reviewed: Option<GlassReview>,
}

#[derive(Debug, Serialize, ToSchema)]
struct Revocation {
    #[schema(value_type = String)]
    by: UserId,
    at: Moment,
}

#[derive(Debug, Serialize, ToSchema)]
struct GlassReview {
    #[schema(value_type = String)]
    by: UserId,
    at: Moment,
    note: String,
}

impl From<ShownGlass> for BreakGlass {
    fn from(ShownGlass { glass, active }: ShownGlass) -> Self {
        let review = |review: domain::GlassReview| GlassReview {
            by: review.by,
            at: review.at.into(),
            note: review.note,
        };
        Self {
            id: glass.id,
            scope: glass.scope,
            reason: glass.reason,
            by: glass.by,
            at: glass.at.into(),
            expires_at: glass.expires_at.into(),
            active,
            revoked: glass.revoked.map(|revoked| Revocation { by: revoked.by, at: revoked.at.into() }),
            reviewed: glass.reviewed.map(review),
        }
    }
}
