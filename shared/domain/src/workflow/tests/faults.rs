//! Every fault of a definition, with its place.

use super::*;
use crate::schema::ParameterSchema;
use crate::workflow::actions::RunbookAction;

fn check(changes: &[(&str, Value)], expected: &[&str]) {
    let definition = parsed(written(changes));
    let faults = definition.faults();
    let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(pointers, expected, "{changes:?}: {faults:?}");
}

/// The faults of a graph, whose pointers begin below `/definition`.
fn check_graph(nodes: Value, edges: Value, expected: &[&str]) {
    let below: Vec<String> = expected.iter().map(|pointer| format!("/definition{pointer}")).collect();
    let below: Vec<&str> = below.iter().map(String::as_str).collect();
    check(&[("/definition/nodes", nodes), ("/definition/edges", edges)], &below);
}

fn check_message(nodes: Value, edges: Value, part: &str) {
    let definition = parsed(written(&[("/definition/nodes", nodes), ("/definition/edges", edges)]));
    let faults = definition.faults();
    assert!(faults.iter().any(|fault| fault.message.contains(part)), "{faults:?}");
}

#[test]
fn texts_and_settings_have_bounds() {
    check(&[], &[]);
    check(&[("/name", json!(""))], &["/name"]);
    check(
        &[("/name", json!("x".repeat(201))), ("/description", json!("x".repeat(4_001)))],
        &["/name", "/description"],
    );
    check(&[("/settings/maxStartsPerMinute", json!(0))], &["/settings/maxStartsPerMinute"]);
    check(&[("/settings/maxStartsPerMinute", json!(1_001))], &["/settings/maxStartsPerMinute"]);
    check(&[("/settings/maxStartsPerMinute", json!(1_000)), ("/settings/misfireMinutes", json!(1_440))], &[]);
    check(&[("/settings/misfireMinutes", json!(0))], &["/settings/misfireMinutes"]);
    check(&[("/settings/misfireMinutes", json!(1_441))], &["/settings/misfireMinutes"]);
}

#[test]
fn a_trigger_has_bounds() {
    let field = |field: &str| [("/trigger/conditions/0/field", json!(field))];
    let at_field = &["/trigger/conditions/0/field"];
    check(&field("metadata.hosts.0.name"), &[]);
    check(&field(""), at_field);
    check(&field("metadata."), at_field);
    check(&field("incident.priority"), at_field);
    check(&field(&["metadata"; 17].join(".")), at_field);
    check(&field(&format!("metadata.{}", "x".repeat(256))), at_field);
    check(&[("/trigger/conditions/0/value", json!("x".repeat(1_023)))], &["/trigger/conditions/0/value"]);
    let many = |count: usize| vec![json!({"field": "status", "value": "OPEN"}); count];
    check(&[("/trigger/conditions", json!(many(20)))], &[]);
    check(&[("/trigger/conditions", json!(many(21)))], &["/trigger/conditions"]);
    let age = |minutes: u32| [("/trigger", json!({"type": "age", "ageThresholdMinutes": minutes}))];
    check(&age(0), &["/trigger/ageThresholdMinutes"]);
    check(&age(1), &[]);
    check(&age(43_200), &[]);
    check(&age(43_201), &["/trigger/ageThresholdMinutes"]);
    let same = json!({"type": "state_changed", "stateTransition": {"to": "OPEN", "from": "OPEN"}});
    check(&[("/trigger", same)], &["/trigger/stateTransition/from"]);
    let asking = json!({"type": "manual", "conditions": [{"field": "status", "value": "OPEN"}]});
    check(&[("/trigger", asking)], &["/trigger/conditions"]);
}

#[test]
fn a_graph_has_one_trigger_and_ids_of_its_own() {
    check_graph(json!([]), json!([]), &["/nodes"]);
    check_graph(json!([delay("a", 1)]), json!([]), &["/nodes"]);
    check_graph(json!([trigger("s"), trigger("t")]), json!([]), &["/nodes/1"]);
    check_graph(
        json!([trigger("s"), delay("a", 1), delay("a", 1)]),
        json!([edge("s", "a")]),
        &["/nodes/2/id"],
    );
    check_graph(json!([{"id": "s", "type": "trigger", "name": ""}]), json!([]), &["/nodes/0/name"]);
    let chain: Vec<Value> = (1..101).map(|n| delay(&format!("n{n}"), 1)).collect();
    check_graph(json!([[trigger("s")].as_slice(), &chain].concat()), json!([]), &["/nodes"]);
    check_graph(json!([trigger("s")]), json!(vec![edge("s", "x"); 201]), &["/edges"]);
}

#[test]
fn edges_lead_forward_from_known_nodes_to_known_nodes() {
    let nodes = json!([trigger("s"), delay("a", 1)]);
    check_graph(nodes.clone(), json!([edge("s", "a")]), &[]);
    check_graph(nodes.clone(), json!([edge("s", "a"), edge("x", "y")]), &["/edges/1/from", "/edges/1/to"]);
    check_graph(nodes.clone(), json!([edge("s", "a"), edge("s", "a")]), &["/edges/1"]);
    check_graph(nodes.clone(), json!([branch("s", "a", "true")]), &["/edges/0/when"]);
    check_graph(nodes.clone(), json!([]), &["/nodes/1"]);
    check_graph(nodes.clone(), json!([edge("s", "a"), edge("a", "s")]), &["/edges/1/to", "/nodes/0"]);
    check_graph(nodes, json!([edge("s", "a"), edge("a", "a")]), &["/nodes/1"]);
}

#[test]
fn a_cycle_is_named_by_its_nodes() {
    let nodes = json!([trigger("s"), delay("a", 1), delay("b", 1), delay("c", 1), delay("d", 1)]);
    let edges = json!([edge("s", "a"), edge("a", "b"), edge("b", "c"), edge("c", "a"), edge("c", "d")]);
    check_graph(nodes.clone(), edges.clone(), &["/nodes/1"]);
    check_message(nodes.clone(), edges, "a cycle of `a`, `b`, `c`;");
    let two = json!([edge("s", "a"), edge("a", "b"), edge("b", "a"), edge("c", "d"), edge("d", "c")]);
    check_graph(nodes, two, &["/nodes/1", "/nodes/3", "/nodes/3", "/nodes/4"]);
}

#[test]
fn a_condition_names_both_branches() {
    let nodes = json!([trigger("s"), condition("c"), delay("a", 1), delay("b", 1)]);
    let with = |more: Value| {
        let edges = [vec![edge("s", "c")], more.as_array().unwrap().clone()].concat();
        json!(edges)
    };
    check_graph(nodes.clone(), with(json!([branch("c", "a", "true"), branch("c", "b", "false")])), &[]);
    check_graph(nodes.clone(), with(json!([branch("c", "a", "true"), edge("a", "b")])), &["/nodes/1"]);
    check_graph(
        nodes.clone(),
        with(json!([edge("c", "a"), edge("a", "b")])),
        &["/nodes/1", "/nodes/1", "/edges/1"],
    );
    check_graph(
        nodes,
        with(json!([branch("c", "a", "true"), branch("c", "b", "true"), branch("c", "b", "false")])),
        &["/nodes/1"],
    );
}

#[test]
fn a_condition_reads_what_is_there_when_it_runs() {
    let graph = |field: &str, expected: &[&str]| {
        let mut condition = condition("c");
        condition["field"] = json!(field);
        let nodes = json!([trigger("s"), delay("a", 1), condition, delay("b", 1), delay("z", 1)]);
        let edges =
            json!([edge("s", "a"), edge("a", "c"), branch("c", "b", "true"), branch("c", "z", "false")]);
        check_graph(nodes, edges, expected);
    };
    for field in ["incident.metadata.hosts.0", "params.x", "steps.a.body.id", "team.id", "workflow.name"] {
        graph(field, &[]);
    }
    for field in ["", "priority", "steps.b.body", "steps.c.body", "steps.nowhere.body", "incident..id"] {
        graph(field, &["/nodes/2/field"]);
    }
}

#[test]
fn delays_fit_into_the_timeout_alone_and_together() {
    let line = |seconds: [u64; 3], timeout: &str, expected: &[&str]| {
        let nodes =
            json!([trigger("s"), delay("a", seconds[0]), delay("b", seconds[1]), delay("c", seconds[2])]);
        let edges = json!([edge("s", "a"), edge("a", "b"), edge("b", "c")]);
        let changes = [
            ("/definition/nodes", nodes),
            ("/definition/edges", edges),
            ("/settings/timeout", json!(timeout)),
        ];
        check(&changes, expected);
    };
    line([20, 20, 20], "1min", &[]);
    line([20, 20, 21], "1min", &["/definition/nodes/3/seconds"]);
    line([100, 100, 100], "5min", &[]);
    line([300, 300, 300], "15min", &[]);
    line([1, 61, 1], "1min", &["/definition/nodes/2/seconds"]);
    line(
        [0, 2_592_000, 2_592_001],
        "15min",
        &["/definition/nodes/1/seconds", "/definition/nodes/2/seconds", "/definition/nodes/3/seconds"],
    );
    // Only one branch of a condition runs, so only the longer one counts.
    let nodes = json!([trigger("s"), condition("c"), delay("a", 200), delay("b", 250), delay("e", 51)]);
    let edges = json!([edge("s", "c"), branch("c", "a", "true"), branch("c", "b", "false"), edge("a", "e")]);
    check_graph(nodes.clone(), edges, &[]);
    let edges = json!([edge("s", "c"), branch("c", "a", "true"), branch("c", "b", "false"), edge("b", "e")]);
    check_graph(nodes.clone(), edges.clone(), &["/nodes/4/seconds"]);
    check_message(nodes, edges, "`b`, `e` take 301 seconds");
}

fn check_action(valid: Value, changes: &[(&str, Value)], expected: &[&str]) {
    let mut node = action("a", valid);
    for (pointer, value) in changes {
        put(&mut node, &format!("/action{pointer}"), value.clone());
    }
    let below: Vec<String> = expected.iter().map(|pointer| format!("/nodes/1/action{pointer}")).collect();
    let below: Vec<&str> = below.iter().map(String::as_str).collect();
    check_graph(json!([trigger("s"), node]), json!([edge("s", "a")]), &below);
}

#[test]
fn a_webhook_is_checked_as_a_runbook_is() {
    let valid = json!({"type": "webhook", "url": "https://ops.example/{{incident.id}}", "method": "PUT"});
    check_action(valid.clone(), &[], &[]);
    for url in
        ["{{params.url}}", "https://{{params.host}}/", "ftp://ops.example/", "https://u:p@ops.example/"]
    {
        check_action(valid.clone(), &[("/url", json!(url))], &["/url"]);
    }
    check_action(valid.clone(), &[("/headers", json!({"Host": "x"}))], &["/headers/Host"]);
    check_action(valid.clone(), &[("/headers", json!({"Authorization": "x"}))], &["/headers/Authorization"]);
    let auth = json!({"type": "basic", "username": "a:b", "password": {"$secret": "k"}});
    check_action(valid.clone(), &[("/auth", auth)], &["/auth/username"]);
    check_action(valid.clone(), &[("/payload", json!({"a": "{{#if x}}"}))], &["/payload/a"]);
    check_action(valid.clone(), &[("/payload", json!({"a": {"$secret": "k"}}))], &["/payload/a"]);
    check_action(valid.clone(), &[("/timeoutSeconds", json!(21))], &["/timeoutSeconds"]);
    check_action(valid, &[("/timeoutSeconds", json!(20)), ("/idempotent", json!(false))], &[]);
}

#[test]
fn issues_of_jira_and_linear_are_checked() {
    let jira = json!({
        "type": "jira", "site": "https://acme.atlassian.net", "email": "bot@acme.example", "apiToken": {"$secret": "j"},
        "project": "OPS", "summary": "{{incident.title}}", "description": "{{incident.id}}", "labels": ["runbook"],
    });
    check_action(jira.clone(), &[], &[]);
    for site in
        ["https://{{params.site}}", "https://acme.atlassian.net/jira", "acme.atlassian.net", "https://a/?b"]
    {
        check_action(jira.clone(), &[("/site", json!(site))], &["/site"]);
    }
    check_action(jira.clone(), &[("/email", json!("bot"))], &["/email"]);
    check_action(jira.clone(), &[("/project", json!("{{params.p}}"))], &["/project"]);
    check_action(
        jira.clone(),
        &[("/issueType", json!("")), ("/priority", json!(""))],
        &["/issueType", "/priority"],
    );
    check_action(
        jira.clone(),
        &[("/summary", json!("")), ("/description", json!("{{"))],
        &["/summary", "/description"],
    );
    check_action(jira.clone(), &[("/labels", json!(["ok", "not ok"]))], &["/labels/1"]);
    check_action(jira, &[("/labels", json!(vec!["ok"; 21]))], &["/labels"]);

    let linear = json!({
        "type": "linear", "apiKey": {"$secret": "l"}, "teamId": "t", "title": "{{incident.title}}", "description": "d",
    });
    check_action(linear.clone(), &[("/priority", json!(4)), ("/labelIds", json!(["x"]))], &[]);
    check_action(linear.clone(), &[("/priority", json!(5))], &["/priority"]);
    check_action(linear.clone(), &[("/teamId", json!("")), ("/title", json!(""))], &["/teamId", "/title"]);
    check_action(linear, &[("/labelIds", json!(["{{x}}"]))], &["/labelIds/0"]);
}

#[test]
fn messages_and_runbooks_are_checked() {
    let hook = json!({"type": "slack", "webhookUrl": {"$secret": "s"}, "text": "{{incident.title}}"});
    check_action(hook.clone(), &[], &[]);
    check_action(hook, &[("/text", json!(""))], &["/text"]);
    let bot = json!({"type": "slack", "token": {"$secret": "s"}, "channel": "#ops", "text": "t"});
    check_action(bot.clone(), &[], &[]);
    check_action(bot, &[("/channel", json!("{{a b c}}"))], &["/channel"]);
    let teams =
        json!({"type": "teams", "webhookUrl": {"$secret": "s"}, "title": "t", "text": "{{incident.title}}"});
    check_action(teams.clone(), &[], &[]);
    check_action(teams, &[("/title", json!("{{{x}}}")), ("/text", json!(""))], &["/title", "/text"]);
    let runbook = json!({
        "type": "runbook", "runbookId": "rb_01J9Z3X4C6D8E0F2G4H6J8K0M2",
        "parameters": {"host": "{{incident.metadata.host}}", "count": 3}, "wait": true,
    });
    check_action(runbook.clone(), &[], &[]);
    check_action(runbook.clone(), &[("/version", json!(0))], &["/version"]);
    check_action(runbook.clone(), &[("/parameters", json!({"a": ["{{"]}))], &["/parameters/a/0"]);
    check_action(runbook, &[("/parameters", json!({"a": {"$secret": "k"}}))], &["/parameters/a"]);
}

#[test]
fn parameters_without_templates_are_held_against_the_schema_at_once() {
    let schema = ParameterSchema::compile(&json!({
        "type": "object", "required": ["host"], "additionalProperties": false,
        "properties": {
            "host": {"type": "string", "maxLength": 5}, "count": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string", "maxLength": 3}},
        },
    }))
    .unwrap();
    let with = |parameters: Value, expected: &[&str]| {
        let action: RunbookAction = serde_json::from_value(json!({
            "runbookId": "rb_01J9Z3X4C6D8E0F2G4H6J8K0M2", "parameters": parameters,
        }))
        .unwrap();
        let faults = action.static_faults(&schema, "/action");
        let pointers: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
        assert_eq!(pointers, expected, "{parameters}: {faults:?}");
    };
    with(json!({"host": "web"}), &[]);
    with(json!({"host": "web-17"}), &["/action/parameters/host"]);
    with(json!({"host": "{{incident.metadata.host}}", "count": "{{json params.count}}"}), &[]);
    with(json!({"host": "{{params.h}}", "count": "three"}), &["/action/parameters/count"]);
    with(json!({"host": "web", "tags": ["ok", "{{params.t}}", "long"]}), &["/action/parameters/tags/2"]);
    with(json!({"host": "web", "more": 1}), &["/action/parameters"]);
    with(json!({}), &["/action/parameters"]);
    // A value that holds a template somewhere is judged as a whole when it is rendered.
    with(json!({"count": "{{json params.count}}"}), &[]);
}

#[test]
fn the_answer_to_a_hopeless_definition_is_short() {
    let nodes: Vec<Value> = (0..100).map(|n| delay(&format!("n{n}"), 0)).collect();
    let faults = parsed(written(&[("/definition/nodes", json!(nodes))])).faults();
    assert_eq!(faults.len(), 50);
    assert!(faults[49].message.contains("more faults"), "{:?}", faults[49]);
}

#[test]
fn a_definition_fits_into_one_item() {
    let payload = json!({"a": "x".repeat(16_000)});
    let calls: Vec<Value> = (0..17)
        .map(|n| {
            action(
                &format!("a{n}"),
                json!({"type": "webhook", "url": "https://x.example/", "payload": payload}),
            )
        })
        .collect();
    let edges: Vec<Value> = (0..17).map(|n| edge("s", &format!("a{n}"))).collect();
    let nodes = json!([[trigger("s")].as_slice(), &calls].concat());
    check(&[("/definition/nodes", nodes), ("/definition/edges", json!(edges))], &[""]);
}
