//! The sweeper: what is owed is found, whatever became of its nudge.

use std::time::Duration;

use muster_domain::execution::ExecutionStatus;
use serde_json::{Value, json};

use super::installation::{Installation, QUEUE_URL, WITHOUT_TABLE, calling};
use super::samples::{batch, failures, sample};

const LONG_AGO: Duration = Duration::from_secs(600);
const JUST_NOW: Duration = Duration::ZERO;

#[tokio::test]
async fn inv_a2_a_lost_nudge_is_repaired_by_the_next_sweep() {
    let installation = Installation::start().await;
    let sweeper = installation.function("muster-sweeper").await;
    let worker = installation.function("muster-worker").await;
    let id = installation.accepted(LONG_AGO, calling("http://127.0.0.1:9/")).await;
    let fresh = installation.accepted(JUST_NOW, calling("http://127.0.0.1:9/")).await;

    let swept = sweeper.answer(&sample("eventbridge/each-minute")).await;
    assert_eq!(
        (&swept["due"], &swept["nudged"], &swept["failed"]),
        (&json!(1), &json!(1), &json!(0)),
        "{swept}"
    );
    let sent = installation.sqs.take();
    let [nudge] = sent.as_slice() else { panic!("one nudge, not {sent:?}") };
    let job: Value = serde_json::from_str(&nudge.body).unwrap();
    assert_eq!((nudge.queue.as_str(), &job["execution"]), (QUEUE_URL, &json!(id)));

    // A second sweep finds nothing: the first moved what is owed forward.
    let again = sweeper.answer(&sample("eventbridge/each-minute")).await;
    assert_eq!(again["due"], 0, "{again}");
    assert_eq!(installation.sqs.take(), []);

    assert_eq!(worker.answer(&batch([nudge.body.as_str()])).await, failures([]));
    assert_eq!(installation.stored(&id).await.value.status(), ExecutionStatus::Failed);
    assert_eq!(installation.stored(&fresh).await.value.status(), ExecutionStatus::Pending);
    check_ages(&sweeper.stop());
}

/// The age is written at every sweep, zero included: the alarm rings for silence.
fn check_ages(lines: &[Value]) {
    let ages: Vec<u64> = lines.iter().filter_map(|line| line["OldestOwedAgeSeconds"].as_u64()).collect();
    let [first, second] = ages.as_slice() else { panic!("two ages, not {ages:?}") };
    assert!((545..600).contains(first), "due 50 s after it was accepted 600 s ago: {first}");
    assert_eq!(*second, 0);
    let swept: Vec<&Value> = lines.iter().filter(|line| line["message"] == "swept").collect();
    assert_eq!((&swept[0]["nudged"], &swept[1]["nudged"]), (&json!(1), &json!(0)));
}

/// A sweep that could not read says nothing of ages, so that the alarm rings, and fails, so that another does.
#[tokio::test]
async fn a_sweep_without_the_table_fails_and_reports_no_age() {
    let installation = Installation::start().await;
    let sweeper = installation.function_with("muster-sweeper", &WITHOUT_TABLE).await;
    let reply = sweeper.invoke(&sample("eventbridge/each-minute")).await;
    assert!(matches!(reply, crate::support::lambda::Reply::Error(_)), "{reply:?}");
    let lines = sweeper.stop();
    assert!(lines.iter().all(|line| line["OldestOwedAgeSeconds"].is_null()), "{lines:?}");
    let errors: Vec<&Value> = lines.iter().filter(|line| line["level"] == "ERROR").collect();
    assert_eq!(errors.len(), 1, "logged once: {errors:?}");
    assert!(errors[0]["function_request_id"].is_string());
}
