//! Running an approved version.

use clap::Args;
use muster_domain::ids::{IncidentId, RunbookId};
use serde_json::{Value, json};

use crate::operator::api::{Call, IdempotencyKey, object};
use crate::operator::context::Context;
use crate::operator::ended::Ended;
use crate::operator::error::OperatorError;
use crate::operator::execution::accepted;
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
    pub(super) async fn run(&self, context: &Context) -> Result<Ended, OperatorError> {
        let body = context.send(self.call()?).await?.body;
        if self.dry_run {
            context.printer.data(&body, planned)?;
            return Ok(Ended::SUCCESS);
        }
        accepted(context, &body, self.watch.into()).await
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

/// The exact requests, secrets as references.
fn planned(body: &Value) -> Layout {
    let steps = body.pointer("/dryRun/steps").and_then(Value::as_array);
    Layout::facts(steps.into_iter().flatten().flat_map(planned_step).collect())
}

fn planned_step(step: &Value) -> Vec<(&'static str, String)> {
    let at = |pointer| field(step, pointer);
    let mut facts = vec![
        ("Step", at("/step")),
        ("Request", format!("{} {}", at("/request/method"), at("/request/url"))),
        ("Authentication", at("/request/auth/type")),
    ];
    let headers = step.pointer("/request/headers").and_then(Value::as_array);
    facts.extend(
        headers
            .into_iter()
            .flatten()
            .map(|header| ("Header", format!("{}: {}", field(header, "/name"), field(header, "/value")))),
    );
    facts.push(("Content type", at("/request/contentType")));
    facts.push(("Body", at("/request/body")));
    facts
}
