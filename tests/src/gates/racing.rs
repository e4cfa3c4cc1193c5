//! Two who decide at the same moment: one of them wins, and the record says which.

use std::sync::Arc;

use muster_app::App;
use muster_app::gates::GateAnswer;
use muster_app::job::Job;
use muster_app::ports::{Clock, Queue};
use muster_domain::approval::{Verdict, Via};
use rstest::rstest;
use serde_json::json;

use super::*;
use crate::engine::caller;
use crate::support::clock::ManualClock;
use crate::support::world::settings;

#[rstest]
#[tokio::test]
async fn of_two_answers_at_once_where_one_suffices_one_counts(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, one_of_ops()).await;
    let (carl, fay) = tokio::join!(gated.says(CARL, "approve"), gated.says(FAY, "reject"));
    let mut statuses = [carl.status, fay.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 409], "{} {}", carl.text, fay.text);
    assert_eq!(gated.asked("ask").await["decisions"].as_array().unwrap().len(), 1);
    gated.world.drain().await;
    let (status, calls) = if carl.status == 200 { ("SUCCESS", 1) } else { ("FAILED", 0) };
    gated.check(status, calls).await;
}

#[rstest]
#[tokio::test]
async fn of_two_answers_at_once_where_two_are_needed_both_count(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, json!({"levels": [{"of": ["team:ops:responder"], "needed": 2}]})).await;
    let (carl, fay) = tokio::join!(gated.says(CARL, "approve"), gated.says(FAY, "approve"));
    assert_eq!((carl.status, fay.status), (200, 200), "{} {}", carl.text, fay.text);
    gated.world.drain().await;
    gated.check("SUCCESS", 1).await;
}

/// The use cases of a process whose clock is one millisecond before the end of the approval.
pub(super) async fn just_in_time(gated: &Gated) -> (App, GateAnswer) {
    let clock = Arc::<ManualClock>::default();
    clock.advance(Duration::from_millis(599_999));
    let queue = Arc::clone(&gated.world.queue) as Arc<dyn Queue>;
    let app = App::new(Arc::clone(&gated.world.table), queue, clock as Arc<dyn Clock>, settings());
    let digest = text(&gated.asked("ask").await["digest"]).parse().unwrap();
    let answer = GateAnswer {
        verdict: Verdict::Approve,
        digest,
        reason: None,
        form: None,
        via: Via::Api,
        vouched_by: None,
    };
    (app, answer)
}

pub(super) async fn answered(gated: &Gated, (app, answer): &(App, GateAnswer)) -> bool {
    let carl = caller(CARL, &["team:ops:responder"]);
    let answered = app.answer_gate(&carl, (&gated.id(), &"ask".parse().unwrap()), answer).await;
    answered.is_ok()
}

/// A worker whose clock says that the time is up.
pub(super) async fn expires(gated: &Gated) {
    gated.world.clock.advance(Duration::from_secs(600));
    gated.world.handle(&Job::Run { execution: gated.id() }).await.unwrap();
}

#[rstest]
#[tokio::test]
async fn an_answer_that_is_stored_before_the_expiry_wins(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, one_of_ops()).await;
    let early = just_in_time(&gated).await;
    assert!(answered(&gated, &early).await);
    expires(&gated).await;
    gated.world.drain().await;
    gated.check("SUCCESS", 1).await;
}

#[rstest]
#[tokio::test]
async fn an_expiry_that_is_stored_before_the_answer_wins(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, one_of_ops()).await;
    let early = just_in_time(&gated).await;
    expires(&gated).await;
    assert!(!answered(&gated, &early).await);
    gated.world.drain().await;
    gated.check("FAILED", 0).await;
    assert_eq!(gated.asked("ask").await["decisions"], json!([]));
}

#[rstest]
#[tokio::test]
async fn an_answer_and_the_expiry_at_the_same_moment_have_one_winner(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let gated = Gated::on(engine, one_of_ops()).await;
    let early = just_in_time(&gated).await;
    let (wins, ()) = tokio::join!(answered(&gated, &early), expires(&gated));
    gated.passes(60).await;
    gated.world.drain().await;
    let (status, calls) = if wins { ("SUCCESS", 1) } else { ("FAILED", 0) };
    gated.check(status, calls).await;
}
