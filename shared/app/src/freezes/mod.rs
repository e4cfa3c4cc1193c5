//! Change freezes (D7): windows in which no change begins, and the broken glass by which one begins all the same.

mod glass;
mod obey;

use muster_domain::audit::{Fact, Resource};
use muster_domain::control::Scope;
use muster_domain::freeze::{FreezeCalendar, FreezeScope, FreezeWindow, NewWindow};
use muster_domain::ids::{FreezeId, TeamId};
use muster_domain::policy::{Action, Owner};
use muster_domain::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use self::glass::{ShownGlass, Which};
pub use self::obey::FreezeForecast;
use crate::controls::SeenControl;
use crate::load::audit;
use crate::once::Decided;
use crate::runbooks::{fact, refuse_faults};
use crate::table::Write;
use crate::{App, Caller, Error};

/// A window as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownWindow {
    pub scope: Scope,
    pub window: FreezeWindow,
    /// Whether it freezes changes at this moment.
    pub active: bool,
}

impl App {
    /// The windows of everybody and of one team, or of all teams that the caller is in; what ends first comes first.
    pub async fn freezes(&self, caller: &Caller, team: Option<TeamId>) -> Result<Vec<ShownWindow>, Error> {
        let teams: Vec<TeamId> = match team {
            Some(team) => {
                caller.principal.may(Action::Read, &Owner::Team(team.clone()))?;
                vec![team]
            }
            None => caller.principal.teams.keys().cloned().collect(),
        };
        let scopes = [Scope::Global].into_iter().chain(teams.into_iter().map(Scope::Team));
        let now = self.clock.now();
        let mut windows = Vec::new();
        for control in self.controls(scopes).await? {
            let of_scope = control.freezes.into_iter().flat_map(|calendar| calendar.windows);
            windows.extend(of_scope.map(|window| shown(&control.scope, window, now)));
        }
        windows.sort_by_key(|shown| (shown.window.until, shown.window.id.clone()));
        Ok(windows)
    }

    /// Freezes the changes of a scope for a time.
    pub async fn add_freeze(
        &self,
        caller: &Caller,
        scope: &FreezeScope,
        new: &NewWindow,
    ) -> Result<ShownWindow, Error> {
        caller.principal.may(Action::SetFreeze, &owner(scope))?;
        refuse_faults(new.faults(self.clock.now()))?;
        let decide = async || {
            let seen = self.control(scope.clone().into()).await?;
            self.decide_freeze(caller, (scope, seen), new)
        };
        Ok(self.once(caller, decide).await?.into_reply())
    }

    fn decide_freeze(
        &self,
        caller: &Caller,
        (scope, (mut control, version)): (&FreezeScope, SeenControl),
        new: &NewWindow,
    ) -> Result<Decided<ShownWindow>, Error> {
        let now = self.clock.now();
        let user = &caller.principal.user;
        let window = FreezeWindow {
            id: FreezeId::new(now, Self::random()?),
            name: new.name.clone(),
            from: new.from.unwrap_or(now),
            until: new.until,
            reason: new.reason.clone(),
            set_by: user.clone(),
            set_at: now,
        };
        let calendar = control.freezes.get_or_insert_default();
        calendar.add(window.clone(), now).map_err(|full| Error::Conflict(full.to_string()))?;
        let fact = fact("freeze.added", user, json!({"window": window}));
        let entry = noted(calendar, scope, fact, now);
        let reply = shown(&control.scope, window, now);
        Ok(Decided { reply, writes: vec![Write::put(control, version), entry] })
    }

    /// Takes a window out of its calendar, whether it has begun or not.
    pub async fn remove_freeze(
        &self,
        caller: &Caller,
        scope: &FreezeScope,
        id: &FreezeId,
    ) -> Result<(), Error> {
        caller.principal.may(Action::SetFreeze, &owner(scope))?;
        let decide = async || {
            let (mut control, version) = self.control(scope.clone().into()).await?;
            let now = self.clock.now();
            let missing = || Error::NotFound { kind: "freeze", id: format!("{id} of {scope}") };
            let calendar = control.freezes.as_mut().ok_or_else(missing)?;
            let window = calendar.remove(id, now).ok_or_else(missing)?;
            let fact = fact("freeze.removed", &caller.principal.user, json!({"window": window}));
            let entry = noted(calendar, scope, fact, now);
            Ok(Decided { reply: (), writes: vec![Write::put(control, version), entry] })
        };
        self.once(caller, decide).await?;
        Ok(())
    }
}

fn owner(scope: &FreezeScope) -> Owner {
    Owner::from(scope.team().cloned())
}

fn shown(scope: &Scope, window: FreezeWindow, now: Time) -> ShownWindow {
    ShownWindow { scope: scope.clone(), active: window.is_in_force(now), window }
}

/// The audit entry of a changed calendar.
fn noted(calendar: &mut FreezeCalendar, scope: &FreezeScope, fact: Fact, now: Time) -> Write {
    let resource = Resource::Freezes(scope.clone());
    audit(&mut calendar.audit, resource, scope.team().cloned(), fact, now)
}
