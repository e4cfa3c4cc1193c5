//! What no role may allow, whatever its function calls. What each must allow, `recorded_calls` finds out.

use super::template::{allows, functions, role_of, statements, template, texts};

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
