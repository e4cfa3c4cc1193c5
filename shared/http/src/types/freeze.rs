//! Change freezes as people set them, and as the API shows them.

use muster_app::freezes::{FreezeForecast, ShownWindow};
use muster_domain::control::Scope;
use muster_domain::freeze as domain;
use muster_domain::ids::{BreakGlassId, ExecutionId, FreezeId, StepId, TeamId, UserId};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::moment::Moment;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewFreeze {
    /// What people call it, 1 to 100 characters; shown to whoever is refused.
    name: String,
    /// The first moment that is frozen; absent: now.
    #[serde(default)]
    from: Option<Moment>,
    /// The first moment that is not frozen any more, at most 90 days later.
    until: Moment,
    /// Why, 1 to 500 characters; shown to whoever is refused.
    reason: String,
}

impl From<NewFreeze> for domain::NewWindow {
    fn from(new: NewFreeze) -> Self {
        let NewFreeze { name, from, until, reason } = new;
        Self { name, from: from.map(Moment::time), until: until.time(), reason }
    }
}

/// Whose windows to list besides the global ones.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct FreezeQuery {
    /// This team's; the caller must be able to read them. Absent: those of all teams that the caller is in.
    #[param(value_type = Option<String>)]
    pub(crate) team_id: Option<TeamId>,
}

/// A time in which no change begins.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Freeze {
    #[schema(value_type = String)]
    id: FreezeId,
    /// `global` or `team:<teamId>`.
    #[schema(value_type = String)]
    scope: Scope,
    name: String,
    /// The first moment that is frozen.
    from: Moment,
    /// The first moment that is not frozen any more.
    until: Moment,
    reason: String,
    #[schema(value_type = String)]
    set_by: UserId,
    set_at: Moment,
    /// Whether it freezes changes now.
    active: bool,
}

impl From<ShownWindow> for Freeze {
    fn from(ShownWindow { scope, window, active }: ShownWindow) -> Self {
        Self {
            id: window.id,
            scope,
            name: window.name,
            from: window.from.into(),
            until: window.until.into(),
            reason: window.reason,
            set_by: window.set_by,
            set_at: window.set_at.into(),
            active,
        }
    }
}

/// The change freeze that a run would meet now.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Frozen {
    #[schema(value_type = String)]
    id: FreezeId,
    /// `global` or `team:<teamId>`.
    #[schema(value_type = String)]
    scope: Scope,
    name: String,
    /// The first moment that is not frozen any more.
    until: Moment,
    reason: String,
    /// The prerequisite that does not hold because of it; absent: it keeps a change from beginning.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    prerequisite: Option<StepId>,
    /// The break-glass by which it would begin all the same; absent: it would be refused.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    break_glass: Option<BreakGlassId>,
}

impl From<FreezeForecast> for Frozen {
    fn from(FreezeForecast { frozen, break_glass }: FreezeForecast) -> Self {
        let domain::Frozen { window: id, name, scope, until, reason, prerequisite } = frozen;
        Self { id, scope, name, until: until.into(), reason, prerequisite, break_glass }
    }
}

/// Why change freezes did not bind an execution.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "by", rename_all = "camelCase")]
pub(crate) enum FreezePass {
    /// The glass was broken when it began.
    BreakGlass {
        #[schema(value_type = String)]
        id: BreakGlassId,
    },
    /// It is a part of the execution of another runbook, which was bound itself.
    PartOf {
        #[schema(value_type = String)]
        execution: ExecutionId,
    },
}

impl From<domain::FreezePass> for FreezePass {
    fn from(pass: domain::FreezePass) -> Self {
        match pass {
            domain::FreezePass::BreakGlass { id } => Self::BreakGlass { id },
            domain::FreezePass::PartOf { execution } => Self::PartOf { execution },
        }
    }
}
