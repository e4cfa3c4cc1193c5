//! What is set for a scope, its kill switch and its freezes: read before every intent.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::audit::ChainHead;
use crate::freeze::{FreezeCalendar, FreezeScope};
use crate::ids::{InvalidId, RunbookId, TeamId, UserId};
use crate::time::Time;

/// Everything that is set for a scope, in one record, so that one read before an intent brings it all. Nothing is set for a scope
/// without one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Control {
    pub scope: Scope,
    /// `None`: it was never set, and stops nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub switch: Option<KillSwitch>,
    /// `None`: no window was ever set. A runbook never has any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub freezes: Option<FreezeCalendar>,
}

/// The state of one kill switch.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct KillSwitch {
    /// While true, nothing in the scope begins a new call.
    pub engaged: bool,
    /// Why, at most 500 characters.
    pub reason: String,
    pub set_by: UserId,
    pub set_at: Time,
    pub audit: ChainHead,
}

impl Control {
    pub const fn unset(scope: Scope) -> Self {
        Self { scope, switch: None, freezes: None }
    }

    /// The kill switch, with what it stops, while it is engaged.
    pub fn engaged(&self) -> Option<(&Scope, &KillSwitch)> {
        let switch = self.switch.as_ref().filter(|switch| switch.engaged)?;
        Some((&self.scope, switch))
    }
}

/// What a kill switch stops.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Scope {
    /// Every execution.
    Global,
    /// Every execution of a team's runbooks, or for a team's incident.
    Team(TeamId),
    /// Every execution of one runbook.
    Runbook(RunbookId),
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Team(id) => write!(f, "team:{id}"),
            Self::Runbook(id) => write!(f, "runbook:{id}"),
        }
    }
}

impl FromStr for Scope {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let expected = InvalidId { expected: "`global`, `team:<teamId>` or `runbook:<runbookId>`" };
        match text.split_once(':') {
            None if text == "global" => Ok(Self::Global),
            Some(("team", id)) => id.parse().map(Self::Team).map_err(|_| expected),
            Some(("runbook", id)) => id.parse().map(Self::Runbook).map_err(|_| expected),
            None | Some(_) => Err(expected),
        }
    }
}

impl TryFrom<String> for Scope {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<Scope> for String {
    fn from(scope: Scope) -> Self {
        scope.to_string()
    }
}

impl From<FreezeScope> for Scope {
    fn from(scope: FreezeScope) -> Self {
        match scope {
            FreezeScope::Global => Self::Global,
            FreezeScope::Team(team) => Self::Team(team),
        }
    }
}
