//! The envelope in which EventBridge brings events, and which of them are alerts.

use super::Source;
use super::document::Node;

const PAGERDUTY_PREFIX: &str = "aws.partner/pagerduty.com/";
const DATADOG_PREFIX: &str = "aws.partner/datadog.com/";

/// Which source an event of the bus comes from; `None` for an event of anything else.
///
/// The names are safe to trust: only AWS itself can put events whose source begins with `aws.` on a bus. Besides EventBridge's
/// envelope, the two forms in which CloudWatch invokes a function directly are known: an alarm's action, and SNS.
pub(super) fn route(event: Node<'_>) -> Option<Source> {
    by_invocation(event).or_else(|| by_name(event))
}

fn by_invocation(event: Node<'_>) -> Option<Source> {
    let is_action = event.is("/source", "aws.cloudwatch") && event.object("/alarmData").is_some();
    let is_notification = event.is("/Records/0/EventSource", "aws:sns");
    (is_action || is_notification).then_some(Source::Cloudwatch)
}

fn by_name(event: Node<'_>) -> Option<Source> {
    match (event.text("/source")?.as_str(), event.text("/detail-type")?.as_str()) {
        ("aws.cloudwatch", "CloudWatch Alarm State Change" | "CloudWatch Alarm Contributor State Change") => {
            Some(Source::Cloudwatch)
        }
        ("aws.health", "AWS Health Event" | "AWS Health Abuse Event") => Some(Source::AwsHealth),
        (source, _) if source.starts_with(PAGERDUTY_PREFIX) => Some(Source::Pagerduty),
        (source, _) if source.starts_with(DATADOG_PREFIX) => Some(Source::Datadog),
        (_, _) => None,
    }
}

/// What EventBridge adds to what the source said.
pub(super) struct Envelope<'a> {
    pub(super) id: Option<String>,
    pub(super) account: Option<String>,
    pub(super) detail: Node<'a>,
    whole: Node<'a>,
}

impl<'a> Envelope<'a> {
    /// `None` if the body is no envelope, but what the source sends by itself.
    pub(super) fn of(body: Node<'a>) -> Option<Self> {
        body.text("/detail-type")?;
        let detail = body.object("/detail")?;
        let text = |pointer| body.text(pointer);
        Some(Self { id: text("/id"), account: text("/account"), detail, whole: body })
    }

    /// The first of the resources that the event is about.
    pub(super) fn resource(&self) -> Option<String> {
        self.whole.text("/resources/0")
    }
}
