//! The dead-letter queue: what failed too often is finalised, and never run.

use std::time::Duration;

use muster_domain::execution::{ExecutionStatus, State};
use serde_json::json;

use super::installation::{Installation, calling};
use super::samples::{batch, failures, sample};
use crate::support::receiver::Receiver;

#[tokio::test]
async fn inv_a1_a_dead_letter_ends_its_execution_and_sends_nothing() {
    let installation = Installation::start().await;
    let dead_letter = installation.function("muster-dead-letter").await;
    let receiver = Receiver::start().await;
    let id = installation.accepted(Duration::from_secs(600), calling(&receiver.url("/"))).await;
    let body = json!({"v": 1, "job": "run", "execution": id}).to_string();
    assert_eq!(dead_letter.answer(&batch([body.as_str()])).await, failures([]));
    let ended = installation.stored(&id).await;
    let State::Failed { error } = &ended.value.state else { panic!("{:?}", ended.value.state) };
    assert_eq!(error, "the job failed too often and ended in the dead-letter queue");
    assert_eq!(installation.proven(&id).await.last().unwrap(), "execution.failed");
    assert_eq!((receiver.received().len(), installation.sqs.take().len()), (0, 0));

    // Delivered again, and by the worker too, it stays as it is.
    assert_eq!(dead_letter.answer(&batch([body.as_str()])).await, failures([]));
    let worker = installation.function("muster-worker").await;
    assert_eq!(worker.answer(&batch([body.as_str()])).await, failures([]));
    assert_eq!(installation.stored(&id).await, ended);
    assert_eq!(ended.value.status(), ExecutionStatus::Failed);
    let lines = dead_letter.stop();
    assert_eq!(lines.iter().filter(|line| line["ExecutionsFailed"] == 1).count(), 1, "{lines:?}");
}

/// What cannot be read comes back until the queue parks it for a person.
#[tokio::test]
async fn inv_a3_an_unreadable_dead_letter_comes_back() {
    let installation = Installation::start().await;
    let dead_letter = installation.function("muster-dead-letter").await;
    assert_eq!(dead_letter.answer(&batch(["poison"])).await, failures(["m0"]));
    assert_eq!(dead_letter.answer(&sample("sqs/dead-letter")).await, failures([]));
}
