//! Lambda on loopback: it starts a function's real binary, speaks the Runtime API with it, and keeps what it writes.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::StatusCode;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex as AsyncMutex, mpsc, oneshot};
use tokio::time::timeout;

use super::binaries::binary;

/// How long a test waits for a function before it fails. Nothing takes so long that works.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long an invocation may take, as the function is told.
const TIMEOUT: Duration = Duration::from_secs(60);

/// The log stream that functions are told; a worker's leases name it.
pub(crate) const LOG_STREAM: &str = "2026/03/01/[$LATEST]0123456789abcdef0123456789abcdef";

/// One running function.
pub(crate) struct Function {
    process: Child,
    service: Arc<Service>,
    invocations: mpsc::UnboundedSender<Invocation>,
    output: Vec<JoinHandle<Vec<String>>>,
}

/// What a function answered to an invocation.
#[derive(Debug)]
pub(crate) enum Reply {
    Answer(Value),
    /// The invocation failed as a whole: `errorType` and `errorMessage`.
    Error(Value),
}

struct Invocation {
    id: String,
    event: String,
}

/// What the handlers of the Runtime API share.
struct Service {
    invocations: AsyncMutex<mpsc::UnboundedReceiver<Invocation>>,
    waiting: Mutex<HashMap<String, oneshot::Sender<Reply>>>,
    init_errors: Mutex<Vec<Value>>,
}

impl Function {
    /// Starts the binary with these variables, those that Lambda gives every function, and no others.
    pub(crate) async fn start(name: &str, variables: Vec<(String, String)>) -> Self {
        let (invocations, receiver) = mpsc::unbounded_channel();
        let service = Arc::new(Service {
            invocations: AsyncMutex::new(receiver),
            waiting: Mutex::default(),
            init_errors: Mutex::default(),
        });
        let address = serve(Arc::clone(&service)).await;
        let mut process = Command::new(binary(name))
            .env_clear()
            .env("AWS_LAMBDA_RUNTIME_API", address)
            .env("AWS_LAMBDA_FUNCTION_NAME", format!("muster-test-{name}"))
            .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
            .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256")
            .env("AWS_LAMBDA_LOG_GROUP_NAME", format!("/aws/lambda/muster-test-{name}"))
            .env("AWS_LAMBDA_LOG_STREAM_NAME", LOG_STREAM)
            .envs(variables)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let output = vec![collect(process.stdout.take().unwrap()), collect(process.stderr.take().unwrap())];
        Self { process, service, invocations, output }
    }

    /// Invokes the function and gives its answer; fails the test if the invocation failed.
    pub(crate) async fn answer(&self, event: &Value) -> Value {
        match self.invoke(event).await {
            Reply::Answer(answer) => answer,
            Reply::Error(error) => panic!("the invocation failed: {error}"),
        }
    }

    pub(crate) async fn invoke(&self, event: &Value) -> Reply {
        static INVOCATIONS: AtomicU64 = AtomicU64::new(1);
        let id = format!("8476a536-e9f4-11e8-9739-{:012}", INVOCATIONS.fetch_add(1, Ordering::Relaxed));
        let (sender, reply) = oneshot::channel();
        self.service.waiting.lock().unwrap().insert(id.clone(), sender);
        self.invocations.send(Invocation { id, event: event.to_string() }).unwrap();
        timeout(PATIENCE, reply).await.expect("the function answers").unwrap()
    }

    /// Waits until the process ends by itself; its exit status, what it told Lambda, and what it wrote.
    pub(crate) async fn failure_to_start(mut self) -> (ExitStatus, Vec<Value>, Vec<String>) {
        let ended = tokio::task::spawn_blocking(move || {
            let status = self.process.wait().unwrap();
            (status, self)
        });
        let (status, mut function) = timeout(PATIENCE, ended).await.expect("the function ends").unwrap();
        let told = std::mem::take(&mut *function.service.init_errors.lock().unwrap());
        (status, told, function.written())
    }

    /// Ends the process and gives every line that it wrote, each an object of JSON.
    pub(crate) fn stop(mut self) -> Vec<Value> {
        self.process.kill().unwrap();
        let parse = |line: String| serde_json::from_str(&line).unwrap_or_else(|_| panic!("no JSON: {line}"));
        self.written().into_iter().map(parse).collect()
    }

    fn written(&mut self) -> Vec<String> {
        self.output.drain(..).flat_map(|lines| lines.join().unwrap()).collect()
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

async fn serve(service: Arc<Service>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let router = Router::new()
        .route("/2018-06-01/runtime/invocation/next", get(next))
        .route("/2018-06-01/runtime/invocation/{id}/response", post(response))
        .route("/2018-06-01/runtime/invocation/{id}/error", post(error))
        .route("/2018-06-01/runtime/init/error", post(init_error))
        .with_state(service);
    tokio::spawn(async move { axum::serve(listener, router).await });
    address
}

async fn next(State(service): State<Arc<Service>>) -> Response {
    let Some(Invocation { id, event }) = service.invocations.lock().await.recv().await else {
        return std::future::pending().await;
    };
    let deadline = SystemTime::now() + TIMEOUT;
    let deadline = deadline.duration_since(UNIX_EPOCH).unwrap().as_millis();
    let headers = [
        ("lambda-runtime-aws-request-id", id),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-west-1:123456789012:function:test".into()),
        ("content-type", "application/json".into()),
    ];
    (headers, event).into_response()
}

async fn response(State(service): State<Arc<Service>>, Path(id): Path<String>, body: String) -> StatusCode {
    service.reply(&id, Reply::Answer(json(&body)))
}

async fn error(State(service): State<Arc<Service>>, Path(id): Path<String>, body: String) -> StatusCode {
    service.reply(&id, Reply::Error(json(&body)))
}

async fn init_error(State(service): State<Arc<Service>>, body: String) -> StatusCode {
    service.init_errors.lock().unwrap().push(json(&body));
    StatusCode::ACCEPTED
}

fn json(body: &str) -> Value {
    serde_json::from_str(body).unwrap()
}

impl Service {
    fn reply(&self, id: &str, reply: Reply) -> StatusCode {
        let waiting = self.waiting.lock().unwrap().remove(id).unwrap();
        waiting.send(reply).unwrap();
        StatusCode::ACCEPTED
    }
}

/// Reads to the end of the stream: the process's end closes it.
fn collect(stream: impl Read + Send + 'static) -> JoinHandle<Vec<String>> {
    std::thread::spawn(move || BufReader::new(stream).lines().map(Result::unwrap).collect())
}
