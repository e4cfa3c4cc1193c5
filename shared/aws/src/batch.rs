//! Batches of the queues: every message is read and handled for itself, and exactly those that failed are given back
//! (INVARIANTS A3). A message that is not given back is deleted, so it is only left out after its effect is stored.

use std::panic::AssertUnwindSafe;

use futures::FutureExt as _;
use futures::future::join_all;
use muster_app::error::chain;
use muster_app::job::{Job, Message};
use muster_app::metrics::{Counter, Metrics};
use serde::{Deserialize, Serialize};
use tracing::Instrument as _;

use crate::{correlation, jobs};

/// A batch as Lambda hands it to a function.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Batch {
    #[serde(rename = "Records")]
    records: Vec<Record>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    message_id: String,
    #[serde(default)]
    body: String,
}

/// The messages to deliver again. Empty: all may be deleted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Failures {
    batch_item_failures: Vec<Failure>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Failure {
    item_identifier: String,
}

/// Handles the messages of a batch side by side.
pub(crate) async fn each(
    batch: Batch,
    metrics: &Metrics,
    handle: impl AsyncFn(Job) -> Result<(), muster_app::Error>,
) -> Failures {
    let outcomes = batch.records.into_iter().map(|record| one(record, metrics, &handle));
    let failed = join_all(outcomes).await.into_iter().flatten();
    Failures { batch_item_failures: failed.map(|item_identifier| Failure { item_identifier }).collect() }
}

/// The message's id if it must come again.
async fn one(
    record: Record,
    metrics: &Metrics,
    handle: impl AsyncFn(Job) -> Result<(), muster_app::Error>,
) -> Option<String> {
    let Record { message_id, body } = record;
    let outcome = match jobs::decode(&body) {
        Ok(message) => done(&message_id, message, metrics, handle).await,
        Err(error) => {
            metrics.count(Counter::JobsUnreadable);
            tracing::error!(message_id, error = chain(&error), "a message cannot be read");
            Outcome::Failed
        }
    };
    match outcome {
        Outcome::Done => None,
        Outcome::Failed => Some(message_id),
    }
}

enum Outcome {
    Done,
    Failed,
}

/// Does a message's job; says why if that failed, with the ids of the request that asked for it.
async fn done(
    message_id: &str,
    message: Message,
    metrics: &Metrics,
    handle: impl AsyncFn(Job) -> Result<(), muster_app::Error>,
) -> Outcome {
    let Message { job, correlation_id, .. } = message;
    let span = span_of(message_id, &job, correlation_id.as_deref());
    let work = correlation::under(correlation_id, guarded(handle(job)));
    let Err(reason) = work.instrument(span.clone()).await else { return Outcome::Done };
    metrics.count(Counter::JobsFailed);
    span.in_scope(|| tracing::error!(error = reason, "a job failed and will be delivered again"));
    Outcome::Failed
}

/// What every record about a job says of it.
fn span_of(message_id: &str, job: &Job, correlation_id: Option<&str>) -> tracing::Span {
    match job {
        Job::Run { execution } => {
            tracing::error_span!("message", message_id, execution_id = %execution, correlation_id)
        }
        Job::Deliver { incident, seq } => {
            tracing::error_span!("message", message_id, incident_id = %incident, seq, correlation_id)
        }
        Job::Notify { execution, number } | Job::Tell { execution, number, .. } => {
            tracing::error_span!("message", message_id, execution_id = %execution, notification = number, correlation_id)
        }
    }
}

/// A defect that one job meets must not fail its neighbours, so a panic is its failure alone.
async fn guarded(work: impl Future<Output = Result<(), muster_app::Error>>) -> Result<(), String> {
    match AssertUnwindSafe(work).catch_unwind().await {
        Ok(handled) => handled.map_err(|error| chain(&error)),
        Err(_) => Err("it panicked; the record before this one says where".into()),
    }
}

#[cfg(test)]
mod tests {
    use muster_app::Error;
    use serde_json::json;
    use tokio::sync::Barrier;

    use super::*;

    const GOOD: &str = "ex_01J9ZZZZZZZZZZZZZZZZZZZZZA";
    const BAD: &str = "ex_01J9ZZZZZZZZZZZZZZZZZZZZZB";
    const WORSE: &str = "ex_01J9ZZZZZZZZZZZZZZZZZZZZZC";

    fn run(execution: &str) -> String {
        json!({"v": 1, "job": "run", "execution": execution}).to_string()
    }

    fn batch(bodies: &[String]) -> Batch {
        let record = |(number, body)| json!({"messageId": format!("m{number}"), "body": body});
        let records: Vec<_> = (0..).zip(bodies).map(record).collect();
        serde_json::from_value(json!({"Records": records})).unwrap()
    }

    async fn handle(job: Job) -> Result<(), Error> {
        let Job::Run { execution } = job else { panic!("none of these tests delivers") };
        match execution.as_str() {
            GOOD => Ok(()),
            BAD => Err(Error::Contention),
            _ => panic!("a defect"),
        }
    }

    /// The numbers of the messages that came back.
    async fn check(bodies: &[String], expected: &[u32]) -> Metrics {
        let metrics = Metrics::default();
        let failures = each(batch(bodies), &metrics, handle).await;
        let ids: Vec<_> =
            expected.iter().map(|number| json!({"itemIdentifier": format!("m{number}")})).collect();
        assert_eq!(serde_json::to_value(failures).unwrap(), json!({"batchItemFailures": ids}));
        metrics
    }

    #[tokio::test]
    async fn inv_a3_exactly_the_failed_messages_come_back() {
        check(&[], &[]).await;
        check(&[run(GOOD)], &[]).await;
        check(&[run(GOOD), run(BAD), run(GOOD)], &[1]).await;
        check(&[run(BAD), run(BAD)], &[0, 1]).await;
    }

    #[tokio::test]
    async fn inv_a3_a_poison_message_harms_only_itself() {
        let metrics =
            check(&[run(GOOD), "poison".into(), run(WORSE), String::new(), run(GOOD)], &[1, 2, 3]).await;
        assert_eq!(metrics.value(Counter::JobsUnreadable), 2);
        assert_eq!(metrics.value(Counter::JobsFailed), 1);
    }

    #[tokio::test]
    async fn the_messages_of_a_batch_are_handled_side_by_side() {
        let all = Barrier::new(10);
        let handle = async |_: Job| {
            all.wait().await;
            Ok(())
        };
        let failures = each(batch(&vec![run(GOOD); 10]), &Metrics::default(), handle).await;
        assert_eq!(failures, Failures::default());
    }

    #[tokio::test]
    async fn a_job_is_done_under_the_correlation_id_of_its_message() {
        let body = json!({"v": 1, "job": "run", "execution": GOOD, "correlationId": "c-7"}).to_string();
        let handle = async |_: Job| match correlation::current().as_deref() {
            Some("c-7") => Ok(()),
            _ => Err(Error::Contention),
        };
        let failures = each(batch(&[body]), &Metrics::default(), handle).await;
        assert_eq!(failures, Failures::default());
    }
}
