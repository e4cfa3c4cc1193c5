//! The execution's machine: every state × every event, and properties over random histories.

mod anomaly;
mod flow;
mod properties;
mod random_plans;
mod search;
mod table;
mod turns;

mod void_gates;
mod workflow;

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;

use super::decide::{Next, Prepared};
use super::*;
use crate::outcome::Outcome;
use crate::plan::{Plan, Step, StepKind};
use crate::render::{context, name_step, render};
use crate::time::Time;
use crate::workflow::condition;

/// A lease of this length is taken by every claim of these tests.
const LEASE: Duration = Duration::from_secs(60);

fn plan(idempotent: bool) -> Plan {
    let definition = json!({
        "name": "Restart", "webhookUrl": "https://ops.example/restart", "idempotent": idempotent,
        "payloadTemplate": {"service": "{{params.service}}"},
    });
    Plan::compile(&serde_json::from_value(definition).expect("parses")).expect("compiles")
}

pub(crate) fn accepted(at: Time) -> Execution {
    let id = ExecutionId::new(at, 1);
    let mut trail = Trail::new(id.as_str());
    trail.push(TrailEvent::Accepted { by: user("ann") }, at);
    Execution {
        pinned: Pinned::Runbook(PinnedRunbook {
            id: RunbookId::new(at, 2),
            name: "Restart".into(),
            version: 1,
            digest: Digest::of_bytes(b""),
        }),
        team: None,
        requested_by: user("ann"),
        incident: None,
        parent: None,
        chain: Vec::new(),
        cause: None,
        parameters: json!({"service": "web"}).as_object().cloned().unwrap_or_default(),
        created_at: at,
        started_at: None,
        ended_at: None,
        state: State::Pending,
        epoch: 0,
        steps: BTreeMap::new(),
        due_at: Some(at.plus(Duration::from_secs(1))),
        stop: None,
        pause: None,
        paused_ms: 0,
        unwinding: None,
        undoes: None,
        risk: None,
        verdict: None,
        admission: Admission::default(),
        freeze_pass: None,
        norms: BTreeMap::new(),
        trail,
        audit: ChainHead::default(),
        id,
    }
}

pub(super) fn user(name: &str) -> UserId {
    name.parse().expect("valid")
}

fn step() -> StepId {
    "webhook".parse().expect("valid")
}

/// What a worker would bring along: the guard's answer and the rendered requests.
fn next(execution: &Execution, plan: &Plan, clearance: Result<(), String>, now: Time) -> Next {
    let mut context = context(execution, None, &BTreeMap::new());
    let mut prepared = |step: &Step| match &step.kind {
        StepKind::Webhook(call) => {
            name_step(&mut context, execution, step);
            Some(Prepared::Request(render(call, &context)))
        }
        StepKind::Condition { field, equals } => {
            Some(Prepared::Answer(condition::holds(condition::find(&context, field), equals)))
        }
        StepKind::Delay(_)
        | StepKind::Runbook(_)
        | StepKind::Check(_)
        | StepKind::Branch(_)
        | StepKind::Approval(_) => None,
    };
    let ready = ready_steps(execution, plan, now);
    let prepared = ready.into_iter().filter_map(|step| Some((step.id.clone(), prepared(step)?))).collect();
    Next { clearance, prepared, ..Next::nothing() }
}

fn claim(execution: &Execution, plan: &Plan, now: Time) -> Event {
    let lease = Lease { holder: "w1".into(), until: now.plus(LEASE) };
    Event::Claim { lease, next: next(execution, plan, Ok(()), now) }
}

fn attempted(execution: &Execution, outcome: Outcome) -> Event {
    let attempt = execution.steps.get(&step()).map_or(1, |run| run.attempts.len());
    Event::Attempted { step: step(), attempt, outcome }
}

fn answered(status: u16) -> Outcome {
    Outcome::Answered { status, retry_after_ms: None, body: String::new(), truncated: false }
}

fn unknown() -> Outcome {
    Outcome::Unknown { reason: "connection reset".into() }
}

fn moved(execution: &Execution, plan: &Plan, event: Event, now: Time) -> Moved {
    match decide(execution, plan, event.clone(), now) {
        Decision::Moved(moved) => *moved,
        other @ (Decision::AlreadyDone | Decision::Refused(_)) => panic!("{event:?}: {other:?}"),
    }
}

/// A cause in a word.
fn word(because: &SkipCause) -> String {
    match because {
        SkipCause::BranchNotTaken { condition } => condition.to_string(),
        SkipCause::NothingBefore => "nothing".into(),
        SkipCause::RuleNotMet { rule } => format!("not {rule}"),
        SkipCause::PassedBy { branch } => format!("past by {branch}"),
        SkipCause::AfterFailure { of } => format!("after {of}"),
        SkipCause::GroupDecided { group } => format!("{group} decided"),
        SkipCause::NotDemanded => "not demanded".into(),
        SkipCause::NothingDone => "nothing done".into(),
        SkipCause::LetBe { by, .. } => format!("let be by {by}"),
    }
}
