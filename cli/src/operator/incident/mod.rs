//! Incidents: open, read, change, follow.

mod applicable;
mod change;
mod watch;

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use muster_domain::ids::{IncidentId, TeamId, UserId};
use serde_json::{Value, json};

pub(crate) use self::watch::IncidentWatchError;
use super::Command;
use super::api::{Call, IdempotencyKey, OfTeam, PageArgs, object};
use super::context::Context;
use super::ended::{Ended, help};
use super::error::OperatorError;
use super::file::{FileError, Source, located};
use super::output::{Layout, field, timestamp};
use super::parameters::{JsonObject, KeyValue, ParameterError, merged};

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentCommand {
    /// Open an incident
    Create(Create),
    /// Show an incident
    Get(Get),
    /// List incidents, newest first
    List(OfTeam),
    /// Say which workflows its events started, which not, and why; newest first
    Decisions(Decisions),
    /// Say which approved runbooks fit an incident, the best first, and why
    Runbooks(applicable::Runbooks),
    /// Say that you look after an incident
    Ack(change::Ack),
    /// Say that an incident is over
    Resolve(change::Resolve),
    /// Raise an incident by one level
    Escalate(change::Escalate),
    /// Follow an incident until it is resolved or closed; Ctrl-C stops watching and changes nothing
    #[command(after_help = help())]
    Watch(watch::Watch),
}

impl Command for IncidentCommand {
    async fn run(self, context: &Context) -> Result<Ended, OperatorError> {
        match self {
            Self::Create(command) => context.show(command.call()?, incident).await?,
            Self::Get(command) => context.show(command.call(), incident).await?,
            Self::List(command) => {
                context.show_list(command.call("incidents"), &command.pages, incidents).await?
            }
            Self::Decisions(command) => {
                context.show_list(command.call(), &command.pages, decisions).await?;
            }
            Self::Runbooks(command) => context.show(command.call(), applicable::runbooks).await?,
            Self::Ack(command) => context.show(command.call(), incident).await?,
            Self::Resolve(command) => context.show(command.call(), incident).await?,
            Self::Escalate(command) => context.show(command.call(), incident).await?,
            Self::Watch(command) => return watch::watch(context, &command.id).await,
        }
        Ok(Ended::SUCCESS)
    }
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Priority {
    Low,
    Medium,
    High,
    Critical,
}

impl Priority {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "LOW",
            Self::Medium => "MEDIUM",
            Self::High => "HIGH",
            Self::Critical => "CRITICAL",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// YAML or JSON file with the whole incident, instead of the options below; `-` reads standard input
    #[arg(short, long, value_name = "FILE", conflicts_with_all = ["title", "priority", "team", "assignee", "metadata", "member"])]
    file: Option<PathBuf>,
    /// What is wrong
    #[arg(long, value_name = "TEXT", required_unless_present = "file")]
    title: Option<String>,
    /// How bad it is
    #[arg(long, value_enum, ignore_case = true, default_value = "medium")]
    priority: Priority,
    /// The team it belongs to
    #[arg(long, value_name = "TEAM")]
    team: Option<TeamId>,
    /// Who takes care of it
    #[arg(long, value_name = "USER")]
    assignee: Option<UserId>,
    /// Facts for templates, as a JSON object
    #[arg(long, value_name = "JSON")]
    metadata: Option<JsonObject>,
    /// One fact; the value is JSON if it parses as such, else a text
    #[arg(short, value_name = "KEY=VALUE")]
    member: Vec<KeyValue>,
    /// Name of this request, under which it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

impl Create {
    fn call(&self) -> Result<Call, OperatorError> {
        let body = match &self.file {
            Some(path) => file_body(path)?,
            None => self.body()?,
        };
        Ok(Call::post(&["api", "incidents"], body).key(self.idempotency_key.clone()))
    }

    fn body(&self) -> Result<Value, ParameterError> {
        Ok(object(json!({
            "title": self.title,
            "priority": self.priority.as_str(),
            "teamId": self.team,
            "assignee": self.assignee,
            "metadata": merged(self.metadata.as_ref(), &self.member)?,
        })))
    }
}

/// The file's content as it is: the server names what is wrong with it.
fn file_body(path: &std::path::Path) -> Result<Value, FileError> {
    Ok(located(&Source::read(path)?)?.value)
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The incident
    id: IncidentId,
}

impl Get {
    fn call(&self) -> Call {
        call_of(&self.id)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Decisions {
    /// The incident
    id: IncidentId,
    #[command(flatten)]
    pages: PageArgs,
}

impl Decisions {
    fn call(&self) -> Call {
        Call::get(&["api", "incidents", self.id.as_str(), "decisions"])
    }
}

fn call_of(id: &IncidentId) -> Call {
    Call::get(&["api", "incidents", id.as_str()])
}

fn incident(body: &Value) -> Layout {
    let at = |pointer| field(body, pointer);
    Layout::facts(vec![
        ("ID", at("/id")),
        ("Title", at("/title")),
        ("Priority", at("/priority")),
        ("Status", at("/status")),
        ("Team", at("/teamId")),
        ("Assignee", at("/assignee")),
        ("Metadata", at("/metadata")),
        ("Opened by", at("/createdBy")),
        ("Opened", timestamp(body, "/createdAt")),
        ("Changed", timestamp(body, "/updatedAt")),
        ("Escalation", at("/escalation")),
        ("Source", at("/source/name")),
    ])
}

fn incidents(body: &Value) -> Layout {
    Layout::rows(&["ID", "PRIORITY", "STATUS", "TEAM", "OPENED", "TITLE"], body, |item| {
        vec![
            field(item, "/id"),
            field(item, "/priority"),
            field(item, "/status"),
            field(item, "/teamId"),
            timestamp(item, "/createdAt"),
            field(item, "/title"),
        ]
    })
}

fn decisions(body: &Value) -> Layout {
    Layout::rows(&["AT", "EVENT", "WORKFLOW", "OUTCOME", "EXECUTION", "WHY"], body, |item| {
        vec![
            timestamp(item, "/at"),
            field(item, "/event"),
            field(item, "/workflowName"),
            field(item, "/outcome"),
            field(item, "/executionId"),
            why(item),
        ]
    })
}

/// What did not hold; where all did, that.
fn why(decision: &Value) -> String {
    let reasons = decision.get("reasons").and_then(Value::as_array);
    let failed =
        reasons.into_iter().flatten().filter(|reason| reason.get("holds") == Some(&Value::Bool(false)));
    let said = failed.map(|reason| {
        let at = |pointer| field(reason, pointer);
        format!("{}: expected {}, seen {}", at("/name"), at("/expected"), at("/seen"))
    });
    let said: Vec<String> = said.collect();
    if said.is_empty() { "all holds".to_owned() } else { said.join("; ") }
}
