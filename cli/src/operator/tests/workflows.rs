//! Commands about workflows.

use serde_json::{Value, json};

use super::stub::Answer;
use super::*;

const FILE: &str = "\
name: Restart
teamId: ops
trigger: {type: manual}
definition:
  nodes: [{type: trigger, id: start}, {type: delay, id: a, seconds: 1}]
  edges: [{from: start, to: a}]
";

/// What a line with FILE asks for, with the answers given in this order.
async fn asked(line: &str, answers: Vec<Value>) -> (Ran, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("workflow.yaml");
    std::fs::write(&path, FILE).unwrap();
    let stub = Stub::with(answers.iter().map(Answer::ok)).await;
    let ran = run_on(&stub, &line.replace("FILE", &path.display().to_string())).await;
    let lines = stub.lines().into_iter().map(|sent| sent.replace(WORKFLOW, "WF").replace(INCIDENT, "INC"));
    (ran, lines.collect())
}

async fn check(line: &str, expected: &str) {
    let (ran, lines) = asked(line, vec![json!({"items": []})]).await;
    assert_eq!((ran.code, lines), (0, vec![expected.to_owned()]), "{line}: {}", ran.stderr);
}

#[tokio::test]
async fn workflows_are_read_and_run() {
    check("workflow get WF", "GET /api/workflows/WF").await;
    check(
        "workflow list --team ops --enabled false --trigger incident_created --search x",
        "GET /api/workflows?teamId=ops&enabled=false&triggerType=incident_created&q=x&limit=20",
    )
    .await;
    check("workflow executions WF", "GET /api/workflows/WF/executions?limit=20").await;
    check("workflow run WF --incident INC", r#"POST /api/workflows/WF/run {"incidentId":"INC"}"#).await;
    check("workflow test WF --incident INC", r#"POST /api/workflows/WF/test {"incidentId":"INC"}"#).await;
    check("workflow backtest WF --days 3", r#"POST /api/workflows/WF/backtest {"days":3}"#).await;
}

/// The method and path of each request after the first.
fn written(lines: &[String]) -> Vec<&str> {
    lines.iter().skip(1).filter_map(|line| line.split(" {").next()).collect()
}

#[tokio::test]
async fn a_file_is_applied_to_the_workflow_of_its_name_and_team() {
    let item = |id: &str, name: &str, team: &str| json!({"id": id, "name": name, "teamId": team});
    let other = json!({"items": [item("wf_1", "Restart all", "ops"), item("wf_2", "Restart", "web")]});
    let (ran, lines) = asked("workflow apply -f FILE", vec![other, json!({"id": "wf_3"})]).await;
    assert_eq!(lines[0], "GET /api/workflows?teamId=ops&q=Restart&limit=100");
    assert_eq!((ran.code, written(&lines)), (0, vec!["POST /api/workflows"]));

    let one = json!({"items": [item(WORKFLOW, "Restart", "ops")]});
    let (ran, lines) = asked("workflow apply -f FILE --note why", vec![one.clone(), json!({})]).await;
    assert_eq!((ran.code, written(&lines)), (0, vec!["PUT /api/workflows/WF"]));
    assert!(lines[1].contains(r#""changeNote":"why""#), "{}", lines[1]);

    let two = json!({"items": [item("wf_1", "Restart", "ops"), item("wf_2", "Restart", "ops")]});
    let (ran, lines) = asked("workflow apply -f FILE", vec![two]).await;
    assert_eq!((ran.code, lines.len()), (2, 1), "nothing was written");
    assert!(ran.stderr.contains("2 workflows of this team are named so; say with --id"), "{}", ran.stderr);
    let (_, lines) = asked("workflow apply -f FILE --id WF", vec![json!({})]).await;
    assert!(lines[0].starts_with("PUT /api/workflows/WF "), "{}", lines[0]);
}

#[tokio::test]
async fn a_trial_is_shown_with_its_reasons() {
    let trial = json!({
        "matched": false, "outcome": "NOT_MATCHED", "wouldStart": false,
        "reasons": [
            {"name": "enabled", "expected": true, "seen": true, "holds": true},
            {"name": "incident.metadata.service", "expected": "web", "holds": false},
        ],
    });
    let (ran, _) = asked("workflow test WF --incident INC", vec![trial]).await;
    assert!(
        ran.stdout.contains("Fails        incident.metadata.service: expected web, seen -"),
        "{}",
        ran.stdout
    );
}
