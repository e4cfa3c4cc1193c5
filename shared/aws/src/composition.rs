//! How the use cases are put together in AWS.

use std::sync::Arc;
use std::time::Duration;

use muster_app::callbacks::Callbacks;
use muster_app::ports::{Bus, Queue, Secrets};
use muster_app::signing_keys::SigningKeys;
use muster_app::{App, SelfApproval, Settings};
use muster_store::dynamo::DynamoTable;

use crate::clients::Clients;
use crate::config::TableName;
use muster_app::clock::SystemClock;

/// A nudge through SQS arrives within seconds. A lost one is to be repaired within 120 s (INVARIANTS A2), of which the
/// sweeper's schedule takes up to 60.
const NUDGE_GRACE: Duration = Duration::from_secs(50);

/// The use cases on the installation's table, of a function that publishes no events.
pub fn app(clients: &Clients, table: &TableName, queue: impl Queue + 'static) -> Arc<App> {
    Arc::new(assembled(clients, table, queue, SelfApproval::Refused))
}

/// The same, of the one that takes people's answers: those that come from Slack are proven by its signature, and by the keys that
/// made the buttons.
pub fn answering_app(
    clients: &Clients,
    table: &TableName,
    queue: impl Queue + 'static,
    self_approval: SelfApproval,
    (callbacks, slack): (Callbacks, Arc<dyn SigningKeys>),
) -> Arc<App> {
    let app = assembled(clients, table, queue, self_approval);
    Arc::new(app.with_callbacks(callbacks).with_slack(slack))
}

/// The same, of the one that makes calls and delivers events.
pub fn app_with_bus(
    clients: &Clients,
    table: &TableName,
    queue: impl Queue + 'static,
    bus: impl Bus + 'static,
    callbacks: Callbacks,
) -> Arc<App> {
    let app = assembled(clients, table, queue, SelfApproval::Refused);
    Arc::new(app.with_bus(Arc::new(bus)).with_callbacks(callbacks))
}

/// The use cases of a function that takes deliveries, which these secrets verify, and callbacks, which these keys prove.
pub fn verifying_app(
    clients: &Clients,
    table: &TableName,
    queue: impl Queue + 'static,
    secrets: impl Secrets + 'static,
    callbacks: Callbacks,
) -> Arc<App> {
    let app = assembled(clients, table, queue, SelfApproval::Refused);
    Arc::new(app.with_secrets(Arc::new(secrets)).with_callbacks(callbacks))
}

fn assembled(
    clients: &Clients,
    table: &TableName,
    queue: impl Queue + 'static,
    self_approval: SelfApproval,
) -> App {
    let table = DynamoTable::new(clients.dynamo().clone(), table.as_str());
    let settings = Settings { self_approval, nudge_grace: NUDGE_GRACE };
    App::new(Arc::new(table), Arc::new(queue), Arc::new(SystemClock), settings)
}
