//! What is shown of an execution that was just accepted.

use muster_domain::ids::ExecutionId;
use serde_json::Value;

use super::{Wanted, watch};
use crate::operator::context::Context;
use crate::operator::ended::Ended;
use crate::operator::error::OperatorError;
use crate::operator::output::{Layout, field};

/// How the command goes on once the server has accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Afterwards {
    Return,
    Watch,
}

impl From<bool> for Afterwards {
    /// The flag `--watch`.
    fn from(watch: bool) -> Self {
        if watch { Self::Watch } else { Self::Return }
    }
}

/// Shows the answer of a request that starts an execution, or follows the execution to its end.
pub(crate) async fn accepted(
    context: &Context,
    body: &Value,
    afterwards: Afterwards,
) -> Result<Ended, OperatorError> {
    let id = field(body, "/execution/id");
    match (id.parse::<ExecutionId>(), afterwards) {
        (Ok(id), Afterwards::Watch) => {
            context.printer.note(&format!("Accepted as {id}"));
            watch(context, &id, Wanted::Done).await
        }
        (Ok(_) | Err(_), Afterwards::Return | Afterwards::Watch) => {
            context.printer.data(body, layout)?;
            context.printer.note(&format!("Follow it: muster execution watch {id}"));
            Ok(Ended::SUCCESS)
        }
    }
}

fn layout(body: &Value) -> Layout {
    Layout::facts(vec![("ID", field(body, "/execution/id")), ("Status", field(body, "/execution/status"))])
}
