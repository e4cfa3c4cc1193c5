//! SQS's and EventBridge's part: what was sent is delivered at least once, in any order, to workers that may be killed.

use std::sync::Mutex;
use std::time::Duration;

use futures::future::join_all;
use muster_app::job::Message;
use muster_app::ports::Clock as _;
use muster_app::worker::Shift;
use muster_domain::time::Time;
use serde_json::{Value, json};

use super::installation::Installation;

/// How long a worker's turn lasts, and how long a message that it did not delete is hidden.
const SHIFT: Duration = Duration::from_secs(60);
const HIDDEN: Duration = Duration::from_secs(360);
/// As in `infra/template.yaml`: a message that was received this often goes to the dead-letter queue.
const MOST_RECEIVES: u32 = 5;
/// The most messages of one batch.
const BATCH: usize = 5;

pub(super) struct Courier {
    /// On their way, or hidden.
    parcels: Mutex<Vec<Parcel>>,
    /// Everything that was ever sent.
    pub(super) sent: Mutex<Vec<Content>>,
    events_seen: Mutex<usize>,
}

#[derive(Debug, Clone)]
struct Parcel {
    content: Content,
    due: Time,
    receives: u32,
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    Job(Message),
    /// As EventBridge hands it to a function.
    Event(Vec<u8>),
}

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Delivered {
    Handled,
    Failed,
}

impl Courier {
    pub(super) fn new() -> Self {
        Self { parcels: Mutex::default(), sent: Mutex::default(), events_seen: Mutex::default() }
    }

    /// Takes what was sent since the last time; some of it twice.
    fn collect(&self, muster: &Installation) {
        let now = muster.clock.now();
        for sent in muster.sqs.take() {
            let delay = Duration::from_secs(sent.delay_seconds.try_into().unwrap());
            let message = serde_json::from_str(&sent.body).unwrap();
            self.keep(muster, Content::Job(message), now.plus(delay));
        }
        let taken = muster.bridge.taken();
        let mut seen = self.events_seen.lock().unwrap();
        for (number, entry) in taken.iter().enumerate().skip(*seen) {
            self.keep(muster, Content::Event(envelope(number, entry)), now);
        }
        *seen = taken.len();
    }

    /// Hands something over, as a sender would.
    pub(super) fn keep(&self, muster: &Installation, content: Content, due: Time) {
        let copies = if muster.weather.once_in(6) { 2 } else { 1 };
        let parcel = Parcel { content: content.clone(), due, receives: 0 };
        self.parcels.lock().unwrap().extend(vec![parcel; copies]);
        self.sent.lock().unwrap().push(content);
    }

    /// When the next one is due.
    pub(super) fn next_due(&self, muster: &Installation) -> Option<Time> {
        self.collect(muster);
        self.parcels.lock().unwrap().iter().map(|parcel| parcel.due).min()
    }

    /// Delivers one batch of what is due, in any order; tells whether there was any.
    pub(super) async fn deliver(&self, muster: &Installation) -> bool {
        self.collect(muster);
        let batch = self.take_batch(muster);
        if batch.is_empty() {
            return false;
        }
        let work = join_all(batch.iter().map(|parcel| handle(muster, &parcel.content)));
        let outcomes = tokio::select! {
            outcomes = work => outcomes,
            () = muster.weather.killed() => vec![Delivered::Failed; batch.len()],
        };
        for (parcel, outcome) in batch.into_iter().zip(outcomes) {
            if outcome == Delivered::Failed {
                self.hide(muster, parcel).await;
            }
        }
        true
    }

    fn take_batch(&self, muster: &Installation) -> Vec<Parcel> {
        let now = muster.clock.now();
        let mut parcels = self.parcels.lock().unwrap();
        let (mut due, later): (Vec<_>, Vec<_>) = parcels.drain(..).partition(|parcel| parcel.due <= now);
        muster.weather.shuffle(&mut due);
        let kept = due.split_off(due.len().min(BATCH));
        *parcels = later;
        parcels.extend(kept);
        due
    }

    /// Until it becomes visible again, or for good.
    async fn hide(&self, muster: &Installation, mut parcel: Parcel) {
        parcel.receives += 1;
        parcel.due = muster.clock.now().plus(HIDDEN);
        if parcel.receives < MOST_RECEIVES {
            self.parcels.lock().unwrap().push(parcel);
        } else if let Content::Job(message) = &parcel.content
            && muster.app.give_up(&message.job, "its message failed too often").await.is_err()
        {
            // The dead-letter queue has a retry of its own.
            self.parcels.lock().unwrap().push(parcel);
        }
    }
}

pub(super) async fn handle_quietly(muster: &Installation, content: &Content) {
    let _ = handle(muster, content).await;
}

async fn handle(muster: &Installation, content: &Content) -> Delivered {
    let done = match content {
        Content::Job(message) => {
            let deadline = muster.clock.now().plus(SHIFT);
            let shift = Shift { egress: &muster.egress, holder: "worker-1", deadline };
            muster.app.handle(&message.job, &shift).await.is_ok()
        }
        Content::Event(bytes) => muster.app.receive_event(bytes).await.is_ok(),
    };
    if done { Delivered::Handled } else { Delivered::Failed }
}

/// What EventBridge makes of an entry of PutEvents.
fn envelope(number: usize, entry: &Value) -> Vec<u8> {
    let detail: Value = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
    let envelope = json!({
        "version": "0",
        "id": format!("00000000-0000-0000-0000-{number:012}"),
        "detail-type": entry["DetailType"],
        "source": entry["Source"],
        "account": "123456789012",
        "time": "2026-03-01T12:00:00Z",
        "region": "eu-central-1",
        "resources": entry["Resources"],
        "detail": detail,
    });
    envelope.to_string().into_bytes()
}
