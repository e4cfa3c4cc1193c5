//! Which approved runbooks fit an incident.

use clap::Args;
use muster_domain::ids::IncidentId;
use serde_json::Value;

use crate::operator::api::Call;
use crate::operator::output::{Layout, field};

#[derive(Debug, Args)]
pub(crate) struct Runbooks {
    /// The incident
    id: IncidentId,
    /// Show at most this many
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100))]
    limit: Option<u32>,
}

impl Runbooks {
    pub(super) fn call(&self) -> Call {
        Call::get(&["api", "incidents", self.id.as_str(), "runbooks"]).query("limit", self.limit)
    }
}

pub(super) fn runbooks(body: &Value) -> Layout {
    Layout::rows(&["CONFIDENCE", "ID", "NAME", "TEAM", "VERSION", "WHY"], body, |item| {
        vec![
            field(item, "/confidence"),
            field(item, "/runbookId"),
            field(item, "/name"),
            field(item, "/teamId"),
            field(item, "/version"),
            why(item),
        ]
    })
}

/// What speaks for it, and which rules could not be evaluated.
fn why(item: &Value) -> String {
    let reasons = item.get("reasons").and_then(Value::as_array).into_iter().flatten();
    let said = reasons.map(|reason| format!("{} ({})", field(reason, "/reason"), field(reason, "/points")));
    let unjudged = item.get("unjudged").and_then(Value::as_array).into_iter().flatten();
    let unjudged =
        unjudged.map(|rule| format!("not judged: {}: {}", field(rule, "/reason"), field(rule, "/why")));
    said.chain(unjudged).collect::<Vec<_>>().join("; ")
}
