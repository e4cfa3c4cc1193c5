//! Inbound webhooks of monitoring tools: set up, look, try out.

mod proof;
mod sample;
mod scheme;
mod trial;

use clap::{ArgAction, Args, Subcommand};
use muster_domain::ids::{IntegrationId, SecretName, TeamId};
use muster_domain::sources::Source;
use serde_json::{Value, json};

use self::sample::source_parser;
use self::scheme::SchemeArgs;
pub(crate) use self::trial::{Delivery, DeliveryError};
use super::Command;
use super::api::{Call, IdempotencyKey, OfTeam, object};
use super::context::Context;
use super::ended::Ended;
use super::error::OperatorError;
use super::output::{Layout, field, timestamp};

#[derive(Debug, Subcommand)]
pub(crate) enum HookCommand {
    /// Make an address at which one sender reports
    Create(Create),
    /// List integrations, newest first
    List(OfTeam),
    /// Show an integration
    Get(Get),
    /// Delete an integration: its address answers no more
    Delete(Delete),
    /// Send it a sample of its source, signed as it expects; a firing opens a real incident
    Test(trial::Test),
}

impl Command for HookCommand {
    async fn run(self, context: &Context) -> Result<Ended, OperatorError> {
        match self {
            Self::Create(command) => context.show(command.call(), integration).await?,
            Self::List(command) => {
                context.show_list(command.call("integrations"), &command.pages, integrations).await?
            }
            Self::Get(command) => context.show(command.call(), integration).await?,
            Self::Delete(command) => command.run(context).await?,
            Self::Test(command) => command.run(context).await?,
        }
        Ok(Ended::SUCCESS)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// What reports there
    #[arg(long, value_parser = source_parser())]
    source: Source,
    #[command(flatten)]
    scheme: SchemeArgs,
    /// Name of a stored secret, not its value; a second one while a secret is changed
    #[arg(long = "secret", value_name = "NAME", required = true, action = ArgAction::Append)]
    secrets: Vec<SecretName>,
    /// The team whose incidents it opens
    #[arg(long, value_name = "TEAM")]
    team: Option<TeamId>,
    /// Name of this request, under which it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

impl Create {
    fn call(&self) -> Call {
        let body = object(json!({
            "name": self.name,
            "source": self.source.as_str(),
            "scheme": self.scheme.body(),
            "secrets": self.secrets,
            "teamId": self.team,
        }));
        Call::post(&["api", "integrations"], body).key(self.idempotency_key.clone())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The integration
    id: IntegrationId,
}

impl Get {
    fn call(&self) -> Call {
        path_of(&self.id)
    }
}

/// Reads an integration.
fn path_of(id: &IntegrationId) -> Call {
    Call::get(&["api", "integrations", id.as_str()])
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// The integration
    id: IntegrationId,
    /// Refuse if the integration is not as it was under this ETag
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
}

impl Delete {
    async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let call = Call::delete(&["api", "integrations", self.id.as_str()]);
        context.send(call.if_match(self.if_match.clone())).await?;
        context.printer.note(&format!("Deleted {}", self.id));
        Ok(())
    }
}

fn integration(body: &Value) -> Layout {
    let at = |pointer| field(body, pointer);
    Layout::facts(vec![
        ("ID", at("/id")),
        ("Name", at("/name")),
        ("Source", at("/source")),
        ("Scheme", at("/scheme")),
        ("Secrets", at("/secrets")),
        ("Team", at("/teamId")),
        ("Enabled", at("/enabled")),
        ("Delivers to", at("/deliveryPath")),
        ("Created by", at("/createdBy")),
        ("Created", timestamp(body, "/createdAt")),
    ])
}

fn integrations(body: &Value) -> Layout {
    Layout::rows(&["ID", "SOURCE", "ENABLED", "TEAM", "CREATED", "NAME"], body, |item| {
        vec![
            field(item, "/id"),
            field(item, "/source"),
            field(item, "/enabled"),
            field(item, "/teamId"),
            timestamp(item, "/createdAt"),
            field(item, "/name"),
        ]
    })
}

/// What the server made of a delivery.
pub(crate) fn delivered(body: &Value) -> Layout {
    let at = |pointer| field(body, pointer);
    Layout::facts(vec![
        ("Accepted", at("/accepted")),
        ("Ignored", at("/ignored")),
        ("Incidents", at("/incidents")),
    ])
}
