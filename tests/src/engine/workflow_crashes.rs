//! The process stops before, and after, each write that a workflow makes.

use rstest::rstest;

use super::crash_points::{Breaking, CrashPoint, survive};
use super::workflows::{begun, call, executes, saved, story, workflow};
use super::*;

/// How many writes a whole workflow makes, its runbook's included, and one more.
const WRITES: usize = 11;

/// A call, a condition, a delay, a runbook that is waited for, and a call.
async fn run_with(engine: Engine, at: CrashPoint, nth: usize) {
    let hook = Breaking::at(at);
    let world = World::hooked(engine, hook.clone()).await;
    let runbook = approved(&world, json!({})).await;
    let nodes = json!([
        call(&world, "first"),
        {"type": "condition", "id": "ask", "field": "steps.first.status", "equals": "never"},
        call(&world, "never"),
        {"type": "delay", "id": "pause", "seconds": 5},
        executes("restart", &runbook, json!({"wait": true})),
        call(&world, "last"),
    ]);
    let edges = [
        ("start", "first", None),
        ("first", "ask", None),
        ("ask", "never", Some("true")),
        ("ask", "pause", Some("false")),
        ("pause", "restart", None),
        ("restart", "last", None),
    ];
    let mut definition = workflow(nodes, &edges);
    definition["settings"] = json!({"timeout": "15min"});
    let id = saved(&world, definition).await;
    let run = begun(&world, &id, None).await;
    hook.after(nth);
    survive(&world).await;
    let ended = execution(&world, &run).await;
    assert_eq!(ended.status(), ExecutionStatus::Success, "{at:?} at write {nth}: {:?}", ended.state);
    let expected = "ask done, first done, last done, never skipped, pause done, restart done";
    assert_eq!(story(&ended), expected, "{at:?} at write {nth}");
    let paging = muster_app::paging::Paging { limit: 100, cursor: None };
    let children = world.app.executions_of_runbook(&bob(), &runbook, &paging).await.unwrap().items;
    assert_eq!(children.len(), 1, "{at:?} at write {nth}: a runbook started twice");
    check_promises(&world, &run).await;
}

#[rstest]
#[tokio::test]
async fn inv_a6_a_crash_before_or_after_any_write_of_a_workflow_loses_nothing_and_starts_nothing_twice(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    for at in [CrashPoint::Before, CrashPoint::After] {
        for nth in 0..WRITES {
            run_with(engine, at, nth).await;
        }
    }
}
