//! The storm cap: how many executions of a workflow events may start within a minute (INVARIANTS H2).

use std::borrow::Cow;
use std::time::Duration;

use muster_domain::time::Time;
use muster_domain::workflow::{MatchDecision, MatchOutcome, Predicate, Workflow};

use crate::table::{Expect, Starts, Versioned, Write};

/// How long a minute's count is kept: longer than the events of that minute keep coming.
const KEPT_FOR: Duration = Duration::from_hours(24);

/// Minutes since the epoch.
pub(super) fn minute_of(at: Time) -> u64 {
    u64::try_from(at.millis() / 60_000).unwrap_or(0)
}

/// The decision about a workflow that matches but has started too often; `None` if it may start.
pub(super) fn suppressed(
    workflow: &Workflow,
    starts: Option<&Versioned<Starts>>,
    decision: &MatchDecision,
) -> Option<MatchDecision> {
    let (count, cap) = (count(starts), workflow.settings.max_starts_per_minute);
    (count >= cap).then(|| {
        let mut reasons = decision.reasons.clone();
        reasons.push(Predicate {
            name: Cow::Borrowed("starts"),
            expected: format!("fewer than {cap} within the minute").into(),
            seen: Some(count.into()),
            holds: false,
        });
        MatchDecision { outcome: MatchOutcome::Suppressed, reasons }
    })
}

/// Counts one start more, if nobody else has counted since.
pub(super) fn counted(
    workflow: &Workflow,
    minute: u64,
    before: Option<&Versioned<Starts>>,
    now: Time,
) -> Write {
    let starts = Starts {
        workflow: workflow.id.clone(),
        minute,
        count: count(before).saturating_add(1),
        expires_at: now.plus(KEPT_FOR),
    };
    let expect = before.map_or(Expect::Absent, |before| Expect::Version(before.version));
    Write::Put { record: starts.into(), expect }
}

fn count(starts: Option<&Versioned<Starts>>) -> u32 {
    starts.map_or(0, |starts| starts.value.count)
}
