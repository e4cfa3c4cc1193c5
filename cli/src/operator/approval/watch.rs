//! Following the inbox: polled, with a pause that grows while nothing comes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::inbox;
use super::layout::{agreed, needs};
use super::shown::covered;
use crate::operator::api::{Api, Call, PageArgs};
use crate::operator::context::Context;
use crate::operator::ended::Ended;
use crate::operator::error::OperatorError;
use crate::operator::output::{Format, Layout, OutputError, Printer, field, timestamp};

/// Shows each approval once, when it comes to wait for the caller. Only Ctrl-C ends it.
pub(super) async fn watch(context: &Context) -> Result<Ended, OperatorError> {
    let api = context.api()?;
    tokio::select! {
        ended = follow(&api, context) => ended,
        Ok(()) = tokio::signal::ctrl_c() => Ok(Ended::Interrupted),
    }
}

async fn follow(api: &Api, context: &Context) -> Result<Ended, OperatorError> {
    let (printer, pace) = (&context.printer, context.pace);
    let (mut seen, mut pause) = (BTreeSet::new(), pace.look);
    loop {
        let call = Call::get(&["api", "approvals"]).query("waitingFor", Some("me"));
        let inbox = api.list(call, &PageArgs::ALL).await?;
        let items = inbox.get("items").and_then(Value::as_array).into_iter().flatten();
        let news: Vec<&Value> = items.filter(|item| seen.insert(name_of(item))).collect();
        for approval in &news {
            show(printer, approval)?;
        }
        pause = pace.next_look(pause, news.len());
        tokio::time::sleep(pause).await;
    }
}

fn name_of(approval: &Value) -> String {
    let at = |pointer| field(approval, pointer);
    format!("{} {} {}", at("/executionId"), at("/step"), at("/round"))
}

/// With what it would let run, and the command that answers it.
fn show(printer: &Printer, approval: &Value) -> Result<(), OutputError> {
    match printer.format {
        Format::Json | Format::Yaml => printer.data(approval, inbox),
        Format::Table => lines(printer, approval).iter().try_for_each(|line| printer.line(line)),
    }
}

fn lines(printer: &Printer, approval: &Value) -> Vec<String> {
    let at = |pointer| field(approval, pointer);
    let until = timestamp(approval, "/until");
    let (runbook, step, by) = (at("/runbook/name"), at("/step"), at("/requestedBy"));
    let (agreed, needs) = (agreed(approval), needs(approval));
    let mut lines = vec![
        format!("{until}  {runbook}: {step}, asked for by {by}"),
        format!("  needs {needs}; {agreed} agreed"),
    ];
    let covered = Layout::facts(covered(approval)).render(printer.paint);
    lines.extend(covered.lines().map(|line| format!("  {line}")));
    let (id, digest) = (at("/executionId"), at("/digest"));
    lines.push(format!("  muster execution approve {id} {step} --digest {digest} --reason …"));
    lines
}
