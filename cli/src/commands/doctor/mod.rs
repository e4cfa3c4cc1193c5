//! `muster doctor`: what is wrong with this installation, and how to mend it.

mod data;
mod machine;
mod outside;

use std::fmt;
use std::io::{self, Write as _};

use clap::Args;

use super::data::{DataArgs, NoHome};
use crate::exit::Exit;

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Address of the server to look for
    #[arg(long, value_name = "URL", env = "MUSTER_URL", default_value = "http://127.0.0.1:8080")]
    url: String,
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    check: &'static str,
    verdict: Verdict,
    /// What was seen.
    seen: String,
    /// What to do about it; empty when nothing is.
    mending: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Fine,
    /// It works, and somebody should know.
    Doubtful,
    /// Something does not work, or is not safe.
    Broken,
}

pub(crate) async fn run(args: &DoctorArgs) -> Result<(), DoctorError> {
    let path = args.data.path()?;
    let mut findings = data::check(&path);
    findings.push(machine::check_clock(&path));
    findings.push(machine::check_disk(&path));
    findings.extend(outside::check(&args.url).await);
    let mut out = io::stdout().lock();
    for finding in &findings {
        writeln!(out, "{finding}")?;
    }
    match findings.iter().filter(|finding| finding.verdict == Verdict::Broken).count() {
        0 => Ok(()),
        broken => Err(DoctorError::Broken(broken)),
    }
}

impl Finding {
    fn fine(check: &'static str, seen: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Fine, seen: seen.into(), mending: String::new() }
    }

    fn doubtful(check: &'static str, seen: impl Into<String>, mending: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Doubtful, seen: seen.into(), mending: mending.into() }
    }

    fn broken(check: &'static str, seen: impl Into<String>, mending: impl Into<String>) -> Self {
        Self { check, verdict: Verdict::Broken, seen: seen.into(), mending: mending.into() }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = match self.verdict {
            Verdict::Fine => "ok",
            Verdict::Doubtful => "warn",
            Verdict::Broken => "fail",
        };
        write!(f, "{word:<5} {:<15} {}", self.check, self.seen)?;
        if self.mending.is_empty() { Ok(()) } else { write!(f, "\n{:<21} {}", "", self.mending) }
    }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum DoctorError {
    #[error(transparent)]
    NoHome(#[from] NoHome),
    #[error("writing the findings")]
    Output(#[from] io::Error),
    #[error("{0} of the checks failed")]
    Broken(usize),
}

impl DoctorError {
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::NoHome(_) => Exit::Usage,
            Self::Output(_) | Self::Broken(_) => Exit::Failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_shows_its_mending_below() {
        let finding = Finding::broken("secrets", "others can read them", "run `chmod 600 secrets`");
        assert_eq!(
            finding.to_string(),
            "fail  secrets         others can read them\n                      run `chmod 600 secrets`"
        );
        assert_eq!(Finding::fine("lock", "free").to_string(), "ok    lock            free");
    }
}
