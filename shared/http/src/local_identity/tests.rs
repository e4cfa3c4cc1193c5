use std::sync::atomic::{AtomicI64, Ordering};

use axum::body::Body;
use axum::routing::get;
use http::StatusCode;
use jsonwebtoken::Algorithm;
use muster_domain::policy::InstallationRole;
use muster_domain::time::Time;
use tower::ServiceExt;

use super::*;
use crate::layers::require_principal::require_principal;

const KEY: &[u8] = b"0123456789abcdef0123456789abcdef";
const NOW: i64 = 1_772_366_400;

struct SecondsClock(AtomicI64);

impl Clock for SecondsClock {
    fn now(&self) -> Time {
        Time::from_millis(self.0.load(Ordering::SeqCst) * 1_000)
    }
}

fn identity_with(key: &[u8]) -> (LocalIdentity, Arc<SecondsClock>) {
    let clock = Arc::new(SecondsClock(AtomicI64::new(NOW)));
    let identity = LocalIdentity::new(&key.to_vec().into(), Arc::clone(&clock) as Arc<dyn Clock>);
    (identity.expect("a key that is long enough"), clock)
}

fn identity() -> LocalIdentity {
    identity_with(KEY).0
}

fn issued(identity: &LocalIdentity) -> String {
    let user = "ann".parse().expect("a user id");
    identity.issue(&user, &["platform-admin".into()], Duration::from_secs(60)).expect("a token")
}

/// A token with these claims beside valid ones; `null` takes one away.
fn forged(header: &Header, changes: Value) -> String {
    let mut claims = json!({"iss": ISSUER, "aud": AUDIENCE, "sub": "ann", "groups": [], "exp": NOW + 60});
    for (name, value) in changes.as_object().into_iter().flatten() {
        claims[name] = value.clone();
    }
    let claims: Map<String, Value> = claims
        .as_object()
        .cloned()
        .unwrap_or_default()
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .collect();
    encode(header, &claims, &EncodingKey::from_secret(KEY)).expect("a token")
}

#[test]
fn a_token_names_its_user_and_groups_until_it_expires() {
    let (identity, clock) = identity_with(KEY);
    let token = issued(&identity);
    let principal = identity.verify(&token).expect("valid");
    assert_eq!(principal.user.as_str(), "ann");
    assert!(principal.is(InstallationRole::PlatformAdmin));
    clock.0.store(NOW + 59, Ordering::SeqCst);
    assert!(identity.verify(&token).is_ok());
    clock.0.store(NOW + 60, Ordering::SeqCst);
    assert_eq!(identity.verify(&token), Err(InvalidToken));
}

#[test]
fn inv_c1_a_token_that_is_not_ours_names_nobody() {
    let identity = identity();
    let hs256 = Header::new(Algorithm::HS256);
    assert!(identity.verify(&forged(&hs256, json!({}))).is_ok());
    for changes in [
        json!({"iss": "other"}),
        json!({"iss": null}),
        json!({"aud": "other"}),
        json!({"aud": null}),
        json!({"exp": null}),
        json!({"exp": NOW}),
        json!({"exp": "never"}),
        json!({"sub": null}),
        json!({"sub": "a#b"}),
        json!({"groups": 7}),
    ] {
        assert_eq!(identity.verify(&forged(&hs256, changes.clone())), Err(InvalidToken), "{changes}");
    }
    for algorithm in [Algorithm::HS384, Algorithm::HS512] {
        assert_eq!(identity.verify(&forged(&Header::new(algorithm), json!({}))), Err(InvalidToken));
    }
    let other = identity_with(b"another key, and a long one too!").0;
    assert_eq!(identity.verify(&issued(&other)), Err(InvalidToken));
}

#[test]
fn inv_c1_a_token_that_was_tampered_with_names_nobody() {
    let identity = identity();
    let token = issued(&identity);
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let (_, claims) = signed.split_once('.').expect("three parts");
    // {"alg":"none","typ":"JWT"}
    let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{claims}.");
    for text in ["", ".", "..", "a.b.c", &format!("{signed}."), &format!("{signed}x.{signature}"), &unsigned]
    {
        assert_eq!(identity.verify(text), Err(InvalidToken), "{text}");
    }
    assert_eq!(identity.verify(&"a".repeat(LONGEST_TOKEN + 1)), Err(InvalidToken));
}

#[test]
fn a_short_key_is_refused() {
    let clock = identity_with(KEY).1;
    let refused = LocalIdentity::new(&vec![7; 31].into(), clock).err().expect("refused");
    assert_eq!(refused.to_string(), "the key has 31 bytes; it needs at least 32");
}

/// The status and the challenge that a request with these `Authorization` headers meets.
async fn asked(authorizations: &[&str]) -> (StatusCode, String) {
    let guarded =
        Router::new().route("/", get(|| async {})).route_layer(middleware::from_fn(require_principal));
    let router = Arc::new(identity()).identify(guarded);
    let mut request = http::Request::builder().uri("/");
    for value in authorizations {
        request = request.header(AUTHORIZATION, *value);
    }
    let response = router.oneshot(request.body(Body::empty()).expect("a request")).await.expect("an answer");
    let challenge = response.headers().get("www-authenticate");
    let challenge = challenge.map_or("", |value| value.to_str().expect("text")).to_owned();
    (response.status(), challenge)
}

#[tokio::test]
async fn inv_c1_strangers_are_challenged_and_forgers_learn_nothing_more() {
    let token = issued(&identity());
    let bearer = format!("Bearer {token}");
    assert_eq!(asked(&[&bearer]).await.0, StatusCode::OK);
    assert_eq!(asked(&[&format!("bearer  {token}")]).await.0, StatusCode::OK);
    let (status, challenge) = asked(&[]).await;
    assert_eq!((status, challenge.as_str()), (StatusCode::UNAUTHORIZED, "Bearer realm=\"muster\""));
    for refused in [&["Bearer"][..], &["Bearer x"], &["Basic YTpi"], &[&token], &[&bearer, &bearer], &[""]] {
        let (status, challenge) = asked(refused).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{refused:?}");
        assert!(challenge.ends_with("error=\"invalid_token\""), "{refused:?}: {challenge}");
    }
}
