//! The text of a file or of standard input.

use std::io::Read;
use std::path::Path;

use super::faults::FileFaults;

/// The largest file that is read, in bytes: 1 MiB, far above what the API takes.
const MAX_BYTES: u64 = 1024 * 1024;

/// A text and the name that messages give it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// Why a file gives nothing to send.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("reading {name}")]
    Read {
        name: String,
        #[source]
        cause: std::io::Error,
    },
    #[error("{name} is larger than {MAX_BYTES} bytes, which is the most that is read")]
    TooLarge { name: String },
    #[error("{name} is not UTF-8 text; save it as UTF-8")]
    NotText { name: String },
    #[error(transparent)]
    Faulty(#[from] FileFaults),
}

impl Source {
    /// Reads a file; `-` is standard input.
    pub(crate) fn read(path: &Path) -> Result<Self, FileError> {
        if path == Path::new("-") {
            return Self::read_from("standard input".to_owned(), std::io::stdin().lock());
        }
        let name = path.display().to_string();
        match std::fs::File::open(path) {
            Ok(file) => Self::read_from(name, file),
            Err(cause) => Err(FileError::Read { name, cause }),
        }
    }

    fn read_from(name: String, from: impl Read) -> Result<Self, FileError> {
        let mut bytes = Vec::new();
        if let Err(cause) = from.take(MAX_BYTES + 1).read_to_end(&mut bytes) {
            return Err(FileError::Read { name, cause });
        }
        if u64::try_from(bytes.len()).is_ok_and(|length| length > MAX_BYTES) {
            return Err(FileError::TooLarge { name });
        }
        match String::from_utf8(bytes) {
            Ok(text) => Ok(Self { name, text }),
            Err(_) => Err(FileError::NotText { name }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(bytes: &[u8]) -> String {
        let read = Source::read_from("a.yaml".into(), bytes);
        read.expect_err("is refused").to_string()
    }

    #[test]
    fn what_is_no_text_or_too_large_is_refused_by_name() {
        assert_eq!(refusal(&[0xff]), "a.yaml is not UTF-8 text; save it as UTF-8");
        assert!(refusal(&vec![b' '; 1024 * 1024 + 1]).starts_with("a.yaml is larger than"));
        let missing = Source::read(Path::new("no/such/file.yaml")).expect_err("is missing");
        assert_eq!(missing.to_string(), "reading no/such/file.yaml");
    }
}
