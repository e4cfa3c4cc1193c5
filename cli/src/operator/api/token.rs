//! The bearer token: never shown, not by `Debug`, not in an error.

use std::convert::Infallible;
use std::fmt;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use reqwest::header::HeaderValue;

/// The largest token file, in bytes.
const MAX_FILE_BYTES: u64 = 16 * 1024;

/// The value of the `Authorization` header, marked so that it is never shown.
#[derive(Debug, Clone)]
pub(super) struct Token(HeaderValue);

/// A token as it was given. Any text will do here: what the command line finds wrong with a value, it shows.
#[derive(Clone)]
pub(crate) struct GivenToken(String);

/// Why there is no token; says nothing of what was given.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TokenError {
    #[error("reading the token file {}", path.display())]
    Read {
        path: PathBuf,
        #[source]
        cause: std::io::Error,
    },
    #[error("{from} holds no token: expected letters, digits, `-`, `.`, `_`, `~`, `+`, `/` and `=`")]
    Invalid { from: String },
}

/// The token that a file holds; white space around it does not count.
pub(super) fn read(path: &Path) -> Result<Token, TokenError> {
    let failed = |cause| TokenError::Read { path: path.to_owned(), cause };
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(failed)?;
    file.take(MAX_FILE_BYTES).read_to_string(&mut text).map_err(failed)?;
    Token::parse(text.trim(), &path.display().to_string())
}

impl Token {
    /// Takes the characters that RFC 6750 allows.
    fn parse(text: &str, from: &str) -> Result<Self, TokenError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~+/=".contains(c);
        let invalid = || TokenError::Invalid { from: from.to_owned() };
        if text.is_empty() || !text.chars().all(allowed) {
            return Err(invalid());
        }
        let mut value = HeaderValue::try_from(format!("Bearer {text}")).map_err(|_| invalid())?;
        value.set_sensitive(true);
        Ok(Self(value))
    }

    pub(super) fn into_header(self) -> HeaderValue {
        self.0
    }
}

impl GivenToken {
    pub(super) fn parse(&self) -> Result<Token, TokenError> {
        Token::parse(&self.0, "MUSTER_TOKEN or --token")
    }
}

impl From<String> for GivenToken {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl FromStr for GivenToken {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self(text.to_owned()))
    }
}

impl fmt::Debug for GivenToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GivenToken(not shown)")
    }
}
