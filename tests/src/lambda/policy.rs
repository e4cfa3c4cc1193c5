//! What the template lets a function do, as IAM reads it: allowed by one statement of its role, and denied by none that is
//! attached to it.

use std::collections::BTreeSet;

use serde_json::Value;

use super::template::{role_of, statements, texts};

/// What one call asks IAM for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Need {
    /// As in `dynamodb:PutItem`.
    pub(super) action: String,
    /// As the template names it: `MusterTable.Arn`, `${MusterTable.Arn}/index/list1`.
    pub(super) place: String,
    /// The partition key of what is written, which `dynamodb:LeadingKeys` holds.
    pub(super) key: Option<String>,
}

/// The smallest thing that a role's own policy allows: one action, at one place, for one family of keys.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Grant {
    pub(super) action: String,
    pub(super) place: String,
    pub(super) keys: Option<String>,
}

/// The statements that decide about one function.
pub(super) struct Policy<'t> {
    own: Vec<&'t Value>,
    attached: Vec<&'t Value>,
}

impl<'t> Policy<'t> {
    pub(super) fn of(template: &'t Value, function: &Value) -> Self {
        let role = role_of(function);
        let names = template["Resources"][role]["Properties"]["ManagedPolicyArns"].as_array().unwrap();
        let attached = names.iter().filter_map(Value::as_str).flat_map(|name| {
            let document = &template["Resources"][name]["Properties"]["PolicyDocument"];
            document["Statement"].as_array().unwrap()
        });
        Self { own: statements(template, role).collect(), attached: attached.collect() }
    }

    pub(super) fn permits(&self, need: &Need) -> bool {
        let all = || self.own.iter().chain(&self.attached);
        let says = |effect: &str| all().any(|one| one["Effect"] == effect && is_about(one, need));
        says("Allow") && !says("Deny")
    }

    /// All that the role's own policy allows.
    pub(super) fn grants(&self) -> BTreeSet<Grant> {
        let allows = self.own.iter().filter(|one| one["Effect"] == "Allow");
        allows.flat_map(|statement| grants_of(statement)).collect()
    }
}

impl Grant {
    /// Whether the call is one that this is for.
    pub(super) fn covers(&self, need: &Need) -> bool {
        let keys = match (&self.keys, &need.key) {
            (Some(pattern), Some(key)) => fits(pattern, key),
            (Some(_), None) => false,
            (None, _) => true,
        };
        self.action == need.action && fits(&self.place, &need.place) && keys
    }
}

fn grants_of(statement: &Value) -> BTreeSet<Grant> {
    let keys: Vec<Option<String>> = match keys_of(statement, "ForAllValues:StringLike") {
        Some(patterns) => patterns.into_iter().map(|one| Some(one.to_owned())).collect(),
        None => vec![None],
    };
    let mut grants = BTreeSet::new();
    for action in texts(&statement["Action"]) {
        for place in places(statement) {
            let grant = |keys| Grant { action: action.to_owned(), place: place.to_owned(), keys };
            grants.extend(keys.iter().cloned().map(grant));
        }
    }
    grants
}

fn is_about(statement: &Value, need: &Need) -> bool {
    texts(&statement["Action"]).iter().any(|action| fits(action, &need.action))
        && places(statement).iter().any(|place| fits(place, &need.place))
        && holds(statement, need.key.as_deref())
}

/// The places that a statement names. A substitution with names of its own has two parts: its text, and what stands in it.
fn places(statement: &Value) -> Vec<&str> {
    match &statement["Resource"] {
        Value::Array(parts) if parts.iter().any(Value::is_object) => texts(&parts[0]),
        plain => texts(plain),
    }
}

/// Whether a statement's condition holds for a call that writes under this key.
fn holds(statement: &Value, key: Option<&str>) -> bool {
    let Some(condition) = statement["Condition"].as_object() else { return true };
    condition.keys().all(|operator| {
        let patterns = || keys_of(statement, operator).unwrap();
        let fits_one = |key: &str| patterns().iter().any(|pattern| fits(pattern, key));
        match operator.as_str() {
            // Of no key it would hold too, so "Null" stands beside it.
            "ForAllValues:StringLike" => key.is_none_or(fits_one),
            "ForAnyValue:StringLike" => key.is_some_and(fits_one),
            "Null" => key.is_some(),
            other => panic!("no test knows the condition {other}"),
        }
    })
}

fn keys_of<'s>(statement: &'s Value, operator: &str) -> Option<Vec<&'s str>> {
    statement["Condition"].get(operator).map(|of| texts(&of["dynamodb:LeadingKeys"]))
}

/// Whether a pattern, which may end in `*`, has the form of the text.
fn fits(pattern: &str, text: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => text.starts_with(start),
        None => pattern == text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn policy(statements: &Value) -> Policy<'_> {
        Policy { own: statements.as_array().unwrap().iter().collect(), attached: Vec::new() }
    }

    fn put(key: Option<&str>) -> Need {
        let key = key.map(str::to_owned);
        Need { action: "dynamodb:PutItem".into(), place: "MusterTable.Arn".into(), key }
    }

    #[test]
    fn what_no_statement_allows_or_one_denies_is_not_permitted() {
        let keys = json!({"dynamodb:LeadingKeys": ["EX#*", "DECISION#*"]});
        let allow = json!({
            "Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": "MusterTable.Arn",
            "Condition": {"ForAllValues:StringLike": keys, "Null": {"dynamodb:LeadingKeys": "false"}},
        });
        let deny = json!({
            "Effect": "Deny", "Action": ["dynamodb:PutItem"], "Resource": "MusterTable.Arn",
            "Condition": {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["DECISION#*"]}},
        });
        let statements = json!([allow, deny]);
        let policy = policy(&statements);
        for (key, permitted) in
            [(Some("EX#ex_1"), true), (Some("DECISION#rb_1"), false), (Some("RB#rb_1"), false), (None, false)]
        {
            assert_eq!(policy.permits(&put(key)), permitted, "{key:?}");
        }
        let elsewhere = Need { place: "Other.Arn".into(), ..put(Some("EX#ex_1")) };
        let otherwise = Need { action: "dynamodb:DeleteItem".into(), ..put(Some("EX#ex_1")) };
        assert!(!policy.permits(&elsewhere) && !policy.permits(&otherwise));
        let covered: Vec<bool> =
            policy.grants().iter().map(|grant| grant.covers(&put(Some("EX#ex_1")))).collect();
        assert_eq!(covered, [false, true], "one grant for each family of keys");
    }
}
