//! Notifications of Grafana Alerting: Alertmanager's shape with Grafana's pages beside it.

use super::alertmanager::{self, Alert};
use super::document::Node;
use super::signal::Signal;
use super::{Decoded, Reading, Source, Undecodable};

const MEND: &str = "send the webhook of a contact point of Grafana Alerting, without a payload of your own";
const PAGES: [(&str, &str); 4] = [
    ("dashboard", "/dashboardURL"),
    ("dashboard", "/panelURL"),
    ("silence", "/silenceURL"),
    ("image", "/imageURL"),
];

pub(super) fn read(body: Node<'_>) -> Result<Decoded, Undecodable> {
    let organisation = body.text("/orgId");
    alertmanager::read_alerts(body, MEND, |alert, group| {
        if let Some(reason) = says_nothing(alert) {
            let state = alert.0.text("/status").unwrap_or_default();
            return Ok(Reading::ignored(Some(alert.delivery(group, &state)), reason));
        }
        Ok(with_grafanas_own(alert.read(group, Source::Grafana)?, alert, organisation.as_deref()))
    })
}

/// Grafana reports with an alert of its own that a rule had no data or failed, which says nothing about what the rule watches.
fn says_nothing(alert: Alert<'_>) -> Option<String> {
    let one_of =
        |pointer, words: [&str; 2]| alert.0.text(pointer).filter(|word| words.contains(&word.as_str()));
    let state = one_of("/labels/alertname", ["DatasourceNoData", "DatasourceError"])
        .or_else(|| one_of("/annotations/grafana_state_reason", ["NoData", "Error"]))?;
    Some(format!(
        "Grafana could not evaluate the rule ({state}), so it says nothing about what the rule watches"
    ))
}

fn with_grafanas_own(reading: Reading, alert: Alert<'_>, organisation: Option<&str>) -> Reading {
    let Reading::Signal(signal) = reading else { return reading };
    let mut signal = Signal { is_test: is_trial(alert), ..*signal };
    let values = alert.0.labels("/values").into_iter().map(|(name, value)| (format!("value_{name}"), value));
    signal.links.extend(alert.links(&PAGES));
    signal.labels.extend(values);
    signal.labels.extend(organisation.map(|id| ("grafana_org".to_owned(), id.to_owned())));
    Reading::signal(signal)
}

/// What the test button of a contact point sends.
fn is_trial(alert: Alert<'_>) -> bool {
    alert.0.is("/labels/alertname", "TestAlert") && alert.0.is("/labels/instance", "Grafana")
}
