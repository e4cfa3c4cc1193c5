//! A step that is searched for before each attempt.

use super::*;

const T0: Time = Time::from_millis(1_000_000);

fn jira() -> Plan {
    let action = json!({
        "type": "jira", "site": "https://acme.atlassian.net", "email": "bot@acme.example",
        "apiToken": {"$secret": "jira"}, "project": "OPS", "summary": "s", "description": "d",
    });
    let condition = json!({"type": "condition", "id": "if", "field": "params.service", "equals": "web"});
    let delay = json!({"type": "delay", "id": "else", "seconds": 1});
    let action = json!({"type": "action", "id": "it", "action": action});
    let edges = json!([
        {"from": "start", "to": "if"},
        {"from": "if", "to": "it", "when": "true"},
        {"from": "if", "to": "else", "when": "false"},
    ]);
    let nodes = json!([{"type": "trigger", "id": "start"}, condition, action, delay]);
    let definition =
        json!({"name": "w", "trigger": {"type": "manual"}, "definition": {"nodes": nodes, "edges": edges}});
    Plan::of_workflow(&serde_json::from_value(definition).expect("parses")).expect("compiles")
}

fn body(status: u16, body: &str) -> Outcome {
    Outcome::Answered { status, retry_after_ms: None, body: body.into(), truncated: false }
}

const NOTHING: &str = r#"{"issues":[]}"#;
const FOUND: &str = r#"{"issues":[{"key":"OPS-1"}]}"#;

/// Goes on from where an execution stands, answering each call in turn; waits are waited out. A `None` is a worker that stops.
fn play(mut execution: Execution, outcomes: Vec<Option<Outcome>>) -> (Execution, Vec<String>) {
    let (plan, mut now, mut sent) = (jira(), T0, Vec::new());
    let mut outcomes = outcomes.into_iter();
    for _ in 0..50 {
        let event = match execution.state {
            State::Running { .. } => {
                Event::Advance { epoch: execution.epoch, next: next(&execution, &plan, Ok(()), now) }
            }
            State::Waiting { until, .. } => {
                now = until;
                claim(&execution, &plan, now)
            }
            State::Pending
            | State::Paused
            | State::NeedsReview { .. }
            | State::UndoFailed { .. }
            | State::Succeeded
            | State::Failed { .. }
            | State::Cancelled { .. }
            | State::RolledBack { .. } => claim(&execution, &plan, now),
        };
        let Decision::Moved(step) = decide(&execution, &plan, event, now) else { break };
        execution = step.to;
        for effect in step.effects {
            let Effect::Send { step, attempt } = effect else { continue };
            sent.push(format!("{step} {attempt}"));
            match outcomes.next().expect("an outcome for each call") {
                Some(outcome) => {
                    let event = Event::Attempted { step, attempt, outcome };
                    execution = moved(&execution, &plan, event, now).to;
                }
                None => {
                    now = now.plus(LEASE);
                    execution = moved(&execution, &plan, claim(&execution, &plan, now), now).to;
                    let begun = execution.steps.get(&step.search()).map_or(0, |run| run.attempts.len());
                    sent.push(format!("{} {begun}", step.search()));
                    let outcome = outcomes.next().flatten().expect("an outcome of the search");
                    let event = Event::Attempted { step: step.search(), attempt: begun, outcome };
                    execution = moved(&execution, &plan, event, now).to;
                }
            }
        }
    }
    (execution, sent)
}

fn check(outcomes: Vec<Option<Outcome>>, expected: &[&str], status: ExecutionStatus, key: Option<&str>) {
    let (ended, sent) = play(accepted(T0), outcomes);
    assert_eq!((sent, ended.status()), (expected.iter().map(ToString::to_string).collect(), status));
    let results = ended.results(&BTreeMap::new());
    assert_eq!(results.pointer("/it/body/key").and_then(Value::as_str), key);
    assert!(ended.trail.is_intact(ended.id.as_str()));
}

#[test]
fn inv_b3_each_attempt_comes_after_a_search_and_what_it_finds_is_the_answer() {
    use ExecutionStatus::{Failed, Success};
    let created = || Some(body(201, r#"{"key":"OPS-1"}"#));
    let (nothing, finds) = (|| Some(body(200, NOTHING)), || Some(body(200, FOUND)));
    let once = ["it.search 1", "it 1"];
    check(vec![nothing(), created()], &once, Success, Some("OPS-1"));
    let found = ["it.search 1", "it 1", "it.search 2"];
    check(vec![nothing(), Some(unknown()), finds()], &found, Success, Some("OPS-1"));
    check(vec![nothing(), None, finds()], &found, Success, Some("OPS-1"));
    let again = ["it.search 1", "it 1", "it.search 2", "it 2"];
    check(vec![nothing(), Some(unknown()), nothing(), created()], &again, Success, Some("OPS-1"));
    check(vec![nothing(), Some(body(400, ""))], &once, Failed, None);
}

#[test]
fn a_search_that_does_not_answer_is_repeated_while_its_step_waits() {
    let outcomes = vec![
        Some(body(200, NOTHING)),
        Some(unknown()),
        Some(body(503, "")),
        Some(unknown()),
        Some(body(200, FOUND)),
    ];
    let sent = ["it.search 1", "it 1", "it.search 2", "it.search 3", "it.search 4"];
    check(outcomes, &sent, ExecutionStatus::Success, Some("OPS-1"));
    let (nothing, silent) = (|| Some(body(200, NOTHING)), || Some(body(503, "")));
    let outcomes = vec![nothing(), Some(unknown()), silent(), silent(), silent()];
    check(outcomes, &sent, ExecutionStatus::Failed, None);
}

#[test]
fn a_search_and_its_step_are_skipped_for_the_same_cause() {
    let mut other = accepted(T0);
    other.parameters = Map::new();
    let (ended, sent) = play(other, Vec::new());
    assert_eq!((sent.len(), ended.status()), (0, ExecutionStatus::Success));
    for id in ["it", "it.search"] {
        let because = SkipCause::BranchNotTaken { condition: "if".parse().expect("valid") };
        assert_eq!(ended.steps[&id.parse::<StepId>().expect("valid")].state, StepState::Skipped { because });
    }
}
