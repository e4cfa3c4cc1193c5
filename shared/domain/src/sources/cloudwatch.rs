//! Alarms of CloudWatch: as EventBridge brings them, as an alarm's action invokes a function, and as SNS notifies.
//!
//! CloudWatch knows no severity: it comes from a tag of the alarm (`severity`), if tags travel with the event.

use std::collections::BTreeMap;

use url::Url;

use super::document::{self, Node};
use super::envelope::Envelope;
use super::signal::{Link, Signal, SignalStatus};
use super::{Decoded, Reading, Source, Undecodable, identity, moment};

const MEND: &str =
    "send an alarm state change of CloudWatch, by EventBridge, by SNS or as the alarm's action";
const MEND_SNS: &str = "subscribe to a topic that receives nothing but alarms of CloudWatch";

pub(super) fn read(body: Node<'_>) -> Result<Decoded, Undecodable> {
    if let Some(envelope) = Envelope::of(body) {
        return from_event(&envelope).map(Decoded::from);
    }
    if body.at("/alarmData").is_some() {
        return from_action(body).map(Decoded::from);
    }
    if body.at("/Records").is_some() {
        return from_records(body);
    }
    from_topic(body).map(Decoded::from)
}

fn from_event(envelope: &Envelope<'_>) -> Result<Reading, Undecodable> {
    let arn = envelope.resource().ok_or_else(|| Undecodable::missing("/resources/0", MEND))?;
    let alarm = Alarm { arn, description: envelope.detail, place: "/detail" };
    Ok(alarm.change(envelope.id.clone())?.reading())
}

fn from_action(body: Node<'_>) -> Result<Reading, Undecodable> {
    let arn = body.required("/alarmArn", MEND)?;
    let description = body.object("/alarmData").ok_or_else(|| Undecodable::missing("/alarmData", MEND))?;
    Ok(Alarm { arn, description, place: "/alarmData" }.change(None)?.reading())
}

fn from_records(body: Node<'_>) -> Result<Decoded, Undecodable> {
    let records = body.alerts("/Records", MEND)?;
    Ok(Decoded::of_many(records, |record| {
        from_notification(record.object("/Sns").ok_or_else(|| Undecodable::missing("/Sns", MEND))?)
    }))
}

/// What a topic sends to an HTTPS subscription, with or without its own envelope around the alarm.
fn from_topic(body: Node<'_>) -> Result<Reading, Undecodable> {
    match body.text("/Type").as_deref() {
        Some("Notification") => from_notification(body),
        Some(kind @ ("SubscriptionConfirmation" | "UnsubscribeConfirmation")) => Ok(Reading::ignored(
            body.text("/MessageId"),
            format!(
                "a {kind} of SNS: a person confirms it at AWS, Muster follows no address that a delivery names"
            ),
        )),
        Some(_) | None => Ok(message_change(body, None)?.reading()),
    }
}

fn from_notification(notification: Node<'_>) -> Result<Reading, Undecodable> {
    let text = notification.required("/Message", MEND_SNS)?;
    let message = document::parse(text.as_bytes()).map_err(|inner| Undecodable {
        cause: inner.cause,
        ..Undecodable::at("/Message", inner.problem, MEND_SNS)
    })?;
    Ok(message_change(Node::new(&message), notification.text("/MessageId"))?.reading())
}

/// A change of an alarm's state, in what its shapes have in common.
struct Change {
    delivery: Option<String>,
    fingerprint: String,
    arn: String,
    account: Option<String>,
    title: String,
    summary: Option<String>,
    labels: BTreeMap<String, String>,
    state: String,
    /// When the state changed, as it was written.
    changed: Option<String>,
    /// Why an alarm that fires should start nothing: people silenced it.
    silenced: Option<String>,
}

impl Change {
    fn reading(self) -> Reading {
        let changed = self.changed.unwrap_or_default();
        let computed = || identity::of_parts(&[&self.fingerprint, &self.state, &changed]);
        let delivery = self.delivery.unwrap_or_else(computed);
        let status = match (status(&self.state), self.silenced) {
            (Ok(SignalStatus::Firing), Some(reason)) | (Err(reason), _) => {
                return Reading::ignored(Some(delivery), reason);
            }
            (Ok(status), _) => status,
        };
        let moment = moment::parse(&changed);
        let place = Place::of(&self.arn);
        Reading::signal(Signal {
            delivery,
            fingerprint: self.fingerprint,
            title: self.title,
            summary: self.summary,
            region: place.region,
            account: place.account.or(self.account),
            labels: self.labels,
            links: console_page(&self.arn).into_iter().collect(),
            started_at: moment.filter(|_| status == SignalStatus::Firing),
            ended_at: moment.filter(|_| status == SignalStatus::Resolved),
            ..Signal::new(Source::Cloudwatch, status)
        })
    }
}

fn status(state: &str) -> Result<SignalStatus, String> {
    match state {
        "ALARM" => Ok(SignalStatus::Firing),
        "OK" => Ok(SignalStatus::Resolved),
        other => Err(format!("the alarm's state `{other}` says neither that it fires nor that it is over")),
    }
}

/// What EventBridge and an alarm's action send alike.
struct Alarm<'a> {
    arn: String,
    description: Node<'a>,
    /// Where the description stands in the delivery.
    place: &'static str,
}

impl Alarm<'_> {
    fn change(self, delivery: Option<String>) -> Result<Change, Undecodable> {
        Ok(Change {
            delivery,
            fingerprint: self.fingerprint(),
            account: None,
            title: self.required("/alarmName")?,
            summary: self.description.paragraphs(&["/configuration/description", "/state/reason"]),
            labels: self.labels(),
            state: self.required("/state/value")?,
            changed: self.description.text("/state/timestamp"),
            silenced: self.silenced(),
            arn: self.arn,
        })
    }

    fn required(&self, pointer: &str) -> Result<String, Undecodable> {
        let missing = || Undecodable::missing(format!("{}{pointer}", self.place), MEND);
        self.description.text(pointer).ok_or_else(missing)
    }

    /// An alarm over many time series reports each contributor by itself, and its own state beside them.
    fn fingerprint(&self) -> String {
        match self.description.text("/alarmContributor/id") {
            Some(contributor) => format!("{}:contributor:{contributor}", self.arn),
            None => self.arn.clone(),
        }
    }

    /// The wait period of a composite alarm silences nothing, because nothing may follow it that says it is over.
    fn silenced(&self) -> Option<String> {
        if self.description.at("/muteDetail/mutedByArn").is_some() {
            return Some("the alarm is muted by a mute rule of CloudWatch".to_owned());
        }
        let suppressor = self.description.text("/state/actionsSuppressedBy")?;
        (suppressor != "WaitPeriod")
            .then(|| format!("CloudWatch suppresses the alarm's actions: {suppressor}"))
    }

    /// Tags of people stand above attributes of the contributor, and these above dimensions of the metrics.
    fn labels(&self) -> BTreeMap<String, String> {
        const METRIC: [(&str, &str); 2] =
            [("namespace", "/metricStat/metric/namespace"), ("metricName", "/metricStat/metric/name")];
        let mut labels = BTreeMap::new();
        for metric in self.description.elements("/configuration/metrics") {
            labels.extend(metric.labels("/metricStat/metric/dimensions"));
            labels.extend(metric.named(&METRIC));
        }
        labels.extend(self.description.labels("/alarmContributor/attributes"));
        labels.extend(self.description.labels("/alarmTags"));
        labels.extend(self.description.named(&[("actionsSuppressedBy", "/state/actionsSuppressedBy")]));
        labels
    }
}

fn message_change(message: Node<'_>, delivery: Option<String>) -> Result<Change, Undecodable> {
    let title = message.required("/AlarmName", MEND)?;
    let account = message.text("/AWSAccountId");
    // Older messages name no ARN. The account and the name are then what firing and resolution share.
    let unnamed = || identity::of_parts(&[account.as_deref().unwrap_or_default(), &title]);
    Ok(Change {
        delivery,
        fingerprint: message.text("/AlarmArn").unwrap_or_else(unnamed),
        arn: message.text("/AlarmArn").unwrap_or_default(),
        account,
        title,
        summary: message.paragraphs(&["/AlarmDescription", "/NewStateReason"]),
        labels: message_labels(message),
        state: message.required("/NewStateValue", MEND)?,
        changed: message.text("/StateChangeTime"),
        silenced: None,
    })
}

fn message_labels(message: Node<'_>) -> BTreeMap<String, String> {
    let dimensions = message.elements("/Trigger/Dimensions");
    let pairs =
        dimensions.iter().filter_map(|dimension| Some((dimension.text("/name")?, dimension.text("/value")?)));
    let named = [("namespace", "/Trigger/Namespace"), ("metricName", "/Trigger/MetricName")];
    pairs.chain(message.named(&named)).collect()
}

/// Where an alarm is and whose it is, as `arn:partition:cloudwatch:region:account:alarm:name` says.
struct Place {
    region: Option<String>,
    account: Option<String>,
}

impl Place {
    fn of(arn: &str) -> Self {
        let mut parts =
            arn.split(':').skip(3).map(|part| Some(part.to_owned()).filter(|part| !part.is_empty()));
        Self { region: parts.next().flatten(), account: parts.next().flatten() }
    }
}

/// The console of the commercial partition; those of the others have other hosts.
fn console_page(arn: &str) -> Option<Link> {
    let mut parts = arn.strip_prefix("arn:aws:cloudwatch:")?.splitn(4, ':');
    let (region, _account, kind, name) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_region = !region.is_empty() && region.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
    if !is_region || kind != "alarm" {
        return None;
    }
    let page = format!("https://{region}.console.aws.amazon.com/cloudwatch/home?region={region}");
    let mut url = Url::parse(&page).ok()?;
    url.set_fragment(Some(&format!("alarmsV2:alarm/{name}")));
    Some(Link { rel: "source".to_owned(), href: url.into() })
}
