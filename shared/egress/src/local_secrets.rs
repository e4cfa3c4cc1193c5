//! Secrets of local mode: one file that only its owner can read, as JSON or as lines of `NAME=value`.

use std::collections::BTreeMap;
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use muster_app::ports::{SecretError, Secrets};
use muster_domain::ids::SecretName;
use secrecy::SecretString;
use secrecy::zeroize::Zeroizing;

/// The largest file that is read, in bytes.
const LARGEST_FILE: u64 = 1024 * 1024;

/// Reads secrets from a file, and again when the file changes. A file that does not exist holds no secrets.
pub struct LocalSecrets {
    path: PathBuf,
    read: Mutex<Option<Snapshot>>,
}

impl LocalSecrets {
    /// Reads the file once, so that a wrong mode or a wrong line is known at the start and not at the first call.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, LocalSecretsError> {
        let secrets = Self { path: path.into(), read: Mutex::new(None) };
        secrets.current()?;
        Ok(secrets)
    }

    fn current(&self) -> Result<Arc<Values>, LocalSecretsError> {
        let found = self.find_file()?;
        let version = found.as_ref().map(Version::of);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(snapshot) = read.as_ref().filter(|snapshot| snapshot.version == version) {
            return Ok(Arc::clone(&snapshot.values));
        }
        let snapshot = match found {
            Some(metadata) => self.load(&metadata)?,
            None => Snapshot::default(),
        };
        let values = Arc::clone(&snapshot.values);
        *read = Some(snapshot);
        Ok(values)
    }

    fn find_file(&self) -> Result<Option<Metadata>, LocalSecretsError> {
        match std::fs::metadata(&self.path) {
            Ok(metadata) => Ok(Some(metadata)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.unreadable(error)),
        }
    }

    fn load(&self, found: &Metadata) -> Result<Snapshot, LocalSecretsError> {
        // Before opening, since opening a pipe would wait for its writer; and after, since what is checked must be what is read.
        self.check(found)?;
        let file = File::open(&self.path).map_err(|source| self.unreadable(source))?;
        let metadata = file.metadata().map_err(|source| self.unreadable(source))?;
        self.check(&metadata)?;
        let values = self.read_values(file)?;
        Ok(Snapshot { version: Some(Version::of(&metadata)), values: Arc::new(values) })
    }

    fn read_values(&self, file: File) -> Result<Values, LocalSecretsError> {
        let mut text = Zeroizing::new(String::new());
        file.take(LARGEST_FILE).read_to_string(&mut text).map_err(|source| self.unreadable(source))?;
        parse(&text).map_err(|at| LocalSecretsError::Malformed { path: self.path.clone(), at })
    }

    fn check(&self, metadata: &Metadata) -> Result<(), LocalSecretsError> {
        let path = || self.path.clone();
        if !metadata.is_file() {
            return Err(LocalSecretsError::NotAFile { path: path() });
        }
        if metadata.mode() & 0o077 != 0 {
            return Err(LocalSecretsError::Open { path: path(), mode: metadata.mode() & 0o777 });
        }
        if metadata.len() > LARGEST_FILE {
            return Err(LocalSecretsError::TooLarge { path: path() });
        }
        Ok(())
    }

    fn unreadable(&self, source: io::Error) -> LocalSecretsError {
        LocalSecretsError::Unreadable { path: self.path.clone(), source }
    }

    fn find(&self, name: &SecretName) -> Result<SecretString, SecretError> {
        let unreadable = |error| SecretError::Unreadable { name: name.clone(), source: Box::new(error) };
        let values = self.current().map_err(unreadable)?;
        values.get(name).cloned().ok_or_else(|| SecretError::Missing(name.clone()))
    }
}

#[async_trait]
impl Secrets for LocalSecrets {
    /// Looks at a small local file in place: handing that to another thread would cost more than it saves.
    async fn read(&self, name: &SecretName) -> Result<SecretString, SecretError> {
        self.find(name)
    }
}

/// Why the file gives no secrets. No message holds a part of its content.
#[derive(Debug, thiserror::Error)]
pub enum LocalSecretsError {
    #[error("{} can be read by others (mode {mode:03o}): run `chmod 600 {}`", path.display(), path.display())]
    Open { path: PathBuf, mode: u32 },
    #[error("{} is not a regular file", path.display())]
    NotAFile { path: PathBuf },
    #[error("{} is larger than {LARGEST_FILE} bytes", path.display())]
    TooLarge { path: PathBuf },
    #[error("reading {}", path.display())]
    Unreadable {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("{} has a mistake", path.display())]
    Malformed {
        path: PathBuf,
        #[source]
        at: Malformed,
    },
}

/// Where the file is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {expected}")]
pub struct Malformed {
    line: usize,
    expected: &'static str,
}

type Values = BTreeMap<SecretName, SecretString>;

#[derive(Default)]
struct Snapshot {
    /// `None` where there is no file.
    version: Option<Version>,
    values: Arc<Values>,
}

/// Tells one state of the file from another. The change time moves with the mode too; it cannot be set back.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    inode: u64,
    length: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl Version {
    fn of(metadata: &Metadata) -> Self {
        Self {
            inode: metadata.ino(),
            length: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        }
    }
}

fn parse(text: &str) -> Result<Values, Malformed> {
    if text.trim_start().starts_with('{') { parse_json(text) } else { parse_lines(text) }
}

fn parse_json(text: &str) -> Result<Values, Malformed> {
    // The parser's own message may quote the file.
    let object: BTreeMap<String, String> = serde_json::from_str(text)
        .map_err(|error| Malformed { line: error.line(), expected: "expected a JSON object of texts" })?;
    let named = |(name, value): (String, String)| Ok((parse_name(&name, 1)?, SecretString::from(value)));
    object.into_iter().map(named).collect()
}

/// Everything after the first `=` is the value, quotes and spaces included.
fn parse_lines(text: &str) -> Result<Values, Malformed> {
    let mut values = Values::new();
    for (index, content) in text.lines().enumerate() {
        if content.trim().is_empty() || content.starts_with('#') {
            continue;
        }
        let malformed = |expected| Malformed { line: index + 1, expected };
        let (name, value) = content.split_once('=').ok_or_else(|| malformed("expected `NAME=value`"))?;
        let name = parse_name(name, index + 1)?;
        if values.insert(name, SecretString::from(value)).is_some() {
            return Err(malformed("this name was given before"));
        }
    }
    Ok(values)
}

fn parse_name(name: &str, line: usize) -> Result<SecretName, Malformed> {
    name.parse().map_err(|_| Malformed {
        line,
        expected: "a secret's name is 1 to 128 letters, digits, `-`, `_`, `.` or `/`",
    })
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    use secrecy::ExposeSecret;

    use super::*;
    use crate::failure::in_full;

    struct SecretsFile {
        dir: tempfile::TempDir,
    }

    impl SecretsFile {
        fn holding(text: &str) -> Self {
            let file = Self { dir: tempfile::tempdir().unwrap() };
            file.write(text, 0o600);
            file
        }

        fn path(&self) -> PathBuf {
            self.dir.path().join("secrets")
        }

        fn write(&self, text: &str, mode: u32) {
            fs::write(self.path(), text).unwrap();
            fs::set_permissions(self.path(), Permissions::from_mode(mode)).unwrap();
        }
    }

    fn find(secrets: &LocalSecrets, name: &str) -> Result<String, String> {
        let found = secrets.find(&name.parse().unwrap());
        found.map(|value| value.expose_secret().to_owned()).map_err(|error| in_full(&error))
    }

    fn mistake(text: &str) -> String {
        let opened = LocalSecrets::open(SecretsFile::holding(text).path());
        in_full(&opened.err().unwrap()).split_once("has a mistake: ").unwrap().1.to_owned()
    }

    #[test]
    fn both_forms_are_read() {
        let lines = SecretsFile::holding("# a comment\n\nslack/token=xoxb=1\nquoted=\" a \"\r\nempty=\n");
        let secrets = LocalSecrets::open(lines.path()).unwrap();
        assert_eq!(find(&secrets, "slack/token").as_deref(), Ok("xoxb=1"));
        assert_eq!(find(&secrets, "quoted").as_deref(), Ok("\" a \""));
        assert_eq!(find(&secrets, "empty").as_deref(), Ok(""));
        assert_eq!(find(&secrets, "other").unwrap_err(), "there is no secret named other");

        let json = SecretsFile::holding(r#" {"slack/token": "xoxb=1", "two": "a\nb"} "#);
        let secrets = LocalSecrets::open(json.path()).unwrap();
        assert_eq!(find(&secrets, "slack/token").as_deref(), Ok("xoxb=1"));
        assert_eq!(find(&secrets, "two").as_deref(), Ok("a\nb"));
    }

    #[test]
    fn inv_f3_a_mistake_is_placed_without_showing_the_content() {
        for (text, expected) in [
            ("ok=1\ncanary", "line 2: expected `NAME=value`"),
            ("a=1\nb=2\na=canary", "line 3: this name was given before"),
            ("can ary=1", "line 1: a secret's name is 1 to 128 letters, digits, `-`, `_`, `.` or `/`"),
            ("{\"a\":\n 13371337}", "line 2: expected a JSON object of texts"),
            ("{\"a\": {\"b\": \"canary\"}}", "line 1: expected a JSON object of texts"),
            ("{\"a\": \"canary", "line 1: expected a JSON object of texts"),
            (
                "{\"can ary\": \"1\"}",
                "line 1: a secret's name is 1 to 128 letters, digits, `-`, `_`, `.` or `/`",
            ),
        ] {
            assert_eq!(mistake(text), expected, "{text}");
        }
    }

    #[test]
    fn inv_f3_a_file_that_others_can_read_is_refused() {
        for mode in [0o644, 0o640, 0o604, 0o660, 0o601, 0o777] {
            let file = SecretsFile::holding("");
            file.write("key=canary", mode);
            let refused = LocalSecrets::open(file.path()).err().unwrap().to_string();
            assert!(refused.contains(&format!("(mode {mode:03o}): run `chmod 600 ")), "{refused}");
        }
        let read_only = SecretsFile::holding("");
        read_only.write("key=1", 0o400);
        assert!(LocalSecrets::open(read_only.path()).is_ok());
    }

    #[test]
    fn a_change_is_seen_at_the_next_read() {
        let file = SecretsFile::holding("key=one");
        let secrets = LocalSecrets::open(file.path()).unwrap();
        assert_eq!(find(&secrets, "key").as_deref(), Ok("one"));
        file.write("key=three", 0o600);
        assert_eq!(find(&secrets, "key").as_deref(), Ok("three"));
        file.write("key=three", 0o644);
        assert!(find(&secrets, "key").unwrap_err().starts_with("reading the secret key: "));
        fs::remove_file(file.path()).unwrap();
        assert_eq!(find(&secrets, "key").unwrap_err(), "there is no secret named key");
        file.write("key=four", 0o600);
        assert_eq!(find(&secrets, "key").as_deref(), Ok("four"));
    }

    #[test]
    fn what_is_no_file_or_no_text_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(matches!(LocalSecrets::open(dir.path()), Err(LocalSecretsError::NotAFile { .. })));
        let file = SecretsFile::holding("");
        fs::write(file.path(), b"key=\xff").unwrap();
        assert!(matches!(LocalSecrets::open(file.path()), Err(LocalSecretsError::Unreadable { .. })));
        fs::write(file.path(), vec![b'#'; 1024 * 1024 + 1]).unwrap();
        assert!(matches!(LocalSecrets::open(file.path()), Err(LocalSecretsError::TooLarge { .. })));
        assert!(LocalSecrets::open(dir.path().join("absent")).is_ok());
    }
}
