//! A runbook's definition from a file: parsed, and checked by the domain's own rules before it is sent.

use std::path::Path;

use muster_domain::fault::Fault;
use muster_domain::runbook::definition::is_phased;
use muster_domain::runbook::{PhasedRunbook, RunbookDefinition, SimpleRunbook};
use serde_json::{Value, json};

use super::faults::FileFaults;
use super::located::{Located, Places, located};
use super::source::{FileError, Source};
use super::{secrets, typed};

/// A definition without faults.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Checked {
    pub(crate) definition: RunbookDefinition,
    pub(crate) name: String,
    /// Where its parts stand in the file, for what the server may say of them.
    pub(crate) places: Places,
    /// What is allowed and yet looks wrong.
    pub(crate) doubts: FileFaults,
}

pub(crate) fn read_definition(path: &Path) -> Result<Checked, FileError> {
    Ok(check(&Source::read(path)?)?)
}

/// Parses and checks; every fault is reported with its place.
pub(crate) fn check(source: &Source) -> Result<Checked, FileFaults> {
    let Located { mut value, places } = located(source)?;
    let fail = |faults: Vec<Fault>| FileFaults::of(&source.name, faults, &places);
    if !value.is_object() {
        let message = "must be an object with the fields of a runbook: `name`, and `webhookUrl` or `phases`";
        return Err(fail(vec![Fault::new("", message)]));
    }
    let phased = value.as_object().is_some_and(is_phased);
    let mut faults = secrets::faults(&value);
    // What a wrong type says may repeat a secret that stands where it must not.
    let whole = faults.is_empty();
    faults.extend(match (phased, whole) {
        (true, true) => typed::faults::<PhasedRunbook>(&value, put_aside),
        (false, true) => typed::faults::<SimpleRunbook>(&value, put_aside),
        (true, false) => typed::take_unknown_fields::<PhasedRunbook>(&mut value),
        (false, false) => typed::take_unknown_fields::<SimpleRunbook>(&mut value),
    });
    if !faults.is_empty() {
        return Err(fail(faults));
    }
    let definition = RunbookDefinition::of_json(&value).map_err(|fault| fail(vec![fault]))?;
    let faults = definition.faults();
    if !faults.is_empty() {
        return Err(fail(faults));
    }
    Ok(Checked {
        doubts: FileFaults::of(&source.name, secrets::doubts(&definition), &places),
        definition,
        name: source.name.clone(),
        places,
    })
}

/// A step or a phase that does not fit makes room for one that does; of anything else, the member of the runbook is left out.
fn put_aside(value: &mut Value, pointer: &str) -> bool {
    let segments: Vec<&str> = pointer.split('/').skip(1).collect();
    let element = segments.windows(2).rposition(|pair| match pair {
        [list, index] => ["steps", "phases"].contains(list) && index.parse::<usize>().is_ok(),
        _ => false,
    });
    let Some(at) = element else {
        let member = segments.first().and_then(|&name| value.as_object_mut()?.remove(name));
        return member.is_some();
    };
    let around = segments.get(..at + 2).unwrap_or_default().join("/");
    let fitting = match segments.get(at) {
        Some(&"steps") => json!({"id": "x", "type": "delay", "seconds": 1}),
        Some(_) | None => json!({"id": "x", "steps": []}),
    };
    value.pointer_mut(&format!("/{around}")).map(|element| *element = fitting).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "name: Restart\nwebhookUrl: https://ops.example/restart\n";

    fn source(more: &str) -> Source {
        Source { name: "restart.yaml".into(), text: format!("{GOOD}{more}") }
    }

    fn check_faults(more: &str, expected: &[&str]) {
        let faults = check(&source(more)).expect_err(more);
        let seen: Vec<String> = faults.faults.iter().map(ToString::to_string).collect();
        assert_eq!(seen, expected, "{more}");
    }

    #[test]
    fn a_good_file_is_a_definition() {
        let checked = check(&source("tags: [ops]\ntimeoutSeconds: 5\n")).expect("is valid");
        assert_eq!(checked.definition.name(), "Restart");
        assert_eq!(checked.definition.simple().map(|simple| simple.timeout_seconds), Some(5));
        assert!(checked.doubts.faults.is_empty());
    }

    #[test]
    fn every_unknown_field_is_named_with_its_place_and_its_likely_name() {
        check_faults(
            "webhookurl: x\nretries: 3\n",
            &[
                ":3:1: /webhookurl: is no field; did you mean `webhookUrl`?",
                concat!(
                    ":4:1: /retries: is no field; remove it. There are: name, description, teamId, ",
                    "tags, webhookUrl, webhookMethod, webhookHeaders, webhookAuth, parameters, payloadTemplate, ",
                    "timeoutSeconds, idempotent"
                ),
            ],
        );
    }

    const PHASED: &str = "\
name: Restart
phases:
  - id: act
    steps:
      - id: wait
        type: delay
        seconds: 60
      - id: fix
        type: remediation
        irreversible: {reason: it stays restarted}
        action: {type: webhook, url: https://ops.example/restart}
";

    fn check_phased(before: &str, after: &str, expected: &[&str]) {
        let text = PHASED.replacen(before, after, 1);
        let faults = check(&Source { name: "restart.yaml".into(), text }).expect_err(after);
        let seen: Vec<String> = faults.faults.iter().map(ToString::to_string).collect();
        assert_eq!(seen, expected, "{after}");
    }

    #[test]
    fn a_fault_of_a_phased_runbook_has_the_line_of_its_step() {
        let checked = check(&Source { name: "restart.yaml".into(), text: PHASED.into() }).expect("is valid");
        assert!(checked.definition.phased().is_some());
        check_phased(
            "seconds: 60",
            "second: 60",
            &[":7:9: /phases/0/steps/0/second: is no field; did you mean `seconds`?"],
        );
        check_phased(
            "seconds: 60",
            "seconds: soon",
            &[r#":7:9: /phases/0/steps/0/seconds: invalid type: string "soon", expected u64"#],
        );
        check_phased(
            "id: fix",
            "id: wait",
            &[":8:9: /phases/0/steps/1/id: `wait` is also the id at /phases/0/steps/0; choose another"],
        );
        check_phased(
            "url: https://ops.example/restart",
            "url: https://ops.example/, headers: {X-Key: [hunter2]}",
            &[concat!(
                r#":11:70: /phases/0/steps/1/action/headers/X-Key: must be a text, or a secret: store it under a name "#,
                r#"and write {"$secret": "name"}"#
            )],
        );
    }

    #[test]
    fn unknown_fields_in_different_places_are_told_together() {
        let text = "\
nam: x
name: Restart
phases:
  - id: ask
    titel: Ask
    steps:
      - id: ok
        type: approval
        approval: {levels: [{of: ['team:ops:responder'], needed: 1, need: 2}], levl: 1}
  - id: act
    steps:
      - parallel:
          id: both
          step: 1
          steps:
            - id: fix
              type: remediation
              irreversible: {reason: it stays restarted, why: x}
              action: {type: webhook, url: https://ops.example/restart, metod: PUT}
            - id: other
              type: remediation
              action: {type: webhook, url: https://ops.example/restart}
              undo: {type: webhook, url: https://ops.example/restart, boddy: x}
rollback: {onFailur: true}
verification: {probe: {url: https://ops.example/, expect: 'true', exp: x}, settle: 1}
";
        let faults =
            check(&Source { name: "restart.yaml".into(), text: text.into() }).expect_err("is faulty");
        let seen: Vec<&str> = faults.faults.iter().map(|fault| fault.pointer.as_str()).collect();
        let expected = [
            "/nam",
            "/phases/0/titel",
            "/phases/0/steps/0/approval/levels/0/need",
            "/phases/0/steps/0/approval/levl",
            "/phases/1/steps/0/parallel/step",
            "/phases/1/steps/0/parallel/steps/0/irreversible/why",
            "/phases/1/steps/0/parallel/steps/0/action/metod",
            "/phases/1/steps/0/parallel/steps/1/undo/boddy",
            "/rollback/onFailur",
            "/verification/probe/exp",
            "/verification/settle",
        ];
        assert_eq!(seen, expected, "{faults}");
    }

    #[test]
    fn a_wrong_type_does_not_hide_what_comes_after_it() {
        let text = "\
name: Restart
tags: 5
phases:
  - id: one
    steps:
      - {id: wait, type: delay, seconds: soon}
      - {id: rest, typ: delay, seconds: 1}
      - {id: go, type: delay, secs: 1, name: [a]}
  - name: no id
    steps: []
rollback: yes
";
        let faults =
            check(&Source { name: "restart.yaml".into(), text: text.into() }).expect_err("is faulty");
        let seen: Vec<&str> = faults.faults.iter().map(|fault| fault.pointer.as_str()).collect();
        let expected = [
            "/tags",
            "/phases/0/steps/0/seconds",
            "/phases/0/steps/1/typ",
            "/phases/0/steps/2/secs",
            "/phases/0/steps/2/name",
            "/phases/1",
            "/rollback",
        ];
        assert_eq!(seen, expected, "{faults}");
    }

    #[test]
    fn a_secret_is_never_repeated_and_its_mending_is_shown() {
        check_faults(
            "webhookAuth:\n  type: bearer\n  token: hunter2\n",
            &[concat!(
                r#":5:3: /webhookAuth/token: must not hold the secret itself: store it under a name and write "#,
                r#"{"$secret": "name"}"#
            )],
        );
        check_faults("webhookAuth: hunter2\n", &[":3:1: /webhookAuth: must be an object"]);
        check_faults("webhookHeaders: hunter2\n", &[":3:1: /webhookHeaders: must be an object"]);
        check_faults(
            "webhookHeaders:\n  X-Key: {secret: hunter2}\n",
            &[concat!(
                r#":4:3: /webhookHeaders/X-Key: must be a text, or a secret: store it under a name and write "#,
                r#"{"$secret": "name"}"#
            )],
        );
    }

    #[test]
    fn a_header_that_looks_like_a_secret_is_doubted_and_allowed() {
        let checked = check(&source("webhookHeaders:\n  X-Api-Key: hunter2\n")).expect("is valid");
        let doubts = checked.doubts.to_string();
        assert!(doubts.contains("restart.yaml:4:3: /webhookHeaders/X-Api-Key: looks like"), "{doubts}");
        assert!(!doubts.contains("hunter2"));
    }

    #[test]
    fn the_domains_own_faults_have_their_lines() {
        check_faults(
            "timeoutSeconds: 21\ntags: [a, '']\n",
            &[
                ":3:1: /timeoutSeconds: must be 1 to 20",
                ":4:11: /tags/1: has 0 characters; 1 to 64 are allowed",
            ],
        );
    }

    #[test]
    fn a_file_that_holds_something_else_is_told_what_belongs_in_it() {
        for text in ["", "[]", "Restart"] {
            let other = Source { name: "a.yaml".into(), text: text.into() };
            let faults = check(&other).expect_err(text).to_string();
            assert!(
                faults.contains("a.yaml:1:1: must be an object with the fields of a runbook"),
                "{faults}"
            );
        }
    }

    #[test]
    fn a_value_of_the_wrong_type_is_told_at_its_place() {
        check_faults(
            "timeoutSeconds: soon\n",
            &[r#":3:1: /timeoutSeconds: invalid type: string "soon", expected u32"#],
        );
        check_faults(
            "webhookMethod: GET\n",
            &[":3:1: /webhookMethod: unknown variant `GET`, expected one of `POST`, `PUT`, `PATCH`"],
        );
        check_faults("teamId: a b\n", &[":3:1: /teamId: expected 1 to 64 letters, digits, `-`, `_` or `.`"]);
    }
}
