//! Secrets reach the receiver and nothing else (INVARIANTS F3).

use muster_domain::outcome::Outcome;
use muster_domain::request::{HeaderValue, RenderedRequest, RequestUrl, WebhookAuth};
use muster_domain::secret::SecretRef;

use crate::receiver::{Behaviour, Receiver};
use crate::sender::{FixedSecrets, Mood, Names, Sender, request};

const CANARY: &str = "canary-3f9a/+\"x";
/// Base64 of `ops:` and the canary.
const CANARY_TOKEN: &str = "b3BzOmNhbmFyeS0zZjlhLysieA";

fn secret(name: &str) -> SecretRef {
    SecretRef { name: name.parse().unwrap() }
}

fn with_auth(url: String, auth: WebhookAuth) -> RenderedRequest {
    RenderedRequest { auth, ..request(url) }
}

#[tokio::test]
async fn inv_f3_a_receiver_that_echoes_the_request_gives_no_secret_away() {
    let mut receiver = Receiver::start(Behaviour::Echo).await;
    let secrets = FixedSecrets::holding(&[("canary", CANARY)]);
    let sender = Sender::with(&[format!("127.0.0.1:{}", receiver.port())], Names::default(), secrets);
    let in_header = RenderedRequest {
        headers: vec![("X-Token".into(), HeaderValue::Secret(secret("canary")))],
        ..request(receiver.url())
    };
    let basic = WebhookAuth::Basic { username: "ops".into(), password: secret("canary") };
    let bearer = WebhookAuth::Bearer { token: secret("canary") };
    let api_key = WebhookAuth::ApiKey { header: "X-Key".into(), key: secret("canary") };
    for (request, sent) in [
        (in_header, CANARY),
        (with_auth(receiver.url(), basic), CANARY_TOKEN),
        (with_auth(receiver.url(), bearer), CANARY),
        (with_auth(receiver.url(), api_key), CANARY),
    ] {
        let outcome = sender.send(&request).await;
        assert!(receiver.request().await.contains(sent), "the receiver must get the secret");
        let Outcome::Answered { status: 200, body, .. } = outcome else { panic!("{outcome:?}") };
        assert!(body.contains("[redacted]"), "{body}");
        assert!(!body.contains("canary") && !body.contains(CANARY_TOKEN), "{body}");
    }
}

#[tokio::test]
async fn inv_f3_a_secret_cut_by_the_bound_of_the_body_leaves_no_part() {
    let receiver = Receiver::start(Behaviour::Recite).await;
    let secrets = FixedSecrets::holding(&[("canary", CANARY)]);
    let sender = Sender::with(&[format!("127.0.0.1:{}", receiver.port())], Names::default(), secrets);
    for before in 64 * 1024 - CANARY.len() + 1..64 * 1024 {
        let mut request = with_auth(receiver.url(), WebhookAuth::Bearer { token: secret("canary") });
        let filler = "-".repeat(before);
        request.body = format!("HTTP/1.1 200 OK\r\n\r\n{filler}{CANARY}{filler}");
        let Outcome::Answered { body, truncated: true, .. } = sender.send(&request).await else {
            panic!("cut")
        };
        let kept = body.trim_matches('-');
        assert!("[redacted]".starts_with(kept), "{kept}");
    }
}

#[tokio::test]
async fn a_secret_that_is_not_there_is_refused_by_name_before_anything_is_sent() {
    let receiver = Receiver::start(Behaviour::Echo).await;
    let sender = Sender::allowing(&[format!("127.0.0.1:{}", receiver.port())]);
    let request = with_auth(receiver.url(), WebhookAuth::Bearer { token: secret("slack/token") });
    let expected = Outcome::Refused { reason: "there is no secret named slack/token".into() };
    assert_eq!(sender.send(&request).await, expected);
    assert_eq!(receiver.connections(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_fails_or_hangs_leaves_the_call_unsent() {
    for (mood, reason) in [
        (Mood::Failing, "reading the secret key: the store is down"),
        (Mood::Hanging, "reading the secrets timed out"),
    ] {
        let sender = Sender::with(&[], Names::default(), FixedSecrets::in_mood(mood));
        let request = with_auth("https://example.com/".into(), WebhookAuth::Bearer { token: secret("key") });
        assert_eq!(sender.send(&request).await, Outcome::Unsent { reason: reason.into() });
        assert_eq!(sender.names.asked(), 0);
    }
}

#[tokio::test]
async fn inv_f3_no_secret_is_read_for_a_url_that_is_refused_and_each_is_read_once() {
    let secrets = FixedSecrets::holding(&[("key", CANARY)]);
    let sender = Sender::with(&[], Names::default(), secrets);
    let twice = |url: &str| RenderedRequest {
        headers: vec![("X-Token".into(), HeaderValue::Secret(secret("key")))],
        auth: WebhookAuth::Bearer { token: secret("key") },
        ..request(url)
    };
    assert!(matches!(sender.send(&twice("http://10.0.0.1/")).await, Outcome::Refused { .. }));
    assert_eq!(sender.secrets.reads(), 0);
    assert!(matches!(sender.send(&twice("http://receiver.test/")).await, Outcome::Unsent { .. }));
    assert_eq!(sender.secrets.reads(), 1);
}

fn to_secret_url() -> RenderedRequest {
    RenderedRequest { url: RequestUrl::Secret(secret("hook")), ..request("") }
}

#[tokio::test]
async fn inv_f3_a_url_that_is_a_secret_is_called_and_an_echo_does_not_give_it_away() {
    let mut receiver = Receiver::start(Behaviour::Echo).await;
    let url = format!("http://127.0.0.1:{}/services/T000/canary-path?sig=canary-signature", receiver.port());
    let secrets = FixedSecrets::holding(&[("hook", &url)]);
    let sender = Sender::with(&[format!("127.0.0.1:{}", receiver.port())], Names::default(), secrets);
    let outcome = sender.send(&to_secret_url()).await;
    assert!(receiver.request().await.contains("/services/T000/canary-path?sig=canary-signature"));
    let Outcome::Answered { status: 200, body, .. } = outcome else { panic!("{outcome:?}") };
    assert!(body.contains("[redacted]") && !body.contains("canary"), "{body}");
}

#[tokio::test]
async fn inv_d1_a_url_that_is_a_secret_passes_the_same_guard_and_is_not_shown() {
    for (url, names, why) in [
        ("http://10.0.0.1/canary", &[][..], "leads to a host that may not be called"),
        ("http://canary.localhost/", &[], "leads to a host that may not be called"),
        ("ftp://canary.test/", &[], "does not start with `http://` or `https://`"),
        ("canary", &[], "does not start with `http://` or `https://`"),
        ("https://u:canary@x.test/", &[], "holds a user name or password: use the webhook's auth instead"),
    ] {
        let secrets = FixedSecrets::holding(&[("hook", url)]);
        let sender = Sender::with(&[], Names::answering(names), secrets);
        let reason = format!("the URL in the secret hook {why}");
        assert_eq!(sender.send(&to_secret_url()).await, Outcome::Refused { reason }, "{url}");
    }
    let secrets = FixedSecrets::holding(&[("hook", "https://canary.test/canary-path")]);
    let sender = Sender::with(&[], Names::answering(&[&["10.0.0.1"]]), secrets);
    let outcome = sender.send(&to_secret_url()).await;
    let Outcome::Refused { reason } = outcome else { panic!("{outcome:?}") };
    assert!(reason.starts_with("the host [redacted] has the address 10.0.0.1"), "{reason}");
}

#[tokio::test(start_paused = true)]
async fn inv_f3_a_failure_to_connect_does_not_name_a_url_that_is_a_secret() {
    for url in ["http://canary.test:9/canary-path", "http://canary-unknown.test/"] {
        let secrets = FixedSecrets::holding(&[("hook", url)]);
        let names =
            if url.contains("unknown") { Names::default() } else { Names::answering(&[&["192.0.2.1"]]) };
        let outcome = Sender::with(&[], names, secrets).send(&to_secret_url()).await;
        assert!(!format!("{outcome:?}").contains("canary"), "{outcome:?}");
    }
}
