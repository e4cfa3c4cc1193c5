//! From verified claims to who asks (F1). Verifying the token is done before: by API Gateway's authorizer, or by the local
//! identity.

use muster_domain::ids::{InvalidId, UserId};
use muster_domain::policy::Principal;
use serde_json::{Map, Value};

/// Claims that are asked for groups, in this order, where no other is configured.
const GROUPS_CLAIMS: [&str; 2] = ["cognito:groups", "groups"];

/// Why verified claims do not say who asks.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdentityError {
    #[error("the claim `sub` is missing or no text")]
    NoSubject,
    #[error("the claim `sub` is not a user id")]
    Subject(#[source] InvalidId),
    #[error("the claim `{0}` is neither a list of texts nor a text")]
    Groups(String),
}

/// Reads `sub` and the groups claim: `groups_claim` where it is configured, else `cognito:groups`, else `groups`.
///
/// A claim that is not there grants nothing. Groups past the first `policy::MAX_GROUPS` grant nothing either.
pub fn principal_from_claims(
    claims: &Map<String, Value>,
    groups_claim: Option<&str>,
) -> Result<Principal, IdentityError> {
    let subject = claims.get("sub").and_then(Value::as_str).ok_or(IdentityError::NoSubject)?;
    let user: UserId = subject.parse().map_err(IdentityError::Subject)?;
    let names = groups_claim.map_or(GROUPS_CLAIMS.to_vec(), |name| vec![name]);
    let found = names.into_iter().find_map(|name| Some((name, claims.get(name)?)));
    let groups = match found {
        None => Vec::new(),
        Some((name, value)) => groups_of(value).ok_or_else(|| IdentityError::Groups(name.to_owned()))?,
    };
    Ok(Principal::from_groups(user, groups))
}

fn groups_of(value: &Value) -> Option<Vec<&str>> {
    match value {
        Value::Null => Some(Vec::new()),
        Value::String(text) => Some(split(text)),
        Value::Array(groups) => groups.iter().map(Value::as_str).collect(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => None,
    }
}

/// API Gateway hands an array claim on as `[a b]`; other issuers write a text with commas or spaces.
fn split(text: &str) -> Vec<&str> {
    let inside = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    inside.split([',', ' ']).filter(|group| !group.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use muster_domain::policy::{InstallationRole, MAX_GROUPS, TeamRole};
    use serde_json::json;

    use super::*;

    /// The groups that a claim grants, as in `ops:Admin platform`.
    fn granted(claims: Value, configured: Option<&str>) -> Result<String, IdentityError> {
        let claims = claims.as_object().expect("an object").clone();
        let principal = principal_from_claims(&claims, configured)?;
        let teams = principal.teams.iter().map(|(team, role)| format!("{team}:{role:?}"));
        let mut granted: Vec<String> = teams.collect();
        granted.extend(principal.is(InstallationRole::PlatformAdmin).then(|| "platform".to_owned()));
        Ok(granted.join(" "))
    }

    fn check(groups: Value, expected: &str) {
        let claims = json!({"sub": "ann", "cognito:groups": groups});
        assert_eq!(granted(claims, None).as_deref(), Ok(expected), "{groups}");
    }

    #[test]
    fn inv_c1_groups_arrive_in_the_forms_that_issuers_give_them() {
        let both = "ops:Admin platform";
        check(json!(["team:ops:admin", "platform-admin"]), both);
        check(json!("[team:ops:admin platform-admin]"), both);
        check(json!("team:ops:admin,platform-admin"), both);
        check(json!("team:ops:admin platform-admin"), both);
        check(json!("team:ops:admin"), "ops:Admin");
        for none in [json!([]), json!("[]"), json!(""), json!(null), json!(["PLATFORM-ADMIN", ""])] {
            check(none, "");
        }
    }

    #[test]
    fn a_group_with_a_space_in_a_list_stays_one_group() {
        check(json!(["team:ops:admin platform-admin"]), "");
    }

    #[test]
    fn the_configured_claim_counts_alone_and_cognito_comes_before_groups() {
        let claims = json!({
            "sub": "ann", "groups": ["team:a:viewer"], "cognito:groups": ["team:b:viewer"], "roles": ["team:c:viewer"],
        });
        assert_eq!(granted(claims.clone(), None).as_deref(), Ok("b:Viewer"));
        assert_eq!(granted(claims.clone(), Some("roles")).as_deref(), Ok("c:Viewer"));
        assert_eq!(granted(claims, Some("absent")).as_deref(), Ok(""));
        let plain = json!({"sub": "ann", "groups": ["team:a:viewer"]});
        assert_eq!(granted(plain, None).as_deref(), Ok("a:Viewer"));
    }

    #[test]
    fn claims_that_name_nobody_are_refused() {
        for claims in
            [json!({}), json!({"sub": 7}), json!({"sub": null}), json!({"groups": ["platform-admin"]})]
        {
            assert_eq!(granted(claims, None), Err(IdentityError::NoSubject));
        }
        for subject in ["", "a#b", "a b", &"a".repeat(129)] {
            let seen = granted(json!({"sub": subject}), None);
            assert!(matches!(seen, Err(IdentityError::Subject(_))), "{subject:?}: {seen:?}");
        }
        for groups in [json!(7), json!({"a": 1}), json!(["team:ops:admin", 7])] {
            let seen = granted(json!({"sub": "ann", "groups": groups}), None);
            assert_eq!(seen, Err(IdentityError::Groups("groups".into())));
        }
    }

    #[test]
    fn groups_past_the_limit_grant_nothing() {
        let mut groups = vec!["team:ops:viewer".to_owned(); MAX_GROUPS];
        groups.push("platform-admin".into());
        assert_eq!(groups.len(), 201);
        let claims = json!({"sub": "ann", "groups": groups});
        let principal =
            principal_from_claims(claims.as_object().expect("an object"), None).expect("a principal");
        assert!(!principal.is(InstallationRole::PlatformAdmin));
        assert_eq!(principal.teams.values().collect::<Vec<_>>(), [&TeamRole::Viewer]);
    }
}
