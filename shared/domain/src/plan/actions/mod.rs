//! The calls that the actions of workflows compile to. Bodies are JSON in which the strings of the definition are templates;
//! what a template names of its step is in [`name_step`](crate::render::name_step).

mod jira;
mod linear;
mod slack;
mod teams;

use std::time::Duration;

use serde_json::Value;

pub(super) use self::{jira::*, linear::*};
pub(crate) use self::{slack::*, teams::*};
use super::{UrlTemplate, WebhookCall, compile_template};
use crate::answer::Answer;
use crate::fault::Fault;
use crate::request::{WebhookAuth, WebhookMethod};
use crate::secret::SecretRef;
use crate::template::PayloadTemplate;
use crate::webhook::MAX_TIMEOUT_SECONDS;

/// A POST of JSON, the form of all of them.
fn post(
    url: UrlTemplate,
    auth: WebhookAuth,
    body: &Value,
    answer: Answer,
) -> Result<WebhookCall, Vec<Fault>> {
    Ok(WebhookCall {
        method: WebhookMethod::Post,
        url,
        headers: Vec::new(),
        auth,
        payload: Some(PayloadTemplate::compile(body)?),
        timeout: Duration::from_secs(u64::from(MAX_TIMEOUT_SECONDS)),
        answer,
    })
}

/// A URL without a template.
fn fixed(url: &str) -> Result<UrlTemplate, Vec<Fault>> {
    Ok(UrlTemplate::Text(compile_template("", url)?))
}

fn secret(url: &SecretRef) -> UrlTemplate {
    UrlTemplate::Secret(url.clone())
}

#[cfg(test)]
mod tests;
