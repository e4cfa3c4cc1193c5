//! Small records to store.

use std::collections::BTreeSet;
use std::time::Duration;

use muster_app::table::{
    Body, BodyPart, IdempotencyRecord, Key, Order, PageRequest, Query, Record, Stored, Table,
};
use muster_domain::approval::{Approval, Ledger, Person, Question};
use muster_domain::audit::{AuditEntry, ChainHead, Fact, Resource};
use muster_domain::control::{Control, KillSwitch, Scope};
use muster_domain::digest::Digest;
use muster_domain::execution::{Execution, Parent, ParentWorkflow, Pinned, PinnedRunbook, State, Trail};
use muster_domain::freeze::{BreakGlassLog, FreezeCalendar};
use muster_domain::ids::{ExecutionId, IncidentId, RunbookId, TeamId, UserId, WorkflowId};
use muster_domain::incident::{Actor, Cause, Incident, NewIncident, Opening, Priority};
use muster_domain::limits::{Target, TargetKey, Usage};
use muster_domain::runbook::{Runbook, RunbookDefinition, RunbookVersion, VersionDecision};
use muster_domain::time::Time;
use serde_json::json;

/// Noon of 2026-03-01, UTC.
pub(super) const NOON: Time = Time::from_millis(1_772_366_400_000);

pub(super) fn after(seconds: u64) -> Time {
    NOON.plus(Duration::from_secs(seconds))
}

pub(super) fn runbook_id(number: u128) -> RunbookId {
    RunbookId::new(NOON, number)
}

pub(super) fn execution_id(number: u128) -> ExecutionId {
    ExecutionId::new(NOON, number)
}

pub(super) fn incident_id(number: u128) -> IncidentId {
    IncidentId::new(NOON, number)
}

pub(super) fn team(name: &str) -> TeamId {
    name.parse().unwrap()
}

fn user() -> UserId {
    "ann".parse().unwrap()
}

pub(super) fn runbook(number: u128, of_team: Option<&str>) -> Runbook {
    Runbook {
        id: runbook_id(number),
        team: of_team.map(team),
        name: format!("runbook {number}"),
        tags: Vec::new(),
        version: 1,
        approved: BTreeSet::new(),
        deprecated: BTreeSet::new(),
        created_by: user(),
        created_at: NOON,
        updated_at: NOON,
        deleted_at: None,
        audit: ChainHead::default(),
    }
}

pub(super) fn version(runbook: u128, version: u32, description: String) -> RunbookVersion {
    let definition = json!({"name": "n", "description": description, "webhookUrl": "https://example.com"});
    let definition: RunbookDefinition = serde_json::from_value(definition).unwrap();
    RunbookVersion {
        runbook: runbook_id(runbook),
        version,
        definition,
        digest: Digest::of_bytes(b"definition"),
        author: user(),
        writers: BTreeSet::from([user()]),
        created_at: NOON,
        change_note: None,
        rolled_back_from: None,
    }
}

pub(super) fn decision(runbook: u128, version: u32) -> VersionDecision {
    VersionDecision {
        runbook: runbook_id(runbook),
        version,
        digest: Digest::of_bytes(b"definition"),
        approved_by: user(),
        approved_at: NOON,
        self_approved: false,
        deprecated: None,
    }
}

/// An execution of runbook 1 that is owed nothing.
pub(super) fn execution(number: u128) -> Execution {
    of_runbook(number, 1)
}

/// The execution of a workflow that started another one.
pub(super) fn parent(number: u128) -> Parent {
    Parent {
        execution: execution_id(number),
        step: "go".parse().unwrap(),
        workflow: Some(ParentWorkflow { id: WorkflowId::new(NOON, 1), name: "workflow".into() }),
        runbooks: Vec::new(),
        waits: false,
    }
}

pub(super) fn of_runbook(number: u128, runbook: u128) -> Execution {
    let id = execution_id(number);
    let (name, digest) = ("runbook".into(), Digest::of_bytes(b"definition"));
    Execution {
        pinned: Pinned::Runbook(PinnedRunbook { id: runbook_id(runbook), name, version: 1, digest }),
        team: None,
        requested_by: user(),
        incident: None,
        parent: None,
        chain: Vec::new(),
        cause: None,
        parameters: serde_json::Map::new(),
        created_at: NOON,
        started_at: None,
        ended_at: None,
        state: State::Pending,
        epoch: 0,
        steps: std::collections::BTreeMap::new(),
        due_at: None,
        stop: None,
        pause: None,
        paused_ms: 0,
        unwinding: None,
        undoes: None,
        risk: None,
        verdict: None,
        admission: muster_domain::limits::Admission::default(),
        freeze_pass: None,
        norms: std::collections::BTreeMap::new(),
        trail: Trail::new(id.as_str()),
        audit: ChainHead::default(),
        id,
    }
}

/// The same execution, changed: a record that differs from the one before.
pub(super) fn at_epoch(number: u128, epoch: u32) -> Execution {
    Execution { epoch, ..execution(number) }
}

pub(super) fn due(number: u128, at: Time) -> Execution {
    Execution { due_at: Some(at), ..execution(number) }
}

pub(super) fn body(execution: u128, part: BodyPart, text: &str) -> Body {
    Body { execution: execution_id(execution), step: "webhook".parse().unwrap(), part, text: text.to_owned() }
}

/// What execution 1 asked in this round, open until a moment.
pub(super) fn approval(round: u32, of_team: Option<&str>, until: Time) -> Approval {
    let question = Question {
        execution: execution_id(1),
        step: "ask".parse().unwrap(),
        round,
        team: of_team.map(team),
        runbook: execution(1).pinned.runbook().unwrap().clone(),
        requested_by: user(),
        excluded: BTreeSet::new(),
        spec: serde_json::from_value(json!({"levels": [{"of": ["platform-admin"]}]})).unwrap(),
        subject: Digest::of_bytes(b"subject"),
        bindings: std::collections::BTreeMap::new(),
        shown: Vec::new(),
    };
    Approval::asked(question, NOON).open_until(until)
}

pub(super) fn ledger(round: u32) -> Ledger {
    let (execution, step) = (execution_id(1), "ask".parse().unwrap());
    Ledger { execution, step, round, subject: Digest::of_bytes(b"subject"), decisions: Vec::new() }
}

pub(super) fn person(id: &str) -> Person {
    Person {
        id: id.parse().unwrap(),
        aliases: BTreeSet::from([user()]),
        set_by: user(),
        created_at: NOON,
        updated_at: NOON,
        audit: ChainHead::default(),
    }
}

pub(super) fn incident(number: u128, of_team: Option<&str>) -> Incident {
    let new = NewIncident {
        title: format!("incident {number}"),
        priority: Priority::High,
        team_id: of_team.map(team),
        assignee: None,
        metadata: serde_json::Map::new(),
    };
    let opening = Opening { id: incident_id(number), created_by: user(), source: None };
    Incident::open(new, opening, &Cause::first(Actor::Person { user: user() }, "test"), NOON).0
}

pub(super) fn audit(resource: Resource, seq: u64, of_team: Option<&str>, at: Time) -> AuditEntry {
    let head = ChainHead { seq: seq - 1, hash: None };
    let fact = Fact { action: "thing.happened", actor: None, detail: json!({"seq": seq}) };
    head.append(resource, of_team.map(team), fact, at).0
}

pub(super) fn idempotency(text: &str, expires_at: Time) -> IdempotencyRecord {
    let digest = Digest::of_bytes(text.as_bytes());
    IdempotencyRecord { scope: digest, request: digest, reply: json!({"text": text}), expires_at }
}

pub(super) fn control(scope: Scope) -> Control {
    let audit = ChainHead::default();
    let switch = KillSwitch { engaged: true, reason: "test".into(), set_by: user(), set_at: NOON, audit };
    Control { scope, switch: Some(switch), freezes: Some(FreezeCalendar::default()) }
}

pub(super) fn target(name: &str) -> Target {
    Target::unused(TargetKey { of: Scope::Team(team("ops")), name: name.into() })
}

/// A record of every kind.
pub(super) fn one_of_each() -> Vec<Record> {
    vec![
        runbook(1, Some("ops")).into(),
        version(1, 1, "d".into()).into(),
        decision(1, 1).into(),
        due(1, NOON).into(),
        body(1, BodyPart::Request, "{}").into(),
        body(1, BodyPart::Response(1), "ok").into(),
        approval(1, Some("ops"), NOON).into(),
        ledger(1).into(),
        person("ann").into(),
        incident(1, None).into(),
        audit(Resource::Control(Scope::Global), 1, None, NOON).into(),
        idempotency("key", NOON).into(),
        control(Scope::Team(team("ops"))).into(),
        target("checkout").into(),
        Usage::none(runbook_id(1)).into(),
        BreakGlassLog::default().into(),
    ]
}

pub(super) fn keys(stored: &[Stored]) -> Vec<Key> {
    stored.iter().map(|stored| stored.record.key()).collect()
}

pub(super) fn first(limit: u32, order: Order) -> PageRequest {
    PageRequest { limit, order, after: None }
}

/// More pages than any test makes: a list that goes round in a circle fails instead of hanging.
pub(super) const MOST_PAGES: usize = 1_000;

/// All records of a list, read in pages of three.
pub(super) async fn all(table: &dyn Table, query: &Query) -> Vec<Stored> {
    let mut page = first(3, Order::Ascending);
    let mut records = Vec::new();
    for _ in 0..MOST_PAGES {
        let read = table.query(query, &page).await.unwrap();
        records.extend(read.records);
        page.after = read.next;
        if page.after.is_none() {
            return records;
        }
    }
    panic!("{query:?} does not end");
}
