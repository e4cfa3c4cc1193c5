//! What a ledger's decisions come to.

use std::collections::BTreeSet;

use super::{Decision, GateSpec, Ledger, People, Verdict};
use crate::digest::Digest;
use crate::ids::UserId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// This level, the lowest, still lacks somebody; it counts from 0.
    Open {
        level: usize,
    },
    Approved,
    Rejected {
        by: UserId,
        reason: Option<String>,
    },
}

/// What the worker trusts before it passes a gate (INVARIANTS C3, C4). Only decisions on `subject` that were not taken back
/// count; of approvals only those by different people, neither they nor who vouched for them excluded, each admitted to their
/// level by the levels' own approvers or the `rungs` climbed. A person who approved at two levels, as an alias that became
/// known later shows, counts at the lower one. A rejection stands even if its author was excluded since: it lets nothing go on.
pub fn standing(
    spec: &GateSpec,
    rungs: u32,
    excluded: &BTreeSet<UserId>,
    people: &People,
    ledger: Option<&Ledger>,
    subject: &Digest,
) -> Standing {
    let Some(ledger) = ledger.filter(|ledger| ledger.subject == *subject) else {
        return Standing::Open { level: 0 };
    };
    if let Some(rejection) = rejection(ledger) {
        return Standing::Rejected { by: rejection.by.clone(), reason: rejection.reason.clone() };
    }
    let counts = |decision: &&Decision| {
        spec.admitted(decision.level, rungs).any(|approver| *approver == decision.right)
            && !decision.authors().any(|author| people.is_one_of(author, excluded))
    };
    let mut counted = Vec::new();
    for (level, asked) in spec.levels.iter().enumerate() {
        let before = counted.len();
        for decision in ledger.live().filter(|decision| decision.level == level).filter(counts) {
            add_person(&mut counted, &decision.by, people);
        }
        if !enough(counted.len().saturating_sub(before), asked.needed) {
            return Standing::Open { level };
        }
    }
    // A gate without levels would be passed by nobody's word; validation refuses it, and so does this.
    if spec.levels.is_empty() { Standing::Open { level: 0 } } else { Standing::Approved }
}

/// The earliest, so that the order of the ledger does not matter.
fn rejection(ledger: &Ledger) -> Option<&Decision> {
    let rejections = ledger.live().filter(|decision| decision.verdict == Verdict::Reject);
    rejections.min_by_key(|decision| (decision.at, &decision.by))
}

fn add_person<'l>(counted: &mut Vec<&'l UserId>, user: &'l UserId, people: &People) {
    if !counted.iter().any(|other| people.same_person(other, user)) {
        counted.push(user);
    }
}

/// No level is passed by nobody.
fn enough(persons: usize, needed: u32) -> bool {
    u32::try_from(persons).unwrap_or(u32::MAX) >= needed.max(1)
}
