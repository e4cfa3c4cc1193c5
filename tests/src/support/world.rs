//! A whole Muster for one test: the real table, router, use cases and way out, with time and the queue in the test's hands.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use muster_app::callbacks::Callbacks;
use muster_app::job::Job;
use muster_app::ports::{Bus, Clock, Egress, Queue, Table};
use muster_app::signing_keys::{FixedKeys, SigningKey};
use muster_app::worker::Shift;
use muster_app::{App, SelfApproval, Settings};
use muster_domain::policy::Principal;
use muster_egress::{EgressPolicy, HttpEgress, LocalSecrets};
use muster_http::{HttpSettings, router};
use muster_store::dynamo::DynamoTable;
use muster_store::sqlite::SqliteTable;
use tempfile::TempDir;

use super::bus::ManualBus;
use super::client::Client;
use super::clock::ManualClock;
use super::dynamo::{BACKOFF, Dynamo};
use super::hooked::{Hook, HookedTable};
use super::queue::ManualQueue;
use super::receiver::Receiver;

pub(crate) struct World {
    pub(crate) app: Arc<App>,
    pub(crate) router: Router,
    /// What `app` stores in.
    pub(crate) table: Arc<dyn Table>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) queue: Arc<ManualQueue>,
    pub(crate) bus: Arc<ManualBus>,
    /// The only address that `egress` may call.
    pub(crate) receiver: Receiver,
    pub(crate) egress: Arc<dyn Egress>,
    /// Holds the table's file and the secrets; removed with the world.
    pub(crate) directory: TempDir,
}

/// More jobs than any test means to run: a world that goes on for ever fails instead of hanging.
const MOST_JOBS: usize = 100_000;

/// How long a worker's turn lasts.
pub(crate) const SHIFT: Duration = Duration::from_secs(60);

/// What holds the table of a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Engine {
    /// A file of the world's own.
    Sqlite,
    /// A table of the world's own, through the real client.
    Dynamo,
}

impl Engine {
    /// A new, empty table; a file of it is within `directory`.
    pub(crate) async fn table(self, directory: &TempDir) -> Arc<dyn Table> {
        match self {
            Self::Sqlite => Arc::new(SqliteTable::open(&directory.path().join("muster.db")).unwrap()),
            Self::Dynamo => {
                let dynamo = Dynamo::start().await;
                let table = DynamoTable::new(dynamo.client().clone(), dynamo.table());
                Arc::new(table.with_backoff(BACKOFF))
            }
        }
    }
}

impl World {
    pub(crate) async fn on(engine: Engine) -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self::over(engine.table(&directory).await, directory, settings()).await
    }

    pub(crate) async fn sqlite() -> Self {
        Self::on(Engine::Sqlite).await
    }

    /// With the test's hand on the table.
    pub(crate) async fn hooked<H: Hook + 'static>(engine: Engine, hook: Arc<H>) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let inner = engine.table(&directory).await;
        Self::over(Arc::new(HookedTable { inner, hook }), directory, settings()).await
    }

    /// On any table, such as one that a test has wrapped.
    pub(crate) async fn over(table: Arc<dyn Table>, directory: TempDir, settings: Settings) -> Self {
        let clock = Arc::<ManualClock>::default();
        let queue = Arc::new(ManualQueue::new(Arc::clone(&clock)));
        let bus = Arc::<ManualBus>::default();
        let receiver = Receiver::start().await;
        let app = App::new(
            Arc::clone(&table),
            Arc::clone(&queue) as Arc<dyn Queue>,
            Arc::clone(&clock) as Arc<dyn Clock>,
            settings,
        );
        let secrets = LocalSecrets::open(directory.path().join("secrets")).unwrap();
        let app = app.with_bus(Arc::clone(&bus) as Arc<dyn Bus>).with_secrets(Arc::new(secrets));
        let app = app.with_callbacks(callbacks()).with_slack(Arc::new(slack_secrets()));
        let app = Arc::new(app);
        Self {
            router: router(Arc::clone(&app), HttpSettings::default()),
            egress: Arc::new(egress_to(&receiver, &directory)),
            app,
            table,
            clock,
            queue,
            bus,
            receiver,
            directory,
        }
    }

    /// A client of the API with these groups.
    pub(crate) fn client(&self, user: &str, groups: &[&str]) -> Client {
        let principal = Principal::from_groups(user.parse().unwrap(), groups.iter().copied());
        Client::new(self.router.clone(), Some(principal))
    }

    /// A client without a token.
    pub(crate) fn stranger(&self) -> Client {
        Client::new(self.router.clone(), None)
    }

    /// Runs every job, and those that come of it, until there are none; moves the clock on to the next whenever none is due.
    pub(crate) async fn drain(&self) {
        for _ in 0..MOST_JOBS {
            self.drain_due().await;
            match self.queue.next_due() {
                None => return,
                Some(moment) => self.clock.move_to(moment),
            }
        }
        panic!("the queue does not become empty");
    }

    /// Runs every job that is due, and those that come of it and are due too.
    pub(crate) async fn drain_due(&self) {
        for _ in 0..MOST_JOBS {
            let jobs = self.queue.take_due();
            if jobs.is_empty() {
                return;
            }
            for job in jobs {
                self.handle(&job).await.unwrap();
            }
        }
        panic!("the queue always has a job that is due");
    }

    /// Does one job as a worker would.
    pub(crate) async fn handle(&self, job: &Job) -> Result<(), muster_app::Error> {
        let shift = Shift {
            egress: self.egress.as_ref(),
            holder: "worker-1",
            deadline: self.clock.now().plus(SHIFT),
        };
        self.app.handle(job, &shift).await
    }
}

/// What tests run with unless they say otherwise.
pub(crate) fn settings() -> Settings {
    Settings { self_approval: SelfApproval::Refused, nudge_grace: Duration::from_secs(2) }
}

/// What callbacks are proven by in every world, and where receivers think that the API is.
pub(crate) fn callbacks() -> Callbacks {
    let current = SigningKey::new(vec![7; 32].into());
    let keys = Arc::new(FixedKeys { current, previous: None });
    Callbacks { keys, public_url: Some("https://muster.test".parse().unwrap()) }
}

/// With what Slack signs in every world.
pub(crate) const SLACK_SIGNING_SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";

fn slack_secrets() -> FixedKeys {
    let current = SigningKey::new(SLACK_SIGNING_SECRET.as_bytes().to_vec().into());
    FixedKeys { current, previous: None }
}

/// The real way out, opened for this receiver alone. Secrets come from the file `secrets` in the world's directory.
fn egress_to(receiver: &Receiver, directory: &TempDir) -> HttpEgress {
    let policy = EgressPolicy::allowing(vec![receiver.target().parse().unwrap()]);
    let secrets = LocalSecrets::open(directory.path().join("secrets")).unwrap();
    HttpEgress::new(policy, Arc::new(secrets)).unwrap()
}
