//! `muster demo`: the main job from end to end on a temporary directory, told as it happens.

mod alarm;
mod cloudwatch;
mod cluster;
mod ending;
mod nodes;
mod person;
mod phases;
mod progress;
mod receiver;
mod story;
mod timeline;
mod workflows;

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD_NO_PAD;
use clap::Args;
use muster_app::SelfApproval;
use muster_app::audit::Unproven;
use muster_app::telemetry::{self, Service};
use muster_domain::ids::{InvalidId, UserId};
use muster_domain::runbook::{PhasedRunbook, RunbookDefinition, SimpleRunbook};
use muster_http::local_identity::LocalIdentityError;
use secrecy::{ExposeSecret as _, SecretString};
use tempfile::TempDir;

use self::cloudwatch::CloudWatch;
use self::cluster::Cluster;
use self::person::Person;
use self::phases::PhasesScene;
use self::receiver::Receiver;
use self::story::Story;
use crate::exit::Exit;
use crate::local::data_dir::{DataDir, DataDirError};
use crate::local::process::{Config, LocalProcess, StartError};
use crate::local::signals::Signals;

/// The runbook as it stands in the repository, within the binary so that the demo runs anywhere.
const RUNBOOK: &str = include_str!("../../../../events/runbooks/restart-service.yaml");

/// The runbook of phases, and the address in it that the cluster's takes the place of.
const PHASED_RUNBOOK: &str = include_str!("../../../../events/runbooks/drain-node.yaml");
const NODE_API: &str = "https://nodes.ops.example";

/// The secret that the runbook names.
const SECRET: &str = "control-endpoint";

/// The secret that the runbook of phases names.
const NODE_SECRET: &str = "node-api";

/// The secret that the hook for alarms names.
const ALARM_SECRET: &str = "hooks/cloudwatch";

/// Long enough to play with the server that is left running.
const TOKEN_TTL: Duration = Duration::from_hours(12);

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// End when the story ends; the exit code says whether all was as expected
    #[arg(long)]
    once: bool,
    /// Address to answer on [default: a free port of this machine]
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", hide_default_value = true)]
    listen: SocketAddr,
}

pub(crate) async fn run(args: &DemoArgs) -> Result<(), DemoError> {
    let service = Service { name: "muster".into(), environment: "demo".into() };
    telemetry::start(service, &std::env::var("RUST_LOG").unwrap_or_else(|_| "error".into()));
    let mut signals = Signals::listen().map_err(DemoError::Stage)?;
    let stage = Stage::set(args.listen).await?;
    let told = stage.story().play(&stage.definition).await;
    if let Ok(told) = &told
        && !args.once
    {
        ending::tell_how_to_go_on(&stage, told)?;
        signals.next().await;
        tokio::spawn(signals.end_at_next());
    }
    stage.process.stop().await;
    told.map(drop)
}

/// Everything the story needs.
struct Stage {
    process: LocalProcess,
    receiver: Receiver,
    cluster: Cluster,
    definition: RunbookDefinition,
    phased: PhasedRunbook,
    ann: Person,
    bob: Person,
    carl: Person,
    cloudwatch: CloudWatch,
    /// Removed at the end.
    directory: TempDir,
}

impl Stage {
    async fn set(listen: SocketAddr) -> Result<Self, DemoError> {
        let directory =
            tempfile::Builder::new().prefix("muster-demo-").tempdir().map_err(DemoError::Stage)?;
        let (key, alarm_key, node_key) = (random_key()?, random_key()?, random_key()?);
        let data = directory.path().join("data");
        store_secrets(&data, &[(SECRET, &key), (ALARM_SECRET, &alarm_key), (NODE_SECRET, &node_key)])?;
        let receiver = Receiver::start(key).await.map_err(DemoError::Stage)?;
        let cluster = Cluster::start(node_key).await.map_err(DemoError::Stage)?;
        let open = [receiver.address, cluster.address];
        let process = LocalProcess::start(&config(&data, listen, open)).await?;
        tell(&format!("Muster answers on http://{}", process.address()))?;
        tell(&format!("The service to restart has its control endpoint on http://{}", receiver.address))?;
        tell(&format!("  (out of order: it will turn the first {} calls away)\n", receiver::OUTAGES))?;
        Ok(Self {
            ann: person(&process, "ann", &["team:payments:admin", "platform-admin"])?,
            bob: person(&process, "bob", &["platform-admin"])?,
            carl: person(&process, "carl", &["team:payments:responder"])?,
            cloudwatch: CloudWatch { key: alarm_key, server: server(&process), http: http()? },
            definition: definition(receiver.address)?,
            phased: phased(cluster.address)?,
            process,
            receiver,
            cluster,
            directory,
        })
    }

    fn story(&self) -> Story<'_> {
        Story {
            ann: &self.ann,
            bob: &self.bob,
            receiver: &self.receiver,
            cloudwatch: &self.cloudwatch,
            phases: PhasesScene {
                ann: &self.ann,
                bob: &self.bob,
                carl: &self.carl,
                cluster: &self.cluster,
                definition: &self.phased,
            },
        }
    }
}

fn random_key() -> Result<SecretString, DemoError> {
    let mut bytes = [0; 24];
    getrandom::fill(&mut bytes).map_err(io::Error::other).map_err(DemoError::Stage)?;
    Ok(BASE64_STANDARD_NO_PAD.encode(bytes).into())
}

fn store_secrets(directory: &Path, secrets: &[(&str, &SecretString)]) -> Result<(), DemoError> {
    let path = DataDir::open(directory)?.secrets()?;
    let mut file = OpenOptions::new().append(true).open(path).map_err(DemoError::Stage)?;
    for (name, value) in secrets {
        writeln!(file, "{name}={}", value.expose_secret()).map_err(DemoError::Stage)?;
    }
    Ok(())
}

/// The ways to the demo's own receivers are open, and no other that is not public.
fn config(data: &Path, listen: SocketAddr, receivers: [SocketAddr; 2]) -> Config {
    Config {
        data: data.to_owned(),
        listen,
        workers: 16,
        allow_egress: receivers.iter().filter_map(|receiver| receiver.to_string().parse().ok()).collect(),
        self_approval: SelfApproval::Refused,
        public_url: None,
    }
}

fn person(
    process: &LocalProcess,
    name: &'static str,
    groups: &'static [&'static str],
) -> Result<Person, DemoError> {
    let user: UserId = name.parse()?;
    let granted: Vec<String> = groups.iter().map(|&group| group.to_owned()).collect();
    Ok(Person {
        name,
        groups,
        token: process.identity().issue(&user, &granted, TOKEN_TTL)?,
        server: server(process),
        http: http()?,
    })
}

fn server(process: &LocalProcess) -> String {
    format!("http://{}", process.address())
}

fn http() -> Result<reqwest::Client, DemoError> {
    let http = reqwest::Client::builder().no_proxy().build();
    http.map_err(|source| DemoError::Http { doing: "making an HTTP client".into(), source })
}

/// The runbook, with the port that the receiver got in place of the one in the file.
fn definition(receiver: SocketAddr) -> Result<RunbookDefinition, DemoError> {
    let mut definition: SimpleRunbook = serde_saphyr::from_str(RUNBOOK)?;
    definition.webhook_url = at_address(&definition.webhook_url, receiver);
    Ok(definition.into())
}

/// The runbook of phases, with the cluster's address in place of the one in the file.
fn phased(cluster: SocketAddr) -> Result<PhasedRunbook, DemoError> {
    let text = PHASED_RUNBOOK.replace(NODE_API, &format!("http://{cluster}"));
    Ok(serde_saphyr::from_str(&text)?)
}

/// The URL with another host and port. Not through a URL parser, which would escape the braces of templates.
fn at_address(url: &str, address: SocketAddr) -> String {
    let path = url.splitn(4, '/').nth(3).unwrap_or_default();
    format!("http://{address}/{path}")
}

/// One line of the story. On standard output, for it is what the command is for.
fn tell(line: &str) -> Result<(), DemoError> {
    let mut out = io::stdout().lock();
    writeln!(out, "{line}").and_then(|()| out.flush()).map_err(DemoError::Tell)
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum DemoError {
    #[error("setting the stage of the demo")]
    Stage(#[source] io::Error),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Start(#[from] StartError),
    #[error("reading a definition of the demo")]
    Definition(#[from] serde_saphyr::Error),
    #[error(transparent)]
    Token(#[from] LocalIdentityError),
    #[error("naming a person or a runbook of the demo")]
    Name(#[from] InvalidId),
    #[error("{doing}")]
    Http {
        doing: String,
        #[source]
        source: reqwest::Error,
    },
    #[error("{doing}: expected {expected}, got {seen}")]
    Unexpected { doing: String, expected: String, seen: String },
    #[error("reading the audit export of {resource}")]
    Export {
        resource: String,
        #[source]
        source: serde_json::Error,
    },
    #[error(transparent)]
    Unproven(#[from] Unproven),
    #[error("telling the story")]
    Tell(#[source] io::Error),
}

impl DemoError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Start(error) => error.exit(),
            Self::Stage(_)
            | Self::DataDir(_)
            | Self::Definition(_)
            | Self::Token(_)
            | Self::Name(_)
            | Self::Http { .. }
            | Self::Unexpected { .. }
            | Self::Export { .. }
            | Self::Unproven(_)
            | Self::Tell(_) => Exit::Failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_demos_runbook_is_valid_and_calls_the_receiver() {
        let address = "127.0.0.1:4711".parse().unwrap();
        let definition = definition(address).unwrap();
        assert_eq!(definition.faults(), []);
        let definition = definition.simple().unwrap();
        assert_eq!(definition.webhook_url, "http://127.0.0.1:4711/services/{{params.service}}/restart");
        assert_eq!(definition.webhook_auth.secret().map(ToString::to_string).as_deref(), Some(SECRET));
    }

    #[test]
    fn the_demos_runbook_of_phases_is_valid_and_calls_the_cluster_alone() {
        let phased = phased("127.0.0.1:4711".parse().unwrap()).unwrap();
        let text = serde_json::to_string(&phased).unwrap();
        assert_eq!(RunbookDefinition::Phased(Box::new(phased)).faults(), []);
        assert_eq!(text.matches("://").count(), text.matches("http://127.0.0.1:4711/").count());
        assert!(text.contains(&format!(r#"{{"$secret":"{NODE_SECRET}"}}"#)), "{text}");
    }
}
