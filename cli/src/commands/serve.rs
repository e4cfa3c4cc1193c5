//! `muster serve`: the whole product as one process.

use std::io::Write as _;
use std::net::SocketAddr;

use clap::Args;
use muster_app::SelfApproval;
use muster_app::callbacks::PublicUrl;
use muster_app::telemetry::{self, Service};
use muster_egress::AllowedTarget;

use super::data::{DataArgs, NoHome};
use crate::exit::Exit;
use crate::local::process::{Config, Drained, LocalProcess, StartError};
use crate::local::signals::Signals;

#[derive(Debug, Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Address to answer on; an address that other machines reach carries tokens unencrypted, so put TLS before it
    #[arg(long, value_name = "ADDR", env = "MUSTER_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Executions in hand at once
    #[arg(long, value_name = "N", env = "MUSTER_WORKERS", default_value_t = 256,
          value_parser = clap::value_parser!(u16).range(1..=4096))]
    workers: u16,
    /// Host and port that webhooks may call although the address is not public; may be repeated
    #[arg(long, value_name = "HOST:PORT")]
    allow_egress: Vec<AllowedTarget>,
    /// Where receivers of calls reach this server from outside, as in `https://muster.example`; its own address unless given
    #[arg(long, value_name = "URL", env = "MUSTER_PUBLIC_URL")]
    public_url: Option<PublicUrl>,
    /// Let people approve what they wrote, for an installation of one person; the audit log says so each time
    #[arg(long)]
    allow_self_approval: bool,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ServeError {
    #[error(transparent)]
    NoHome(#[from] NoHome),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("waiting for signals")]
    Signals(#[source] std::io::Error),
}

impl ServeError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NoHome(_) => Exit::Usage,
            Self::Start(error) => error.exit(),
            Self::Signals(_) => Exit::Failure,
        }
    }
}

pub(crate) async fn run(args: &ServeArgs) -> Result<(), ServeError> {
    start_logging();
    let mut signals = Signals::listen().map_err(ServeError::Signals)?;
    let config = config(args)?;
    let process = LocalProcess::start(&config).await?;
    warn_of_exposure(process.address());
    say(&format!("Muster answers on http://{} (data in {})", process.address(), config.data.display()));
    signals.next().await;
    say("Stopping: letting the calls in hand end. A second signal ends at once.");
    tokio::spawn(signals.end_at_next());
    match process.stop().await {
        Drained::Whole => {}
        Drained::Partly => say("Stopped with calls in hand; the next start goes on from what is stored."),
    }
    Ok(())
}

fn config(args: &ServeArgs) -> Result<Config, NoHome> {
    let self_approval = if args.allow_self_approval { SelfApproval::Allowed } else { SelfApproval::Refused };
    Ok(Config {
        data: args.data.path()?,
        listen: args.listen,
        workers: usize::from(args.workers),
        allow_egress: args.allow_egress.clone(),
        self_approval,
        public_url: args.public_url.clone(),
    })
}

fn start_logging() {
    let service = Service { name: "muster".into(), environment: "local".into() };
    let filter = std::env::var("RUST_LOG").unwrap_or_else(|_| "info".into());
    telemetry::start(service, &filter);
    std::panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string);
        let message = panic.payload_as_str();
        tracing::error!(place, message_of_panic = message, "a task panicked: this is a defect of Muster");
    }));
}

/// Allowed, because every route asks for a token and whoever gave the address meant it; and said, because it is plain HTTP.
fn warn_of_exposure(address: SocketAddr) {
    if !address.ip().is_loopback() {
        tracing::warn!(%address, "other machines can reach this address, and tokens travel unencrypted");
    }
}

/// A line for a person, beside the log. That it cannot be written has nowhere to be said.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
