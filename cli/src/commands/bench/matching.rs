//! How fast events find their workflows: with none that matches and with one, and up to the arrival of its webhook.

use std::collections::HashMap;
use std::hint::black_box;
use std::path::Path;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use muster_domain::ids::{IncidentId, WorkflowId};
use muster_domain::time::Time;
use muster_domain::workflow::{Candidate, evaluate};
use serde_json::{Value, json};
use tokio::time::sleep;

use super::BenchError;
use super::figure::{Latency, each, print, rate, rounded};
use super::load::{Client, Shot, post_each};
use super::receiver::micros_now;
use super::rig::Rig;
use super::workload::{UNKNOWN, acknowledged, definition, incident, service, workflow};

/// Workflows of the team and of another team in each run.
const CROWDS: [(usize, usize); 4] = [(10, 0), (100, 0), (100, 1_000), (1_000, 0)];
/// Events of each run; ten workflows may start as many within one minute.
const EVENTS: u32 = 5_000;
/// Events under way at once, each of an incident of its own.
const IN_FLIGHT: usize = 64;
/// Events of the run at low load, and the pause between two of them.
const FEW: usize = 200;
const PAUSE: Duration = Duration::from_millis(20);
/// How often the one event is judged to be timed.
const JUDGED: u32 = 2_000;
/// The longest that a run waits for what it began.
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) async fn run(parent: &Path) -> Result<(), BenchError> {
    evaluation()?;
    for (own, others) in CROWDS {
        crowd(parent, own, others).await?;
    }
    arrival(parent).await
}

/// The pure decision alone, with its reasons.
fn evaluation() -> Result<(), BenchError> {
    let definitions = (0..100).map(|number| definition(number, &on_acknowledgement()));
    let definitions = definitions.collect::<Result<Vec<_>, _>>()?;
    let id = WorkflowId::new(Time::EPOCH, 1);
    let event = acknowledged(IncidentId::new(Time::EPOCH, 1), &service(50), Time::EPOCH)?;
    let start = Instant::now();
    for _ in 0..JUDGED {
        for definition in &definitions {
            let (team, trigger) = (definition.team_id.as_ref(), &definition.trigger);
            black_box(evaluate(&Candidate { id: &id, version: 1, enabled: true, team, trigger }, &event));
        }
    }
    let micros = start.elapsed().as_secs_f64() * 1e6 / f64::from(JUDGED);
    print(&json!({"figure": "evaluation of one event", "workflows": 100, "micros": rounded(micros)}))
}

/// One worker, so that what is measured is the matching.
async fn crowd(parent: &Path, own: usize, others: usize) -> Result<(), BenchError> {
    let rig = Rig::set_up(parent, 1).await?;
    let incidents = open_incidents(&rig).await?;
    create_workflows(&rig, ("bench", &rig.author), own, &on_acknowledgement()).await?;
    create_workflows(&rig, ("other", &rig.stranger), others, &on_acknowledgement()).await?;
    let now = Time::from_millis(i64::try_from(micros_now() / 1_000).unwrap_or(i64::MAX));
    let unknown = (0..EVENTS).map(|number| (IncidentId::new(now, u128::from(number)), UNKNOWN.to_owned()));
    let known = incidents.into_iter().enumerate().map(|(number, id)| (id, service(number % own)));
    for (matches, events) in [(0, unknown.collect::<Vec<_>>()), (1, known.collect())] {
        let bodies = events
            .into_iter()
            .map(|(id, service)| acknowledged(id, &service, now).map(|event| event.envelope().to_string()));
        matched(&rig, bodies.collect::<Result<_, _>>()?, (own, others, matches)).await?;
    }
    rig.tear_down().await
}

/// Events as the bus brings them: each is answered when what was decided and started is stored.
async fn matched(
    rig: &Rig,
    bodies: Vec<String>,
    (own, others, matches): (usize, usize, usize),
) -> Result<(), BenchError> {
    let shot = Shot { path: "/api/events".into(), body: String::new(), token: rig.approver.clone() };
    let before = rig.server_time();
    let posted = post_each(rig.address, &shot, bodies, IN_FLIGHT, StatusCode::ACCEPTED).await?;
    let used = rig.server_time().zip(before).map(|(after, before)| after.saturating_sub(before));
    for answer in &posted.answers {
        let started = answer.pointer("/matched/started").and_then(Value::as_array).map_or(0, Vec::len);
        if started != matches {
            return Err(BenchError::Matched { expected: matches, started });
        }
    }
    let latency = Latency::of(posted.volley.times);
    print(&json!({
        "figure": "events matched", "workflows": own, "workflows_of_others": others, "starts_each": matches,
        "in_flight": IN_FLIGHT, "events": EVENTS, "per_second": rate(EVENTS, posted.volley.elapsed),
        "p50_ms": latency.p50_ms, "p99_ms": latency.p99_ms,
        "server_ms_per_event": used.map(|time| each(time, EVENTS)),
    }))
}

/// From the request that opens an incident to the webhook of the workflow that its event starts, one at a time.
async fn arrival(parent: &Path) -> Result<(), BenchError> {
    let workflows = 100;
    let rig = Rig::set_up(parent, 256).await?;
    create_workflows(&rig, ("bench", &rig.author), workflows, &json!({"type": "incident_created"})).await?;
    let mut client = Client::connect(rig.address, &rig.author).await?;
    let mut opened = Vec::new();
    for number in 0..FEW {
        let body = incident(&service(number % workflows)).to_string();
        let at = micros_now();
        opened.push((id_of(&client.post("/api/incidents", body, StatusCode::CREATED).await?), at));
        sleep(PAUSE).await;
    }
    let start = Instant::now();
    while rig.arrivals().await?.len() < FEW && start.elapsed() < PATIENCE {
        sleep(PAUSE).await;
    }
    let arrived: HashMap<String, u64> = rig.arrivals().await?.into_iter().map(by_execution).collect();
    let mut waited = Vec::new();
    for (incident, at) in opened {
        let decisions = client.get(&format!("/api/incidents/{incident}/decisions?limit=100")).await?;
        let started = started(&decisions).and_then(|execution| arrived.get(execution));
        waited.extend(started.map(|arrived| Duration::from_micros(arrived.saturating_sub(at))));
    }
    rig.tear_down().await?;
    let (arrived, latency) = (waited.len(), Latency::of(waited));
    print(&json!({
        "figure": "incident to arrival of its workflow's webhook, one at a time", "workflows": workflows,
        "events": FEW, "arrived": arrived, "p50_ms": latency.p50_ms, "p99_ms": latency.p99_ms,
    }))
}

fn on_acknowledgement() -> Value {
    json!({"type": "state_changed", "stateTransition": {"to": "ACKNOWLEDGED"}})
}

/// A webhook's id is the execution's and the step's.
fn by_execution((id, at): (String, u64)) -> (String, u64) {
    (id.split('-').next().unwrap_or_default().to_owned(), at)
}

fn started(decisions: &Value) -> Option<&str> {
    let decisions = decisions.pointer("/items")?.as_array()?;
    decisions.iter().find_map(|decision| decision.pointer("/executionId")?.as_str())
}

/// The incidents that the matching events are about, for their workflows read them.
async fn open_incidents(rig: &Rig) -> Result<Vec<IncidentId>, BenchError> {
    let bodies = (0..EVENTS).map(|_| incident(UNKNOWN).to_string()).collect();
    let shot = Shot { path: "/api/incidents".into(), body: String::new(), token: rig.author.clone() };
    let opened = post_each(rig.address, &shot, bodies, IN_FLIGHT, StatusCode::CREATED).await?;
    let start = Instant::now();
    // Their own events would be matched during the measurement.
    while rig.counted("muster_events_matched_total").await? < u64::from(EVENTS) && start.elapsed() < PATIENCE
    {
        sleep(PAUSE).await;
    }
    Ok(opened.answers.iter().map(|incident| id_of(incident).parse()).collect::<Result<_, _>>()?)
}

/// One after the other: each changes the team's list.
async fn create_workflows(
    rig: &Rig,
    (team, token): (&str, &str),
    count: usize,
    trigger: &Value,
) -> Result<(), BenchError> {
    let bodies = (0..count).map(|number| workflow(team, number, trigger, &rig.hook()).to_string());
    let shot = Shot { path: "/api/workflows".into(), body: String::new(), token: token.to_owned() };
    post_each(rig.address, &shot, bodies.collect(), 1, StatusCode::CREATED).await?;
    Ok(())
}

fn id_of(answer: &Value) -> String {
    answer.pointer("/id").and_then(Value::as_str).unwrap_or_default().to_owned()
}
