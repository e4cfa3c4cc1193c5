use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::time::Time;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../events/sources")
}

/// Name and bytes of every sample.
fn samples() -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(folder()).expect("events/sources").map(|entry| entry.expect("an entry").path());
    let read = |path: PathBuf| {
        let name = path.file_stem().expect("a name").to_string_lossy().into_owned();
        (name, fs::read(&path).expect("readable"))
    };
    files.map(read).collect()
}

/// A sample's source is the start of its name.
fn source_of(name: &str) -> Source {
    let named = |source: &Source| name.starts_with(&source.as_str().replace("awsHealth", "aws-health"));
    Source::ALL.into_iter().find(named).unwrap_or_else(|| panic!("{name} names no source"))
}

fn sample(name: &str) -> Decoded {
    let body =
        fs::read(folder().join(format!("{name}.json"))).unwrap_or_else(|error| panic!("{name}: {error}"));
    decode(source_of(name), &body).unwrap_or_else(|undecodable| panic!("{name}: {undecodable}"))
}

fn only(decoded: Decoded) -> Signal {
    let [signal] = <[Signal; 1]>::try_from(decoded.signals).expect("one signal");
    signal
}

fn decode_json(source: Source, body: &Value) -> Decoded {
    decode(source, body.to_string().as_bytes()).unwrap_or_else(|undecodable| panic!("{undecodable}"))
}

fn check_undecodable(source: Source, body: &str, message: &str) {
    let undecodable = decode(source, body.as_bytes()).expect_err(body);
    assert!(undecodable.to_string().contains(message), "{body}: {undecodable}");
}

#[test]
fn every_sample_is_decoded() {
    for (name, body) in samples() {
        let decoded =
            decode(source_of(&name), &body).unwrap_or_else(|undecodable| panic!("{name}: {undecodable}"));
        insta::assert_json_snapshot!(name, decoded);
    }
}

#[test]
fn every_source_has_samples() {
    let present: BTreeSet<Source> = samples().keys().map(|name| source_of(name)).collect();
    assert_eq!(present, Source::ALL.into_iter().collect());
}

#[test]
fn what_fires_and_what_ends_it_meet_by_fingerprint() {
    for (firing, end) in [
        ("cloudwatch-event-alarm", "cloudwatch-event-ok"),
        ("cloudwatch-action-alarm", "cloudwatch-action-ok"),
        ("cloudwatch-sns-records", "cloudwatch-sns-http-ok"),
        ("cloudwatch-sns-raw-alarm", "cloudwatch-sns-http-ok"),
        ("cloudwatch-event-alarm", "cloudwatch-sns-http-ok"),
        ("cloudwatch-event-contributor-alarm", "cloudwatch-event-contributor-ok"),
        ("pagerduty-webhook-triggered", "pagerduty-webhook-resolved"),
        ("pagerduty-bus-triggered", "pagerduty-webhook-resolved"),
        ("pagerduty-bus-older-trigger", "pagerduty-bus-older-resolve"),
        ("alertmanager-firing", "alertmanager-resolved"),
        ("grafana-firing", "grafana-resolved"),
        ("datadog-bus-triggered", "datadog-bus-recovered"),
        ("datadog-webhook-triggered", "datadog-webhook-recovered"),
        ("aws-health-event-open", "aws-health-event-closed"),
        ("generic-trigger", "generic-resolve"),
    ] {
        let (firing, end) = (sample(firing), sample(end));
        for (fired, ended) in firing.signals.iter().zip(&end.signals) {
            assert_eq!((fired.status, ended.status), (SignalStatus::Firing, SignalStatus::Resolved));
            assert_eq!(fired.fingerprint, ended.fingerprint, "{}", fired.title);
            assert_ne!(fired.delivery, ended.delivery, "{}", fired.title);
        }
        assert_eq!(firing.signals.len(), end.signals.len());
    }
}

#[test]
fn different_alerts_have_different_fingerprints() {
    let alerts = sample("alertmanager-firing").signals;
    assert_eq!(alerts.iter().map(|signal| &signal.fingerprint).collect::<BTreeSet<_>>().len(), 2);
    assert_eq!(alerts.iter().map(|signal| &signal.delivery).collect::<BTreeSet<_>>().len(), 2);

    let mut other: Value =
        serde_json::from_slice(&fs::read(folder().join("datadog-bus-triggered.json")).expect("a sample"))
            .expect("JSON");
    other["detail"]["tags"] = json!(["service:cart"]);
    let other = only(decode_json(Source::Datadog, &other));
    assert_ne!(other.fingerprint, only(sample("datadog-bus-triggered")).fingerprint);
}

#[test]
fn inv_b6_the_copy_of_a_health_event_from_a_backup_region_is_the_same_delivery() {
    let (first, copy) =
        (only(sample("aws-health-event-open")), only(sample("aws-health-event-open-backup-copy")));
    assert_eq!(first.delivery, copy.delivery);
    assert_eq!(
        copy.region.as_deref(),
        Some("eu-central-1"),
        "where the trouble is, not where it was delivered"
    );
}

#[test]
fn inv_b6_a_repeated_delivery_has_the_same_ids() {
    for (name, body) in samples() {
        let twice = [decode(source_of(&name), &body), decode(source_of(&name), &body)];
        let ids = twice.map(|decoded| {
            decoded.expect("a sample").signals.into_iter().map(|signal| signal.delivery).collect::<Vec<_>>()
        });
        assert_eq!(ids[0], ids[1], "{name}");
        assert_eq!(ids[0].iter().collect::<BTreeSet<_>>().len(), ids[0].len(), "{name}");
    }
}

#[test]
fn a_result_id_over_2_to_the_53_stays_exact() {
    let signal = only(sample("datadog-bus-triggered"));
    assert_eq!(signal.labels["resultId"], "7281010972796602670");
}

#[test]
fn the_routing_key_of_a_sender_never_becomes_a_label() {
    let signal = only(sample("generic-trigger"));
    assert!(!serde_json::to_string(&signal).expect("JSON").contains("0123456789abcdef0123456789abcdef"));
}

#[test]
fn what_says_nothing_new_is_left_aside_with_a_reason() {
    for (name, reason) in [
        ("cloudwatch-event-insufficient-data", "INSUFFICIENT_DATA"),
        ("cloudwatch-event-muted", "muted by a mute rule"),
        ("cloudwatch-sns-http-confirmation", "SubscriptionConfirmation"),
        ("cloudwatch-sns-records", "alert 2 of the delivery: `/Message` is not JSON"),
        ("pagerduty-webhook-annotated", "incident.annotated"),
        ("alertmanager-firing", "alert 3 of the delivery: `/status` is missing"),
        ("alertmanager-firing", "left 2 alerts out"),
        ("grafana-firing", "DatasourceNoData"),
        ("datadog-bus-no-data", "has no data"),
    ] {
        let ignored = sample(name).ignored;
        assert!(ignored.iter().any(|ignored| ignored.reason.contains(reason)), "{name}: {ignored:?}");
    }
}

#[test]
fn the_documented_payload_of_datadogs_webhook_is_the_one_of_the_samples() {
    let text = fs::read_to_string(folder().join("../README.md")).expect("events/README.md");
    let (_, rest) = text.split_once("```json").expect("the payload");
    let (payload, _) = rest.split_once("```").expect("its end");
    let payload: BTreeMap<String, String> = serde_json::from_str(payload).expect("an object of texts");
    let sample: BTreeMap<String, String> =
        serde_json::from_slice(&fs::read(folder().join("datadog-webhook-triggered.json")).expect("a sample"))
            .expect("an object of texts");
    assert_eq!(payload.keys().collect::<Vec<_>>(), sample.keys().collect::<Vec<_>>());
    assert!(payload.values().all(|variable| variable.starts_with('$')), "{payload:?}");
    let unfilled = serde_json::to_string(&payload).expect("JSON");
    check_undecodable(Source::Datadog, &unfilled, "`/id` is missing");
}

#[test]
fn a_sparse_payload_of_datadogs_webhook_is_enough() {
    for (key, fingerprint) in [
        (json!({"cycleKey": "c", "aggregationKey": "a"}), "c"),
        (json!({"cycleKey": "$ALERT_CYCLE_KEY", "aggregationKey": "a"}), "a"),
        (json!({"alertId": 7, "scope": "host:web-1"}), "7:host:web-1"),
    ] {
        let mut body = json!({"id": 5, "transition": "Warn"});
        body.as_object_mut().expect("an object").extend(key.as_object().expect("an object").clone());
        let signal = only(decode_json(Source::Datadog, &body));
        assert_eq!((signal.fingerprint.as_str(), signal.severity), (fingerprint, Severity::Medium), "{body}");
    }
    check_undecodable(Source::Datadog, r#"{"id": "1", "transition": "Warn"}"#, "`/cycleKey` is missing");
}

#[test]
fn trials_are_marked() {
    let trial = |title: &str| json!({"id": 1, "transition": "Triggered", "cycleKey": "c", "title": title});
    assert!(only(decode_json(Source::Datadog, &trial("[TEST] [Triggered] x"))).is_test);
    assert!(!only(decode_json(Source::Datadog, &trial("[Triggered] a [TEST]"))).is_test);
    assert!(only(sample("grafana-test")).is_test);
    assert!(!only(sample("grafana-firing")).is_test);
}

#[test]
fn states_that_are_neither_are_left_aside() {
    let monitor = |transition: &str| {
        json!({"detail-type": "x", "source": "aws.partner/datadog.com/x", "id": "e1", "detail":
            {"meta": {"monitor": {"id": 1}, "transition": {"trans_name": transition}}}})
    };
    let alarm = |state: Value| {
        json!({"alarmArn": "arn:aws:cloudwatch:eu-west-1:1:alarm:a",
            "alarmData": {"alarmName": "a", "state": state}})
    };
    let alert = |status: &str| json!({"alerts": [{"status": status}]});
    let health = |status: &str| {
        json!({"detail-type": "AWS Health Event",
            "detail": {"eventArn": "arn:1", "eventTypeCode": "X", "statusCode": status}})
    };
    for (source, body, reason) in [
        (Source::Datadog, monitor("Renotify"), "repeats what an earlier one said"),
        (Source::Datadog, monitor("Muted"), "`Muted`"),
        (Source::Cloudwatch, alarm(json!({"value": "PURPLE"})), "`PURPLE`"),
        (
            Source::Cloudwatch,
            alarm(json!({"value": "ALARM", "actionsSuppressedBy": "Alarm"})),
            "suppresses the alarm's actions: Alarm",
        ),
        (Source::Alertmanager, alert("suppressed"), "`suppressed`"),
        (Source::Grafana, alert("normal"), "`normal`"),
        (Source::AwsHealth, health("unknown"), "`unknown`"),
        (Source::Pagerduty, json!({"event": {"event_type": "pagey.ping"}}), "`pagey.ping`"),
        (Source::Pagerduty, json!({"event": {"event_type": "incident.escalated"}}), "`incident.escalated`"),
    ] {
        let decoded = decode_json(source, &body);
        assert!(decoded.signals.is_empty(), "{body}");
        assert!(decoded.ignored[0].reason.contains(reason), "{body}: {:?}", decoded.ignored);
    }
}

#[test]
fn an_alarm_in_its_wait_period_fires() {
    let state = json!({"value": "ALARM", "actionsSuppressedBy": "WaitPeriod"});
    let body = json!({"alarmArn": "arn", "alarmData": {"alarmName": "a", "state": state}});
    let signal = only(decode_json(Source::Cloudwatch, &body));
    assert_eq!(signal.status, SignalStatus::Firing);
    assert_eq!(signal.labels["actionsSuppressedBy"], "WaitPeriod");
}

#[test]
fn severities_say_where_they_come_from() {
    for (name, severity, origin) in [
        ("cloudwatch-event-alarm", Severity::Critical, SeveritySource::Label),
        ("cloudwatch-action-alarm", Severity::Medium, SeveritySource::Default),
        ("pagerduty-webhook-triggered", Severity::Critical, SeveritySource::Payload),
        ("pagerduty-bus-older-trigger", Severity::Low, SeveritySource::Payload),
        ("grafana-firing", Severity::Medium, SeveritySource::Label),
        ("datadog-bus-triggered", Severity::High, SeveritySource::Rule),
        ("datadog-webhook-triggered", Severity::High, SeveritySource::Payload),
        ("aws-health-event-open", Severity::High, SeveritySource::Rule),
        ("generic-trigger", Severity::High, SeveritySource::Payload),
        ("generic-acknowledge", Severity::Medium, SeveritySource::Default),
    ] {
        let signal = only(sample(name));
        assert_eq!((signal.severity, signal.severity_source), (severity, origin), "{name}");
    }
}

#[test]
fn unknown_shapes_are_refused_with_what_would_be_right() {
    for (source, body, message) in [
        (Source::Cloudwatch, "", "cannot read a CloudWatch alarm: the body is not JSON"),
        (Source::Cloudwatch, "{}", "`/AlarmName` is missing or empty; send an alarm state change"),
        (Source::Cloudwatch, "[]", "`/AlarmName` is missing"),
        (Source::Cloudwatch, r#"{"Records": {}}"#, "`/Records` is not an array"),
        (Source::Cloudwatch, r#"{"Type": "Notification", "Message": "hello"}"#, "`/Message` is not JSON"),
        (Source::Cloudwatch, r#"{"alarmData": {}}"#, "`/alarmArn` is missing"),
        (Source::Cloudwatch, r#"{"detail-type": "x", "detail": {}}"#, "`/resources/0` is missing"),
        (
            Source::Cloudwatch,
            r#"{"detail-type": "x", "resources": ["arn"], "detail": {}}"#,
            "`/detail/alarmName` is missing",
        ),
        (Source::Pagerduty, "{}", "`/event` is missing or empty; send a webhook of version 3"),
        (Source::Pagerduty, r#"{"messages": []}"#, "`/event` is missing"),
        (Source::Pagerduty, r#"{"event": {"event_type": "incident.triggered"}}"#, "`/event/data` is missing"),
        (Source::Pagerduty, r#"{"event": "incident.resolve", "incident": {}}"#, "`/incident/id` is missing"),
        (Source::Alertmanager, r#"{"status": "firing"}"#, "`/alerts` is not an array; send Alertmanager's"),
        (
            Source::Grafana,
            r#"{"ruleName": "old", "state": "alerting"}"#,
            "`/alerts` is not an array; send the webhook",
        ),
        (Source::Datadog, r#"{"title": "x"}"#, "`/id` is missing or empty; give the webhook in Datadog"),
        (Source::Datadog, r#"{"id": "$ID"}"#, "`/id` is missing"),
        (
            Source::Datadog,
            r#"{"detail-type": "x", "detail": {}}"#,
            "`/detail/meta/transition/trans_name` is missing",
        ),
        (Source::AwsHealth, r#"{"eventArn": "x"}"#, "`/detail` is missing"),
        (Source::AwsHealth, r#"{"detail-type": "x", "detail": {}}"#, "`/detail/eventArn` is missing"),
        (Source::Generic, "{}", "`/event_action` is missing or empty; send `event_action`"),
        (Source::Generic, r#"{"event_action": "explode"}"#, "names no action; use `trigger`"),
        (Source::Generic, r#"{"event_action": "resolve"}"#, "`/dedup_key` is missing or empty; give"),
        (Source::Generic, r#"{"event_action": "trigger"}"#, "`/payload/summary` is missing"),
    ] {
        check_undecodable(source, body, message);
    }
}

#[test]
fn what_is_too_large_is_refused_before_it_is_parsed() {
    let large = format!("{{\"a\": \"{}\"}}", "x".repeat(MAX_BODY_BYTES));
    for source in Source::ALL {
        check_undecodable(source, &large, "more than 262144");
    }
    assert!(route(large.as_bytes()).expect_err("large").to_string().contains("more than 262144"));
    let deep = "[".repeat(50_000);
    check_undecodable(Source::Generic, &deep, "is not JSON");
}

#[test]
fn as_many_alerts_as_the_limit_are_read_and_not_one_more() {
    let group = |count: usize| json!({"alerts": vec![json!({"status": "firing"}); count]}).to_string();
    let most = decode(Source::Alertmanager, group(MAX_ALERTS).as_bytes()).expect("at the limit");
    assert_eq!(most.signals.len(), MAX_ALERTS);
    check_undecodable(Source::Alertmanager, &group(MAX_ALERTS + 1), "`/alerts` has 1001 elements");
}

fn route(body: &[u8]) -> Result<Option<Source>, Undecodable> {
    BusEvent::parse(body).map(|event| event.source())
}

#[test]
fn an_event_of_the_bus_says_whose_account_it_is_of() {
    for (event, expected) in [
        (json!({"account": "111122223333"}), Some("111122223333")),
        (json!({"accountId": "111122223333", "alarmData": {}}), Some("111122223333")),
        (json!({"Records": [{"Sns": {"TopicArn": "arn:aws:sns:eu-central-1:1:alarms"}}]}), Some("1")),
        (json!({"account": 7, "Records": []}), None),
        (json!([]), None),
    ] {
        let parsed = BusEvent::parse(event.to_string().as_bytes()).expect("JSON");
        assert_eq!(parsed.account(), expected, "{event}");
    }
}

/// What is parsed once for all that is asked of it says the same as what is parsed for its source.
#[test]
fn samples_of_the_bus_decode_alike_from_their_bytes_and_parsed() {
    for (name, body) in samples() {
        let event = BusEvent::parse(&body).expect("JSON");
        if let Some(source) = event.source() {
            let (parsed, read) = (event.decode(source).expect(&name), decode(source, &body).expect(&name));
            assert_eq!(parsed, read, "{name}");
        }
    }
}

#[test]
fn events_of_the_bus_are_routed_by_source_and_kind() {
    for (source, kind, expected) in [
        ("aws.cloudwatch", "CloudWatch Alarm State Change", Some(Source::Cloudwatch)),
        ("aws.cloudwatch", "CloudWatch Alarm Contributor State Change", Some(Source::Cloudwatch)),
        ("aws.cloudwatch", "CloudWatch Alarm Configuration Change", None),
        ("aws.health", "AWS Health Event", Some(Source::AwsHealth)),
        ("aws.health", "AWS Health Abuse Event", Some(Source::AwsHealth)),
        ("aws.partner/pagerduty.com/1/bus", "incident.triggered", Some(Source::Pagerduty)),
        ("aws.partner/datadog.com/bus", "Datadog Alert Notification", Some(Source::Datadog)),
        ("aws.partner/pagerduty.com.example.com/bus", "x", None),
        ("pagerduty.com", "x", None),
        ("muster.incidents", "Incident Created", None),
        ("aws.events", "Scheduled Event", None),
    ] {
        let event = json!({"source": source, "detail-type": kind, "detail": {}}).to_string();
        assert_eq!(route(event.as_bytes()).expect("an event"), expected, "{source} {kind}");
    }
    for body in ["{}", "7", r#"{"source": 1}"#, r#"{"Records": [{"eventSource": "aws:sqs"}]}"#] {
        assert_eq!(route(body.as_bytes()).expect("an event"), None, "{body}");
    }
    for body in ["", "[", "{\"source\""] {
        let undecodable = route(body.as_bytes()).expect_err(body);
        assert!(undecodable.to_string().starts_with("cannot read an EventBridge event"), "{undecodable}");
    }
}

#[test]
fn samples_of_the_bus_are_routed_to_their_source() {
    for (name, body) in samples() {
        let webhook = name.contains("webhook") || name.contains("sns-http") || name.contains("sns-raw");
        let by_webhook_only =
            webhook || matches!(source_of(&name), Source::Alertmanager | Source::Grafana | Source::Generic);
        let expected = (!by_webhook_only).then(|| source_of(&name));
        assert_eq!(route(&body).expect("JSON"), expected, "{name}");
    }
}

#[test]
fn texts_are_cut_and_cleaned() {
    let body = json!({
        "event_action": "trigger",
        "dedup_key": "k".repeat(300),
        "payload": {
            "summary": format!("  two\nlines\u{0} {}", "ä".repeat(400)),
            "custom_details": "s".repeat(5_000),
            "component": "c".repeat(1_000),
        },
        "client_url": "https://user:password@example.com/",
        "links": (0..40).map(|n| json!({"href": format!("https://example.com/{n}")})).collect::<Vec<_>>(),
    });
    let signal = only(decode_json(Source::Generic, &body));
    assert!(signal.title.starts_with("two lines  ää"), "{}", signal.title);
    assert_eq!(signal.title.chars().count(), MAX_TITLE_CHARS);
    assert_eq!(signal.summary.map(|text| text.chars().count()), Some(MAX_SUMMARY_CHARS));
    assert_eq!(signal.service.map(|text| text.chars().count()), Some(MAX_FACT_CHARS));
    assert_eq!(signal.links.len(), MAX_LINKS);
    assert_eq!(
        signal.links[0].href, "https://example.com/0",
        "an address with credentials is none to follow"
    );
    assert!(signal.fingerprint.starts_with("sha256:"), "{}", signal.fingerprint);
}

#[test]
fn ids_that_are_odd_become_digests() {
    for (key, kept) in [("plain/key:1", true), ("with#separator", false), ("with\u{7}bell", false)] {
        let body = json!({"event_action": "resolve", "dedup_key": key});
        let signal = only(decode_json(Source::Generic, &body));
        assert_eq!(signal.fingerprint == key, kept, "{key:?}: {}", signal.fingerprint);
    }
}

#[test]
fn too_many_labels_are_cut_to_the_same_ones_in_any_order() {
    let details: serde_json::Map<String, Value> = (0..200).map(|n| (format!("l{n:03}"), json!(n))).collect();
    let body = json!({"event_action": "trigger", "dedup_key": "k", "payload": {"custom_details": details}});
    let labels = only(decode_json(Source::Generic, &body)).labels;
    assert_eq!(labels.len(), MAX_LABELS);
    assert_eq!(labels.first_key_value().map(|(name, _)| name.as_str()), Some("l000"));
}

#[test]
fn names_are_the_same_in_json() {
    for source in Source::ALL {
        assert_eq!(serde_json::to_value(source).expect("JSON"), json!(source.as_str()));
    }
}

fn check_bounds(decoded: &Decoded) {
    assert!(decoded.signals.len() + decoded.ignored.len() <= MAX_ALERTS + 1);
    for signal in &decoded.signals {
        check_signal(signal);
    }
    for ignored in &decoded.ignored {
        assert!(!ignored.reason.is_empty() && ignored.reason.chars().count() <= 500);
        assert!(ignored.delivery.as_ref().is_none_or(|id| id.len() <= MAX_ID_BYTES));
    }
}

fn check_signal(signal: &Signal) {
    for id in [&signal.delivery, &signal.fingerprint] {
        assert!(!id.is_empty() && id.len() <= MAX_ID_BYTES && !id.contains('#'), "{id}");
    }
    let title = signal.title.chars().count();
    assert!(
        title > 0 && title <= MAX_TITLE_CHARS && signal.title.trim() == signal.title,
        "{:?}",
        signal.title
    );
    assert!(signal.summary.as_ref().is_none_or(|text| text.chars().count() <= MAX_SUMMARY_CHARS));
    for fact in [&signal.service, &signal.environment, &signal.region, &signal.account].into_iter().flatten()
    {
        assert!(!fact.is_empty() && fact.chars().count() <= MAX_FACT_CHARS, "{fact}");
    }
    assert!(signal.labels.len() <= MAX_LABELS && signal.links.len() <= MAX_LINKS);
    for (name, value) in &signal.labels {
        assert!(!name.is_empty() && name.chars().count() <= MAX_LABEL_KEY_CHARS, "{name}");
        assert!(value.chars().count() <= MAX_LABEL_VALUE_CHARS, "{name}");
    }
    for link in &signal.links {
        assert!(link.href.starts_with("http") && link.href.chars().count() <= MAX_HREF_CHARS, "{link:?}");
    }
    assert!(signal.runbook_hint.as_ref().is_none_or(|hint| hint.chars().count() <= MAX_HREF_CHARS));
    assert!([signal.started_at, signal.ended_at].into_iter().flatten().all(|time| time > Time::EPOCH));
}

/// Words that the readers look for, so that arbitrary JSON gets past their first question.
fn arbitrary_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        "(https?|ftp)://[a-z]{1,9}(:[a-z]@)?/.{0,9}".prop_map(Value::from),
        prop::sample::select(vec![
            "ALARM",
            "OK",
            "firing",
            "Triggered",
            "trigger",
            "open",
            "incident.triggered"
        ])
        .prop_map(Value::from),
        (1_000_usize..6_000).prop_map(|length| Value::from("ß".repeat(length))),
    ];
    leaf.prop_recursive(4, 48, 6, |inner| {
        let name = prop_oneof![
            prop::sample::select(vec!["a", "summary", "severity", "service", "region", "runbook", "id"])
                .prop_map(str::to_owned),
            any::<String>(),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(name, inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

/// Every place in a value, as a JSON pointer.
fn places(value: &Value, here: &str, found: &mut Vec<String>) {
    found.push(here.to_owned());
    match value {
        Value::Object(members) => {
            members
                .iter()
                .for_each(|(name, member)| places(member, &crate::fault::pointer_to(here, name), found));
        }
        Value::Array(elements) => {
            elements
                .iter()
                .enumerate()
                .for_each(|(n, element)| places(element, &format!("{here}/{n}"), found));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn inv_e4_arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..512)) {
        let _ = route(&body);
        for source in Source::ALL {
            if let Ok(decoded) = decode(source, &body) {
                check_bounds(&decoded);
            }
        }
    }

    #[test]
    fn inv_e4_arbitrary_json_never_panics(body in arbitrary_json()) {
        let body = body.to_string();
        let _ = route(body.as_bytes());
        for source in Source::ALL {
            if let Ok(decoded) = decode(source, body.as_bytes()) {
                check_bounds(&decoded);
            }
        }
    }

    /// A known shape with one place replaced gets deeper into the readers than anything arbitrary.
    #[test]
    fn inv_e4_a_sample_with_one_place_replaced_keeps_the_bounds(
        pick in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        replacement in arbitrary_json(),
    ) {
        let samples: Vec<(String, Vec<u8>)> = samples().into_iter().collect();
        let (name, body) = pick.get(&samples);
        let mut body: Value = serde_json::from_slice(body).expect("a sample is JSON");
        let mut pointers: Vec<String> = Vec::new();
        places(&body, "", &mut pointers);
        *body.pointer_mut(place.get(&pointers).as_str()).expect("a place of it") = replacement;
        let body = body.to_string();
        let _ = route(body.as_bytes());
        if let Ok(decoded) = decode(source_of(name), body.as_bytes()) {
            check_bounds(&decoded);
        }
    }
}
