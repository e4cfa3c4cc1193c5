//! What a workflow would have done with the events of the last days; nothing is changed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use muster_domain::fault::Fault;
use muster_domain::ids::{IncidentId, TeamId, WorkflowId};
use muster_domain::incident::{Incident, IncidentEvent, IncidentEventKind};
use muster_domain::policy::{Action, Owner};
use muster_domain::time::Time;
use muster_domain::workflow::matching::evaluate_age;
use muster_domain::workflow::{Candidate, MatchOutcome, Trigger, WorkflowDefinition, evaluate};
use serde::{Deserialize, Serialize};

use crate::once::Decided;
use crate::runbooks::refuse_faults;
use crate::table::{Order, PageRequest, Query};
use crate::{App, Caller, Error};

/// The most days that are replayed.
pub const MAX_BACKTEST_DAYS: u32 = 30;
/// The most events that are replayed, the newest first.
pub const MAX_BACKTEST_EVENTS: usize = 5_000;
/// The most starts that an answer names.
const MAX_STARTS: usize = 100;
/// The most pages of incidents that are searched for teams.
const MAX_TEAM_PAGES: usize = 10;
const DAY_MILLIS: i64 = 24 * 60 * 60 * 1_000;

#[derive(Debug, Clone, PartialEq)]
pub struct BacktestRequest {
    /// 1 to 30, today included.
    pub days: u32,
    /// Absent: the newest version.
    pub definition: Option<WorkflowDefinition>,
}

/// What would have happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Backtest {
    /// How many events were replayed.
    pub events: usize,
    /// How many of them, or for an age trigger how many incidents, came to what.
    pub outcomes: BTreeMap<MatchOutcome, usize>,
    /// The newest first, at most 100.
    pub starts: Vec<WouldHaveStarted>,
    /// What was left out, if not all could be replayed.
    pub cut: Option<String>,
}

/// One execution that would have started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WouldHaveStarted {
    /// The key of the event; for an age trigger, of the incident's last event before.
    pub event: String,
    pub incident: IncidentId,
    pub title: String,
    pub at: Time,
}

impl App {
    /// Replays the events of the workflow's team that the caller may read; for a global workflow, of all teams.
    pub async fn backtest_workflow(
        &self,
        caller: &Caller,
        id: &WorkflowId,
        request: &BacktestRequest,
    ) -> Result<Backtest, Error> {
        refuse_faults(request_faults(request))?;
        let decide = async || {
            let head = self.load_workflow(id).await?.value;
            caller.principal.may(Action::Read, &Owner::from(head.team.clone()))?;
            let definition = match &request.definition {
                Some(draft) if draft.team_id != head.team => return Err(of_another_team()),
                Some(draft) => draft.clone(),
                None => self.load_workflow_version(id, head.version).await?.definition,
            };
            let history = self.history(caller, head.team, request.days).await?;
            Ok(Decided { reply: replay(id, &definition, &history, self.clock.now()), writes: Vec::new() })
        };
        Ok(self.once(caller, decide).await?.into_reply())
    }

    async fn history(&self, caller: &Caller, team: Option<TeamId>, days: u32) -> Result<History, Error> {
        let (teams, mut cut) = match team {
            Some(team) => (BTreeSet::from([Some(team)]), None),
            None => self.readable_teams(caller).await?,
        };
        let mut events = Vec::new();
        let mut day = self.clock.now();
        for _ in 0..days {
            for team in &teams {
                self.read_day(team.as_ref(), day, &mut events).await?;
            }
            if events.len() > MAX_BACKTEST_EVENTS {
                break;
            }
            day = Time::from_millis(day.millis().saturating_sub(DAY_MILLIS));
        }
        events.sort_by_key(|event: &IncidentEvent| (event.at, event.idempotency_key()));
        let spare = events.len().saturating_sub(MAX_BACKTEST_EVENTS);
        events.drain(..spare);
        if let Some(oldest) = events.first().filter(|_| spare > 0) {
            cut = Some(format!(
                "Only the newest {MAX_BACKTEST_EVENTS} events were replayed, from {} on",
                oldest.at
            ));
        }
        Ok(History { events, cut })
    }

    /// The newest events of one UTC day, no more than may be replayed in all.
    async fn read_day(
        &self,
        team: Option<&TeamId>,
        day: Time,
        events: &mut Vec<IncidentEvent>,
    ) -> Result<(), Error> {
        let day: String = day.to_string().chars().take("2026-03-01".len()).collect();
        let query = Query::EventsOfDay { team: team.cloned(), day };
        let mut after = None;
        loop {
            let request = PageRequest { limit: 100, order: Order::Descending, after };
            let page = self.table.query(&query, &request).await?;
            let read =
                page.records.into_iter().filter_map(|stored| IncidentEvent::try_from(stored.record).ok());
            events.extend(read);
            after = page.next;
            if after.is_none() || events.len() > MAX_BACKTEST_EVENTS {
                return Ok(());
            }
        }
    }

    /// The teams of the newest incidents that the caller may read, and those without a team.
    async fn readable_teams(
        &self,
        caller: &Caller,
    ) -> Result<(BTreeSet<Option<TeamId>>, Option<String>), Error> {
        let (mut teams, mut after) = (BTreeSet::from([None]), None);
        for _ in 0..MAX_TEAM_PAGES {
            let request = PageRequest { limit: 100, order: Order::Descending, after };
            let page = self.table.query(&Query::Incidents, &request).await?;
            let incidents =
                page.records.into_iter().filter_map(|stored| Incident::try_from(stored.record).ok());
            let readable = |incident: &Incident| {
                caller.principal.may(Action::Read, &Owner::from(incident.team.clone())).is_ok()
            };
            teams.extend(incidents.filter(readable).map(|incident| incident.team));
            after = page.next;
            if after.is_none() {
                return Ok((teams, None));
            }
        }
        let cut = "Only the teams of the newest 1,000 incidents were replayed";
        Ok((teams, Some(cut.into())))
    }
}

/// Events, oldest first.
struct History {
    events: Vec<IncidentEvent>,
    /// What was left out.
    cut: Option<String>,
}

fn request_faults(request: &BacktestRequest) -> Vec<Fault> {
    let mut faults = Vec::new();
    if !(1..=MAX_BACKTEST_DAYS).contains(&request.days) {
        faults.push(Fault::new("/days", format!("must be 1 to {MAX_BACKTEST_DAYS}")));
    }
    let of_draft = request.definition.iter().flat_map(WorkflowDefinition::faults);
    faults.extend(of_draft.map(|fault| fault.under("/definition")));
    faults
}

fn of_another_team() -> Error {
    let message = "must be the workflow's team, whose events are replayed";
    Error::Invalid(vec![Fault::new("/definition/teamId", message)])
}

fn replay(id: &WorkflowId, definition: &WorkflowDefinition, history: &History, now: Time) -> Backtest {
    let candidate = Candidate {
        id,
        version: 0,
        enabled: true,
        team: definition.team_id.as_ref(),
        trigger: &definition.trigger,
    };
    let judged = match &definition.trigger {
        Trigger::Age { age_threshold_minutes, .. } => {
            let threshold = Duration::from_secs(u64::from(*age_threshold_minutes) * 60);
            by_age(&candidate, &history.events, threshold, now)
        }
        Trigger::IncidentCreated { .. }
        | Trigger::StateChanged { .. }
        | Trigger::Escalation { .. }
        | Trigger::Manual { .. } => by_event(&candidate, &history.events),
    };
    let (outcomes, starts) = capped(judged, definition.settings.max_starts_per_minute);
    Backtest { events: history.events.len(), outcomes, starts, cut: history.cut.clone() }
}

/// What was judged, when, and how.
type Judged<'e> = Vec<(&'e IncidentEvent, Time, MatchOutcome)>;

fn by_event<'e>(candidate: &Candidate<'_>, events: &'e [IncidentEvent]) -> Judged<'e> {
    events.iter().map(|event| (event, event.at, evaluate(candidate, event).outcome)).collect()
}

/// Each incident that was created within the history and became old enough, as it was at that moment.
fn by_age<'e>(
    candidate: &Candidate<'_>,
    events: &'e [IncidentEvent],
    threshold: Duration,
    now: Time,
) -> Judged<'e> {
    let mut last: BTreeMap<&IncidentId, (&IncidentEvent, Time)> = BTreeMap::new();
    for event in events {
        let created = event.kind == IncidentEventKind::Created;
        let due = event.snapshot.created_at.plus(threshold);
        if due <= now && event.at <= due && (created || last.contains_key(&event.incident)) {
            last.insert(&event.incident, (event, due));
        }
    }
    let judge = |(event, due): (&'e IncidentEvent, Time)| {
        (event, due, evaluate_age(candidate, &event.snapshot, due).outcome)
    };
    let mut judged: Judged<'e> = last.into_values().map(judge).collect();
    judged.sort_by_key(|(_, at, _)| *at);
    judged
}

/// Counts what came of it, with the storm cap applied as it would have been, and names the newest starts (H2).
fn capped(judged: Judged<'_>, cap: u32) -> (BTreeMap<MatchOutcome, usize>, Vec<WouldHaveStarted>) {
    let (mut outcomes, mut starts) = (BTreeMap::new(), Vec::new());
    let mut per_minute: BTreeMap<i64, u32> = BTreeMap::new();
    for (event, at, outcome) in judged {
        let mut outcome = outcome;
        if outcome == MatchOutcome::Matched {
            let count = per_minute.entry(at.millis() / 60_000).or_default();
            *count += 1;
            if *count > cap {
                outcome = MatchOutcome::Suppressed;
            } else {
                starts.push(started(event, at));
            }
        }
        *outcomes.entry(outcome).or_default() += 1;
    }
    starts.reverse();
    starts.truncate(MAX_STARTS);
    (outcomes, starts)
}

fn started(event: &IncidentEvent, at: Time) -> WouldHaveStarted {
    WouldHaveStarted {
        event: event.idempotency_key(),
        incident: event.incident.clone(),
        title: event.snapshot.title.clone(),
        at,
    }
}
