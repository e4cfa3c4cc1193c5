//! A team's settings from a file: parsed, and checked by the domain's own rules before they are sent.

use std::path::Path;

use muster_domain::fault::Fault;
use muster_domain::ids::TeamId;
use muster_domain::notification::TeamSettings;
use serde_json::Value;

use super::faults::FileFaults;
use super::located::{Located, Places, located};
use super::source::{FileError, Source};
use super::{secrets, typed};

/// Settings without faults of their own; whether its secrets are stored, the server finds out when it needs them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CheckedTeam {
    pub(crate) team: TeamId,
    pub(crate) settings: TeamSettings,
    pub(crate) name: String,
    /// Where its parts stand in the file, for what the server may say of them.
    pub(crate) places: Places,
}

pub(crate) fn read_team(path: &Path) -> Result<CheckedTeam, FileError> {
    Ok(check(&Source::read(path)?)?)
}

/// Parses and checks; every fault is reported with its place.
fn check(source: &Source) -> Result<CheckedTeam, FileFaults> {
    let Located { mut value, places } = located(source)?;
    let fail = |faults: Vec<Fault>| FileFaults::of(&source.name, faults, &places);
    let team = take_team(&mut value).map_err(|fault| fail(vec![fault]))?;
    let mut faults = secrets::team_faults(&value);
    faults.extend(typed::take_unknown_fields::<TeamSettings>(&mut value));
    if !faults.is_empty() {
        return Err(fail(faults));
    }
    let settings: TeamSettings = typed::definition(&value).map_err(|fault| fail(vec![fault]))?;
    let faults = settings.faults();
    if !faults.is_empty() {
        return Err(fail(faults));
    }
    Ok(CheckedTeam { team, settings, name: source.name.clone(), places })
}

/// The file says whose settings it holds, so that it cannot be applied to another team by mistake.
fn take_team(value: &mut Value) -> Result<TeamId, Fault> {
    let missing = "must be an object with `teamId` and the settings: `people`, `slack`, `teams`, `notifier`";
    let members = value.as_object_mut().ok_or_else(|| Fault::new("", missing))?;
    let team = members.remove("teamId").ok_or_else(|| Fault::new("", missing))?;
    serde_json::from_value(team).map_err(|error| Fault::new("/teamId", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_faults(text: &str, expected: &[&str]) {
        let source = Source { name: "ops.yaml".into(), text: text.into() };
        let faults = check(&source).expect_err(text);
        let seen: Vec<String> = faults.faults.iter().map(ToString::to_string).collect();
        assert_eq!(seen, expected, "{text}");
    }

    #[test]
    fn every_fault_has_its_line_and_secrets_are_never_repeated() {
        check_faults(
            "teamId: ops\nslack:\n  webhookUrl: https://hooks.slack.example/hunter2\n",
            &[concat!(
                r#":3:3: /slack/webhookUrl: must not hold the secret itself: store it under a name and write "#,
                r#"{"$secret": "name"}"#
            )],
        );
        check_faults(
            "teamId: ops\npeople:\n  ann: {}\n",
            &[":3:3: /people/ann: says no way; give `email` or `slackUserId`, or remove the entry"],
        );
        check_faults(
            "teamId: ops\npager: {}\n",
            &[":2:1: /pager: is no field; remove it. There are: people, slack, teams, notifier, risk"],
        );
        check_faults("teamId: o o\n", &[":1:1: /teamId: expected 1 to 64 letters, digits, `-`, `_` or `.`"]);
    }

    #[test]
    fn the_sample_is_valid() {
        let text = include_str!("../../../../events/teams/ops.yaml");
        let checked = check(&Source { name: "ops.yaml".into(), text: text.into() });
        assert_eq!(checked.map(|checked| checked.team.to_string()), Ok("ops".into()));
    }
}
