//! Which data directory a command is about.

use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Clone, Args)]
pub(crate) struct DataArgs {
    /// Data directory [default: $XDG_DATA_HOME/muster, else ~/.local/share/muster]
    #[arg(long, value_name = "DIR", env = "MUSTER_DATA")]
    data: Option<PathBuf>,
}

/// There is no place to keep data in.
#[derive(Debug, thiserror::Error)]
#[error("neither XDG_DATA_HOME nor HOME names a directory: say with --data where the data is")]
pub(crate) struct NoHome;

impl DataArgs {
    pub(crate) fn path(&self) -> Result<PathBuf, NoHome> {
        match &self.data {
            Some(path) => Ok(path.clone()),
            None => default_path(|name| env::var_os(name)).ok_or(NoHome),
        }
    }
}

/// As the XDG Base Directory Specification has it: a path that is not absolute does not count.
fn default_path(variable: impl Fn(&str) -> Option<OsString>) -> Option<PathBuf> {
    let absolute = |name| variable(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = absolute("XDG_DATA_HOME").or_else(|| Some(absolute("HOME")?.join(".local/share")));
    base.map(|base| base.join("muster"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(variables: &[(&str, &str)], expected: Option<&str>) {
        let variable = |name: &str| {
            let found = variables.iter().find(|(given, _)| *given == name);
            found.map(|(_, value)| OsString::from(value))
        };
        assert_eq!(default_path(variable), expected.map(PathBuf::from), "{variables:?}");
    }

    #[test]
    fn data_is_where_the_xdg_specification_says() {
        check(&[("XDG_DATA_HOME", "/x"), ("HOME", "/h")], Some("/x/muster"));
        check(&[("HOME", "/h")], Some("/h/.local/share/muster"));
        check(&[("XDG_DATA_HOME", "relative"), ("HOME", "/h")], Some("/h/.local/share/muster"));
        check(&[("XDG_DATA_HOME", ""), ("HOME", "")], None);
        check(&[], None);
    }
}
