//! The Linear action: the id of the issue is chosen here, and errors stand within a 200.

use super::*;

const ROUTE: &str = "/graphql";

fn linear() -> Value {
    json!({
        "type": "linear", "apiKey": {"$secret": "token"}, "teamId": "t-1", "title": "{{incident.title}}",
        "description": "*why*", "priority": 1,
    })
}

fn created() -> ResponseTemplate {
    let issue = json!({"id": "x", "identifier": "OPS-7", "url": "https://linear.app/acme/issue/OPS-7"});
    answer(200, &json!({"data": {"issueCreate": {"success": true, "issue": issue}}}))
}

fn error(status: u16, code: &str, message: &str) -> ResponseTemplate {
    answer(status, &json!({"errors": [{"message": message, "extensions": {"code": code}}]}))
}

async fn check(engine: Engine, answers: Vec<ResponseTemplate>, expected: &str, calls: usize) {
    let stage = Stage::with_patience(engine, IMPATIENT).await;
    stage.answers(ROUTE, answers).await;
    let execution = stage.run(&linear()).await;
    assert_eq!(ending(&execution), expected);
    assert_eq!(stage.repeated(ROUTE).await, (format!("{}-it", execution.id), calls));
}

#[rstest]
#[tokio::test]
async fn an_issue_is_created_under_an_id_of_ours(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let stage = Stage::start(engine).await;
    stage.answers(ROUTE, [created()]).await;
    let execution = stage.run(&linear()).await;
    assert_eq!(ending(&execution), "SUCCESS");
    let input = &stage.bodies(ROUTE).await[0]["variables"]["input"];
    let key = format!("{}-it", execution.id);
    let id = muster_domain::workflow::actions::LinearAction::issue_id(&key);
    let expected = json!({"id": id, "teamId": "t-1", "title": "Manual Execution", "description": "*why*", "priority": 1});
    assert_eq!(*input, expected);
    assert_eq!(header(&stage.received(ROUTE).await[0], "authorization"), TOKEN);
    assert_eq!(result(&execution, "/body/data/issueCreate/issue/identifier"), "OPS-7");
}

#[rstest]
#[tokio::test]
async fn what_passes_is_repeated_with_the_same_id(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    for passing in [
        error(400, "RATELIMITED", "Rate limit exceeded"),
        error(200, "INTERNAL_SERVER_ERROR", "oops"),
        text(502, "<html>"),
        text(200, "<html>"),
    ] {
        check(engine, vec![passing, created()], "SUCCESS", 2).await;
    }
}

#[rstest]
#[tokio::test]
async fn a_retry_after_a_lost_answer_makes_no_second_issue(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    check(engine, vec![too_late(), repeat("conflict on insert of Issue")], "SUCCESS", 2).await;
}

/// What Linear says to a second issue of an id.
fn repeat(message: &str) -> ResponseTemplate {
    let shown = "Entity Issue with id 2edea22f-f030-4e2e-bcc0-fd60bbea2c02 already exists.";
    let shown = if message.starts_with("conflict") { shown } else { message };
    let extensions = json!({"code": "INPUT_ERROR", "statusCode": 400, "userPresentableMessage": shown});
    answer(200, &json!({"data": null, "errors": [{"message": message, "extensions": extensions}]}))
}

/// Should Linear ever change its words, the workflow fails with them. That makes no issue: the id is the same in every attempt.
#[rstest]
#[tokio::test]
async fn a_refusal_in_words_that_nobody_knows_fails_and_makes_no_second_issue(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let expected = "FAILED: Linear answered 200: that id is taken";
    check(engine, vec![too_late(), repeat("that id is taken")], expected, 2).await;
}

#[rstest]
#[tokio::test]
async fn an_error_within_a_200_fails_the_workflow_with_what_linear_says(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let refused = error(200, "INPUT_ERROR", "teamId must be a UUID");
    check(engine, vec![refused], "FAILED: Linear answered 200: teamId must be a UUID", 1).await;
    let stranger = error(401, "AUTHENTICATION_ERROR", "Authentication required");
    check(engine, vec![stranger], "FAILED: Linear answered 401: Authentication required", 1).await;
    let limited = error(400, "RATELIMITED", "Rate limit exceeded");
    check(engine, vec![limited], "FAILED: Linear's rate limit is reached after 3 attempts", 3).await;
}
