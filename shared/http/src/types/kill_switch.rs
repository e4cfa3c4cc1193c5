//! Kill switches as people set them, and as the API shows them.

use muster_app::kill_switches as app;
use muster_domain::control::{self, Scope};
use muster_domain::ids::UserId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::moment::Moment;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct SetKillSwitch {
    /// `true` stops the scope, `false` lets it go on.
    engaged: bool,
    /// Why, 1 to 500 characters; shown on every execution that it ends.
    reason: String,
}

impl From<SetKillSwitch> for app::SetKillSwitch {
    fn from(set: SetKillSwitch) -> Self {
        Self { engaged: set.engaged, reason: set.reason }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct KillSwitch {
    /// `global`, `team:<teamId>` or `runbook:<runbookId>`.
    #[schema(value_type = String)]
    scope: Scope,
    /// While true, nothing in the scope begins a new call.
    engaged: bool,
    /// Absent if it was never set, like the two after it.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    set_by: Option<UserId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    set_at: Option<Moment>,
}

impl KillSwitch {
    pub(crate) fn never_set(scope: Scope) -> Self {
        Self { scope, engaged: false, reason: None, set_by: None, set_at: None }
    }
}

impl From<(Scope, control::KillSwitch)> for KillSwitch {
    fn from((scope, switch): (Scope, control::KillSwitch)) -> Self {
        Self {
            scope,
            engaged: switch.engaged,
            reason: Some(switch.reason),
            set_by: Some(switch.set_by),
            set_at: Some(switch.set_at.into()),
        }
    }
}
