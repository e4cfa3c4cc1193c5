//! Runbooks of phases by hand: applied, planned, watched as a tree, let go on by another person, undone.

use serde_json::{Value, json};

use super::installation::{Installation, Person};
use crate::local::eventually;
use crate::support::receiver::Reply;

/// Looks from two sides, asks a responder, and acts with an undo.
fn definition(muster: &Installation) -> String {
    let url = |path: &str| muster.receiver.url(path);
    format!(
        "name: Drain
teamId: ops
rollback: {{onFailure: true}}
phases:
  - id: look
    steps:
      - parallel:
          id: sides
          steps:
            - {{id: left, type: diagnostic, action: {{type: webhook, url: '{left}'}}}}
            - {{id: right, type: diagnostic, action: {{type: webhook, url: '{right}'}}}}
  - id: act
    name: Act
    steps:
      - id: ok
        type: approval
        approval: {{levels: [{{of: ['team:ops:responder'], needed: 1}}]}}
      - id: drain
        type: remediation
        action: {{type: webhook, url: '{drain}'}}
        undo: {{type: webhook, url: '{undrain}'}}
",
        left = url("/left"),
        right = url("/right"),
        drain = url("/drain"),
        undrain = url("/undrain"),
    )
}

async fn once(person: &Person, execution: &str, until: &str) -> String {
    eventually(until, async || {
        let ran = person.run(&["execution", "watch", execution, "--once"]);
        ran.stdout.contains(until).then_some(ran.stdout)
    })
    .await
}

fn line<'t>(tree: &'t str, name: &str) -> &'t str {
    let found = tree.lines().find(|line| line.split_whitespace().next() == Some(name));
    found.unwrap_or_else(|| panic!("no {name}:\n{tree}")).trim()
}

fn digest(muster: &Installation, execution: &str) -> String {
    muster.author().run(&["execution", "approvals", execution, "-o", "json"]).ok().text("/items/0/digest")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_draws_phases_groups_waits_and_undos() {
    let muster = Installation::start().await;
    let (ada, carl) = (muster.author(), muster.person("carl", &["team:ops:responder"]));
    let file = muster.file("drain.yaml", &definition(&muster)).display().to_string();
    let runbook = ada.run(&["runbook", "apply", "-f", &file, "-o", "json"]).ok().text("/id");
    muster.approver().run(&["runbook", "approve", &runbook]).ok();
    muster.receiver.will_at("/drain", [Reply::Status(404)]);
    let execution = ada.run(&["runbook", "execute", &runbook, "-o", "json"]).ok().text("/execution/id");

    let tree = once(&ada, &execution, "muster execution approve").await;
    for (name, said) in [
        ("look", "SUCCEEDED"),
        ("sides,", "SUCCEEDED"),
        ("left", "SUCCEEDED in "),
        ("ok", "WAITING for 1 of team:ops:responder, until "),
        ("drain", "PENDING"),
    ] {
        assert!(line(&tree, name).contains(said), "{name} {said}:\n{tree}");
    }
    let digest = digest(&muster, &execution);
    let approve = format!("muster execution approve {execution} ok --digest {digest} --reason TEXT");
    assert!(tree.contains(&approve), "{tree}");
    carl.run(&["execution", "approve", &execution, "ok", "--digest", &digest, "--reason", "low traffic"])
        .ok();

    let watched = ada.run(&["execution", "watch", &execution]);
    assert_eq!(watched.code, Some(1), "{watched:?}");
    assert!(watched.stdout.contains("taking back what was done"), "{}", watched.stdout);
    assert!(!watched.stdout.contains('\u{1b}'), "nothing is drawn over where no terminal is");
    let tree = once(&ada, &execution, "ROLLED_BACK in").await;
    assert!(line(&tree, "drain").contains("FAILED: the receiver answered 404"), "{tree}");
    assert!(line(&tree, "drain.undo").contains("SUCCEEDED"), "{tree}");
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_a_watch_say_whom_it_waits_for_and_what_to_type() {
    let muster = Installation::start().await;
    let ada = muster.author();
    let file = muster.file("drain.yaml", &definition(&muster)).display().to_string();
    let runbook = ada.run(&["runbook", "apply", "-f", &file, "-o", "json"]).ok().text("/id");
    muster.approver().run(&["runbook", "approve", &runbook]).ok();
    let execution = ada.run(&["runbook", "execute", &runbook, "-o", "json"]).ok().text("/execution/id");
    once(&ada, &execution, "muster execution approve").await;
    let mut watch = ada.command(&["execution", "watch", &execution]);
    let mut watch = watch.stdout(std::process::Stdio::piped()).spawn().unwrap();
    let out = std::io::BufReader::new(watch.stdout.take().unwrap());
    let mut lines = std::io::BufRead::lines(out).map_while(Result::ok);
    assert!(lines.any(|line| line.trim_start().starts_with("waits for 1 of team:ops:responder, until ")));
    let approve = format!("muster execution approve {execution} ok --digest ");
    assert!(lines.any(|line| line.trim_start().starts_with(&approve)));
    ada.run(&["execution", "cancel", &execution, "--reason", "enough"]).ok();
    assert!(lines.any(|line| line.starts_with("CANCELLED")));
    watch.wait().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn apply_creates_once_and_makes_a_version_of_each_change() {
    let muster = Installation::start().await;
    let ada = muster.author();
    let text = definition(&muster);
    let file = |text: &str| muster.file("drain.yaml", text).display().to_string();
    let apply = |text: &str| ada.run(&["runbook", "apply", "-f", &file(text), "-o", "json"]).ok();
    let (first, again) = (apply(&text), apply(&text));
    assert_eq!((first.json()["version"].clone(), again.json()["version"].clone()), (json!(1), json!(1)));
    assert!(again.stderr.contains("Nothing changed"), "{}", again.stderr);
    let value: Value = serde_saphyr::from_str(&text).unwrap();
    let as_json = apply(&value.to_string());
    assert_eq!(as_json.json()["version"], 1, "JSON of the same content is the same");
    let changed = apply(&text.replace("name: Act", "name: Do it"));
    assert_eq!((changed.text("/id"), changed.json()["version"].clone()), (first.text("/id"), json!(2)));
    assert!(changed.stderr.contains("~/phases/1/name"), "{}", changed.stderr);
}

/// Authors see what approvers will see, before anybody has approved it.
#[tokio::test(flavor = "multi_thread")]
async fn a_draft_is_planned_and_not_run() {
    let muster = Installation::start().await;
    let ada = muster.author();
    let file = muster.file("drain.yaml", &definition(&muster)).display().to_string();
    let runbook = ada.run(&["runbook", "apply", "-f", &file, "-o", "json"]).ok().text("/id");
    let planned = ada.run(&["runbook", "plan", &runbook, "--version", "1"]).ok();
    assert!(planned.stdout.contains(&muster.receiver.url("/undrain")), "{}", planned.stdout);
    assert_eq!(ada.run(&["runbook", "execute", &runbook, "--version", "1"]).code, Some(5));
    assert!(muster.receiver.received().is_empty());
}
