//! What a person can do next: the addresses, and commands that are ready to be pasted.

use super::story::Told;
use super::{DemoError, Stage, tell};

pub(super) fn tell_how_to_go_on(stage: &Stage, told: &Told) -> Result<(), DemoError> {
    let server = format!("http://{}", stage.process.address());
    let Told { runbook, incident, execution, alarmed, phased } = told;
    let authorization = "-H \"authorization: Bearer $MUSTER_TOKEN\"";
    tell(&format!(
        r#"
The server runs on until Ctrl-C; its data ({data}) goes with it.

  export MUSTER_URL={server}
  export MUSTER_TOKEN={ann}
  curl -s {authorization} $MUSTER_URL/api/executions/{execution}
  curl -s {authorization} $MUSTER_URL/api/incidents/{incident}
  curl -s {authorization} -H 'content-type: application/json' \
    -d '{{"parameters": {{"service": "search"}}}}' $MUSTER_URL/api/runbooks/{runbook}/execute
  curl -s $MUSTER_URL/metrics

With the same two variables:

  muster runbook list
  muster execution get {execution}
  muster execution get {started}
  muster execution watch {undone}
  muster execution watch {resolved}
  muster runbook plan {drains} --incident {pressed}
  muster workflow test {workflow} --incident {opened}
  muster audit verify {execution}

That was {ann_name} ({ann_groups}). To approve runbooks, be {bob_name} ({bob_groups}):

  export MUSTER_TOKEN={bob}

To let a run go on that asks people, be {carl_name} ({carl_groups}):

  export MUSTER_TOKEN={carl}"#,
        started = alarmed.execution,
        workflow = alarmed.workflow,
        opened = alarmed.incident,
        drains = phased.runbook,
        pressed = phased.incident,
        undone = phased.undone,
        resolved = phased.resolved,
        data = stage.directory.path().display(),
        ann = stage.ann.token,
        ann_name = stage.ann.name,
        ann_groups = stage.ann.groups.join(", "),
        bob = stage.bob.token,
        bob_name = stage.bob.name,
        bob_groups = stage.bob.groups.join(", "),
        carl = stage.carl.token,
        carl_name = stage.carl.name,
        carl_groups = stage.carl.groups.join(", "),
    ))
}
