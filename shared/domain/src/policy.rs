//! Who may do what (F1). One function decides for every route; `tests` hold each route against it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use crate::ids::{TeamId, UserId};

/// A verified caller and what the groups claim grants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub user: UserId,
    pub installation: BTreeSet<InstallationRole>,
    pub teams: BTreeMap<TeamId, TeamRole>,
}

/// Roles over the whole installation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum InstallationRole {
    PlatformAdmin,
    Auditor,
}

/// Roles within one team; each may do all that the ones before it may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TeamRole {
    Viewer,
    Responder,
    Admin,
}

/// What a caller wants to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Runbooks, their versions and executions, incidents, queue statistics, kill switches.
    Read,
    /// Create, change, roll back or delete a runbook.
    EditRunbook,
    /// Create, change or delete a workflow.
    EditWorkflow,
    /// Create, change or delete an inbound webhook, and a team's settings; say whose an AWS account is, which is nobody's own to say.
    EditIntegration,
    /// Approve or deprecate a version.
    DecideRunbook,
    /// Start, cancel or resolve an execution.
    Execute,
    /// Open or change an incident.
    EditIncident,
    /// Read the audit log.
    ReadAudit,
    /// Engage or release a kill switch.
    SetKillSwitch,
    /// Set or remove a window of a change freeze.
    SetFreeze,
    /// Break the glass, revoke that, or review it.
    BreakGlass,
    /// Say who a Slack user is, and with which groups they answer.
    VouchForSlackUser,
}

impl Action {
    pub const ALL: [Self; 12] = [
        Self::Read,
        Self::EditRunbook,
        Self::EditWorkflow,
        Self::EditIntegration,
        Self::DecideRunbook,
        Self::Execute,
        Self::EditIncident,
        Self::ReadAudit,
        Self::SetKillSwitch,
        Self::SetFreeze,
        Self::BreakGlass,
        Self::VouchForSlackUser,
    ];
}

/// Whose the thing is that an action is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// Of no team.
    Global,
    Team(TeamId),
}

impl From<Option<TeamId>> for Owner {
    fn from(team: Option<TeamId>) -> Self {
        team.map_or(Self::Global, Self::Team)
    }
}

/// What a caller lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    #[error("needs one of these groups: {0}")]
    Role(String),
    #[error("{user} wrote this version and may not approve it; another person must")]
    OwnWork { user: UserId },
    #[error("{user} broke the glass and may not review that; another platform admin must")]
    OwnGlass { user: UserId },
}

const PLATFORM_ADMIN: &str = "platform-admin";
const AUDITOR: &str = "auditor";

/// The greatest number of groups that are read from a token.
pub const MAX_GROUPS: usize = 200;

impl Principal {
    /// Reads a groups claim. Unknown groups grant nothing; of two roles in a team the greater counts.
    pub fn from_groups<'g>(user: UserId, groups: impl IntoIterator<Item = &'g str>) -> Self {
        let mut principal = Self { user, installation: BTreeSet::new(), teams: BTreeMap::new() };
        for group in groups.into_iter().take(MAX_GROUPS) {
            principal.grant(group);
        }
        principal
    }

    fn grant(&mut self, group: &str) {
        match group {
            PLATFORM_ADMIN => drop(self.installation.insert(InstallationRole::PlatformAdmin)),
            AUDITOR => drop(self.installation.insert(InstallationRole::Auditor)),
            other => {
                if let Some((team, role)) = parse_team_group(other) {
                    let held = self.teams.entry(team).or_insert(role);
                    *held = role.max(*held);
                }
            }
        }
    }

    /// Whether the caller may do `action` to what `owner` owns.
    pub fn may(&self, action: Action, owner: &Owner) -> Result<(), Denied> {
        if self.is(InstallationRole::PlatformAdmin)
            || self.auditor_may(action)
            || self.team_may(action, owner)
        {
            Ok(())
        } else {
            Err(Denied::Role(required(action, owner)))
        }
    }

    /// The separation of duties: nobody approves what they wrote, an admin no more than anybody (INVARIANTS C3).
    pub fn may_approve_work_of(&self, writers: &[&UserId]) -> Result<(), Denied> {
        if writers.contains(&&self.user) { Err(Denied::OwnWork { user: self.user.clone() }) } else { Ok(()) }
    }

    pub fn is(&self, role: InstallationRole) -> bool {
        self.installation.contains(&role)
    }

    fn auditor_may(&self, action: Action) -> bool {
        matches!(action, Action::Read | Action::ReadAudit) && self.is(InstallationRole::Auditor)
    }

    fn team_may(&self, action: Action, owner: &Owner) -> bool {
        let role = match owner {
            Owner::Team(team) => self.teams.get(team).copied(),
            Owner::Global => self.teams.values().copied().max(),
        };
        match (action, owner) {
            // What is global is open to read for every verified caller.
            (Action::Read, Owner::Global) => true,
            (Action::Read, Owner::Team(_)) => role >= Some(TeamRole::Viewer),
            (Action::Execute, Owner::Global | Owner::Team(_)) => role >= Some(TeamRole::Responder),
            (Action::EditIncident, Owner::Team(_)) => role >= Some(TeamRole::Responder),
            (
                Action::EditRunbook
                | Action::EditWorkflow
                | Action::EditIntegration
                | Action::ReadAudit
                | Action::SetFreeze,
                Owner::Team(_),
            ) => role >= Some(TeamRole::Admin),
            (
                Action::EditRunbook
                | Action::EditWorkflow
                | Action::EditIntegration
                | Action::EditIncident
                | Action::ReadAudit
                | Action::SetFreeze,
                Owner::Global,
            )
            | (
                Action::DecideRunbook
                | Action::SetKillSwitch
                | Action::BreakGlass
                | Action::VouchForSlackUser,
                Owner::Global | Owner::Team(_),
            ) => false,
        }
    }
}

/// Whether a group grants anything.
pub fn is_group(group: &str) -> bool {
    matches!(group, PLATFORM_ADMIN | AUDITOR) || parse_team_group(group).is_some()
}

fn parse_team_group(group: &str) -> Option<(TeamId, TeamRole)> {
    let (team, role) = group.strip_prefix("team:")?.rsplit_once(':')?;
    let role = match role {
        "viewer" => TeamRole::Viewer,
        "responder" => TeamRole::Responder,
        "admin" => TeamRole::Admin,
        _ => return None,
    };
    Some((team.parse().ok()?, role))
}

/// The groups that would have allowed it, for the message.
fn required(action: Action, owner: &Owner) -> String {
    let role = match action {
        Action::Read => "viewer",
        Action::Execute | Action::EditIncident => "responder",
        Action::EditRunbook
        | Action::EditWorkflow
        | Action::EditIntegration
        | Action::ReadAudit
        | Action::SetFreeze => "admin",
        Action::DecideRunbook | Action::SetKillSwitch | Action::BreakGlass | Action::VouchForSlackUser => {
            return "platform-admin".into();
        }
    };
    match (owner, action) {
        (Owner::Team(team), _) => format!("platform-admin, team:{team}:{role}"),
        (Owner::Global, Action::Execute) => "platform-admin, team:<any>:responder".into(),
        (
            Owner::Global,
            Action::Read
            | Action::EditRunbook
            | Action::EditWorkflow
            | Action::EditIntegration
            | Action::DecideRunbook
            | Action::EditIncident
            | Action::ReadAudit
            | Action::SetKillSwitch
            | Action::SetFreeze
            | Action::BreakGlass
            | Action::VouchForSlackUser,
        ) => "platform-admin".into(),
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Team(team) => write!(f, "team {team}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CALLERS: [&str; 8] = [
        "",
        "team:ops:viewer",
        "team:ops:responder",
        "team:ops:admin",
        "team:web:viewer",
        "team:web:admin",
        "auditor",
        "platform-admin",
    ];

    /// The actions each caller may do, by owner: the whole policy on one page.
    #[test]
    fn inv_c1_the_policy_table() {
        let owners = [Owner::Global, Owner::Team("ops".parse().expect("valid"))];
        let mut table = String::new();
        for caller in CALLERS {
            let user = "ann".parse().expect("valid");
            let principal = Principal::from_groups(user, caller.split(',').filter(|group| !group.is_empty()));
            for owner in &owners {
                let may = |action: &Action| principal.may(*action, owner).is_ok();
                let allowed: Vec<Action> = Action::ALL.into_iter().filter(may).collect();
                table.push_str(&format!("{caller:18} {owner:9} {allowed:?}\n"));
            }
        }
        insta::assert_snapshot!(table);
    }

    #[test]
    fn of_two_roles_in_a_team_the_greater_counts_and_unknown_groups_grant_nothing() {
        let user: UserId = "ann".parse().expect("valid");
        let groups =
            ["team:ops:admin", "team:ops:viewer", "team:ops:root", "team::admin", "admin", "team:a#b:admin"];
        let principal = Principal::from_groups(user, groups);
        assert_eq!(principal.teams.into_values().collect::<Vec<_>>(), [TeamRole::Admin]);
        assert!(principal.installation.is_empty());
    }

    #[test]
    fn inv_c3_an_author_never_approves_not_even_an_admin() {
        let ann: UserId = "ann".parse().expect("valid");
        let bob: UserId = "bob".parse().expect("valid");
        let admin = Principal::from_groups(ann.clone(), ["platform-admin"]);
        assert!(admin.may_approve_work_of(&[&bob, &ann]).is_err());
        assert!(admin.may_approve_work_of(&[&bob]).is_ok());
    }
}
