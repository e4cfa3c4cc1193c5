//! The address that receivers are told.

use std::fmt;
use std::str::FromStr;

use muster_domain::ids::{ExecutionId, StepId};

/// Where the API is reached from outside, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl(String);

impl PublicUrl {
    pub(crate) fn of_callback(&self, execution: &ExecutionId, step: &StepId) -> String {
        format!("{}/api/executions/{execution}/steps/{step}/callback", self.0)
    }
}

impl FromStr for PublicUrl {
    type Err = InvalidPublicUrl;

    fn from_str(text: &str) -> Result<Self, InvalidPublicUrl> {
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
        let rest = rest.ok_or(InvalidPublicUrl)?.trim_end_matches('/');
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/[]%".contains(&byte);
        let valid = !rest.is_empty() && !rest.starts_with('/') && rest.bytes().all(allowed);
        valid.then(|| Self(text.trim_end_matches('/').to_owned())).ok_or(InvalidPublicUrl)
    }
}

impl fmt::Display for PublicUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an address of the API, as in https://muster.example")]
pub struct InvalidPublicUrl;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_callback_goes_to_a_path_behind_the_public_address() {
        let (execution, step) = ("ex_01J9Z3W2B4C6D8E0F2G4H6J8K0".parse().unwrap(), "drain".parse().unwrap());
        for (base, start) in [
            ("https://muster.example", "https://muster.example"),
            (
                "https://abc.execute-api.eu-west-1.amazonaws.com/prod/",
                "https://abc.execute-api.eu-west-1.amazonaws.com/prod",
            ),
            ("http://[::1]:8080", "http://[::1]:8080"),
        ] {
            let url: PublicUrl = base.parse().unwrap();
            let expected =
                format!("{start}/api/executions/ex_01J9Z3W2B4C6D8E0F2G4H6J8K0/steps/drain/callback");
            assert_eq!(url.of_callback(&execution, &step), expected);
        }
    }

    #[test]
    fn what_is_no_plain_address_is_refused() {
        for text in [
            "",
            "muster.example",
            "ftp://a",
            "https://",
            "https:///a",
            "https://u:p@a",
            "https://a?b",
            "https://a#b",
            "https://a b",
        ] {
            assert_eq!(text.parse::<PublicUrl>(), Err(InvalidPublicUrl), "{text:?}");
        }
    }
}
