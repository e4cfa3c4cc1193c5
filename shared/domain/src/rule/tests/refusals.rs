//! What is no rule, and what the author is told.

use super::*;

fn check(text: &str, expected: &str) {
    let refused = Rule::compile(text).map(|rule| rule.text).map_err(|fault| fault.to_string());
    assert_eq!(refused, Err(expected.to_owned()), "{text}");
}

#[test]
fn unfinished_rules() {
    check("", "column 1: the rule ends where a path, a value or a call should stand");
    check("a ==", "column 5: the rule ends where a path, a value or a call should stand");
    check("(a", "column 3: the rule ends where `)` should stand");
    check("a &&", "column 5: the rule ends where a path, a value or a call should stand");
    check(
        "a.",
        "column 3: the rule ends where a name; others stand in brackets, as in labels[\"a b\"] should stand",
    );
    check("a in [1", "column 8: the rule ends where `,` or `]` should stand");
    check("é == 1", "column 1: `\\u{e9}` cannot stand here; write names, literals and operators only");
    check("'é' == \"x", "column 8: the text is not closed; it ends with the quote that began it");
    check("r\"x", "column 1: the text is not closed; it ends with the quote that began it");
}

#[test]
fn habits_of_other_languages() {
    check("a = 1", "column 3: `=` cannot stand here; write `==` to compare");
    check("a & b", "column 3: `&` cannot stand here; write `&&` for both");
    check("a | b", "column 3: `|` cannot stand here; write `||` for either");
    check("a and b", "column 3: `and` stands where `&&` should");
    check("a or b", "column 3: `or` stands where `||` should");
    check("not a", "column 1: `not` cannot stand here; write `!` for it");
    check("a + 1 == 2", "column 3: `+` cannot stand here; there is no arithmetic");
    check("a ? b : c", "column 3: `?` cannot stand here; write (a && b) || (!a && c)");
    check(
        "{{a}} == 1",
        "column 1: `{` cannot stand here; a rule stands without braces, as in incident.priority == \"HIGH\"",
    );
    check("a < b < c", "column 7: `<` stands where && or || (a == b && b == c) should");
    check(
        "x in [a]",
        "column 7: `a` stands where a value (a list holds no paths: write x == a || x == b) should",
    );
    check("a[b]", "column 3: `b` stands where a text or an index, such as [\"name\"] or [0] should");
    check("a[-1]", "column 3: `-1` stands where a text or an index, such as [\"name\"] or [0] should");
    check("\"a\".b", "column 5: `b` stands where a call such as size(); only a path has members should");
    check("a b", "column 3: `b` stands where an operator such as == or && or the end should");
}

#[test]
fn dashes_belong_to_names() {
    assert_eq!(Rule::compile("a-b.c-1 == 1").unwrap().paths(), ["a-b.c-1"]);
    let dash = "there is no arithmetic; write a name with odd dashes in brackets, as in steps[\"-a-\"]";
    check("a - b == 1", &format!("column 3: `-` cannot stand here; {dash}"));
    check("a.-b == 1", &format!("column 3: `-` cannot stand here; {dash}"));
    check("a--b == 1", &format!("column 2: `-` cannot stand here; {dash}"));
    check("a- == 1", &format!("column 2: `-` cannot stand here; {dash}"));
    check("a -1 == 1", "column 3: `-1` stands where an operator such as == or && or the end should");
}

#[test]
fn literals_that_are_none() {
    check("a == 01", "column 6: `01` is not a number; write 5, -5, 0.5 or 5e3");
    check("a == 5x", "column 6: `5x` is not a number; write 5, -5, 0.5 or 5e3");
    check("a == 1.", "column 6: `1.` is not a number; write 5, -5, 0.5 or 5e3");
    check("a == 1e999", "column 6: `1e999` is not a number; write 5, -5, 0.5 or 5e3");
    check(
        "a == 18446744073709551616",
        "column 6: `18446744073709551616` is too large a number to be exact; compare it as a text, in quotes",
    );
    let escapes = "is not an escape; write one of \\\\ \\\" \\' \\n \\r \\t \\u00e9, or r\"…\" for none";
    check("a == \"\\d\"", &format!("column 7: `\\d` {escapes}"));
    check("a == \"\\ud800\"", &format!("column 7: `\\u` {escapes}"));
    check("a == \"\\u00é9\"", &format!("column 7: `\\u` {escapes}"));
    check("a == \"\\", "column 7: the text is not closed; it ends with the quote that began it");
}

#[test]
fn calls_that_are_none() {
    let functions =
        "there are has(path), exists(path) and size(value); others follow a dot, as in x.contains(y)";
    let methods =
        "a value has size(), contains(…), startsWith(…), endsWith(…), matches(…), all(x, …) and exists(x, …)";
    check("contains(a, b)", &format!("column 1: there is no function `contains`; {functions}"));
    check("now() > 1", &format!("column 1: there is no function `now`; {functions}"));
    check("a.map(x, x)", &format!("column 3: there is no function `map`; {methods}"));
    check("has(1)", "column 5: `has` is written has(path), as in has(incident.metadata.service)");
    check("has(a, b)", "column 6: `,` stands where `)` should");
    check("a.size(1) == 1", "column 8: `1` stands where `)` should");
    check(
        "a.size().size() == 1",
        "column 9: `.` stands where an operator such as == or && or the end should",
    );
    check(
        "a.matches(b)",
        "column 11: `matches` is written text.matches(\"pattern\"), with the pattern in quotes",
    );
    check(
        "a.all(x)",
        "column 8: `all or exists` is written list.all(x, rule about x), as in nodes.all(x, x.ready == true)",
    );
}

#[test]
fn what_is_never_true_or_false() {
    check("1", "column 1: `1` is never true or false; compare it with something");
    check("\"true\"", "column 1: `\"true\"` is never true or false; compare it with something");
    check("a && size(b)", "column 6: `size(b)` is never true or false; compare it with something");
    check("!null", "column 2: `null` is never true or false; compare it with something");
    check("a.all(x, 5)", "column 10: `5` is never true or false; compare it with something");
    check("([1]) || a", "column 1: `([1])` is never true or false; compare it with something");
}

#[test]
fn patterns_that_are_none() {
    let linear =
        "is not a regular expression that can be matched in linear time; look-around and \\1 are none";
    let complex = "is too complex; write fewer repetitions, and [a-z] rather than \\p{L}";
    check("a.matches(\"(\")", &format!("column 11: the pattern \"(\" {linear}"));
    check("a.matches('(?=x)')", &format!("column 11: the pattern \"(?=x)\" {linear}"));
    check("a.matches('(a)\\\\1')", &format!("column 11: the pattern \"(a)\\\\1\" {linear}"));
    check("a.matches('x{1000}{1000}')", &format!("column 11: the pattern \"x{{1000}}{{1000}}\" {complex}"));
    check("a.matches('(.*1.{20}){9}')", &format!("column 11: the pattern \"(.*1.{{20}}){{9}}\" {complex}"));
}
