//! What people commonly say about an alert with labels and tags.

use std::collections::BTreeMap;

use super::severity::{Severity, SeveritySource};
use super::signal::Signal;

/// Names are compared without case and punctuation: `ServiceName`, `service_name` and `service-name` are one.
const SERVICE: [&str; 6] =
    ["service", "servicename", "app", "application", "appkubernetesioname", "component"];
const ENVIRONMENT: [&str; 3] = ["environment", "env", "stage"];
const REGION: [&str; 2] = ["region", "awsregion"];
const ACCOUNT: [&str; 3] = ["account", "accountid", "awsaccount"];
const RUNBOOK: [&str; 3] = ["runbook", "runbookurl", "runbookid"];
const SEVERITY: [&str; 2] = ["severity", "priority"];

/// The signal with its absent facts taken from its labels. What the payload itself said stays.
pub(super) fn from_labels(signal: Signal) -> Signal {
    let labels: BTreeMap<String, String> =
        signal.labels.iter().map(|(name, value)| (plain(name), value.clone())).collect();
    let find = |names: &[&str]| names.iter().find_map(|name| labels.get(*name).cloned());
    let said = (signal.severity_source != SeveritySource::Default).then_some(signal.severity);
    let labelled = find(&SEVERITY).and_then(|word| Severity::named(&word));
    let candidates = [(said, signal.severity_source), (labelled, SeveritySource::Label)];
    let filled = Signal {
        service: signal.service.clone().or_else(|| find(&SERVICE)),
        environment: signal.environment.clone().or_else(|| find(&ENVIRONMENT)),
        region: signal.region.clone().or_else(|| find(&REGION)),
        account: signal.account.clone().or_else(|| find(&ACCOUNT)),
        runbook_hint: signal.runbook_hint.clone().or_else(|| find(&RUNBOOK)),
        ..signal
    };
    filled.judged(&candidates)
}

fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}
