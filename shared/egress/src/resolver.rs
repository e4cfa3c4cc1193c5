//! Names to addresses, under guard: one bad answer refuses all, and the addresses checked are the ones dialled.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use async_trait::async_trait;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::address;
use crate::dial;
use crate::policy::Guard;
use crate::refusal::Refusal;

/// Asks a name service. The system's is the product's; a test brings fixed answers, since it must not depend on any network.
#[async_trait]
pub trait Lookup: Send + Sync {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The resolver of the operating system, `/etc/hosts` included.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SystemLookup;

#[async_trait]
impl Lookup for SystemLookup {
    async fn lookup(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let answers = tokio::net::lookup_host((host, 0)).await?;
        Ok(answers.map(|address| address.ip()).collect())
    }
}

/// The HTTP client's resolver. It looks a name up once and hands over exactly the answers that it checked, so that a name
/// that changes its answer between check and use gains nothing.
pub(crate) struct GuardedResolver {
    lookup: Arc<dyn Lookup>,
}

impl GuardedResolver {
    pub(crate) fn new(lookup: Arc<dyn Lookup>) -> Self {
        Self { lookup }
    }
}

impl Resolve for GuardedResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let guard = dial::guard_of_current_call();
        let lookup = Arc::clone(&self.lookup);
        Box::pin(async move {
            let answers = lookup.lookup(name.as_str()).await?;
            let checked = check_answers(name.as_str(), answers, guard)?;
            // Port 0 stands for the port of the URL.
            let addresses = checked.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}

fn check_answers(host: &str, answers: Vec<IpAddr>, guard: Guard) -> Result<Vec<IpAddr>, Refusal> {
    match guard {
        Guard::Opened => Ok(answers),
        Guard::Checked => {
            let bad = answers.iter().find_map(|ip| address::why_refused(*ip).map(|why| (*ip, why)));
            bad.map_or(Ok(answers), |(ip, why)| Err(Refusal::Answer { host: host.to_owned(), ip, why }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: [&str; 2] = ["1.1.1.1", "2606:4700::1111"];

    fn check(answers: &[&str], guard: Guard) -> Result<Vec<IpAddr>, Refusal> {
        check_answers("receiver.test", answers.iter().map(|ip| ip.parse().unwrap()).collect(), guard)
    }

    #[test]
    fn inv_d2_good_answers_are_handed_over_unchanged() {
        assert_eq!(check(&GOOD, Guard::Checked).unwrap(), GOOD.map(|ip| ip.parse::<IpAddr>().unwrap()));
    }

    #[test]
    fn inv_d2_one_bad_answer_refuses_all_wherever_it_stands() {
        for answers in [
            ["10.0.0.1", "1.1.1.1", "1.0.0.1"],
            ["1.1.1.1", "10.0.0.1", "1.0.0.1"],
            ["1.1.1.1", "1.0.0.1", "10.0.0.1"],
        ] {
            let refusal = check(&answers, Guard::Checked).unwrap_err();
            assert_eq!(
                refusal.to_string(),
                "the host receiver.test has the address 10.0.0.1, which is private"
            );
            assert!(check(&answers, Guard::Opened).is_ok());
        }
    }

    #[tokio::test]
    async fn inv_d2_a_lookup_that_no_call_asked_for_is_checked() {
        struct Loopback;
        #[async_trait]
        impl Lookup for Loopback {
            async fn lookup(&self, _host: &str) -> io::Result<Vec<IpAddr>> {
                Ok(vec![IpAddr::from([127, 0, 0, 1])])
            }
        }
        let resolver = GuardedResolver::new(Arc::new(Loopback));
        let resolving = || resolver.resolve("receiver.test".parse().unwrap());
        assert!(resolving().await.is_err());
        let opened = dial::Dial::new(Guard::Opened);
        assert!(opened.scope(async { resolving().await }).await.is_ok());
    }
}
