//! Reading runbooks, their versions, and what differs between versions.

use clap::{Args, ValueEnum};
use muster_domain::ids::{RunbookId, TeamId};

use super::layout;
use crate::operator::api::{Call, PageArgs};
use crate::operator::context::Context;
use crate::operator::error::OperatorError;

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The runbook
    id: RunbookId,
}

impl Get {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let reply = context.send(self.call()).await?;
        context.printer.data(&reply.body, layout::runbook)?;
        if let Some(etag) = reply.etag {
            context.printer.note(&format!("ETag {etag}, for --if-match"));
        }
        Ok(())
    }

    pub(super) fn call(&self) -> Call {
        Call::get(&["api", "runbooks", self.id.as_str()])
    }
}

/// The status of the newest version.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Status {
    Draft,
    Approved,
    Deprecated,
}

impl Status {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Approved => "APPROVED",
            Self::Deprecated => "DEPRECATED",
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only those of this team
    #[arg(long, value_name = "TEAM")]
    team: Option<TeamId>,
    /// Only those whose newest version has this status
    #[arg(long, value_enum, ignore_case = true)]
    status: Option<Status>,
    /// Only those with this tag
    #[arg(long)]
    tag: Option<String>,
    /// Only those whose name holds this text
    #[arg(long, value_name = "TEXT")]
    search: Option<String>,
    #[command(flatten)]
    pages: PageArgs,
}

impl List {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        context.show_list(self.call(), &self.pages, layout::runbooks).await
    }

    pub(super) fn call(&self) -> Call {
        Call::get(&["api", "runbooks"])
            .query("teamId", self.team.as_ref())
            .query("approvalStatus", self.status.map(Status::as_str))
            .query("tag", self.tag.as_ref())
            .query("q", self.search.as_ref())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Versions {
    /// The runbook
    id: RunbookId,
    /// Show this version instead of the list
    version: Option<u32>,
    #[command(flatten)]
    pages: PageArgs,
}

impl Versions {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        match self.version {
            Some(_) => context.show(self.call(), layout::version).await,
            None => context.show_list(self.call(), &self.pages, layout::versions).await,
        }
    }

    pub(super) fn call(&self) -> Call {
        let path = ["api", "runbooks", self.id.as_str(), "versions"];
        match self.version {
            Some(version) => Call::get(&[&path[..], &[version.to_string().as_str()]].concat()),
            None => Call::get(&path),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Diff {
    /// The runbook
    id: RunbookId,
    /// The version to begin with
    before: u32,
    /// The version to compare it with
    after: u32,
}

impl Diff {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        context.show(self.call(), layout::diff).await
    }

    pub(super) fn call(&self) -> Call {
        let (before, after) = (self.before.to_string(), self.after.to_string());
        let versions = ["versions", &before, "diff", &after];
        Call::get(&[&["api", "runbooks", self.id.as_str()][..], &versions].concat())
    }
}
