//! Exit codes of the operators' commands: those of every command, and two that only watching has.

use std::process::ExitCode;

use muster_domain::execution::ExecutionStatus;

use crate::exit::{self, Exit};

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    As(Exit),
    /// The watched execution waits for a person's decision.
    NeedsReview,
    /// Ctrl-C: nobody watches any more, and the execution goes on.
    Interrupted,
}

/// What the help of the operators' commands ends with.
pub(crate) fn help() -> String {
    format!("{}\n  {NEEDS_REVIEW}\n{INTERRUPTED}", exit::HELP)
}

const NEEDS_REVIEW: &str = "7  a watched execution NEEDS_REVIEW or is UNDO_FAILED: settle it with `muster execution resolve`, or with `retry-undo`, `skip-undo` or `mark-undone`";
const INTERRUPTED: &str = "130  watching was stopped with Ctrl-C; the execution goes on";

impl Ended {
    pub(crate) const SUCCESS: Self = Self::As(Exit::Success);

    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::As(exit) => exit.code(),
            Self::NeedsReview => 7,
            Self::Interrupted => 130,
        }
    }

    /// How a watch ends at a status, if it was wanted that the execution does what it is for; `None` while there is more to see.
    pub(crate) const fn of(status: ExecutionStatus) -> Option<Self> {
        match status {
            ExecutionStatus::Pending
            | ExecutionStatus::Running
            | ExecutionStatus::Waiting
            | ExecutionStatus::Paused => None,
            ExecutionStatus::NeedsReview | ExecutionStatus::UndoFailed => Some(Self::NeedsReview),
            ExecutionStatus::Success => Some(Self::SUCCESS),
            ExecutionStatus::Failed | ExecutionStatus::Cancelled | ExecutionStatus::RolledBack => {
                Some(Self::As(Exit::Failure))
            }
        }
    }
}

impl From<Ended> for ExitCode {
    fn from(ended: Ended) -> Self {
        Self::from(ended.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_end_has_its_own_code_and_the_help_names_it() {
        let ends = [
            Exit::Success,
            Exit::Failure,
            Exit::Usage,
            Exit::NotFound,
            Exit::Refused,
            Exit::Conflict,
            Exit::Unavailable,
        ];
        let ends = ends.map(Ended::As).into_iter().chain([Ended::NeedsReview, Ended::Interrupted]);
        let codes: Vec<u8> = ends.map(Ended::code).collect();
        assert_eq!(codes, [0, 1, 2, 3, 4, 5, 6, 7, 130]);
        for code in codes {
            assert!(help().lines().any(|line| line.trim_start().starts_with(&format!("{code}  "))), "{code}");
        }
    }

    #[test]
    fn a_watch_ends_at_what_is_final_and_at_what_needs_a_person() {
        let seen = |status| Ended::of(status).map(Ended::code);
        assert_eq!(seen(ExecutionStatus::Pending), None);
        assert_eq!(seen(ExecutionStatus::Running), None);
        assert_eq!(seen(ExecutionStatus::Waiting), None);
        assert_eq!(seen(ExecutionStatus::Success), Some(0));
        assert_eq!(seen(ExecutionStatus::Failed), Some(1));
        assert_eq!(seen(ExecutionStatus::Cancelled), Some(1));
        assert_eq!(seen(ExecutionStatus::NeedsReview), Some(7));
    }
}
