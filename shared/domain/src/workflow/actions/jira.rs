//! Creates a Jira issue (`POST /rest/api/3/issue`).

use serde::{Deserialize, Serialize};
use url::Url;

use super::{check_labels, check_plain, check_template};
use crate::fault::{Fault, pointer_to};
use crate::secret::SecretRef;
use crate::webhook;

/// Jira knows no idempotency key. Every issue therefore gets [`JiraAction::marker`] as a label; each attempt to create it comes
/// after a search for the label, and takes the issue that the search finds for its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct JiraAction {
    /// The site without a path, as in `https://acme.atlassian.net`; no template.
    pub site: String,
    /// Whose token it is.
    pub email: String,
    pub api_token: SecretRef,
    /// Key of the project, as in `OPS`.
    pub project: String,
    #[serde(default = "default_issue_type")]
    pub issue_type: String,
    /// A template.
    pub summary: String,
    /// A template; each line becomes a paragraph.
    pub description: String,
    /// At most 20, without spaces.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Name of a priority of the site, as in `High`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<String>,
}

/// What the labels begin with by which issues are found again. A person who could write one could pass another issue off as ours.
const MARKER: &str = "muster-";

impl JiraAction {
    /// The label by which a repeat finds the issue of an earlier attempt.
    pub fn marker(idempotency_key: &str) -> String {
        format!("{MARKER}{idempotency_key}")
    }

    pub(super) fn faults(&self, pointer: &str) -> Vec<Fault> {
        let mut faults = Vec::new();
        check_site(&pointer_to(pointer, "site"), &self.site, &mut faults);
        check_plain(pointer, "email", &self.email, &mut faults);
        if !self.email.contains('@') || self.email.contains(':') {
            faults.push(Fault::new(pointer_to(pointer, "email"), "is not an email address"));
        }
        check_plain(pointer, "project", &self.project, &mut faults);
        check_plain(pointer, "issueType", &self.issue_type, &mut faults);
        check_template(pointer, "summary", &self.summary, &mut faults);
        check_template(pointer, "description", &self.description, &mut faults);
        check_labels(pointer, "labels", &self.labels, &mut faults);
        self.check_written_labels(pointer, &mut faults);
        if let Some(priority) = &self.priority {
            check_plain(pointer, "priority", priority, &mut faults);
        }
        faults
    }

    /// Jira refuses an issue for a label with a space.
    fn check_written_labels(&self, pointer: &str, faults: &mut Vec<Fault>) {
        for (position, label) in self.labels.iter().enumerate() {
            let at = format!("{pointer}/labels/{position}");
            if label.contains(char::is_whitespace) {
                faults.push(Fault::new(at, "holds white space, which Jira does not allow"));
            } else if label.starts_with(MARKER) {
                faults.push(Fault::new(at, "begins with `muster-`, as only labels of Muster itself do"));
            }
        }
    }
}

fn check_site(at: &str, site: &str, faults: &mut Vec<Fault>) {
    let before = faults.len();
    webhook::check_url(at, site, faults);
    let bare = |url: Url| url.path() == "/" && url.query().is_none();
    if faults.len() == before && !Url::parse(site).is_ok_and(bare) {
        let message = "is a site alone, without path and query, as in https://acme.atlassian.net";
        faults.push(Fault::new(at, message));
    }
}

fn default_issue_type() -> String {
    "Task".to_owned()
}
