//! Teams: how their people and channels are told of failures.

mod apply;

use clap::{Args, Subcommand};
use muster_domain::ids::TeamId;
use serde_json::Value;

use super::Command;
use super::api::Call;
use super::context::Context;
use super::ended::Ended;
use super::error::OperatorError;
use super::output::{Layout, clean, field, timestamp};

#[derive(Debug, Subcommand)]
pub(crate) enum TeamCommand {
    /// Show and set the settings of a team
    #[command(subcommand)]
    Settings(SettingsCommand),
}

#[derive(Debug, Subcommand)]
pub(crate) enum SettingsCommand {
    /// Show the settings of a team
    Get(Get),
    /// Make the settings of a team what a file says; what it leaves out is not told any more
    Apply(apply::Apply),
}

impl Command for TeamCommand {
    async fn run(self, context: &Context) -> Result<Ended, OperatorError> {
        match self {
            Self::Settings(SettingsCommand::Get(command)) => command.run(context).await?,
            Self::Settings(SettingsCommand::Apply(command)) => command.run(context).await?,
        }
        Ok(Ended::SUCCESS)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    /// The team
    team: TeamId,
}

impl Get {
    async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let reply = context.send(Call::get(&["api", "teams", self.team.as_str(), "settings"])).await?;
        context.printer.data(&reply.body, layout)?;
        if let Some(etag) = reply.etag {
            context.printer.note(&format!("ETag {etag}"));
        }
        Ok(())
    }
}

fn layout(body: &Value) -> Layout {
    let at = |pointer| field(body, pointer);
    let people = body.get("people").and_then(Value::as_object).into_iter().flatten();
    let people: Vec<String> = people.map(|(user, person)| format!("{user} {}", ways(person))).collect();
    Layout::facts(vec![
        ("Team", at("/teamId")),
        ("People", if people.is_empty() { "-".to_owned() } else { people.join(", ") }),
        ("Slack", at("/slack")),
        ("Teams", at("/teams")),
        ("Notifier", at("/notifier/url")),
        ("Updated by", at("/updatedBy")),
        ("Updated", timestamp(body, "/updatedAt")),
    ])
}

/// How one person is reached, and as what they answer in Slack, in parentheses.
fn ways(person: &Value) -> String {
    let ways = ["email", "slackUserId"].into_iter().filter_map(|way| person.get(way)?.as_str());
    let mut ways: Vec<String> = ways.map(clean).collect();
    let groups = field(person, "/slackGroups");
    ways.extend((groups != "-").then(|| format!("answers in Slack as {groups}")));
    format!("({})", ways.join(", "))
}
