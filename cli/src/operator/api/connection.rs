//! Where the server is and who asks, from the command line and the environment.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use reqwest::header::HeaderValue;

use super::base_url::BaseUrl;
use super::token::{self, GivenToken, Token, TokenError};

#[derive(Debug, Clone, Args)]
pub(crate) struct ConnectionArgs {
    /// Address of the server
    #[arg(
        long,
        value_name = "URL",
        env = "MUSTER_URL",
        default_value = "http://127.0.0.1:8080",
        help_heading = "Server",
        global = true
    )]
    url: BaseUrl,
    /// Bearer token; rather set it in the environment, where other users do not see it [env: MUSTER_TOKEN]
    // Not by clap's `env`: usage lines would show it as if it had to be given.
    #[arg(long, value_name = "TOKEN", help_heading = "Server", global = true)]
    token: Option<GivenToken>,
    /// File that holds the bearer token; goes before --token
    #[arg(long, value_name = "FILE", help_heading = "Server", global = true)]
    token_file: Option<PathBuf>,
    /// Seconds that one request may take
    #[arg(long, value_name = "SECONDS", default_value_t = 30, help_heading = "Server",
        global = true,
          value_parser = clap::value_parser!(u64).range(1..=600))]
    timeout: u64,
    /// Send the token without encryption to a server that is not this machine
    #[arg(long, help_heading = "Server", global = true)]
    allow_plain_http: bool,
}

/// A server and the right to ask it.
#[derive(Debug, Clone)]
pub(super) struct Connection {
    pub(super) base: BaseUrl,
    pub(super) authorization: Option<HeaderValue>,
    pub(super) timeout: Duration,
}

/// Why nothing can be asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConnectionError {
    #[error(transparent)]
    Token(#[from] TokenError),
    #[error("the token would cross the network unencrypted to {host}: use https, or --allow-plain-http")]
    PlainHttp { host: String },
    #[error("setting up the HTTP client")]
    Client(#[source] reqwest::Error),
}

impl ConnectionArgs {
    pub(super) fn resolve(&self) -> Result<Connection, ConnectionError> {
        let token = match (&self.token_file, &self.token) {
            (Some(path), _) => Some(token::read(path)?),
            (None, Some(given)) => Some(given.parse()?),
            (None, None) => of_environment()?,
        };
        if token.is_some() && self.url.is_exposed() && !self.allow_plain_http {
            return Err(ConnectionError::PlainHttp { host: self.url.to_string() });
        }
        Ok(Connection {
            base: self.url.clone(),
            authorization: token.map(Token::into_header),
            timeout: Duration::from_secs(self.timeout),
        })
    }
}

fn of_environment() -> Result<Option<Token>, TokenError> {
    let Some(value) = std::env::var_os("MUSTER_TOKEN") else { return Ok(None) };
    let given: GivenToken = value.to_string_lossy().into_owned().into();
    given.parse().map(Some)
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        connection: ConnectionArgs,
    }

    fn resolve(arguments: &[&str]) -> Result<Connection, ConnectionError> {
        let line = Line::try_parse_from(std::iter::once(&"muster").chain(arguments));
        line.expect("parses").connection.resolve()
    }

    #[test]
    fn a_token_is_never_shown() {
        let connection = resolve(&["--token", "hunter2"]).expect("resolves");
        assert!(!format!("{connection:?}").contains("hunter2"));
        let line = Line::try_parse_from(["muster", "--token", "hunter2"]).expect("parses");
        assert!(!format!("{line:?}").contains("hunter2"));
        let refused = resolve(&["--token", "two;hunter2"]).expect_err("is refused");
        assert!(!format!("{refused:?} {refused}").contains("hunter2"));
    }

    #[test]
    fn a_token_goes_unencrypted_to_this_machine_alone() {
        for url in ["http://127.0.0.1:8080", "http://[::1]:8080", "http://localhost", "https://m.example"] {
            assert!(resolve(&["--token", "t", "--url", url]).is_ok(), "{url}");
        }
        let exposed = ["--token", "t", "--url", "http://m.example"];
        assert!(matches!(resolve(&exposed), Err(ConnectionError::PlainHttp { .. })));
        assert!(resolve(&["--url", "http://m.example"]).is_ok());
        assert!(resolve(&[&exposed[..], &["--allow-plain-http"]].concat()).is_ok());
    }

    #[test]
    fn a_token_file_goes_before_the_token_and_its_white_space_does_not_count() {
        let dir = tempfile::tempdir().expect("makes a directory");
        let path = dir.path().join("token");
        std::fs::write(&path, "from-file\n").expect("writes");
        let file = path.display().to_string();
        let connection = resolve(&["--token", "from-flag", "--token-file", &file]).expect("resolves");
        assert_eq!(connection.authorization, Some(HeaderValue::from_static("Bearer from-file")));
        std::fs::write(&path, "two words").expect("writes");
        let refused = resolve(&["--token-file", &file]).expect_err("is refused").to_string();
        assert!(refused.contains("holds no token") && !refused.contains("words"), "{refused}");
    }
}
