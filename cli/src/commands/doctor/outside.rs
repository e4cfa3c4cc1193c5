//! Checks of what lies outside: the guard on outbound calls, and the server.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use muster_app::error::chain;
use muster_app::ports::{Call, Clock as _, Egress as _, SecretError, Secrets};
use muster_domain::ids::SecretName;
use muster_domain::outcome::Outcome;
use muster_domain::request::{ContentType, RenderedRequest, WebhookAuth, WebhookMethod};
use muster_egress::{EgressPolicy, HttpEgress};
use secrecy::SecretString;

use super::Finding;
use muster_app::clock::SystemClock;

/// Addresses of this machine, as a literal and as a name. The port is discard's; nobody listens there.
const OWN_ADDRESSES: [&str; 2] = ["http://127.0.0.1:9/", "http://localhost:9/"];

/// Variables that other programs take as the way out, and Muster does not.
const PROXY_VARIABLES: [&str; 4] = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy"];

const PATIENCE: Duration = Duration::from_secs(3);

pub(super) async fn check(server: &str) -> Vec<Finding> {
    let mut findings = vec![check_guard().await];
    findings.extend(check_proxies(|name| std::env::var_os(name).is_some()));
    findings.push(check_server(server).await);
    findings
}

/// Asks the guard to let calls to this machine through, which it must not.
async fn check_guard() -> Finding {
    let egress = match HttpEgress::new(EgressPolicy::default(), Arc::new(NoSecrets)) {
        Ok(egress) => egress,
        Err(error) => {
            let mending = "install root certificates (the package ca-certificates)";
            return Finding::broken("egress guard", chain(&error), mending);
        }
    };
    for url in OWN_ADDRESSES {
        match try_call(&egress, url).await {
            Outcome::Refused { .. } => {}
            Outcome::Unsent { reason } => {
                let mending = "check the name service: webhooks that name a host will fail";
                return Finding::doubtful("egress guard", format!("{url}: {reason}"), mending);
            }
            Outcome::Answered { .. } | Outcome::Unknown { .. } => {
                let seen = format!("a call to {url} was let through");
                return Finding::broken("egress guard", seen, "do not use this build: report it");
            }
        }
    }
    Finding::fine(
        "egress guard",
        "on: calls to addresses that are not public are refused, but for what `serve --allow-egress` names",
    )
}

async fn try_call(egress: &HttpEgress, url: &str) -> Outcome {
    let request = RenderedRequest {
        method: WebhookMethod::Post,
        url: url.to_owned().into(),
        headers: Vec::new(),
        auth: WebhookAuth::None,
        content_type: ContentType::Json,
        body: String::new(),
    };
    let call = Call {
        callback: None,
        request: &request,
        idempotency_key: "doctor",
        attempt_id: "doctor.1",
        timeout: PATIENCE,
        now: SystemClock.now(),
    };
    egress.send(call).await
}

/// The calls of this check need none.
struct NoSecrets;

#[async_trait]
impl Secrets for NoSecrets {
    async fn read(&self, name: &SecretName) -> Result<SecretString, SecretError> {
        Err(SecretError::Missing(name.clone()))
    }
}

fn check_proxies(is_set: impl Fn(&str) -> bool) -> Option<Finding> {
    let variable = PROXY_VARIABLES.into_iter().find(|name| is_set(name))?;
    let seen = format!("{variable} is set, and webhooks do not go through it");
    Some(Finding::doubtful("proxy", seen, "make sure that this machine reaches the receivers directly"))
}

async fn check_server(server: &str) -> Finding {
    let address = format!("{}/readyz", server.trim_end_matches('/'));
    let mending = "start it with `muster serve`, or give its address with --url";
    let client = reqwest::Client::builder().no_proxy().timeout(PATIENCE).build();
    let asked = match client {
        Ok(client) => client.get(&address).send().await,
        Err(error) => Err(error),
    };
    match asked {
        Ok(answer) if answer.status().is_success() => Finding::fine("server", format!("{server} is ready")),
        Ok(answer) => {
            Finding::broken("server", format!("{address} answers {}", answer.status()), "its log says why")
        }
        Err(error) => {
            Finding::doubtful("server", format!("{server}: {}", chain(&error.without_url())), mending)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[tokio::test]
    async fn inv_d1_the_guard_is_on() {
        let finding = check_guard().await;
        assert_eq!(finding.verdict, Verdict::Fine, "{finding}");
    }

    #[test]
    fn a_proxy_that_is_not_used_is_told() {
        assert_eq!(check_proxies(|_| false), None);
        let finding = check_proxies(|name| name == "HTTPS_PROXY").unwrap();
        assert!(finding.seen.starts_with("HTTPS_PROXY is set"), "{finding}");
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_no_fault_of_the_installation() {
        let finding = check_server("http://127.0.0.1:9").await;
        assert_eq!(finding.verdict, Verdict::Doubtful, "{finding}");
    }
}
