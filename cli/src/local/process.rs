//! One installation as one process: table, queue, workers, sweeper and HTTP server, from start to a quiet end.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use muster_app::callbacks::{Callbacks, PublicUrl};
use muster_app::ports::Secrets;
use muster_app::table::TableError;
use muster_app::{App, SelfApproval, Settings};
use muster_egress::{AllowedTarget, BuildError, EgressPolicy, HttpEgress, LocalSecrets, LocalSecretsError};
use muster_http::local_identity::{LocalIdentity, LocalIdentityError};
use muster_http::{HttpSettings, router};
use muster_store::sqlite::SqliteTable;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::bus::LocalBus;
use super::data_dir::{DataDir, DataDirError, Lock};
use super::queue::{self, LocalQueue};
use super::server;
use super::sweeper::{self, Sweeper};
use super::workers::Workers;
use crate::exit::Exit;
use muster_app::clock::SystemClock;

/// How long the calls in hand get to end when the process is asked to stop.
const DRAIN_TIME: Duration = Duration::from_secs(25);

/// How long after its moment something owed is nudged again: a nudge within the process takes far less.
const NUDGE_GRACE: Duration = Duration::from_secs(1);

/// Variables that say that this is a Lambda function, where a signing key of one's own would forge the authorizer's word.
const LAMBDA_VARIABLES: [&str; 2] = ["AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_RUNTIME_API"];

/// What an installation on this machine is told.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    pub(crate) data: PathBuf,
    pub(crate) listen: SocketAddr,
    /// Jobs in hand at once.
    pub(crate) workers: usize,
    pub(crate) allow_egress: Vec<AllowedTarget>,
    pub(crate) self_approval: SelfApproval,
    /// Where those who are called reach the API; without it, where it listens.
    pub(crate) public_url: Option<PublicUrl>,
}

/// A running installation.
pub(crate) struct LocalProcess {
    address: SocketAddr,
    identity: Arc<LocalIdentity>,
    stop: CancellationToken,
    tasks: TaskTracker,
    // Both outlive the tasks, and the table is closed before the lock ends.
    _app: Arc<App>,
    _lock: Lock,
}

/// How a stop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drained {
    Whole,
    /// Some calls were still in hand. Their outcomes are unknown, as after a crash, and the next start goes on from there.
    Partly,
}

impl LocalProcess {
    /// Takes the data directory, repairs what a crash left, and answers.
    pub(crate) async fn start(config: &Config) -> Result<Self, StartError> {
        refuse_lambda(|name| std::env::var_os(name).is_some())?;
        let data = DataDir::open(&config.data)?;
        let lock = data.lock()?;
        let identity = Arc::new(LocalIdentity::new(&data.signing_key()?, Arc::new(SystemClock))?);
        let secrets: Arc<dyn Secrets> = Arc::new(LocalSecrets::open(data.secrets()?)?);
        let egress =
            HttpEgress::new(EgressPolicy::allowing(config.allow_egress.clone()), Arc::clone(&secrets))?;
        let listener = TcpListener::bind(config.listen).await.map_err(|source| listening(config, source))?;
        let address = listener.local_addr().map_err(|source| listening(config, source))?;
        let callbacks =
            Callbacks { keys: Arc::new(data.callback_keys()?), public_url: public_url(config, address) };
        let slack = data.slack_secrets()?;
        let queue = LocalQueue::new(queue::CAPACITY);
        let table = Arc::new(SqliteTable::open(&data.table())?);
        let app = Arc::new_cyclic(|app| {
            let bus = Arc::new(LocalBus::new(Weak::clone(app)));
            let (table, queue) = (Arc::clone(&table) as _, Arc::clone(&queue) as _);
            let app = App::new(table, queue, Arc::new(SystemClock), settings(config));
            let app = app.with_bus(bus).with_secrets(secrets).with_callbacks(callbacks);
            match slack {
                Some(secrets) => app.with_slack(Arc::new(secrets)),
                None => app,
            }
        });
        let recovered = app.recover_after_restart().await.map_err(StartError::Recover)?;
        tracing::info!(due = recovered.due, nudged = recovered.nudged, "went through what is owed");
        let process = Self {
            address,
            identity,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            _app: Arc::clone(&app),
            _lock: lock,
        };
        let holder = format!("local-{}", std::process::id()).into();
        let crew = Workers { app, queue, egress: Arc::new(egress), holder };
        process.spawn(crew, table, listener, config.workers);
        Ok(process)
    }

    fn spawn(&self, crew: Workers, table: Arc<SqliteTable>, listener: TcpListener, at_once: usize) {
        let app = Arc::clone(&crew.app);
        let router = Arc::clone(&self.identity).identify(router(Arc::clone(&app), HttpSettings::default()));
        self.tasks.spawn(server::run(listener, router, self.stop.clone()));
        self.tasks.spawn(crew.run(at_once, self.stop.clone()));
        self.tasks.spawn(sweeper::run(Sweeper { app, table }, self.stop.clone()));
        self.tasks.close();
    }

    /// Where it answers; the port is the one it got if it asked for any.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Issues tokens of this installation.
    pub(crate) fn identity(&self) -> &LocalIdentity {
        &self.identity
    }

    /// Begins nothing more, and lets the calls in hand end for as long as is fair.
    pub(crate) async fn stop(self) -> Drained {
        self.stop.cancel();
        match timeout(DRAIN_TIME, self.tasks.wait()).await {
            Ok(()) => Drained::Whole,
            Err(_) => Drained::Partly,
        }
    }
}

fn public_url(config: &Config, address: SocketAddr) -> Option<PublicUrl> {
    config.public_url.clone().or_else(|| format!("http://{address}").parse().ok())
}

fn settings(config: &Config) -> Settings {
    Settings { self_approval: config.self_approval, nudge_grace: NUDGE_GRACE }
}

fn listening(config: &Config, source: std::io::Error) -> StartError {
    StartError::Listen { address: config.listen, source }
}

fn refuse_lambda(is_set: impl Fn(&str) -> bool) -> Result<(), StartError> {
    match LAMBDA_VARIABLES.into_iter().find(|name| is_set(name)) {
        Some(variable) => Err(StartError::Lambda { variable }),
        None => Ok(()),
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error(
        "{variable} is set: local mode issues its own tokens, and never runs where API Gateway checks them"
    )]
    Lambda { variable: &'static str },
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Identity(#[from] LocalIdentityError),
    #[error(transparent)]
    Secrets(#[from] LocalSecretsError),
    #[error(transparent)]
    Egress(#[from] BuildError),
    #[error(transparent)]
    Table(#[from] TableError),
    #[error("listening on {address}, which --listen changes")]
    Listen {
        address: SocketAddr,
        #[source]
        source: std::io::Error,
    },
    #[error("going through what the table owes")]
    Recover(#[source] muster_app::Error),
}

impl StartError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Lambda { .. } => Exit::Refused,
            Self::DataDir(DataDirError::InUse { .. }) => Exit::Conflict,
            Self::Listen { .. } => Exit::Unavailable,
            Self::Table(error) if error.kind.retryable() => Exit::Unavailable,
            Self::Recover(error) if error.retryable() => Exit::Unavailable,
            Self::DataDir(DataDirError::Io { .. } | DataDirError::Open { .. })
            | Self::Identity(_)
            | Self::Secrets(_)
            | Self::Egress(_)
            | Self::Table(_)
            | Self::Recover(_) => Exit::Failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn local_mode_is_refused_where_lambdas_variables_are_set() {
        for variable in LAMBDA_VARIABLES {
            let refused = refuse_lambda(|name| name == variable).unwrap_err();
            assert!(refused.to_string().starts_with(variable), "{refused}");
        }
        assert!(refuse_lambda(|_| false).is_ok());
    }
}
