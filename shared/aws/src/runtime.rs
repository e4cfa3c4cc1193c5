//! What all functions share: how they start, and how an invocation is logged, counted and answered.

use std::process::ExitCode;
use std::sync::Arc;

use lambda_runtime::{Context, Diagnostic, LambdaEvent, Runtime, service_fn};
use lambda_runtime_api_client::PooledClient;
use lambda_runtime_api_client::body::Body;
use muster_app::error::chain;
use muster_app::metrics::Metrics;
use muster_app::ports::Clock as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tracing::Instrument as _;

use crate::config::{self, CommonConfig, ConfigError, FromEnvironment, Installation, Level};
use crate::emf::{Measured, Reporter};
use crate::{correlation, telemetry};
use muster_app::clock::SystemClock;

/// Why a function did not start, or stopped.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("starting outside AWS Lambda: on one machine `muster serve` does this work")]
    NotInLambda,
    #[error("configuring the function")]
    Config(#[from] ConfigError),
    #[error("preparing the way out to users' addresses")]
    Egress(#[source] lambda_runtime::Error),
    #[error("asking Lambda for invocations")]
    Runtime(#[source] lambda_runtime::Error),
}

impl StartError {
    /// The way out cannot be prepared.
    pub fn egress(source: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Egress(Box::new(source))
    }
}

/// The whole life of a function: reads its configuration, starts its logs, and serves until Lambda ends the process.
pub async fn start<C: FromEnvironment>(
    name: &str,
    serve: impl AsyncFnOnce(CommonConfig, C) -> Result<(), StartError>,
) -> ExitCode {
    match configured(name, serve).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report(name, &error).await;
            ExitCode::FAILURE
        }
    }
}

async fn configured<C: FromEnvironment>(
    name: &str,
    serve: impl AsyncFnOnce(CommonConfig, C) -> Result<(), StartError>,
) -> Result<(), StartError> {
    if !config::is_in_lambda(&config::of_process) {
        return Err(StartError::NotInLambda);
    }
    let (common, own): (CommonConfig, C) = config::read(&config::of_process)?;
    telemetry::start(name, &common.installation);
    serve(common, own).await
}

/// Says why in the log, and to Lambda, which shows it to whoever invoked the function.
async fn report(name: &str, error: &StartError) {
    // The logs of a function that could not read its configuration have no better name for the environment.
    telemetry::start(name, &Installation { environment: "unknown".into(), level: Level::Info });
    let message = chain(error);
    tracing::error!(error = message, "the function cannot go on");
    if let StartError::Config(_) | StartError::Egress(_) = error
        && let Err(error) = report_to_lambda(message).await
    {
        tracing::warn!(error = error.to_string(), "Lambda did not take the reason");
    }
}

async fn report_to_lambda(error_message: String) -> Result<(), lambda_runtime::Error> {
    const TYPE: &str = "Runtime.InitError";
    let diagnostic = Diagnostic { error_type: TYPE.into(), error_message };
    let request = lambda_runtime_api_client::build_request()
        .method(http::Method::POST)
        .uri("/2018-06-01/runtime/init/error")
        .header("lambda-runtime-function-error-type", TYPE)
        .body(Body::from(serde_json::to_vec(&diagnostic)?))?;
    PooledClient::builder().build().call(request).await?;
    Ok(())
}

/// A function that is configured: what its invocations have in common.
#[derive(Debug)]
pub struct Function {
    reporter: Reporter,
}

/// What an invocation did, and what to measure of it beside the counters.
pub(crate) struct Done<R> {
    pub(crate) reply: R,
    pub(crate) gauges: Vec<Measured>,
}

impl<R> Done<R> {
    pub(crate) fn with(reply: R) -> Self {
        Self { reply, gauges: Vec::new() }
    }
}

impl Function {
    pub fn new(installation: &Installation, metrics: &Arc<Metrics>) -> Self {
        Self { reporter: Reporter::new(installation.environment.clone(), Arc::clone(metrics)) }
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        self.reporter.metrics()
    }

    /// Takes one invocation after the other, for ever.
    pub(crate) async fn serve<E, R>(
        &self,
        correlation_id: impl Fn(&E) -> Option<String>,
        handle: impl AsyncFn(E, &Context) -> Result<Done<R>, Failure>,
    ) -> Result<(), StartError>
    where
        E: DeserializeOwned,
        R: Serialize,
    {
        let invoke = |event: LambdaEvent<E>| {
            let LambdaEvent { payload, context, .. } = event;
            let correlation_id = correlation_id(&payload);
            self.invocation(context, correlation_id, payload, &handle)
        };
        Runtime::new(service_fn(invoke)).run().await.map_err(StartError::Runtime)
    }

    /// One invocation. Its records and metrics are written before it is answered: Lambda may freeze the process then.
    async fn invocation<E, R>(
        &self,
        context: Context,
        correlation_id: Option<String>,
        event: E,
        handle: impl AsyncFn(E, &Context) -> Result<Done<R>, Failure>,
    ) -> Result<R, Failure> {
        // An error's span, so that no level takes the ids away from the records that need them most.
        let span = tracing::error_span!(
            "invocation",
            function_request_id = context.request_id,
            correlation_id = correlation_id.as_deref(),
        );
        let work = correlation::under(correlation_id, handle(event, &context));
        let done = work.instrument(span.clone()).await;
        let gauges = done.as_ref().map_or(&[][..], |done| &done.gauges);
        self.reporter.report(SystemClock.now(), gauges);
        done.map(|done| done.reply).inspect_err(|failure| {
            span.in_scope(|| tracing::error!(error = failure.message, "the invocation failed"));
        })
    }
}

/// Why an invocation failed as a whole; Lambda repeats it or keeps its event.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
}

impl<E: std::error::Error> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { message: chain(&error) }
    }
}

impl From<Failure> for Diagnostic {
    fn from(failure: Failure) -> Self {
        Self { error_type: "Muster.Failure".into(), error_message: failure.message }
    }
}
