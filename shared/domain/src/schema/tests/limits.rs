//! INVARIANTS E2 and E3: a schema and its parameters are bounded, and nothing refers out of a schema.

use serde_json::{Map, Value, json};

use super::super::*;
use super::{accepts, of_a, refuse_schema, rejects};

#[test]
fn inv_e3_nothing_refers_out_of_a_schema() {
    for reference in [
        "https://evil.example/schema.json",
        "file:///etc/passwd",
        "/etc/passwd",
        "other.json#/$defs/a",
        "#",
        "",
        "#a",
        "#/properties/a",
        "#/$defs/missing",
        "#/$defs/a/properties/b",
        "#/$defs/%61",
        "#/%24defs/a",
        "#/$defs/~0",
    ] {
        let schema = json!({
            "$defs": {"a": {}, "%61": {}, "~0": {}},
            "properties": {"b": {"items": {"$ref": reference}}},
        });
        refuse_schema(schema, "/properties/b/items/$ref", "#/$defs/name");
    }
    for keyword in [
        "$id",
        "id",
        "$anchor",
        "$dynamicRef",
        "$dynamicAnchor",
        "$recursiveRef",
        "$recursiveAnchor",
        "$vocabulary",
    ] {
        refuse_schema(
            of_a(json!({keyword: "#"})),
            &format!("/properties/a/{keyword}"),
            "not a supported keyword",
        );
        refuse_schema(
            json!({keyword: "https://evil.example/"}),
            &format!("/{keyword}"),
            "not a supported keyword",
        );
    }
    accepts(
        &json!({"x-ui": {"$ref": "http://evil.example"}, "properties": {"$ref": {"enum": [{"$id": 1}]}}}),
        json!({}),
    );
}

#[test]
fn inv_e2_references_that_lead_back_are_refused() {
    refuse_schema(json!({"$defs": {"a": {"$ref": "#/$defs/a"}}}), "/$defs/a/$ref", "leads back");
    let pair = json!({"a": {"items": {"$ref": "#/$defs/b"}}, "b": {"not": {"$ref": "#/$defs/a"}}});
    refuse_schema(json!({"$defs": pair}), "/$defs/a/items/$ref", "leads back");
    let shared = json!({"$defs": {"n": {"type": "integer"}}, "properties": {"a": {"$ref": "#/$defs/n"}, "b": {"$ref": "#/$defs/n"}}});
    rejects(&shared, json!({"a": 1, "b": "x"}), &[("/b", "not of type")]);
}

/// `levels` definitions, each of which names the next one `times`.
fn tower(levels: usize, times: usize) -> Value {
    let name = |level: usize| format!("d{level}");
    let level =
        |level: usize| json!({"anyOf": vec![json!({"$ref": format!("#/$defs/{}", name(level + 1))}); times]});
    let mut definitions: Map<String, Value> =
        (0..levels).map(|number| (name(number), level(number))).collect();
    definitions.insert(name(levels), json!({"type": "string"}));
    json!({"$defs": definitions, "properties": {"a": {"$ref": "#/$defs/d0"}}})
}

#[test]
fn inv_e2_schemas_are_bounded_with_their_references_followed() {
    refuse_schema(tower(7, 2), "", "more than 256 subschemas");
    refuse_schema(tower(9, 1), "/$defs/d8", "deeper than 16 schemas");
    assert!(ParameterSchema::compile(&tower(40, 2)).is_err());
    accepts(&tower(7, 1), json!({"a": "x"}));
    accepts(&tower(3, 2), json!({"a": "x"}));
    let flat = |count: usize| json!({"anyOf": vec![json!({}); count]});
    accepts(&flat(MAX_SUBSCHEMAS - 1), json!({}));
    refuse_schema(flat(MAX_SUBSCHEMAS), "", "more than 256 subschemas");
    let nested = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({"not": inner}));
    accepts(&nested(15), json!({}));
    refuse_schema(nested(17), "", "deeper than 16 levels");
    refuse_schema(json!({"description": "x".repeat(MAX_BYTES)}), "", "larger than 16384 bytes");
}

#[test]
fn inv_e2_numbers_that_promise_a_lot_cost_nothing() {
    let huge =
        json!({"minLength": u64::MAX, "minItems": u64::MAX, "minProperties": u64::MAX, "multipleOf": 1e-300});
    accepts(&json!({"properties": {"b": huge}}), json!({"b": true}));
    rejects(&of_a(huge), json!({"a": "x"}), &[("/a", "shorter than 18446744073709551615")]);
}

#[test]
fn inv_e3_patterns_that_are_not_linear_are_refused() {
    for pattern in [r"(a)\1", "(?=a)b", "(?<!a)b", r"\bfoo"] {
        refuse_schema(
            of_a(json!({"pattern": pattern})),
            "/properties/a/pattern",
            "cannot be matched in linear time",
        );
    }
    for pattern in ["1[01]{400}x", "[01]*1[01]{16}$", "a{1000000}", "((a{50}){50}){50}", r"^\p{L}{1,200}$"] {
        refuse_schema(of_a(json!({"pattern": pattern})), "/properties/a/pattern", "too complex");
    }
    for pattern in ["(", "[", "a{2,1}", "(?P<", r"\", r"\p{Nonsense}", "*"] {
        refuse_schema(of_a(json!({"pattern": pattern})), "/properties/a/pattern", "");
    }
    refuse_schema(of_a(json!({"pattern": "a".repeat(257)})), "/properties/a/pattern", "at most 256 bytes");
    refuse_schema(of_a(json!({"pattern": r"\s".repeat(13)})), "/properties/a/pattern", "at most 12 classes");
    refuse_schema(json!({"patternProperties": {"(a)\\1": {}}}), "/patternProperties/(a)\\1", "linear time");
    let together: Map<String, Value> =
        (0..8).map(|n| (format!("p{n}"), json!({"pattern": format!("^.{{1,60}}{n}$")}))).collect();
    assert!(ParameterSchema::compile(&json!({"properties": together})).is_err());
    let many: Map<String, Value> =
        (0..=MAX_PATTERNS).map(|n| (format!("p{n:02}"), json!({"pattern": format!("{n}")}))).collect();
    refuse_schema(json!({"properties": many}), "/properties/p16/pattern", "at most 16 different patterns");
}

#[test]
fn inv_e2_parameters_and_the_work_they_make_are_bounded() {
    let schema = of_a(json!({"items": {"type": "integer"}}));
    let nested = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({"b": inner}));
    accepts(&schema, nested(16));
    rejects(&schema, nested(17), &[("", "deeper than 16 levels")]);
    accepts(&schema, json!({"b": "x".repeat(MAX_BYTES - 8)}));
    rejects(&schema, json!({"b": "x".repeat(MAX_BYTES - 7)}), &[("", "larger than 16384 bytes")]);
    accepts(&schema, json!({"a": vec![1; 4000]}));
    let heavy = of_a(json!({"items": {"anyOf": vec![json!({"type": "string"}); 100]}}));
    rejects(&heavy, json!({"a": vec![1; 1000]}), &[("", "too many values")]);
    let grows = json!({"properties": {"a": {"default": "x".repeat(9000)}, "b": {}}});
    rejects(&grows, json!({"b": "x".repeat(9000)}), &[("", "larger than 16384 bytes")]);
}
