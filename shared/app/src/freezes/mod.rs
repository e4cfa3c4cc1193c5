//! Change freezes (D7): windows in which no change begins, and the broken glass by which one begins all the same.

mod glass;
mod obey;

use muster_domain::audit::Resource;
use muster_domain::freeze::{FreezeCalendar, FreezeScope, FreezeWindow, NewWindow};
use muster_domain::ids::{FreezeId, TeamId};
use muster_domain::policy::{Action, Owner};
use muster_domain::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::json;

pub use self::glass::{ShownGlass, Which};
pub use self::obey::FreezeForecast;
pub(crate) use self::obey::freeze_keys;
use crate::load::audit;
use crate::once::Decided;
use crate::runbooks::{fact, refuse_faults};
use crate::table::{Key, Versioned, Write};
use crate::{App, Caller, Error};

/// A window as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownWindow {
    pub scope: FreezeScope,
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
        let scopes = [FreezeScope::Global].into_iter().chain(teams.into_iter().map(FreezeScope::Team));
        let keys: Vec<Key> = scopes.map(Key::Freezes).collect();
        let now = self.clock.now();
        let mut windows = Vec::new();
        for stored in self.read_all(&keys).await?.into_values() {
            let calendar: FreezeCalendar = stored.typed()?.value;
            let scope = calendar.scope;
            windows.extend(calendar.windows.into_iter().map(|window| shown(&scope, window, now)));
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
            let calendar = self.calendar(scope).await?;
            self.decide_freeze(caller, calendar, new)
        };
        Ok(self.once(caller, decide).await?.into_reply())
    }

    fn decide_freeze(
        &self,
        caller: &Caller,
        (mut calendar, version): (FreezeCalendar, Option<u64>),
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
        calendar.add(window.clone(), now).map_err(|full| Error::Conflict(full.to_string()))?;
        let fact = fact("freeze.added", user, json!({"window": window}));
        let reply = shown(&calendar.scope, window, now);
        Ok(Decided { reply, writes: written(calendar, version, fact, now) })
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
            let (mut calendar, version) = self.calendar(scope).await?;
            let now = self.clock.now();
            let missing = || Error::NotFound { kind: "freeze", id: format!("{id} of {scope}") };
            let window = calendar.remove(id, now).ok_or_else(missing)?;
            let fact = fact("freeze.removed", &caller.principal.user, json!({"window": window}));
            Ok(Decided { reply: (), writes: written(calendar, version, fact, now) })
        };
        self.once(caller, decide).await?;
        Ok(())
    }

    /// The calendar of a scope, empty if there is none yet, and the version that was read.
    async fn calendar(&self, scope: &FreezeScope) -> Result<(FreezeCalendar, Option<u64>), Error> {
        let stored = self.table.get(&Key::Freezes(scope.clone())).await?;
        let stored: Option<Versioned<FreezeCalendar>> = stored.map(|stored| stored.typed()).transpose()?;
        let empty = || (FreezeCalendar::empty(scope.clone()), None);
        Ok(stored.map_or_else(empty, |seen| (seen.value, Some(seen.version))))
    }
}

fn owner(scope: &FreezeScope) -> Owner {
    Owner::from(scope.team().cloned())
}

fn shown(scope: &FreezeScope, window: FreezeWindow, now: Time) -> ShownWindow {
    ShownWindow { scope: scope.clone(), active: window.is_in_force(now), window }
}

/// The writes of a changed calendar, its audit entry among them.
fn written(
    mut calendar: FreezeCalendar,
    version: Option<u64>,
    fact: muster_domain::audit::Fact,
    now: Time,
) -> Vec<Write> {
    let (resource, team) = (Resource::Freezes(calendar.scope.clone()), calendar.scope.team().cloned());
    let entry = audit(&mut calendar.audit, resource, team, fact, now);
    let write = match version {
        None => Write::create(calendar),
        Some(version) => Write::replace(calendar, version),
    };
    vec![write, entry]
}
