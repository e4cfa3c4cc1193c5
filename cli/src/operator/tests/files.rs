//! Commands that read files.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::stub::Answer;
use super::*;

struct File {
    _dir: tempfile::TempDir,
    path: PathBuf,
}

fn file(text: &str) -> File {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("restart.yaml");
    std::fs::write(&path, text).unwrap();
    File { _dir: dir, path }
}

/// Runs a line in which FILE stands for the file; what it says names the file alone.
async fn run_with(stub: &Stub, line: &str, file: &File) -> Ran {
    let path = file.path.display().to_string();
    let mut ran = run_on(stub, &line.replace("FILE", &path)).await;
    ran.stdout = ran.stdout.replace(&path, "restart.yaml");
    ran.stderr = ran.stderr.replace(&path, "restart.yaml");
    ran
}

const GOOD: &str = "name: Restart\nteamId: ops\nwebhookUrl: https://ops.example/restart\n";
const FAULTY: &str = "name: ''\nwebhookUrl: https://ops.example/restart\ntimeoutSeconds: 60\n";

#[tokio::test]
async fn a_good_file_is_sent_as_json() {
    let stub = Stub::with([Answer::ok(&json!({}))]).await;
    run_with(&stub, "runbook create -f FILE", &file(GOOD)).await;
    run_with(&stub, "runbook update RB -f FILE --note why --if-match 7", &file(GOOD)).await;
    insta::assert_snapshot!(stub.lines().join("\n").replace(RUNBOOK, "RB"));
    assert_eq!(stub.asked()[1].header("if-match"), "\"7\"");
}

#[tokio::test]
async fn a_faulty_file_is_not_sent() {
    let stub = Stub::with([Answer::ok(&json!({}))]).await;
    for line in ["runbook create -f FILE", "runbook update RB -f FILE"] {
        let ran = run_with(&stub, line, &file(FAULTY)).await;
        assert_eq!((ran.code, stub.lines().len()), (2, 0), "{line}");
        insta::assert_snapshot!("a_faulty_file", ran.stderr);
    }
}

#[tokio::test]
async fn what_the_server_finds_wrong_is_told_with_the_files_line() {
    let errors = json!([{"pointer": "/teamId", "message": "cannot be changed"}]);
    let body = json!({"title": "The input is not valid", "errors": errors});
    let stub = Stub::with([Answer::problem(400, &body)]).await;
    let ran = run_with(&stub, "runbook update RB -f FILE", &file(GOOD)).await;
    assert!(ran.stderr.contains("\n  restart.yaml:2:1: /teamId: cannot be changed\n"), "{}", ran.stderr);
}

#[tokio::test]
async fn validate_asks_nobody() {
    let stub = Stub::with([Answer::ok(&json!({}))]).await;
    let good = run_with(&stub, "runbook validate -f FILE", &file(GOOD)).await;
    insta::assert_snapshot!("a_valid_file", good.stdout);
    let faulty = run_with(&stub, "runbook validate -f FILE", &file(FAULTY)).await;
    insta::assert_snapshot!("a_faulty_file", faulty.stderr);
    assert_eq!(faulty.stdout, "");
    assert_eq!((good.code, faulty.code, stub.lines().len()), (0, 2, 0));
}

#[tokio::test]
async fn validate_gives_scripts_every_fault_with_its_place() {
    let stub = Stub::with([Answer::ok(&json!({}))]).await;
    let ran = run_with(&stub, "runbook validate -f FILE -o json", &file(FAULTY)).await;
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, ran.stderr.as_str()), (2, ""));
    assert_eq!(
        report["faults"],
        json!([
            {"line": 1, "column": 1, "pointer": "/name", "message": "has 0 characters; 1 to 200 are allowed"},
            {"line": 3, "column": 1, "pointer": "/timeoutSeconds", "message": "must be 1 to 20"},
        ])
    );
}

#[tokio::test]
async fn a_doubt_is_told_and_stops_nothing() {
    let stub = Stub::with([Answer::ok(&json!({}))]).await;
    let doubtful = file(&format!("{GOOD}webhookHeaders:\n  X-Api-Key: hunter2\n"));
    let ran = run_with(&stub, "runbook create -f FILE", &doubtful).await;
    assert_eq!((ran.code, stub.lines().len()), (0, 1));
    assert!(
        ran.stderr.starts_with("warning: restart.yaml:5:3: /webhookHeaders/X-Api-Key: looks like a secret")
    );
    let report = run_with(&stub, "runbook validate -f FILE", &doubtful).await;
    assert!(
        report.stdout.contains("Warning  line 5: /webhookHeaders/X-Api-Key looks like a secret"),
        "{}",
        report.stdout
    );
}

#[tokio::test]
async fn an_incident_comes_from_a_file_as_well() {
    let stub = Stub::with([Answer::ok(&json!({}))]).await;
    run_with(&stub, "incident create -f FILE", &file("title: Down\npriority: HIGH\n")).await;
    assert_eq!(stub.lines(), [r#"POST /api/incidents {"priority":"HIGH","title":"Down"}"#]);
}

#[tokio::test]
async fn a_file_that_is_not_there_is_named() {
    let ran = run_alone("runbook validate -f no/such.yaml").await;
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.starts_with("error: reading no/such.yaml: "), "{}", ran.stderr);
}

/// What `runbook apply` of a file asks for, with the answers given in this order.
async fn applied(line: &str, answers: &[Value]) -> (Ran, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("runbook.yaml");
    std::fs::write(&path, "name: Restart\nteamId: ops\nwebhookUrl: https://ops.example/restart\n").unwrap();
    let stub = Stub::with(answers.iter().map(Answer::ok)).await;
    let ran = run_on(&stub, &format!("{line} -f {}", path.display())).await;
    let asked = stub.lines().into_iter().filter_map(|line| line.split(" {").next().map(str::to_owned));
    (ran, asked.map(|line| line.replace(RUNBOOK, "RB")).collect())
}

fn stored(version: u32, status: &str) -> Value {
    json!({
        "id": RUNBOOK, "name": "Restart", "teamId": "ops", "version": version, "approvalStatus": status, "digest": "d1",
    })
}

#[tokio::test]
async fn apply_creates_what_is_not_there_and_says_what_to_do_next() {
    let others = json!({"items": [{"id": "rb_1", "name": "Restart", "teamId": "web"}]});
    let (ran, asked) = applied("runbook apply", &[others, stored(1, "DRAFT")]).await;
    assert_eq!(asked, ["GET /api/runbooks?teamId=ops&q=Restart&limit=100", "POST /api/runbooks"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let id = format!("muster runbook approve {RUNBOOK} --version 1 --digest d1");
    assert!(ran.stdout.contains("DRAFT") && ran.stderr.contains(&id), "{}{}", ran.stdout, ran.stderr);
}

#[tokio::test]
async fn apply_makes_a_new_version_and_says_what_changed() {
    let diff = json!({"changes": [{"pointer": "/timeoutSeconds", "before": 5, "after": 7}, {"pointer": "/tags/0", "after": "a"}]});
    let before = json!({"items": [stored(1, "APPROVED")]});
    let (ran, asked) = applied("runbook apply --note slower", &[before, stored(2, "DRAFT"), diff]).await;
    assert_eq!(asked[1..], ["PUT /api/runbooks/RB", "GET /api/runbooks/RB/versions/1/diff/2"]);
    let said = "Version 1 became version 2: ~/timeoutSeconds, +/tags/0\n";
    assert!(ran.stderr.starts_with(said), "{}", ran.stderr);
}

#[tokio::test]
async fn apply_of_the_same_changes_nothing() {
    let same = stored(1, "APPROVED");
    let (ran, asked) = applied("runbook apply --id RB", &[same.clone(), same]).await;
    assert_eq!(asked, ["GET /api/runbooks/RB", "PUT /api/runbooks/RB"]);
    assert!(ran.stderr.starts_with("Nothing changed\nIt is approved."), "{}", ran.stderr);
}

#[tokio::test]
async fn apply_does_not_choose_between_two_of_one_name() {
    let two = json!({"items": [stored(1, "DRAFT"), stored(1, "DRAFT")]});
    let (ran, asked) = applied("runbook apply", &[two]).await;
    assert_eq!((ran.code, asked.len()), (2, 1), "{}", ran.stderr);
    assert!(ran.stderr.contains("2 runbooks of this team are named so"), "{}", ran.stderr);
}
