//! What a function answers to each kind of event. One of these is the last line of every `main`.

use axum::Router;
use http::{HeaderName, HeaderValue};
use lambda_runtime::Context;
use muster_app::App;
use muster_app::job::Job;
use muster_app::ports::Egress;
use muster_app::sweep::Swept;
use muster_app::worker::Shift;
use muster_domain::time::Time;
use serde::de::IgnoredAny;
use serde_json::Value;
use tower::ServiceExt as _;

use crate::batch::{self, Batch};
use crate::config::ClaimName;
use crate::emf::Measured;
use crate::gateway::{GatewayError, GatewayRequest, GatewayResponse};
use crate::runtime::{Done, Failure, Function, StartError};
use crate::{correlation, principal};

/// The header in which a request brings its correlation id.
const CORRELATION_HEADER: HeaderName = HeaderName::from_static("x-correlation-id");

impl Function {
    /// Requests of API Gateway, answered by the router that local mode serves too.
    pub async fn requests(self, router: Router, groups_claim: ClaimName) -> Result<(), StartError> {
        let handle = async |request: GatewayRequest, _: &Context| {
            answer(router.clone(), request, &groups_claim).await.map(Done::with).map_err(Failure::from)
        };
        self.serve(correlation_of, handle).await
    }

    /// Batches of a queue, each message for itself.
    pub async fn jobs(
        self,
        handle: impl AsyncFn(Job, Turn<'_>) -> Result<(), muster_app::Error>,
    ) -> Result<(), StartError> {
        let handle = async |batch: Batch, context: &Context| {
            let one = async |job| handle(job, Turn::of(context)).await;
            Ok(Done::with(batch::each(batch, self.metrics(), one).await))
        };
        self.serve(|_| None, handle).await
    }

    /// The schedule: one sweep each time. What the event says does not matter.
    pub async fn sweeps(self, app: &App) -> Result<(), StartError> {
        let handle = async |_: IgnoredAny, _: &Context| {
            let swept = app.sweep().await?;
            log(&swept);
            Ok(Done { reply: swept, gauges: Measured::of_sweep(&swept) })
        };
        self.serve(|_| None, handle).await
    }

    /// Events of the bus, one at a time. A failure is repeated by Lambda, and the event is kept at last.
    pub async fn events(self, app: &App) -> Result<(), StartError> {
        let handle = async |event: Value, _: &Context| {
            let received = app.receive_event(event.to_string().as_bytes()).await?;
            tracing::info!(event_id = text(&event, "/id"), received = ?received, "an event was received");
            Ok(Done::with(received))
        };
        self.serve(correlation_of_event, handle).await
    }
}

/// The invocation that a job is done in.
#[derive(Debug, Clone, Copy)]
pub struct Turn<'c> {
    /// Names the process, for leases and trails: where its log is.
    holder: &'c str,
    /// When Lambda ends the invocation.
    deadline: Time,
}

impl<'c> Turn<'c> {
    /// A worker's shift that ends with the invocation.
    pub fn shift(self, egress: &'c dyn Egress) -> Shift<'c> {
        Shift { egress, holder: self.holder, deadline: self.deadline }
    }

    fn of(context: &'c Context) -> Self {
        let log_stream = context.env_config.log_stream.as_str();
        let holder = if log_stream.is_empty() { &context.request_id } else { log_stream };
        let deadline = Time::from_millis(i64::try_from(context.deadline).unwrap_or(i64::MAX));
        Self { holder, deadline }
    }
}

async fn answer(
    router: Router,
    request: GatewayRequest,
    groups_claim: &ClaimName,
) -> Result<GatewayResponse, GatewayError> {
    let principal = principal::of_claims(request.claims(), groups_claim);
    let mut request = request.into_http()?;
    if let Some(principal) = principal {
        request.extensions_mut().insert(principal);
    }
    // The router makes an id of its own where none is given; there is to be one for all hops.
    if let Some(id) = correlation::current().and_then(|id| HeaderValue::try_from(id).ok()) {
        request.headers_mut().insert(CORRELATION_HEADER, id);
    }
    let response = match router.oneshot(request).await {
        Ok(response) => response,
        Err(never) => match never {},
    };
    GatewayResponse::of_http(response).await
}

/// The caller's id if it brought a usable one, else API Gateway's without the padding at its end.
fn correlation_of(request: &GatewayRequest) -> Option<String> {
    let brought = request.header(CORRELATION_HEADER.as_str()).and_then(correlation::from_outside);
    brought.or_else(|| correlation::from_outside(request.id().trim_end_matches('=')))
}

/// That of the request that caused the event, else the event's own id.
fn correlation_of_event(event: &Value) -> Option<String> {
    let caused = text(event, "/detail/metadata/correlationId").and_then(correlation::from_outside);
    caused.or_else(|| text(event, "/id").and_then(correlation::from_outside))
}

fn text<'e>(event: &'e Value, pointer: &str) -> Option<&'e str> {
    event.pointer(pointer).and_then(Value::as_str)
}

fn log(swept: &Swept) {
    tracing::info!(
        due = swept.due,
        nudged = swept.nudged,
        waiting_for_review = swept.waiting_for_review,
        oldest_paused_ms = swept.oldest_paused_ms,
        oldest_asked_ms = swept.oldest_asked_ms,
        failed = swept.failed,
        aged = swept.aged,
        misfired = swept.misfired,
        oldest_overdue_ms = swept.oldest_overdue_ms,
        "swept"
    );
}
