//! Breaking the glass: platform admins alone, each time for a reason, and another one reviews it.

use std::collections::BTreeSet;

use muster_domain::audit::Resource;
use muster_domain::freeze::{
    BreakGlass, BreakGlassLog, GlassRefusal, GlassReview, NewBreakGlass, note_faults,
};
use muster_domain::ids::BreakGlassId;
use muster_domain::policy::{Action, Denied, Owner};
use muster_domain::time::Time;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::load::audit;
use crate::once::Decided;
use crate::runbooks::{fact, refuse_faults};
use crate::table::{Key, Versioned, Write};
use crate::{App, Caller, Error};

/// A break-glass as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownGlass {
    pub glass: BreakGlass,
    /// Whether it lets changes begin at this moment.
    pub active: bool,
}

/// The log as it was read; no version: nobody has broken the glass yet.
type Seen = (BreakGlassLog, Option<u64>);

impl App {
    /// Lets changes of a scope begin in spite of freezes, for a short time.
    pub async fn break_glass(&self, caller: &Caller, new: &NewBreakGlass) -> Result<ShownGlass, Error> {
        caller.principal.may(Action::BreakGlass, &Owner::Global)?;
        refuse_faults(new.faults())?;
        let decide = async || self.decide_break(caller, new, self.glass_log().await?);
        Ok(self.once(caller, decide).await?.into_reply())
    }

    fn decide_break(
        &self,
        caller: &Caller,
        new: &NewBreakGlass,
        (mut log, version): Seen,
    ) -> Result<Decided<ShownGlass>, Error> {
        let now = self.clock.now();
        let glass = BreakGlass {
            id: BreakGlassId::new(now, Self::random()?),
            scope: new.scope.clone(),
            reason: new.reason.clone(),
            by: caller.principal.user.clone(),
            at: now,
            expires_at: now.plus(new.lasts),
            revoked: None,
            reviewed: None,
        };
        log.start(glass.clone()).map_err(refused)?;
        Ok(decided(caller, ("break_glass.started", glass), (log, version), now))
    }

    /// Everything that is remembered, or what waits for review; the newest first.
    pub async fn broken_glass(&self, caller: &Caller, which: Which) -> Result<Vec<ShownGlass>, Error> {
        caller.principal.may(Action::ReadAudit, &Owner::Global)?;
        let now = self.clock.now();
        let (log, _) = self.glass_log().await?;
        let wanted = log.glasses.into_iter().rev().filter(|glass| match which {
            Which::All => true,
            Which::Unreviewed => glass.reviewed.is_none(),
        });
        Ok(wanted.map(|glass| shown(glass, now)).collect())
    }

    /// Ends it before its time.
    pub async fn revoke_glass(&self, caller: &Caller, id: &BreakGlassId) -> Result<ShownGlass, Error> {
        caller.principal.may(Action::BreakGlass, &Owner::Global)?;
        let decide = async || {
            let (mut log, version) = self.glass_log().await?;
            let now = self.clock.now();
            let glass = log.revoke(id, &caller.principal.user, now).map_err(refused)?;
            Ok(decided(caller, ("break_glass.revoked", glass), (log, version), now))
        };
        Ok(self.once(caller, decide).await?.into_reply())
    }

    /// Notes what another platform admin found of it.
    pub async fn review_glass(
        &self,
        caller: &Caller,
        id: &BreakGlassId,
        note: &str,
    ) -> Result<ShownGlass, Error> {
        caller.principal.may(Action::BreakGlass, &Owner::Global)?;
        refuse_faults(note_faults(note))?;
        let decide = async || {
            let (mut log, version) = self.glass_log().await?;
            let now = self.clock.now();
            let by = caller.principal.user.clone();
            // Who broke the glass is known by other names through their own record as well as through the reviewer's.
            let names = log.glasses.iter().filter(|glass| glass.id == *id).map(|glass| glass.by.clone());
            let names: BTreeSet<_> = names.chain([by.clone()]).collect();
            let people = self.people(names).await?;
            let review = GlassReview { by, at: now, note: note.to_owned() };
            let glass = log.review(id, review, &people).map_err(refused)?;
            Ok(decided(caller, ("break_glass.reviewed", glass), (log, version), now))
        };
        Ok(self.once(caller, decide).await?.into_reply())
    }

    pub(super) async fn glass_log(&self) -> Result<Seen, Error> {
        let stored = self.table.get(&Key::BreakGlass).await?;
        let stored: Option<Versioned<BreakGlassLog>> = stored.map(|stored| stored.typed()).transpose()?;
        Ok(stored.map_or_else(Default::default, |seen| (seen.value, Some(seen.version))))
    }
}

/// Which of them a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    All,
    Unreviewed,
}

/// The writes of a changed log, its audit entry among them.
fn decided(
    caller: &Caller,
    (action, glass): (&'static str, BreakGlass),
    (mut log, version): Seen,
    now: Time,
) -> Decided<ShownGlass> {
    let fact = fact(action, &caller.principal.user, detail(&glass));
    let entry = audit(&mut log.audit, Resource::BreakGlass, None, fact, now);
    let write = Write::put(log, version);
    Decided { reply: shown(glass, now), writes: vec![write, entry] }
}

fn detail(glass: &BreakGlass) -> Value {
    json!({"breakGlass": glass})
}

fn shown(glass: BreakGlass, now: Time) -> ShownGlass {
    ShownGlass { active: glass.is_in_force(now), glass }
}

fn refused(refusal: GlassRefusal) -> Error {
    match refusal {
        GlassRefusal::Missing(id) => Error::NotFound { kind: "break-glass", id: id.to_string() },
        GlassRefusal::OwnWork(user) => Error::Forbidden(Denied::OwnGlass { user }),
        GlassRefusal::Over(_) | GlassRefusal::InForce(_) | GlassRefusal::Reviewed(_) | GlassRefusal::Full => {
            Error::Conflict(refusal.to_string())
        }
    }
}
