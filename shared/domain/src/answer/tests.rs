//! Answers as the services document them, and what they mean here.

use serde_json::json;

use super::*;

fn check(answer: Answer, status: u16, body: &str, expected: &str) {
    let meaning = match answer.read(status, body) {
        Meaning::AsStatus => "as its status".to_owned(),
        Meaning::Succeeded => "succeeded".to_owned(),
        Meaning::NotTaken(said) => format!("not taken: {said}"),
        Meaning::Unclear(said) => format!("unclear: {said}"),
        Meaning::Failed(said) => format!("failed: {said}"),
    };
    assert_eq!(meaning, expected, "{answer:?} {status} {body}");
}

#[test]
fn a_status_that_says_enough_is_believed_whatever_the_body_says() {
    let bodies = ["", r#"{"ok":true}"#, r#"{"key":"OPS-1","issues":[]}"#, "<html>"];
    for answer in [Answer::JiraIssue, Answer::JiraSearch, Answer::LinearIssue, Answer::SlackApi] {
        for status in [301, 408, 425, 429, 500, 502, 503, 504] {
            bodies.iter().for_each(|body| check(answer, status, body, "as its status"));
        }
    }
    for status in [200, 404, 500] {
        check(Answer::Status, status, r#"{"ok":false}"#, "as its status");
    }
}

#[test]
fn jira_answers_201_with_a_key_and_4xx_with_what_is_wrong_by_field() {
    let read = |status, body, expected| check(Answer::JiraIssue, status, body, expected);
    read(201, r#"{"id":"10000","key":"OPS-24","self":"https://acme.atlassian.net/x"}"#, "succeeded");
    let faults =
        r#"{"errorMessages":["No."],"errors":{"priority":"Not on the screen.","summary":"Too long."}}"#;
    let said = "failed: Jira answered 400: No.; priority: Not on the screen.; summary: Too long.";
    read(400, faults, said);
    read(401, "Client must be authenticated", "failed: Jira answered 401");
    read(404, "", "failed: Jira answered 404");
    for body in ["", "<html>", "{}", r#"{"key":""}"#, r#"{"key":7}"#, "[]", "null"] {
        read(201, body, "unclear: Jira answered 201 with what is not an answer of its API");
    }
}

#[test]
fn a_search_of_jira_that_cannot_be_read_never_means_that_there_is_nothing() {
    let read = |status, body: &str, expected| check(Answer::JiraSearch, status, body, expected);
    read(200, r#"{"issues":[],"isLast":true}"#, "succeeded");
    read(200, r#"{"issues":[{"id":"1","key":"OPS-1"}]}"#, "succeeded");
    for body in ["", "<html>", "{}", r#"{"issues":7}"#, "[]"] {
        read(200, body, "unclear: Jira answered 200 with what is not an answer of its API");
    }
    let more = "failed: Jira answered a search with more than was asked for";
    read(200, r#"{"issues":[{"id":"1"}]}"#, more);
    let long = format!(r#"{{"issues":[{{"key":"OPS-1","x":"{}"}}]}}"#, "x".repeat(INLINE));
    read(200, &long, more);
    read(
        400,
        r#"{"errorMessages":["Field 'labels' does not exist."]}"#,
        "failed: Jira answered 400: Field 'labels' does not exist.",
    );
}

const INLINE: usize = crate::execution::INLINE_RESPONSE_BYTES;

#[test]
fn what_a_search_found_is_its_first_issue() {
    let key = |body| found(body).and_then(|issue| Some(issue.get("key")?.as_str()?.to_owned()));
    assert_eq!(key(r#"{"issues":[{"key":"OPS-1"},{"key":"OPS-2"}]}"#).as_deref(), Some("OPS-1"));
    for body in ["", r#"{"issues":[]}"#, r#"{"issues":[{"id":"1"}]}"#, r#"{"key":"OPS-1"}"#] {
        assert_eq!(key(body), None, "{body}");
    }
}

#[test]
fn linears_errors_stand_within_a_200() {
    let read = |status, body, expected| check(Answer::LinearIssue, status, body, expected);
    read(200, r#"{"data":{"issueCreate":{"success":true,"issue":{"identifier":"OPS-1"}}}}"#, "succeeded");
    let refused = "failed: Linear answered 200: the issue was not created";
    read(200, r#"{"data":{"issueCreate":{"success":false}}}"#, refused);
    let limited = r#"{"errors":[{"message":"Rate limit exceeded","extensions":{"code":"RATELIMITED"}}]}"#;
    read(200, limited, "not taken: Linear's rate limit is reached");
    read(400, limited, "not taken: Linear's rate limit is reached");
    let invalid = r#"{"errors":[{"message":"Argument Validation Error","extensions":{"code":"INPUT_ERROR","userPresentableMessage":"teamId must be a UUID."}}]}"#;
    read(200, invalid, "failed: Linear answered 200: teamId must be a UUID.");
    let stranger =
        r#"{"errors":[{"message":"Authentication required","extensions":{"code":"AUTHENTICATION_ERROR"}}]}"#;
    read(401, stranger, "failed: Linear answered 401: Authentication required");
    let broken = r#"{"errors":[{"message":"oops","extensions":{"code":"INTERNAL_SERVER_ERROR"}}]}"#;
    read(200, broken, "unclear: Linear failed: oops");
    for body in ["", "<html>", "{}", r#"{"errors":[]}"#, r#"{"data":null}"#] {
        read(200, body, "unclear: Linear answered 200 with what is not an answer of its API");
    }
    read(404, "", "failed: Linear answered 404");
}

#[test]
fn linear_refuses_a_second_issue_of_an_id_and_that_is_success() {
    let body = |message: &str, shown: &str| {
        let extensions = json!({"code": "INPUT_ERROR", "statusCode": 400, "userPresentableMessage": shown});
        json!({"data": null, "errors": [{"message": message, "extensions": extensions}]}).to_string()
    };
    let (message, shown) =
        ("conflict on insert of Issue", "Entity Issue with id 2edea22f-f030-4e2e already exists.");
    for status in [200, 400] {
        for body in [body(message, shown), body(message, ""), body("Oops", shown), body(shown, "")] {
            check(Answer::LinearIssue, status, &body, "succeeded");
        }
    }
    let label = "Entity IssueLabel with name x already exists.";
    let of_label = body("conflict on insert of IssueLabel", label);
    check(Answer::LinearIssue, 200, &of_label, &format!("failed: Linear answered 200: {label}"));
}

#[test]
fn slack_says_ok_within_a_200() {
    let read = |body, expected| check(Answer::SlackApi, 200, body, expected);
    read(r#"{"ok":true,"ts":"1.2"}"#, "succeeded");
    read(r#"{"ok":false,"error":"ratelimited"}"#, "not taken: Slack's rate limit is reached");
    read(r#"{"ok":false,"error":"internal_error"}"#, "unclear: Slack failed: internal_error");
    read(r#"{"ok":false,"error":"channel_not_found"}"#, "failed: Slack answered 200: channel_not_found");
    let scope = r#"{"ok":false,"error":"missing_scope","needed":"chat:write"}"#;
    read(scope, "failed: Slack answered 200: missing_scope; needs the scope chat:write");
    read(r#"{"ok":false}"#, "failed: Slack answered 200");
    for body in ["", "ok", "[]", r#"{"ok":"yes"}"#] {
        read(body, "unclear: Slack answered 200 with what is not an answer of its API");
    }
}

#[test]
fn what_is_quoted_of_an_answer_is_bounded_and_one_line() {
    let body = format!(r#"{{"ok":false,"error":"a\nb{}"}}"#, "x".repeat(9_000));
    let Meaning::Failed(said) = Answer::SlackApi.read(200, &body) else { panic!("{body}") };
    assert_eq!(said.chars().count(), "Slack answered 200: ".len() + MOST_QUOTED);
    assert!(!said.contains('\n'));
}
