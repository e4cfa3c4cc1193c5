//! The ports' adapters for AWS, each through the SDK's real client.

use std::time::Duration;

use muster_app::job::Job;
use muster_app::ports::{Queue, SecretError, Secrets};
use muster_aws::config::{QueueUrl, SecretPrefix};
use muster_aws::queue::SqsQueue;
use muster_aws::secrets::SecretsManager;
use secrecy::ExposeSecret;
use serde_json::{Value, json};

use super::installation::{Installation, QUEUE_URL, SECRET_PREFIX};

async fn queue(installation: &Installation) -> SqsQueue {
    SqsQueue::new(installation.sqs_client().await, QueueUrl::parse(QUEUE_URL).unwrap())
}

#[tokio::test]
async fn a_job_is_sent_with_its_delay_in_whole_seconds() {
    let installation = Installation::start().await;
    let queue = queue(&installation).await;
    let job = Job::Run { execution: "ex_01J9Z3W2B4C6D8E0F2G4H6J8K0".parse().unwrap() };
    for (millis, seconds) in [(0, 0), (1_500, 2), (3_600_000, 900)] {
        queue.send(job.clone(), None, Duration::from_millis(millis)).await.unwrap();
        let sent = installation.sqs.take();
        assert_eq!((sent.len(), sent[0].delay_seconds), (1, seconds));
        let body = json!({"v": 1, "job": "run", "execution": "ex_01J9Z3W2B4C6D8E0F2G4H6J8K0"});
        assert_eq!(serde_json::from_str::<Value>(&sent[0].body).unwrap(), body);
    }
    assert!(!queue.holds(&job), "SQS cannot tell");
}

#[tokio::test]
async fn inv_h1_a_job_is_sent_as_its_teams() {
    let installation = Installation::start().await;
    let queue = queue(&installation).await;
    let job = Job::Run { execution: "ex_01J9Z3W2B4C6D8E0F2G4H6J8K0".parse().unwrap() };
    let payments = "payments".parse().unwrap();
    for (team, group) in [(Some(&payments), "team:payments"), (None, "no-team")] {
        queue.send(job.clone(), team, Duration::ZERO).await.unwrap();
        assert_eq!(installation.sqs.take()[0].group, group);
    }
}

#[tokio::test]
async fn a_queue_that_is_down_is_an_error_with_its_cause() {
    let installation = Installation::start().await;
    let queue = queue(&installation).await;
    installation.sqs.goes_down();
    let job = Job::Run { execution: "ex_01J9Z3W2B4C6D8E0F2G4H6J8K0".parse().unwrap() };
    let error = queue.send(job, None, Duration::ZERO).await.unwrap_err();
    let chain = muster_app::error::chain(&error);
    assert!(
        chain.starts_with("sending a job to the queue: ") && chain.contains("InternalFailure"),
        "{chain}"
    );
}

#[tokio::test]
async fn a_queue_without_its_dead_letters_counts_nothing() {
    let installation = Installation::start().await;
    assert!(queue(&installation).await.stats().await.is_err());
}

#[tokio::test]
async fn a_secret_is_read_anew_each_time_and_under_the_prefix() {
    let installation = Installation::start().await;
    let prefix = SecretPrefix::parse(SECRET_PREFIX).unwrap();
    let secrets = SecretsManager::new(installation.secrets_client().await, prefix);
    let name = "team/control".parse().unwrap();
    for value in ["first", "second"] {
        installation.secrets.hold("muster/test/team/control", json!({"SecretString": value}));
        assert_eq!(secrets.read(&name).await.unwrap().expose_secret(), value);
    }
    assert_eq!(installation.secrets.asked(), ["muster/test/team/control", "muster/test/team/control"]);
}

#[tokio::test]
async fn a_secret_that_is_missing_or_no_text_is_an_error_of_its_own() {
    let installation = Installation::start().await;
    let prefix = SecretPrefix::parse(SECRET_PREFIX).unwrap();
    let secrets = SecretsManager::new(installation.secrets_client().await, prefix);
    installation.secrets.hold("muster/test/bytes", json!({"SecretBinary": "AAEC"}));
    let missing = secrets.read(&"absent".parse().unwrap()).await.unwrap_err();
    assert!(matches!(missing, SecretError::Missing(_)), "{missing:?}");
    let bytes = secrets.read(&"bytes".parse().unwrap()).await.unwrap_err();
    assert!(matches!(bytes, SecretError::Unreadable { .. }), "{bytes:?}");
}
