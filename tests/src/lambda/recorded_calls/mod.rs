//! Least privilege by what is really called: the six binaries handle every kind of event that they are for, each call of an AWS
//! API is written down on its way, and then compared with the function's policy in both directions.

mod accepting;
mod calling_back;
mod needs;
mod pressing;
mod stage;
mod working;

use std::collections::BTreeSet;

use super::policy::{Need, Policy};
use super::template::{binary_of, functions, template};
use stage::Stage;

const LOGS: &[&str] = &["logs:CreateLogStream", "logs:PutLogEvents"];
const POLLS: &[&str] =
    &["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility", "sqs:GetQueueAttributes"];
const KEEPS: &[&str] = &["sqs:SendMessage"];

/// What Lambda does in the name of a function's role, and the function itself never: it carries the logs; it polls the queue, and
/// deletes or gives back what it took; it keeps an event that failed at every try.
const OF_LAMBDA: [(&str, &str, &[&str]); 10] = [
    ("muster-api", "ApiLogGroup.Arn", LOGS),
    ("muster-approval", "ApprovalLogGroup.Arn", LOGS),
    ("muster-worker", "WorkerLogGroup.Arn", LOGS),
    ("muster-worker", "WorkQueue.Arn", POLLS),
    ("muster-matcher", "MatcherLogGroup.Arn", LOGS),
    ("muster-matcher", "EventDeadLetterQueue.Arn", KEEPS),
    ("muster-sweeper", "SweeperLogGroup.Arn", LOGS),
    ("muster-sweeper", "EventDeadLetterQueue.Arn", KEEPS),
    ("muster-dead-letter", "DeadLetterLogGroup.Arn", LOGS),
    ("muster-dead-letter", "DeadLetterQueue.Arn", POLLS),
];

#[tokio::test]
async fn every_recorded_call_is_allowed_and_every_allowed_call_is_recorded() {
    let stage = Stage::set().await;
    stage.accept_everything().await;
    stage.work_everything_off().await;
    // inv_h1: all of it is the work of one team, and each nudge says so.
    let nudges = ["deliver", "notify", "run", "tell"].map(|job| (job.to_owned(), "team:payments".to_owned()));
    assert_eq!(stage.nudges(), nudges.into());
    let template = template();
    let wrong: Vec<String> = functions(&template)
        .flat_map(|(_, function)| {
            let binary = binary_of(function);
            differences(binary, &Policy::of(&template, function), &stage.needs_of(binary))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Where what a function needs and what its policy allows are not the same.
fn differences(binary: &str, policy: &Policy<'_>, needs: &BTreeSet<Need>) -> Vec<String> {
    let refused = needs.iter().filter(|need| !policy.permits(need));
    let unused = policy.grants().into_iter().filter(|grant| !needs.iter().any(|need| grant.covers(need)));
    let unused: BTreeSet<(String, String, Option<String>)> =
        unused.map(|grant| (grant.place, grant.action, grant.keys)).collect();
    let of_lambda = of_lambda(binary);
    let refused = refused.map(|need| format!("{binary} makes a call and may not: {need:?}"));
    let unmade = unused.difference(&of_lambda);
    let unmade = unmade.map(|grant| format!("{binary} may make a call and does not: {grant:?}"));
    let stale = of_lambda.difference(&unused);
    let stale =
        stale.map(|grant| format!("Lambda may not do this for {binary}, or {binary} does: {grant:?}"));
    refused.chain(unmade).chain(stale).collect()
}

/// Places, actions, and no limit by key.
fn of_lambda(binary: &str) -> BTreeSet<(String, String, Option<String>)> {
    let own = OF_LAMBDA.iter().filter(|(name, ..)| *name == binary);
    own.flat_map(|(_, place, actions)| actions.iter().map(|one| ((*place).into(), (*one).into(), None)))
        .collect()
}
