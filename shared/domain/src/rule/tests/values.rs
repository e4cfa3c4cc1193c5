//! What rules say of values, and the errors that name what does not fit.

use super::*;

fn check(text: &str, expected: bool) {
    let rule = Rule::compile(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
    assert_eq!(rule.holds(&context()), Ok(expected), "{text}");
}

fn check_error(text: &str, expected: &str) {
    let rule = Rule::compile(text).unwrap_or_else(|fault| panic!("{text}: {fault}"));
    let error = rule.holds(&context()).map_err(|error| error.to_string());
    assert_eq!(error, Err(expected.to_owned()), "{text}");
}

#[test]
fn literals_and_paths() {
    check("true", true);
    check("false", false);
    check("params.full", true);
    check("params['full']", true);
    check("params . full", true);
    check("incident.metadata[\"app.kubernetes.io/name\"] == 'api'", true);
    check("incident.tags[1] == \"disk\"", true);
    check("incident.tags.1 == \"disk\"", true);
    check("steps.list-nodes.outputs.n == 2", true);
    check("steps['list-nodes'].outputs.nodes.0.name == \"n-1\"", true);
    check("\"\\u00e9\\n\\t\\r\\\\\\'\" == 'é\n\t\r\\\\\\''", true);
    check("r\"\\d\" == \"\\\\d\"", true);
    check("r'it\"s' == \"it\\\"s\"", true);
}

#[test]
fn numbers_are_compared_by_their_worth() {
    check("1 == 1.0", true);
    check("incident.count == 3.0", true);
    check("incident.metadata.load < 1", true);
    check("incident.metadata.load > -1", true);
    check("1e2 == 100", true);
    check("-1 > -1.5", true);
    check("-2 < -1.5", true);
    check("-0.0 == 0", true);
    check("params.id == 9007199254740993", true);
    check("params.id == 9007199254740992", false);
    check("params.id == 9007199254740992.0", false);
    check("params.id > 9007199254740992.0", true);
    check("9007199254740992.0 < params.id", true);
    check("params.most == 18446744073709551615", true);
    check("params.most < 18446744073709551616.0", true);
    check("params.most < 1e300 && params.most > -1e300", true);
    check("-9223372036854775808 < params.most", true);
    check("[1, [2]] == [1.0, [2.0]]", true);
}

#[test]
fn comparisons() {
    check("incident.priority == \"HIGH\"", true);
    check("incident.priority != \"HIGH\"", false);
    check("\"a\" < \"b\" && \"B\" < \"a\" && \"a\" <= \"a\" && \"b\" >= \"a\"", true);
    check("incident.count <= 3 && incident.count >= 3 && !(incident.count < 3)", true);
    check("true != false", true);
    check("incident.tags == [\"db\", \"disk\"]", true);
    check("incident.tags == [\"db\"]", false);
    check("incident.tags != ['disk', 'db']", true);
    check("steps == steps && incident != steps", true);
    check("incident.assignee == null", true);
    check("incident.assignee == \"carol\"", false);
    check("incident.title != null", true);
    check("null == null", true);
}

#[test]
fn logic_stops_at_what_decides() {
    check("true || nowhere", true);
    check("false && nowhere", false);
    check("true || false && false", true);
    check("(true || false) && false", false);
    check("!true || !false", true);
    check("!!params.full", true);
    check("!(params.full && false)", true);
    check("has(nowhere.x) && nowhere.x == 1", false);
    check_error("nowhere || true", "there is no `nowhere`; `has(nowhere)` asks whether there is");
}

#[test]
fn presence() {
    check("has(incident.title)", true);
    check("has(incident.assignee)", true);
    check("has(incident.nothing)", false);
    check("has(incident.title.deeper)", false);
    check("has(nowhere.at.all)", false);
    check("has(incident.tags[1]) && !has(incident.tags[2])", true);
    check("exists(params.full)", true);
    check("incident.tags.exists(x, has(x.y))", false);
}

#[test]
fn membership_and_texts() {
    check("incident.priority in [\"HIGH\", \"CRITICAL\"]", true);
    check("incident.priority in []", false);
    check("incident.count in [1, 2, 3.0]", true);
    check("incident.assignee in [null]", true);
    check("\"db\" in incident.tags", true);
    check("\"service\" in incident.metadata", true);
    check("\"disk\" in incident.metadata", false);
    check("incident.tags.contains(\"db\")", true);
    check("incident.title.contains(\"full\")", true);
    check("incident.title.startsWith(\"Disk\") && incident.title.endsWith(\"db-1\")", true);
    check("\"abc\".contains(\"\")", true);
    check("incident.title.matches(\"^Disk .* db-[0-9]+$\")", true);
    check("incident.title.matches(r\"db-\\d\")", true);
    check("incident.title.matches(\"(?i)disk\") && !incident.title.matches(\"^full\")", true);
    check("'é'.matches('^.$')", true);
    // Classes are those of ASCII, as in CEL; a backslash that is itself escaped makes none.
    check(r"'é٣ '.matches(r'\w|\d|\s')", false);
    check(r"'a3 '.matches(r'^\w\d\s$') && '- a'.matches(r'^\W\s\S$') && 'é'.matches(r'^[\D]$')", true);
    check(r"'the OOM killer'.matches(r'\bOOM\b') && !'BOOM'.matches(r'\bOOM')", true);
    check(r"r'\d'.matches(r'^\\d$') && 'a-1'.matches(r'(?x)^[\w-]+ $')", true);
}

#[test]
fn sizes() {
    check("size(incident.tags) == 2", true);
    check("incident.tags.size() < 10", true);
    check("size(incident.metadata) == 3", true);
    check("size(\"éé\") == 2 && 'abc'.size() == 3", true);
    check("size([]) == 0 && [1, 2].size() == 2", true);
}

#[test]
fn elements() {
    check("steps.list-nodes.outputs.nodes.exists(node, node.ready)", true);
    check("steps.list-nodes.outputs.nodes.all(node, node.ready)", false);
    check("steps.list-nodes.outputs.nodes.all(x, x.name.startsWith(\"n-\"))", true);
    check("[].all(x, x == 1) && ![].exists(x, x == 1)", true);
    check("incident.tags.exists(x, x == incident.tags[1])", true);
    check("[1, 2].all(a, [3, 4].all(b, a < b))", true);
    check("[1, 2].exists(x, [3].exists(x, x == 3) && x == 1)", true);
    check("steps.list-nodes.outputs.nodes.exists(n, n.pods.exists(p, p == 2) && n.name == \"n-1\")", true);
    // The variable hides a member of the context within its body only.
    check("[1].all(params, params == 1) && params.full", true);
}

#[test]
fn errors_name_what_does_not_fit() {
    check_error(
        "incident.nothing == 1",
        "there is no `incident.nothing`; `has(incident.nothing)` asks whether there is",
    );
    check_error(
        "incident.tags[2] == \"a\"",
        "there is no `incident.tags.2`; `has(incident.tags.2)` asks whether there is",
    );
    check_error(
        "incident.title.deeper",
        "there is no `incident.title.deeper`; `has(incident.title.deeper)` asks whether there is",
    );
    check_error("[1].all(x, x.y)", "there is no `x.y`; `has(x.y)` asks whether there is");
    check_error("incident.count", "`incident.count` is a number, not true or false");
    check_error("incident", "`incident` is an object, not true or false");
    check_error("true && incident.title", "`incident.title` is a text, not true or false");
    check_error("!incident.assignee", "`incident.assignee` is null, not true or false");
    check_error("incident.count == \"3\"", "`incident.count == \"3\"` compares a number with a text");
    check_error("incident.count < \"3\"", "`incident.count < \"3\"` compares a number with a text");
    check_error("incident.assignee < 3", "`incident.assignee < 3` compares null with a number");
    check_error("incident.count in [\"3\"]", "`incident.count in [\"3\"]` compares a number with a text");
    check_error(
        "true < false",
        "in `true < false`, a bool stands where an order, which numbers and texts have is needed",
    );
    check_error(
        "1 in \"1\"",
        "in `1 in \"1\"`, a text stands where a list or an object after `in` (a text has contains) is needed",
    );
    check_error("1 in incident", "in `1 in incident`, a number stands where the name of a member is needed");
    check_error(
        "size(incident.count) == 1",
        "in `incident.count`, a number stands where a text, a list or an object is needed",
    );
    check_error(
        "incident.count.matches(\"3\")",
        "in `incident.count`, a number stands where a text is needed",
    );
    check_error(
        "incident.title.contains(1)",
        "in `incident.title.contains(1)`, a number stands where a text is needed",
    );
    check_error(
        "incident.tags.startsWith(\"d\")",
        "in `incident.tags.startsWith(\"d\")`, a list stands where a text before the dot (or a list, for contains) is needed",
    );
    check_error(
        "incident.metadata.all(x, true)",
        "in `incident.metadata`, an object stands where a list is needed",
    );
}
