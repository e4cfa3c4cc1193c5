//! Batches of the work queue.

use std::time::Duration;

use muster_domain::execution::{ExecutionStatus, State};
use serde_json::{Value, json};

use super::installation::{Installation, WITHOUT_TABLE, calling};
use super::samples::{batch, failures, sample};
use crate::support::lambda::LOG_STREAM;
use crate::support::receiver::Receiver;

const RECENTLY: Duration = Duration::from_secs(1);

fn job(execution: &impl ToString) -> String {
    json!({"v": 1, "job": "run", "execution": execution.to_string()}).to_string()
}

#[tokio::test]
async fn inv_a3_a_poison_message_comes_back_and_its_neighbours_are_done() {
    let installation = Installation::start().await;
    let worker = installation.function("muster-worker").await;
    let receiver = Receiver::start().await;
    let one = installation.accepted(RECENTLY, calling(&receiver.url("/one"))).await;
    let two = installation.accepted(RECENTLY, calling(&receiver.url("/two"))).await;
    let future = json!({"v": 2, "job": "run", "execution": one}).to_string();
    let event = batch(["poison", job(&one).as_str(), "", future.as_str(), job(&two).as_str()]);
    assert_eq!(worker.answer(&event).await, failures(["m0", "m2", "m3"]));
    for execution in [one, two] {
        assert_eq!(installation.stored(&execution).await.value.status(), ExecutionStatus::Failed);
    }
    let lines = worker.stop();
    assert!(lines.iter().any(|line| line["JobsUnreadable"] == 3), "{lines:?}");
}

#[tokio::test]
async fn the_sample_with_a_poison_message_loses_only_that() {
    let worker = Installation::start().await.function("muster-worker").await;
    // The other message names an execution that does not exist: there is nothing to do for it.
    let poison = "2e1424d4-f796-459a-8184-9c92662be6da";
    assert_eq!(worker.answer(&sample("sqs/poison-and-good")).await, failures([poison]));
    assert_eq!(worker.answer(&sample("sqs/one-job")).await, failures([]));
}

/// SQS delivers at least once: the second delivery finds nothing to do.
#[tokio::test]
async fn inv_b7_every_job_delivered_twice_changes_nothing_the_second_time() {
    let installation = Installation::start().await;
    let worker = installation.function("muster-worker").await;
    let receiver = Receiver::start().await;
    let id = installation.accepted(RECENTLY, calling(&receiver.url("/"))).await;
    let body = job(&id);
    assert_eq!(worker.answer(&batch([body.as_str()])).await, failures([]));
    let first = (installation.stored(&id).await, installation.proven(&id).await);
    assert_eq!(worker.answer(&batch([body.as_str(), body.as_str()])).await, failures([]));
    assert_eq!((installation.stored(&id).await, installation.proven(&id).await), first);
}

/// The guard on addresses, in the binary that is deployed.
#[tokio::test]
async fn inv_d1_the_worker_calls_no_address_that_is_not_public() {
    let installation = Installation::start().await;
    let worker = installation.function("muster-worker").await;
    let receiver = Receiver::start().await;
    let port = receiver.target().rsplit(':').next().unwrap().to_owned();
    for (host, reason) in [
        ("127.0.0.1", "the address 127.0.0.1 is"),
        ("[::1]", "the address ::1 is"),
        ("[::ffff:127.0.0.1]", "is"),
        ("2130706433", "the address 127.0.0.1 is"),
        ("169.254.169.254", "the address 169.254.169.254 is"),
        ("localhost", "localhost"),
    ] {
        let id = installation.accepted(RECENTLY, calling(&format!("http://{host}:{port}/"))).await;
        assert_eq!(worker.answer(&batch([job(&id).as_str()])).await, failures([]));
        let state = installation.stored(&id).await.value.state;
        let State::Failed { error } = &state else { panic!("{host}: {state:?}") };
        assert!(error.contains(reason), "{host}: {error}");
    }
    assert_eq!(receiver.received().len(), 0);
}

/// The secret is read under the installation's prefix; without it nothing is sent, and the reason says so.
#[tokio::test]
async fn a_secret_that_does_not_exist_is_the_reason_of_the_failure() {
    let installation = Installation::start().await;
    let worker = installation.function("muster-worker").await;
    let mut definition = calling("https://control.example.com/restart");
    definition["webhookAuth"] = json!({"type": "bearer", "token": {"$secret": "control"}});
    let id = installation.accepted(RECENTLY, definition).await;
    assert_eq!(worker.answer(&batch([job(&id).as_str()])).await, failures([]));
    assert_eq!(installation.secrets.asked(), ["muster/test/control"]);
    let state = installation.stored(&id).await.value.state;
    let State::Failed { error } = &state else { panic!("{state:?}") };
    assert!(error.contains("control"), "{error}");
}

/// The name ends in `.invalid`, so no name service has it: the call is not sent and tried again later, by a delayed nudge.
#[tokio::test]
async fn inv_f3_a_secret_reaches_neither_the_log_nor_the_table_nor_the_queue() {
    const CANARY: &str = "canary-2f1c9b7e";
    let installation = Installation::start().await;
    installation.secrets.hold("muster/test/control", json!({"SecretString": CANARY}));
    let worker = installation.function_with("muster-worker", &[("MUSTER_LOG", "trace")]).await;
    let mut definition = calling("https://receiver.invalid/");
    definition["webhookAuth"] = json!({"type": "bearer", "token": {"$secret": "control"}});
    let id = installation.accepted(RECENTLY, definition).await;
    assert_eq!(worker.answer(&batch([job(&id).as_str()])).await, failures([]));
    assert_eq!(installation.secrets.asked(), ["muster/test/control"]);

    let execution = installation.stored(&id).await.value;
    assert_eq!(execution.status(), ExecutionStatus::Waiting, "{:?}", execution.state);
    let sent = installation.sqs.take();
    let [nudge] = sent.as_slice() else { panic!("one nudge, not {sent:?}") };
    assert!((1..=2).contains(&nudge.delay_seconds), "{nudge:?}");
    let stored = serde_json::to_string(&execution).unwrap();
    let written = Value::from(worker.stop()).to_string();
    for text in [&stored, &written, &nudge.body] {
        assert!(!text.contains(CANARY), "{text}");
    }
    assert!(stored.contains(LOG_STREAM), "the attempt names the worker: {stored}");
}

/// The table cannot be reached: every message comes back, and nothing is lost.
#[tokio::test]
async fn inv_a3_no_message_is_deleted_while_the_table_is_away() {
    let installation = Installation::start().await;
    let worker = installation.function_with("muster-worker", &WITHOUT_TABLE).await;
    assert_eq!(
        worker.answer(&sample("sqs/one-job")).await,
        failures(["059f36b4-87a3-44ab-83d2-661975830a7d"])
    );
    let lines = worker.stop();
    let failed =
        lines.iter().find(|line| line["message_id"] == "059f36b4-87a3-44ab-83d2-661975830a7d").unwrap();
    assert_eq!(failed["level"], "ERROR");
    assert_eq!(failed["correlation_id"], "c-1");
    assert!(lines.iter().any(|line| line["JobsFailed"] == 1), "{lines:?}");
}
