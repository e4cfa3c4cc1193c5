//! Creates a Linear issue (GraphQL `issueCreate`).

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{check_labels, check_plain, check_template};
use crate::fault::{Fault, pointer_to};
use crate::secret::SecretRef;

/// The id of the issue is chosen here, by [`LinearAction::issue_id`]: every attempt names the same one, and Linear
/// refuses a second issue of an id, which counts as success.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LinearAction {
    pub api_key: SecretRef,
    /// Linear's id of the team.
    pub team_id: String,
    /// A template.
    pub title: String,
    /// A template in Markdown.
    pub description: String,
    /// 0 none, 1 urgent, 2 high, 3 normal, 4 low.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<u8>,
    /// At most 20 of Linear's ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub label_ids: Vec<String>,
}

const MAX_PRIORITY: u8 = 4;

impl LinearAction {
    /// The id of the issue: a UUID in the form of version 4, the kind that Linear takes.
    pub fn issue_id(idempotency_key: &str) -> String {
        let hash = Sha256::digest(idempotency_key);
        let mut bits = hash.iter().take(16).fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
        bits = bits & !(0xf << 76) | (0x4 << 76);
        bits = bits & !(0x3 << 62) | (0x2 << 62);
        hyphenated(&hex::encode(bits.to_be_bytes()))
    }

    pub(super) fn faults(&self, pointer: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        check_plain(pointer, "teamId", &self.team_id, &mut faults);
        check_template(pointer, "title", &self.title, &mut faults);
        check_template(pointer, "description", &self.description, &mut faults);
        if self.priority.is_some_and(|priority| priority > MAX_PRIORITY) {
            faults.push(Fault::new(pointer_to(pointer, "priority"), format!("must be 0 to {MAX_PRIORITY}")));
        }
        check_labels(pointer, "labelIds", &self.label_ids, &mut faults);
        faults
    }
}

/// Groups of 8, 4, 4, 4 and 12 digits.
fn hyphenated(digits: &str) -> String {
    let groups = [0..8, 8..12, 12..16, 16..20, 20..32].map(|range| digits.get(range).unwrap_or_default());
    groups.join("-")
}
