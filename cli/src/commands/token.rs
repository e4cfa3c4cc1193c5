//! `muster token`: a token of this installation, for a person or a script.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use jiff::SignedDuration;
use muster_domain::ids::UserId;
use muster_domain::policy::Principal;
use muster_http::local_identity::{LocalIdentity, LocalIdentityError};

use super::data::{DataArgs, NoHome};
use crate::exit::Exit;
use crate::local::data_dir::{DataDir, DataDirError};
use muster_app::clock::SystemClock;

#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// Who the token is for, as the audit log will name them
    #[arg(long, value_name = "NAME")]
    user: UserId,
    /// A group: platform-admin, auditor, or `team:TEAM:admin`, responder or viewer; may be repeated
    #[arg(long = "group", value_name = "GROUP")]
    groups: Vec<String>,
    /// How long it is valid, as in 30m or 12h
    #[arg(long, value_name = "TIME", default_value = "12h", value_parser = ttl)]
    ttl: Duration,
    #[command(flatten)]
    data: DataArgs,
}

/// The longest a token may be valid: nobody can take it back before.
const LONGEST: Duration = Duration::from_hours(24 * 30);

/// Prints the token alone on standard output, so that it can be captured.
pub(crate) fn run(args: &TokenArgs) -> Result<(), TokenError> {
    for group in useless(&args.user, &args.groups) {
        let known = "platform-admin, auditor, team:<team>:admin, team:<team>:responder, team:<team>:viewer";
        let _ = writeln!(io::stderr().lock(), "note: the group {group} grants nothing; known are {known}");
    }
    let key = DataDir::open(&args.data.path()?)?.signing_key()?;
    let identity = LocalIdentity::new(&key, Arc::new(SystemClock))?;
    let token = identity.issue(&args.user, &args.groups, args.ttl)?;
    Ok(writeln!(io::stdout().lock(), "{token}")?)
}

/// Groups that mean nothing to Muster: most often misspelt.
fn useless<'g>(user: &UserId, groups: &'g [String]) -> Vec<&'g str> {
    let grants = |group: &str| {
        let principal = Principal::from_groups(user.clone(), [group]);
        !principal.installation.is_empty() || !principal.teams.is_empty()
    };
    groups.iter().map(String::as_str).filter(|group| !grants(group)).collect()
}

fn ttl(text: &str) -> Result<Duration, String> {
    let parsed: Result<SignedDuration, _> = text.parse();
    let ttl = parsed.ok().and_then(|ttl| Duration::try_from(ttl).ok());
    match ttl {
        Some(ttl) if ttl >= Duration::from_secs(1) && ttl <= LONGEST => Ok(ttl),
        Some(_) | None => Err("expected a time from 1s to 720h, as in 30m or 12h".into()),
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    #[error(transparent)]
    NoHome(#[from] NoHome),
    #[error(transparent)]
    DataDir(#[from] DataDirError),
    #[error(transparent)]
    Identity(#[from] LocalIdentityError),
    #[error("writing the token")]
    Output(#[from] io::Error),
}

impl TokenError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NoHome(_) => Exit::Usage,
            Self::DataDir(_) | Self::Identity(_) | Self::Output(_) => Exit::Failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ttl_is_a_time_of_at_most_a_month() {
        for (text, seconds) in
            [("12h", 43_200), ("30m", 1_800), ("1s", 1), ("720h", 2_592_000), ("1h 30m", 5_400)]
        {
            assert_eq!(ttl(text), Ok(Duration::from_secs(seconds)), "{text}");
        }
        for text in ["", "12", "0s", "-1h", "721h", "soon", "500ms"] {
            assert!(ttl(text).is_err(), "{text}");
        }
    }

    #[test]
    fn groups_that_grant_nothing_are_found() {
        let groups = ["platform-admin", "team:a:admin", "admin", "team:a:owner"].map(String::from);
        assert_eq!(useless(&"ann".parse().unwrap(), &groups), ["admin", "team:a:owner"]);
    }
}
