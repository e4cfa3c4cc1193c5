//! Tokens of local mode, as a stranger on the network meets them.

use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use hmac::{Hmac, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;

use super::data_dir;
use super::person::Person;
use super::server::Server;

const HS256: &str = r#"{"alg":"HS256","typ":"JWT"}"#;

/// A token of any kind, signed with any key.
fn forge(header: &str, claims: &Value, key: &[u8]) -> String {
    let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
    let content = format!("{}.{}", encode(header.as_bytes()), encode(claims.to_string().as_bytes()));
    let mut mac = Hmac::<Sha256>::new_from_slice(key).unwrap();
    mac.update(content.as_bytes());
    format!("{content}.{}", encode(&mac.finalize().into_bytes()))
}

/// The claims of a good token that ends `seconds` from now.
fn claims(seconds: i64) -> Value {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()).unwrap();
    json!({
        "iss": "muster-local", "aud": "muster", "sub": "eve", "groups": ["platform-admin"],
        "iat": now - 60, "exp": now + seconds,
    })
}

fn key(data: &Path) -> Vec<u8> {
    std::fs::read(data.join("signing-key")).unwrap()
}

fn with(mut claims: Value, name: &str, value: Value) -> Value {
    claims[name] = value;
    claims
}

#[tokio::test]
async fn only_a_token_of_this_installation_that_has_not_expired_is_believed() {
    let (_parent, data) = data_dir();
    let server = Server::start(&data, &[]).await;
    let key = key(&data);
    let good = forge(HS256, &claims(600), &key);
    let unsigned = forge(r#"{"alg":"none"}"#, &claims(600), &key);
    let stripped = format!("{}.", unsigned.rsplit_once('.').unwrap().0);
    let issued = Person::of(&server, "ann", &["auditor"]).token().to_owned();
    let cases = [
        (200, "signed with the key", good.clone()),
        (200, "issued by the command", issued),
        (401, "no token", String::new()),
        (401, "no token at all", "Bearer".into()),
        (401, "another key", forge(HS256, &claims(600), &[7; 32])),
        (401, "an empty key", forge(HS256, &claims(600), &[])),
        (401, "expired", forge(HS256, &claims(-1), &key)),
        (401, "algorithm none, signature kept", unsigned),
        (401, "algorithm none, no signature", stripped),
        (401, "another algorithm", forge(r#"{"alg":"HS384"}"#, &claims(600), &key)),
        (401, "another issuer", forge(HS256, &with(claims(600), "iss", json!("x")), &key)),
        (401, "another audience", forge(HS256, &with(claims(600), "aud", json!("x")), &key)),
        (401, "no end", forge(HS256, &with(claims(600), "exp", Value::Null), &key)),
        (401, "nobody", forge(HS256, &with(claims(600), "sub", json!("")), &key)),
        (401, "a changed signature", format!("{good}A")),
    ];
    for (status, case, token) in cases {
        let answer = Person::with_token(&server, &token).get("/api/runbooks").await;
        assert_eq!(answer.status, status, "{case}: {}", answer.body);
    }
    assert_no_token_in_the_log(&server, &good);
}

#[track_caller]
fn assert_no_token_in_the_log(server: &Server, token: &str) {
    let signature = token.rsplit_once('.').unwrap().1;
    assert!(!server.errors().contains(signature), "inv_f3: a token is in the log");
}

#[tokio::test]
async fn a_token_of_another_installation_is_not_believed() {
    let ((_parent, data), (_other_parent, other)) = (data_dir(), data_dir());
    let server = Server::start(&data, &[]).await;
    let stranger = Server::start(&other, &[]).await;
    let token = Person::of(&stranger, "ann", &["platform-admin"]).token().to_owned();
    assert_eq!(Person::with_token(&server, &token).get("/api/runbooks").await.status, 401);
}

#[tokio::test]
async fn a_token_ends_when_it_says() {
    let (_parent, data) = data_dir();
    let server = Server::start(&data, &[]).await;
    let token = forge(HS256, &claims(2), &key(&data));
    let eve = Person::with_token(&server, &token);
    assert_eq!(eve.get("/api/runbooks").await.status, 200);
    let start = SystemTime::now();
    super::eventually("the token to end", async || {
        (eve.get("/api/runbooks").await.status == 401).then_some(())
    })
    .await;
    assert!(start.elapsed().unwrap() < Duration::from_secs(10));
}
