//! Workflows through the functions: an alarm on the bus, the messages that come of it, and the scheduled sweep.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use muster_domain::execution::{ExecutionStatus, State, StepState, TrailEvent};
use muster_domain::ids::ExecutionId;
use serde_json::{Value, json};

use super::installation::{Installation, calling};
use super::samples::{Request, batch, failures, sample};
use crate::support::lambda::Function;
use crate::support::receiver::Receiver;

/// Longer than any delay of these workflows and the grace of a nudge together, and shorter than their timeout.
const A_WHILE: Duration = Duration::from_secs(120);

#[tokio::test]
async fn an_alarm_on_the_bus_runs_a_workflow_to_its_end_and_every_delivery_comes_twice() {
    let stage = Stage::set().await;
    let workflow = stage.save("[platform-admin]", &waiting("5min")).await;
    let alarm = sample("eventbridge/cloudwatch-alarm");
    assert_eq!(stage.report(&alarm).await, "opened");
    assert_eq!(stage.report(&alarm).await, "repeated");
    let execution = stage.started().await;

    let nudge = stage.message().await;
    // One message that nobody can read harms only itself.
    let answer = stage.worker.answer(&batch([nudge.as_str(), "poison"])).await;
    assert_eq!(answer, failures(["m1"]));
    stage.check_waiting(&execution).await;
    let waiting = stage.installation.stored(&execution).await;
    stage.deliver(&nudge).await;
    assert_eq!(stage.installation.stored(&execution).await, waiting, "a delay never ends early");

    stage.lose_messages();
    assert_eq!(stage.sweep().await["nudged"], 0, "nothing is due");
    stage.installation.passes(&execution, A_WHILE).await;
    let swept = stage.sweep().await;
    assert_eq!((&swept["due"], &swept["nudged"], &swept["failed"]), (&json!(1), &json!(1), &json!(0)));
    stage.work_off().await;
    stage.check_completed(&execution).await;

    assert_eq!(stage.report(&alarm).await, "repeated");
    stage.carry_events().await;
    stage.work_off().await;
    assert_eq!(stage.executions(&workflow).await, [execution.to_string()], "once");
}

#[tokio::test]
async fn a_runbook_that_may_not_call_fails_its_workflow_with_the_reason() {
    let stage = Stage::set().await;
    let receiver = Receiver::start().await;
    let runbook = stage.installation.approved(A_WHILE, calling(&receiver.url("/restart"))).await;
    let restart = json!({"type": "runbook", "runbookId": runbook, "wait": true});
    let nodes = json!([
        {"type": "trigger", "id": "start"},
        {"type": "action", "id": "restart", "action": restart},
        {"type": "delay", "id": "never", "seconds": 1},
    ]);
    let edges = json!([{"from": "start", "to": "restart"}, {"from": "restart", "to": "never"}]);
    let definition = json!({
        "name": "Restart", "teamId": "payments", "trigger": {"type": "manual"},
        "definition": {"nodes": nodes, "edges": edges},
    });
    let workflow = stage.save("[team:payments:admin]", &definition).await;
    let path = format!("/api/workflows/{workflow}/run");
    let run = Request::sample("execute-runbook").to("POST", &path).with_body(&json!({}));
    let accepted = run.send(&stage.api).await.expect(202);
    stage.work_off().await;

    let read = stage.read(accepted["execution"]["id"].as_str().unwrap()).await;
    let child = read["steps"][0]["executionId"].as_str().unwrap();
    let reason = format!("execution {child} is FAILED");
    assert_eq!(read["status"], "FAILED");
    assert!(read["error"].as_str().unwrap().contains(&reason), "{read}");
    let child = stage.read(child).await;
    assert_eq!((&child["status"], &child["workflowExecutionId"]), (&json!("FAILED"), &read["id"]));
    assert!(child["error"].as_str().unwrap().contains("the address 127.0.0.1 is"), "{child}");
    assert_eq!(receiver.received().len(), 0);
}

#[tokio::test]
async fn inv_g4_the_sweeper_starts_what_came_of_age_once() {
    let stage = Stage::set().await;
    let incident = stage.installation.opened(Duration::from_secs(40 * 60)).await;
    let mut definition = waiting("5min");
    definition["trigger"] = json!({"type": "age", "ageThresholdMinutes": 30});
    definition["teamId"] = json!("payments");
    let workflow = stage.save("[team:payments:admin]", &definition).await;
    assert_eq!(stage.sweep().await["aged"], 1);
    assert_eq!(stage.sweep().await["aged"], 0);
    let [execution] = stage.executions(&workflow).await.try_into().unwrap();
    let id: ExecutionId = execution.parse().unwrap();
    stage.work_off().await;
    assert_eq!(stage.installation.stored(&id).await.value.incident, Some(incident));
    stage.installation.passes(&id, A_WHILE).await;
    stage.sweep().await;
    stage.work_off().await;
    assert_eq!(stage.read(&execution).await["status"], "COMPLETED");
    assert_eq!(stage.executions(&workflow).await, [execution]);
}

#[tokio::test]
async fn a_workflow_that_takes_too_long_is_cancelled_by_the_worker() {
    let stage = Stage::set().await;
    stage.save("[platform-admin]", &waiting("1min")).await;
    stage.report(&sample("eventbridge/cloudwatch-alarm")).await;
    let execution = stage.started().await;
    stage.work_off().await;
    stage.installation.passes(&execution, A_WHILE).await;
    assert_eq!(stage.sweep().await["nudged"], 1);
    stage.work_off().await;
    let state = stage.installation.stored(&execution).await.value.state;
    assert_eq!(state, State::Cancelled { reason: "Timed out after 60 s".into() });
    assert_eq!(stage.read(&execution.to_string()).await["status"], "CANCELLED");
    assert_eq!(stage.installation.proven(&execution).await, ["execution.accepted", "execution.cancelled"]);
}

/// Of no team, as the alarms of the bus: asks, and waits for half a minute.
fn waiting(timeout: &str) -> Value {
    let nodes = json!([
        {"type": "trigger", "id": "start"},
        {"type": "condition", "id": "ask", "field": "incident.status", "equals": "OPEN"},
        {"type": "delay", "id": "pause", "seconds": 30},
        {"type": "delay", "id": "never", "seconds": 1},
    ]);
    let edges = json!([
        {"from": "start", "to": "ask"},
        {"from": "ask", "to": "pause", "when": "true"},
        {"from": "ask", "to": "never", "when": "false"},
    ]);
    json!({
        "name": "Wait and see",
        "trigger": {"type": "incident_created", "conditions": [{"field": "metadata.service", "value": "checkout"}]},
        "definition": {"nodes": nodes, "edges": edges},
        "settings": {"timeout": timeout},
    })
}

/// The functions, and what carries messages and events between them: the test.
struct Stage {
    installation: Installation,
    api: Function,
    matcher: Function,
    worker: Function,
    sweeper: Function,
    /// How many events of the bus were brought to the matcher.
    carried: AtomicUsize,
}

impl Stage {
    async fn set() -> Self {
        let installation = Installation::start().await;
        Self {
            api: installation.function("muster-api").await,
            matcher: installation.function("muster-matcher").await,
            worker: installation.function("muster-worker").await,
            sweeper: installation.function("muster-sweeper").await,
            carried: AtomicUsize::new(0),
            installation,
        }
    }

    /// The id of a new workflow.
    async fn save(&self, groups: &str, definition: &Value) -> String {
        let create = Request::sample("create-runbook").to("POST", "/api/workflows").with_body(definition);
        let created = create.by("ann", groups).send(&self.api).await.expect(201);
        created["id"].as_str().unwrap().to_owned()
    }

    /// What became of a report that monitoring puts on the bus.
    async fn report(&self, event: &Value) -> String {
        let taken = self.matcher.answer(event).await;
        let effect = taken.pointer("/taken/outcomes/0/effect").and_then(Value::as_str);
        effect.unwrap_or_else(|| panic!("{taken}")).to_owned()
    }

    /// The one execution that the events on their way start.
    async fn started(&self) -> ExecutionId {
        let delivery = self.message().await;
        self.deliver(&delivery).await;
        self.deliver(&delivery).await;
        let started = self.carry_events().await;
        let [execution] = started.as_slice() else { panic!("one start, not {started:?}") };
        execution.parse().unwrap()
    }

    /// Brings each new event of the bus to the matcher, twice; what that started.
    async fn carry_events(&self) -> Vec<String> {
        let events = self.installation.event_bridge.taken();
        let carried = self.carried.swap(events.len(), Ordering::Relaxed);
        let mut started = Vec::new();
        for entry in &events[carried..] {
            for _ in 0..2 {
                let matched = self.matcher.answer(&delivered(entry)).await["matched"].clone();
                let ids = matched["started"].as_array().unwrap_or_else(|| panic!("{matched}"));
                started.extend(ids.iter().map(|id| id.as_str().unwrap().to_owned()));
            }
        }
        started
    }

    /// The only message that was sent since the last time.
    async fn message(&self) -> String {
        let sent = self.installation.sqs.take();
        let [message] = sent.as_slice() else { panic!("one message, not {sent:?}") };
        message.body.clone()
    }

    fn lose_messages(&self) {
        self.installation.sqs.take();
    }

    async fn deliver(&self, body: &str) {
        assert_eq!(self.worker.answer(&batch([body])).await, failures([]));
    }

    /// Brings every message to the worker, twice, until there are no more; those that are delayed are lost.
    async fn work_off(&self) {
        loop {
            let sent = self.installation.sqs.take();
            if sent.is_empty() {
                return;
            }
            for message in sent.iter().filter(|message| message.delay_seconds == 0) {
                self.deliver(&message.body).await;
                self.deliver(&message.body).await;
            }
        }
    }

    async fn sweep(&self) -> Value {
        self.sweeper.answer(&sample("eventbridge/each-minute")).await
    }

    async fn read(&self, execution: &str) -> Value {
        let read = Request::sample("get-execution").to("GET", &format!("/api/executions/{execution}"));
        read.by("bob", "[platform-admin]").send(&self.api).await.expect(200)
    }

    async fn executions(&self, workflow: &str) -> Vec<String> {
        let path = format!("/api/workflows/{workflow}/executions");
        let list = Request::sample("get-execution").to("GET", &path).by("bob", "[platform-admin]");
        let page = list.send(&self.api).await.expect(200);
        let ids =
            page["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned());
        ids.collect()
    }

    /// After the worker's first turn: what was done is stored, and what comes next is due.
    async fn check_waiting(&self, execution: &ExecutionId) {
        let stored = self.installation.stored(execution).await;
        let state = |step: &str| &stored.value.steps[&step.parse().unwrap()].state;
        assert_eq!(state("ask"), &StepState::Succeeded);
        assert!(matches!(state("never"), StepState::Skipped { .. }), "{:?}", state("never"));
        assert!(matches!(state("pause"), StepState::Delayed { .. }), "{:?}", state("pause"));
        let stores = "accepted; claimed, with the first node's answer; and the next node's delay";
        assert_eq!(stored.version, 3, "{stores}");
        assert!(stored.value.due_at.is_some(), "the sweeper will find it");
        let delayed = self.installation.sqs.take();
        let [nudge] = delayed.as_slice() else { panic!("one message for later, not {delayed:?}") };
        assert!((20..=31).contains(&nudge.delay_seconds), "{nudge:?}");
        assert_eq!(self.read(&execution.to_string()).await["status"], "RUNNING");
    }

    async fn check_completed(&self, execution: &ExecutionId) {
        let stored = self.installation.stored(execution).await.value;
        assert_eq!(stored.status(), ExecutionStatus::Success, "{:?}", stored.state);
        let done =
            |event: &TrailEvent| serde_json::to_value(event).unwrap()["is"].as_str().unwrap().to_owned();
        let trail: Vec<String> = stored.trail.entries.iter().map(|entry| done(&entry.event)).collect();
        let expected = "accepted claimed answered skipped delayed waiting claimed resumed ended";
        assert_eq!(trail.join(" "), expected);
        let actions = self.installation.proven(execution).await;
        assert_eq!(actions, ["execution.accepted", "execution.succeeded"]);
        let read = self.read(&execution.to_string()).await;
        assert_eq!(read["status"], "COMPLETED");
        assert!(read["steps"].as_array().unwrap().iter().all(|step| step["status"] != "PENDING"), "{read}");
    }
}

/// An entry of the bus as it arrives at the matcher.
pub(super) fn delivered(entry: &Value) -> Value {
    let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
    let mut event = sample("eventbridge/incident-created");
    event["source"] = entry["Source"].clone();
    event["detail-type"] = entry["DetailType"].clone();
    event["resources"] = entry["Resources"].clone();
    event["detail"] = detail;
    event
}
