//! What only AWS does to a message: delivers it again, in batches, until it is a dead letter; or loses it.

use std::time::Instant;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_sdk_sqs::types::{QueueAttributeName, SendMessageBatchRequestEntry};
use muster_app::table::Key;
use muster_domain::ids::ExecutionId;
use muster_store::keys::ItemKey;
use serde_json::json;

use super::deployed::Deployed;
use super::muster::execution_of;
use super::proof::proven;
use super::*;
use crate::lambda::installation::{accepted, past};
use crate::support::receiver::Reply;

/// What is promised for the repair of a lost nudge.
const REPAIRED: Duration = Duration::from_secs(120);

/// An execution that the table holds and nobody was told of, as if its nudge was lost `ago`.
async fn untold(deployed: &Deployed, muster: &Muster, path: &str, ago: Duration) -> ExecutionId {
    accepted(&past(deployed.table(), ago), muster.calling(path)).await
}

fn job(execution: &ExecutionId) -> String {
    json!({"v": 1, "job": "run", "execution": execution}).to_string()
}

/// Sends these messages so that one batch may take them all.
async fn send(deployed: &Deployed, bodies: &[String]) {
    let entry = |(number, body): (usize, &String)| {
        SendMessageBatchRequestEntry::builder().id(number.to_string()).message_body(body).build().unwrap()
    };
    let entries = bodies.iter().enumerate().map(entry).collect();
    let request = deployed.clients().sqs().send_message_batch().queue_url(deployed.output("QueueUrl"));
    let sent = request.set_entries(Some(entries)).send().await.unwrap();
    assert_eq!(sent.successful().len(), bodies.len());
}

#[tokio::test]
#[ignore = "needs the local AWS: scripts/aws-local test"]
async fn inv_a2_the_scheduled_sweep_repairs_a_lost_nudge() {
    let (muster, deployed) = (Muster::start(Target::Aws).await, Deployed::find().await);
    let execution = untold(&deployed, &muster, "/lost", Duration::ZERO).await;
    let start = Instant::now();
    ends(&muster.ann(), execution.as_str(), "SUCCESS").await;
    assert!(start.elapsed() < REPAIRED, "repaired after {:?}", start.elapsed());
    assert_eq!(muster.received("/lost").len(), 1);
}

/// The receiver takes longer than a message stays hidden, so the queue delivers it again while the worker waits.
#[tokio::test]
#[ignore = "needs the local AWS: scripts/aws-local test"]
async fn inv_b1_a_message_that_is_delivered_again_while_it_is_worked_on_calls_once() {
    let (muster, deployed) = (Muster::start(Target::Aws).await, Deployed::find().await);
    let hidden =
        Duration::from_secs(attribute(&deployed, "QueueUrl", QueueAttributeName::VisibilityTimeout).await);
    muster.will("/slow", [Reply::Late(hidden + Duration::from_secs(4), 200)]);
    let runbook = muster.approved(muster.calling("/slow")).await;
    let accepted =
        muster.ann().post(&format!("/api/runbooks/{runbook}/execute"), json!({})).await.expect(202);
    let execution = execution_of(&accepted);
    ends(&muster.ann(), &execution, "SUCCESS").await;
    assert_eq!(muster.received("/slow").len(), 1);
    proven(&muster.eve(), &execution).await;
}

/// Three good messages, one of them twice, beside one that cannot be read. That one comes back until it is parked.
#[tokio::test]
#[ignore = "needs the local AWS: scripts/aws-local test"]
async fn inv_a3_a_batch_loses_only_the_message_that_failed() {
    let (muster, deployed) = (Muster::start(Target::Aws).await, Deployed::find().await);
    let mut executions = Vec::new();
    for path in ["/one", "/two"] {
        executions.push(untold(&deployed, &muster, path, Duration::ZERO).await);
    }
    let poison = format!("poison of {}", muster.team);
    let [one, two] = [job(&executions[0]), job(&executions[1])];
    send(&deployed, &[one.clone(), poison.clone(), two, one]).await;
    for (execution, path) in executions.iter().zip(["/one", "/two"]) {
        ends(&muster.ann(), execution.as_str(), "SUCCESS").await;
        assert_eq!(muster.received(path).len(), 1);
    }
    eventually("the poison to be parked", async || parked(&deployed, &poison).await.then_some(())).await;
}

/// Whether a message with this body waits for a person.
async fn parked(deployed: &Deployed, body: &str) -> bool {
    let request = deployed.clients().sqs().receive_message().queue_url(deployed.output("ParkingQueueUrl"));
    let received = request.max_number_of_messages(10).visibility_timeout(0).send().await.unwrap();
    received.messages().iter().any(|message| message.body() == Some(body))
}

/// The worker cannot read the decision that the execution rests on, and fails at its message each time.
#[tokio::test]
#[ignore = "needs the local AWS: scripts/aws-local test"]
async fn inv_a1_a_job_that_always_fails_is_finalised_by_the_dead_letter_function() {
    let (muster, deployed) = (Muster::start(Target::Aws).await, Deployed::find().await);
    let execution = untold(&deployed, &muster, "/never", Duration::ZERO).await;
    let seen = muster.ann().get(&format!("/api/executions/{execution}")).await.expect(200);
    let runbook = text(&seen["runbook"]["id"]).parse().unwrap();
    damage(&deployed, &Key::Decision(runbook, 1)).await;
    send(&deployed, &[job(&execution)]).await;
    let ended = ends(&muster.ann(), execution.as_str(), "FAILED").await;
    assert_eq!(ended["error"], "the job failed too often and ended in the dead-letter queue");
    assert!(muster.received("/never").is_empty());
    assert_eq!(proven(&muster.eve(), execution.as_str()).await, ["execution.accepted", "execution.failed"]);
    let empty = async || (waiting(&deployed, "DeadLetterQueueUrl").await == 0).then_some(());
    eventually("the dead letters to be taken", empty).await;
}

async fn damage(deployed: &Deployed, key: &Key) {
    let key = ItemKey::of(key);
    let update = deployed.clients().dynamo().update_item().table_name(deployed.output("TableName"));
    let update = update.key("pk", AttributeValue::S(key.pk)).key("sk", AttributeValue::S(key.sk));
    let update =
        update.condition_expression("attribute_exists(pk)").update_expression("SET #data = :damaged");
    let update = update.expression_attribute_names("#data", "data");
    update.expression_attribute_values(":damaged", AttributeValue::S("{".into())).send().await.unwrap();
}

/// How many messages a queue holds, hidden ones too.
async fn waiting(deployed: &Deployed, queue: &str) -> u64 {
    attribute(deployed, queue, QueueAttributeName::ApproximateNumberOfMessages).await
        + attribute(deployed, queue, QueueAttributeName::ApproximateNumberOfMessagesNotVisible).await
}

async fn attribute(deployed: &Deployed, queue: &str, name: QueueAttributeName) -> u64 {
    let request = deployed.clients().sqs().get_queue_attributes().queue_url(deployed.output(queue));
    let found = request.attribute_names(name.clone()).send().await.unwrap();
    found.attributes().unwrap()[&name].parse().unwrap()
}
