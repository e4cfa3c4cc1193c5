//! Inbound webhooks: who sends what to where, and how a firing and its resolution meet.

use serde::{Deserialize, Serialize};

use crate::audit::ChainHead;
use crate::digest::Digest;
use crate::fault::{Fault, check_length, pointer_to};
use crate::ids::{IncidentId, IntegrationId, SecretName, TeamId, UserId};
use crate::sources::verification::Scheme;
use crate::sources::{Signal, SignalStatus, Source};
use crate::time::Time;

/// One sender that reports to Muster at an address of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Integration {
    pub id: IntegrationId,
    pub name: String,
    /// Whose incidents it opens; absent: incidents of no team.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    pub source: Source,
    /// How its deliveries prove who sent them.
    pub scheme: Scheme,
    /// Any of them may verify a delivery, so that a secret can be changed without a gap.
    pub secrets: Vec<SecretName>,
    pub enabled: bool,
    pub created_by: UserId,
    pub created_at: Time,
    pub updated_at: Time,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Time>,
    pub audit: ChainHead,
}

/// What a person gives to have a sender report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewIntegration {
    /// 1 to 200 characters.
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team_id: Option<TeamId>,
    pub source: Source,
    pub scheme: Scheme,
    /// Names of one secret, or of two while one takes the place of the other.
    pub secrets: Vec<SecretName>,
    pub enabled: bool,
}

pub const MAX_NAME_CHARS: usize = 200;
/// The old secret and the new one.
pub const MAX_SECRETS: usize = 2;

impl NewIntegration {
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        check_length("/name", &self.name, 1, MAX_NAME_CHARS, &mut faults);
        faults.extend(self.scheme.faults().into_iter().map(|fault| fault.under("/scheme")));
        if self.secrets.is_empty() || self.secrets.len() > MAX_SECRETS {
            let message = format!("must name 1 to {MAX_SECRETS} secrets");
            faults.push(Fault::new("/secrets", message));
        }
        for (position, name) in self.secrets.iter().enumerate().skip(1) {
            if self.secrets.iter().take(position).any(|before| before == name) {
                let pointer = pointer_to("/secrets", &position.to_string());
                faults.push(Fault::new(pointer, "is named before; name it once"));
            }
        }
        faults
    }
}

/// What one fingerprint of one sender stands for: the incident that its reports are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// Digest of the sender and the fingerprint.
    pub key: Digest,
    pub incident: IncidentId,
    /// How often it was reported to fire while the incident was open.
    pub firings: u32,
    /// The last report of it, if that bore no time: the same soon again is that report, sent again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub undated: Option<Digest>,
    /// When its newest firing happened, as its source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fired_at: Option<Time>,
    /// When its newest end happened, as its source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
    pub updated_at: Time,
}

impl Alert {
    /// The alert after a report of it.
    #[must_use]
    pub fn after(self, signal: &Signal) -> Self {
        match signal.status {
            SignalStatus::Firing => Self { fired_at: self.fired_at.max(signal.changed_at()), ..self },
            SignalStatus::Resolved => Self { ended_at: self.ended_at.max(signal.changed_at()), ..self },
            SignalStatus::Acknowledged => self,
        }
    }

    /// Whether a report comes after what it is older than: a firing that has ended, or the end of a firing before the
    /// newest. `is_over` says whether the alert's incident is.
    pub fn overtakes(&self, signal: &Signal, is_over: IsOver) -> bool {
        let Some(at) = signal.changed_at() else { return false };
        match signal.status {
            SignalStatus::Firing => {
                let known = is_over == IsOver::Yes && self.fired_at.is_some_and(|fired| at <= fired);
                known || self.ended_at.is_some_and(|ended| at < ended)
            }
            SignalStatus::Resolved => self.fired_at.is_some_and(|fired| at < fired),
            SignalStatus::Acknowledged => false,
        }
    }
}

/// Whether an alert's incident is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IsOver {
    Yes,
    No,
}

/// That a delivery was dealt with, so that its repeat is not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Seen {
    /// Digest of the sender and the delivery's own id.
    pub key: Digest,
    pub expires_at: Time,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl FnOnce(&mut NewIntegration), expected: &[&str]) {
        let mut new = NewIntegration {
            name: "Alerts".to_owned(),
            team_id: None,
            source: Source::Grafana,
            scheme: Scheme::Bearer,
            secrets: vec!["grafana/new".parse().expect("valid"), "grafana/old".parse().expect("valid")],
            enabled: true,
        };
        change(&mut new);
        let seen: Vec<String> = new.faults().into_iter().map(|fault| fault.pointer).collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn every_fault_is_reported_with_its_place() {
        check(|_| {}, &[]);
        check(|new| new.name.clear(), &["/name"]);
        check(|new| new.name = "a".repeat(201), &["/name"]);
        check(|new| new.secrets.clear(), &["/secrets"]);
        check(|new| new.secrets.push("third".parse().expect("valid")), &["/secrets"]);
        check(|new| new.secrets[1] = new.secrets[0].clone(), &["/secrets/1"]);
        check(|new| new.scheme = Scheme::Header { name: "a b".to_owned() }, &["/scheme/name"]);
        check(|new| new.scheme = Scheme::Basic { username: "a:b".to_owned() }, &["/scheme/username"]);
    }
}
