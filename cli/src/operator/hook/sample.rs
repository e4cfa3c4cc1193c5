//! One alert of each source, as its sender writes it: the firing and its resolution.

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use muster_domain::sources::Source;

/// Which report of the alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Report {
    Firing,
    Resolved,
}

macro_rules! sample {
    ($name:literal) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../events/sources/", $name, ".json"))
    };
}

/// The names of sources on the command line, which are the API's.
pub(super) fn source_parser() -> impl TypedValueParser<Value = Source> {
    let names = PossibleValuesParser::new(Source::ALL.map(Source::as_str));
    names.try_map(|name| named(&name).ok_or("no source has this name"))
}

/// The source of this name.
pub(super) fn named(name: &str) -> Option<Source> {
    Source::ALL.into_iter().find(|source| source.as_str() == name)
}

pub(super) const fn sample(source: Source, report: Report) -> &'static str {
    let (firing, resolved) = match source {
        Source::Cloudwatch => (sample!("cloudwatch-event-alarm"), sample!("cloudwatch-event-ok")),
        Source::Pagerduty => (sample!("pagerduty-webhook-triggered"), sample!("pagerduty-webhook-resolved")),
        Source::Alertmanager => (sample!("alertmanager-firing"), sample!("alertmanager-resolved")),
        Source::Grafana => (sample!("grafana-firing"), sample!("grafana-resolved")),
        Source::Datadog => (sample!("datadog-webhook-triggered"), sample!("datadog-webhook-recovered")),
        Source::AwsHealth => (sample!("aws-health-event-open"), sample!("aws-health-event-closed")),
        Source::Generic => (sample!("generic-trigger"), sample!("generic-resolve")),
    };
    match report {
        Report::Firing => firing,
        Report::Resolved => resolved,
    }
}
