use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

mod limits;

fn compile(schema: &Value) -> ParameterSchema {
    ParameterSchema::compile(schema).unwrap_or_else(|faults| panic!("{schema}: {faults:?}"))
}

fn check_faults<T: std::fmt::Debug>(result: Result<T, Vec<Fault>>, expected: &[(&str, &str)]) {
    let mut faults = result.expect_err("has faults");
    // The order of members is that of `serde_json::Map`, which a feature of any crate in the build may change.
    faults.sort_by(|a, b| (&a.pointer, &a.message).cmp(&(&b.pointer, &b.message)));
    let seen: Vec<&str> = faults.iter().map(|fault| fault.pointer.as_str()).collect();
    assert_eq!(seen, expected.iter().map(|(pointer, _)| *pointer).collect::<Vec<_>>(), "{faults:?}");
    for (fault, (_, message)) in faults.iter().zip(expected) {
        assert!(fault.message.contains(message), "{fault:?} lacks {message:?}");
    }
}

fn refuse_schema(schema: Value, pointer: &str, message: &str) {
    check_faults(ParameterSchema::compile(&schema), &[(pointer, message)]);
}

/// The schema of a parameter `a`.
fn of_a(schema: Value) -> Value {
    json!({"properties": {"a": schema}})
}

fn accepts(schema: &Value, parameters: Value) {
    let validated = compile(schema).validate(parameters.clone());
    assert!(validated.is_ok(), "{schema} {parameters}: {validated:?}");
}

fn rejects(schema: &Value, parameters: Value, expected: &[(&str, &str)]) {
    check_faults(compile(schema).validate(parameters), expected);
}

#[test]
fn parameters_are_validated_with_a_fault_per_violation() {
    let schema = json!({
        "type": "object",
        "required": ["service"],
        "additionalProperties": false,
        "properties": {
            "service": {"type": "string", "pattern": "^[a-z0-9-]{1,63}$", "maxLength": 20},
            "count": {"type": "integer", "minimum": 1, "maximum": 9},
            "zones": {"type": "array", "items": {"enum": ["a", "b"]}, "uniqueItems": true},
            "a/b~c": {"type": "boolean"},
        },
    });
    accepts(&schema, json!({"service": "pay-api", "count": 9, "zones": ["a", "b"], "a/b~c": true}));
    rejects(
        &schema,
        json!({"service": "Pay", "count": 0, "zones": ["a", "c"], "a/b~c": 1}),
        &[
            ("/a~1b~0c", "not of type \"boolean\""),
            ("/count", "less than the minimum of 1"),
            ("/service", "does not match"),
            ("/zones/1", "not one of"),
        ],
    );
    rejects(
        &schema,
        json!({"count": 1.5, "extra": 1}),
        &[
            ("", "\"service\" is a required property"),
            ("", "Additional properties are not allowed ('extra' was unexpected)"),
            ("/count", "not of type \"integer\""),
        ],
    );
    for parameters in [json!([]), json!("x"), Value::Null] {
        rejects(&schema, parameters, &[("", "must be an object")]);
    }
}

#[test]
fn defaults_of_absent_properties_are_filled_in() {
    let schema = json!({
        "$defs": {"wait": {"type": "integer", "default": 5}},
        "required": ["a"],
        "properties": {
            "a": {"type": "string", "default": "x"},
            "b": {"$ref": "#/$defs/wait"},
            "c": {"type": "object", "required": ["d"], "properties": {"d": {"default": [1]}, "e": {}}},
            "f": {"type": "object", "default": {}, "required": ["g"], "properties": {"g": {"default": null}}},
            "h": {"type": ["object", "null"], "properties": {"i": {"default": 1}}},
        },
    });
    for (parameters, expected) in [
        (json!({}), json!({"a": "x", "b": 5, "f": {"g": null}})),
        (json!({"a": "y", "b": 0, "c": {}}), json!({"a": "y", "b": 0, "c": {"d": [1]}, "f": {"g": null}})),
        (json!({"h": null, "f": {"g": 2}}), json!({"a": "x", "b": 5, "f": {"g": 2}, "h": null})),
    ] {
        assert_eq!(compile(&schema).validate(parameters), Ok(expected));
    }
}

#[test]
fn a_default_must_satisfy_its_schema() {
    refuse_schema(of_a(json!({"type": "string", "default": 1})), "/properties/a/default", "not of type");
    refuse_schema(
        of_a(json!({"type": "object", "default": {"b": 1}, "properties": {"b": {"type": "null"}}})),
        "/properties/a/default/b",
        "not of type",
    );
    refuse_schema(
        json!({"$defs": {"n": {"minimum": 1}}, "properties": {"a": {"allOf": [{"$ref": "#/$defs/n"}], "default": 0}}}),
        "/properties/a/default",
        "less than the minimum",
    );
    refuse_schema(
        json!({"definitions": {"n": {"minimum": 1, "default": 0}}, "properties": {"a": {"$ref": "#/definitions/n"}}}),
        "/properties/a/default",
        "less than the minimum",
    );
}

#[test]
fn both_drafts_are_understood() {
    let pair = json!([{"type": "integer"}, {"type": "string"}]);
    for draft in ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft-07/schema"] {
        let schema =
            json!({"$schema": draft, "properties": {"a": {"items": pair, "additionalItems": false}}});
        rejects(&schema, json!({"a": ["x", "y"]}), &[("/a/0", "not of type")]);
    }
    let schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "properties": {"a": {"prefixItems": pair, "items": false}},
    });
    rejects(&schema, json!({"a": [1, 2]}), &[("/a/1", "not of type")]);
    refuse_schema(of_a(json!({"items": pair})), "/properties/a/items", "not of type");
}

#[test]
fn a_format_is_an_annotation() {
    accepts(&of_a(json!({"format": "email"})), json!({"a": "no address"}));
}

#[test]
fn what_is_no_schema_of_an_object_is_refused() {
    for schema in [json!(true), json!([]), json!("object"), Value::Null] {
        refuse_schema(schema, "", "is an object");
    }
    refuse_schema(json!({"type": "string"}), "/type", "make it \"object\"");
    refuse_schema(json!({"type": ["object", "null"]}), "/type", "make it \"object\"");
    refuse_schema(json!({"properties": []}), "/properties", "not of type \"object\"");
    refuse_schema(of_a(json!({"type": "text"})), "/properties/a/type", "");
    refuse_schema(of_a(json!({"minLength": "1"})), "/properties/a/minLength", "not of type");
    refuse_schema(json!({"$schema": "http://json-schema.org/draft-04/schema#"}), "/$schema", "2020-12");
    refuse_schema(json!({"$schema": "https://evil.example/meta"}), "/$schema", "2020-12");
    refuse_schema(
        of_a(json!({"$schema": "http://json-schema.org/draft-07/schema#"})),
        "/properties/a/$schema",
        "root",
    );
}

#[test]
fn patterns_of_everyday_are_accepted() {
    for (pattern, good, bad) in [
        ("^[a-z0-9-]{1,63}$", "pay-api", "Pay"),
        (r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$", "2026-01-31T00:00:00Z", "٢٠٢٦-01-31T00:00:00Z"),
        (r"^[a-zA-Z0-9._%+-]+@[a-zA-Z0-9.-]+\.[a-zA-Z]{2,}$", "a@b.example", "a@b"),
        (
            r"^arn:aws:[a-z0-9-]+:[a-z0-9-]*:\d{12}:.+$",
            "arn:aws:sns:eu-west-1:123456789012:t",
            "arn:aws:sns::1:t",
        ),
        (r"^\S{1,64}$", "größe", "a b"),
        ("^.{1,100}$", "any", ""),
        (r"^\p{L}+$", "größe", "a1"),
        ("(a+)+$", "aaa", "aab"),
    ] {
        let schema = of_a(json!({"pattern": pattern}));
        accepts(&schema, json!({"a": good}));
        rejects(&schema, json!({"a": bad}), &[("/a", "does not match")]);
    }
}

#[test]
fn at_most_fifty_faults_are_listed_and_none_repeats_a_value() {
    let schema = of_a(json!({"items": {"type": "integer"}, "maxItems": 3}));
    let faults = compile(&schema).validate(json!({"a": vec!["secret"; 100]})).expect_err("has faults");
    assert_eq!(faults.len(), MAX_FAULTS);
    assert_eq!(faults[49].message, "and 52 more faults");
    assert!(faults.iter().all(|fault| !fault.message.contains("secret")), "{faults:?}");

    let long = format!("^{}$", "x".repeat(250));
    let faults =
        compile(&of_a(json!({"pattern": long}))).validate(json!({"a": "y"})).expect_err("has faults");
    assert_eq!(faults[0].message.chars().count(), 200);
}

#[test]
fn compiled_schemas_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<ParameterSchema>();
}

const KEYWORDS: &str = "$defs definitions $ref a b properties patternProperties items prefixItems anyOf oneOf allOf not \
    if then else contains required enum const type pattern minLength default additionalProperties propertyNames \
    dependentSchemas dependencies $schema multipleOf minimum x-note";
const TEXTS: &str = "object string #/$defs/a #/definitions/a # (a+)+$ [ \\d{9} ^a{9,99}$ a \
    http://json-schema.org/draft-07/schema#";

fn one_of(words: &'static str) -> impl Strategy<Value = &'static str> + Clone {
    prop::sample::select(words.split_whitespace().collect::<Vec<_>>())
}

/// JSON whose names are those of keywords, so that some of it is a schema.
fn any_schema() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        one_of(TEXTS).prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 40, 5, |inner| {
        prop_oneof![
            1 => prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            4 => prop::collection::btree_map(one_of(KEYWORDS), inner, 0..5)
                .prop_map(|members| members.into_iter().map(|(name, member)| (name.to_owned(), member)).collect()),
        ]
    })
}

proptest! {
    #[test]
    fn inv_e2_no_schema_and_no_parameters_panic(schema in any_schema(), a in any_schema(), parameters in any_schema()) {
        let wrapped = json!({"$defs": {"a": a}, "properties": {"a": schema.clone(), "b": {"$ref": "#/$defs/a"}}});
        for schema in [schema, wrapped] {
            if let Ok(compiled) = ParameterSchema::compile(&schema) {
                let _valid = compiled.validate(json!({"a": parameters.clone(), "b": parameters.clone()}));
            }
        }
    }

    /// What validates is what was sent and the defaults, and validates again unchanged.
    #[test]
    fn validating_twice_changes_nothing(parameters in prop::collection::btree_map("[a-d]", 0..9_i64, 0..4)) {
        let schema = compile(&json!({"properties": {"a": {"default": 1}, "b": {"maximum": 4}, "c": {"default": 2}}}));
        if let Ok(once) = schema.validate(json!(parameters)) {
            prop_assert!(parameters.iter().all(|(name, value)| once[name] == json!(value)));
            prop_assert_eq!(schema.validate(once.clone()), Ok(once));
        }
    }

    #[test]
    fn inv_e3_any_pattern_is_matched_or_refused(pattern in r"[\[\](){}|^$.*+?a-d0-9,\\sdwpL:-]{0,24}", text in "[a-d0-9]{0,64}") {
        if let Ok(schema) = ParameterSchema::compile(&of_a(json!({"pattern": pattern}))) {
            let _valid = schema.validate(json!({"a": text}));
        }
    }
}
