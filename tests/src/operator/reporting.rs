//! Monitoring tools, by hand: an address is made, samples are delivered, incidents come of them.

use std::os::unix::fs::PermissionsExt as _;

use super::installation::Installation;

const SECRET: &str = "canary-77aa1c";

/// An installation whose secrets file holds `hooks/key`, and a file with its value.
async fn prepared() -> (Installation, String) {
    let muster = Installation::start().await;
    let secrets = muster.file("data/secrets", &format!("hooks/key={SECRET}\n"));
    std::fs::set_permissions(secrets, std::fs::Permissions::from_mode(0o600)).unwrap();
    let secret = muster.file("secret", &format!("{SECRET}\n")).display().to_string();
    (muster, secret)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hook_is_made_tried_and_its_incident_resolved() {
    let (muster, secret) = prepared().await;
    let ada = muster.author();
    for (source, scheme) in [
        ("cloudwatch", "slack"),
        ("pagerduty", "pagerduty"),
        ("alertmanager", "bearer"),
        ("grafana", "grafana"),
        ("datadog", "standard-webhooks"),
        ("awsHealth", "bearer"),
        ("generic", "bearer"),
    ] {
        let create = ["hook", "create", "--name", source, "--source", source, "--scheme", scheme];
        let rest = ["--secret", "hooks/key", "--team", "ops", "-o", "json"];
        let id = ada.run(&[&create[..], &rest[..]].concat()).ok().text("/id");
        let test = ["hook", "test", &id, "--secret-file", &secret, "-o", "json"];
        let fired = ada.run(&test).ok();
        assert!(!format!("{}{}", fired.stdout, fired.stderr).contains(SECRET));
        let incident = fired.text("/incidents/0");
        let resolved = ada.run(&[&test[..], &["--report", "resolved"]].concat()).ok();
        let about = resolved.json()["incidents"].clone();
        assert!(about.as_array().unwrap().contains(&incident.clone().into()), "{source}: {about} {incident}");
        let shown = ada.run(&["incident", "get", about[0].as_str().unwrap(), "-o", "json"]).ok();
        assert_eq!(shown.text("/status"), "RESOLVED", "{source}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_is_refused_and_nothing_comes_of_it() {
    let (muster, _) = prepared().await;
    let ada = muster.author();
    let create = ["hook", "create", "--name", "A", "--source", "generic", "--scheme", "bearer"];
    let rest = ["--secret", "hooks/key", "--team", "ops", "-o", "json"];
    let id = ada.run(&[&create[..], &rest[..]].concat()).ok().text("/id");
    let wrong = muster.file("wrong", "guess").display().to_string();
    assert_eq!(ada.run(&["hook", "test", &id, "--secret-file", &wrong]).code, Some(4));
    let listed = ada.run(&["incident", "list", "--team", "ops", "-o", "json"]).ok().json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_the_bus_are_sent_by_hand() {
    let (muster, _) = prepared().await;
    let bo = muster.approver();
    for name in ["cloudwatch-event-alarm", "cloudwatch-event-ok"] {
        let file = format!("{}/../events/sources/{name}.json", env!("CARGO_MANIFEST_DIR"));
        bo.run(&["event", "send", &file]).ok();
    }
    let listed = bo.run(&["incident", "list", "-o", "json"]).ok().json();
    let items = listed["items"].as_array().unwrap();
    assert_eq!((items.len(), items[0]["status"].as_str()), (1, Some("RESOLVED")), "{listed}");
}
