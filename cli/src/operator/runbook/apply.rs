//! Making the server's runbook what a file says, and saying what that changed.

use std::path::PathBuf;

use clap::Args;
use muster_domain::ids::RunbookId;
use serde_json::Value;

use super::write::{body_of, read, send_file};
use crate::operator::api::{Call, IdempotencyKey};
use crate::operator::context::Context;
use crate::operator::error::OperatorError;
use crate::operator::file::Checked;
use crate::operator::output::{Format, Layout, field};
use crate::operator::same_name::same_name;

#[derive(Debug, Args)]
pub(crate) struct Apply {
    /// YAML or JSON file with the whole definition; `-` reads standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Change this runbook, whatever its name is; otherwise the one of the file's name and team, or a new one
    #[arg(long, value_name = "RUNBOOK")]
    id: Option<RunbookId>,
    /// Why it changes, for those who review it; a new runbook has no change to note
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Name of the request that creates a runbook, under which it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

impl Apply {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let checked = read(&self.file, context)?;
        let before = self.before(context, &checked).await?;
        let after = send_file(context, self.call(before.as_ref(), &checked), &checked).await?;
        context.printer.data(&after, layout)?;
        tell(context, before.as_ref(), &after).await
    }

    /// The runbook as it is now, if there is one.
    async fn before(&self, context: &Context, checked: &Checked) -> Result<Option<Value>, OperatorError> {
        match &self.id {
            Some(id) => {
                let call = Call::get(&["api", "runbooks", id.as_str()]);
                Ok(Some(context.send(call).await?.body))
            }
            None => {
                let definition = &checked.definition;
                same_name(context, "runbooks", (definition.name(), definition.team_id())).await
            }
        }
    }

    fn call(&self, before: Option<&Value>, checked: &Checked) -> Call {
        let body = body_of(checked);
        let Some(before) = before else {
            return Call::post(&["api", "runbooks"], body).key(self.idempotency_key.clone());
        };
        Call::put(&["api", "runbooks", &field(before, "/id")], body).noted(self.note.as_deref())
    }
}

/// What changed, and what to do next.
async fn tell(context: &Context, before: Option<&Value>, after: &Value) -> Result<(), OperatorError> {
    let printer = &context.printer;
    let (id, version) = (field(after, "/id"), field(after, "/version"));
    match before.map(|before| field(before, "/version")) {
        None => printer.note("Created"),
        Some(was) if was == version => printer.note("Nothing changed"),
        Some(was) => {
            let call = Call::get(&["api", "runbooks", &id, "versions", &was, "diff", &version]);
            let diff = context.send(call).await?.body;
            printer.note(&format!("Version {was} became version {version}: {}", changes(&diff)));
        }
    }
    if printer.format == Format::Table {
        printer.note(&next(after));
    }
    Ok(())
}

/// The changed places: `+` new, `-` gone, `~` changed.
fn changes(diff: &Value) -> String {
    let changes = diff.get("changes").and_then(Value::as_array).into_iter().flatten();
    let shown = changes.map(|change| format!("{}{}", super::layout::sign(change), field(change, "/pointer")));
    shown.collect::<Vec<_>>().join(", ")
}

fn next(after: &Value) -> String {
    let (id, version) = (field(after, "/id"), field(after, "/version"));
    match field(after, "/approvalStatus").as_str() {
        "DRAFT" => format!(
            "See what it would do: muster runbook plan {id} --version {version}\n\
             Then another person approves it: muster runbook approve {id} --version {version} --digest {}",
            field(after, "/digest")
        ),
        _ => format!("It is approved. See what it would do: muster runbook plan {id}"),
    }
}

fn layout(after: &Value) -> Layout {
    let at = |pointer| field(after, pointer);
    Layout::facts(vec![
        ("ID", at("/id")),
        ("Name", at("/name")),
        ("Version", at("/version")),
        ("Status", at("/approvalStatus")),
    ])
}
