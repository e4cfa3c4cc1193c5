//! Kill switches: read by everyone, set by platform admins, obeyed before every intent.

use muster_domain::audit::{ChainHead, Resource};
use muster_domain::control::{KillSwitch, Scope};
use muster_domain::fault::Fault;
use muster_domain::ids::TeamId;
use muster_domain::policy::{Action, Owner};
use muster_domain::runbook::Runbook;
use serde_json::json;

use crate::approvals::reason_faults;
use crate::load::audit;
use crate::once::Decided;
use crate::runbooks::{fact, refuse_faults};
use crate::table::{Key, Versioned, Write};
use crate::{App, Caller, Error};

/// What a person sets a kill switch to.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetKillSwitch {
    /// `true` stops the scope, `false` lets it go on.
    pub engaged: bool,
    /// Why, 1 to 500 characters; shown on every execution that it ends.
    pub reason: String,
}

impl App {
    /// The switch of a scope; `None` if it was never set, which means released.
    pub async fn kill_switch(
        &self,
        caller: &Caller,
        scope: &Scope,
    ) -> Result<Option<Versioned<KillSwitch>>, Error> {
        caller.principal.may(Action::Read, &Owner::from(self.team_of(scope).await?))?;
        self.load_kill_switch(scope).await
    }

    async fn load_kill_switch(&self, scope: &Scope) -> Result<Option<Versioned<KillSwitch>>, Error> {
        let stored = self.table.get(&Key::KillSwitch(scope.clone())).await?;
        Ok(stored.map(|stored| stored.typed()).transpose()?)
    }

    pub async fn set_kill_switch(
        &self,
        caller: &Caller,
        scope: &Scope,
        set: &SetKillSwitch,
    ) -> Result<KillSwitch, Error> {
        let team = self.team_of(scope).await?;
        caller.principal.may(Action::SetKillSwitch, &Owner::from(team.clone()))?;
        refuse_faults(reason_faults(Some(&set.reason)))?;
        if set.reason.trim().is_empty() {
            return Err(Error::Invalid(vec![Fault::new("/reason", "cannot be empty: say why")]));
        }
        let decide = async || {
            let before = self.load_kill_switch(scope).await?;
            Ok(self.decide_kill_switch(caller, (scope, team.clone()), set, before))
        };
        Ok(self.once(caller, decide).await?.into_reply())
    }

    /// Everyone may see why nothing runs; the switch of a team, or of its runbook, is the team's to see.
    async fn team_of(&self, scope: &Scope) -> Result<Option<TeamId>, Error> {
        match scope {
            Scope::Global => Ok(None),
            Scope::Team(team) => Ok(Some(team.clone())),
            // A deleted one counts: its switch and its history stay.
            Scope::Runbook(id) => {
                let missing = || Error::NotFound { kind: "runbook", id: id.to_string() };
                let stored = self.table.get(&Key::Runbook(id.clone())).await?.ok_or_else(missing)?;
                let runbook: Versioned<Runbook> = stored.typed()?;
                Ok(runbook.value.team)
            }
        }
    }

    fn decide_kill_switch(
        &self,
        caller: &Caller,
        (scope, team): (&Scope, Option<TeamId>),
        set: &SetKillSwitch,
        before: Option<Versioned<KillSwitch>>,
    ) -> Decided<KillSwitch> {
        let now = self.clock.now();
        let user = &caller.principal.user;
        let (chain, version) =
            before.map_or((ChainHead::default(), None), |seen| (seen.value.audit, Some(seen.version)));
        let mut switch = KillSwitch {
            scope: scope.clone(),
            engaged: set.engaged,
            reason: set.reason.clone(),
            set_by: user.clone(),
            set_at: now,
            audit: chain,
        };
        let action = if set.engaged { "kill_switch.engaged" } else { "kill_switch.released" };
        let fact = fact(action, user, json!({"reason": set.reason}));
        let entry = audit(&mut switch.audit, Resource::Control(scope.clone()), team, fact, now);
        let write = match version {
            None => Write::create(switch.clone()),
            Some(version) => Write::replace(switch.clone(), version),
        };
        Decided { reply: switch, writes: vec![write, entry] }
    }
}
