//! What the server already holds under the name and team of a file.

use muster_domain::ids::TeamId;
use serde_json::Value;

use super::api::{Call, PageArgs};
use super::context::Context;
use super::error::OperatorError;

#[derive(Debug, thiserror::Error)]
#[error("{count} {kind} of this team are named so; say with --id which one to change")]
pub(crate) struct Ambiguous {
    count: usize,
    /// As in the path of the API.
    kind: &'static str,
}

/// The one of this name and team, as its list shows it, if there is one.
pub(crate) async fn same_name(
    context: &Context,
    kind: &'static str,
    (name, team): (&str, Option<&TeamId>),
) -> Result<Option<Value>, OperatorError> {
    let call = Call::get(&["api", kind]).query("teamId", team).query("q", Some(name));
    let mut list = context.api()?.list(call, &PageArgs::ALL).await?;
    let items = match list.get_mut("items").map(Value::take) {
        Some(Value::Array(items)) => items,
        Some(_) | None => Vec::new(),
    };
    let team = team.map(TeamId::as_str);
    let same = |item: &Value| {
        let text = |name: &str| item.get(name).and_then(Value::as_str);
        text("name") == Some(name) && text("teamId") == team
    };
    let mut found: Vec<Value> = items.into_iter().filter(same).collect();
    match found.len() {
        0 | 1 => Ok(found.pop()),
        count => Err(Ambiguous { count, kind }.into()),
    }
}
