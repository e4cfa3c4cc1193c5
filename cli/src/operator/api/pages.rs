//! Lists, page after page.

use clap::Args;
use serde_json::{Value, json};

use super::call::Call;
use super::client::Api;
use super::error::ApiError;

/// The most entries the API gives at once.
const MAX_PAGE: u32 = 100;

/// How much of a list is shown.
#[derive(Debug, Clone, Args)]
pub(crate) struct PageArgs {
    /// Show at most this many
    #[arg(long, value_name = "NUMBER", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    /// Show all, however many
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Go on where an earlier list ended: its `nextCursor`
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

impl PageArgs {
    /// Every entry.
    pub(crate) const ALL: Self = Self { limit: MAX_PAGE, all: true, cursor: None };

    fn wanted(&self) -> usize {
        if self.all { usize::MAX } else { usize::try_from(self.limit).unwrap_or(usize::MAX) }
    }
}

impl Api {
    /// The entries of a list, over as many pages as are wanted: `{items, nextCursor?}`.
    pub(crate) async fn list(&self, call: Call, pages: &PageArgs) -> Result<Value, ApiError> {
        let mut items = Vec::new();
        let mut cursor = pages.cursor.clone();
        loop {
            let missing = u32::try_from(pages.wanted().saturating_sub(items.len())).unwrap_or(u32::MAX);
            let page = call.clone().query("limit", Some(missing.min(MAX_PAGE)));
            let mut body = self.send(page.query("cursor", cursor.as_ref())).await?.body;
            if let Some(Value::Array(found)) = body.get_mut("items").map(Value::take) {
                items.extend(found);
            }
            let next = body.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
            if next.is_none() || items.len() >= pages.wanted() {
                return Ok(listed(items, next));
            }
            if next == cursor {
                return Err(ApiError::EndlessList);
            }
            cursor = next;
        }
    }
}

fn listed(items: Vec<Value>, next: Option<String>) -> Value {
    match next {
        Some(cursor) => json!({"items": items, "nextCursor": cursor}),
        None => json!({"items": items}),
    }
}
