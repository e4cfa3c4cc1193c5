//! Kill switches: read by everyone, set by platform admins, obeyed before every intent.

use muster_domain::audit::{ChainHead, Resource};
use muster_domain::control::{Control, KillSwitch, Scope};
use muster_domain::fault::Fault;
use muster_domain::ids::TeamId;
use muster_domain::policy::{Action, Owner};
use muster_domain::runbook::Runbook;
use serde_json::json;

use crate::approvals::reason_faults;
use crate::controls::SeenControl;
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
    pub async fn kill_switch(&self, caller: &Caller, scope: &Scope) -> Result<Option<KillSwitch>, Error> {
        caller.principal.may(Action::Read, &Owner::from(self.team_of(scope).await?))?;
        let (control, _) = self.control(scope.clone()).await?;
        Ok(control.switch)
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
            let before = self.control(scope.clone()).await?;
            Ok(self.decide_kill_switch(caller, team.clone(), set, before))
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
        team: Option<TeamId>,
        set: &SetKillSwitch,
        (control, version): SeenControl,
    ) -> Decided<KillSwitch> {
        let now = self.clock.now();
        let user = &caller.principal.user;
        let mut switch = KillSwitch {
            engaged: set.engaged,
            reason: set.reason.clone(),
            set_by: user.clone(),
            set_at: now,
            audit: control.switch.map_or_else(ChainHead::default, |before| before.audit),
        };
        let action = if set.engaged { "kill_switch.engaged" } else { "kill_switch.released" };
        let fact = fact(action, user, json!({"reason": set.reason}));
        let entry = audit(&mut switch.audit, Resource::Control(control.scope.clone()), team, fact, now);
        let control = Control { switch: Some(switch.clone()), ..control };
        Decided { reply: switch, writes: vec![Write::put(control, version), entry] }
    }
}
