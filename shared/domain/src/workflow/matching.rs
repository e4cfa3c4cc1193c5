//! Whether an event starts a workflow, and why (C3, C4, C5).

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::condition::holds;
use super::{Condition, Trigger, TriggerKind, Workflow};
use crate::ids::{TeamId, WorkflowId};
use crate::incident::{IncidentEvent, IncidentEventKind, IncidentFacts};
use crate::presence::given;
use crate::time::Time;

/// The longest chain of workflows that may still start another.
pub const MAX_CHAIN: usize = 3;

/// The longest value, in bytes of JSON, that a decision shows as it was seen.
const MAX_SHOWN_BYTES: usize = 256;

/// What matching needs of a workflow.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Candidate<'w> {
    pub id: &'w WorkflowId,
    pub version: u32,
    pub enabled: bool,
    pub team: Option<&'w TeamId>,
    pub trigger: &'w Trigger,
}

/// What became of one event and one candidate, with the predicates that were asked, in their order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MatchDecision {
    pub outcome: MatchOutcome,
    pub reasons: Vec<Predicate>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum MatchOutcome {
    /// It starts.
    Matched,
    NotMatched,
    /// It would start, but the event comes of too many workflows, or of this very one (C5).
    RefusedByLoopGuard,
    /// It would start, but too many of its executions started within a minute (H2).
    Suppressed,
    /// It would have started, but that was noticed too late (G4).
    Misfired,
    /// It matches and can never start, as when its version cannot be read. That is final: another delivery changes nothing.
    CouldNotStart,
}

/// One thing that was asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Predicate {
    /// `enabled`, `team`, `kind`, `transition`, `incident.<field>`, `chain`, `depth`, `open` or `age`; `starts` for the storm cap,
    /// `lateness` for the misfire window and `start` for what made a start impossible.
    pub name: Cow<'static, str>,
    pub expected: Value,
    /// Absent: there was nothing. A long text is cut, and what else is large is only described.
    #[serde(default, deserialize_with = "given", skip_serializing_if = "Option::is_none")]
    pub seen: Option<Value>,
    pub holds: bool,
}

/// Decides in the order of enabled, team, kind, transition; the first of them that says no is the last that is asked.
/// Then all conditions are asked, and if they hold, the loop guard.
pub fn evaluate(candidate: &Candidate<'_>, event: &IncidentEvent) -> MatchDecision {
    let facts = &event.snapshot;
    let mut reasons = ask(&[
        &|| Some(enabled(candidate)),
        &|| Some(of_team(candidate, facts)),
        &|| Some(of_kind(candidate, event)),
        &|| transition(candidate, event),
    ]);
    ask_conditions(candidate, facts, &mut reasons);
    if !all_hold(&reasons) {
        return MatchDecision { outcome: MatchOutcome::NotMatched, reasons };
    }
    reasons.extend([not_in_chain(candidate, event), shallow(event)]);
    let outcome = if all_hold(&reasons) { MatchOutcome::Matched } else { MatchOutcome::RefusedByLoopGuard };
    MatchDecision { outcome, reasons }
}

/// The same for an age trigger, which no event sets off but the time: the incident is open and old enough (C10).
pub fn evaluate_age(candidate: &Candidate<'_>, incident: &IncidentFacts, now: Time) -> MatchDecision {
    let mut reasons = ask(&[
        &|| Some(enabled(candidate)),
        &|| Some(of_team(candidate, incident)),
        &|| Some(old_enough(candidate, incident, now)),
        &|| Some(open(incident)),
    ]);
    ask_conditions(candidate, incident, &mut reasons);
    let outcome = if all_hold(&reasons) { MatchOutcome::Matched } else { MatchOutcome::NotMatched };
    MatchDecision { outcome, reasons }
}

impl MatchDecision {
    pub fn matched(&self) -> bool {
        self.outcome == MatchOutcome::Matched
    }
}

impl<'w> From<&'w Workflow> for Candidate<'w> {
    /// A deleted workflow counts as disabled.
    fn from(workflow: &'w Workflow) -> Self {
        Self {
            id: &workflow.id,
            version: workflow.version,
            enabled: workflow.enabled && workflow.deleted_at.is_none(),
            team: workflow.team.as_ref(),
            trigger: &workflow.trigger,
        }
    }
}

/// Asks until something says no; what is not asked costs nothing.
fn ask(questions: &[&dyn Fn() -> Option<Predicate>]) -> Vec<Predicate> {
    let mut reasons = Vec::with_capacity(questions.len());
    for predicate in questions.iter().filter_map(|question| question()) {
        let holds = predicate.holds;
        reasons.push(predicate);
        if !holds {
            break;
        }
    }
    reasons
}

/// All of them, so that a person sees at once every condition that says no.
fn ask_conditions(candidate: &Candidate<'_>, facts: &IncidentFacts, reasons: &mut Vec<Predicate>) {
    if all_hold(reasons) {
        reasons.extend(candidate.trigger.conditions().iter().map(|asked| condition(asked, facts)));
    }
}

fn all_hold(reasons: &[Predicate]) -> bool {
    reasons.iter().all(|predicate| predicate.holds)
}

fn enabled(candidate: &Candidate<'_>) -> Predicate {
    Predicate::of("enabled", Value::Bool(true), Some(Value::Bool(candidate.enabled)), candidate.enabled)
}

/// A global workflow sees the incidents of every team, a team's workflow its own.
fn of_team(candidate: &Candidate<'_>, facts: &IncidentFacts) -> Predicate {
    let name = |team: &TeamId| Value::from(team.as_str());
    let holds = candidate.team.is_none() || candidate.team == facts.team_id.as_ref();
    let expected = candidate.team.map_or_else(|| "any".into(), name);
    Predicate::of("team", expected, facts.team_id.as_ref().map(name), holds)
}

fn of_kind(candidate: &Candidate<'_>, event: &IncidentEvent) -> Predicate {
    let wanted = candidate.trigger.kind();
    let seen = TriggerKind::of_event(&event.kind);
    let shown = seen.map_or(event.detail_type(), TriggerKind::as_str);
    Predicate::of("kind", wanted.as_str().into(), Some(shown.into()), seen == Some(wanted))
}

/// `None` for triggers that ask for no transition.
fn transition(candidate: &Candidate<'_>, event: &IncidentEvent) -> Option<Predicate> {
    let (
        Trigger::StateChanged { state_transition: wanted, .. },
        IncidentEventKind::StateChanged { from, to },
    ) = (candidate.trigger, &event.kind)
    else {
        return None;
    };
    let holds = wanted.to == *to && wanted.from.is_none_or(|wanted| wanted == *from);
    let expected = match wanted.from {
        Some(wanted_from) => json!({"from": wanted_from, "to": wanted.to}),
        None => json!({"to": wanted.to}),
    };
    Some(Predicate::of("transition", expected, Some(json!({"from": from, "to": to})), holds))
}

fn condition(condition: &Condition, facts: &IncidentFacts) -> Predicate {
    let seen = facts.find(&condition.field);
    let holds = holds(seen.as_deref(), &condition.value);
    let name = format!("incident.{}", condition.field);
    Predicate {
        name: name.into(),
        expected: condition.value.clone(),
        seen: seen.as_deref().map(shown),
        holds,
    }
}

fn not_in_chain(candidate: &Candidate<'_>, event: &IncidentEvent) -> Predicate {
    let holds = !event.chain.contains(candidate.id);
    let seen = if holds { "not in the chain" } else { "already in the chain" };
    Predicate::of("chain", "not in the chain".into(), Some(seen.into()), holds)
}

fn shallow(event: &IncidentEvent) -> Predicate {
    let length = event.chain.len();
    let expected = format!("a chain shorter than {MAX_CHAIN}");
    Predicate::of("depth", expected.into(), Some(length.into()), length < MAX_CHAIN)
}

fn open(incident: &IncidentFacts) -> Predicate {
    let seen = incident.status.as_str().into();
    Predicate::of("open", "OPEN or ACKNOWLEDGED".into(), Some(seen), incident.status.is_open())
}

/// In whole minutes. A trigger of another kind is never old enough.
fn old_enough(candidate: &Candidate<'_>, incident: &IncidentFacts, now: Time) -> Predicate {
    let minutes = now.since(incident.created_at).as_secs() / 60;
    match candidate.trigger {
        Trigger::Age { age_threshold_minutes: least, .. } => {
            let holds = minutes >= u64::from(*least);
            Predicate::of("age", format!("{least} minutes or more").into(), Some(minutes.into()), holds)
        }
        Trigger::IncidentCreated { .. }
        | Trigger::StateChanged { .. }
        | Trigger::Escalation { .. }
        | Trigger::Manual { .. } => {
            let kind = candidate.trigger.kind().as_str().into();
            Predicate::of("kind", TriggerKind::Age.as_str().into(), Some(kind), false)
        }
    }
}

impl Predicate {
    fn of(name: &'static str, expected: Value, seen: Option<Value>, holds: bool) -> Self {
        Self { name: Cow::Borrowed(name), expected, seen, holds }
    }

    /// About how many bytes of JSON it is: with 45 for the names of its members and the marks between them.
    pub(super) fn weight(&self) -> usize {
        45 + self.name.len() + weight(&self.expected) + self.seen.as_ref().map_or(0, weight)
    }
}

/// About how many bytes of JSON a value is, with no character escaped.
fn weight(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => 5,
        Value::String(text) => text.len() + 2,
        Value::Array(elements) => elements.iter().map(|element| weight(element) + 1).sum::<usize>() + 2,
        Value::Object(members) => {
            members.iter().map(|(name, value)| name.len() + 4 + weight(value)).sum::<usize>() + 2
        }
    }
}

/// A value as a decision shows it: short, whatever an incident holds.
fn shown(value: &Value) -> Value {
    let cut = |text: &str| text.chars().take(MAX_SHOWN_BYTES / 4).chain(['…']).collect::<String>();
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
        Value::String(text) if text.len() <= MAX_SHOWN_BYTES => value.clone(),
        Value::String(text) => cut(text).into(),
        Value::Array(_) | Value::Object(_) => {
            let json = value.to_string();
            if json.len() <= MAX_SHOWN_BYTES { value.clone() } else { cut(&json).into() }
        }
    }
}
