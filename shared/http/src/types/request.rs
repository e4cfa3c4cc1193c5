//! The outbound request: its parts in a definition, and a rendered one.

use std::collections::BTreeMap;

use muster_domain::ids::{InvalidId, SecretName};
use muster_domain::request as domain;
use muster_domain::secret::SecretRef;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A request as it is sent, but for the values of its secrets.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RenderedRequest {
    method: RequestMethod,
    url: RequestUrl,
    headers: Vec<Header>,
    auth: WebhookAuth,
    /// The media type of the body.
    content_type: &'static str,
    /// The exact text of the body.
    body: String,
}

/// Where it goes: a URL, or a reference to a secret that is one.
#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
enum RequestUrl {
    Secret(SecretReference),
    Text(String),
}

impl From<domain::RequestUrl> for RequestUrl {
    fn from(url: domain::RequestUrl) -> Self {
        match url {
            domain::RequestUrl::Secret(secret) => Self::Secret(secret.into()),
            domain::RequestUrl::Text(text) => Self::Text(text),
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
struct Header {
    name: String,
    value: HeaderText,
}

impl From<domain::RenderedRequest> for RenderedRequest {
    fn from(request: domain::RenderedRequest) -> Self {
        let header = |(name, value): (String, domain::HeaderValue)| Header { name, value: value.into() };
        Self {
            method: request.method.into(),
            url: request.url.into(),
            headers: request.headers.into_iter().map(header).collect(),
            auth: request.auth.into(),
            content_type: request.content_type.as_str(),
            body: request.body,
        }
    }
}

/// The methods of a simple runbook.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Method {
    #[default]
    Post,
    Put,
    Patch,
}

impl From<Method> for domain::WebhookMethod {
    fn from(method: Method) -> Self {
        match method {
            Method::Post => Self::Post,
            Method::Put => Self::Put,
            Method::Patch => Self::Patch,
        }
    }
}

/// The methods of a request.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum RequestMethod {
    Post,
    Put,
    Patch,
    Get,
}

impl From<domain::WebhookMethod> for RequestMethod {
    fn from(method: domain::WebhookMethod) -> Self {
        match method {
            domain::WebhookMethod::Post => Self::Post,
            domain::WebhookMethod::Put => Self::Put,
            domain::WebhookMethod::Patch => Self::Patch,
            domain::WebhookMethod::Get => Self::Get,
        }
    }
}

/// A header's value: a template, or a reference to a secret.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(untagged, expecting = "expected a text, or a reference as in `{\"$secret\": \"name\"}`")]
pub(crate) enum HeaderText {
    Secret(SecretReference),
    Text(String),
}

impl From<HeaderText> for domain::HeaderValue {
    fn from(value: HeaderText) -> Self {
        match value {
            HeaderText::Secret(secret) => Self::Secret(secret.into()),
            HeaderText::Text(text) => Self::Text(text),
        }
    }
}

impl From<domain::HeaderValue> for HeaderText {
    fn from(value: domain::HeaderValue) -> Self {
        match value {
            domain::HeaderValue::Secret(secret) => Self::Secret(secret.into()),
            domain::HeaderValue::Text(text) => Self::Text(text),
        }
    }
}

/// `{"$secret": "name"}`: replaced by the value when the request is sent, and nowhere earlier.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(try_from = "BTreeMap<String, String>", deny_unknown_fields)]
pub(crate) struct SecretReference {
    #[serde(rename = "$secret")]
    #[schema(value_type = String)]
    name: SecretName,
}

const NOT_A_REFERENCE: &str = "expected a reference as in `{\"$secret\": \"name\"}`, never a value";

/// Read as a map, because serde would also take a struct's members from a list.
impl TryFrom<BTreeMap<String, String>> for SecretReference {
    type Error = &'static str;

    fn try_from(mut members: BTreeMap<String, String>) -> Result<Self, Self::Error> {
        let name = members.remove("$secret").filter(|_| members.is_empty()).ok_or(NOT_A_REFERENCE)?;
        name.parse().map(|name| Self { name }).map_err(|_: InvalidId| NOT_A_REFERENCE)
    }
}

impl From<SecretReference> for SecretRef {
    fn from(secret: SecretReference) -> Self {
        Self { name: secret.name }
    }
}

impl From<SecretRef> for SecretReference {
    fn from(secret: SecretRef) -> Self {
        Self { name: secret.name }
    }
}

/// How a webhook proves who calls it.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
pub(crate) enum WebhookAuth {
    /// It does not.
    // Braces, because only then serde refuses members that do not belong here.
    None {},
    /// RFC 7617.
    Basic { username: String, password: SecretReference },
    /// RFC 6750.
    Bearer { token: SecretReference },
    /// The secret as the value of a header of the receiver's choice.
    ApiKey { header: String, key: SecretReference },
    /// Signed as in Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,…`.
    Hmac { secret: SecretReference },
}

impl Default for WebhookAuth {
    fn default() -> Self {
        Self::None {}
    }
}

impl From<WebhookAuth> for domain::WebhookAuth {
    fn from(auth: WebhookAuth) -> Self {
        match auth {
            WebhookAuth::None {} => Self::None,
            WebhookAuth::Basic { username, password } => Self::Basic { username, password: password.into() },
            WebhookAuth::Bearer { token } => Self::Bearer { token: token.into() },
            WebhookAuth::ApiKey { header, key } => Self::ApiKey { header, key: key.into() },
            WebhookAuth::Hmac { secret } => Self::Hmac { secret: secret.into() },
        }
    }
}

impl From<domain::WebhookAuth> for WebhookAuth {
    fn from(auth: domain::WebhookAuth) -> Self {
        match auth {
            domain::WebhookAuth::None => Self::None {},
            domain::WebhookAuth::Basic { username, password } => {
                Self::Basic { username, password: password.into() }
            }
            domain::WebhookAuth::Bearer { token } => Self::Bearer { token: token.into() },
            domain::WebhookAuth::ApiKey { header, key } => Self::ApiKey { header, key: key.into() },
            domain::WebhookAuth::Hmac { secret } => Self::Hmac { secret: secret.into() },
        }
    }
}
