//! The audit log: read it, take it away, prove it.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use jiff::civil::Date;
use muster_app::audit::{AuditExport, Unproven};
use muster_app::clock::SystemClock;
use muster_app::ports::Clock as _;
use muster_domain::audit::Resource;
use muster_domain::ids::TeamId;
use muster_domain::time::Time;
use serde_json::{Value, json};

use super::Command;
use super::api::{Call, PageArgs};
use super::context::Context;
use super::ended::Ended;
use super::error::OperatorError;
use super::output::{Layout, field};
use crate::exit::Exit;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditCommand {
    /// List a day's entries, newest first
    List(List),
    /// Prove that nothing was changed, removed or reordered
    Verify(Verify),
    /// Write all entries of a resource as JSON, for `verify --file`
    Export(Export),
}

impl Command for AuditCommand {
    async fn run(self, context: &Context) -> Result<Ended, OperatorError> {
        match self {
            Self::List(command) => context.show_list(command.call(), &command.pages, entries).await?,
            Self::Verify(command) => command.run(context).await?,
            Self::Export(command) => command.run(context).await?,
        }
        Ok(Ended::SUCCESS)
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum AuditError {
    #[error("name a resource, or an export with --file")]
    NothingNamed,
    #[error("reading the export {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("{from} holds no audit export")]
    NoExport {
        from: String,
        #[source]
        cause: serde_json::Error,
    },
    #[error("NOT PROVEN")]
    Unproven(#[source] Unproven),
}

impl AuditError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NothingNamed | Self::Read { .. } | Self::NoExport { .. } => Exit::Usage,
            Self::Unproven(_) => Exit::Failure,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Entries of this team; those of no team unless given
    #[arg(long, value_name = "TEAM")]
    team: Option<TeamId>,
    /// The UTC day, as in 2026-03-01; today unless given
    #[arg(long, value_name = "DATE")]
    day: Option<Date>,
    #[command(flatten)]
    pages: PageArgs,
}

impl List {
    fn call(&self) -> Call {
        let now = || jiff::Timestamp::from_millisecond(SystemClock.now().millis()).unwrap_or_default();
        let today = || now().to_zoned(jiff::tz::TimeZone::UTC).date();
        Call::get(&["api", "audit"])
            .query("teamId", self.team.as_ref())
            .query("day", Some(self.day.unwrap_or_else(today)))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// A runbook, execution or incident, or `control:SCOPE` for a kill switch
    resource: Resource,
}

impl Export {
    async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let body = context.send(call_of(&self.resource)).await?.body;
        Ok(context.printer.line(&format!("{body:#}"))?)
    }
}

fn call_of(resource: &Resource) -> Call {
    Call::get(&["api", "audit", &resource.to_string()])
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A runbook, execution or incident, or `control:SCOPE` for a kill switch
    #[arg(conflicts_with = "file")]
    resource: Option<Resource>,
    /// Verify this export instead; asks no server
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
}

impl Verify {
    async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let export = match &self.file {
            Some(path) => from_file(path)?,
            None => self.ask(context).await?,
        };
        let verdict = export.verify();
        context.printer.data(&report(&export, verdict.as_ref().err()), proof)?;
        Ok(verdict.map_err(AuditError::Unproven)?)
    }

    async fn ask(&self, context: &Context) -> Result<AuditExport, OperatorError> {
        let resource = self.resource.as_ref().ok_or(AuditError::NothingNamed)?;
        let body = context.send(call_of(resource)).await?.body;
        Ok(parsed(serde_json::from_value(body), "the answer")?)
    }
}

fn from_file(path: &PathBuf) -> Result<AuditExport, AuditError> {
    let text =
        std::fs::read_to_string(path).map_err(|cause| AuditError::Read { path: path.clone(), cause })?;
    parsed(serde_json::from_str(&text), &path.display().to_string())
}

fn parsed(export: serde_json::Result<AuditExport>, from: &str) -> Result<AuditExport, AuditError> {
    export.map_err(|cause| AuditError::NoExport { from: from.to_owned(), cause })
}

/// What was verified and what came of it: the whole of it, so that a script need not read messages.
fn report(export: &AuditExport, broken: Option<&Unproven>) -> Value {
    let mut report = json!({
        "resource": export.resource,
        "proven": broken.is_none(),
        "entries": export.entries.len(),
        "head": export.head,
    });
    if let Some(members) = report.as_object_mut() {
        if let Some(trail) = &export.trail {
            members.insert("trailEntries".into(), trail.entries.len().into());
        }
        if let Some(broken) = broken {
            members.insert("broken".into(), muster_app::error::chain(broken).into());
        }
    }
    report
}

fn proof(report: &Value) -> Layout {
    let at = |pointer| field(report, pointer);
    Layout::facts(vec![
        ("Resource", at("/resource")),
        ("Proven", at("/proven")),
        ("Entries", at("/entries")),
        ("Head", at("/head/hash")),
        ("Trail entries", at("/trailEntries")),
        ("Broken", at("/broken")),
    ])
}

fn entries(body: &Value) -> Layout {
    Layout::rows(&["TIME", "RESOURCE", "SEQ", "ACTION", "ACTOR", "DETAIL"], body, |item| {
        vec![
            moment(item),
            field(item, "/resource"),
            field(item, "/seq"),
            field(item, "/action"),
            field(item, "/actor"),
            field(item, "/detail"),
        ]
    })
}

/// Entries keep the milliseconds under which they were hashed.
fn moment(entry: &Value) -> String {
    match entry.get("at").and_then(Value::as_i64) {
        Some(millis) => Time::from_millis(millis).to_string(),
        None => field(entry, "/at"),
    }
}
