//! Where each record stands: its partition key and sort key. Part of the stored shape, frozen by a test.

use muster_app::table::{BodyPart, Key};
use muster_domain::audit::Resource;

/// The primary key of an item. `#` separates the parts; no identifier may hold it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ItemKey {
    pub pk: String,
    pub sk: String,
}

/// A primary key that this version of Muster never writes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no record has the key {pk} / {sk}")]
pub struct UnknownKey {
    pub pk: String,
    pub sk: String,
}

/// The sort key of a record that is alone in its partition, or the first of it.
const HEAD: &str = "HEAD";

impl ItemKey {
    pub fn of(key: &Key) -> Self {
        match key {
            Key::Runbook(id) => Self::head(format!("RB#{id}")),
            Key::RunbookVersion(id, version) => Self::new(format!("RB#{id}"), format!("V#{version:010}")),
            // A partition of its own: only the approval function may write leading keys `DECISION#`.
            Key::Decision(id, version) => Self::head(format!("DECISION#{id}#{version:010}")),
            Key::Execution(id) => Self::head(format!("EX#{id}")),
            Key::Body(id, step, BodyPart::Request) => {
                Self::new(format!("EX#{id}"), format!("BODY#{step}#request"))
            }
            Key::Body(id, step, BodyPart::Response(attempt)) => {
                Self::new(format!("EX#{id}"), format!("BODY#{step}#response#{attempt:010}"))
            }
            Key::Incident(id) => Self::head(format!("INC#{id}")),
            Key::Audit(resource, seq) => Self::new(format!("AUDIT#{resource}"), format!("{seq:020}")),
            Key::Idempotency(digest) => Self::head(format!("IDEM#{digest}")),
            Key::KillSwitch(scope) => Self::head(format!("CONTROL#{scope}")),
        }
    }

    /// The record that stands here.
    pub fn parse(&self) -> Result<Key, UnknownKey> {
        let known = self.pk.split_once('#').and_then(|(family, rest)| parse(family, rest, &self.sk));
        // Only the one spelling that is written counts, so that no record has two keys.
        known
            .filter(|key| Self::of(key) == *self)
            .ok_or_else(|| UnknownKey { pk: self.pk.clone(), sk: self.sk.clone() })
    }

    fn new(pk: String, sk: String) -> Self {
        Self { pk, sk }
    }

    fn head(pk: String) -> Self {
        Self::new(pk, HEAD.to_owned())
    }
}

fn parse(family: &str, rest: &str, sk: &str) -> Option<Key> {
    match (family, sk) {
        ("RB", HEAD) => rest.parse().ok().map(Key::Runbook),
        ("RB", _) => parse_version(rest, sk),
        ("DECISION", HEAD) => parse_decision(rest),
        ("EX", HEAD) => rest.parse().ok().map(Key::Execution),
        ("EX", _) => parse_body(rest, sk),
        ("INC", HEAD) => rest.parse().ok().map(Key::Incident),
        ("AUDIT", _) => Some(Key::Audit(rest.parse::<Resource>().ok()?, sk.parse().ok()?)),
        ("IDEM", HEAD) => rest.parse().ok().map(Key::Idempotency),
        ("CONTROL", HEAD) => rest.parse().ok().map(Key::KillSwitch),
        _ => None,
    }
}

fn parse_version(runbook: &str, sk: &str) -> Option<Key> {
    let version = sk.strip_prefix("V#")?.parse().ok()?;
    Some(Key::RunbookVersion(runbook.parse().ok()?, version))
}

fn parse_decision(rest: &str) -> Option<Key> {
    let (runbook, version) = rest.split_once('#')?;
    Some(Key::Decision(runbook.parse().ok()?, version.parse().ok()?))
}

fn parse_body(execution: &str, sk: &str) -> Option<Key> {
    let (step, part) = sk.strip_prefix("BODY#")?.split_once('#')?;
    let part = match part.split_once('#') {
        None if part == "request" => BodyPart::Request,
        Some(("response", attempt)) => BodyPart::Response(attempt.parse().ok()?),
        None | Some(_) => return None,
    };
    Some(Key::Body(execution.parse().ok()?, step.parse().ok()?, part))
}
