use proptest::prelude::*;
use serde_json::json;

use super::super::tests::{any_context, source};
use super::super::{MAX_OUTPUT_BYTES, MAX_SOURCE_BYTES};
use super::*;

fn context() -> Value {
    json!({"incident": {"title": "a\"b", "none": null, "labels": {"z": 1, "a": 2}}, "params": {"n": 3, "on": true, "s": "x"}})
}

fn render(payload: &Value) -> Result<RenderedPayload, Vec<Fault>> {
    PayloadTemplate::compile(payload).expect("compiles").render(&context())
}

fn check_json(payload: Value, expected: &str) {
    let rendered = render(&payload).unwrap_or_else(|faults| panic!("{payload}: {faults:?}"));
    assert_eq!((rendered.content_type, rendered.body.as_str()), (ContentType::Json, expected), "{payload}");
}

fn check_text(payload: &str, expected: &str) {
    let rendered = render(&Value::from(payload)).unwrap_or_else(|faults| panic!("{payload}: {faults:?}"));
    assert_eq!((rendered.content_type, rendered.body.as_str()), (ContentType::Text, expected), "{payload}");
}

fn check_faults(faults: Result<impl std::fmt::Debug, Vec<Fault>>, expected: &[(&str, &str)]) {
    let faults = faults.expect_err("has faults");
    let seen: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(seen, expected.iter().map(|(pointer, _)| *pointer).collect::<Vec<_>>(), "{faults:?}");
    for (fault, (_, message)) in faults.iter().zip(expected) {
        assert!(fault.message.contains(message), "{fault:?} lacks {message:?}");
    }
}

#[test]
fn strings_are_templates_and_members_come_in_the_order_of_their_names() {
    check_json(
        json!({"b": [1, null, {}], "a": "{{params.s}}", "é\"": []}),
        r#"{"a":"x","b":[1,null,{}],"é\"":[]}"#,
    );
    check_json(json!({"title": "<{{incident.title}}>"}), r#"{"title":"<a\"b>"}"#);
    check_json(json!(r#"{"z": "{{params.n}}", "a": [true]}"#), r#"{"a":[true],"z":"3"}"#);
    check_json(json!([r"\{{params.s}}"]), r#"["{{params.s}}"]"#);
    check_json(json!(7), "7");
}

#[test]
fn a_leaf_that_is_one_json_expression_keeps_its_type() {
    check_json(json!(["{{json params.n}}", "{{ json params.on }}"]), "[3,true]");
    check_json(json!(["{{json incident.none}}", "{{json incident.title}}"]), r#"[null,"a\"b"]"#);
    check_json(json!({"text": "labels {{json incident.labels}}"}), r#"{"text":"labels {\"a\":2,\"z\":1}"}"#);
}

#[test]
fn a_string_that_is_no_json_is_a_text_body() {
    check_text("Title: {{incident.title}}", "Title: a\"b");
    check_text("[{{params.s}}] \"quoted\"", "[x] \"quoted\"");
    check_text("{{json incident.labels}}", r#"{"a":2,"z":1}"#);
    check_text("\"{{params.s}}\"", "\"x\"");
    check_text("", "");
}

#[test]
fn faults_name_every_bad_leaf() {
    let compiled = |payload: Value| PayloadTemplate::compile(&payload);
    check_faults(
        compiled(json!({"b": "{{#if a}}", "a": ["ok", "{{{x}}}"], "{{k}}": 1})),
        &[("/a/1", "three braces"), ("/b", "a block"), ("/{{k}}", "only in values")],
    );
    check_faults(compiled(json!("text {{")), &[("", "not closed")]);
    check_faults(compiled(json!(r#" [{"n": {{params.n}}}]"#)), &[("", "begins as JSON")]);
    check_faults(
        render(&json!({"a": "{{nothing}}", "b": ["{{json incident.labels}}", "{{json nothing}}"]})),
        &[("/a", "there is no `nothing`"), ("/b/0", "never its shape"), ("/b/1", "there is no `nothing`")],
    );
    check_faults(render(&json!("{{incident.labels}}")), &[("", "is an object")]);
}

#[test]
fn inv_e2_payloads_and_bodies_are_bounded() {
    let nested = |levels: usize| (1..levels).fold(json!([]), |inner, _| json!([inner]));
    assert!(PayloadTemplate::compile(&nested(16)).is_ok());
    check_faults(PayloadTemplate::compile(&nested(17)), &[("", "deeper than 16")]);
    check_faults(PayloadTemplate::compile(&json!(nested(17).to_string())), &[("", "deeper than 16")]);
    let text = "x".repeat(MAX_SOURCE_BYTES - 4);
    assert!(PayloadTemplate::compile(&json!([text])).is_ok());
    check_faults(PayloadTemplate::compile(&json!([format!("{text}x")])), &[("", "larger than 16384 bytes")]);
    check_faults(
        PayloadTemplate::compile(&json!("x".repeat(MAX_SOURCE_BYTES + 1))),
        &[("", "at most 16384")],
    );

    let payload = PayloadTemplate::compile(&json!(["{{a}}", "{{a}}"])).expect("compiles");
    let half = "x".repeat(MAX_OUTPUT_BYTES / 2 - 4);
    assert!(payload.render(&json!({"a": half})).is_ok());
    check_faults(payload.render(&json!({"a": format!("{half}\u{1}")})), &[("/1", "longer than 65536")]);
}

#[test]
fn at_most_fifty_faults_are_listed() {
    let faults = PayloadTemplate::compile(&json!(vec!["{{"; 1000])).expect_err("has faults");
    assert_eq!(faults.len(), 50);
    assert_eq!(faults[49].message, "and 951 more faults");
}

#[test]
fn a_payload_tells_what_it_reads() {
    let payload =
        PayloadTemplate::compile(&json!({"b": "{{json params.n}}", "a": "{{x}} {{y}}"})).expect("compiles");
    assert_eq!(
        payload.paths().into_iter().map(ValuePath::as_str).collect::<Vec<_>>(),
        ["x", "y", "params.n"]
    );
}

/// A payload with its leaves taken out: what no value may change.
fn shape(value: &Value) -> Value {
    match value {
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Value::Null,
        Value::Array(elements) => elements.iter().map(shape).collect(),
        Value::Object(members) => {
            members.iter().map(|(name, member)| (name.clone(), shape(member))).collect()
        }
    }
}

fn any_payload() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => prop::sample::select(vec![
            "{{a}}", "x{{a}}\"", "{{json a}}", " {{json a}}", "{{default a '\"'}}{{upper b}}", "{{a.b}}",
            "{{truncate b 2}}", "{{default a.[0] 1}}", "{{urlEncode a}}",
        ]).prop_map(Value::from),
        1 => source().prop_map(Value::from),
        1 => any::<i32>().prop_map(Value::from),
        1 => Just(Value::Null),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-z\"\\\\,:]{0,3}", inner, 0..4)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn inv_e1_no_value_changes_the_shape_of_a_payload(payload in any_payload(), context in any_context()) {
        let payload = json!([payload]);
        let Ok(template) = PayloadTemplate::compile(&payload) else { return Ok(()) };
        let Ok(rendered) = template.render(&context) else { return Ok(()) };
        let body: Value = serde_json::from_str(&rendered.body).expect("is JSON");
        prop_assert_eq!(shape(&body), shape(&payload));
        prop_assert_eq!(template.render(&context), Ok(rendered));
    }

    #[test]
    fn inv_e1_a_string_stays_one_string(value in any::<String>()) {
        let payload = PayloadTemplate::compile(&json!({"a": "<{{v}}>", "b": "{{json v}}"})).expect("compiles");
        let rendered = payload.render(&json!({"v": value})).expect("renders");
        let body: Value = serde_json::from_str(&rendered.body).expect("is JSON");
        prop_assert_eq!(body, json!({"a": format!("<{value}>"), "b": value}));
    }

    #[test]
    fn inv_e1_only_a_leaf_that_is_a_scalar_is_typed(context in any_context()) {
        let payload = PayloadTemplate::compile(&json!(["{{json a}}"])).expect("compiles");
        let expected = matches!(context["a"], Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_));
        let rendered = payload.render(&context);
        prop_assert_eq!(rendered.is_ok(), expected);
        if let Ok(rendered) = rendered {
            prop_assert_eq!(serde_json::from_str::<Value>(&rendered.body).ok(), Some(json!([context["a"]])));
        }
    }
}
