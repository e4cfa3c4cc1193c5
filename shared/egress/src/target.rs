//! A URL that may be called, as far as its text tells. What its name resolves to is the resolver's to check.

use url::{Host, Url};

use crate::address;
use crate::policy::{EgressPolicy, Guard};
use crate::refusal::Refusal;

/// A parsed and checked URL. What was checked is what is dialled: the text is parsed once.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) url: Url,
    pub(crate) guard: Guard,
}

impl Target {
    pub(crate) fn parse(text: &str, policy: &EgressPolicy) -> Result<Self, Refusal> {
        check_text(text)?;
        let url = Url::parse(text).map_err(|_| Refusal::Url { why: "is not a valid URL" })?;
        check_parts(&url)?;
        let guard = check_host(&url, policy)?;
        Ok(Self { url, guard })
    }
}

/// The parser drops tabs and line ends and completes `http:host`: what people read would not be what is called.
fn check_text(text: &str) -> Result<(), Refusal> {
    if text.chars().any(|c| c.is_control() || c == '\\') {
        return Err(Refusal::Url { why: "holds a control character or a backslash" });
    }
    let scheme = text.split_once("://").map(|(scheme, _)| scheme.to_ascii_lowercase());
    match scheme.as_deref() {
        Some("http" | "https") => Ok(()),
        Some(_) | None => Err(Refusal::Url { why: "does not start with `http://` or `https://`" }),
    }
}

fn check_parts(url: &Url) -> Result<(), Refusal> {
    if !url.username().is_empty() || url.password().is_some() {
        return Err(Refusal::Url { why: "holds a user name or password: use the webhook's auth instead" });
    }
    if url.fragment().is_some() {
        return Err(Refusal::Url { why: "has a fragment, which is never sent" });
    }
    Ok(())
}

fn check_host(url: &Url, policy: &EgressPolicy) -> Result<Guard, Refusal> {
    let host = url.host().ok_or(Refusal::Url { why: "has no host" })?;
    let port = url.port_or_known_default().filter(|port| *port != 0);
    let port = port.ok_or(Refusal::Url { why: "has port 0" })?;
    let guard = policy.guard(&host, port);
    match guard {
        Guard::Opened => {}
        Guard::Checked => check_closed_host(&host)?,
    }
    Ok(guard)
}

fn check_closed_host(host: &Host<&str>) -> Result<(), Refusal> {
    match host {
        Host::Ipv4(ip) => address::check_ip((*ip).into()),
        Host::Ipv6(ip) => address::check_ip((*ip).into()),
        Host::Domain(name) => check_name(name),
    }
}

fn check_name(name: &str) -> Result<(), Refusal> {
    let refused = |why| Err(Refusal::Host { host: name.to_owned(), why });
    if name.ends_with('.') {
        return refused("ends with a dot");
    }
    let is_under =
        |zone: &&&str| name.strip_suffix(**zone).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
    match INTERNAL_ZONES.iter().find(is_under) {
        Some(_) => refused("is a name of an internal network"),
        None => Ok(()),
    }
}

/// Zones that no public name service answers for (RFC 6761, 6762, 8375, and ICANN's reservation of `internal`).
const INTERNAL_ZONES: &[&str] = &["localhost", "localdomain", "local", "internal", "home.arpa"];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(url: &str) -> Result<String, String> {
        let policy = EgressPolicy::allowing(vec!["localhost:9999".parse().unwrap()]);
        let target = Target::parse(url, &policy).map_err(|refusal| refusal.to_string())?;
        Ok(target.url.to_string())
    }

    #[test]
    fn public_urls_pass_as_they_are() {
        for url in [
            "https://hooks.example.com/services/T0/B0?x=1&y=a%20b",
            "http://example.com:8080/",
            "https://localhost.example.com/",
            "https://mylocal/",
            "https://93.184.215.14/",
            "https://[2606:4700::1111]:8443/",
            "http://localhost:9999/",
        ] {
            assert_eq!(check(url).as_deref(), Ok(url));
        }
    }

    fn check_refused(reason: &str, urls: &[&str]) {
        for url in urls {
            assert_eq!(check(url), Err(reason.to_owned()), "{url}");
        }
    }

    #[test]
    fn inv_d1_urls_that_are_not_plainly_http_are_refused() {
        check_refused(
            "the URL does not start with `http://` or `https://`",
            &[
                "",
                "example.com/hook",
                "//example.com/",
                "http:example.com",
                "http:/example.com",
                " https://example.com",
                "ftp://example.com/",
                "file:///etc/passwd",
                "gopher://example.com/",
                "unix:///run/docker.sock",
                "javascript:alert(1)",
            ],
        );
        check_refused(
            "the URL is not a valid URL",
            &["https://", "https://exa mple.com/", "https://example.com:65536/"],
        );
        check_refused("the URL has port 0", &["https://example.com:0/"]);
        check_refused(
            "the URL holds a control character or a backslash",
            &[
                "https://example.com\t/",
                "https://exam\nple.com/",
                "https://example.com/a\r\nHost: x",
                "https://example.com\\@127.0.0.1/",
            ],
        );
        check_refused("the URL has a fragment, which is never sent", &["https://example.com/#x"]);
        check_refused(
            "the URL holds a user name or password: use the webhook's auth instead",
            &["https://u:p@example.com/", "https://u@example.com/", "https://:p@example.com/"],
        );
    }

    #[test]
    fn inv_d1_hosts_that_are_not_public_names_are_refused() {
        for (url, reason) in [
            ("https://example.com./", "the host example.com. ends with a dot"),
            ("http://localhost./", "the host localhost. ends with a dot"),
            ("http://localhost/", "the host localhost is a name of an internal network"),
            ("http://LOCALHOST/", "the host localhost is a name of an internal network"),
            ("http://localhost:22/", "the host localhost is a name of an internal network"),
            ("http://a.localhost/", "the host a.localhost is a name of an internal network"),
            ("http://printer.local/", "the host printer.local is a name of an internal network"),
            ("http://router.home.arpa/", "the host router.home.arpa is a name of an internal network"),
            (
                "http://metadata.google.internal/",
                "the host metadata.google.internal is a name of an internal network",
            ),
            ("http://127.0.0.1:9999/", "the address 127.0.0.1 is loopback"),
        ] {
            check_refused(reason, &[url]);
        }
    }
}
