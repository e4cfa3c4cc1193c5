//! The first command of the README.

use super::server::{run, text};

#[test]
fn the_demo_tells_the_whole_story_and_ends_well() {
    let demo = run(&["demo", "--once"]);
    let story = text(&demo.stdout);
    assert!(demo.status.success(), "{story}{}", text(&demo.stderr));
    let mut rest = story.as_str();
    for part in [
        "Muster answers on http://127.0.0.1:",
        "ann (team:payments:admin, platform-admin) writes the runbook \"Restart a service\": DRAFT",
        "403, ann wrote this version and may not approve it",
        "bob (platform-admin) approves it: APPROVED",
        "HIGH, \"Checkout answers slowly\"",
        "accepted: stored, asked for by ann",
        "attempt 1: the intent is stored",
        "POST /services/checkout/restart, signature valid, answers 503",
        "attempt 1: 503",
        "waits ",
        "attempt 2: the intent is stored",
        "answers 503",
        "waits ",
        "attempt 3: the intent is stored",
        "answers 200",
        "attempt 3: 200",
        "ended: SUCCESS",
        "3 attempts of one delivery",
        "\"service\":\"checkout\"",
        "makes an address for alarms: /api/hooks/int_",
        "writes the workflow \"Restart on alarm\": wf_",
        "writes the workflow \"Restart search on alarm\": wf_",
        "An alarm of CloudWatch opens an incident: CRITICAL, \"checkout errors\", inc_",
        "Restart on alarm: MATCHED",
        "incident.metadata.service must be \"checkout\": \"checkout\", holds",
        "Restart search on alarm: NOT_MATCHED",
        "incident.metadata.service must be \"search\": \"checkout\", does not hold",
        "The workflow runs: ex_",
        "urgent (Is it urgent?): the answer is true",
        "settle (Time to stop it): waits until ",
        "settle (Time to stop it): done",
        "restart (Restart the service): done: execution ex_",
        "The service got one call: POST /services/checkout/restart, signature valid",
        "comes a second time and starts nothing: this report was taken before",
        "the incident is RESOLVED",
        "Second scene",
        "ann writes the runbook \"Drain a node\", bob approves it. Its phases: detect, diagnose, decide, act",
        "baseline.probe: GET /summary, answered 200",
        "find-node: GET /nodes, answered 200",
        "drain-ok: people are asked",
        "looked at at once",
        "approve it herself: 403, ann asked for or wrote this and may not decide about it",
        "carl (team:payments:responder) sees exactly what would be sent, and approves it",
        "/nodes/n1/cordon",
        "/nodes/n1/drain",
        "drain-ok: approved",
        "cordon: what takes it back is stored, before it is called",
        "cordon: POST /nodes/n1/cordon, answered 200",
        "drain: what takes it back is stored, before it is called",
        "drain: POST /nodes/n1/drain, answered 200",
        "pods-run: GET /pods, answered 500",
        "what was done is taken back, the last first",
        "drain.undo: POST /nodes/n1/undrain, answered 200",
        "cordon.undo: POST /nodes/n1/uncordon, answered 200",
        "ended: ROLLED_BACK",
        "cordon, drain, undrain, uncordon. The node is as before: schedulable, with its pods",
        "pods-run: GET /pods, answered 200",
        "verification.probe: GET /summary, answered 200",
        "ended: SUCCESS",
        "Verdict: resolved",
        "Every audit chain is whole",
        "runbook.created, runbook.approved",
        "incident.created\n",
        "execution.accepted, execution.succeeded",
        "workflow.created",
        "incident.created, incident.resolved",
        "execution.accepted, execution.succeeded",
        "execution.accepted, execution.succeeded",
        "execution.accepted, execution.gate_ended, execution.unwinding, execution.rolled_back",
        "execution.accepted, execution.gate_ended, execution.succeeded",
    ] {
        let (_, after) =
            rest.split_once(part).unwrap_or_else(|| panic!("no {part:?} in its place:\n{story}"));
        rest = after;
    }
    assert!(
        story.contains("leave (Leave it to people): skipped, because urgent chose the other way"),
        "{story}"
    );
    let calls = story.lines().filter(|line| line.contains("signature valid")).count();
    assert_eq!(calls, 4, "three attempts for ann, and one call for the alarm:\n{story}");
    assert_eq!(text(&demo.stderr), "", "logs are quiet");
}
