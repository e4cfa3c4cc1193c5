//! One alert of each source, as its sender writes it: the firing and its resolution.

use clap::ValueEnum;

/// The names of sources on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Kind {
    Cloudwatch,
    Pagerduty,
    Alertmanager,
    Grafana,
    Datadog,
    AwsHealth,
    Generic,
}

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

impl Kind {
    /// As the API writes it.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Cloudwatch => "cloudwatch",
            Self::Pagerduty => "pagerduty",
            Self::Alertmanager => "alertmanager",
            Self::Grafana => "grafana",
            Self::Datadog => "datadog",
            Self::AwsHealth => "awsHealth",
            Self::Generic => "generic",
        }
    }

    /// The source that the API names so.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::value_variants().iter().copied().find(|kind| kind.as_str() == name)
    }

    pub(super) const fn sample(self, report: Report) -> &'static str {
        let (firing, resolved) = match self {
            Self::Cloudwatch => (sample!("cloudwatch-event-alarm"), sample!("cloudwatch-event-ok")),
            Self::Pagerduty => {
                (sample!("pagerduty-webhook-triggered"), sample!("pagerduty-webhook-resolved"))
            }
            Self::Alertmanager => (sample!("alertmanager-firing"), sample!("alertmanager-resolved")),
            Self::Grafana => (sample!("grafana-firing"), sample!("grafana-resolved")),
            Self::Datadog => (sample!("datadog-webhook-triggered"), sample!("datadog-webhook-recovered")),
            Self::AwsHealth => (sample!("aws-health-event-open"), sample!("aws-health-event-closed")),
            Self::Generic => (sample!("generic-trigger"), sample!("generic-resolve")),
        };
        match report {
            Report::Firing => firing,
            Report::Resolved => resolved,
        }
    }
}
