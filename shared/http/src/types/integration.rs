//! Integrations as clients write them, and as the API shows them. Secrets are names, in both directions.

use muster_app::integrations::IntegrationDetail;
use muster_domain::ids::{IntegrationId, SecretName, TeamId, UserId};
use muster_domain::integration as domain;
use muster_domain::sources;
use muster_domain::sources::verification;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::moment::Moment;
use crate::extract::json;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewIntegration {
    /// 1 to 200 characters.
    name: String,
    /// Whose incidents it opens. Absent: incidents of no team, which platform admins set up.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    source: Source,
    #[serde(deserialize_with = "json::object")]
    scheme: Scheme,
    /// Names of one secret, or of two while one takes the place of the other; any of them verifies a delivery.
    #[schema(value_type = Vec<String>, min_items = 1, max_items = 2)]
    secrets: Vec<SecretName>,
    /// While it is not, its address answers 404.
    #[serde(default = "enabled")]
    #[schema(default = true)]
    enabled: bool,
}

const fn enabled() -> bool {
    true
}

impl From<NewIntegration> for domain::NewIntegration {
    fn from(new: NewIntegration) -> Self {
        Self {
            name: new.name,
            team_id: new.team_id,
            source: new.source.into(),
            scheme: new.scheme.into(),
            secrets: new.secrets,
            enabled: new.enabled,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Integration {
    #[schema(value_type = String)]
    id: IntegrationId,
    name: String,
    /// Absent: it opens incidents of no team.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    team_id: Option<TeamId>,
    source: Source,
    scheme: Scheme,
    /// Names of secrets.
    #[schema(value_type = Vec<String>)]
    secrets: Vec<SecretName>,
    enabled: bool,
    /// Where the sender delivers, below the API's own address.
    delivery_path: String,
    #[schema(value_type = String)]
    created_by: UserId,
    created_at: Moment,
    updated_at: Moment,
}

impl From<domain::Integration> for Integration {
    fn from(integration: domain::Integration) -> Self {
        Self {
            delivery_path: format!("/api/hooks/{}", integration.id),
            id: integration.id,
            name: integration.name,
            team_id: integration.team,
            source: integration.source.into(),
            scheme: integration.scheme.into(),
            secrets: integration.secrets,
            enabled: integration.enabled,
            created_by: integration.created_by,
            created_at: integration.created_at.into(),
            updated_at: integration.updated_at.into(),
        }
    }
}

impl From<IntegrationDetail> for Integration {
    fn from(detail: IntegrationDetail) -> Self {
        Self::from(detail.integration)
    }
}

/// A kind of sender.
#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Source {
    Cloudwatch,
    Pagerduty,
    Alertmanager,
    Grafana,
    Datadog,
    AwsHealth,
    /// Any sender of the PagerDuty Events v2 body.
    Generic,
}

impl From<Source> for sources::Source {
    fn from(source: Source) -> Self {
        match source {
            Source::Cloudwatch => Self::Cloudwatch,
            Source::Pagerduty => Self::Pagerduty,
            Source::Alertmanager => Self::Alertmanager,
            Source::Grafana => Self::Grafana,
            Source::Datadog => Self::Datadog,
            Source::AwsHealth => Self::AwsHealth,
            Source::Generic => Self::Generic,
        }
    }
}

impl From<sources::Source> for Source {
    fn from(source: sources::Source) -> Self {
        match source {
            sources::Source::Cloudwatch => Self::Cloudwatch,
            sources::Source::Pagerduty => Self::Pagerduty,
            sources::Source::Alertmanager => Self::Alertmanager,
            sources::Source::Grafana => Self::Grafana,
            sources::Source::Datadog => Self::Datadog,
            sources::Source::AwsHealth => Self::AwsHealth,
            sources::Source::Generic => Self::Generic,
        }
    }
}

/// How a delivery proves who sent it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase", deny_unknown_fields)]
pub(crate) enum Scheme {
    /// <https://www.standardwebhooks.com>, symmetric.
    StandardWebhooks,
    /// `X-PagerDuty-Signature`, webhooks v3.
    Pagerduty,
    /// `X-Grafana-Alerting-Signature`, Grafana 12 and later.
    Grafana {
        /// The header that the contact point puts the time into; without one, a replay cannot be told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        timestamp_header: Option<String>,
    },
    /// `X-Slack-Signature` with `X-Slack-Request-Timestamp`.
    Slack,
    /// `Authorization: Bearer`, where the secret is the token.
    Bearer,
    /// `Authorization: Basic`, where the secret is the password.
    Basic { username: String },
    /// A header whose whole value is the secret.
    Header { name: String },
}

impl From<Scheme> for verification::Scheme {
    fn from(scheme: Scheme) -> Self {
        match scheme {
            Scheme::StandardWebhooks => Self::StandardWebhooks,
            Scheme::Pagerduty => Self::Pagerduty,
            Scheme::Grafana { timestamp_header } => Self::Grafana { timestamp_header },
            Scheme::Slack => Self::Slack,
            Scheme::Bearer => Self::Bearer,
            Scheme::Basic { username } => Self::Basic { username },
            Scheme::Header { name } => Self::Header { name },
        }
    }
}

impl From<verification::Scheme> for Scheme {
    fn from(scheme: verification::Scheme) -> Self {
        match scheme {
            verification::Scheme::StandardWebhooks => Self::StandardWebhooks,
            verification::Scheme::Pagerduty => Self::Pagerduty,
            verification::Scheme::Grafana { timestamp_header } => Self::Grafana { timestamp_header },
            verification::Scheme::Slack => Self::Slack,
            verification::Scheme::Bearer => Self::Bearer,
            verification::Scheme::Basic { username } => Self::Basic { username },
            verification::Scheme::Header { name } => Self::Header { name },
        }
    }
}
