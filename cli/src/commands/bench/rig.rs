//! What is measured: a server and a receiver, each a process of this same binary, on a directory that goes with them.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hyper::StatusCode;
use muster_http::local_identity::LocalIdentity;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, BufReader, Lines};
use tokio::process::{Child, Command};

use super::BenchError;
use super::load::{Client, Shot};
use super::receiver::{ARRIVALS, Arrivals, HOOK};
use crate::local::data_dir::DataDir;
use muster_app::clock::SystemClock;

/// What the line that says where the server answers begins with.
const ANSWERS_ON: &str = "Muster answers on http://";

const TOKEN_TTL: Duration = Duration::from_hours(1);

/// The runbook that is executed: a parameter with a schema, a template with values of the execution.
const RUNBOOK: &str = "Restart a service";

pub(super) struct Rig {
    server: Child,
    pub(super) address: SocketAddr,
    /// From the start of the process to the first answer of its readiness.
    pub(super) started_in: Duration,
    receiver: Child,
    receiver_address: SocketAddr,
    /// The token of an admin of team `bench`.
    pub(super) author: String,
    /// The token of an admin of the platform.
    pub(super) approver: String,
    /// The token of an admin of another team.
    pub(super) stranger: String,
    /// Removed at the end.
    _directory: TempDir,
}

impl Rig {
    pub(super) async fn set_up(parent: &Path, workers: u16) -> Result<Self, BenchError> {
        let directory = tempfile::Builder::new().prefix("muster-bench-").tempdir_in(parent);
        let directory = directory.map_err(BenchError::Directory)?;
        let data = directory.path().join("data");
        let key = DataDir::open(&data)?.signing_key()?;
        let identity = LocalIdentity::new(&key, Arc::new(SystemClock))?;
        let (receiver, receiver_address) = start_receiver().await?;
        let start = Instant::now();
        let (server, address) = start_server(&data, workers, receiver_address).await?;
        let started_in = until_ready(address, start).await?;
        Ok(Self {
            server,
            address,
            started_in,
            receiver,
            receiver_address,
            author: identity.issue(&"ann".parse()?, &["team:bench:admin".into()], TOKEN_TTL)?,
            approver: identity.issue(&"bob".parse()?, &["platform-admin".into()], TOKEN_TTL)?,
            stranger: identity.issue(&"eve".parse()?, &["team:other:admin".into()], TOKEN_TTL)?,
            _directory: directory,
        })
    }

    /// Writes and approves a runbook; the request that executes it.
    pub(super) async fn prepare(&self) -> Result<Shot, BenchError> {
        let definition = definition(&self.hook()).to_string();
        let mut author = Client::connect(self.address, &self.author).await?;
        let runbook = author.post("/api/runbooks", definition, StatusCode::CREATED).await?;
        let id = runbook.pointer("/id").and_then(Value::as_str).unwrap_or_default();
        let mut approver = Client::connect(self.address, &self.approver).await?;
        approver.post(&format!("/api/runbooks/{id}/approve"), "{}".into(), StatusCode::OK).await?;
        Ok(Shot {
            path: format!("/api/runbooks/{id}/execute"),
            body: json!({"parameters": {"service": "checkout"}}).to_string(),
            token: self.author.clone(),
        })
    }

    /// Where webhooks are received.
    pub(super) fn hook(&self) -> String {
        format!("http://{}{HOOK}", self.receiver_address)
    }

    /// How many executions have succeeded, as the server counts them.
    pub(super) async fn succeeded(&self) -> Result<u64, BenchError> {
        self.counted(r#"muster_executions_ended_total{status="SUCCESS"}"#).await
    }

    /// What the server has counted under this name.
    pub(super) async fn counted(&self, counter: &str) -> Result<u64, BenchError> {
        let metrics = Client::connect(self.address, &self.author).await?.get("/metrics").await?;
        let text = metrics.as_str().unwrap_or_default();
        let count = text.lines().find_map(|line| line.strip_prefix(counter)?.trim_start().parse().ok());
        Ok(count.unwrap_or_default())
    }

    pub(super) async fn arrivals(&self) -> Result<Arrivals, BenchError> {
        let arrivals = Client::connect(self.receiver_address, "none").await?.get(ARRIVALS).await?;
        Ok(serde_json::from_value(arrivals).map_err(RigError::Arrivals)?)
    }

    /// Time that the server has had on a processor; only Linux tells, in hundredths of a second.
    pub(super) fn server_time(&self) -> Option<Duration> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.server.id()?)).ok()?;
        // The name of the process comes second, in parentheses, and may hold spaces.
        let (_, after_name) = stat.rsplit_once(')')?;
        let ticks = after_name.split_whitespace().skip(11).take(2).map(str::parse::<u64>);
        let ticks: u64 = ticks.sum::<Result<u64, _>>().ok()?;
        Some(Duration::from_millis(ticks * 10))
    }

    /// Resident memory of the server, in MB; only Linux tells.
    pub(super) fn resident_mb(&self) -> Option<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.server.id()?)).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
        let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
        Some(super::figure::rounded(kib * 1_024.0 / 1_000_000.0))
    }

    pub(super) async fn tear_down(mut self) -> Result<(), BenchError> {
        for process in [&mut self.server, &mut self.receiver] {
            process.kill().await.map_err(RigError::Process)?;
        }
        Ok(())
    }
}

fn definition(hook: &str) -> Value {
    json!({
        "name": RUNBOOK,
        "teamId": "bench",
        "webhookUrl": hook,
        "parameters": {
            "type": "object",
            "required": ["service"],
            "properties": {"service": {"type": "string", "maxLength": 64}, "mode": {"default": "rolling"}},
        },
        "payloadTemplate": {
            "service": "{{params.service}}",
            "mode": "{{params.mode}}",
            "reason": "{{incident.priority}}: {{incident.title}}",
            "execution": "{{workflow.executionId}}",
        },
    })
}

async fn start_receiver() -> Result<(Child, SocketAddr), RigError> {
    let mut process =
        this_binary()?.arg("bench-receiver").stdout(Stdio::piped()).spawn().map_err(RigError::Process)?;
    let address = match process.stdout.take() {
        Some(output) => address_after("", BufReader::new(output).lines()).await?,
        None => return Err(RigError::Silent),
    };
    Ok((process, address))
}

async fn start_server(
    data: &Path,
    workers: u16,
    receiver: SocketAddr,
) -> Result<(Child, SocketAddr), RigError> {
    let mut command = this_binary()?;
    command.arg("serve").args(["--listen", "127.0.0.1:0", "--workers", &workers.to_string()]);
    command.arg("--data").arg(data).args(["--allow-egress", &receiver.to_string()]);
    command.env("RUST_LOG", "warn").stderr(Stdio::piped());
    let mut process = command.spawn().map_err(RigError::Process)?;
    let Some(output) = process.stderr.take() else {
        return Err(RigError::Silent);
    };
    let address = address_after(ANSWERS_ON, BufReader::new(output).lines()).await?;
    Ok((process, address))
}

/// The address in the first line that begins so. What comes after is read and dropped, so that the process never waits
/// for a reader.
async fn address_after<R>(prefix: &str, mut lines: Lines<BufReader<R>>) -> Result<SocketAddr, RigError>
where
    R: AsyncRead + Unpin + Send + 'static,
{
    while let Some(line) = lines.next_line().await.map_err(RigError::Process)? {
        let word = line.strip_prefix(prefix).and_then(|rest| rest.split_whitespace().next());
        if let Some(address) = word.and_then(|word| word.parse().ok()) {
            tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
            return Ok(address);
        }
    }
    Err(RigError::Silent)
}

fn this_binary() -> Result<Command, RigError> {
    let mut command = Command::new(std::env::current_exe().map_err(RigError::Process)?);
    command.kill_on_drop(true).stdin(Stdio::null());
    Ok(command)
}

async fn until_ready(address: SocketAddr, start: Instant) -> Result<Duration, BenchError> {
    Client::connect(address, "none").await?.get("/readyz").await?;
    Ok(start.elapsed())
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum RigError {
    #[error("starting or ending a process of the benchmark")]
    Process(#[source] io::Error),
    #[error("a process of the benchmark ended without saying where it listens")]
    Silent,
    #[error("reading what arrived")]
    Arrivals(#[source] serde_json::Error),
}
