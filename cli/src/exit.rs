//! Exit codes: the one place that says what a script may rely on.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// What was asked is done.
    Success,
    /// It was tried and did not end well: a watched execution failed, a check of `doctor` failed, an audit chain is broken.
    Failure,
    /// What was asked makes no sense: a wrong argument, a file or a request that is not valid. Trying again cannot help.
    Usage,
    /// What was named does not exist, or the caller may not know that it does.
    NotFound,
    /// Refused: no valid token, no permission, or a rule such as "nobody approves their own work".
    Refused,
    /// It contradicts the state that is stored, or was changed by someone else meanwhile.
    Conflict,
    /// The server or something it needs cannot be reached, is full or is busy. Trying again later may help.
    Unavailable,
}

impl Exit {
    pub(crate) const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Failure => 1,
            Self::Usage => 2,
            Self::NotFound => 3,
            Self::Refused => 4,
            Self::Conflict => 5,
            Self::Unavailable => 6,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What `muster --help` says of them.
pub(crate) const HELP: &str = "\
Exit codes:
  0  done
  1  tried, and did not end well (a watched execution failed, a check failed, a chain is broken)
  2  a wrong argument, or a file or request that is not valid
  3  there is no such thing
  4  refused: no valid token, no permission, or a rule forbids it
  5  contradicts what is stored, or changed meanwhile
  6  the server or something it needs is unreachable, full or busy; try again later";
