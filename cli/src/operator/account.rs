//! AWS accounts: whose the alarms are that an account sends by the bus.

use clap::{Args, Subcommand};
use muster_domain::ids::{AccountId, TeamId};
use serde_json::{Value, json};

use super::Command;
use super::api::{Call, OfTeam, object};
use super::context::Context;
use super::ended::Ended;
use super::error::OperatorError;
use super::output::{Layout, field, timestamp};

#[derive(Debug, Subcommand)]
pub(crate) enum AccountCommand {
    /// Give an account to a team: what the bus brings of it is that team's from now on
    Set(Set),
    /// List accounts and their teams
    List(OfTeam),
    /// Take an account from its team: what the bus brings of it is of no team from now on
    Remove(Remove),
}

impl Command for AccountCommand {
    async fn run(self, context: &Context) -> Result<Ended, OperatorError> {
        match self {
            Self::Set(command) => context.show(command.call(), account).await?,
            Self::List(command) => {
                context.show_list(command.call("accounts"), &command.pages, accounts).await?
            }
            Self::Remove(command) => command.run(context).await?,
        }
        Ok(Ended::SUCCESS)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Set {
    /// The account's 12 digits
    id: AccountId,
    /// Whose incidents its alarms are
    #[arg(long, value_name = "TEAM")]
    team: TeamId,
    /// What people call it
    #[arg(long, value_name = "TEXT")]
    name: Option<String>,
    /// Refuse if the account is not as it was under this ETag
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
}

impl Set {
    fn call(&self) -> Call {
        let body = object(json!({"teamId": self.team, "name": self.name}));
        Call::put(&["api", "accounts", self.id.as_str()], body).if_match(self.if_match.clone())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// The account's 12 digits
    id: AccountId,
    /// Refuse if the account is not as it was under this ETag
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
}

impl Remove {
    async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let call = Call::delete(&["api", "accounts", self.id.as_str()]);
        context.send(call.if_match(self.if_match.clone())).await?;
        context.printer.note(&format!("Removed {}", self.id));
        Ok(())
    }
}

fn account(body: &Value) -> Layout {
    let at = |pointer| field(body, pointer);
    Layout::facts(vec![
        ("Account", at("/accountId")),
        ("Team", at("/teamId")),
        ("Name", at("/name")),
        ("Set by", at("/setBy")),
        ("Changed", timestamp(body, "/updatedAt")),
    ])
}

fn accounts(body: &Value) -> Layout {
    Layout::rows(&["ACCOUNT", "TEAM", "CHANGED", "NAME"], body, |item| {
        vec![
            field(item, "/accountId"),
            field(item, "/teamId"),
            timestamp(item, "/updatedAt"),
            field(item, "/name"),
        ]
    })
}
