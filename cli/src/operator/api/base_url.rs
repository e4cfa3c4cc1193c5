//! The address of a server.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// An address that paths of the API are added to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BaseUrl(Url);

/// Why a text is no such address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("expected an address such as https://muster.example, without user, password, query and fragment")]
pub(crate) struct InvalidUrl;

impl BaseUrl {
    /// The address of a resource below this one.
    pub(super) fn at(&self, path: &[String], query: &[(&str, String)]) -> Url {
        let mut url = self.0.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// Whether others can read what is sent there.
    pub(super) fn is_exposed(&self) -> bool {
        self.0.scheme() == "http" && !self.is_loopback()
    }

    pub(super) fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Domain(name)) => name == "localhost",
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        }
    }
}

impl FromStr for BaseUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let url = Url::parse(text).map_err(|_| InvalidUrl)?;
        let http = matches!(url.scheme(), "http" | "https");
        let bare = url.username().is_empty() && url.password().is_none();
        let plain = url.query().is_none() && url.fragment().is_none();
        (http && bare && plain && url.has_host()).then_some(Self(url)).ok_or(InvalidUrl)
    }
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.as_str().trim_end_matches('/'))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(base: &str) -> String {
        let base: BaseUrl = base.parse().expect("is an address");
        base.at(&["api".into(), "a/b c".into()], &[("q", "x&y=z".into())]).to_string()
    }

    #[test]
    fn paths_are_added_below_the_address_and_escaped() {
        assert_eq!(address("http://127.0.0.1:8080"), "http://127.0.0.1:8080/api/a%2Fb%20c?q=x%26y%3Dz");
        assert_eq!(address("https://m.example/prod/"), "https://m.example/prod/api/a%2Fb%20c?q=x%26y%3Dz");
    }

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "muster.example", "ftp://x", "https://u:p@x", "https://x/?a=b", "https://x/#f"] {
            assert_eq!(text.parse::<BaseUrl>(), Err(InvalidUrl), "{text}");
        }
    }
}
