//! Who may answer a gate: a role of a team, the platform's admins, or one person.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::ids::{InvalidId, TeamId, UserId};
use crate::policy::{InstallationRole, Principal, TeamRole};

/// Written `team:<id>:<role>`, `platform-admin` or `user:<id>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Approver {
    /// This role in the team, or a greater one.
    Role {
        team: TeamId,
        role: TeamRole,
    },
    PlatformAdmin,
    User(UserId),
}

impl Approver {
    /// A platform admin has no role in a team by that: a gate that wants one names `platform-admin`.
    pub fn admits(&self, principal: &Principal) -> bool {
        match self {
            Self::Role { team, role } => principal.teams.get(team).is_some_and(|held| held >= role),
            Self::PlatformAdmin => principal.is(InstallationRole::PlatformAdmin),
            Self::User(user) => principal.user == *user,
        }
    }
}

impl FromStr for Approver {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let expected = InvalidId { expected: "`team:<id>:<role>`, `platform-admin` or `user:<id>`" };
        match text.split_once(':') {
            None if text == "platform-admin" => Ok(Self::PlatformAdmin),
            Some(("user", id)) => id.parse().map(Self::User).map_err(|_| expected),
            Some(("team", rest)) => team_role(rest).ok_or(expected),
            None | Some(_) => Err(expected),
        }
    }
}

fn team_role(text: &str) -> Option<Approver> {
    let (team, role) = text.split_once(':')?;
    let role = match role {
        "viewer" => TeamRole::Viewer,
        "responder" => TeamRole::Responder,
        "admin" => TeamRole::Admin,
        _ => return None,
    };
    Some(Approver::Role { team: team.parse().ok()?, role })
}

const fn role_word(role: TeamRole) -> &'static str {
    match role {
        TeamRole::Viewer => "viewer",
        TeamRole::Responder => "responder",
        TeamRole::Admin => "admin",
    }
}

impl fmt::Display for Approver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Role { team, role } => write!(f, "team:{team}:{}", role_word(*role)),
            Self::PlatformAdmin => f.write_str("platform-admin"),
            Self::User(user) => write!(f, "user:{user}"),
        }
    }
}

impl TryFrom<String> for Approver {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<Approver> for String {
    fn from(approver: Approver) -> Self {
        approver.to_string()
    }
}
