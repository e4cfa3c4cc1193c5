//! Deliveries of monitoring tools at the address of their integration: verified, taken once, and never more than that.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, Mac as _};
use http::Method;
use muster_app::ports::Clock as _;
use muster_app::table::{Key, PageRequest, Query, Record};
use rstest::rstest;
use serde_json::{Value, json};
use sha2::Sha256;

use super::*;
use crate::support::client::Answer;
use crate::support::world::Engine;

/// The value of the secret that integrations of these tests name; a canary, for it must appear nowhere.
pub(crate) const SECRET: &str = "canary-5f2b9c71";
const OLD_SECRET: &str = "canary-old-81aa";

/// An integration of the generic form, which presents its secret in a header.
pub(crate) fn new_integration(change: Value) -> Value {
    let scheme = json!({"type": "header", "name": "X-Key"});
    with(json!({"name": "Alerts", "source": "generic", "scheme": scheme, "secrets": ["hooks/key"]}), change)
}

/// The id of a new integration, whose secret is there.
pub(crate) async fn integration(world: &World, change: Value) -> String {
    keep_secrets(world, &[("hooks/key", SECRET)]);
    let created = bob(world).post("/api/integrations", new_integration(change)).await;
    text(&created.expect(201)["id"])
}

/// A sample of `events/sources`.
pub(crate) fn sample(name: &str) -> Value {
    let path = format!("{}/../events/sources/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

fn keep_secrets(world: &World, secrets: &[(&str, &str)]) {
    use std::os::unix::fs::PermissionsExt as _;
    let path = world.directory.path().join("secrets");
    let lines: String = secrets.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
    std::fs::write(&path, lines).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
}

async fn deliver(
    world: &World,
    integration: &str,
    headers: &[(&'static str, String)],
    body: &[u8],
) -> Answer {
    let client = headers.iter().fold(world.stranger(), |client, (name, value)| client.with(name, value));
    client.send(Method::POST, &format!("/api/hooks/{integration}"), body.to_vec()).await
}

/// With the secret in the header that `new_integration` names.
async fn report(world: &World, integration: &str, body: &Value) -> Value {
    let key = [("x-key", SECRET.to_owned())];
    deliver(world, integration, &key, body.to_string().as_bytes()).await.expect(202)
}

fn hmac(secret: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
    parts.iter().for_each(|part| mac.update(part));
    mac.finalize().into_bytes().to_vec()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// What a sender of this scheme sends along, with `secret`, at the world's time moved by `skew` seconds.
fn proof(world: &World, scheme: &str, secret: &str, skew: i64, body: &[u8]) -> Vec<(&'static str, String)> {
    let at = (world.clock.now().millis() / 1_000 + skew).to_string();
    let secret = secret.as_bytes();
    match scheme {
        "standardWebhooks" => {
            let prefix = format!("msg_1.{at}.");
            let signature = BASE64_STANDARD.encode(hmac(secret, &[prefix.as_bytes(), body]));
            vec![
                ("webhook-id", "msg_1".to_owned()),
                ("webhook-timestamp", at),
                ("webhook-signature", format!("v1,{signature}")),
            ]
        }
        "pagerduty" => vec![("x-pagerduty-signature", format!("v1={}", hex(&hmac(secret, &[body]))))],
        "grafana" => {
            let signature = hex(&hmac(secret, &[at.as_bytes(), b":", body]));
            vec![("x-grafana-alerting-signature", signature), ("x-timestamp", at)]
        }
        "slack" => {
            let prefix = format!("v0:{at}:");
            let signature = hex(&hmac(secret, &[prefix.as_bytes(), body]));
            vec![("x-slack-request-timestamp", at), ("x-slack-signature", format!("v0={signature}"))]
        }
        "bearer" => vec![("authorization", format!("Bearer {}", String::from_utf8_lossy(secret)))],
        "basic" => {
            let pair = BASE64_STANDARD.encode([b"muster:".as_slice(), secret].concat());
            vec![("authorization", format!("Basic {pair}"))]
        }
        "header" => vec![("x-key", String::from_utf8_lossy(secret).into_owned())],
        other => panic!("no scheme: {other}"),
    }
}

fn scheme(name: &str) -> Value {
    match name {
        "grafana" => json!({"type": name, "timestampHeader": "X-Timestamp"}),
        "basic" => json!({"type": name, "username": "muster"}),
        "header" => json!({"type": name, "name": "X-Key"}),
        _ => json!({"type": name}),
    }
}

/// With the scheme that the source itself offers.
async fn of_source(world: &World, source: &str, scheme_name: &str) -> String {
    integration(world, json!({"source": source, "scheme": scheme(scheme_name), "teamId": "ops"})).await
}

async fn send(world: &World, id: &str, scheme_name: &str, body: &Value) -> Answer {
    let body = body.to_string();
    let proof = proof(world, scheme_name, SECRET, 0, body.as_bytes());
    deliver(world, id, &proof, body.as_bytes()).await
}

async fn incidents(world: &World) -> Vec<Value> {
    bob(world).get("/api/incidents?limit=100").await.expect(200)["items"].as_array().unwrap().clone()
}

async fn status_of(world: &World, incident: &Value) -> String {
    let path = format!("/api/incidents/{}", text(incident));
    text(&bob(world).get(&path).await.expect(200)["status"])
}

fn file_names() -> Vec<String> {
    let directory = format!("{}/../events/sources", env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(directory).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".json").map(str::to_owned))
        .collect();
    names.sort_unstable();
    names
}

/// Which source a sample is of, and the scheme it is delivered under here.
fn source_of(sample: &str) -> (&'static str, &'static str) {
    let kinds = [
        ("cloudwatch", "cloudwatch", "basic"),
        ("pagerduty", "pagerduty", "pagerduty"),
        ("alertmanager", "alertmanager", "bearer"),
        ("grafana", "grafana", "grafana"),
        ("datadog", "datadog", "header"),
        ("aws-health", "awsHealth", "standardWebhooks"),
        ("generic", "generic", "slack"),
    ];
    let (_, source, scheme) =
        kinds.into_iter().find(|(start, ..)| sample.starts_with(start)).unwrap_or_else(|| panic!("{sample}"));
    (source, scheme)
}

#[rstest]
#[tokio::test]
async fn every_sample_is_taken_at_its_hook(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    for name in file_names() {
        let (source, scheme) = source_of(&name);
        let id = of_source(&world, source, scheme).await;
        let answer = send(&world, &id, scheme, &sample(&name)).await;
        assert_eq!(answer.status, 202, "{name}: {}", answer.text);
        let body = answer.json();
        let outcomes = body["accepted"].as_u64().unwrap() + body["ignored"].as_array().unwrap().len() as u64;
        assert!(outcomes > 0, "{name}: {body}");
    }
}

/// The firing and the resolution of one alert, as samples.
const PAIRS: [(&str, &str); 8] = [
    ("cloudwatch-event-alarm", "cloudwatch-event-ok"),
    ("cloudwatch-action-alarm", "cloudwatch-action-ok"),
    ("pagerduty-webhook-triggered", "pagerduty-webhook-resolved"),
    ("alertmanager-firing", "alertmanager-resolved"),
    ("grafana-firing", "grafana-resolved"),
    ("datadog-webhook-triggered", "datadog-webhook-recovered"),
    ("aws-health-event-open", "aws-health-event-closed"),
    ("generic-trigger", "generic-resolve"),
];

#[rstest]
#[tokio::test]
async fn a_firing_and_its_resolution_meet_in_one_incident(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    for (firing, resolution) in PAIRS {
        let (source, scheme) = source_of(firing);
        let id = of_source(&world, source, scheme).await;
        let fired = send(&world, &id, scheme, &sample(firing)).await.expect(202);
        world.clock.advance(Duration::from_secs(1));
        let resolved = send_again(&world, &id, scheme, &sample(resolution)).await;
        let about = resolved["incidents"].as_array().unwrap();
        assert!(!about.is_empty(), "{resolution}: {resolved}");
        for incident in about {
            assert!(
                fired["incidents"].as_array().unwrap().contains(incident),
                "{firing}: {fired} {resolved}"
            );
            let path = format!("/api/incidents/{}", text(incident));
            let stored = bob(&world).get(&path).await.expect(200);
            assert_eq!(stored["status"], "RESOLVED", "{resolution}");
            assert_eq!(stored["createdBy"], format!("muster|{source}"));
            assert_eq!(stored["teamId"], "ops");
            assert_eq!(stored["metadata"]["source"], source);
        }
    }
}

/// As `send`, under another id where the scheme names deliveries.
async fn send_again(world: &World, id: &str, scheme: &str, body: &Value) -> Value {
    let text = body.to_string();
    let headers = match scheme {
        "standardWebhooks" => {
            let at = (world.clock.now().millis() / 1_000).to_string();
            let prefix = format!("msg_2.{at}.");
            let signature =
                BASE64_STANDARD.encode(hmac(SECRET.as_bytes(), &[prefix.as_bytes(), text.as_bytes()]));
            vec![
                ("webhook-id", "msg_2".to_owned()),
                ("webhook-timestamp", at),
                ("webhook-signature", format!("v1,{signature}")),
            ]
        }
        _ => proof(world, scheme, SECRET, 0, text.as_bytes()),
    };
    deliver(world, id, &headers, text.as_bytes()).await.expect(202)
}

#[rstest]
#[tokio::test]
async fn inv_b6_duplicates_and_replays_open_one_incident(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let mut expected = 0;
    for (firing, resolution) in PAIRS {
        let (source, scheme) = source_of(firing);
        let id = of_source(&world, source, scheme).await;
        let first = send(&world, &id, scheme, &sample(firing)).await.expect(202);
        expected += first["incidents"].as_array().unwrap().len();
        for _ in 0..2 {
            let repeat = send(&world, &id, scheme, &sample(firing)).await.expect(202);
            assert_eq!(repeat["accepted"], 0, "{firing}: {repeat}");
        }
        assert_eq!(incidents(&world).await.len(), expected, "{firing}");
        world.clock.advance(Duration::from_secs(1));
        send_again(&world, &id, scheme, &sample(resolution)).await;
        // The old firing, told again after the end, is still the one that was dealt with.
        send_again(&world, &id, scheme, &sample(firing)).await;
        assert_eq!(incidents(&world).await.len(), expected, "{firing} after {resolution}");
        world.clock.advance(Duration::from_secs(1));
    }
}

#[rstest]
#[tokio::test]
async fn an_undated_alert_of_the_generic_form_may_fire_again(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = integration(&world, json!({})).await;
    let payload = json!({"summary": "Disk full", "source": "db-1", "severity": "warning"});
    let alert = |action: &str| json!({"event_action": action, "dedup_key": "disk", "payload": payload});
    let first = report(&world, &id, &alert("trigger")).await["incidents"][0].clone();
    assert_eq!(report(&world, &id, &alert("trigger")).await["incidents"][0], first, "it is open still");
    report(&world, &id, &alert("acknowledge")).await;
    assert_eq!(status_of(&world, &first).await, "ACKNOWLEDGED");
    report(&world, &id, &alert("resolve")).await;
    let late = report(&world, &id, &alert("acknowledge")).await;
    assert_eq!((&late["accepted"], status_of(&world, &first).await.as_str()), (&json!(0), "RESOLVED"));
    let second = report(&world, &id, &alert("trigger")).await["incidents"][0].clone();
    assert_ne!(first, second);
    report(&world, &id, &alert("resolve")).await;
    assert_eq!(status_of(&world, &second).await, "RESOLVED");
}

/// A sender that got no answer repeats itself; one that has something to say is heard, however alike it sounds.
#[rstest]
#[tokio::test]
async fn an_undated_report_that_is_sent_again_counts_once(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = integration(&world, json!({})).await;
    let payload = json!({"summary": "Disk full", "source": "db-1", "severity": "warning"});
    let alert = |action: &str| json!({"event_action": action, "dedup_key": "disk", "payload": payload});
    let check = async |action: &str, expected: u64| {
        let answer = report(&world, &id, &alert(action)).await;
        assert_eq!(answer["accepted"], expected, "{action}: {answer}");
        answer["incidents"][0].clone()
    };
    let first = check("trigger", 1).await;
    assert_eq!(check("trigger", 0).await, first);
    assert_eq!(alert_of(&world, &id).await.firings, 1);
    world.clock.advance(Duration::from_secs(5 * 60));
    check("trigger", 0).await;
    world.clock.advance(Duration::from_secs(1));
    check("trigger", 1).await;
    assert_eq!(alert_of(&world, &id).await.firings, 2, "it still fires");
    check("acknowledge", 1).await;
    check("acknowledge", 0).await;
    check("trigger", 1).await;
    check("resolve", 1).await;
    check("resolve", 0).await;
    let second = check("trigger", 1).await;
    assert_ne!(second, first, "it fires again");
    let path = format!("/api/incidents/{}", text(&second));
    bob(&world).patch(&path, json!({"status": "RESOLVED"})).await.expect(200);
    assert_ne!(check("trigger", 1).await, second, "what a person closed may fire again at once");
}

#[rstest]
#[tokio::test]
async fn an_alert_without_a_key_is_known_by_what_describes_it(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = integration(&world, json!({})).await;
    let alert = |summary: &str, severity: &str| {
        let payload = json!({"summary": summary, "source": "db-1", "severity": severity});
        json!({"event_action": "trigger", "payload": payload})
    };
    let first = report(&world, &id, &alert("Disk full", "warning")).await;
    assert_eq!(report(&world, &id, &alert("Disk full", "warning")).await["accepted"], 0, "sent again");
    let worse = report(&world, &id, &alert("Disk full", "critical")).await;
    assert_eq!((&worse["accepted"], &worse["incidents"]), (&json!(1), &first["incidents"]));
    let other = report(&world, &id, &alert("Disk slow", "warning")).await;
    assert_ne!(other["incidents"], first["incidents"]);
    let path = format!("/api/incidents/{}", text(&first["incidents"][0]));
    let fingerprint = bob(&world).get(&path).await.expect(200)["metadata"]["fingerprint"].clone();
    let resolve = json!({"event_action": "resolve", "dedup_key": fingerprint});
    assert_eq!(report(&world, &id, &resolve).await["incidents"], first["incidents"]);
    assert_eq!(status_of(&world, &first["incidents"][0]).await, "RESOLVED");
}

/// With a name for each delivery, even a repeat that comes late and out of order is known.
#[rstest]
#[tokio::test]
async fn a_delivery_under_an_idempotency_key_is_taken_once(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = integration(&world, json!({})).await;
    let payload = json!({"summary": "Disk full", "source": "db-1", "severity": "warning"});
    let alert = |action: &str| json!({"event_action": action, "dedup_key": "disk", "payload": payload});
    let check = async |key: &str, action: &str, expected: u64| {
        let headers = [("x-key", SECRET.to_owned()), ("idempotency-key", key.to_owned())];
        let body = alert(action).to_string();
        let answer = deliver(&world, &id, &headers, body.as_bytes()).await.expect(202);
        assert_eq!(answer["accepted"], expected, "{action} under {key}: {answer}");
    };
    check("1", "trigger", 1).await;
    check("2", "resolve", 1).await;
    check("1", "trigger", 0).await;
    assert_eq!(incidents(&world).await.len(), 1, "the late repeat opens nothing");
    check("3", "trigger", 1).await;
    assert_eq!(incidents(&world).await.len(), 2);
    check("3", "resolve", 1).await;
    check("2", "resolve", 0).await;
    check(&"k".repeat(256), "trigger", 1).await;
    world.clock.advance(Duration::from_secs(24 * 3_600));
    check("2", "resolve", 1).await;
}

#[rstest]
#[tokio::test]
async fn a_firing_raises_the_priority_and_never_lowers_it(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = integration(&world, json!({})).await;
    for (severity, expected) in [("warning", "MEDIUM"), ("critical", "CRITICAL"), ("info", "CRITICAL")] {
        let payload = json!({"summary": "Disk full", "source": "db-1", "severity": severity});
        let alert = json!({"event_action": "trigger", "dedup_key": "disk", "payload": payload});
        let incident = report(&world, &id, &alert).await["incidents"][0].clone();
        let path = format!("/api/incidents/{}", text(&incident));
        assert_eq!(bob(&world).get(&path).await.expect(200)["priority"], expected);
    }
    assert_eq!(incidents(&world).await.len(), 1);
}

#[rstest]
#[tokio::test]
async fn a_resolution_of_what_never_fired_is_ignored_with_its_reason(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = integration(&world, json!({})).await;
    let answer = report(&world, &id, &sample("generic-resolve")).await;
    assert_eq!(answer["accepted"], 0);
    assert_eq!(answer["ignored"][0]["reason"], "no incident was opened for this alert");
    assert!(incidents(&world).await.is_empty());
}

const SCHEMES: [&str; 7] = ["standardWebhooks", "pagerduty", "grafana", "slack", "bearer", "basic", "header"];

#[rstest]
#[tokio::test]
async fn a_wrong_missing_or_stale_proof_is_401_and_stores_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let body = sample("generic-trigger").to_string();
    for name in SCHEMES {
        let id = integration(&world, json!({"scheme": scheme(name)})).await;
        let wrong = proof(&world, name, "guess", 0, body.as_bytes());
        let other_body = proof(&world, name, SECRET, 0, b"{}");
        let mut refused = vec![Vec::new(), wrong];
        if !["bearer", "basic", "header"].contains(&name) {
            refused.push(other_body);
        }
        if ["standardWebhooks", "grafana", "slack"].contains(&name) {
            refused.push(proof(&world, name, SECRET, -301, body.as_bytes()));
            refused.push(proof(&world, name, SECRET, 301, body.as_bytes()));
        }
        let mut details = Vec::new();
        for headers in refused {
            let answer = deliver(&world, &id, &headers, body.as_bytes()).await;
            assert!(!answer.header("www-authenticate").is_empty());
            details.push(answer.expect_problem(401, "unauthenticated")["detail"].clone());
        }
        details.dedup();
        assert_eq!(details.len(), 1, "{name} tells nobody what was wrong: {details:?}");
        assert!(incidents(&world).await.is_empty(), "{name}");
    }
    let id = integration(&world, json!({})).await;
    assert_eq!(
        report(&world, &id, &sample("generic-trigger")).await["accepted"],
        1,
        "nothing was kept of them"
    );
}

#[rstest]
#[tokio::test]
async fn a_secret_is_changed_without_a_gap(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let both = json!({"secrets": ["hooks/new", "hooks/old"]});
    let created = bob(&world).post("/api/integrations", new_integration(both)).await.expect(201);
    let id = text(&created["id"]);
    let path = format!("/api/integrations/{id}");
    keep_secrets(&world, &[("hooks/old", OLD_SECRET), ("hooks/new", SECRET)]);
    for (names, secret, expected) in [
        (["hooks/new", "hooks/old"].as_slice(), OLD_SECRET, 202),
        (&["hooks/new", "hooks/old"], SECRET, 202),
        (&["hooks/new"], SECRET, 202),
        (&["hooks/new"], OLD_SECRET, 401),
        (&["hooks/absent"], OLD_SECRET, 401),
        (&["hooks/absent", "hooks/new"], SECRET, 202),
    ] {
        bob(&world).put(&path, new_integration(json!({"secrets": names}))).await.expect(200);
        let body = sample("generic-trigger").to_string();
        let answer = deliver(&world, &id, &[("x-key", secret.to_owned())], body.as_bytes()).await;
        assert_eq!(answer.status, expected, "{names:?} and {secret}");
    }
}

#[rstest]
#[tokio::test]
async fn secrets_that_cannot_be_read_are_503_and_the_sender_repeats(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    use std::os::unix::fs::PermissionsExt as _;
    let world = World::on(engine).await;
    let id = integration(&world, json!({})).await;
    let path = world.directory.path().join("secrets");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    let body = sample("generic-trigger").to_string();
    let answer = deliver(&world, &id, &[("x-key", SECRET.to_owned())], body.as_bytes()).await;
    answer.expect_problem(503, "unavailable");
    keep_secrets(&world, &[("hooks/key", SECRET)]);
    assert_eq!(report(&world, &id, &sample("generic-trigger")).await["accepted"], 1);
}

#[rstest]
#[tokio::test]
async fn what_is_disabled_deleted_or_unknown_is_404(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = integration(&world, json!({"enabled": false})).await;
    let body = sample("generic-trigger").to_string();
    let key = [("x-key", SECRET.to_owned())];
    deliver(&world, &id, &key, body.as_bytes()).await.expect_problem(404, "not-found");
    let path = format!("/api/integrations/{id}");
    bob(&world).put(&path, new_integration(json!({}))).await.expect(200);
    deliver(&world, &id, &key, body.as_bytes()).await.expect(202);
    assert_eq!(bob(&world).delete(&path).await.status, 204);
    deliver(&world, &id, &key, body.as_bytes()).await.expect_problem(404, "not-found");
    for unknown in ["int_01J9Z3X4C6D8E0F2G4H6J8K0M2", "nothing", "rb_01J9Z3X4C6D8E0F2G4H6J8K0M2"] {
        deliver(&world, unknown, &key, body.as_bytes()).await.expect_problem(404, "not-found");
    }
}

#[rstest]
#[tokio::test]
async fn two_firings_at_once_open_one_incident(#[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine) {
    let world = World::on(engine).await;
    let id = integration(&world, json!({})).await;
    let alert = |n: usize| {
        let payload = json!({"summary": format!("Disk full {n}"), "source": "db-1", "severity": "error"});
        json!({"event_action": "trigger", "dedup_key": "disk", "payload": payload})
    };
    let alerts: Vec<Value> = (0..6).map(alert).collect();
    let reports = alerts.iter().map(|alert| report(&world, &id, alert));
    let answers = futures::future::join_all(reports).await;
    let [incident] = incidents(&world).await.try_into().unwrap();
    for answer in answers {
        assert_eq!(answer["incidents"], json!([incident["id"]]), "{answer}");
    }
    // All six are counted, whatever order they came in.
    let stored = alert_of(&world, &id).await;
    assert_eq!(stored.firings, 6);
}

async fn alert_of(world: &World, integration: &str) -> muster_domain::integration::Alert {
    let digest = muster_domain::digest::Digest::of_json(&json!(["alert", integration, "disk"]));
    let table = world.table.get(&Key::Alert(digest)).await.unwrap().unwrap();
    table.typed().unwrap().value
}

#[rstest]
#[tokio::test]
async fn a_delivery_of_256_kib_is_read_and_one_more_byte_is_413(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = integration(&world, json!({})).await;
    let key = [("x-key", SECRET.to_owned())];
    let mut body = sample("generic-trigger").to_string().into_bytes();
    body.resize(256 * 1024, b' ');
    deliver(&world, &id, &key, &body).await.expect(202);
    body.push(b' ');
    deliver(&world, &id, &key, &body).await.expect_problem(413, "too-large");
}

#[rstest]
#[tokio::test]
async fn inv_e4_hostile_bodies_are_4xx_and_store_nothing(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let deep = "[".repeat(100_000);
    let bodies: Vec<Vec<u8>> = vec![
        Vec::new(),
        b"{".to_vec(),
        b"null".to_vec(),
        b"[]".to_vec(),
        b"{}".to_vec(),
        vec![0xff; 1_000],
        deep.into_bytes(),
        br#"{"alerts": 1}"#.to_vec(),
        br#"{"event_action": "trigger"}"#.to_vec(),
        br#"{"event_action": {"a": 1e999}}"#.to_vec(),
        br#"{"event": {"data": []}, "alerts": {}}"#.to_vec(),
    ];
    for source in ["cloudwatch", "pagerduty", "alertmanager", "grafana", "datadog", "awsHealth", "generic"] {
        let id = integration(&world, json!({"source": source})).await;
        for body in &bodies {
            let answer = deliver(&world, &id, &[("x-key", SECRET.to_owned())], body).await;
            let seen = String::from_utf8_lossy(body).chars().take(40).collect::<String>();
            let problem = answer.expect_problem(400, "invalid");
            assert!(problem["errors"][0]["message"].as_str().unwrap().contains("; "), "{source} {seen}");
        }
    }
    assert!(incidents(&world).await.is_empty());
}

#[rstest]
#[tokio::test]
async fn a_report_larger_than_an_incident_keeps_what_matters(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let id = integration(&world, json!({})).await;
    let mut details: serde_json::Map<String, Value> =
        (0..60).map(|n| (format!("label-{n:02}"), json!("é".repeat(1_000)))).collect();
    details.insert("service".into(), json!("checkout"));
    let links: Vec<Value> =
        (0..16).map(|n| json!({"href": format!("https://a.example/{n}/{}", "a".repeat(2_000))})).collect();
    let payload = json!({"summary": "S", "source": "db", "severity": "error", "custom_details": details});
    let alert = json!({"event_action": "trigger", "dedup_key": "disk", "links": links, "payload": payload});
    let incident = report(&world, &id, &alert).await["incidents"][0].clone();
    let stored = bob(&world).get(&format!("/api/incidents/{}", text(&incident))).await.expect(200);
    let metadata = &stored["metadata"];
    assert_eq!(metadata["service"], "checkout");
    assert!(metadata["labels"].as_object().is_some_and(|labels| !labels.is_empty()), "{metadata}");
    assert!(metadata.to_string().len() <= 16 * 1024);
}

#[rstest]
#[tokio::test]
async fn inv_f3_the_secret_of_a_hook_appears_nowhere(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    for name in SCHEMES {
        let id = integration(&world, json!({"scheme": scheme(name), "teamId": "ops"})).await;
        let good = send(&world, &id, name, &sample("generic-trigger")).await;
        assert_eq!(good.status, 202, "{}", good.text);
        let bad = send(&world, &id, name, &json!({"event_action": "x"})).await;
        let shown = bob(&world).get(&format!("/api/integrations/{id}")).await;
        let audit = bob(&world).get(&format!("/api/audit/{id}")).await;
        for answer in [good, bad, shown, audit] {
            assert!(!answer.text.contains("canary"), "{}", answer.text);
        }
    }
    for record in every_record(&world).await {
        assert!(!format!("{record:?}").contains("canary"), "{record:?}");
    }
}

async fn every_record(world: &World) -> Vec<Record> {
    let request = PageRequest { limit: 100, order: muster_app::table::Order::Ascending, after: None };
    let mut records = Vec::new();
    let day = "2026-03-01".to_owned();
    let team: Option<muster_domain::ids::TeamId> = Some("ops".parse().unwrap());
    for query in [Query::Integrations, Query::Incidents, Query::AuditOfDay { team, day }] {
        records.extend(world.table.query(&query, &request).await.unwrap().records);
    }
    assert!(records.len() > 3 * SCHEMES.len() - 1);
    records.into_iter().map(|stored| stored.record).collect()
}

#[rstest]
#[tokio::test]
async fn an_integration_is_written_read_changed_and_deleted(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let new = new_integration(json!({"teamId": "ops"}));
    let created = ann(&world).post("/api/integrations", new.clone()).await;
    assert_eq!(created.header("etag"), "\"1\"");
    let body = created.clone().expect(201);
    let id = text(&body["id"]);
    assert_eq!(created.header("location"), format!("/api/integrations/{id}"));
    assert_eq!(body["deliveryPath"], format!("/api/hooks/{id}"));
    assert_eq!(body["secrets"], json!(["hooks/key"]));
    let path = format!("/api/integrations/{id}");
    assert_eq!(ann(&world).get(&path).await.expect(200), body);
    let listed = ann(&world).get("/api/integrations?teamId=ops").await.expect(200);
    assert_eq!(listed["items"], json!([body]));
    let same = ann(&world).put(&path, new.clone()).await;
    assert_eq!(same.header("etag"), "\"1\"", "the same again changes nothing");
    let renamed = with(new.clone(), json!({"name": "Renamed"}));
    assert_eq!(
        ann(&world).with("if-match", "\"1\"").put(&path, renamed.clone()).await.header("etag"),
        "\"2\""
    );
    ann(&world).with("if-match", "\"1\"").put(&path, renamed).await.expect_problem(412, "stale");
    ann(&world).put(&path, with(new.clone(), json!({"teamId": "web"}))).await.expect_problem(400, "invalid");
    assert_eq!(ann(&world).delete(&path).await.status, 204);
    ann(&world).get(&path).await.expect_problem(404, "not-found");
    assert_eq!(ann(&world).get("/api/integrations?teamId=ops").await.expect(200)["items"], json!([]));
    let chain = ann(&world).get(&format!("/api/audit/{id}")).await.expect(200);
    let actions: Vec<&Value> =
        chain["entries"].as_array().unwrap().iter().map(|entry| &entry["action"]).collect();
    assert_eq!(actions, ["integration.created", "integration.updated", "integration.deleted"]);
}

#[tokio::test]
async fn inv_c7_a_faulty_integration_is_refused_with_every_place() {
    let world = World::sqlite().await;
    let check = async |change: Value, pointer: &str| {
        let answer = ann(&world)
            .post("/api/integrations", new_integration(with(json!({"teamId": "ops"}), change)))
            .await;
        let problem = answer.expect_problem(400, "invalid");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{problem}");
    };
    check(json!({"name": ""}), "/name").await;
    check(json!({"secrets": []}), "/secrets").await;
    check(json!({"secrets": ["a", "b", "c"]}), "/secrets").await;
    check(json!({"secrets": ["a", "a"]}), "/secrets/1").await;
    check(json!({"secrets": ["a b"]}), "/secrets/0").await;
    check(json!({"scheme": {"type": "header", "name": "a b"}}), "/scheme/name").await;
    check(json!({"scheme": {"type": "none"}}), "/scheme/type").await;
    check(json!({"source": "smoke"}), "/source").await;
    check(json!({"secret": "s3cret"}), "/secret").await;
}

#[rstest]
#[tokio::test]
async fn an_event_of_the_bus_is_put_in_where_there_is_no_bus(
    #[values(Engine::Sqlite, Engine::Dynamo)] engine: Engine,
) {
    let world = World::on(engine).await;
    let alarm = sample("cloudwatch-event-alarm");
    for _ in 0..2 {
        bob(&world).post("/api/events", alarm.clone()).await.expect(202);
    }
    assert_eq!(incidents(&world).await.len(), 1);
    bob(&world).post("/api/events", sample("cloudwatch-event-ok")).await.expect(202);
    assert_eq!(incidents(&world).await[0]["status"], "RESOLVED");
    bob(&world).send(Method::POST, "/api/events", b"no event".to_vec()).await.expect(202);
}
