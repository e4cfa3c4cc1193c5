//! Breaking the glass: for a short time, and for a reason that another person looks at afterwards, changes begin in spite of a
//! freeze.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::approval::People;
use crate::audit::ChainHead;
use crate::control::Scope;
use crate::fault::{Fault, check_length};
use crate::ids::{BreakGlassId, UserId};
use crate::time::Time;

/// All that is remembered of broken glass, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct BreakGlassLog {
    pub glasses: Vec<BreakGlass>,
    pub audit: ChainHead,
}

/// One time that somebody broke the glass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BreakGlass {
    pub id: BreakGlassId,
    /// Whose changes it lets begin.
    pub scope: Scope,
    pub reason: String,
    pub by: UserId,
    pub at: Time,
    /// From this moment on it lets nothing begin.
    pub expires_at: Time,
    /// Ended before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked: Option<Revocation>,
    /// Absent: it waits for review.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reviewed: Option<GlassReview>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revocation {
    pub by: UserId,
    pub at: Time,
}

/// What another person found when they looked at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GlassReview {
    pub by: UserId,
    pub at: Time,
    pub note: String,
}

/// What a person asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewBreakGlass {
    pub scope: Scope,
    pub reason: String,
    pub lasts: Duration,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GlassRefusal {
    #[error("there is no break-glass {0}")]
    Missing(BreakGlassId),
    #[error("it is over since {0}")]
    Over(Time),
    #[error("it is in force until {0}; revoke it, or wait, and review it then")]
    InForce(Time),
    #[error("{0} broke the glass; another platform admin must review that")]
    OwnWork(UserId),
    #[error("{0} has reviewed it already")]
    Reviewed(UserId),
    #[error("{MAX_GLASSES} of them wait for review; review some first")]
    Full,
}

/// How long the glass is broken if nobody says.
pub const USUAL_GLASS: Duration = Duration::from_hours(1);
/// The longest that it may be.
pub const LONGEST_GLASS: Duration = Duration::from_hours(4);
/// The most that are remembered. The oldest that were reviewed make room.
pub const MAX_GLASSES: usize = 50;

impl BreakGlassLog {
    pub fn start(&mut self, glass: BreakGlass) -> Result<(), GlassRefusal> {
        if self.glasses.len() >= MAX_GLASSES {
            let reviewed = self.glasses.iter().position(|glass| glass.reviewed.is_some());
            self.glasses.remove(reviewed.ok_or(GlassRefusal::Full)?);
        }
        self.glasses.push(glass);
        Ok(())
    }

    /// Ends it before its time.
    pub fn revoke(&mut self, id: &BreakGlassId, by: &UserId, now: Time) -> Result<BreakGlass, GlassRefusal> {
        let glass = self.find(id)?;
        if !glass.is_in_force(now) {
            return Err(GlassRefusal::Over(glass.ends_at()));
        }
        glass.revoked = Some(Revocation { by: by.clone(), at: now });
        Ok(glass.clone())
    }

    /// Notes what another person found. Whoever broke the glass is refused, by whatever name.
    pub fn review(
        &mut self,
        id: &BreakGlassId,
        review: GlassReview,
        people: &People,
    ) -> Result<BreakGlass, GlassRefusal> {
        let glass = self.find(id)?;
        if people.same_person(&review.by, &glass.by) {
            return Err(GlassRefusal::OwnWork(glass.by.clone()));
        }
        if let Some(before) = &glass.reviewed {
            return Err(GlassRefusal::Reviewed(before.by.clone()));
        }
        if glass.is_in_force(review.at) {
            return Err(GlassRefusal::InForce(glass.ends_at()));
        }
        glass.reviewed = Some(review);
        Ok(glass.clone())
    }

    fn find(&mut self, id: &BreakGlassId) -> Result<&mut BreakGlass, GlassRefusal> {
        let found = self.glasses.iter_mut().find(|glass| glass.id == *id);
        found.ok_or_else(|| GlassRefusal::Missing(id.clone()))
    }
}

impl BreakGlass {
    pub fn is_in_force(&self, now: Time) -> bool {
        self.at <= now && now < self.ends_at()
    }

    pub fn ends_at(&self) -> Time {
        self.revoked.as_ref().map_or(self.expires_at, |revoked| revoked.at.min(self.expires_at))
    }
}

impl NewBreakGlass {
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        check_length("/reason", self.reason.trim(), 1, 500, &mut faults);
        if self.lasts < Duration::from_mins(1) || self.lasts > LONGEST_GLASS {
            let message =
                format!("is {} s; 60 to {} are allowed", self.lasts.as_secs(), LONGEST_GLASS.as_secs());
            faults.push(Fault::new("/durationSeconds", message));
        }
        faults
    }
}

/// What is wrong with the note of a review.
pub fn note_faults(note: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    check_length("/note", note.trim(), 1, 500, &mut faults);
    faults
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::approval::Person;

    const NOW: Time = Time::from_millis(1_772_366_400_000);
    const HOUR: Duration = Duration::from_hours(1);

    fn user(name: &str) -> UserId {
        name.parse().expect("valid")
    }

    fn id(number: u128) -> BreakGlassId {
        BreakGlassId::new(NOW, number)
    }

    fn glass(number: u128) -> BreakGlass {
        BreakGlass {
            id: id(number),
            scope: Scope::Global,
            reason: "the database is down".into(),
            by: user("bob"),
            at: NOW,
            expires_at: NOW.plus(HOUR),
            revoked: None,
            reviewed: None,
        }
    }

    fn review(by: &str, at: Time) -> GlassReview {
        GlassReview { by: user(by), at, note: "it was needed".into() }
    }

    fn log() -> BreakGlassLog {
        BreakGlassLog { glasses: vec![glass(1)], audit: ChainHead::default() }
    }

    #[test]
    fn it_holds_its_first_moment_and_not_its_last() {
        let in_force = |millis: i64| glass(1).is_in_force(Time::from_millis(NOW.millis() + millis));
        assert_eq!([-1, 0, 3_599_999, 3_600_000].map(in_force), [false, true, true, false]);
    }

    #[test]
    fn what_is_revoked_ends_at_once_and_only_once() {
        let mut log = log();
        let at = NOW.plus(HOUR / 2);
        let revoked = log.revoke(&id(1), &user("carol"), at).expect("in force");
        assert!(revoked.is_in_force(at.minus(Duration::from_millis(1))) && !revoked.is_in_force(at));
        assert_eq!(log.revoke(&id(1), &user("carol"), at), Err(GlassRefusal::Over(at)));
        assert_eq!(log.revoke(&id(2), &user("carol"), at), Err(GlassRefusal::Missing(id(2))));
        let expired = Err(GlassRefusal::Over(NOW.plus(HOUR)));
        assert_eq!(self::log().revoke(&id(1), &user("bob"), NOW.plus(HOUR)), expired);
    }

    #[test]
    fn another_person_reviews_it_once_and_when_it_is_over() {
        let (mut log, over) = (log(), NOW.plus(HOUR));
        let people = &People::of(&[Person {
            id: user("bob"),
            aliases: BTreeSet::from([user("bob2")]),
            set_by: user("ann"),
            created_at: NOW,
            updated_at: NOW,
            audit: ChainHead::default(),
        }]);
        for own in ["bob", "bob2"] {
            let refused = Err(GlassRefusal::OwnWork(user("bob")));
            assert_eq!(log.review(&id(1), review(own, over), people), refused, "{own}");
        }
        let early = log.review(&id(1), review("carol", over.minus(Duration::from_millis(1))), people);
        assert_eq!(early, Err(GlassRefusal::InForce(over)));
        assert!(log.review(&id(1), review("carol", over), people).is_ok());
        let again = log.review(&id(1), review("dave", over), people);
        assert_eq!(again, Err(GlassRefusal::Reviewed(user("carol"))));
    }

    #[test]
    fn a_full_log_forgets_the_oldest_that_was_reviewed_and_never_one_that_was_not() {
        let mut log = BreakGlassLog::default();
        for number in 0..50 {
            log.start(glass(number)).expect("has room");
        }
        assert_eq!(log.start(glass(50)), Err(GlassRefusal::Full));
        for number in [7, 3] {
            log.review(&id(number), review("carol", NOW.plus(HOUR)), &People::default()).expect("over");
        }
        assert_eq!(log.start(glass(50)), Ok(()));
        assert!(log.glasses.iter().all(|glass| glass.id != id(3)));
        assert!(log.glasses.iter().any(|glass| glass.id == id(7)));
        assert_eq!(log.glasses.len(), 50);
    }

    #[test]
    fn it_needs_a_reason_and_a_short_time() {
        for (reason, seconds, pointers) in [
            ("down", 60, vec![]),
            ("down", 4 * 3_600, vec![]),
            (" ", 59, vec!["/reason", "/durationSeconds"]),
            ("down", 4 * 3_600 + 1, vec!["/durationSeconds"]),
        ] {
            let lasts = Duration::from_secs(seconds);
            let new = NewBreakGlass { scope: Scope::Global, reason: reason.into(), lasts };
            let faults = new.faults();
            let seen: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
            assert_eq!(seen, pointers, "{reason:?} {seconds}");
        }
    }
}
