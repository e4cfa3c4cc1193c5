//! One calendar of freezes for each scope: its windows, those that ended not long ago included.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::audit::ChainHead;
use crate::fault::{Fault, check_length};
use crate::ids::{FreezeId, InvalidId, TeamId, UserId};
use crate::time::Time;

/// The windows of one scope. A scope without a calendar is never frozen.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct FreezeCalendar {
    /// In the order in which they were set; they may overlap.
    pub windows: Vec<FreezeWindow>,
    pub audit: ChainHead,
}

/// Whose changes a calendar freezes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum FreezeScope {
    /// Everybody's.
    Global,
    /// Those of a team's runbooks, and of global ones for a team's incident.
    Team(TeamId),
}

/// A time in which no change begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FreezeWindow {
    pub id: FreezeId,
    pub name: String,
    /// The first moment that is frozen.
    pub from: Time,
    /// The first moment that is not frozen any more.
    pub until: Time,
    pub reason: String,
    pub set_by: UserId,
    pub set_at: Time,
}

/// What a person asks to freeze.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewWindow {
    pub name: String,
    /// `None`: at once.
    pub from: Option<Time>,
    pub until: Time,
    pub reason: String,
}

/// A calendar takes no more windows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the calendar has {MAX_WINDOWS} windows; remove some first")]
pub struct CalendarFull;

/// The most windows of one scope, those that ended not long ago included.
pub const MAX_WINDOWS: usize = 100;
/// The longest that one window may last.
const LONGEST_WINDOW: Duration = Duration::from_hours(90 * 24);
/// How long a window that has ended is shown; after that the next change of the calendar drops it.
pub const WINDOW_MEMORY: Duration = Duration::from_hours(90 * 24);

impl FreezeCalendar {
    pub fn add(&mut self, window: FreezeWindow, now: Time) -> Result<(), CalendarFull> {
        self.forget(now);
        if self.windows.len() >= MAX_WINDOWS {
            return Err(CalendarFull);
        }
        self.windows.push(window);
        Ok(())
    }

    /// Takes a window out, and says which it was; `None`: there is none of that id.
    pub fn remove(&mut self, id: &FreezeId, now: Time) -> Option<FreezeWindow> {
        let place = self.windows.iter().position(|window| window.id == *id)?;
        let removed = self.windows.remove(place);
        self.forget(now);
        Some(removed)
    }

    fn forget(&mut self, now: Time) {
        self.windows.retain(|window| window.until.plus(WINDOW_MEMORY) > now);
    }
}

impl FreezeWindow {
    pub fn is_in_force(&self, now: Time) -> bool {
        self.from <= now && now < self.until
    }
}

impl NewWindow {
    pub fn faults(&self, now: Time) -> Vec<Fault> {
        let mut faults = Vec::new();
        check_length("/name", self.name.trim(), 1, 100, &mut faults);
        check_length("/reason", self.reason.trim(), 1, 500, &mut faults);
        let from = self.from.unwrap_or(now);
        if self.until <= from {
            faults.push(Fault::new("/until", "is not after `from`"));
        } else if self.until <= now {
            faults.push(Fault::new("/until", "has passed already"));
        } else if self.until.since(from) > LONGEST_WINDOW {
            faults.push(Fault::new("/until", "is more than 90 days after `from`; set several windows"));
        }
        faults
    }
}

impl FreezeScope {
    pub const fn team(&self) -> Option<&TeamId> {
        match self {
            Self::Global => None,
            Self::Team(team) => Some(team),
        }
    }
}

impl fmt::Display for FreezeScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Global => f.write_str("global"),
            Self::Team(id) => write!(f, "team:{id}"),
        }
    }
}

impl FromStr for FreezeScope {
    type Err = InvalidId;

    fn from_str(text: &str) -> Result<Self, InvalidId> {
        let expected = InvalidId { expected: "`global` or `team:<teamId>`" };
        match text.strip_prefix("team:") {
            None if text == "global" => Ok(Self::Global),
            Some(id) => id.parse().map(Self::Team).map_err(|_| expected),
            None => Err(expected),
        }
    }
}

impl TryFrom<String> for FreezeScope {
    type Error = InvalidId;

    fn try_from(text: String) -> Result<Self, InvalidId> {
        text.parse()
    }
}

impl From<FreezeScope> for String {
    fn from(scope: FreezeScope) -> Self {
        scope.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_millis(1_772_366_400_000);
    const HOUR: Duration = Duration::from_hours(1);

    fn window(number: u128, from: Time, until: Time) -> FreezeWindow {
        FreezeWindow {
            id: FreezeId::new(NOW, number),
            name: "Sale".into(),
            from,
            until,
            reason: "the shop must stand".into(),
            set_by: "ann".parse().expect("valid"),
            set_at: NOW,
        }
    }

    #[test]
    fn a_window_holds_its_first_moment_and_not_its_last() {
        let window = window(1, NOW, NOW.plus(HOUR));
        let in_force = |millis: i64| window.is_in_force(Time::from_millis(NOW.millis() + millis));
        assert_eq!([-1, 0, 3_599_999, 3_600_000].map(in_force), [false, true, true, false]);
    }

    fn check(from: Option<Time>, until: Time, expected: &[&str]) {
        let new = NewWindow { name: "Sale".into(), from, until, reason: "because".into() };
        let pointers: Vec<String> = new.faults(NOW).into_iter().map(|fault| fault.message).collect();
        assert_eq!(pointers, expected, "{from:?} {until:?}");
    }

    #[test]
    fn what_cannot_be_a_window_is_refused() {
        let days = |days: u64| NOW.plus(HOUR * 24 * u32::try_from(days).expect("small"));
        check(None, NOW.plus(HOUR), &[]);
        check(Some(days(1)), days(91), &[]);
        check(Some(NOW.minus(HOUR)), NOW.plus(HOUR), &[]);
        check(None, NOW, &["is not after `from`"]);
        check(Some(days(2)), days(1), &["is not after `from`"]);
        check(Some(NOW.minus(HOUR)), NOW, &["has passed already"]);
        check(
            Some(days(1)),
            days(91).plus(Duration::from_millis(1)),
            &["is more than 90 days after `from`; set several windows"],
        );
    }

    #[test]
    fn a_window_needs_a_name_and_a_reason() {
        let long = "x".repeat(501);
        for (name, reason, faults) in [("", " ", 2), ("Sale", &long, 1), ("a\u{7}b", "because", 1)] {
            let new =
                NewWindow { name: name.into(), from: None, until: NOW.plus(HOUR), reason: reason.into() };
            assert_eq!(new.faults(NOW).len(), faults, "{name:?}");
        }
    }

    #[test]
    fn a_full_calendar_forgets_what_ended_long_ago_and_nothing_else() {
        let mut calendar = FreezeCalendar::default();
        for number in 0..100 {
            calendar.add(window(number, NOW, NOW.plus(HOUR)), NOW).expect("has room");
        }
        let more = window(100, NOW, NOW.plus(HOUR));
        let just_before = NOW.plus(HOUR).plus(WINDOW_MEMORY).minus(Duration::from_millis(1));
        assert_eq!(calendar.add(more.clone(), just_before), Err(CalendarFull));
        assert_eq!(calendar.add(more, NOW.plus(HOUR).plus(WINDOW_MEMORY)), Ok(()));
        assert_eq!(calendar.windows.len(), 1);
    }

    #[test]
    fn a_scope_is_global_or_a_team() {
        for text in ["global", "team:ops"] {
            assert_eq!(text.parse::<FreezeScope>().map(String::from), Ok(text.to_owned()));
        }
        for text in ["", "team:", "team:a b", "Global", "runbook:rb_1"] {
            assert!(text.parse::<FreezeScope>().is_err(), "{text}");
        }
    }
}
