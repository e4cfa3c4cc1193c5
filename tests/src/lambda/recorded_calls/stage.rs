//! The six functions, each with a ledger between it and AWS, and what carries messages and events between them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;

use super::needs::needs;
use crate::lambda::installation::{DEAD_LETTERS_URL, Installation, QUEUE_URL};
use crate::lambda::policy::Need;
use crate::lambda::samples::{batch, failures, sample};
use crate::lambda::workflows::delivered;
use crate::support::lambda::Function;
use crate::support::ledger::Ledger;
use crate::support::receiver::Receiver;

const FUNCTIONS: [&str; 6] = [
    "muster-api",
    "muster-approval",
    "muster-worker",
    "muster-matcher",
    "muster-sweeper",
    "muster-dead-letter",
];

pub(super) struct Stage {
    pub(super) installation: Installation,
    /// The one address that the worker may call.
    pub(super) receiver: Receiver,
    functions: BTreeMap<&'static str, (Function, Arc<Ledger>)>,
    /// How many events of the bus were brought to the matcher.
    carried: AtomicUsize,
    /// The operations of the API that were asked for.
    pub(super) asked: Mutex<BTreeSet<String>>,
}

impl Stage {
    pub(super) async fn set() -> Self {
        let installation = Installation::start().await;
        installation.sqs.counts(QUEUE_URL, [0, 0, 0]);
        installation.sqs.counts(DEAD_LETTERS_URL, [0, 0, 0]);
        let receiver = Receiver::start().await;
        let mut functions = BTreeMap::new();
        for binary in FUNCTIONS {
            functions.insert(binary, recorded(&installation, binary, &receiver).await);
        }
        Self { installation, receiver, functions, carried: AtomicUsize::new(0), asked: Mutex::default() }
    }

    pub(super) fn function(&self, binary: &str) -> &Function {
        &self.functions[binary].0
    }

    /// What the recorded calls of a function ask IAM for.
    pub(super) fn needs_of(&self, binary: &str) -> BTreeSet<Need> {
        let calls = self.functions[binary].1.calls();
        let table = self.installation.table_name();
        calls.iter().flat_map(|call| needs(call, table)).collect()
    }

    /// Whose the messages of all functions are: the kind of job, and the group.
    pub(super) fn nudges(&self) -> BTreeSet<(String, String)> {
        let calls = self.functions.values().flat_map(|(_, ledger)| ledger.calls());
        let sent = calls.filter(|call| call.operation == "SendMessage").map(|call| call.request);
        sent.map(|message| {
            let body: Value = serde_json::from_str(message["MessageBody"].as_str().unwrap()).unwrap();
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (text(&body["job"]), text(&message["MessageGroupId"]))
        })
        .collect()
    }

    /// Brings every message to the worker and every event to the matcher until there are no more; messages for later are lost.
    pub(super) async fn work_off(&self) {
        loop {
            let sent = self.installation.sqs.take();
            let carried = self.carry_events().await;
            if sent.is_empty() && !carried {
                return;
            }
            for message in sent.iter().filter(|message| message.delay_seconds == 0) {
                self.deliver("muster-worker", &message.body).await;
            }
        }
    }

    /// Whether there was an event.
    async fn carry_events(&self) -> bool {
        let events = self.installation.event_bridge.taken();
        let carried = self.carried.swap(events.len(), Ordering::Relaxed);
        for entry in &events[carried..] {
            self.function("muster-matcher").answer(&delivered(entry)).await;
        }
        carried < events.len()
    }

    pub(super) async fn deliver(&self, binary: &str, body: &str) {
        assert_eq!(self.function(binary).answer(&batch([body])).await, failures([]), "{body}");
    }

    pub(super) async fn sweep(&self) -> Value {
        self.function("muster-sweeper").answer(&sample("eventbridge/each-minute")).await
    }
}

/// Starts a function as the template says, with a ledger before everything that it calls.
async fn recorded(
    installation: &Installation,
    binary: &'static str,
    receiver: &Receiver,
) -> (Function, Arc<Ledger>) {
    let (ledger, address) = Ledger::before(installation.services()).await;
    let endpoint = format!("http://{address}");
    let mut variables = installation.variables(binary, &[]);
    variables.retain(|(name, _)| !name.starts_with("AWS_ENDPOINT_URL"));
    variables.push(("AWS_ENDPOINT_URL".into(), endpoint));
    if binary == "muster-worker" {
        variables.push(("MUSTER_LOOPBACK_EGRESS".into(), receiver.target()));
    }
    (Function::start(binary, variables).await, ledger)
}
