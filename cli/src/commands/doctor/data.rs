//! Checks of the data directory. They change nothing, and leave a running server alone.

use std::path::Path;

use muster_app::error::chain;
use muster_egress::LocalSecrets;
use muster_store::sqlite::SqliteTable;

use super::Finding;
use crate::local::data_dir::{DataDir, DataDirError};

pub(super) fn check(path: &Path) -> Vec<Finding> {
    if !path.exists() {
        let seen = format!("{} is not there yet", path.display());
        return vec![Finding::doubtful("data directory", seen, "`muster serve` makes it")];
    }
    match DataDir::open(path) {
        Ok(dir) => {
            let mut findings = vec![Finding::fine("data directory", path.display().to_string())];
            findings.extend(check_table(&dir));
            findings.push(check_secrets(&dir));
            findings.push(check_key(&dir));
            findings
        }
        Err(error) => vec![broken("data directory", &error)],
    }
}

/// The table is opened only where no server has it.
fn check_table(dir: &DataDir) -> Vec<Finding> {
    match dir.lock() {
        Err(DataDirError::InUse { .. }) => {
            let seen = "a server runs on this data; whether its table answers, its readiness says below";
            vec![Finding::fine("lock", seen)]
        }
        Err(error) => vec![broken("lock", &error)],
        Ok(_lock) => vec![Finding::fine("lock", "no server runs on this data"), open_table(&dir.table())],
    }
}

fn open_table(path: &Path) -> Finding {
    if !path.exists() {
        return Finding::fine("table", "nothing is stored yet");
    }
    match SqliteTable::open(path).and_then(SqliteTable::close) {
        Ok(()) => Finding::fine("table", format!("{} opens, and its schema is known", path.display())),
        Err(error) => {
            Finding::broken("table", chain(&error), "restore a backup, or use the version that wrote it")
        }
    }
}

fn check_secrets(dir: &DataDir) -> Finding {
    match LocalSecrets::open(dir.secrets_path()) {
        Ok(_) if dir.secrets_path().exists() => Finding::fine("secrets", "readable by their owner alone"),
        Ok(_) => Finding::fine("secrets", "none are stored yet"),
        Err(error) => {
            Finding::broken("secrets", chain(&error), "webhooks that need a secret will not be sent")
        }
    }
}

fn check_key(dir: &DataDir) -> Finding {
    if !dir.signing_key_path().exists() {
        return Finding::fine("signing key", "made on first use");
    }
    match dir.signing_key() {
        Ok(_) => Finding::fine("signing key", "readable by its owner alone"),
        Err(error) => broken("signing key", &error),
    }
}

fn broken(check: &'static str, error: &DataDirError) -> Finding {
    let mending = match error {
        // The message says it already.
        DataDirError::Open { .. } | DataDirError::InUse { .. } => "",
        DataDirError::Io { .. } => "check who owns the directory and its files",
    };
    Finding::broken(check, chain(error), mending)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::PathBuf;

    use super::super::Verdict::{self, Broken, Doubtful, Fine};
    use super::*;

    /// A directory as `muster serve` leaves it, the table aside.
    fn installation() -> (tempfile::TempDir, PathBuf) {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let dir = DataDir::open(&path).unwrap();
        dir.secrets().unwrap();
        dir.signing_key().unwrap();
        SqliteTable::open(&dir.table()).unwrap().close().unwrap();
        (parent, path)
    }

    #[track_caller]
    fn expect(path: &Path, check_name: &str, verdict: Verdict) {
        let findings = check(path);
        let found = findings.iter().find(|finding| finding.check == check_name);
        let found = found.unwrap_or_else(|| panic!("no {check_name} in {findings:?}"));
        assert_eq!(found.verdict, verdict, "{found}");
    }

    #[test]
    fn a_sound_installation_is_fine_throughout() {
        let (_parent, path) = installation();
        for finding in check(&path) {
            assert_eq!(finding.verdict, Fine, "{finding}");
        }
    }

    #[test]
    fn what_is_not_there_yet_is_no_fault_and_is_not_made() {
        let parent = tempfile::tempdir().unwrap();
        expect(&parent.path().join("data"), "data directory", Doubtful);
        assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 0);
        let path = parent.path().join("made");
        DataDir::open(&path).unwrap();
        expect(&path, "table", Fine);
        expect(&path, "secrets", Fine);
        expect(&path, "signing key", Fine);
        assert!(!path.join("muster.db").exists() && !path.join("secrets").exists());
    }

    #[test]
    fn open_modes_are_faults() {
        for (name, check_name) in
            [("secrets", "secrets"), ("signing-key", "signing key"), ("", "data directory")]
        {
            let (_parent, path) = installation();
            fs::set_permissions(path.join(name), Permissions::from_mode(0o644)).unwrap();
            expect(&path, check_name, Broken);
        }
    }

    #[test]
    fn a_table_that_is_none_is_a_fault() {
        let (_parent, path) = installation();
        fs::write(
            path.join("muster.db"),
            "This is no database, and longer than the header of one would be.".repeat(9),
        )
        .unwrap();
        expect(&path, "table", Broken);
    }

    #[test]
    fn the_table_of_a_running_server_is_left_alone() {
        let (_parent, path) = installation();
        let _lock = DataDir::open(&path).unwrap().lock().unwrap();
        expect(&path, "lock", Fine);
        assert!(check(&path).iter().all(|finding| finding.check != "table"));
    }
}
