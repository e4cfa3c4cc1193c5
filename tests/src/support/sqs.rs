//! A stand-in for SQS: it takes messages, remembers them, and counts what a test tells it to count.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use http::StatusCode;
use serde_json::{Value, json};

use super::aws_json::{Refused, Service, serve};

#[derive(Default)]
pub(crate) struct Sqs {
    memory: Mutex<Memory>,
}

/// A message as it was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sent {
    pub(crate) queue: String,
    pub(crate) body: String,
    pub(crate) delay_seconds: i64,
    /// Whose it is.
    pub(crate) group: String,
}

#[derive(Default)]
struct Memory {
    sent: Vec<Sent>,
    is_down: bool,
    counts: Vec<(&'static str, [u64; 3])>,
}

impl Sqs {
    pub(crate) async fn start() -> (Arc<Self>, SocketAddr) {
        let sqs = Arc::<Self>::default();
        let address = serve(Arc::clone(&sqs) as Arc<dyn Service>).await;
        (sqs, address)
    }

    /// Takes the messages that were sent since the last time.
    pub(crate) fn take(&self) -> Vec<Sent> {
        std::mem::take(&mut self.memory.lock().unwrap().sent)
    }

    /// From now on every request fails.
    pub(crate) fn goes_down(&self) {
        self.memory.lock().unwrap().is_down = true;
    }

    /// How many messages of the queue are visible, in hand and delayed.
    pub(crate) fn counts(&self, queue: &'static str, counts: [u64; 3]) {
        self.memory.lock().unwrap().counts.push((queue, counts));
    }
}

impl Service for Sqs {
    fn answer(&self, operation: &str, request: &Value) -> Result<Value, Refused> {
        let mut memory = self.memory.lock().unwrap();
        if memory.is_down {
            return Err(Refused { status: StatusCode::INTERNAL_SERVER_ERROR, kind: "InternalFailure" });
        }
        match operation {
            "SendMessage" => Ok(memory.send(request)),
            "GetQueueAttributes" => Ok(memory.attributes(request)),
            other => panic!("Muster does not use {other}"),
        }
    }
}

impl Memory {
    fn send(&mut self, request: &Value) -> Value {
        let text = |name: &str| request[name].as_str().unwrap().to_owned();
        let delay_seconds = request["DelaySeconds"].as_i64().unwrap();
        let (queue, body, group) = (text("QueueUrl"), text("MessageBody"), text("MessageGroupId"));
        self.sent.push(Sent { queue, body, delay_seconds, group });
        json!({"MessageId": format!("m{}", self.sent.len()), "MD5OfMessageBody": ""})
    }

    fn attributes(&self, request: &Value) -> Value {
        let asked = request["QueueUrl"].as_str().unwrap();
        let told = self.counts.iter().find(|(queue, _)| *queue == asked);
        let [visible, in_hand, delayed] = told.unwrap().1.map(|count| count.to_string());
        json!({"Attributes": {
            "ApproximateNumberOfMessages": visible,
            "ApproximateNumberOfMessagesNotVisible": in_hand,
            "ApproximateNumberOfMessagesDelayed": delayed,
        }})
    }
}
