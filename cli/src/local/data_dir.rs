//! The data directory: all that one installation keeps, readable by its owner alone.
//!
//! | name | what |
//! |---|---|
//! | `muster.db` | the table (SQLite; `-wal` and `-shm` beside it while it is open) |
//! | `secrets` | values of secrets: lines of `NAME=value`, or one JSON object |
//! | `signing-key` | the key that signs and verifies this installation's tokens |
//! | `callback-key` | the key that proves callbacks; `callback-key.previous` is taken too |
//! | `lock` | locked while a server runs: one process at a time |

use std::fs::{self, DirBuilder, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use muster_app::signing_keys::{FixedKeys, SigningKey};
use secrecy::SecretSlice;
use secrecy::zeroize::Zeroizing;

/// What others may do with the directory and its files: nothing.
const DIRECTORY_MODE: u32 = 0o700;
const FILE_MODE: u32 = 0o600;
/// The bits of a mode that are for others.
const OTHERS: u32 = 0o077;

/// HS256 asks for a key of at least its digest's length (RFC 7518, 3.2).
const KEY_BYTES: usize = 32;

/// A directory that is there and private.
#[derive(Debug, Clone)]
pub(crate) struct DataDir {
    path: PathBuf,
}

/// Proof that no other process uses the directory. Ends with the process, however that ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl DataDir {
    /// Makes the directory if it is not there. Refuses one that others can look into.
    pub(crate) fn open(path: &Path) -> Result<Self, DataDirError> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(DIRECTORY_MODE);
        builder.create(path).map_err(|source| failed("making", path, source))?;
        let mode = mode_of(path).map_err(|source| failed("looking at", path, source))?;
        if mode & OTHERS != 0 {
            return Err(DataDirError::Open { path: path.to_owned(), mode });
        }
        Ok(Self { path: path.to_owned() })
    }

    pub(crate) fn table(&self) -> PathBuf {
        self.path.join("muster.db")
    }

    /// The file of secrets, made empty if it is not there so that nobody makes it with a mode that others can read.
    pub(crate) fn secrets(&self) -> Result<PathBuf, DataDirError> {
        let path = self.secrets_path();
        match create_private(&path) {
            Ok(mut file) => {
                let hint = b"# One secret a line: NAME=value\n";
                file.write_all(hint).map_err(|source| failed("writing", &path, source))?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(source) => return Err(failed("making", &path, source)),
        }
        Ok(path)
    }

    pub(crate) fn secrets_path(&self) -> PathBuf {
        self.path.join("secrets")
    }

    pub(crate) fn signing_key_path(&self) -> PathBuf {
        self.path.join("signing-key")
    }

    /// Takes the directory for this process alone.
    pub(crate) fn lock(&self) -> Result<Lock, DataDirError> {
        let path = self.path.join("lock");
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false).mode(FILE_MODE);
        let file = options.open(&path).map_err(|source| failed("opening", &path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(Lock { _file: file }),
            Err(TryLockError::WouldBlock) => Err(DataDirError::InUse { path: self.path.clone() }),
            Err(TryLockError::Error(source)) => Err(failed("locking", &path, source)),
        }
    }

    /// The signing key, made on first use.
    pub(crate) fn signing_key(&self) -> Result<SecretSlice<u8>, DataDirError> {
        self.key(&self.signing_key_path())
    }

    /// The key that proves callbacks, made on first use, and the one before it if somebody put it aside.
    pub(crate) fn callback_keys(&self) -> Result<FixedKeys, DataDirError> {
        let previous = self.path.join("callback-key.previous");
        let previous = previous.exists().then(|| self.key(&previous)).transpose()?;
        let current = self.key(&self.path.join("callback-key"))?;
        Ok(FixedKeys { current: SigningKey::new(current), previous: previous.map(SigningKey::new) })
    }

    /// The secret with which Slack signs, and the one before it, if somebody put them here. Slack makes it, so it is never made here.
    pub(crate) fn slack_secrets(&self) -> Result<Option<FixedKeys>, DataDirError> {
        let secret = |name: &str| {
            let path = self.path.join(name);
            let text = path.exists().then(|| read_text(&path)).transpose()?;
            Ok::<_, DataDirError>(text.map(SigningKey::new))
        };
        let Some(current) = secret("slack-signing-secret")? else { return Ok(None) };
        Ok(Some(FixedKeys { current, previous: secret("slack-signing-secret.previous")? }))
    }

    fn key(&self, path: &Path) -> Result<SecretSlice<u8>, DataDirError> {
        if !path.exists() {
            self.make_key(path).map_err(|source| failed("making", path, source))?;
        }
        refuse_open(path)?;
        read_key(path).map_err(|source| failed("reading", path, source))
    }

    /// The key is whole or not there: it is written under another name first. Of two processes at once, one makes the key.
    fn make_key(&self, path: &Path) -> io::Result<()> {
        let draft = path.with_extension(std::process::id().to_string());
        let mut key = [0; KEY_BYTES];
        getrandom::fill(&mut key).map_err(io::Error::other)?;
        let mut file = create_private(&draft)?;
        file.write_all(&key)?;
        file.sync_all()?;
        let linked = fs::hard_link(&draft, path);
        fs::remove_file(&draft)?;
        match linked {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
            Ok(()) | Err(_) => File::open(&self.path)?.sync_all(),
        }
    }
}

/// The bits of a file's mode that say who may do what.
fn mode_of(path: &Path) -> io::Result<u32> {
    Ok(fs::metadata(path)?.permissions().mode() & 0o777)
}

fn refuse_open(path: &Path) -> Result<(), DataDirError> {
    let mode = mode_of(path).map_err(|source| failed("looking at", path, source))?;
    if mode & OTHERS == 0 { Ok(()) } else { Err(DataDirError::Open { path: path.to_owned(), mode }) }
}

/// A secret that a person has put into a file, without the line end that an editor adds.
fn read_text(path: &Path) -> Result<SecretSlice<u8>, DataDirError> {
    refuse_open(path)?;
    let text = fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|source| failed("reading", path, source))?;
    Ok(SecretSlice::from(text.trim().as_bytes().to_vec()))
}

/// Makes a file that was not there, for its owner alone.
fn create_private(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(path)?;
    // The umask may have taken more away than it should.
    file.set_permissions(Permissions::from_mode(FILE_MODE))?;
    Ok(file)
}

fn read_key(path: &Path) -> io::Result<SecretSlice<u8>> {
    let mut key = Zeroizing::new([0; KEY_BYTES]);
    File::open(path)?.read_exact(key.as_mut_slice())?;
    Ok(SecretSlice::from(key.to_vec()))
}

fn failed(doing: &'static str, path: &Path, source: io::Error) -> DataDirError {
    DataDirError::Io { doing, path: path.to_owned(), source }
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum DataDirError {
    #[error("{doing} {}", path.display())]
    Io {
        doing: &'static str,
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("others can look into {} (mode {mode:03o}): run `chmod go= {}`", path.display(), path.display())]
    Open { path: PathBuf, mode: u32 },
    #[error("another muster process uses {}: stop it, or choose another directory with --data", path.display())]
    InUse { path: PathBuf },
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret;

    use super::*;

    fn parent() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[test]
    fn a_new_directory_and_its_files_are_for_their_owner_alone() {
        let parent = parent();
        let dir = DataDir::open(&parent.path().join("deep/data")).unwrap();
        dir.signing_key().unwrap();
        dir.callback_keys().unwrap();
        dir.secrets().unwrap();
        let _lock = dir.lock().unwrap();
        assert_eq!(mode_of(&dir.path).unwrap(), 0o700);
        for entry in fs::read_dir(&dir.path).unwrap() {
            let path = entry.unwrap().path();
            assert_eq!(mode_of(&path).unwrap(), 0o600, "{}", path.display());
        }
    }

    #[test]
    fn a_directory_or_key_that_others_can_read_is_refused() {
        let parent = parent();
        let dir = DataDir::open(&parent.path().join("data")).unwrap();
        dir.signing_key().unwrap();
        fs::set_permissions(dir.signing_key_path(), Permissions::from_mode(0o640)).unwrap();
        let refused = dir.signing_key().unwrap_err().to_string();
        assert!(refused.contains("(mode 640): run `chmod go= "), "{refused}");
        fs::set_permissions(&dir.path, Permissions::from_mode(0o755)).unwrap();
        let refused = DataDir::open(&dir.path).unwrap_err().to_string();
        assert!(refused.contains("(mode 755): run `chmod go= "), "{refused}");
    }

    #[test]
    fn the_key_is_made_once_and_differs_between_installations() {
        let parent = parent();
        let key_of = |name: &str| {
            let dir = DataDir::open(&parent.path().join(name)).unwrap();
            dir.signing_key().unwrap().expose_secret().to_vec()
        };
        assert_eq!(key_of("one"), key_of("one"));
        assert_ne!(key_of("one"), key_of("other"));
    }

    #[test]
    fn a_key_of_callbacks_that_was_put_aside_is_still_there() {
        let parent = parent();
        let dir = DataDir::open(&parent.path().join("data")).unwrap();
        assert!(dir.callback_keys().unwrap().previous.is_none());
        fs::rename(dir.path.join("callback-key"), dir.path.join("callback-key.previous")).unwrap();
        assert!(dir.callback_keys().unwrap().previous.is_some());
        let keys =
            ["callback-key", "callback-key.previous"].map(|name| fs::read(dir.path.join(name)).unwrap());
        assert_ne!(keys[0], keys[1]);
    }

    #[test]
    fn the_secret_of_slack_is_what_a_person_put_there_and_nobody_else_can_read() {
        let parent = parent();
        let dir = DataDir::open(&parent.path().join("data")).unwrap();
        assert!(dir.slack_secrets().unwrap().is_none());
        let path = dir.path.join("slack-signing-secret");
        create_private(&path).unwrap().write_all(b"8f742231b10e\n").unwrap();
        assert_eq!(read_text(&path).unwrap().expose_secret(), b"8f742231b10e");
        assert!(dir.slack_secrets().unwrap().unwrap().previous.is_none());
        fs::copy(&path, dir.path.join("slack-signing-secret.previous")).unwrap();
        assert!(dir.slack_secrets().unwrap().unwrap().previous.is_some());
        fs::set_permissions(&path, Permissions::from_mode(0o644)).unwrap();
        assert!(dir.slack_secrets().is_err());
    }

    #[test]
    fn a_key_that_is_cut_short_is_an_error_and_not_a_weaker_key() {
        let parent = parent();
        let dir = DataDir::open(&parent.path().join("data")).unwrap();
        create_private(&dir.signing_key_path()).unwrap().write_all(b"short").unwrap();
        assert!(dir.signing_key().is_err());
    }

    #[test]
    fn only_one_may_hold_the_lock_and_it_ends_with_its_holder() {
        let parent = parent();
        let dir = DataDir::open(&parent.path().join("data")).unwrap();
        let lock = dir.lock().unwrap();
        let refused = dir.lock().unwrap_err().to_string();
        assert!(refused.starts_with("another muster process uses "), "{refused}");
        drop(lock);
        dir.lock().unwrap();
    }

    #[test]
    fn secrets_that_are_there_are_left_alone() {
        let parent = parent();
        let dir = DataDir::open(&parent.path().join("data")).unwrap();
        fs::write(dir.secrets().unwrap(), "A=b\n").unwrap();
        assert_eq!(fs::read_to_string(dir.secrets().unwrap()).unwrap(), "A=b\n");
    }
}
