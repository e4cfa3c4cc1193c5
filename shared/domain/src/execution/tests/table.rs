//! The printed table of the machine, held against `docs/STATE-MACHINES.md`.

use super::*;
use crate::execution::Refusal;
use crate::runbook::lifecycle::{LifecycleEvent, VersionStatus};

const T0: Time = Time::from_millis(1_000_000);

fn after(seconds: u64) -> Time {
    T0.plus(Duration::from_secs(seconds))
}

/// Each kind of state, reached by events, and the moment at which the table looks at it.
fn states(plan: &Plan) -> Vec<(&'static str, Execution, Time)> {
    let pending = accepted(T0);
    let running = moved(&pending, plan, claim(&pending, plan, T0), T0).to;
    let stopping = moved(&running, plan, cancel(), T0).to;
    let pause = || Event::Pause { by: user("bob"), reason: "wait".into() };
    let pausing = moved(&running, plan, pause(), T0).to;
    let waiting = moved(&running, plan, attempted(&running, answered(429)), after(1)).to;
    let succeeded = moved(&running, plan, attempted(&running, answered(200)), after(1)).to;
    let failed = moved(&running, plan, attempted(&running, answered(404)), after(1)).to;
    let cancelled = moved(&pending, plan, cancel(), T0).to;
    let paused = moved(&waiting, plan, pause(), after(1)).to;
    let mut states = vec![
        ("PENDING", pending, after(1)),
        ("RUNNING, call in flight", running.clone(), after(1)),
        ("RUNNING, stop requested", stopping, after(1)),
        ("RUNNING, pause requested", pausing, after(1)),
        ("RUNNING, lease lapsed", running.clone(), after(61)),
        ("WAITING, not due", waiting.clone(), after(1)),
        ("WAITING, due", waiting, after(5)),
        ("PAUSED", paused, after(5)),
    ];
    if !plan.steps[0].idempotent {
        let review = moved(&running, plan, attempted(&running, unknown()), after(1)).to;
        states.push(("NEEDS_REVIEW", review, after(2)));
    }
    states.extend([
        ("SUCCESS", succeeded, after(2)),
        ("FAILED", failed, after(2)),
        ("CANCELLED", cancelled, after(2)),
    ]);
    states
}

fn cancel() -> Event {
    Event::Stop { by: user("bob"), mode: StopMode::Kill, reason: "not needed".into() }
}

fn resolve(resolution: Resolution) -> Event {
    Event::Resolve { by: user("bob"), resolution, reason: "looked".into() }
}

fn events(execution: &Execution, plan: &Plan, now: Time) -> Vec<(&'static str, Event)> {
    let lease = Lease { holder: "w2".into(), until: now.plus(LEASE) };
    let stopped = Next { clearance: Err("Runbook is DEPRECATED, not APPROVED".into()), ..Next::nothing() };
    let go = next(execution, plan, Ok(()), now);
    vec![
        ("claim", claim(execution, plan, now)),
        ("claim, guard says no", Event::Claim { lease, next: stopped }),
        ("advance", Event::Advance { epoch: execution.epoch, next: go }),
        ("answered 200", attempted(execution, answered(200))),
        ("answered 404", attempted(execution, answered(404))),
        ("answered 503", attempted(execution, answered(503))),
        ("outcome unknown", attempted(execution, unknown())),
        ("yield", Event::Yield { epoch: execution.epoch }),
        ("overdue", Event::Overdue { grace: Duration::from_secs(1) }),
        ("orphaned", Event::Orphaned),
        ("pause", Event::Pause { by: user("bob"), reason: "wait".into() }),
        ("resume", Event::Resume { by: user("bob") }),
        ("abort", Event::Stop { by: user("bob"), mode: StopMode::Abort, reason: "wrong".into() }),
        ("cancel", cancel()),
        ("resolve: happened", resolve(Resolution::Happened)),
        ("resolve: resend", resolve(Resolution::Resend)),
        ("abandon", Event::Abandon { reason: "dead letter".into() }),
    ]
}

fn cell(decision: &Decision) -> String {
    match decision {
        Decision::AlreadyDone => "already done".into(),
        Decision::Refused(refusal) => format!("refused: {}", why(refusal)),
        Decision::Moved(moved) => {
            let effects = moved.effects.iter().map(effect_name);
            [vec![moved.to.status().to_string()], effects.collect()].concat().join(" + ")
        }
    }
}

fn why(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Leased(_) => "leased",
        Refusal::NotDue(_) => "not due",
        Refusal::AwaitsReview => "awaits review",
        Refusal::AwaitsChild => "awaits child",
        Refusal::AwaitsApproval => "awaits approval",
        Refusal::AwaitsCallback => "awaits callback",
        Refusal::AwaitsTurn => "awaits its turn",
        Refusal::AwaitsUndo => "awaits a person",
        Refusal::Paused => "paused",
        Refusal::StaleEpoch(_) => "stale epoch",
        Refusal::InFlight => "in flight",
        Refusal::UnknownAttempt => "no such attempt",
        Refusal::WrongState(_) => "wrong state",
    }
}

fn effect_name(effect: &Effect) -> String {
    match effect {
        Effect::Send { attempt, .. } => format!("send {attempt}"),
        Effect::Nudge { .. } => "nudge".into(),
        Effect::Wake { .. } => "wake another".into(),
        Effect::Notify { .. } => "notify".into(),
        Effect::Escalate { .. } => "escalate".into(),
        Effect::Ask { .. } => "ask".into(),
        Effect::Audit { action, .. } => format!("audit {}", action.trim_start_matches("execution.")),
    }
}

fn execution_table(plan: &Plan) -> String {
    let mut text = String::from("| state | event | becomes |\n|---|---|---|\n");
    for (name, execution, now) in states(plan) {
        for (event_name, event) in events(&execution, plan, now) {
            let becomes = cell(&decide(&execution, plan, event, now));
            text.push_str(&format!("| {name} | {event_name} | {becomes} |\n"));
        }
    }
    text
}

fn lifecycle_table() -> String {
    let mut text = String::from("| state | event | becomes |\n|---|---|---|\n");
    for status in VersionStatus::ALL {
        for (name, event) in [("approve", LifecycleEvent::Approve), ("deprecate", LifecycleEvent::Deprecate)]
        {
            let becomes =
                status.decide(event).map_or_else(|error| format!("refused: {error}"), |to| to.to_string());
            text.push_str(&format!("| {status} | {name} | {becomes} |\n"));
        }
    }
    text
}

/// The block of the document between the markers of this name.
fn documented<'d>(document: &'d str, name: &str) -> &'d str {
    let start = format!("<!-- table: {name} -->\n");
    let from = document.find(&start).map_or(document.len(), |at| at + start.len());
    let rest = &document[from..];
    &rest[..rest.find("<!-- end -->").unwrap_or(rest.len())]
}

/// Run with `MUSTER_BLESS=1` to write the tables into the document after a deliberate change.
#[test]
fn the_documented_state_tables_are_the_ones_the_code_decides() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/STATE-MACHINES.md");
    let mut document = std::fs::read_to_string(path).expect("the document is there");
    let tables = [
        ("execution", execution_table(&plan(true))),
        ("execution, not idempotent", execution_table(&plan(false))),
        ("lifecycle", lifecycle_table()),
        ("notification", crate::notification::tests::notification_table()),
        ("approval", crate::approval::tests::approval_table()),
    ];
    for (name, table) in tables {
        let seen = documented(&document, name).to_owned();
        if std::env::var_os("MUSTER_BLESS").is_some() {
            let marker = format!("<!-- table: {name} -->\n");
            document = document.replace(&format!("{marker}{seen}"), &format!("{marker}{table}"));
            std::fs::write(path, &document).expect("the document is writable");
        } else {
            assert_eq!(seen, table, "docs/STATE-MACHINES.md, table {name:?}");
        }
    }
}
