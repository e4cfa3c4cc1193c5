//! Any text compiles or is refused, and any rule has an answer or an error for any values: no panic, no overflow.

use proptest::prelude::*;

use super::*;

/// Words that rules are made of, and some that they are not.
const WORDS: [&str; 46] = [
    "(",
    ")",
    "[",
    "]",
    "!",
    "&&",
    "||",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    " in ",
    ",",
    ".",
    "-",
    "a",
    "b",
    "x",
    "a.b",
    "true",
    "false",
    "null",
    "0",
    "1.5",
    "-3",
    "1e9",
    "18446744073709551615",
    "\"a\"",
    "'b'",
    "r\"\\d\"",
    "\\",
    "\"",
    "has(",
    "exists(",
    "size(",
    ".size()",
    ".contains(",
    ".matches(\"a+\")",
    ".all(x,",
    ".exists(x,",
    ".startsWith(",
    "é",
    " ",
    "{",
];

fn texts() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(WORDS.as_slice()), 0..200).prop_map(|words| words.concat())
}

/// Texts that compile, of all forms.
fn rules() -> impl Strategy<Value = String> {
    let operand = prop::sample::select(
        ["a", "a.b", "b[0]", "x", "1", "-2.5", "\"a\"", "null", "[1, \"a\", [null]]", "true"].as_slice(),
    );
    let relation = prop::sample::select(["==", "!=", "<", "<=", ">", ">=", "in"].as_slice());
    let leaf = prop_oneof![
        (operand.clone(), relation, operand.clone()).prop_map(|(l, r, o)| format!("{l} {r} {o}")),
        operand.clone().prop_map(|subject| format!("size({subject}) > 1")),
        Just("has(a.b)".to_owned()),
        Just("a.matches('a.*b')".to_owned()),
        Just("b.contains(a)".to_owned()),
    ];
    leaf.prop_recursive(4, 24, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|rule| format!("!({rule})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left}) && ({right})")),
            (inner.clone(), inner.clone()).prop_map(|(left, right)| format!("({left}) || ({right})")),
            inner.clone().prop_map(|rule| format!("a.all(x, {rule})")),
            inner.prop_map(|rule| format!("b.exists(x, {rule})")),
        ]
    })
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[ab]{0,4}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map("[abx]", inner, 0..3)
                .prop_map(|members| members.into_iter().collect::<Value>()),
        ]
    })
}

/// Everything that can be asked of a text and values.
fn ask(text: &str, context: &Value) {
    match Rule::compile(text) {
        Ok(rule) => {
            assert!(text.len() <= MAX_RULE_BYTES);
            let answer = rule.holds(context);
            assert_eq!(answer, rule.holds(context), "{text}");
            assert!(rule.roots().len() <= rule.paths().len());
            let _ = answer.map_err(|error| error.to_string());
        }
        Err(fault) => assert!((1..=text.chars().count() + 1).contains(&fault.column), "{text}: {fault}"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn any_text_is_a_rule_or_refused(text in any::<String>(), context in values()) {
        ask(&text, &context);
    }

    #[test]
    fn any_words_are_a_rule_or_refused(text in texts(), context in values()) {
        ask(&text, &context);
    }

    #[test]
    fn any_pattern_is_compiled_or_refused(pattern in "[a-c\\\\wd.*+?{}0-9(),|\\[\\]^$-]{0,40}", text in "[abc0-9é]{0,20}") {
        ask(&format!("a.matches(r\"{pattern}\")"), &json!({ "a": text }));
    }

    #[test]
    fn any_rule_has_an_answer_or_an_error(text in rules(), context in values()) {
        prop_assert!(Rule::compile(&text).is_ok() || text.len() > MAX_RULE_BYTES || text.matches("matches").count() > MAX_RULE_PATTERNS, "{}", text);
        ask(&text, &context);
    }

    /// Order and equality of numbers agree, whichever side each stands on and however it is written.
    #[test]
    fn numbers_have_one_order(left in values(), right in values()) {
        let numbers = json!({"a": left, "b": right});
        if left.is_number() && right.is_number() {
            let says = |text: &str| Rule::compile(text).unwrap().holds(&numbers).unwrap();
            let answers = [says("a < b"), says("a == b"), says("a > b")];
            prop_assert_eq!(answers.iter().filter(|holds| **holds).count(), 1);
            prop_assert_eq!(answers, [says("b > a"), says("b == a"), says("b < a")]);
        }
    }
}
