//! How deliveries are verified, on the command line.

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use crate::operator::api::object;

#[derive(Debug, Clone, Args)]
pub(crate) struct SchemeArgs {
    /// How a delivery proves who sent it
    #[arg(long, value_enum)]
    scheme: SchemeName,
    /// The user name of `basic`
    #[arg(long, value_name = "NAME", required_if_eq("scheme", "basic"))]
    username: Option<String>,
    /// The header of `header`, whose whole value is the secret
    #[arg(long, value_name = "NAME", required_if_eq("scheme", "header"))]
    header: Option<String>,
    /// The header into which Grafana is told to put the time
    #[arg(long, value_name = "NAME")]
    timestamp_header: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum SchemeName {
    StandardWebhooks,
    Pagerduty,
    Grafana,
    Slack,
    Bearer,
    Basic,
    Header,
}

impl SchemeArgs {
    /// What the API takes. A member that the scheme does not have is sent all the same, so that the server refuses it.
    pub(super) fn body(&self) -> Value {
        object(json!({
            "type": self.scheme.as_str(),
            "username": self.username,
            "name": self.header,
            "timestampHeader": self.timestamp_header,
        }))
    }
}

impl SchemeName {
    const fn as_str(self) -> &'static str {
        match self {
            Self::StandardWebhooks => "standardWebhooks",
            Self::Pagerduty => "pagerduty",
            Self::Grafana => "grafana",
            Self::Slack => "slack",
            Self::Bearer => "bearer",
            Self::Basic => "basic",
            Self::Header => "header",
        }
    }
}
