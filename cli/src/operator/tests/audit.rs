//! Proving audit exports, with a server and without.

use muster_domain::audit::{ChainHead, Fact, Resource};
use muster_domain::execution::{ExecutionStatus, Trail, TrailEvent};
use muster_domain::time::Time;
use serde_json::{Value, json};

use super::stub::Answer;
use super::*;

/// An execution's chain of two entries, the last of which anchors its trail.
fn export() -> Value {
    let resource: Resource = EXECUTION.parse().unwrap();
    let mut trail = Trail::new(EXECUTION);
    trail.push(TrailEvent::Ended { status: ExecutionStatus::Success }, Time::from_millis(5));
    let mut head = ChainHead::default();
    let mut entries = Vec::new();
    for (action, detail) in [
        ("execution.accepted", json!({"version": 1, "share": 0.1})),
        ("execution.succeeded", json!({"trail": trail.head})),
    ] {
        let fact = Fact { action, actor: None, detail };
        let (entry, next) = head.append(resource.clone(), None, fact, Time::from_millis(5));
        entries.push(entry);
        head = next;
    }
    json!({"resource": resource, "head": head, "entries": entries, "trail": trail})
}

/// Verifies what a server gives, and the same as a file without one.
async fn check(export: &Value, code: u8, said: &str) {
    let stub = Stub::with([Answer::ok(export)]).await;
    let online = run_on(&stub, "audit verify EX").await;
    assert_eq!(online.code, code, "{}", online.stderr);
    assert!(online.stderr.contains(said), "{}", online.stderr);

    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export.json");
    std::fs::write(&path, run_on(&stub, "audit export EX").await.stdout).unwrap();
    let offline = run_alone(&format!("audit verify --file {}", path.display())).await;
    assert_eq!((offline.code, offline.stdout, offline.stderr), (online.code, online.stdout, online.stderr));
}

#[tokio::test]
async fn inv_f2_an_intact_chain_is_proven_and_a_changed_one_is_not() {
    check(&export(), 0, "").await;
    let mut changed = export();
    changed["entries"][0]["detail"]["version"] = json!(2);
    check(
        &changed,
        1,
        &format!("error: NOT PROVEN: the audit chain is broken: entry 1 of {EXECUTION} was changed"),
    )
    .await;
    let mut cut = export();
    cut["entries"].as_array_mut().unwrap().pop();
    check(&cut, 1, "ends at entry 1, its resource says 2").await;
    let mut other_trail = export();
    other_trail["trail"]["entries"][0]["at"] = json!(6);
    check(&other_trail, 1, "its hash does not fit its entries").await;
}

#[tokio::test]
async fn the_report_is_whole_for_people_and_for_scripts() {
    let mut broken = export();
    broken["entries"][1]["at"] = json!(6);
    let stub = Stub::with([Answer::ok(&broken)]).await;
    insta::assert_snapshot!(run_on(&stub, "audit verify EX").await.stdout);
    let report: Value = serde_json::from_str(&run_on(&stub, "audit verify EX -o json").await.stdout).unwrap();
    assert_eq!((&report["proven"], &report["entries"]), (&json!(false), &json!(2)));
}

#[tokio::test]
async fn something_must_be_named() {
    let ran = run_alone("audit verify").await;
    assert_eq!((ran.code, ran.stderr.as_str()), (2, "error: name a resource, or an export with --file\n"));
}

#[tokio::test]
async fn what_is_no_export_is_a_wrong_file_and_not_a_broken_chain() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("export.json");
    std::fs::write(&path, "{}").unwrap();
    let ran = run_alone(&format!("audit verify --file {}", path.display())).await;
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("holds no audit export: missing field"), "{}", ran.stderr);
}
