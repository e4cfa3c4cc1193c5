//! One record of every kind, with every field that can be there.

use std::collections::{BTreeMap, BTreeSet};

use muster_app::table::{
    AgeCursor, Body, BodyPart, Candidate, Candidates, IdempotencyRecord, Record, Starts,
};
use muster_domain::account::Account;
use muster_domain::anomaly::Norm;
use muster_domain::approval::{
    Approval, ApprovalState, Approver, Decision, GateSpec, Ledger, Person, Question, Verdict, Via, Withdrawn,
};
use muster_domain::audit::{ChainHead, Fact, Resource};
use muster_domain::control::{Control, Scope};
use muster_domain::digest::Digest;
use muster_domain::execution::{
    Attempt, CalledBack, Execution, ExecutionStatus, GateRun, InnerRun, Lease, Parent, ParentWorkflow, Pause,
    Pinned, PinnedRunbook, PinnedWorkflow, Resolution, State, StepRun, StepState, Stop, StopMode,
    StoredRequest, Trail, TrailEvent, Unwinding, VerdictKind, WaitingOn, verdict,
};
use muster_domain::freeze::{BreakGlassLog, FreezePass};
use muster_domain::ids::{
    BreakGlassId, ExecutionId, FreezeId, IncidentId, IntegrationId, RunbookId, StepId, TeamId, UserId,
    WorkflowId,
};
use muster_domain::incident::{
    Actor, Cause, HistoryEntry, Incident, IncidentEvent, IncidentEventKind, IncidentFacts, IncidentSource,
    IncidentStatus, Priority,
};
use muster_domain::integration::{Alert, Integration, Seen};
use muster_domain::limits::{Admission, Holder, Start, Target, TargetKey, TargetLease, Usage, UsageStart};
use muster_domain::notification::{
    Addressees, Failure, IncidentWords, Notification, Occasion, Recipient, RecipientState, Team, Way,
};
use muster_domain::outcome::Outcome;
use muster_domain::risk::{Factor, Risk};
use muster_domain::runbook::{Deprecation, Runbook, RunbookVersion, VersionDecision};
use muster_domain::sources::Source;
use muster_domain::sources::verification::Scheme;
use muster_domain::time::Time;
use muster_domain::workflow::actions::SlackTarget;
use muster_domain::workflow::{
    MatchDecision, MatchOutcome, PartWriter, Predicate, WhyPart, Workflow, WorkflowDefinition,
    WorkflowVersion,
};
use serde_json::{Value, json};

pub(super) const AT: Time = Time::from_millis(1_772_366_400_000);

pub(super) fn runbook_id() -> RunbookId {
    RunbookId::new(AT, 1)
}

pub(super) fn execution_id() -> ExecutionId {
    ExecutionId::new(AT, 2)
}

pub(super) fn parent_id() -> ExecutionId {
    ExecutionId::new(AT, 3)
}

pub(super) fn incident_id() -> IncidentId {
    IncidentId::new(AT, 4)
}

pub(super) fn team() -> TeamId {
    "payments".parse().expect("valid")
}

pub(super) fn step() -> StepId {
    "webhook".parse().expect("valid")
}

pub(super) fn digest() -> Digest {
    Digest::of_bytes(b"sample")
}

fn user() -> UserId {
    "ann@example.com".parse().expect("valid")
}

fn chain() -> ChainHead {
    ChainHead { seq: 7, hash: Some(digest()) }
}

/// A record from its JSON, for types whose parts are many and plain.
fn from_json<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).expect("a sample of its type")
}

pub(super) fn records() -> Vec<Record> {
    vec![
        runbook().into(),
        version().into(),
        decision().into(),
        execution().into(),
        body(BodyPart::Request).into(),
        body(BodyPart::Response(2)).into(),
        approval().into(),
        ledger().into(),
        workflow_execution().into(),
        incident().into(),
        incident_event().into(),
        why().into(),
        workflow().into(),
        workflow_version().into(),
        Candidates { team: Some(team()), changed_at: AT }.into(),
        Candidates { team: None, changed_at: AT }.into(),
        Candidate(workflow()).into(),
        Starts { workflow: workflow_id(), minute: 29_539_440, count: 7, expires_at: AT }.into(),
        AgeCursor { workflow: workflow_id(), threshold_minutes: 30, opened_until: AT }.into(),
        integration().into(),
        account().into(),
        Alert {
            key: digest(),
            incident: incident_id(),
            firings: 2,
            undated: Some(digest()),
            fired_at: Some(AT),
            ended_at: Some(AT),
            updated_at: AT,
        }
        .into(),
        Seen { key: digest(), expires_at: AT }.into(),
        notification().into(),
        asking().into(),
        team_settings().into(),
        person().into(),
        audit_entry().into(),
        idempotency().into(),
        control().into(),
        target().into(),
        usage().into(),
        break_glass().into(),
    ]
}

pub(super) fn runbook() -> Runbook {
    Runbook {
        id: runbook_id(),
        team: Some(team()),
        name: "Restart a service".into(),
        tags: vec!["restart".into()],
        version: 3,
        approved: BTreeSet::from([2]),
        deprecated: BTreeSet::from([1]),
        created_by: user(),
        created_at: AT,
        updated_at: AT,
        deleted_at: None,
        audit: chain(),
    }
}

fn version() -> RunbookVersion {
    let definition = from_json(json!({
        "name": "Restart a service",
        "description": "Restarts one service.",
        "teamId": "payments",
        "tags": ["restart"],
        "webhookUrl": "https://control.example.com/restart",
        "webhookMethod": "PUT",
        "webhookHeaders": {"X-Region": "{{params.region}}", "X-Token": {"$secret": "control/token"}},
        "webhookAuth": {"type": "hmac", "secret": {"$secret": "control/hmac"}},
        "parameters": {"type": "object"},
        "payloadTemplate": {"service": "{{params.service}}"},
        "timeoutSeconds": 5,
        "idempotent": false,
    }));
    RunbookVersion {
        runbook: runbook_id(),
        version: 3,
        definition,
        digest: digest(),
        author: user(),
        writers: BTreeSet::from([user()]),
        created_at: AT,
        change_note: Some("Shorter timeout".into()),
        rolled_back_from: Some(1),
    }
}

fn decision() -> VersionDecision {
    VersionDecision {
        runbook: runbook_id(),
        version: 3,
        digest: digest(),
        approved_by: user(),
        approved_at: AT,
        self_approved: true,
        deprecated: Some(Deprecation { by: user(), at: AT, reason: Some("replaced".into()) }),
    }
}

pub(super) fn execution() -> Execution {
    let id = execution_id();
    let mut trail = Trail::new(id.as_str());
    trail.push(TrailEvent::Accepted { by: user() }, AT);
    Execution {
        id,
        pinned: Pinned::Runbook(PinnedRunbook {
            id: runbook_id(),
            name: "Restart a service".into(),
            version: 3,
            digest: digest(),
        }),
        team: Some(team()),
        requested_by: user(),
        incident: Some(incident_id()),
        parent: Some(parent()),
        chain: vec![workflow_id()],
        cause: Some(format!("{}-3", incident_id())),
        parameters: from_json(json!({"service": "checkout"})),
        created_at: AT,
        started_at: Some(AT),
        ended_at: Some(AT),
        state: State::Running { lease: Lease { holder: "worker-1".into(), until: AT } },
        epoch: 2,
        steps: BTreeMap::from([(step(), step_run())]),
        due_at: Some(AT),
        stop: Some(Stop {
            by: user(),
            at: AT,
            reason: "wrong service".into(),
            mode: StopMode::Abort,
            quiesced_at: Some(AT),
        }),
        pause: Some(Pause { by: user(), at: AT, reason: "look first".into(), quiesced_at: Some(AT) }),
        paused_ms: 5,
        unwinding: Some(Unwinding { since: AT, reason: "step failed".into() }),
        undoes: Some(parent_id()),
        risk: Some(risk()),
        verdict: Some(verdict::Verdict { is: VerdictKind::Resolved, because: "it holds".into() }),
        admission: Admission {
            target: Some("checkout".into()),
            at: Some(AT),
            lease: Some(lease(execution_id())),
            shares: vec![lease(parent_id())],
            behind: vec![parent_id()],
        },
        freeze_pass: Some(FreezePass::BreakGlass { id: glass_id() }),
        norms: BTreeMap::from([(step(), Norm { samples: 12, median_ms: 200, most_ms: 1_200 })]),
        trail,
        audit: chain(),
    }
}

fn lease(owner: ExecutionId) -> TargetLease {
    TargetLease { target: target_key(), fence: 7, since: AT, owner }
}

pub(super) fn target_key() -> TargetKey {
    TargetKey { of: Scope::Team(team()), name: "checkout".into() }
}

fn target() -> Target {
    let start =
        |execution: ExecutionId, ended_at| Start { runbook: runbook_id(), execution, at: AT, ended_at };
    let (execution, runbook) = (execution_id(), runbook_id());
    Target {
        last_fence: 7,
        holders: vec![Holder { execution, runbook, fence: 7, since: AT }],
        recent: vec![start(parent_id(), Some(AT)), start(execution_id(), None)],
        waiting: vec![parent_id()],
        ..Target::unused(target_key())
    }
}

fn usage() -> Usage {
    let recent = vec![UsageStart { execution: execution_id(), at: AT }];
    Usage { runbook: runbook_id(), recent, expires_at: AT }
}

fn risk() -> Risk {
    let factor = Factor { name: "production".into(), points: 10, why: "live is production".into() };
    let demands = Some(GateSpec::of_one(vec![Approver::PlatformAdmin]));
    Risk { score: 10, factors: vec![factor], demands }
}

fn step_run() -> StepRun {
    let answered = |status| Outcome::Answered {
        status,
        retry_after_ms: Some(1_000),
        body: "ok".into(),
        truncated: true,
    };
    let attempt = Attempt {
        epoch: 1,
        started_at: AT,
        ended_at: Some(AT),
        outcome: Some(Outcome::Unknown { reason: "timed out".into() }),
        late: Some(answered(200)),
        resolution: Some(Resolution::Happened),
    };
    StepRun {
        state: StepState::Waiting { until: AT },
        request: Some(StoredRequest::Beside { digest: digest(), bytes: 2_000 }),
        attempts: vec![attempt],
        budget: 3,
        inner: None,
        place: 2,
        outputs: from_json(json!({"nodes": 3})),
    }
}

fn body(part: BodyPart) -> Body {
    Body { execution: execution_id(), step: step(), part, text: "{\"ok\":true}".into() }
}

pub(super) fn approval() -> Approval {
    let spec = json!({
        "levels": [{"of": ["team:payments:responder", "platform-admin"], "needed": 2}],
        "expiresInSeconds": 600,
        "onExpiry": "escalate",
        "escalation": [{"afterSeconds": 60, "to": ["user:carol"]}],
        "reasonRequired": true,
        "form": {"type": "object"},
    });
    let question = Question {
        execution: execution_id(),
        step: step(),
        round: 2,
        team: Some(team()),
        runbook: PinnedRunbook {
            id: runbook_id(),
            name: "Restart a service".into(),
            version: 3,
            digest: digest(),
        },
        requested_by: user(),
        excluded: BTreeSet::from([user()]),
        spec: from_json(spec),
        subject: digest(),
        bindings: BTreeMap::from([(step(), digest())]),
        shown: vec![json!({"step": "webhook", "request": {"url": "https://control.example.com/restart"}})],
    };
    Approval {
        question,
        asked_at: AT,
        until: AT,
        rung: 1,
        extended: true,
        state: ApprovalState::Open,
        due_at: Some(AT),
        closed_at: Some(AT),
        audit: chain(),
    }
}

fn ledger() -> Ledger {
    let withdrawn = Withdrawn { by: user(), at: AT, reason: Some("too early".into()) };
    let decision = Decision {
        by: user(),
        level: 1,
        right: Approver::PlatformAdmin,
        verdict: Verdict::Approve,
        reason: Some("looked".into()),
        form: Some(json!({"ticket": "OPS-1"})),
        at: AT,
        via: Via::Slack,
        vouched_by: Some(user()),
        withdrawn: Some(withdrawn),
    };
    Ledger { execution: execution_id(), step: step(), round: 2, subject: digest(), decisions: vec![decision] }
}

fn person() -> Person {
    Person {
        id: user(),
        aliases: BTreeSet::from(["ann".parse().expect("valid")]),
        set_by: user(),
        created_at: AT,
        updated_at: AT,
        audit: chain(),
    }
}

fn incident() -> Incident {
    Incident {
        id: incident_id(),
        title: "Checkout is down".into(),
        priority: Priority::Critical,
        status: IncidentStatus::Acknowledged,
        team: Some(team()),
        assignee: Some(user()),
        metadata: from_json(json!({"service": "checkout"})),
        created_by: user(),
        created_at: AT,
        updated_at: AT,
        resolved_at: Some(AT),
        escalation: 1,
        source: Some(IncidentSource {
            name: "cloudwatch".into(),
            fingerprint: "arn:aws:cloudwatch:1".into(),
        }),
        history: vec![HistoryEntry::new(&cause(), AT)],
        seq: 3,
        audit: chain(),
    }
}

fn incident_event() -> IncidentEvent {
    let kind = IncidentEventKind::StateChanged { from: IncidentStatus::Open, to: IncidentStatus::Resolved };
    let Cause { by, chain, correlation_id, causation_id, traceparent } = cause();
    IncidentEvent {
        incident: incident_id(),
        seq: 3,
        kind,
        at: AT,
        actor: by,
        chain,
        correlation_id,
        causation_id,
        traceparent,
        snapshot: IncidentFacts::from(&incident()),
        due_at: Some(AT),
    }
}

fn why() -> WhyPart {
    let reason = |name: &'static str, expected: &str, holds| Predicate {
        name: name.into(),
        expected: expected.into(),
        seen: Some("checkout".into()),
        holds,
    };
    let decision = |outcome, reasons| MatchDecision { outcome, reasons };
    let alike = reason("incident.metadata.service", "checkout", true);
    let mut writer = PartWriter::default();
    let matched = decision(MatchOutcome::Matched, vec![alike.clone()]);
    writer.add(&workflow(), &matched, Some(parent_id()));
    let no = decision(MatchOutcome::NotMatched, vec![alike, reason("incident.title", "Down", false)]);
    writer.add(&Workflow { id: WorkflowId::new(AT, 6), name: "Page".into(), ..workflow() }, &no, None);
    WhyPart {
        event: format!("{}-3", incident_id()),
        event_at: AT,
        incident: incident_id(),
        part: 1,
        at: AT,
        expires_at: AT,
        decided: writer.finish(),
    }
}

fn workflow_definition() -> WorkflowDefinition {
    from_json(json!({
        "name": "Restart what is down",
        "teamId": "payments",
        "trigger": {"type": "incident_created", "conditions": [{"field": "metadata.service", "value": "checkout"}]},
        "definition": {
            "nodes": [{"type": "trigger", "id": "start"}, {"type": "delay", "id": "wait", "seconds": 30}],
            "edges": [{"from": "start", "to": "wait"}],
        },
    }))
}

pub(super) fn workflow() -> Workflow {
    let definition = workflow_definition();
    Workflow {
        id: workflow_id(),
        team: Some(team()),
        name: definition.name,
        enabled: true,
        version: 2,
        trigger: definition.trigger,
        settings: definition.settings,
        created_by: user(),
        created_at: AT,
        updated_at: AT,
        deleted_at: None,
        audit: chain(),
    }
}

fn workflow_version() -> WorkflowVersion {
    WorkflowVersion {
        workflow: workflow_id(),
        version: 2,
        definition: workflow_definition(),
        digest: digest(),
        author: user(),
        created_at: AT,
        change_note: Some("Longer pause".into()),
        rolled_back_from: Some(1),
    }
}

fn workflow_execution() -> Execution {
    let pinned = PinnedWorkflow {
        id: workflow_id(),
        name: "Restart what is down".into(),
        version: 2,
        digest: digest(),
    };
    let inner = InnerRun {
        started_at: AT,
        ended_at: Some(AT),
        answer: Some(true),
        child: Some(execution_id()),
        found: Some(json!({"key": "OPS-1"})),
        gate: Some(GateRun { round: 1, subject: digest(), bindings: BTreeMap::from([(step(), digest())]) }),
        way: Some("end".into()),
        called_back: Some(CalledBack { at: AT, error: Some("no".into()), result: json!({"ok": true}) }),
    };
    let awaits = StepState::AwaitsChild { execution: execution_id() };
    let run = StepRun { inner: Some(inner), ..StepRun::of_state(awaits) };
    Execution {
        id: parent_id(),
        pinned: Pinned::Workflow(pinned),
        parent: None,
        state: State::Waiting { until: AT, on: WaitingOn::Child },
        steps: BTreeMap::from([(step(), run)]),
        ..execution()
    }
}

fn parent() -> Parent {
    Parent {
        execution: parent_id(),
        step: step(),
        workflow: Some(ParentWorkflow { id: workflow_id(), name: "Restart what is down".into() }),
        runbooks: vec![runbook_id()],
        waits: true,
    }
}

fn integration() -> Integration {
    Integration {
        id: IntegrationId::new(AT, 6),
        name: "Prometheus".into(),
        team: Some(team()),
        source: Source::Alertmanager,
        scheme: Scheme::Bearer,
        secrets: vec!["hooks/prometheus".parse().expect("valid")],
        enabled: true,
        created_by: user(),
        created_at: AT,
        updated_at: AT,
        deleted_at: None,
        audit: chain(),
    }
}

pub(super) fn notification() -> Notification {
    let bot =
        SlackTarget::Bot { token: from_json(json!({"$secret": "slack/bot"})), channel: "#payments".into() };
    let notifier = team_settings().settings.notifier.expect("the sample has one");
    let to = "ann@example.com".parse().expect("valid");
    let recipient = |way, user, state| Recipient {
        way,
        user,
        state,
        attempts: 2,
        last_error: Some("the receiver answered 503".into()),
    };
    let recipients = vec![
        recipient(Way::Slack { target: bot, buttons: true }, None, RecipientState::Owed { due: AT }),
        recipient(
            Way::Teams { webhook_url: from_json(json!({"$secret": "teams/url"})) },
            None,
            RecipientState::Abandoned { at: AT },
        ),
        recipient(Way::Notifier { notifier, to }, Some(user()), RecipientState::Sending { until: AT }),
    ];
    let incident = Some(IncidentWords { title: "Checkout is down".into(), priority: Priority::Critical });
    Notification {
        execution: execution_id(),
        number: 1,
        occasion: Occasion::Failure(Failure {
            workflow: workflow_id(),
            workflow_name: "Restart what is down".into(),
            status: ExecutionStatus::Failed,
            step: Some(step()),
            error: "the receiver answered 404".into(),
            at: AT,
        }),
        team: Some(team()),
        incident: Some(incident_id()),
        addressees: Addressees::Known { recipients, incident },
        due_at: Some(AT),
    }
}

fn asking() -> Notification {
    let others = [Approver::PlatformAdmin];
    let asked = Notification::asking(&approval(), &others, Some(&incident_id()), (AT, AT));
    asked.into_iter().next().expect("its team is told")
}

fn team_settings() -> Team {
    let settings = json!({
        "people": {"ann@example.com": {"email": "ann@example.com", "slackUserId": "U012AB3CD"}},
        "slack": {"token": {"$secret": "slack/bot"}, "channel": "#payments"},
        "teams": {"webhookUrl": {"$secret": "teams/url"}},
        "notifier": {"url": "https://mail.example/send", "auth": {"type": "bearer", "token": {"$secret": "mail"}}},
    });
    Team { id: team(), settings: from_json(settings), updated_by: user(), updated_at: AT, audit: chain() }
}

pub(super) fn account() -> Account {
    Account {
        id: "123456789012".parse().expect("valid"),
        team: team(),
        name: Some("Shop, production".into()),
        set_by: user(),
        created_at: AT,
        updated_at: AT,
        removed_at: None,
        audit: chain(),
    }
}

pub(super) fn workflow_id() -> WorkflowId {
    WorkflowId::new(AT, 5)
}

fn cause() -> Cause {
    let by = Actor::Workflow { workflow: workflow_id(), execution: parent_id() };
    Cause {
        chain: vec![workflow_id()],
        causation_id: Some(format!("{}-2", incident_id())),
        traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".into()),
        ..Cause::first(by, "req-1")
    }
}

fn audit_entry() -> muster_domain::audit::AuditEntry {
    let fact = Fact { action: "runbook.approved", actor: Some(user()), detail: json!({"version": 3}) };
    chain().append(Resource::Runbook(runbook_id()), Some(team()), fact, AT).0
}

pub(super) fn idempotency() -> IdempotencyRecord {
    IdempotencyRecord { scope: digest(), request: digest(), reply: json!({"execution": "1"}), expires_at: AT }
}

fn control() -> Control {
    from_json(json!({
        "scope": Scope::Team(team()),
        "switch": {
            "engaged": true, "reason": "deploy freeze", "setBy": user(), "setAt": AT, "audit": chain(),
        },
        "freezes": {
            "windows": [{
                "id": FreezeId::new(AT, 6), "name": "Sale", "from": AT, "until": AT, "reason": "the shop must stand",
                "setBy": user(), "setAt": AT,
            }],
            "audit": chain(),
        },
    }))
}

fn break_glass() -> BreakGlassLog {
    from_json(json!({
        "glasses": [{
            "id": glass_id(), "scope": "global", "reason": "the database is down", "by": user(), "at": AT,
            "expiresAt": AT, "revoked": {"by": user(), "at": AT},
            "reviewed": {"by": user(), "at": AT, "note": "it was needed"},
        }],
        "audit": chain(),
    }))
}

fn glass_id() -> BreakGlassId {
    BreakGlassId::new(AT, 7)
}
