//! What an answer means where its status alone does not say it. Each service has a file; the retry table decides what follows.

mod jira;
mod linear;
mod slack;

use serde_json::Value;

pub use self::jira::found;

/// How an answer is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Answer {
    /// By its status.
    #[default]
    Status,
    /// Jira's to the creation of an issue.
    JiraIssue,
    /// Jira's to the search for an issue.
    JiraSearch,
    /// Linear's to `issueCreate`: errors stand within a 200.
    LinearIssue,
    /// That of a method of Slack's Web API: `ok` within a 200.
    SlackApi,
}

/// What an answer says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    /// What its status says.
    AsStatus,
    Succeeded,
    /// The receiver did not take the request; it may later.
    NotTaken(String),
    /// The receiver may have acted.
    Unclear(String),
    /// Sending it again cannot help.
    Failed(String),
}

impl Answer {
    pub fn read(self, status: u16, body: &str) -> Meaning {
        match self {
            Self::Status => Meaning::AsStatus,
            // The receiver was not asked, or gave up: nothing in the body is its word about the request.
            Self::JiraIssue | Self::JiraSearch | Self::LinearIssue | Self::SlackApi if is_passing(status) => {
                Meaning::AsStatus
            }
            Self::JiraIssue => jira::read_issue(status, body),
            Self::JiraSearch => jira::read_search(status, body),
            Self::LinearIssue => linear::read(status, body),
            Self::SlackApi => slack::read(status, body),
        }
    }
}

/// Statuses whose word is enough.
fn is_passing(status: u16) -> bool {
    matches!(status, 300..=399 | 408 | 425 | 429 | 500..=599)
}

fn is_success(status: u16) -> bool {
    matches!(status, 200..=299)
}

/// A 2xx that does not say what it should.
fn unreadable(service: &str, status: u16) -> Meaning {
    Meaning::Unclear(format!("{service} answered {status} with what is not an answer of its API"))
}

/// The longest that is quoted of an answer, in characters.
const MOST_QUOTED: usize = 300;

/// A failure with what the service says about it, if it says something.
fn failed(service: &str, status: u16, said: &[String]) -> Meaning {
    let said = said.join("; ");
    let quoted: String = said.chars().filter(|c| !c.is_control()).take(MOST_QUOTED).collect();
    Meaning::Failed(match quoted.as_str() {
        "" => format!("{service} answered {status}"),
        quoted => format!("{service} answered {status}: {quoted}"),
    })
}

fn parsed(body: &str) -> Value {
    serde_json::from_str(body).unwrap_or_default()
}

#[cfg(test)]
mod tests;
