//! Broken glass: start, list, revoke, review.

use clap::{Args, Subcommand};
use muster_domain::control::Scope;
use muster_domain::ids::BreakGlassId;
use serde_json::{Value, json};

use super::Command;
use super::api::{Call, object};
use super::context::Context;
use super::ended::Ended;
use super::error::OperatorError;
use super::output::{Layout, field, timestamp};

#[derive(Debug, Subcommand)]
pub(crate) enum BreakGlassCommand {
    /// Let changes of a scope begin in spite of freezes, for a short time; another platform admin reviews it
    Start(Start),
    /// List who broke the glass and why, the newest first
    List(List),
    /// End one before its time; what has begun by it goes on
    Revoke(Revoke),
    /// Note what you found of one that another person broke and that is over
    Review(Review),
}

impl Command for BreakGlassCommand {
    async fn run(self, context: &Context) -> Result<Ended, OperatorError> {
        match self {
            Self::Start(start) => context.show(start.call(), glass).await?,
            Self::List(list) => context.show(list.call(), glasses).await?,
            Self::Revoke(revoke) => context.show(revoke.call(), glass).await?,
            Self::Review(review) => context.show(review.call(), glass).await?,
        }
        Ok(Ended::SUCCESS)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Start {
    /// `global`, `team:TEAM` or `runbook:RUNBOOK`
    scope: Scope,
    /// Why
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// For how long, at most 240; an hour unless given
    #[arg(long, value_name = "NUMBER")]
    minutes: Option<u32>,
}

impl Start {
    fn call(&self) -> Call {
        let seconds = self.minutes.map(|minutes| u64::from(minutes).saturating_mul(60));
        let body = json!({"scope": self.scope, "reason": self.reason, "durationSeconds": seconds});
        Call::post(&["api", "break-glass"], object(body))
    }
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Only what waits for review
    #[arg(long)]
    unreviewed: bool,
}

impl List {
    fn call(&self) -> Call {
        Call::get(&["api", "break-glass"]).query("unreviewed", self.unreviewed.then_some("true"))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    /// The break-glass, as `list` shows it
    id: BreakGlassId,
}

impl Revoke {
    fn call(&self) -> Call {
        Call::post(&["api", "break-glass", self.id.as_str(), "revoke"], json!({}))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Review {
    /// The break-glass, as `list` shows it
    id: BreakGlassId,
    /// What you found
    #[arg(long, value_name = "TEXT")]
    note: String,
}

impl Review {
    fn call(&self) -> Call {
        Call::post(&["api", "break-glass", self.id.as_str(), "review"], json!({"note": self.note}))
    }
}

fn state(glass: &Value) -> &'static str {
    match (glass.get("active").and_then(Value::as_bool), glass.get("reviewed")) {
        (Some(true), _) => "ACTIVE",
        (Some(false) | None, None) => "TO REVIEW",
        (Some(false) | None, Some(_)) => "REVIEWED",
    }
}

fn glass(body: &Value) -> Layout {
    let at = |pointer| field(body, pointer);
    let mut facts = vec![
        ("ID", at("/id")),
        ("Scope", at("/scope")),
        ("State", state(body).to_owned()),
        ("By", at("/by")),
        ("Reason", at("/reason")),
        ("Begun", timestamp(body, "/at")),
        ("Expires", timestamp(body, "/expiresAt")),
    ];
    facts.extend(body.get("revoked").map(|_| ("Revoked by", at("/revoked/by"))));
    let review = |_| ("Reviewed", format!("by {}: {}", at("/reviewed/by"), at("/reviewed/note")));
    facts.extend(body.get("reviewed").map(review));
    Layout::facts(facts)
}

fn glasses(body: &Value) -> Layout {
    Layout::rows(&["SCOPE", "STATE", "BY", "BEGUN", "EXPIRES", "REASON", "ID"], body, |item| {
        let at = |pointer| field(item, pointer);
        vec![
            at("/scope"),
            state(item).to_owned(),
            at("/by"),
            timestamp(item, "/at"),
            timestamp(item, "/expiresAt"),
            at("/reason"),
            at("/id"),
        ]
    })
}
