//! Writing runbooks: create, update, roll back, delete. What comes from a file is checked before it is sent.

use std::path::PathBuf;

use clap::Args;
use muster_domain::ids::RunbookId;
use serde_json::{Value, json};

use super::layout;
use crate::operator::api::{ApiError, Call, IdempotencyKey, object};
use crate::operator::context::Context;
use crate::operator::error::OperatorError;
use crate::operator::file::{Checked, read_definition};

#[derive(Debug, Args)]
pub(crate) struct Create {
    /// YAML or JSON file with the definition; `-` reads standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Name of this request, under which it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

impl Create {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let checked = read(&self.file, context)?;
        let call = Call::post(&["api", "runbooks"], body_of(&checked)).key(self.idempotency_key.clone());
        let created = send_file(context, call, &checked).await?;
        Ok(context.printer.data(&created, layout::runbook)?)
    }
}

#[derive(Debug, Args)]
pub(crate) struct Update {
    /// The runbook
    id: RunbookId,
    /// YAML or JSON file with the whole new definition; `-` reads standard input
    #[arg(short, long, value_name = "FILE")]
    file: PathBuf,
    /// Why it changes, for those who review it
    #[arg(long, value_name = "TEXT")]
    note: Option<String>,
    /// Refuse if the runbook is not as it was under this ETag
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
}

impl Update {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        let checked = read(&self.file, context)?;
        let updated = send_file(context, self.call(body_of(&checked)), &checked).await?;
        Ok(context.printer.data(&updated, layout::runbook)?)
    }

    pub(super) fn call(&self, body: Value) -> Call {
        let call = Call::put(&["api", "runbooks", self.id.as_str()], body).noted(self.note.as_deref());
        call.if_match(self.if_match.clone())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Rollback {
    /// The runbook
    id: RunbookId,
    /// The version to copy
    to_version: u32,
    /// Name of this request, under which it is done once
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<IdempotencyKey>,
}

impl Rollback {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        context.show(self.call(), layout::runbook).await
    }

    pub(super) fn call(&self) -> Call {
        let path = ["api", "runbooks", self.id.as_str(), "rollback"];
        let body = object(json!({"toVersion": self.to_version}));
        Call::post(&path, body).key(self.idempotency_key.clone())
    }
}

#[derive(Debug, Args)]
pub(crate) struct Delete {
    /// The runbook
    id: RunbookId,
    /// Refuse if the runbook is not as it was under this ETag
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
}

impl Delete {
    pub(super) async fn run(&self, context: &Context) -> Result<(), OperatorError> {
        context.send(self.call()).await?;
        context.printer.note(&format!("Deleted {}", self.id));
        Ok(())
    }

    pub(super) fn call(&self) -> Call {
        Call::delete(&["api", "runbooks", self.id.as_str()]).if_match(self.if_match.clone())
    }
}

/// A definition without faults; doubts about it are told and do not stop it.
pub(super) fn read(file: &std::path::Path, context: &Context) -> Result<Checked, OperatorError> {
    let checked = read_definition(file)?;
    for doubt in &checked.doubts.faults {
        context.printer.note(&format!("warning: {}{doubt}", checked.name));
    }
    Ok(checked)
}

pub(super) fn body_of(checked: &Checked) -> Value {
    object(&checked.definition)
}

/// Sends what a file holds. What the server finds wrong with it is told with the file's lines: the body is the file's value.
pub(super) async fn send_file(
    context: &Context,
    call: Call,
    checked: &Checked,
) -> Result<Value, OperatorError> {
    match context.send(call).await {
        Ok(reply) => Ok(reply.body),
        Err(OperatorError::Api(ApiError::Problem(problem))) => {
            Err(ApiError::from(problem.in_file(&checked.name, &checked.places)).into())
        }
        Err(error) => Err(error),
    }
}
