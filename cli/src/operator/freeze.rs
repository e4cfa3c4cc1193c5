//! Change freezes: list, add, remove.

use clap::{Args, Subcommand};
use muster_domain::freeze::FreezeScope;
use muster_domain::ids::{FreezeId, TeamId};
use serde_json::{Value, json};

use super::Command;
use super::api::{Call, object};
use super::context::Context;
use super::ended::Ended;
use super::error::OperatorError;
use super::output::{Layout, field, timestamp};

#[derive(Debug, Subcommand)]
pub(crate) enum FreezeCommand {
    /// List the windows in which no change begins, what ends first first
    List(List),
    /// Freeze the changes of a scope for a time; what has begun goes on
    Add(Add),
    /// Remove a window, whether it has begun or not
    Remove(Remove),
}

impl Command for FreezeCommand {
    async fn run(self, context: &Context) -> Result<Ended, OperatorError> {
        match self {
            Self::List(list) => context.show(list.call(), freezes).await?,
            Self::Add(add) => context.show(add.call(), freeze).await?,
            Self::Remove(remove) => remove.run(context).await?,
        }
        Ok(Ended::SUCCESS)
    }
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// The global windows and this team's; all teams that you are in unless given
    #[arg(long, value_name = "TEAM")]
    team: Option<TeamId>,
}

impl List {
    fn call(&self) -> Call {
        Call::get(&["api", "freezes"]).query("teamId", self.team.as_ref())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Add {
    /// `global` or `team:TEAM`
    scope: FreezeScope,
    /// What people call it; shown to whoever is refused
    #[arg(long, value_name = "TEXT")]
    name: String,
    /// The first moment that is frozen, as in 2026-11-27T00:00:00Z; now unless given
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The first moment that is not frozen any more, at most 90 days later
    #[arg(long, value_name = "TIME")]
    until: String,
    /// Why; shown to whoever is refused
    #[arg(long, value_name = "TEXT")]
    reason: String,
}

impl Add {
    fn call(&self) -> Call {
        let window =
            json!({"name": self.name, "from": self.from, "until": self.until, "reason": self.reason});
        Call::post(&["api", "freezes", &self.scope.to_string()], object(window))
    }
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// `global` or `team:TEAM`
    scope: FreezeScope,
    /// The window, as `list` shows it
    id: FreezeId,
}

impl Remove {
    async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        context.send(Call::delete(&["api", "freezes", &self.scope.to_string(), self.id.as_str()])).await?;
        context.printer.note(&format!("Removed {}", self.id));
        Ok(())
    }
}

fn state(window: &Value) -> String {
    let active = window.get("active").and_then(Value::as_bool) == Some(true);
    if active { "ACTIVE" } else { "-" }.to_owned()
}

fn freeze(body: &Value) -> Layout {
    let at = |pointer| field(body, pointer);
    Layout::facts(vec![
        ("ID", at("/id")),
        ("Scope", at("/scope")),
        ("Name", at("/name")),
        ("State", state(body)),
        ("From", timestamp(body, "/from")),
        ("Until", timestamp(body, "/until")),
        ("Reason", at("/reason")),
        ("Set by", at("/setBy")),
    ])
}

fn freezes(body: &Value) -> Layout {
    Layout::rows(&["SCOPE", "NAME", "STATE", "FROM", "UNTIL", "SET BY", "ID"], body, |item| {
        let at = |pointer| field(item, pointer);
        vec![
            at("/scope"),
            at("/name"),
            state(item),
            timestamp(item, "/from"),
            timestamp(item, "/until"),
            at("/setBy"),
            at("/id"),
        ]
    })
}
