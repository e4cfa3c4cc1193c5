use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac};
use proptest::prelude::*;
use serde_json::{Value, json};
use sha2::Sha256;

use super::*;

const NOW: Time = Time::from_millis(1_614_265_330_000);
const STAMP: &str = "1614265330";
const BODY: &[u8] = br#"{"test": 2432232314}"#;
/// The example that Standard Webhooks publishes.
const PUBLISHED_KEY: &[u8] = b"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const PUBLISHED_ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const PUBLISHED: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

type Pairs<'a> = [(&'a str, &'a str)];

fn mac(key: &[u8], signed: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key");
    signed.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn ask(scheme: &Scheme, secrets: &[&[u8]], pairs: &Pairs<'_>) -> Result<Verified, Rejected> {
    verify(scheme, secrets, &Headers::new(pairs), BODY, NOW)
}

fn missing(header: &str) -> Rejected {
    Rejected::Missing { header: header.to_owned() }
}

fn malformed(header: &str) -> Rejected {
    Rejected::Malformed { header: header.to_owned() }
}

fn outcome(result: Result<Verified, Rejected>) -> Result<(), Rejected> {
    result.map(|_| ())
}

fn published(signature: &str) -> [(&'static str, &str); 3] {
    [("webhook-id", PUBLISHED_ID), ("webhook-timestamp", STAMP), ("webhook-signature", signature)]
}

#[test]
fn the_published_example_of_standard_webhooks_holds() {
    let verified =
        ask(&Scheme::StandardWebhooks, &[PUBLISHED_KEY], &published(PUBLISHED)).expect("authentic");
    assert_eq!(verified.replay_key, PUBLISHED_ID);
}

#[test]
fn every_token_and_every_secret_counts() {
    let (other, junk) = (&b"another key"[..], &b"whsec_no base64!"[..]);
    for (signature, secrets, expected) in [
        (PUBLISHED.to_owned(), vec![other, PUBLISHED_KEY], Ok(())),
        (PUBLISHED.to_owned(), vec![junk, PUBLISHED_KEY], Ok(())),
        (format!("v1a,AAAA v1,AAAA {PUBLISHED}"), vec![PUBLISHED_KEY], Ok(())),
        (format!("{PUBLISHED} v1,%%%"), vec![PUBLISHED_KEY], Ok(())),
        (PUBLISHED.replace("v1,", "v1a,"), vec![PUBLISHED_KEY], Err(Rejected::Mismatch)),
        (PUBLISHED.replace("v1,", ""), vec![PUBLISHED_KEY], Err(Rejected::Mismatch)),
        (PUBLISHED.to_owned(), vec![other], Err(Rejected::Mismatch)),
        (PUBLISHED.to_owned(), vec![], Err(Rejected::NoSecret)),
        (PUBLISHED.to_owned(), vec![b""], Err(Rejected::NoSecret)),
        (PUBLISHED.to_owned(), vec![junk, b"whsec_"], Err(Rejected::NoSecret)),
        ("v1,".to_owned(), vec![PUBLISHED_KEY], Err(Rejected::Mismatch)),
    ] {
        let result = ask(&Scheme::StandardWebhooks, &secrets, &published(&signature));
        assert_eq!(outcome(result), expected, "{signature}");
    }
}

#[test]
fn a_key_without_prefix_is_its_own_bytes() {
    let signed = format!("{PUBLISHED_ID}.{STAMP}.");
    let signature = format!("v1,{}", BASE64_STANDARD.encode(mac(b"Jefe", &[signed.as_bytes(), BODY])));
    let encoded = format!("whsec_{}", BASE64_STANDARD.encode("Jefe"));
    for secret in [b"Jefe", encoded.as_bytes()] {
        assert!(ask(&Scheme::StandardWebhooks, &[secret], &published(&signature)).is_ok());
    }
}

#[test]
fn another_id_time_or_body_is_no_match() {
    let scheme = Scheme::StandardWebhooks;
    for position in 0..2 {
        let mut pairs = published(PUBLISHED);
        pairs[position].1 = if position == 0 { "msg_other" } else { "1614265331" };
        assert_eq!(ask(&scheme, &[PUBLISHED_KEY], &pairs), Err(Rejected::Mismatch));
    }
    let pairs = published(PUBLISHED);
    let other = verify(&scheme, &[PUBLISHED_KEY], &Headers::new(&pairs), br#"{"test":2432232314}"#, NOW);
    assert_eq!(other, Err(Rejected::Mismatch), "the raw bytes count, not what they mean");
}

#[test]
fn the_clock_may_be_five_minutes_off_in_both_directions() {
    let pairs = published(PUBLISHED);
    for (offset, expected) in [
        (-300_000, Ok(())),
        (300_000, Ok(())),
        (-300_001, Err(Rejected::Stale)),
        (300_001, Err(Rejected::Stale)),
        (i64::MAX / 2, Err(Rejected::Stale)),
    ] {
        let now = Time::from_millis(NOW.millis() + offset);
        let result = verify(&Scheme::StandardWebhooks, &[PUBLISHED_KEY], &Headers::new(&pairs), BODY, now);
        assert_eq!(outcome(result), expected, "{offset}");
    }
}

#[test]
fn headers_are_there_once_and_in_form() {
    let scheme = Scheme::StandardWebhooks;
    for (name, missing_name) in [
        ("webhook-id", "webhook-id"),
        ("webhook-timestamp", "webhook-timestamp"),
        ("webhook-signature", "webhook-signature"),
    ] {
        let pairs: Vec<_> = published(PUBLISHED).into_iter().filter(|(found, _)| *found != name).collect();
        assert_eq!(ask(&scheme, &[PUBLISHED_KEY], &pairs), Err(missing(missing_name)));
        let twice: Vec<_> = published(PUBLISHED).into_iter().chain([(name, "x")]).collect();
        assert_eq!(ask(&scheme, &[PUBLISHED_KEY], &twice), Err(malformed(name)));
    }
    for stamp in ["soon", "+1614265330", "1614265330.5", "-1", "99999999999999999999"] {
        let mut pairs = published(PUBLISHED);
        pairs[1].1 = stamp;
        assert_eq!(ask(&scheme, &[PUBLISHED_KEY], &pairs), Err(malformed("webhook-timestamp")), "{stamp}");
    }
    let pairs =
        [("Webhook-Id", PUBLISHED_ID), ("WEBHOOK-TIMESTAMP", STAMP), ("webhook-Signature", PUBLISHED)];
    assert!(ask(&scheme, &[PUBLISHED_KEY], &pairs).is_ok(), "names have no case");
}

#[test]
fn pagerduty_signs_the_body() {
    let right = format!("v1={}", hex::encode(mac(b"key", &[BODY])));
    for (signature, expected) in [
        (right.clone(), Ok(())),
        (format!("v1=00,{right}"), Ok(())),
        (format!("v1=zz, {right}"), Ok(())),
        (right.to_uppercase().replace("V1", "v1"), Ok(())),
        (right.replace("v1=", "v2="), Err(Rejected::Mismatch)),
        (right[..43].to_owned(), Err(Rejected::Mismatch)),
        (right[..42].to_owned(), Err(Rejected::Mismatch)),
        (format!("{right}00"), Err(Rejected::Mismatch)),
        (format!("{right}0"), Err(Rejected::Mismatch)),
        ("v1=".to_owned(), Err(Rejected::Mismatch)),
        (String::new(), Err(missing("x-pagerduty-signature"))),
    ] {
        let result = ask(&Scheme::Pagerduty, &[b"old", b"key"], &[("x-pagerduty-signature", &signature)]);
        assert_eq!(outcome(result), expected, "{signature}");
    }
}

#[test]
fn grafana_signs_the_body_with_or_without_a_time() {
    let (bare, timed) =
        (hex::encode(mac(b"key", &[BODY])), hex::encode(mac(b"key", &[STAMP.as_bytes(), b":", BODY])));
    let without = Scheme::Grafana { timestamp_header: None };
    let with = Scheme::Grafana { timestamp_header: Some("X-Time".to_owned()) };
    fn signature(signature: &str) -> (&str, &str) {
        ("x-grafana-alerting-signature", signature)
    }
    let secrets: [&[u8]; 1] = [b"key"];
    assert!(ask(&without, &secrets, &[signature(&bare)]).is_ok());
    assert!(ask(&with, &secrets, &[signature(&timed), ("x-time", STAMP)]).is_ok());
    assert_eq!(ask(&without, &secrets, &[signature(&timed)]), Err(Rejected::Mismatch));
    assert_eq!(ask(&with, &secrets, &[signature(&bare), ("x-time", STAMP)]), Err(Rejected::Mismatch));
    assert_eq!(ask(&with, &secrets, &[signature(&timed)]), Err(missing("x-time")));
    assert_eq!(ask(&with, &secrets, &[signature(&timed), ("x-time", "1614260000")]), Err(Rejected::Stale));
}

#[test]
fn slack_signs_version_time_and_body() {
    // The example of Slack's own documentation.
    let body = b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c";
    let signature = "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503";
    let secret: &[u8] = b"8f742231b10e8888abcd99yyyzzz85a5";
    let pairs = [("x-slack-request-timestamp", "1531420618"), ("x-slack-signature", signature)];
    let ask = |now| verify(&Scheme::Slack, &[secret], &Headers::new(&pairs), body, now);
    assert!(ask(Time::from_millis(1_531_420_618_000)).is_ok());
    assert_eq!(ask(NOW), Err(Rejected::Stale));
}

#[test]
fn presented_secrets_are_compared_whole() {
    let basic = |text: &str| format!("Basic {}", BASE64_STANDARD.encode(text));
    let user = Scheme::Basic { username: "muster".to_owned() };
    let header = Scheme::Header { name: "X-Token".to_owned() };
    for (scheme, name, value, expected) in [
        (&Scheme::Bearer, "authorization", "Bearer s3cret".to_owned(), Ok(())),
        (&Scheme::Bearer, "authorization", "bearer  s3cret".to_owned(), Ok(())),
        (&Scheme::Bearer, "authorization", "Bearer s3cre".to_owned(), Err(Rejected::Mismatch)),
        (&Scheme::Bearer, "authorization", "Bearer s3cret2".to_owned(), Err(Rejected::Mismatch)),
        (&Scheme::Bearer, "authorization", "s3cret".to_owned(), Err(malformed("authorization"))),
        (&Scheme::Bearer, "authorization", basic("muster:s3cret"), Err(malformed("authorization"))),
        (&Scheme::Bearer, "x-token", "s3cret".to_owned(), Err(missing("authorization"))),
        (&user, "authorization", basic("muster:s3cret"), Ok(())),
        (&user, "authorization", basic("other:s3cret"), Err(Rejected::Mismatch)),
        (&user, "authorization", basic("muster:"), Err(Rejected::Mismatch)),
        (&user, "authorization", "Basic %%%".to_owned(), Err(malformed("authorization"))),
        (&header, "x-token", "s3cret".to_owned(), Ok(())),
        (&header, "x-token", "S3CRET".to_owned(), Err(Rejected::Mismatch)),
        (&header, "x-other", "s3cret".to_owned(), Err(missing("x-token"))),
    ] {
        let result = ask(scheme, &[b"", b"new", b"s3cret"], &[(name, &value)]);
        assert_eq!(outcome(result), expected, "{scheme:?} {name}: {value}");
    }
}

#[test]
fn a_replay_has_the_key_of_the_first_and_another_delivery_has_not() {
    let pairs = [("authorization", "Bearer s3cret")];
    let key = |body: &[u8]| {
        verify(&Scheme::Bearer, &[b"s3cret"], &Headers::new(&pairs), body, NOW).expect("authentic").replay_key
    };
    assert_eq!(key(b"one"), key(b"one"));
    assert_ne!(key(b"one"), key(b"two"));
}

#[test]
fn a_rejection_says_nothing_about_the_secret() {
    let pairs = [("authorization", "Bearer s3cres")];
    let rejected = ask(&Scheme::Bearer, &[b"s3cret"], &pairs).expect_err("another token");
    assert!(!format!("{rejected} {rejected:?}").contains("s3cre"));
}

#[test]
fn schemes_are_tagged_and_take_no_unknown_members() {
    for (text, expected) in [
        (json!({"type": "standardWebhooks"}), Some(Scheme::StandardWebhooks)),
        (json!({"type": "pagerduty"}), Some(Scheme::Pagerduty)),
        (json!({"type": "grafana"}), Some(Scheme::Grafana { timestamp_header: None })),
        (
            json!({"type": "grafana", "timestampHeader": "x-time"}),
            Some(Scheme::Grafana { timestamp_header: Some("x-time".to_owned()) }),
        ),
        (json!({"type": "slack"}), Some(Scheme::Slack)),
        (json!({"type": "bearer"}), Some(Scheme::Bearer)),
        (json!({"type": "basic", "username": "u"}), Some(Scheme::Basic { username: "u".to_owned() })),
        (json!({"type": "header", "name": "x"}), Some(Scheme::Header { name: "x".to_owned() })),
        (json!({"type": "none"}), None),
        (json!({"type": "basic"}), None),
        (json!({"type": "header", "name": "x", "secret": "y"}), None),
    ] {
        let scheme = serde_json::from_value::<Scheme>(text.clone()).ok();
        assert_eq!(scheme, expected, "{text}");
        if let Some(scheme) = scheme {
            assert_eq!(serde_json::to_value(scheme).expect("JSON"), text);
        }
    }
}

#[test]
fn configured_names_are_checked() {
    for (scheme, pointer) in [
        (Scheme::Header { name: "x-token".to_owned() }, None),
        (Scheme::Header { name: "x token".to_owned() }, Some("/name")),
        (Scheme::Header { name: String::new() }, Some("/name")),
        (Scheme::Grafana { timestamp_header: None }, None),
        (Scheme::Grafana { timestamp_header: Some("a:b".to_owned()) }, Some("/timestampHeader")),
        (Scheme::Basic { username: "muster".to_owned() }, None),
        (Scheme::Basic { username: "mus:ter".to_owned() }, Some("/username")),
        (Scheme::Basic { username: String::new() }, Some("/username")),
        (Scheme::Slack, None),
    ] {
        let faults = scheme.faults();
        assert_eq!(faults.first().map(|fault| fault.pointer.as_str()), pointer, "{scheme:?}");
    }
}

fn schemes() -> Vec<Scheme> {
    let all = [
        json!({"type": "standardWebhooks"}),
        json!({"type": "pagerduty"}),
        json!({"type": "grafana"}),
        json!({"type": "grafana", "timestampHeader": "x-time"}),
        json!({"type": "slack"}),
        json!({"type": "bearer"}),
        json!({"type": "basic", "username": "muster"}),
        json!({"type": "header", "name": "x-token"}),
    ];
    all.into_iter().map(|text: Value| serde_json::from_value(text).expect("a scheme")).collect()
}

fn arbitrary_headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = prop::sample::select(vec![
        "authorization",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "x-pagerduty-signature",
        "x-grafana-alerting-signature",
        "x-time",
        "x-slack-request-timestamp",
        "x-slack-signature",
        "x-token",
    ]);
    let value = prop_oneof![
        any::<String>(),
        Just(STAMP.to_owned()),
        "(Bearer|Basic|v0=|v1=|v1,) ?[A-Za-z0-9+/=,]{0,80}",
    ];
    prop::collection::vec((name.prop_map(str::to_owned), value), 0..12)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn inv_e4_nothing_that_is_presented_panics_or_gets_in(
        headers in arbitrary_headers(),
        body in prop::collection::vec(any::<u8>(), 0..64),
        secret in prop::collection::vec(any::<u8>(), 16..48),
        now in any::<i64>(),
    ) {
        let pairs: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        for scheme in schemes() {
            for now in [NOW, Time::from_millis(now)] {
                prop_assert!(verify(&scheme, &[&secret], &Headers::new(&pairs), &body, now).is_err());
            }
        }
    }
}
