//! Who calls: the claims that API Gateway's authorizer verified, and nothing else. A header says what its sender likes.

use muster_domain::policy::Principal;
use muster_http::identity::principal_from_claims;

use crate::config::ClaimName;
use crate::gateway::Claims;

/// The setting that means "Cognito's claim, else `groups`". An environment variable of Lambda cannot be left out by a parameter.
const USUAL_CLAIMS: &str = "default";

/// The caller, or `None` where there is no token or its claims name nobody: the router then answers 401 where one is needed.
pub(crate) fn of_claims(claims: Option<&Claims>, groups_claim: &ClaimName) -> Option<Principal> {
    let configured = Some(groups_claim.as_str()).filter(|name| *name != USUAL_CLAIMS);
    match principal_from_claims(claims?, configured) {
        Ok(principal) => Some(principal),
        Err(error) => {
            tracing::warn!(error = muster_app::error::chain(&error), "the token's claims name no caller");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(claims: serde_json::Value, expected: Option<&str>) {
        let groups_claim = ClaimName::parse("cognito:groups").unwrap();
        let principal = of_claims(claims.as_object(), &groups_claim);
        assert_eq!(principal.map(|principal| principal.user.to_string()).as_deref(), expected);
    }

    #[test]
    fn without_a_claim_of_its_own_an_installation_reads_the_usual_ones() {
        let may_decide = |claims: serde_json::Value, setting: &str| {
            let principal = of_claims(claims.as_object(), &ClaimName::parse(setting).unwrap()).unwrap();
            !principal.installation.is_empty()
        };
        for claim in ["cognito:groups", "groups"] {
            assert!(may_decide(json!({"sub": "ann", claim: "[platform-admin]"}), "default"));
        }
        assert!(!may_decide(json!({"sub": "ann", "groups": "[platform-admin]"}), "roles"));
    }

    #[test]
    fn inv_c1_claims_that_name_nobody_are_nobody() {
        check(json!({"sub": "ann", "cognito:groups": "[platform-admin]"}), Some("ann"));
        check(json!({"sub": "ann"}), Some("ann"));
        check(json!({"sub": ""}), None);
        check(json!({"username": "ann"}), None);
        check(json!(null), None);
    }
}
