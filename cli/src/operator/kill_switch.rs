//! Kill switches: look, engage, release.

use clap::{Args, Subcommand};
use muster_domain::control::Scope;
use serde_json::{Value, json};

use super::Command;
use super::api::Call;
use super::context::Context;
use super::ended::Ended;
use super::error::OperatorError;
use super::output::{Layout, field, timestamp};

#[derive(Debug, Subcommand)]
pub(crate) enum KillSwitchCommand {
    /// Show the switch of a scope
    Get(Get),
    /// Stop: from now on nothing in the scope begins a call
    Engage(Set),
    /// Let the scope go on
    Release(Set),
}

impl Command for KillSwitchCommand {
    async fn run(self, context: &Context) -> Result<Ended, OperatorError> {
        context.show(self.call(), layout).await?;
        Ok(Ended::SUCCESS)
    }
}

impl KillSwitchCommand {
    fn call(&self) -> Call {
        match self {
            Self::Get(get) => Call::get(&["api", "kill-switches", &get.scope.to_string()]),
            Self::Engage(set) => set.call(Wanted::Engaged),
            Self::Release(set) => set.call(Wanted::Released),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// `global`, `team:TEAM` or `runbook:RUNBOOK`
    scope: Scope,
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// `global`, `team:TEAM` or `runbook:RUNBOOK`
    scope: Scope,
    /// Why; shown on every execution that it stops
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

/// What the switch is set to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Engaged,
    Released,
}

impl Set {
    fn call(&self, wanted: Wanted) -> Call {
        let path = ["api", "kill-switches", &self.scope.to_string()];
        let body = json!({"engaged": wanted == Wanted::Engaged, "reason": self.reason});
        Call::put(&path, body)
    }
}

fn layout(body: &Value) -> Layout {
    let engaged = body.get("engaged").and_then(Value::as_bool) == Some(true);
    Layout::facts(vec![
        ("Scope", field(body, "/scope")),
        ("State", if engaged { "ENGAGED" } else { "RELEASED" }.to_owned()),
        ("Reason", field(body, "/reason")),
        ("Set by", field(body, "/setBy")),
        ("Set", timestamp(body, "/setAt")),
    ])
}
