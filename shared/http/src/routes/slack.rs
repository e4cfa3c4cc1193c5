//! Where Slack tells what people do there. There is no token: what proves the sender is Slack's signature over the raw bytes.
//! In AWS the route is the approval function's, whose role alone may write decisions.

use std::sync::Arc;

use axum::extract::{DefaultBodyLimit, State};
use http::{HeaderMap, StatusCode};
use muster_app::App;
use muster_domain::sources::verification::Headers;

use crate::extract::raw::{Raw, pairs};
use crate::layers::correlation::CorrelationId;
use crate::openapi::{Failing, Unsigned};
use crate::problem::Problem;

/// A payload holds the message with its buttons, which has 50 blocks of 3,000 characters at most; Muster's has few.
const MAX_BODY_BYTES: usize = 128 * 1024;

/// Takes a button that somebody pressed in Slack: an answer to an approval. Whether it counts is told there; Slack itself is told
/// that it arrived.
#[utoipa::path(
    post, path = "/api/hooks/slack/actions", tag = "Deliveries", security(()),
    request_body(
        content = String, content_type = "application/x-www-form-urlencoded",
        description = "`payload=<JSON>`, as Slack sends it, signed with `X-Slack-Signature`; at most 128 KiB",
    ),
    responses((status = 200, description = "It arrived. The body is empty"), Unsigned, Failing),
)]
pub(crate) async fn take_slack_action(
    State(app): State<Arc<App>>,
    correlation: axum::Extension<CorrelationId>,
    headers: HeaderMap,
    Raw(body): Raw,
) -> Result<StatusCode, Problem> {
    let signed = app.prove_slack(&Headers::new(&pairs(&headers)), &body).await?;
    app.answer_in_slack(&signed, Some(correlation.to_string())).await?;
    Ok(StatusCode::OK)
}

/// Of this route alone.
pub(crate) fn body_limit() -> DefaultBodyLimit {
    DefaultBodyLimit::max(MAX_BODY_BYTES)
}
