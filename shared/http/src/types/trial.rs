//! Running a workflow by hand, and trying what it would do.

use std::collections::BTreeMap;

use muster_app::workflows as app;
use muster_domain::ids::IncidentId;
use muster_domain::incident::IncidentEvent;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::moment::Moment;
use super::why::{MatchOutcome, Predicate};
use super::workflow::NewWorkflow;
use crate::problem::{InputError, Problem};

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RunWorkflow {
    /// The incident it is for: of the workflow's team, or of none.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    incident_id: Option<IncidentId>,
}

impl From<RunWorkflow> for app::RunRequest {
    fn from(run: RunWorkflow) -> Self {
        Self { incident: run.incident_id }
    }
}

/// A request that says all in its path.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NothingMore {}

/// Either of the two.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct TryWorkflow {
    /// An incident event as the bus carries it: the whole envelope, or its `detail` alone.
    #[serde(default)]
    event: Option<Map<String, Value>>,
    /// An incident as it is now, as though what the trigger waits for had just happened to it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    incident_id: Option<IncidentId>,
}

impl TryFrom<TryWorkflow> for app::Tried {
    type Error = Problem;

    fn try_from(tried: TryWorkflow) -> Result<Self, Problem> {
        match (tried.event, tried.incident_id) {
            (Some(event), None) => Ok(Self::Event(Box::new(read_event(event)?))),
            (None, Some(incident)) => Ok(Self::Incident(incident)),
            (Some(_), Some(_)) | (None, None) => {
                let message = "give either `event` or `incidentId`".to_owned();
                Err(Problem::invalid(vec![InputError::in_body(String::new(), message)]))
            }
        }
    }
}

/// An envelope has a `source`, a detail has `metadata`.
fn read_event(event: Map<String, Value>) -> Result<IncidentEvent, Problem> {
    let read = if event.contains_key("source") {
        IncidentEvent::try_from(Value::Object(event).to_string().as_bytes())
    } else {
        IncidentEvent::of_detail(&Value::Object(event))
    };
    read.map_err(|error| {
        let message = muster_app::error::chain(&error);
        Problem::invalid(vec![InputError::in_body("/event".into(), message)])
    })
}

/// What would become of an event. Nothing was changed.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trial {
    /// Whether every predicate holds, as though the workflow were enabled.
    matched: bool,
    outcome: MatchOutcome,
    /// What was asked, in this order.
    reasons: Vec<Predicate>,
    /// Whether an execution would start now.
    would_start: bool,
    /// What keeps a match from starting one.
    #[serde(skip_serializing_if = "Option::is_none")]
    obstacle: Option<String>,
}

impl From<app::Trial> for Trial {
    fn from(trial: app::Trial) -> Self {
        Self {
            matched: trial.decision.matched(),
            outcome: trial.decision.outcome.into(),
            would_start: trial.would_start(),
            obstacle: trial.obstacle,
            reasons: trial.decision.reasons.into_iter().map(Predicate::from).collect(),
        }
    }
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AskBacktest {
    /// How many UTC days are replayed, today included.
    #[schema(minimum = 1, maximum = 30)]
    days: u32,
    /// A draft to replay them against; absent: the newest version.
    #[serde(default)]
    definition: Option<NewWorkflow>,
}

impl From<AskBacktest> for app::BacktestRequest {
    fn from(ask: AskBacktest) -> Self {
        Self { days: ask.days, definition: ask.definition.map(Into::into) }
    }
}

/// What would have happened. Nothing was changed.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Backtest {
    /// How many events were replayed.
    events: usize,
    /// How many of them, or for an age trigger how many incidents, came to what.
    #[schema(value_type = BTreeMap<String, usize>)]
    outcomes: BTreeMap<MatchOutcome, usize>,
    /// The newest first, at most 100.
    starts: Vec<WouldHaveStarted>,
    /// What was left out, if not all could be replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    cut: Option<String>,
}

impl From<app::Backtest> for Backtest {
    fn from(backtest: app::Backtest) -> Self {
        let outcomes = backtest.outcomes.into_iter();
        Self {
            events: backtest.events,
            outcomes: outcomes.map(|(outcome, count)| (outcome.into(), count)).collect(),
            starts: backtest.starts.into_iter().map(WouldHaveStarted::from).collect(),
            cut: backtest.cut,
        }
    }
}

/// One execution that would have started.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct WouldHaveStarted {
    /// The event; for an age trigger, the incident's last one before.
    event: String,
    #[schema(value_type = String)]
    incident_id: IncidentId,
    title: String,
    at: Moment,
}

impl From<app::WouldHaveStarted> for WouldHaveStarted {
    fn from(start: app::WouldHaveStarted) -> Self {
        Self { event: start.event, incident_id: start.incident, title: start.title, at: start.at.into() }
    }
}
