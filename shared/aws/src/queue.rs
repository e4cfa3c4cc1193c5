//! The work queue: SQS.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use aws_sdk_sqs::types::QueueAttributeName;
use muster_app::job::Job;
use muster_app::ports::{Queue, QueueError, QueueStats};
use muster_domain::ids::TeamId;

use crate::clients::Clients;
use crate::config::QueueUrl;
use crate::{correlation, jobs};

/// The longest that SQS holds a message back.
const MAX_DELAY: Duration = Duration::from_secs(900);

// What is being done, for errors.
const SENDING: &str = "sending a job to the queue";
const COUNTING: &str = "counting a queue's messages";

/// Nudges through SQS.
#[derive(Debug)]
pub struct SqsQueue {
    clients: Arc<Clients>,
    work: QueueUrl,
    dead_letters: Option<QueueUrl>,
}

/// The queue of a function that nudges nobody: its role may not send.
#[derive(Debug, Clone, Copy)]
pub struct NoQueue;

impl SqsQueue {
    pub fn new(clients: Arc<Clients>, work: QueueUrl) -> Self {
        Self { clients, work, dead_letters: None }
    }

    /// The same, and able to count: the statistics include what ended in the dead-letter queue.
    #[must_use]
    pub fn counting(self, dead_letters: QueueUrl) -> Self {
        Self { dead_letters: Some(dead_letters), ..self }
    }

    async fn counts(&self, queue: &QueueUrl) -> Result<Counts, QueueError> {
        use QueueAttributeName::{
            ApproximateNumberOfMessages as Visible, ApproximateNumberOfMessagesDelayed as Delayed,
            ApproximateNumberOfMessagesNotVisible as InHand,
        };
        let request = self.clients.sqs().get_queue_attributes().queue_url(queue.as_str());
        let request = request.attribute_names(Visible).attribute_names(InHand).attribute_names(Delayed);
        let reply = request.send().await.map_err(|error| failed(COUNTING, error))?;
        let told = |name| reply.attributes()?.get(&name)?.parse().ok();
        let count = |name| told(name).ok_or_else(|| failed(COUNTING, NotTold));
        Ok(Counts { waiting: count(Visible)?, active: count(InHand)?, delayed: count(Delayed)? })
    }
}

#[async_trait]
impl Queue for SqsQueue {
    async fn send(&self, job: Job, team: Option<&TeamId>, after: Duration) -> Result<(), QueueError> {
        let body = jobs::encode(job, correlation::current()).map_err(|error| failed(SENDING, error))?;
        let request = self.clients.sqs().send_message().queue_url(self.work.as_str());
        let request = request.message_body(body).delay_seconds(delay_seconds(after));
        let request = request.message_group_id(group_of(team));
        request.send().await.map_err(|error| failed(SENDING, error))?;
        Ok(())
    }

    /// SQS cannot tell which messages it holds.
    fn holds(&self, _job: &Job) -> bool {
        false
    }

    async fn stats(&self) -> Result<QueueStats, QueueError> {
        let dead_letters = self.dead_letters.as_ref().ok_or_else(|| failed(COUNTING, NoDeadLetters))?;
        let (work, dead) = tokio::try_join!(self.counts(&self.work), self.counts(dead_letters))?;
        Ok(QueueStats {
            waiting: work.waiting,
            active: work.active,
            delayed: work.delayed,
            failed: dead.waiting + dead.active + dead.delayed,
        })
    }
}

#[async_trait]
impl Queue for NoQueue {
    async fn send(&self, _job: Job, _team: Option<&TeamId>, _after: Duration) -> Result<(), QueueError> {
        Err(failed(SENDING, NotMine))
    }

    fn holds(&self, _job: &Job) -> bool {
        false
    }

    async fn stats(&self) -> Result<QueueStats, QueueError> {
        Err(failed(COUNTING, NotMine))
    }
}

struct Counts {
    waiting: u64,
    active: u64,
    delayed: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("SQS left a count out")]
struct NotTold;

#[derive(Debug, thiserror::Error)]
#[error("this function does not know the dead-letter queue")]
struct NoDeadLetters;

#[derive(Debug, thiserror::Error)]
#[error("this function has no queue")]
struct NotMine;

/// On a standard queue a group orders nothing. It says whose message it is, for SQS to hand out those of others first while one
/// sender has most of the workers (fair queues). Without a group a message would be nobody's, and so never too many.
fn group_of(team: Option<&TeamId>) -> String {
    team.map_or_else(|| "no-team".to_owned(), |team| format!("team:{team}"))
}

/// Whole seconds, never less than asked: a job that comes early is sent again, which costs a message.
fn delay_seconds(after: Duration) -> i32 {
    let whole = after.min(MAX_DELAY).as_millis().div_ceil(1_000);
    i32::try_from(whole).unwrap_or(i32::MAX)
}

fn failed(doing: &'static str, error: impl std::error::Error + Send + Sync + 'static) -> QueueError {
    QueueError { doing, source: Box::new(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_is_rounded_up_to_whole_seconds_and_bounded() {
        for (millis, seconds) in
            [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2), (899_999, 900), (900_000, 900), (900_001, 900)]
        {
            assert_eq!(delay_seconds(Duration::from_millis(millis)), seconds, "{millis} ms");
        }
        assert_eq!(delay_seconds(Duration::MAX), 900);
    }

    #[test]
    fn inv_h1_a_team_is_a_group_that_no_other_team_and_no_lack_of_one_shares() {
        let team = |name: &str| name.parse::<TeamId>().unwrap();
        assert_eq!(group_of(Some(&team("payments"))), "team:payments");
        assert_ne!(group_of(Some(&team("no-team"))), group_of(None));
        let longest = group_of(Some(&team(&"a".repeat(TeamId::MAX_LENGTH))));
        assert!(longest.len() <= 128, "SQS takes no longer one");
    }

    #[tokio::test]
    async fn a_function_without_a_queue_says_so() {
        let job = Job::Run { execution: "ex_01J9ZZZZZZZZZZZZZZZZZZZZZZ".parse().unwrap() };
        assert!(NoQueue.send(job, None, Duration::ZERO).await.is_err());
        assert!(NoQueue.stats().await.is_err());
    }
}
