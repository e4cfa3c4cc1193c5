//! Commands about teams.

use serde_json::json;

use super::stub::Answer;
use super::*;

const FILE: &str =
    "teamId: ops\npeople: {ada: {slackUserId: U1}}\nslack: {token: {$secret: bot}, channel: C1}\n";

#[tokio::test]
async fn the_settings_of_a_team_are_read() {
    let bo = json!({"slackUserId": "U2", "slackGroups": ["team:ops:responder"]});
    let settings = json!({"teamId": "ops", "people": {"ada": {"email": "ada@example.com"}, "bo": bo}});
    let stub = Stub::with([Answer::ok(&settings)]).await;
    let ran = run_on(&stub, "team settings get ops").await;
    assert_eq!(stub.lines(), ["GET /api/teams/ops/settings"]);
    let people = "ada (ada@example.com), bo (U2, answers in Slack as team:ops:responder)";
    assert!(ran.stdout.contains(people), "{}", ran.stdout);
}

#[tokio::test]
async fn a_file_is_applied_to_the_team_it_names() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("ops.yaml");
    std::fs::write(&path, FILE).unwrap();
    let stub = Stub::with([Answer::ok(&json!({"teamId": "ops"}))]).await;
    let line = format!("team settings apply -f {} --if-match 3", path.display());
    let ran = run_on(&stub, &line).await;
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let expected = concat!(
        r#"PUT /api/teams/ops/settings {"people":{"ada":{"slackUserId":"U1"}},"#,
        r#""slack":{"channel":"C1","token":{"$secret":"bot"}}}"#
    );
    assert_eq!(stub.lines(), [expected]);
    assert_eq!(stub.asked()[0].header("if-match"), "\"3\"");
}
