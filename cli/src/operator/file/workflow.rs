//! A workflow's definition from a file: parsed, and checked by the domain's own rules before it is sent.

use std::path::Path;

use muster_domain::fault::Fault;
use muster_domain::workflow::WorkflowDefinition;

use super::faults::FileFaults;
use super::located::{Located, Places, located};
use super::source::{FileError, Source};
use super::{secrets, typed};

/// A definition without faults of its own; what it refers to, the server knows.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CheckedWorkflow {
    pub(crate) definition: WorkflowDefinition,
    pub(crate) name: String,
    /// Where its parts stand in the file, for what the server may say of them.
    pub(crate) places: Places,
}

pub(crate) fn read_workflow(path: &Path) -> Result<CheckedWorkflow, FileError> {
    Ok(check(&Source::read(path)?)?)
}

/// Parses and checks; every fault is reported with its place.
fn check(source: &Source) -> Result<CheckedWorkflow, FileFaults> {
    let Located { mut value, places } = located(source)?;
    let fail = |faults: Vec<Fault>| FileFaults::of(&source.name, faults, &places);
    if !value.is_object() {
        let message = "must be an object with the fields of a workflow: `name`, `trigger` and `definition`";
        return Err(fail(vec![Fault::new("", message)]));
    }
    let mut faults = secrets::workflow_faults(&value);
    faults.extend(typed::take_unknown_fields::<WorkflowDefinition>(&mut value));
    if !faults.is_empty() {
        return Err(fail(faults));
    }
    let definition: WorkflowDefinition = typed::definition(&value).map_err(|fault| fail(vec![fault]))?;
    let faults = definition.faults();
    if !faults.is_empty() {
        return Err(fail(faults));
    }
    Ok(CheckedWorkflow { definition, name: source.name.clone(), places })
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: &str = "name: Restart\ntrigger: {type: manual}\n";

    fn check_faults(more: &str, expected: &[&str]) {
        let source = Source { name: "restart.yaml".into(), text: format!("{START}{more}") };
        let faults = check(&source).expect_err(more);
        let seen: Vec<String> = faults.faults.iter().map(ToString::to_string).collect();
        assert_eq!(seen, expected, "{more}");
    }

    #[test]
    fn faults_of_the_graph_have_their_lines() {
        check_faults(
            "definition:\n  nodes:\n    - {type: trigger, id: start}\n    - {type: delay, id: a, seconds: 900}\n",
            &[
                ":6:7: /definition/nodes/1: cannot be reached from the trigger; add an edge to it or remove it",
                ":6:28: /definition/nodes/1/seconds: is longer than the workflow's timeout of 300 seconds",
            ],
        );
        check_faults(
            "definition: {nodes: []}\nretries: 3\n",
            &[concat!(
                ":4:1: /retries: is no field; remove it. There are: name, description, teamId, enabled, trigger, ",
                "definition, settings"
            )],
        );
    }

    #[test]
    fn a_secret_is_never_repeated() {
        let action =
            "action: {type: webhook, url: 'https://a.example', auth: {type: bearer, token: hunter2}}";
        let more = format!("definition:\n  nodes:\n    - type: action\n      id: a\n      {action}\n");
        let source = Source { name: "restart.yaml".into(), text: format!("{START}{more}") };
        let faults = check(&source).expect_err("is refused").to_string();
        assert!(faults.contains("/definition/nodes/0/action/auth/token: must not hold"), "{faults}");
        assert!(!faults.contains("hunter2"), "{faults}");
    }

    #[test]
    fn the_sample_is_valid() {
        let text = include_str!("../../../../events/workflows/restart-on-alarm.yaml");
        let checked = check(&Source { name: "restart-on-alarm.yaml".into(), text: text.into() });
        assert_eq!(checked.map(|checked| checked.definition.name), Ok("Restart on alarm".into()));
    }
}
