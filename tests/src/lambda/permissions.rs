//! Least privilege: each role against what its function's code asks for.

use std::collections::BTreeSet;

use serde_json::Value;

use super::template::{allows, binary_of, functions, role_of, statements, template, texts, variables_of};

/// What a function that is told this variable does with it, and what its role must let it do. That a function is told what
/// its code reads, and nothing else, another test proves.
const USES: [(&str, &str, &str); 5] = [
    ("MUSTER_TABLE", "dynamodb:GetItem", "MusterTable.Arn"),
    ("MUSTER_QUEUE_URL", "sqs:SendMessage", "WorkQueue.Arn"),
    ("MUSTER_DLQ_URL", "sqs:GetQueueAttributes", "DeadLetterQueue.Arn"),
    ("MUSTER_BUS", "events:PutEvents", "EventBus.Arn"),
    ("MUSTER_SECRET_PREFIX", "secretsmanager:GetSecretValue", "arn:"),
];

/// The places at which a role allows an action.
fn places<'t>(template: &'t Value, role: &str, action: &str) -> Vec<&'t str> {
    let allowed = statements(template, role).filter(|one| allows(one, action));
    let places = allowed.flat_map(|one| match &one["Resource"] {
        // The two parts of a substitution: its text, and what stands in it.
        Value::Array(parts) if parts.iter().any(Value::is_object) => texts(&parts[0]),
        plain => texts(plain),
    });
    places.collect()
}

#[test]
fn a_role_allows_what_its_functions_variables_are_for_and_no_other_function_may() {
    let template = template();
    for (_, function) in functions(&template) {
        let binary = binary_of(function);
        let told = variables_of(binary);
        for (variable, action, place) in USES {
            let mut places = places(&template, role_of(function), action).into_iter();
            let allowed = places.any(|one| one.starts_with(place));
            // The queue whose messages bring a function to life is counted for it by Lambda.
            let polls = variable == "MUSTER_DLQ_URL" && binary == "muster-dead-letter";
            assert_eq!(allowed, told.contains(variable) || polls, "{binary}: {action}");
        }
    }
}

#[test]
fn every_role_reads_and_writes_the_table_by_the_calls_that_the_store_makes() {
    let template = template();
    for (_, function) in functions(&template) {
        let of_table = statements(&template, role_of(function)).flat_map(|one| texts(&one["Action"]));
        let of_table: BTreeSet<&str> =
            of_table.filter_map(|action| action.strip_prefix("dynamodb:")).collect();
        let mut store = BTreeSet::from(["BatchGetItem", "GetItem", "PutItem", "Query"]);
        if binary_of(function) == "muster-api" {
            store.insert("DeleteItem");
        }
        assert_eq!(of_table, store, "{}", binary_of(function));
    }
}

#[test]
fn inv_c2_only_a_place_in_the_matchers_list_can_be_deleted_and_nothing_updated() {
    let template = template();
    for (_, function) in functions(&template) {
        let role = role_of(function);
        for deletes in statements(&template, role).filter(|one| allows(one, "dynamodb:DeleteItem")) {
            let keys = &deletes["Condition"]["ForAllValues:StringLike"]["dynamodb:LeadingKeys"];
            assert_eq!(texts(keys), ["CANDIDATES#*"], "{role}");
        }
        assert!(statements(&template, role).all(|one| !allows(one, "dynamodb:UpdateItem")), "{role}");
    }
}

#[test]
fn no_role_allows_a_wildcard_and_every_limit_by_key_refuses_requests_without_keys() {
    let template = template();
    for (_, function) in functions(&template) {
        for statement in statements(&template, role_of(function)) {
            assert!(texts(&statement["Action"]).iter().all(|action| !action.contains('*')), "{statement}");
            assert_ne!(statement["Resource"], "*", "{statement}");
            if statement["Condition"].is_object() {
                assert_eq!(statement["Condition"]["Null"]["dynamodb:LeadingKeys"], "false", "{statement}");
            }
        }
    }
}
