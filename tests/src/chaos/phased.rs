//! A phased runbook in the same weather, in every other seed: two sides at once, a gate, two acts that can be taken back, and people who
//! approve, pause, resume and abort it as they are drawn.

use muster_domain::execution::{Execution, TrailEvent};
use muster_domain::ids::StepId;
use serde_json::{Value, json};

use super::scenario::History;
use crate::support::client::Client;

/// Whether a seed's history has one.
pub(super) fn is_drawn(seed: u64) -> bool {
    seed.is_multiple_of(2)
}

pub(super) fn definition(street: &str) -> Value {
    let call = |path: &str| json!({"type": "webhook", "url": format!("{street}/{path}")});
    let look = |id: &str| json!({"id": id, "type": "diagnostic", "action": call(id)});
    let act = |id: &str| json!({"id": id, "type": "remediation", "action": call(id), "undo": call(&format!("un{id}"))});
    let sides = json!({"parallel": {"id": "sides", "steps": [look("left"), look("right")]}});
    let approval = json!({"levels": [{"of": ["team:ops:responder"]}], "expiresInSeconds": 3_600});
    let asks = json!({"id": "ask", "type": "approval", "approval": approval});
    json!({
        "name": "Look, ask, act", "teamId": "ops", "rollback": {"onFailure": true},
        "phases": [{"id": "look", "steps": [sides]}, {"id": "act", "steps": [asks, act("cordon"), act("drain")]}],
    })
}

/// What one of the people does next; the weather may swallow it.
pub(super) async fn steer(history: &History) {
    let Some(execution) = &history.phased else { return };
    match history.muster.weather.below(24) {
        0..=5 => approve(history, execution).await,
        6..=7 => post(history, execution, "pause", json!({"reason": "look first"})).await,
        8..=11 => post(history, execution, "resume", json!({})).await,
        12 => post(history, execution, "abort", json!({"reason": "wrong service"})).await,
        _ => {}
    }
}

/// In the calm, people do what the run waits for.
pub(super) async fn settle(history: &History) {
    let Some(execution) = &history.phased else { return };
    let shown = ann(history).get(&format!("/api/executions/{execution}")).await.expect(200);
    match shown["status"].as_str().unwrap() {
        "PAUSED" => post(history, execution, "resume", json!({})).await,
        "UNDO_FAILED" => {
            post(history, execution, "undo", json!({"decision": "retry", "reason": "it is calm"})).await;
        }
        "WAITING" => approve(history, execution).await,
        _ => {}
    }
}

async fn approve(history: &History, execution: &str) {
    let gus = history.muster.client("gus", &["team:ops:responder"]);
    let asked = gus.get(&format!("/api/executions/{execution}/approvals")).await;
    if asked.status != 200 {
        return;
    }
    let asked = asked.json();
    let open = asked["items"].as_array().unwrap().iter().find(|one| one["status"] == "OPEN");
    if let Some(open) = open {
        let path = format!("/api/executions/{execution}/steps/ask/approve");
        gus.post(&path, json!({"digest": open["digest"]})).await;
    }
}

async fn post(history: &History, execution: &str, verb: &str, body: Value) {
    ann(history).post(&format!("/api/executions/{execution}/{verb}"), body).await;
}

fn ann(history: &History) -> Client {
    history.muster.client("ann", &["team:ops:admin"])
}

/// What the run's own trail says of the order of things.
pub(super) fn check(history: &History, executions: &[Execution]) {
    let Some(id) = &history.phased else { return };
    let run = executions.iter().find(|execution| execution.id.as_str() == id).unwrap();
    let mut seen = Seen::default();
    for entry in &run.trail.entries {
        seen.takes(&entry.event);
    }
}

/// What has happened so far.
#[derive(Default)]
struct Seen {
    stopped: bool,
    paused: bool,
    approved: bool,
    armed: Vec<StepId>,
    /// Steps that were taken back, in order.
    undone: Vec<StepId>,
}

impl Seen {
    fn takes(&mut self, event: &TrailEvent) {
        match event {
            // Whoever stops an execution need not resume it first.
            TrailEvent::StopRequested { .. } => (self.stopped, self.paused) = (true, false),
            TrailEvent::PauseRequested { .. } => self.paused = true,
            TrailEvent::Unpaused { .. } => self.paused = false,
            TrailEvent::Decided { verdict, .. } => self.approved |= verdict == "approved",
            TrailEvent::Armed { step, .. } => self.armed.push(step.clone()),
            TrailEvent::Intent { step, .. } if step.is_undo() => self.undoes(step),
            TrailEvent::Intent { step, .. } => self.begins(step),
            _ => {}
        }
    }

    fn begins(&self, step: &StepId) {
        assert!(!self.stopped && !self.paused, "inv_g3: {step} begins after a stop or a pause");
        if ["cordon", "drain"].contains(&step.as_str()) {
            assert!(self.approved, "inv_c4: {step} begins before people decided");
            assert!(self.armed.contains(&step.undo()), "inv_b2: {step} begins before its undo is stored");
        }
    }

    fn undoes(&mut self, undo: &StepId) {
        assert!(!self.paused, "inv_g3: {undo} begins during a pause");
        if self.undone.last() != Some(undo) {
            assert!(!self.undone.contains(undo), "undos go back one after the other: {:?}", self.undone);
            assert!(self.undone.is_empty() || undo.as_str() == "cordon.undo", "the last step first");
            self.undone.push(undo.clone());
        }
    }
}
