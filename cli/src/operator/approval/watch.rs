//! Following the inbox: polled, with a pause that grows while nothing comes.

use std::collections::BTreeSet;

use serde_json::Value;

use super::approvals;
use crate::operator::api::{Api, Call, PageArgs};
use crate::operator::context::Context;
use crate::operator::ended::Ended;
use crate::operator::error::OperatorError;
use crate::operator::output::{Format, OutputError, Printer, field, timestamp};

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

/// With the command that answers it.
fn show(printer: &Printer, approval: &Value) -> Result<(), OutputError> {
    let at = |pointer| field(approval, pointer);
    match printer.format {
        Format::Json | Format::Yaml => printer.data(approval, approvals),
        Format::Table => {
            let until = timestamp(approval, "/until");
            printer.line(&format!("{until}  {}: {}", at("/runbook/name"), at("/step")))?;
            let (id, step, digest) = (at("/executionId"), at("/step"), at("/digest"));
            printer.line(&format!("  muster execution approve {id} {step} --digest {digest} --reason …"))
        }
    }
}
