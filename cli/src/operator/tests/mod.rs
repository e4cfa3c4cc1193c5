//! Whole commands, from the text of the command line to what they send, show and end with.

mod answers;
mod approvals;
mod audit;
mod config;
mod files;
mod hooks;
mod incidents;
mod requests;
mod retries;
mod stub;
mod teams;
mod watching;
mod workflows;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use clap::{CommandFactory, Parser};

use self::stub::Stub;
use super::*;

#[derive(Debug, Parser)]
#[command(name = "muster")]
struct Line {
    #[command(subcommand)]
    command: OperatorCommand,
}

const RUNBOOK: &str = "rb_01JNF0Q2M0000000000000000A";
const EXECUTION: &str = "ex_01JNF0Q2M0000000000000000B";
const WORKFLOW: &str = "wf_01JNF0Q2M0000000000000000D";
const INCIDENT: &str = "inc_01JNF0Q2M0000000000000000C";

/// Waits for nothing.
const AT_ONCE: Pace = Pace { retry: Duration::ZERO, look: Duration::ZERO, longest_look: Duration::ZERO };

/// What a command left behind.
struct Ran {
    code: u8,
    stdout: String,
    stderr: String,
}

/// Parses a line in which RB, EX, INC and WF stand for ids; words are separated by white space alone.
fn parse(line: &str) -> Result<OperatorCommand, clap::Error> {
    let words = line.split_whitespace().map(|word| match word {
        "RB" => RUNBOOK,
        "EX" => EXECUTION,
        "INC" => INCIDENT,
        "WF" => WORKFLOW,
        other => other,
    });
    Line::try_parse_from(std::iter::once("muster").chain(words)).map(|line| line.command)
}

/// Runs a line against a server.
async fn run_on(stub: &Stub, line: &str) -> Ran {
    run_alone(&format!("{line} --url {} --token t", stub.url)).await
}

/// Runs a line as it is.
async fn run_alone(line: &str) -> Ran {
    let command = parse(line).unwrap_or_else(|error| panic!("{line}: {error}"));
    let (data, rest) = <(Arc<Mutex<Vec<u8>>>, Arc<Mutex<Vec<u8>>>)>::default();
    let ended = command.run(Streams::into_memory(&data, &rest), AT_ONCE).await;
    Ran { code: ended.code(), stdout: text(&data), stderr: text(&rest) }
}

fn text(bytes: &Mutex<Vec<u8>>) -> String {
    String::from_utf8(bytes.lock().unwrap().clone()).unwrap()
}

#[test]
fn the_command_line_is_sound() {
    Line::command().debug_assert();
}

#[test]
fn mistakes_on_the_command_line_are_told_before_anything_is_sent() {
    for line in [
        "runbook get rb_1",
        "runbook get EX",
        "runbook create",
        "runbook apply",
        "runbook diff RB 1",
        "runbook execute RB -p service",
        "runbook execute RB --parameters [1]",
        "runbook execute RB --dry-run --watch",
        "runbook list --limit 0",
        "runbook list --limit 5 --all",
        "runbook list -o xml",
        "runbook approve RB --idempotency-key é",
        "execution list",
        "execution list EX",
        "execution list RB INC",
        "execution resolve EX --outcome perhaps --reason x",
        "execution resolve EX --outcome happened",
        "kill-switch engage galaxy --reason x",
        "kill-switch engage global",
        "workflow apply",
        "workflow get RB",
        "workflow run WF --incident EX",
        "workflow test WF",
        "workflow test WF --incident INC --event e.json",
        "workflow backtest WF --days 31",
        "workflow list --trigger never",
        "incident create --priority high",
        "incident create --title x -f incident.yaml",
        "incident ack EX",
        "incident watch",
        "audit verify RB --file export.json",
        "audit list --day yesterday",
        "queue stats --url ftp://x",
    ] {
        let error = parse(line).expect_err(line);
        assert_eq!(error.exit_code(), 2, "{line}");
    }
}

#[test]
fn every_group_documents_the_exit_codes() {
    for group in Line::command().get_subcommands() {
        let help = group.clone().render_help().to_string();
        assert!(help.contains("7  a watched execution NEEDS_REVIEW"), "{help}");
    }
}

#[test]
fn the_documentation_has_every_command_and_every_exit_code() {
    let text = include_str!("../../../../docs/CLI.md");
    for group in Line::command().get_subcommands() {
        for command in group.get_subcommands() {
            let example = format!("muster {} {}", group.get_name(), command.get_name());
            assert!(text.contains(&example), "{example}");
        }
    }
    for code in [0, 1, 2, 3, 4, 5, 6, 7, 130] {
        assert!(text.contains(&format!("\n| {code} |")), "{code}");
    }
}
