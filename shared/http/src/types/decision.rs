//! What people decide: about versions, and about executions.

use muster_domain::digest::Digest;
use muster_domain::execution as domain;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Approve {
    /// Absent: the newest version.
    #[serde(default)]
    pub(crate) version: Option<u32>,
    /// The digest of what was reviewed; the approval is refused if the version holds something else.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub(crate) digest: Option<Digest>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Deprecate {
    /// Absent: every approved version.
    #[serde(default)]
    pub(crate) version: Option<u32>,
    /// At most 500 characters.
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RollBack {
    pub(crate) to_version: u32,
}

#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Cancel {
    /// At most 500 characters.
    #[serde(default)]
    pub(crate) reason: Option<String>,
}

/// A person's answer to an outcome that nobody could know.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Resolve {
    pub(crate) outcome: Resolution,
    /// How you know, 1 to 500 characters.
    pub(crate) reason: String,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum Resolution {
    /// It took effect: the step has succeeded.
    Happened,
    /// It did not: send it again.
    Resend,
}

impl From<Resolution> for domain::Resolution {
    fn from(resolution: Resolution) -> Self {
        match resolution {
            Resolution::Happened => Self::Happened,
            Resolution::Resend => Self::Resend,
        }
    }
}

impl From<domain::Resolution> for Resolution {
    fn from(resolution: domain::Resolution) -> Self {
        match resolution {
            domain::Resolution::Happened => Self::Happened,
            domain::Resolution::Resend => Self::Resend,
        }
    }
}
