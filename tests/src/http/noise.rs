//! Whatever is sent, the answer is declared and is no failure of Muster (INVARIANTS E4).

use http::Method;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::support::contract::operations;

/// Each route with a body, its parameters filled in with things that are there.
fn targets(runbook: &str, execution: &str) -> Vec<(Method, String)> {
    let with_body = |name: &&String| name.starts_with("POST ") || name.starts_with("PUT ");
    let target = |name: &String| {
        let (method, path) = name.split_once(' ').unwrap();
        let id = if path.contains("/executions/") { execution } else { runbook };
        (method.parse().unwrap(), path.replace("{id}", id).replace("{scope}", "team:nobody"))
    };
    operations().keys().filter(with_body).map(target).collect()
}

/// Any JSON, with the names of real members among those of its objects.
fn any_json() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        select(vec![
            "name",
            "title",
            "webhookUrl",
            "webhookAuth",
            "parameters",
            "payloadTemplate",
            "version",
            "reason",
            "type"
        ])
        .prop_map(str::to_owned),
        ".{0,8}",
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,40}".prop_map(Value::from),
        select(vec!["{{params.a}}", "{{{x}}}", "{{#each a}}", "https://ops.example/", "\u{0}", "DRAFT"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name.clone(), inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// A body that is valid but for one member.
fn nearly_valid() -> impl Strategy<Value = Value> {
    let valid = select(vec![
        json!({"name": "a", "webhookUrl": "https://ops.example/{{params.a}}", "parameters": {"type": "object"}}),
        json!({"name": "a", "webhookUrl": "https://ops.example/", "payloadTemplate": {"a": ["{{incident.title}}"]}}),
        json!({"title": "a", "priority": "LOW", "metadata": {}}),
        json!({"parameters": {}, "dryRun": true}),
        json!({"outcome": "resend", "reason": "a"}),
        json!({"engaged": false, "reason": "a"}),
        json!({"toVersion": 1}),
        json!({"name": "a", "until": "2026-03-02T00:00:00Z", "reason": "a"}),
        json!({"scope": "team:nobody", "reason": "a", "durationSeconds": 60}),
    ]);
    (valid, any::<Index>(), any_json()).prop_map(|(mut body, index, noise)| {
        let name = index.get(&body.as_object().unwrap().keys().cloned().collect::<Vec<_>>()).clone();
        body[name] = noise;
        body
    })
}

fn any_body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..256),
        any_json().prop_map(|value| value.to_string().into_bytes()),
        nearly_valid().prop_map(|value| value.to_string().into_bytes()),
    ]
}

#[test]
fn inv_e4_any_body_gets_a_declared_status_and_never_a_failure() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::sqlite());
    let runbook = runtime.block_on(approved(&world, json!({})));
    let execution = runtime.block_on(executed(&world, &runbook, json!({})));
    let targets = targets(&runbook, &execution);
    let mut runner = TestRunner::new(Config { cases: 48, failure_persistence: None, ..Config::default() });
    let client = world.client("eve", &["platform-admin"]);
    let outcome = runner.run(&any_body(), |body| {
        for (method, path) in &targets {
            // The client fails on every status that the document does not declare.
            let answer = runtime.block_on(client.send(method.clone(), path, body.clone()));
            prop_assert!(answer.status < 500, "{method} {path}: {answer:?}");
        }
        Ok(())
    });
    outcome.unwrap();
}

#[test]
fn inv_e4_any_path_and_query_gets_a_declared_status_and_never_a_failure() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let world = runtime.block_on(World::sqlite());
    let client = world.client("eve", &["platform-admin"]);
    let segment = "([A-Za-z0-9:_.~-]|%[0-9A-F]{2}){1,12}";
    let paths: Vec<&String> = operations().keys().filter(|name| name.starts_with("GET ")).collect();
    let strategy = (select(paths), segment, segment, segment);
    let mut runner = TestRunner::new(Config { cases: 256, failure_persistence: None, ..Config::default() });
    let outcome = runner.run(&strategy, |(name, id, parameter, value)| {
        let template = name.split_once(' ').unwrap().1;
        let segments = template.split('/').map(|part| if part.starts_with('{') { &id } else { part });
        let path = segments.collect::<Vec<&str>>().join("/");
        let answer =
            runtime.block_on(client.send(Method::GET, &format!("{path}?{parameter}={value}"), Vec::new()));
        prop_assert!(answer.status < 500, "{path}: {answer:?}");
        Ok(())
    });
    outcome.unwrap();
}
