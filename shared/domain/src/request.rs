//! One outbound HTTP request as it is rendered, stored and shown: everything but the values of secrets.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::ids::SecretName;
use crate::secret::SecretRef;

/// The methods a webhook may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum WebhookMethod {
    #[default]
    Post,
    Put,
    Patch,
    /// Only looks; sends no body unless one is written.
    Get,
}

impl WebhookMethod {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Get => "GET",
        }
    }
}

/// How a webhook proves who calls it. Secrets are references; a value cannot be written here.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", deny_unknown_fields)]
pub enum WebhookAuth {
    #[default]
    None,
    /// RFC 7617.
    Basic { username: String, password: SecretRef },
    /// RFC 6750.
    Bearer { token: SecretRef },
    /// The secret as the value of a header of the receiver's choice.
    ApiKey { header: String, key: SecretRef },
    /// Signed as Standard Webhooks: `webhook-id`, `webhook-timestamp`, `webhook-signature: v1,…`.
    Hmac { secret: SecretRef },
}

impl WebhookAuth {
    /// The secret this needs, if any.
    pub fn secret(&self) -> Option<&SecretName> {
        match self {
            Self::None => None,
            Self::Basic { password: secret, .. }
            | Self::Bearer { token: secret }
            | Self::ApiKey { key: secret, .. }
            | Self::Hmac { secret } => Some(&secret.name),
        }
    }
}

/// A header's value: rendered text, or a secret that is filled in when the request is sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum HeaderValue {
    Secret(SecretRef),
    Text(String),
}

/// Where a request goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RequestUrl {
    /// Whoever knows the URL may call it, so the whole of it is a secret that is filled in when the request is sent.
    Secret(SecretRef),
    /// Absolute `http` or `https` URL. Scheme, host and port are the definition's, never a value's.
    Text(String),
}

impl RequestUrl {
    /// The secret that it is, if it is one.
    pub fn secret(&self) -> Option<&SecretRef> {
        match self {
            Self::Secret(secret) => Some(secret),
            Self::Text(_) => None,
        }
    }
}

impl From<String> for RequestUrl {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

/// A request ready to be sent but for its secrets. Its digest is what an approval or a trail binds to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RenderedRequest {
    #[serde(default, skip_serializing_if = "is_post")]
    pub method: WebhookMethod,
    pub url: RequestUrl,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<(String, HeaderValue)>,
    #[serde(default, skip_serializing_if = "is_no_auth")]
    pub auth: WebhookAuth,
    pub content_type: ContentType,
    /// The exact bytes of the body.
    pub body: String,
}

/// The media type of a rendered body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ContentType {
    #[default]
    #[serde(rename = "json")]
    Json,
    #[serde(rename = "text")]
    Text,
}

impl ContentType {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Text => "text/plain; charset=utf-8",
        }
    }
}

impl RenderedRequest {
    /// Names of every secret that sending this request needs.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretName> {
        let in_headers = self.headers.iter().filter_map(|(_, value)| match value {
            HeaderValue::Secret(secret) => Some(&secret.name),
            HeaderValue::Text(_) => None,
        });
        let url = self.url.secret().map(|secret| &secret.name);
        url.into_iter().chain(in_headers).chain(self.auth.secret())
    }

    /// The digest of the whole request, secrets as references.
    pub fn digest(&self) -> Digest {
        Digest::of_json(&serde_json::to_value(self).unwrap_or_default())
    }
}

fn is_post(method: &WebhookMethod) -> bool {
    *method == WebhookMethod::Post
}

fn is_no_auth(auth: &WebhookAuth) -> bool {
    *auth == WebhookAuth::None
}
