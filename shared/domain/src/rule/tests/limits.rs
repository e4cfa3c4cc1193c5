//! Each limit holds at its edge, and what it keeps out would take long or overflow the stack.

use super::*;

fn refusal(text: &str) -> Option<RuleRefusal> {
    Rule::compile(text).err().map(|fault| fault.refusal)
}

#[test]
fn a_rule_has_a_longest_text() {
    let longest = format!("true{}", " ".repeat(MAX_RULE_BYTES - 4));
    assert!(refusal(&longest).is_none());
    assert!(matches!(refusal(&format!("{longest} ")), Some(RuleRefusal::TooLong { bytes: 1025 })));
}

#[test]
fn a_rule_has_a_greatest_depth() {
    let check = |open: &str, inside: &str, close: &str| {
        let nested = |depth: usize| format!("{}{inside}{}", open.repeat(depth), close.repeat(depth));
        assert!(refusal(&nested(MAX_RULE_DEPTH)).is_none(), "{open}");
        assert!(matches!(refusal(&nested(MAX_RULE_DEPTH + 1)), Some(RuleRefusal::TooDeep)), "{open}");
    };
    check("(", "true", ")");
    check("!", "true", "");
    check("[].all(x,", "true", ")");
    check("a.contains(", "b", ")");
    let list = |depth: usize| format!("a == {}{}", "[".repeat(depth + 1), "]".repeat(depth + 1));
    assert!(refusal(&list(MAX_RULE_DEPTH - 1)).is_none());
    assert!(matches!(refusal(&list(500)), Some(RuleRefusal::TooDeep | RuleRefusal::End { .. })));
}

#[test]
fn a_long_chain_is_not_deep() {
    let chain = |operator: &str| vec!["a"; 200].join(operator);
    assert_eq!(Rule::compile(&chain("&&")).unwrap().holds(&json!({"a": true})), Ok(true));
    assert_eq!(Rule::compile(&chain("||")).unwrap().holds(&json!({"a": false})), Ok(false));
}

#[test]
fn a_rule_has_a_most_patterns() {
    let rule = |patterns: usize| vec!["a.matches('x')"; patterns].join("||");
    assert!(refusal(&rule(MAX_RULE_PATTERNS)).is_none());
    assert!(matches!(refusal(&rule(MAX_RULE_PATTERNS + 1)), Some(RuleRefusal::TooManyPatterns)));
}

#[test]
fn a_pattern_has_a_longest_text() {
    let rule = |bytes: usize| format!("a.matches('{}')", "x".repeat(bytes));
    assert!(refusal(&rule(MAX_RULE_PATTERN_BYTES)).is_none());
    assert!(matches!(
        refusal(&rule(MAX_RULE_PATTERN_BYTES + 1)),
        Some(RuleRefusal::Pattern { fault: PatternFault::TooLong, .. })
    ));
}

#[test]
fn patterns_of_everyday_use_are_small() {
    for pattern in
        ["^[a-z0-9-]{1,63}$", "(?i)(oom|memory pressure|evicted)", r"^db-\d+$", r"\w+@example\.org"]
    {
        let rule =
            Rule::compile(&format!("a.matches(r\"{pattern}\")")).unwrap_or_else(|fault| panic!("{fault}"));
        assert!(rule.pattern_bytes() > 0, "{pattern}");
        assert!(rule.pattern_bytes() <= 16 * 1024, "{pattern}");
    }
    assert_eq!(Rule::compile("a == 1").unwrap().pattern_bytes(), 0);
}

#[test]
fn an_evaluation_has_a_most_steps() {
    let check = |text: &str, context: Value, expected: Result<bool, RuleError>| {
        assert_eq!(Rule::compile(text).unwrap().holds(&context), expected, "{text}");
    };
    let exhausted = || Err(RuleError::TooMuchWork);
    let list = |length: usize| json!({"a": vec![1; length]});
    check("a.all(x, x == 1)", list(3_000), Ok(true));
    check("a.all(x, x == 1)", list(4_000), exhausted());
    check("a.all(x, a.all(y, x == y))", list(200), exhausted());
    check("2 in a", list(9_000), Ok(false));
    check("2 in a", list(11_000), exhausted());
    check("a == a", list(9_000), Ok(true));
    check("a == a", list(11_000), exhausted());
    check("size(a) > 100", list(1_000_000), Ok(true));
    check("a != null && a != []", list(1_000_000), Ok(true));
    let text = |bytes: usize| json!({"a": "x".repeat(bytes)});
    check("a.matches('y')", text(2_000_000), Ok(false));
    check("a.matches('y')", text(3_000_000), exhausted());
    check("a.contains('y')", text(3_000_000), exhausted());
    check("a.size() > 1", text(3_000_000), exhausted());
    check("a == a", text(3_000_000), exhausted());
    check("a < a", text(3_000_000), exhausted());
    check("a == 'x'", text(3_000_000), Ok(false));
}

/// An overflow would abort the process; a worker's threads have four times this stack in a build with far smaller frames.
#[test]
fn the_deepest_rule_needs_little_stack() {
    let within = |open: &str, close: &str| {
        format!("{}a == a{}", open.repeat(MAX_RULE_DEPTH), close.repeat(MAX_RULE_DEPTH))
    };
    let rules = [
        within("(true && ", ")"),
        within("a.all(x,", ")"),
        "!".repeat(MAX_RULE_BYTES),
        "(".repeat(MAX_RULE_BYTES),
    ];
    let ask = move || rules.map(|text| Rule::compile(&text).map(|rule| rule.holds(&json!({"a": [1]}))).ok());
    let answers = std::thread::Builder::new().stack_size(512 * 1024).spawn(ask).unwrap().join().unwrap();
    assert_eq!(answers, [Some(Ok(true)), Some(Ok(true)), None, None]);
}
