//! Hash chains: who did what, in an order that cannot be rewritten unnoticed (F4).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::digest::Digest;
use crate::freeze::FreezeScope;
use crate::ids::{
    AccountId, ExecutionId, IncidentId, IntegrationId, RunbookId, StepId, TeamId, UserId, WorkflowId,
};
use crate::time::Time;

/// Where a resource's chain stands: kept on the resource itself, so a truncated chain does not meet its head.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChainHead {
    /// Number of the newest entry; 0 for an empty chain.
    pub seq: u64,
    /// Hash of the newest entry; absent for an empty chain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<Digest>,
}

/// What a chain belongs to.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Resource {
    Runbook(RunbookId),
    Execution(ExecutionId),
    Incident(IncidentId),
    Workflow(WorkflowId),
    Integration(IntegrationId),
    /// A team's settings; its text is `team:<team>`.
    Team(TeamId),
    /// An AWS account; its text is `account:` and the digits.
    Account(AccountId),
    /// One round of an approval step; its text is `approval:<execution>:<step>:<round>`.
    Approval(ExecutionId, StepId, u32),
    /// Who is whom; its text is `person:<user>`.
    Person(UserId),
    /// A kill switch; its text is the scope's.
    Control(crate::control::Scope),
    /// A calendar of change freezes; its text is `freezes:` and the scope.
    Freezes(FreezeScope),
    /// Everything about broken glass; its text is `break-glass`.
    BreakGlass,
}

impl std::fmt::Display for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Runbook(id) => id.fmt(f),
            Self::Execution(id) => id.fmt(f),
            Self::Incident(id) => id.fmt(f),
            Self::Workflow(id) => id.fmt(f),
            Self::Integration(id) => id.fmt(f),
            Self::Team(id) => write!(f, "team:{id}"),
            Self::Account(id) => write!(f, "account:{id}"),
            Self::Approval(execution, step, round) => write!(f, "approval:{execution}:{step}:{round}"),
            Self::Person(id) => write!(f, "person:{id}"),
            Self::Control(scope) => write!(f, "control:{scope}"),
            Self::Freezes(scope) => write!(f, "freezes:{scope}"),
            Self::BreakGlass => f.write_str("break-glass"),
        }
    }
}

impl From<Resource> for String {
    fn from(resource: Resource) -> Self {
        resource.to_string()
    }
}

impl std::str::FromStr for Resource {
    type Err = crate::ids::InvalidId;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Some(scope) = text.strip_prefix("control:") {
            return scope.parse().map(Self::Control);
        }
        if let Some(scope) = text.strip_prefix("freezes:") {
            return scope.parse().map(Self::Freezes);
        }
        if text == "break-glass" {
            return Ok(Self::BreakGlass);
        }
        if let Some(team) = text.strip_prefix("team:") {
            return team.parse().map(Self::Team);
        }
        if let Some(account) = text.strip_prefix("account:") {
            return account.parse().map(Self::Account);
        }
        if let Some(person) = text.strip_prefix("person:") {
            return person.parse().map(Self::Person);
        }
        if let Some(approval) = text.strip_prefix("approval:") {
            return parse_approval(approval);
        }
        let prefix = text.split_once('_').map_or("", |(prefix, _)| prefix);
        match prefix {
            "rb" => text.parse().map(Self::Runbook),
            "ex" => text.parse().map(Self::Execution),
            "inc" => text.parse().map(Self::Incident),
            "wf" => text.parse().map(Self::Workflow),
            "int" => text.parse().map(Self::Integration),
            _ => Err(crate::ids::InvalidId {
                expected: "the id of a runbook, workflow, execution, incident or integration, `team:<team>`, `account:<id>`, `person:<user>`, `approval:<execution>:<step>:<round>`, `control:<scope>`, `freezes:<scope>` or `break-glass`",
            }),
        }
    }
}

fn parse_approval(text: &str) -> Result<Resource, crate::ids::InvalidId> {
    let expected = crate::ids::InvalidId { expected: "`approval:<execution>:<step>:<round>`" };
    let mut parts = text.splitn(3, ':');
    let (Some(execution), Some(step), Some(round)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(expected);
    };
    // Only the spelling that is written counts, so that no resource has two names.
    let written = round.parse::<u32>().ok().filter(|number| number.to_string() == round);
    Ok(Resource::Approval(execution.parse()?, step.parse()?, written.ok_or(expected)?))
}

impl TryFrom<String> for Resource {
    type Error = crate::ids::InvalidId;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// One entry of a resource's audit chain.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditEntry {
    pub resource: Resource,
    /// Counts from 1 without gaps.
    pub seq: u64,
    pub at: Time,
    /// Who acted; absent when Muster itself did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<UserId>,
    /// What happened, as in `runbook.approved`.
    pub action: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub team: Option<TeamId>,
    /// Facts of the action; never a secret, a body or a token.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub detail: Value,
    /// Hash of the entry before; absent on the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prev: Option<Digest>,
    /// Digest of this entry without this field.
    pub hash: Digest,
}

/// An entry before it has its place in a chain.
#[derive(Debug, Clone, PartialEq)]
pub struct Fact {
    pub action: &'static str,
    pub actor: Option<UserId>,
    pub detail: Value,
}

impl ChainHead {
    /// The next entry of the chain, and the head after it.
    #[must_use]
    pub fn append(
        &self,
        resource: Resource,
        team: Option<TeamId>,
        fact: Fact,
        at: Time,
    ) -> (AuditEntry, Self) {
        let mut entry = AuditEntry {
            resource,
            seq: self.seq.saturating_add(1),
            at,
            actor: fact.actor,
            action: fact.action.to_owned(),
            team,
            detail: fact.detail,
            prev: self.hash,
            hash: Digest::of_bytes(b""),
        };
        entry.hash = entry.computed_hash();
        let head = Self { seq: entry.seq, hash: Some(entry.hash) };
        (entry, head)
    }
}

impl AuditEntry {
    fn computed_hash(&self) -> Digest {
        let mut value = serde_json::to_value(self).unwrap_or_default();
        if let Some(members) = value.as_object_mut() {
            members.remove("hash");
        }
        Digest::of_json(&value)
    }
}

/// What is wrong with a chain.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChainBreak {
    #[error("entry {expected} of {resource} is missing: {found} follows")]
    Missing { resource: Resource, expected: u64, found: u64 },
    #[error("entry {seq} of {resource} belongs to another resource")]
    Foreign { resource: Resource, seq: u64 },
    #[error("entry {seq} of {resource} was changed: its hash does not fit its content")]
    Changed { resource: Resource, seq: u64 },
    #[error("entry {seq} of {resource} does not follow the entry before it")]
    Unlinked { resource: Resource, seq: u64 },
    #[error("the chain of {resource} ends at entry {found}, its resource says {expected}")]
    Truncated { resource: Resource, expected: u64, found: u64 },
    #[error("the last hash of {resource} is not the one its resource keeps")]
    OtherHead { resource: Resource },
}

/// Checks a whole chain, oldest entry first, against the head that its resource keeps.
pub fn verify(resource: &Resource, entries: &[AuditEntry], head: &ChainHead) -> Result<(), ChainBreak> {
    let mut before: Option<&AuditEntry> = None;
    for (expected, entry) in (1_u64..).zip(entries) {
        verify_entry(resource, expected, before, entry)?;
        before = Some(entry);
    }
    let found = before.map_or(0, |entry| entry.seq);
    let resource = resource.clone();
    if found != head.seq {
        Err(ChainBreak::Truncated { resource, expected: head.seq, found })
    } else if before.map(|entry| &entry.hash) != head.hash.as_ref() {
        Err(ChainBreak::OtherHead { resource })
    } else {
        Ok(())
    }
}

fn verify_entry(
    resource: &Resource,
    expected: u64,
    before: Option<&AuditEntry>,
    entry: &AuditEntry,
) -> Result<(), ChainBreak> {
    let (seq, resource) = (entry.seq, resource.clone());
    if entry.resource != resource {
        Err(ChainBreak::Foreign { resource, seq })
    } else if seq != expected {
        Err(ChainBreak::Missing { resource, expected, found: seq })
    } else if entry.computed_hash() != entry.hash {
        Err(ChainBreak::Changed { resource, seq })
    } else if entry.prev.as_ref() != before.map(|entry| &entry.hash) {
        Err(ChainBreak::Unlinked { resource, seq })
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn chain(length: u64) -> (Resource, Vec<AuditEntry>, ChainHead) {
        let resource = Resource::Runbook(RunbookId::new(Time::from_millis(1), 1));
        let mut head = ChainHead::default();
        let mut entries = Vec::new();
        for n in 0..length {
            let fact = Fact { action: "runbook.updated", actor: None, detail: json!({"n": n}) };
            let (entry, next) = head.append(resource.clone(), None, fact, Time::from_millis(1));
            entries.push(entry);
            head = next;
        }
        (resource, entries, head)
    }

    fn check(damage: impl FnOnce(&mut Vec<AuditEntry>), expected: &str) {
        let (resource, mut entries, head) = chain(4);
        damage(&mut entries);
        let seen = verify(&resource, &entries, &head).expect_err("damage is found").to_string();
        assert!(seen.contains(expected), "{seen}");
    }

    #[test]
    fn an_untouched_chain_verifies() {
        for length in [0, 1, 4] {
            let (resource, entries, head) = chain(length);
            assert_eq!(verify(&resource, &entries, &head), Ok(()));
        }
    }

    #[test]
    fn inv_f2_edit_deletion_reordering_and_truncation_are_found() {
        check(|entries| entries[1].detail = json!({"n": 9}), "entry 2 of");
        check(|entries| entries[1].at = Time::from_millis(2), "was changed");
        check(|entries| drop(entries.remove(1)), "is missing");
        check(|entries| entries.swap(1, 2), "is missing");
        check(|entries| drop(entries.pop()), "its resource says 4");
        check(
            |entries| {
                entries[3].detail = json!({"n": 9});
                entries[3].hash = entries[3].computed_hash();
            },
            "not the one its resource keeps",
        );
        check(
            |entries| {
                entries[1].detail = json!({"n": 9});
                entries[1].hash = entries[1].computed_hash();
            },
            "entry 3 of",
        );
    }
}
