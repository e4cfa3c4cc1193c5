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
        "Every audit chain is whole",
        "runbook.created, runbook.approved",
        "incident.created",
        "execution.accepted, execution.succeeded",
    ] {
        let (_, after) =
            rest.split_once(part).unwrap_or_else(|| panic!("no {part:?} in its place:\n{story}"));
        rest = after;
    }
    assert_eq!(text(&demo.stderr), "", "logs are quiet");
}
