//! Running an approved version.

use clap::Args;
use muster_domain::ids::{IncidentId, RunbookId};
use serde_json::{Value, json};

use crate::operator::api::{Call, IdempotencyKey, Problem, object};
use crate::operator::context::Context;
use crate::operator::ended::Ended;
use crate::operator::error::OperatorError;
use crate::operator::execution::{accepted, risk_of};
use crate::operator::output::{Layout, field};
use crate::operator::parameters::{JsonObject, KeyValue, ParameterError, merged};

#[derive(Debug, Args)]
pub(crate) struct Execute {
    /// The runbook
    id: RunbookId,
    /// The incident it is for
    #[arg(long, value_name = "INCIDENT")]
    incident: Option<IncidentId>,
    /// The version to run; the newest approved one unless given
    #[arg(long, value_name = "NUMBER")]
    version: Option<u32>,
    /// All parameters, as a JSON object
    #[arg(long, value_name = "JSON")]
    parameters: Option<JsonObject>,
    /// One parameter; the value is JSON if it parses as such, else a text
    #[arg(short, value_name = "KEY=VALUE")]
    parameter: Vec<KeyValue>,
    /// Show what would be sent, and send nothing
    #[arg(long, conflicts_with = "watch")]
    dry_run: bool,
    /// Follow the execution to its end
    #[arg(short, long)]
    watch: bool,
    /// Name of this request, under which it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

impl Execute {
    /// The same as a dry run.
    pub(super) fn planning(self) -> Self {
        Self { dry_run: true, watch: false, ..self }
    }

    pub(super) async fn run(&self, context: &Context) -> Result<Ended, OperatorError> {
        let sent = context.api()?.send(self.call()?).await;
        let body = sent.map_err(|error| error.told(|problem| self.hinted(problem)))?.body;
        if self.dry_run {
            context.printer.data(&body, planned)?;
            return Ok(Ended::SUCCESS);
        }
        accepted(context, &body, self.watch.into()).await
    }

    /// A plan may be of what is not approved, if it is named.
    fn hinted(&self, problem: Problem) -> Problem {
        match self.version {
            None if self.dry_run && problem.kind == NOT_APPROVED => {
                problem.hinting("give --version N to plan what is not approved yet")
            }
            None | Some(_) => problem,
        }
    }

    pub(super) fn call(&self) -> Result<Call, ParameterError> {
        let parameters = merged(self.parameters.as_ref(), &self.parameter)?;
        let body = object(json!({
            "incidentId": self.incident,
            "version": self.version,
            "parameters": parameters,
            "dryRun": self.dry_run.then_some(true),
        }));
        let path = ["api", "runbooks", self.id.as_str(), "execute"];
        Ok(Call::post(&path, body).key(self.idempotency_key.clone()))
    }
}

/// What the server says of a runbook of which nothing is approved.
const NOT_APPROVED: &str = "/problems/not-approved";

/// The exact requests, secrets as references, and what else each step would do.
fn planned(body: &Value) -> Layout {
    let steps = body.pointer("/dryRun/steps").and_then(Value::as_array);
    let risk = body.pointer("/dryRun/risk").map(|risk| ("Risk", risk_of(risk)));
    let limits = body.pointer("/dryRun/limits").map(planned_limits).unwrap_or_default();
    let freeze = body.pointer("/dryRun/freeze").map(|freeze| ("Freeze", freeze_of(freeze)));
    let steps = steps.into_iter().flatten().flat_map(planned_step);
    Layout::facts(risk.into_iter().chain(limits).chain(freeze).chain(steps).collect())
}

/// What it would work on, and whether it could begin now.
fn planned_limits(limits: &Value) -> Vec<(&'static str, String)> {
    let shown = [("Target", "target"), ("Would wait for", "behind"), ("Would be refused", "refused")];
    let there = shown.into_iter().filter(|(_, member)| limits.get(member).is_some());
    there.map(|(name, member)| (name, field(limits, &format!("/{member}")))).collect()
}

/// The change freeze that a run would meet now.
fn freeze_of(freeze: &Value) -> String {
    let at = |pointer| field(freeze, pointer);
    let meets = match (freeze.get("breakGlass"), freeze.get("prerequisite")) {
        (Some(_), _) => "passed by break-glass".to_owned(),
        (None, Some(_)) => format!("refused by prerequisite {}", at("/prerequisite")),
        (None, None) => "refused".to_owned(),
    };
    format!("{} ({}) until {}: {meets}", at("/name"), at("/scope"), at("/until"))
}

fn planned_step(step: &Value) -> Vec<(&'static str, String)> {
    let mut facts = vec![("Step", field(step, "/step"))];
    facts.extend(step.get("request").into_iter().flat_map(planned_request));
    let undo = |undo| format!("{} {}", field(undo, "/method"), field(undo, "/url"));
    facts.extend(step.get("undo").map(|request| ("Undo", undo(request))));
    let waits = |seconds| format!("waits up to {seconds} s for the receiver to call back");
    facts.extend(step.get("callbackTimeoutSeconds").map(|seconds| ("Callback", waits(seconds))));
    facts.extend(outlook(step).map(|words| ("Outlook", words)));
    facts.extend(step.get("gates").map(|_| ("Approvals", listed(step, "gates"))));
    facts
}

fn planned_request(request: &Value) -> Vec<(&'static str, String)> {
    let at = |pointer| field(request, pointer);
    let headers = request.get("headers").and_then(Value::as_array).into_iter().flatten();
    let header = |header| ("Header", format!("{}: {}", field(header, "/name"), field(header, "/value")));
    let call = ("Request", format!("{} {}", at("/method"), at("/url")));
    let mut facts = vec![call, ("Authentication", at("/auth/type"))];
    facts.extend(headers.map(header));
    facts.extend([("Content type", at("/contentType")), ("Body", at("/body"))]);
    facts
}

/// What a step does that sends no request, in words; nothing of one that surely does.
fn outlook(step: &Value) -> Option<String> {
    let at = |pointer| field(step, pointer);
    let words = match step.get("does")?.as_str()? {
        "sends" => None,
        "starts" => Some(format!("executes runbook {} with {}", at("/runbook"), at("/parameters"))),
        "asks" if step.get("demanded") == Some(&Value::Bool(false)) => {
            Some("asks people if the risk demands it".to_owned())
        }
        "asks" => Some(format!("asks people about {}", listed(step, "covers"))),
        "waits" => Some(format!("waits {} s", at("/seconds"))),
        "judges" => Some(format!("the rule holds: {}", at("/holds"))),
        "branches" => Some(format!("leads to {}", at("/to"))),
        "skipped" => Some(format!("is skipped: {} does not hold", at("/rule"))),
        "passedBy" => Some(format!("is passed by: {} leads past it", at("/branch"))),
        "undecidable" => Some(format!("only a run decides: {}", at("/because"))),
        "fails" => Some(format!("fails: {}", at("/error"))),
        other => Some(other.to_owned()),
    };
    let maybe = step.get("maybe").is_some().then_some("if no branch leads past it");
    match (words, maybe) {
        (Some(words), Some(maybe)) => Some(format!("{words}, {maybe}")),
        (words, maybe) => words.or_else(|| maybe.map(str::to_owned)),
    }
}

fn listed(step: &Value, name: &str) -> String {
    let names = step.get(name).and_then(Value::as_array).into_iter().flatten();
    names.filter_map(Value::as_str).collect::<Vec<_>>().join(", ")
}
