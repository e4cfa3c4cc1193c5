//! The weather between Muster and whatever it calls.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};

use super::weather::{Fault, Peer, Weather};
use crate::support::proxy::{Answer, Between, Passing, json_answer};

/// Between the AWS clients and their services.
pub(super) struct Services {
    pub(super) weather: Arc<Weather>,
    pub(super) client: reqwest::Client,
    pub(super) table: SocketAddr,
    pub(super) queue: SocketAddr,
    pub(super) bus: SocketAddr,
}

/// Between the way out and the receiver of webhooks.
pub(super) struct Street {
    pub(super) weather: Arc<Weather>,
    pub(super) client: reqwest::Client,
    pub(super) receiver: SocketAddr,
}

#[async_trait]
impl Between for Services {
    async fn pass(&self, request: Passing) -> Option<Answer> {
        let (service, operation) = request.operation();
        let (peer, to) = match service {
            "AmazonSQS" => (Peer::Queue, self.queue),
            "AWSEvents" => (Peer::Bus, self.bus),
            other => {
                assert!(other.starts_with("DynamoDB_"), "nobody knows the service {other:?}");
                (Peer::Table, self.table)
            }
        };
        let fault = self.weather.next(peer, operation);
        match fault {
            Some(Fault::Throttled) => throttled(peer, operation),
            Some(Fault::LeftUndone) => left_undone(operation, &request),
            Some(_) | None => through(&self.weather, fault, request, &self.client, to).await,
        }
    }
}

#[async_trait]
impl Between for Street {
    async fn pass(&self, request: Passing) -> Option<Answer> {
        let fault = self.weather.next(Peer::Receiver, "");
        match fault {
            Some(Fault::Throttled) => json_answer(503, &json!({})),
            Some(_) | None => through(&self.weather, fault, request, &self.client, self.receiver).await,
        }
    }
}

async fn through(
    weather: &Weather,
    fault: Option<Fault>,
    request: Passing,
    client: &reqwest::Client,
    to: SocketAddr,
) -> Option<Answer> {
    match fault {
        Some(Fault::Dropped) => None,
        Some(Fault::AnswerLost) => {
            request.forward(client, to).await;
            None
        }
        Some(Fault::WorkerKilled) => {
            request.forward(client, to).await;
            weather.kill_worker();
            None
        }
        Some(Fault::Delayed(by)) => {
            tokio::time::sleep(by).await;
            request.forward(client, to).await
        }
        Some(Fault::Throttled | Fault::LeftUndone) | None => request.forward(client, to).await,
    }
}

fn throttled(peer: Peer, operation: &str) -> Option<Answer> {
    let kind = match (peer, operation) {
        (Peer::Table, "TransactWriteItems") => {
            let reasons = json!([{"Code": "ThrottlingError"}]);
            let body = json!({"__type": "TransactionCanceledException", "CancellationReasons": reasons});
            return json_answer(400, &body);
        }
        (Peer::Table, _) => "ProvisionedThroughputExceededException",
        (Peer::Queue | Peer::Bus | Peer::Receiver, _) => "ThrottlingException",
    };
    json_answer(400, &json!({"__type": kind, "message": "too busy"}))
}

fn left_undone(operation: &str, request: &Passing) -> Option<Answer> {
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    let answer = if operation == "BatchGetItem" {
        json!({"Responses": {}, "UnprocessedKeys": body["RequestItems"]})
    } else {
        let entry = json!({"ErrorCode": "InternalFailure", "ErrorMessage": "left undone"});
        json!({"FailedEntryCount": 1, "Entries": [entry]})
    };
    json_answer(200, &answer)
}
