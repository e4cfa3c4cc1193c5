//! What every command has: a server to ask and a place to show the answer.

use serde_json::Value;

use super::api::{Api, Call, ConnectionArgs, ConnectionError, PageArgs, Reply};
use super::error::OperatorError;
use super::output::{Layout, Printer};
use super::pace::Pace;

#[derive(Debug, Clone)]
pub(crate) struct Context {
    connection: ConnectionArgs,
    pub(crate) printer: Printer,
    pub(crate) pace: Pace,
}

impl Context {
    pub(super) fn new(connection: ConnectionArgs, printer: Printer, pace: Pace) -> Self {
        Self { connection, printer, pace }
    }

    /// Made when first needed: some commands ask nobody.
    pub(crate) fn api(&self) -> Result<Api, ConnectionError> {
        Api::new(&self.connection, self.printer.clone(), self.pace)
    }

    pub(crate) async fn send(&self, call: Call) -> Result<Reply, OperatorError> {
        Ok(self.api()?.send(call).await?)
    }

    /// Sends a call and shows what it answers.
    pub(crate) async fn show(&self, call: Call, layout: fn(&Value) -> Layout) -> Result<(), OperatorError> {
        let reply = self.send(call).await?;
        Ok(self.printer.data(&reply.body, layout)?)
    }

    /// Shows a list, and how to see more of it.
    pub(crate) async fn show_list(
        &self,
        call: Call,
        pages: &PageArgs,
        layout: fn(&Value) -> Layout,
    ) -> Result<(), OperatorError> {
        let list = self.api()?.list(call, pages).await?;
        self.printer.data(&list, layout)?;
        if let Some(cursor) = list.get("nextCursor").and_then(Value::as_str) {
            self.printer.note(&format!("There is more: --all, or --cursor {cursor}"));
        }
        Ok(())
    }
}
