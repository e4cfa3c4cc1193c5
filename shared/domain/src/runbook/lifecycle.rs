//! The lifecycle of one version: DRAFT → APPROVED → DEPRECATED (A4). There is no way back.

use std::fmt;

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum VersionStatus {
    Draft,
    Approved,
    Deprecated,
}

/// What a person may ask of a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LifecycleEvent {
    Approve,
    Deprecate,
}

/// Why the lifecycle refuses an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Only {needed} versions can be {verb}; this one is {current}")]
pub struct LifecycleRefusal {
    pub current: VersionStatus,
    needed: VersionStatus,
    verb: &'static str,
}

impl VersionStatus {
    pub const ALL: [Self; 3] = [Self::Draft, Self::Approved, Self::Deprecated];

    /// The status after `event`.
    pub fn decide(self, event: LifecycleEvent) -> Result<Self, LifecycleRefusal> {
        match (event, self) {
            (LifecycleEvent::Approve, Self::Draft) => Ok(Self::Approved),
            (LifecycleEvent::Deprecate, Self::Approved) => Ok(Self::Deprecated),
            (LifecycleEvent::Approve, current @ (Self::Approved | Self::Deprecated)) => {
                Err(LifecycleRefusal { current, needed: Self::Draft, verb: "approved" })
            }
            (LifecycleEvent::Deprecate, current @ (Self::Draft | Self::Deprecated)) => {
                Err(LifecycleRefusal { current, needed: Self::Approved, verb: "deprecated" })
            }
        }
    }

    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "DRAFT",
            Self::Approved => "APPROVED",
            Self::Deprecated => "DEPRECATED",
        }
    }
}

impl fmt::Display for VersionStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
