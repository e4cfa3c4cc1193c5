//! The story of the demo: each act asks the server over HTTP, and nothing else than the expected answer will do.

use std::time::Duration;

use muster_app::audit::AuditExport;
use muster_app::ports::Clock as _;
use muster_domain::runbook::RunbookDefinition;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::DemoError;
use super::alarm::{AlarmScene, Alarmed};
use super::cloudwatch::CloudWatch;
use super::person::{Person, text};
use super::phases::{Phased, PhasesScene};
use super::receiver::{OUTAGES, Receiver, Signature};
use super::tell;
use super::timeline::Timeline;
use muster_app::clock::SystemClock;

/// How often the demo looks at what the execution does.
pub(super) const LOOK: Duration = Duration::from_millis(50);
/// The execution takes about 3 s: two waits before the second and the third attempt.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

pub(super) struct Story<'a> {
    /// Writes the runbook and runs it.
    pub(super) ann: &'a Person,
    /// Approves it.
    pub(super) bob: &'a Person,
    pub(super) receiver: &'a Receiver,
    pub(super) cloudwatch: &'a CloudWatch,
    pub(super) phases: PhasesScene<'a>,
}

/// What the story leaves behind.
pub(super) struct Told {
    pub(super) runbook: String,
    pub(super) incident: String,
    pub(super) execution: String,
    pub(super) alarmed: Alarmed,
    pub(super) phased: Phased,
}

impl Story<'_> {
    pub(super) async fn play(&self, definition: &RunbookDefinition) -> Result<Told, DemoError> {
        let runbook = self.write(definition).await?;
        self.fail_to_approve(&runbook).await?;
        self.approve(&runbook).await?;
        let incident = self.open_incident().await?;
        let execution = self.execute(&runbook, &incident).await?;
        self.follow(&execution).await?;
        self.compare_calls()?;
        let alarmed = self.alarm(&runbook).await?;
        let phased = self.phases.play().await?;
        tell("22. Every audit chain is whole, and a word changed in one would be noticed:")?;
        let Alarmed { workflow, incident: opened, execution: started, child, .. } = &alarmed;
        let Phased { runbook: drains, undone, resolved, .. } = &phased;
        for resource in
            [&runbook, &incident, &execution, workflow, opened, started, child, drains, undone, resolved]
        {
            self.prove(resource).await?;
        }
        Ok(Told { runbook, incident, execution, alarmed, phased })
    }

    async fn alarm(&self, runbook: &str) -> Result<Alarmed, DemoError> {
        let (ann, cloudwatch, receiver) = (self.ann, self.cloudwatch, self.receiver);
        AlarmScene { ann, cloudwatch, receiver, runbook }.play().await
    }

    async fn write(&self, definition: &RunbookDefinition) -> Result<String, DemoError> {
        let body = serde_json::to_value(definition).unwrap_or_default();
        let runbook = self.ann.post("/api/runbooks", &body).await?.expect(201)?;
        let (name, status) = (text(&runbook, "/name"), text(&runbook, "/approvalStatus"));
        tell(&format!(
            "1. {} ({}) writes the runbook \"{name}\": {status}",
            self.ann.name,
            self.ann.groups.join(", ")
        ))?;
        Ok(text(&runbook, "/id").to_owned())
    }

    async fn fail_to_approve(&self, runbook: &str) -> Result<(), DemoError> {
        let path = format!("/api/runbooks/{runbook}/approve");
        let refused = self.ann.post(&path, &json!({})).await?.expect(403)?;
        let (name, reason) = (self.ann.name, text(&refused, "/detail"));
        tell(&format!("2. {name} tries to approve it herself, being an admin: 403, {reason}"))
    }

    async fn approve(&self, runbook: &str) -> Result<(), DemoError> {
        let path = format!("/api/runbooks/{runbook}/approve");
        let approved = self.bob.post(&path, &json!({})).await?.expect(200)?;
        let status = text(&approved, "/approvalStatus");
        tell(&format!("3. {} ({}) approves it: {status}", self.bob.name, self.bob.groups.join(", ")))
    }

    async fn open_incident(&self) -> Result<String, DemoError> {
        let incident = json!({
            "title": "Checkout answers slowly",
            "priority": "HIGH",
            "teamId": "payments",
            "metadata": {"service": "checkout"},
        });
        let incident = self.ann.post("/api/incidents", &incident).await?.expect(201)?;
        let (title, priority) = (text(&incident, "/title"), text(&incident, "/priority"));
        tell(&format!("4. An incident opens: {priority}, \"{title}\""))?;
        Ok(text(&incident, "/id").to_owned())
    }

    async fn execute(&self, runbook: &str, incident: &str) -> Result<String, DemoError> {
        let request = json!({"incidentId": incident, "parameters": {"service": "checkout"}});
        let path = format!("/api/runbooks/{runbook}/execute");
        let accepted = self.ann.post(&path, &request).await?.expect(202)?;
        let execution = text(&accepted, "/execution/id").to_owned();
        tell(&format!("5. {} runs the runbook for the incident: {execution}", self.ann.name))?;
        Ok(execution)
    }

    /// Tells what happens, as it happens.
    async fn follow(&self, execution: &str) -> Result<(), DemoError> {
        let path = format!("/api/executions/{execution}");
        let mut timeline = Timeline::new(SystemClock.now());
        let until = Instant::now() + PATIENCE;
        loop {
            let seen = self.ann.get(&path).await?.expect(200)?;
            for line in timeline.news(&seen, &self.receiver.calls()) {
                tell(&line)?;
            }
            match text(&seen, "/status") {
                "SUCCESS" => return Ok(()),
                "PENDING" | "RUNNING" | "WAITING" if Instant::now() < until => sleep(LOOK).await,
                status => return Err(unexpected("the execution", "SUCCESS", status)),
            }
        }
    }

    /// What arrived: the right number of calls, each signed, each an attempt of its own, all of them one delivery.
    fn compare_calls(&self) -> Result<(), DemoError> {
        let calls = self.receiver.calls();
        let mut attempts: Vec<&str> = calls.iter().map(|call| call.attempt.as_str()).collect();
        attempts.sort_unstable();
        attempts.dedup();
        let Some(first) = calls.first() else {
            return Err(unexpected("the receiver", "calls", "none"));
        };
        let alike = calls.iter().all(|call| call.id == first.id && call.body == first.body);
        let signed = calls.iter().all(|call| call.signature == Signature::Valid);
        let as_expected = calls.len() == OUTAGES + 1 && attempts.len() == calls.len() && alike && signed;
        if !as_expected {
            return Err(unexpected(
                "the receiver",
                "three signed attempts of one delivery",
                &format!("{calls:?}"),
            ));
        }
        tell(&format!(
            "6. The receiver got {} attempts of one delivery, each with the same body:",
            calls.len()
        ))?;
        tell(&format!("     {}", first.body))
    }

    /// Checks a chain from its export alone, and that the check would notice a change.
    async fn prove(&self, resource: &str) -> Result<(), DemoError> {
        let export = self.bob.get(&format!("/api/audit/{resource}")).await?.expect(200)?;
        let unreadable = |source| DemoError::Export { resource: resource.to_owned(), source };
        let export: AuditExport = serde_json::from_value(export).map_err(unreadable)?;
        export.verify()?;
        let actions: Vec<&str> = export.entries.iter().map(|entry| entry.action.as_str()).collect();
        tell(&format!("     {resource}: {}", actions.join(", ")))?;
        let mut forged = export;
        if let Some(entry) = forged.entries.first_mut() {
            entry.detail = Value::Null;
        }
        match forged.verify() {
            Err(_) => Ok(()),
            Ok(()) => Err(unexpected("a forged chain", "a complaint", "none")),
        }
    }
}

pub(super) fn expect(what: &str, expected: &Value, seen: &Value) -> Result<(), DemoError> {
    if expected == seen {
        return Ok(());
    }
    Err(unexpected(what, &expected.to_string(), &seen.to_string()))
}

pub(super) fn unexpected(doing: &str, expected: &str, seen: &str) -> DemoError {
    DemoError::Unexpected { doing: doing.to_owned(), expected: expected.to_owned(), seen: seen.to_owned() }
}
