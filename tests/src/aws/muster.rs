//! A Muster that runs, wherever it runs.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use muster_app::App;
use muster_app::ports::Table;
use muster_store::sqlite::SqliteTable;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::deployed::Deployed;
use super::text;
use crate::lambda::installation;
use crate::local::data_dir;
use crate::local::person::Person;
use crate::local::server::Server;
use crate::support::receiver::{Received, Receiver, Reply};

#[derive(Debug, Clone, Copy)]
pub(crate) enum Target {
    /// `muster serve`, one process.
    Local,
    /// The stack that is deployed on the local AWS.
    Aws,
}

pub(super) struct Muster {
    place: Place,
    receiver: Arc<Receiver>,
    /// Of this scenario alone: others run on the same stack at the same time.
    pub(super) team: String,
}

enum Place {
    Local(Box<Local>),
    Aws(Arc<Deployed>),
}

/// The directory goes with the server.
struct Local {
    server: Server,
    _parent: TempDir,
}

impl Local {
    fn audit_partitions(&self) -> Vec<String> {
        let table = rusqlite::Connection::open(self.server.data.join("muster.db")).unwrap();
        let mut found = table.prepare("SELECT DISTINCT pk FROM items WHERE pk LIKE 'AUDIT#%'").unwrap();
        found.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
    }
}

impl Muster {
    pub(super) async fn start(target: Target) -> Self {
        match target {
            Target::Local => Self::start_local().await,
            Target::Aws => {
                let deployed = Deployed::find().await;
                Self { receiver: deployed.receiver(), place: Place::Aws(deployed), team: unique() }
            }
        }
    }

    async fn start_local() -> Self {
        let (parent, data) = data_dir();
        let receiver = Arc::new(Receiver::start().await);
        let server = Server::start(&data, &["--allow-egress", &receiver.target()]).await;
        let place = Place::Local(Box::new(Local { server, _parent: parent }));
        Self { place, receiver, team: unique() }
    }

    /// A person with a token of the issuer that this Muster trusts.
    pub(super) fn person(&self, user: &str, groups: &[&str]) -> Person {
        match &self.place {
            Place::Local(local) => Person::of(&local.server, user, groups),
            Place::Aws(deployed) => Person::at(deployed.api(), &deployed.token(user, groups)),
        }
    }

    /// The same with any text for a token.
    pub(super) fn stranger(&self, token: &str) -> Person {
        match &self.place {
            Place::Local(local) => Person::with_token(&local.server, token),
            Place::Aws(deployed) => Person::at(deployed.api(), token),
        }
    }

    /// Ann, who administers the scenario's team.
    pub(super) fn ann(&self) -> Person {
        self.person("ann", &[&format!("team:{}:admin", self.team)])
    }

    /// Bob, who approves.
    pub(super) fn bob(&self) -> Person {
        self.person("bob", &["platform-admin"])
    }

    /// Eve, who reads everything.
    pub(super) fn eve(&self) -> Person {
        self.person("eve", &["auditor"])
    }

    /// An address of the receiver for calls of this scenario.
    pub(super) fn url(&self, path: &str) -> String {
        self.receiver.url(&self.path(path))
    }

    /// Answers the next calls of that address so, and all after them with 200.
    pub(super) fn will(&self, path: &str, replies: impl IntoIterator<Item = Reply>) {
        self.receiver.will_at(&self.path(path), replies);
    }

    /// What arrived at that address.
    pub(super) fn received(&self, path: &str) -> Vec<Received> {
        let path = self.path(path);
        self.receiver.received().into_iter().filter(|received| received.uri.path() == path).collect()
    }

    fn path(&self, path: &str) -> String {
        format!("/{}{path}", self.team)
    }

    /// Keeps a secret where webhooks find it.
    pub(super) async fn keep_secret(&self, name: &str, value: &str) {
        match &self.place {
            Place::Local(local) => {
                std::fs::write(local.server.data.join("secrets"), format!("{name}={value}\n")).unwrap();
            }
            Place::Aws(deployed) => deployed.keep_secret(name, value).await,
        }
    }

    /// Brings an event to the matcher as its sender would.
    pub(super) async fn deliver(&self, sender: Sender, event: &Value) {
        match (&self.place, sender) {
            (Place::Local(_), Sender::Muster | Sender::Aws) => {
                self.bob().post("/api/events", event.clone()).await.expect(202);
            }
            (Place::Aws(deployed), Sender::Muster) => deployed.put_event(event).await,
            (Place::Aws(deployed), Sender::Aws) => deployed.invoke_matcher(event).await,
        }
    }

    /// Every resource of which the table holds an audit entry.
    pub(super) async fn audited(&self) -> BTreeSet<String> {
        let partitions = match &self.place {
            Place::Local(local) => local.audit_partitions(),
            Place::Aws(deployed) => deployed.audit_partitions().await,
        };
        partitions.iter().map(|partition| partition.strip_prefix("AUDIT#").unwrap().to_owned()).collect()
    }

    /// An incident that was opened `ago`, of which nobody told the bus.
    pub(super) async fn opened(&mut self, ago: Duration) -> String {
        let team = self.team.clone();
        self.in_the_past(ago, async |app| installation::opened(&app, &team).await.to_string()).await
    }

    /// Does something with the stored things as if it were `ago`, without a nudge. A local server is restarted: the file of its
    /// table is its own.
    async fn in_the_past<T>(&mut self, ago: Duration, act: impl AsyncFnOnce(App) -> T) -> T {
        match &mut self.place {
            Place::Local(local) => {
                local.server.terminate();
                local.server.ended().await;
                let table = SqliteTable::open(&local.server.data.join("muster.db")).unwrap();
                let done = act(installation::past(Arc::new(table), ago)).await;
                let arguments = ["--allow-egress", &self.receiver.target()];
                local.server = Server::start(&local.server.data.clone(), &arguments).await;
                done
            }
            Place::Aws(deployed) => act(installation::past(deployed.table(), ago)).await,
        }
    }

    /// The id of a new runbook of the team, which bob has approved.
    pub(super) async fn approved(&self, definition: Value) -> String {
        let created = self.ann().post("/api/runbooks", definition).await.expect(201);
        let runbook = text(&created["id"]);
        self.bob().post(&format!("/api/runbooks/{runbook}/approve"), json!({})).await.expect(200);
        runbook
    }

    /// The definition of a runbook that calls an address of the receiver.
    pub(super) fn calling(&self, path: &str) -> Value {
        json!({"name": "Restart a service", "teamId": self.team, "webhookUrl": self.url(path)})
    }
}

/// Who makes an event.
#[derive(Debug, Clone, Copy)]
pub(super) enum Sender {
    /// By the installation's bus.
    Muster,
    /// Nobody else may put events of AWS on a bus, so a test invokes the function, as an alarm's own action does.
    Aws,
}

/// A team's name that no other scenario has, in this run or another.
fn unique() -> String {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis();
    format!("t{now:x}-{}", NEXT.fetch_add(1, Ordering::Relaxed))
}

/// What an accepted request gave the execution.
pub(super) fn execution_of(accepted: &Value) -> String {
    text(&accepted["execution"]["id"])
}

/// A table that any Muster stores in.
pub(super) type AnyTable = Arc<dyn Table>;
